/** One model, one byte string: round trips, prefixes and flipped bits, limits, and models that no document states. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeEnvelope,
  encodeEnvelope,
  ENVELOPE_LIMIT,
  FOREIGN_LIMIT,
  headerTuple,
  MESSAGE_TYPES,
  normalizeEnvelope,
  readUnverifiedData,
  SignedEnvelope,
  stepOf,
  type Envelope,
  type Header,
  type SealedEnvelope,
  type SignedType,
} from '../../src/envelope/index.ts';
import { fromUtf8, utf8 } from '../../src/wire/index.ts';
import { flipped } from '../mutation.ts';
import { PROPERTY } from '../property.ts';
import { refusal } from '../refusal.ts';
import { contentOf, header, sealed, sealedHeader, signed, unsigned } from './fixture.ts';

const MAX_TIME = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
const NOTHING = new Uint8Array(0);
const bytesOf = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });
const time = fc.integer({ min: 0, max: MAX_TIME });
// What XML carries unchanged: no control character but tab and line feed, no U+FFFE and U+FFFF, no lone surrogate.
const data = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom('&', '<', '>', ']', '"', "'", '\t', '\n', ' ', '#', ';'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    ),
  })
  // eslint-disable-next-line no-control-regex -- control characters are what is taken out
  .map((text) => text.replace(/[\0-\x08\x0b-\x1f\ufffe\uffff]/g, ''));

const times = { timestamp: time, timestamp1: time, timestamp2: time };
const handles = { n1: bytesOf(16), n2: bytesOf(16) };
const sealedHeaders: fc.Arbitrary<Header> = fc
  .record({ type: fc.constantFrom(...MESSAGE_TYPES), sender: bytesOf(16), ...times, ...handles })
  .map((fields) => (fields.type === 'nsl-1' ? { ...fields, n2: null, timestamp2: null } : fields));
const signedHeaders: fc.Arbitrary<Header<SignedType>> = fc.record({
  type: fc.constantFrom('request' as const, 'reply' as const),
  sender: bytesOf(32),
  ...times,
  ...handles,
});
const envelopes: fc.Arbitrary<Envelope> = fc.oneof(
  fc.record({ header: sealedHeaders, ciphertext: fc.uint8Array({ maxLength: 200 }) }),
  fc
    .tuple(
      signedHeaders,
      data,
      fc.oneof({ weight: 9, arbitrary: bytesOf(64) }, { weight: 1, arbitrary: bytesOf(3373) }),
    )
    .map((parts) => new SignedEnvelope(...parts)),
);

describe('round trips', () => {
  test('decode(encode(x)) is x', () => {
    fc.assert(
      fc.property(envelopes, (envelope) => {
        const decoded = decodeEnvelope(encodeEnvelope(envelope));
        expect(decoded instanceof SignedEnvelope).toBe(envelope instanceof SignedEnvelope);
        expect(contentOf(decoded)).toEqual(contentOf(envelope));
      }),
      { ...PROPERTY, numRuns: 1000 },
    );
  });

  test('whatever the strict reader accepts, the lenient one maps to itself', () => {
    fc.assert(
      fc.property(envelopes, (envelope) => {
        const bytes = encodeEnvelope(envelope);
        expect(Buffer.from(bytes).equals(normalizeEnvelope(bytes))).toBe(true);
      }),
      { ...PROPERTY, numRuns: 1000 },
    );
  });

  test('headers that differ in one field differ in their tuples', () => {
    const fields = fc.constantFrom('timestamp', 'timestamp1', 'n1', 'sender', 'type');
    fc.assert(
      fc.property(sealedHeaders, sealedHeaders, fields, (a, b, field) => {
        fc.pre(field !== 'type' || (a.type === 'nsl-1') === (b.type === 'nsl-1'));
        const other = { ...a, [field]: b[field] };
        const [one, two] = [a, other].map((of) =>
          fromUtf8(encodeEnvelope({ header: of, ciphertext: NOTHING })),
        );
        expect(Buffer.from(headerTuple(a)).equals(headerTuple(other))).toBe(one === two);
      }),
      PROPERTY,
    );
  });

  test('the type fixes the step', () => {
    expect(MESSAGE_TYPES.map(stepOf)).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('damaged documents', () => {
  test('every prefix is refused', async () => {
    for (const envelope of [await signed('{}'), sealed(Uint8Array.of(1, 2, 3))]) {
      const bytes = encodeEnvelope(envelope);
      for (let length = 0; length < bytes.length; length++) {
        const prefix = bytes.subarray(0, length);
        expect(refusal(() => decodeEnvelope(prefix))).toBe('ENVELOPE_GRAMMAR');
        expect(refusal(() => normalizeEnvelope(prefix))).toBe('ENVELOPE_GRAMMAR');
      }
    }
  });

  test('no altered bit of a header goes unseen by the header tuple', async () => {
    for (const envelope of [await signed('{}'), sealed(NOTHING)]) {
      const bytes = encodeEnvelope(envelope);
      const end = fromUtf8(bytes).indexOf('</capcalera>');
      const tuple = headerTuple(envelope.header);
      let read = 0;
      for (let at = 0; at < end; at++) {
        for (let bit = 0; bit < 8; bit++) {
          let altered;
          try {
            altered = decodeEnvelope(flipped(bytes, at, 1 << bit));
          } catch {
            continue;
          }
          read++;
          expect(headerTuple(altered.header)).not.toEqual(tuple);
        }
      }
      expect(read).toBeGreaterThan(100);
    }
  });

  test('no altered bit of a ciphertext leaves it as it was', () => {
    const { length } = encodeEnvelope(sealed(NOTHING));
    const bytes = encodeEnvelope(sealed(new Uint8Array(48)));
    const start = fromUtf8(bytes).indexOf('<dades>') + '<dades>'.length;
    let read = 0;
    for (let at = start; at < start + bytes.length - length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        let altered;
        try {
          altered = decodeEnvelope(flipped(bytes, at, 1 << bit)) as SealedEnvelope;
        } catch {
          continue;
        }
        read++;
        expect(altered.ciphertext.some((byte) => byte !== 0)).toBe(true);
      }
    }
    expect(read).toBeGreaterThan(100);
  });
});

describe('limits', () => {
  test('a document over the limit is refused before it is read', () => {
    expect(refusal(() => decodeEnvelope(new Uint8Array(ENVELOPE_LIMIT + 1)))).toBe('ENVELOPE_LIMIT');
    expect(refusal(() => decodeEnvelope(new Uint8Array(ENVELOPE_LIMIT)))).toBe('ENVELOPE_GRAMMAR');
    expect(refusal(() => normalizeEnvelope(new Uint8Array(FOREIGN_LIMIT + 1)))).toBe('ENVELOPE_LIMIT');
    expect(refusal(() => normalizeEnvelope(new Uint8Array(FOREIGN_LIMIT)))).toBe('ENVELOPE_GRAMMAR');
  });

  test('a document over the limit is not written', () => {
    const over = ENVELOPE_LIMIT + 1;
    expect(refusal(() => encodeEnvelope(unsigned('x'.repeat(over))))).toBe('ENVELOPE_LIMIT');
    expect(refusal(() => encodeEnvelope(sealed(new Uint8Array(over))))).toBe('ENVELOPE_LIMIT');
    // Small enough as it is, too large as it is written.
    const room = ENVELOPE_LIMIT - encodeEnvelope(unsigned('')).length;
    for (const more of ['x', 'é', '&'])
      expect(refusal(() => encodeEnvelope(unsigned('x'.repeat(room - more.length) + more + '>')))).toBe(
        'ENVELOPE_LIMIT',
      );
  });

  test('the largest documents are written and read', () => {
    const room = ENVELOPE_LIMIT - encodeEnvelope(unsigned('')).length;
    const text = encodeEnvelope(unsigned('x'.repeat(room)));
    expect(text).toHaveLength(ENVELOPE_LIMIT);
    expect(readUnverifiedData(decodeEnvelope(text) as SignedEnvelope)).toHaveLength(room);

    const most = Math.floor(((ENVELOPE_LIMIT - encodeEnvelope(sealed(NOTHING)).length) * 3) / 4);
    const ciphertext = encodeEnvelope(sealed(new Uint8Array(most)));
    expect(decodeEnvelope(ciphertext)).toMatchObject({ ciphertext: { length: most } });
    expect(refusal(() => encodeEnvelope(sealed(new Uint8Array(most + 1))))).toBe('ENVELOPE_LIMIT');
  });
});

describe('models that no document states', () => {
  const first: Header = { ...sealedHeader, type: 'nsl-1', n2: null, timestamp2: null };
  const changes: readonly (readonly [string, Partial<Header>])[] = [
    ['sender of 20 bytes', { sender: new Uint8Array(20) }],
    ['n1 too short', { n1: new Uint8Array(15) }],
    ['n2 too long', { n2: new Uint8Array(17) }],
    ['n2 missing', { n2: null }],
    ['timestamp2 missing', { timestamp2: null }],
    ['time before 1970', { timestamp: -1 }],
    ['time after 9999', { timestamp1: MAX_TIME + 1 }],
    ['time between milliseconds', { timestamp2: 0.5 }],
    ['time that is no number', { timestamp: Number.NaN }],
    ['type that is none', { type: 'nsl-4' as 'nsl-3' }],
  ];
  test.for(changes)('%s is a RangeError, sealed or signed', ([, change]) => {
    expect(() => encodeEnvelope({ header: { ...sealedHeader, ...change }, ciphertext: NOTHING })).toThrow(
      RangeError,
    );
    const wrong = { ...header, ...change } as Header<SignedType>;
    expect(() => new SignedEnvelope(wrong, '', new Uint8Array(64))).toThrow(RangeError);
  });

  test.for([
    ['n2 in message 1', { ...first, n2: sealedHeader.n2 }],
    ['timestamp2 in message 1', { ...first, timestamp2: 0 }],
    ['sealed under an Id', header],
  ] as const)('%s is a RangeError', ([, wrong]) => {
    expect(() => encodeEnvelope({ header: wrong, ciphertext: NOTHING })).toThrow(RangeError);
  });

  test.for([
    ['message 3, signed', { ...header, type: 'nsl-3' }],
    ['message 1, signed', { ...first, sender: header.sender }],
    ['signed by a handle', sealedHeader],
  ] as const)('%s is a RangeError', ([, wrong]) => {
    const of = wrong as Header<SignedType>;
    expect(() => new SignedEnvelope(of, '', new Uint8Array(64))).toThrow(RangeError);
  });

  test.for([0, 63, 65, 3372, 3374])('a signature of %i bytes is a RangeError', (length) => {
    expect(() => new SignedEnvelope(header, '', new Uint8Array(length))).toThrow(RangeError);
  });

  test('a clone of a signed envelope has no data and is not taken for a sealed one', async () => {
    const clone = structuredClone(await signed('{}'));
    expect(() => encodeEnvelope(clone)).toThrow(RangeError);
    expect(() => encodeEnvelope({ header: clone.header, ciphertext: NOTHING })).toThrow(RangeError);
  });

  test('half a surrogate pair is refused', () => {
    expect(refusal(() => encodeEnvelope(unsigned('\ud800')))).toBe('ENVELOPE_TEXT');
    expect(refusal(() => encodeEnvelope(unsigned('x'.repeat(100) + '\udc00')))).toBe('ENVELOPE_TEXT');
    expect(utf8('😀')).toHaveLength(4);
  });
});
