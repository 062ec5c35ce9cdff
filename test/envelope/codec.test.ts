/** One model, one byte string: round trips, mutations, and models that no document states. */

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
  stepOf,
  type Envelope,
  type Header,
} from '../../src/envelope/index.ts';
import { fromUtf8, utf8 } from '../../src/wire/index.ts';
import { flipped } from '../mutation.ts';
import { PROPERTY } from '../property.ts';
import { refusal } from '../refusal.ts';
import { header, signed } from './fixture.ts';

const MAX_TIME = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
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

const envelopes: fc.Arbitrary<Envelope> = fc
  .record({
    type: fc.constantFrom(...MESSAGE_TYPES),
    sender: fc.oneof(bytesOf(16), bytesOf(32)),
    timestamp: time,
    n1: bytesOf(16),
    timestamp1: time,
    n2: bytesOf(16),
    timestamp2: time,
    data,
    signature: fc.option(bytesOf(64)),
  })
  .map(({ data: text, signature, ...rest }) => {
    const absent = rest.type === 'nsl-1' ? { n2: null, timestamp2: null } : {};
    return { header: { ...rest, ...absent }, data: text, signature };
  });

describe('round trips', () => {
  test('decode(encode(x)) is x', () => {
    fc.assert(
      fc.property(envelopes, (envelope) => {
        expect(decodeEnvelope(encodeEnvelope(envelope))).toEqual(envelope);
      }),
      { ...PROPERTY, numRuns: 1000 },
    );
  });

  test('whatever the strict reader accepts, the lenient one maps to itself', () => {
    fc.assert(
      fc.property(envelopes, (envelope) => {
        const bytes = encodeEnvelope(envelope);
        expect(normalizeEnvelope(bytes)).toEqual(bytes);
      }),
      { ...PROPERTY, numRuns: 1000 },
    );
  });

  test('two different headers have two different tuples', () => {
    fc.assert(
      fc.property(envelopes, envelopes, (a, b) => {
        const same = encodeEnvelope({ ...a, data: '', signature: null });
        const other = encodeEnvelope({ ...b, data: '', signature: null });
        expect(fromUtf8(same) === fromUtf8(other)).toBe(
          Buffer.from(headerTuple(a.header)).equals(headerTuple(b.header)),
        );
      }),
    );
  });

  test('the type fixes the step', () => {
    expect(MESSAGE_TYPES.map(stepOf)).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('mutations of a document', () => {
  test('a mutated document is refused, or is the one form of another model', async () => {
    const bytes = encodeEnvelope(await signed('{"a":"b & c"}'));
    let accepted = 0;
    const byte = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(
        fc.nat(bytes.length - 1),
        fc.nat(3),
        fc.array(byte, { maxLength: 3 }),
        (at, gone, inserted) => {
          const document = Uint8Array.from([...bytes.slice(0, at), ...inserted, ...bytes.slice(at + gone)]);
          let envelope;
          try {
            envelope = decodeEnvelope(document);
          } catch (error) {
            expect(error).toMatchObject({ name: 'MunimentError', code: 'ENVELOPE_GRAMMAR' });
            return;
          }
          accepted++;
          expect(encodeEnvelope(envelope)).toEqual(document);
          expect(normalizeEnvelope(document)).toEqual(document);
        },
      ),
      { ...PROPERTY, numRuns: 3000 },
    );
    expect(accepted).toBeGreaterThan(0);
  });

  test('every prefix is refused', async () => {
    const bytes = encodeEnvelope(await signed('{}'));
    for (let length = 0; length < bytes.length; length++)
      expect(refusal(() => decodeEnvelope(bytes.subarray(0, length)))).toBe('ENVELOPE_GRAMMAR');
  });

  test('no altered byte of a header goes unseen by the header tuple', async () => {
    const envelope = await signed('{}');
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
    const write = (text: string) => () => encodeEnvelope({ header, data: text, signature: null });
    expect(refusal(write('x'.repeat(ENVELOPE_LIMIT + 1)))).toBe('ENVELOPE_LIMIT');
    expect(refusal(write('x'.repeat(ENVELOPE_LIMIT)))).toBe('ENVELOPE_LIMIT');
  });

  test('the largest document is written and read', () => {
    const empty = encodeEnvelope({ header, data: '', signature: null }).length;
    const bytes = encodeEnvelope({ header, data: 'x'.repeat(ENVELOPE_LIMIT - empty), signature: null });
    expect(bytes).toHaveLength(ENVELOPE_LIMIT);
    expect(decodeEnvelope(bytes).data).toHaveLength(ENVELOPE_LIMIT - empty);
  });
});

describe('models that no document states', () => {
  const first: Header = { ...header, type: 'nsl-1', n2: null, timestamp2: null };
  const models: readonly (readonly [string, Envelope])[] = [
    ['sender of no length', { header: { ...header, sender: new Uint8Array(20) }, data: '', signature: null }],
    ['n1 too short', { header: { ...header, n1: new Uint8Array(15) }, data: '', signature: null }],
    ['n2 too long', { header: { ...header, n2: new Uint8Array(17) }, data: '', signature: null }],
    ['n2 missing', { header: { ...header, n2: null }, data: '', signature: null }],
    ['timestamp2 missing', { header: { ...header, timestamp2: null }, data: '', signature: null }],
    ['n2 in message 1', { header: { ...first, n2: header.n2 }, data: '', signature: null }],
    ['timestamp2 in message 1', { header: { ...first, timestamp2: 0 }, data: '', signature: null }],
    ['signature too short', { header, data: '', signature: new Uint8Array(63) }],
    ['time before 1970', { header: { ...header, timestamp: -1 }, data: '', signature: null }],
    ['time after 9999', { header: { ...header, timestamp1: MAX_TIME + 1 }, data: '', signature: null }],
    ['time between milliseconds', { header: { ...header, timestamp2: 0.5 }, data: '', signature: null }],
    ['time that is no number', { header: { ...header, timestamp: Number.NaN }, data: '', signature: null }],
  ];
  test.for(models)('%s is a RangeError', ([, envelope]) => {
    expect(() => encodeEnvelope(envelope)).toThrow(RangeError);
  });

  test('a lone surrogate is refused', () => {
    expect(refusal(() => encodeEnvelope({ header, data: '\ud800', signature: null }))).toBe('ENVELOPE_TEXT');
    expect(utf8('😀')).toHaveLength(4);
  });
});
