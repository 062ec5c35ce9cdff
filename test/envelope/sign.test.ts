/** The signature covers every byte of an envelope, its session and its parties; its time is held to a window. */

import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ML_DSA_65_ED25519, sha256 } from '../../src/crypto/index.ts';
import {
  decodeEnvelope,
  digestsOf,
  encodeEnvelope,
  encodeEvidence,
  normalizeEnvelope,
  readUnverifiedData,
  signEnvelope,
  SignedEnvelope,
  verifyEnvelope,
  verifyEvidence,
  type Expected,
  type TimeWindow,
} from '../../src/envelope/index.ts';
import { MunimentError } from '../../src/errors.ts';
import { fromUtf8, utf8 } from '../../src/wire/index.ts';
import { flipped } from '../mutation.ts';
import { SLOW } from '../property.ts';
import { refusal } from '../refusal.ts';
import { bank, context, expected, header, party, sealed, signed, time, user } from './fixture.ts';

const wanted = {
  type: 'request',
  author: user.credential,
  to: bank.credential.id,
  answers: null,
  time,
} as const;

const EIGHT_BITS = [1, 2, 4, 8, 16, 32, 64, 128];

/** What a receiver does with bytes: decode, and verify if it is a signed envelope at all. */
function received(bytes: Uint8Array, as: Expected<'request'> = expected): string {
  const envelope = decodeEnvelope(bytes);
  if (!(envelope instanceof SignedEnvelope)) throw new TypeError('a sealed envelope');
  return verifyEnvelope(envelope, as).data;
}

/** How often each code came out where a copy of `bytes` with a change is received, for each place and each mask. */
function codesOf(
  bytes: Uint8Array,
  { masks, step = 1, as }: { masks: readonly number[]; step?: number; as?: Expected<'request'> },
): Record<string, number> {
  const codes: Record<string, number> = {};
  for (let at = 0; at < bytes.length; at += step) {
    for (const mask of masks) {
      const code = refusal(() => received(flipped(bytes, at, mask), as));
      codes[code] = (codes[code] ?? 0) + 1;
    }
  }
  return codes;
}

describe('mutations', () => {
  test('each bit of each byte of a signed envelope counts', async () => {
    const data = '{"id":"7","read":{"record":"r & 1"}}';
    const bytes = encodeEnvelope(await signed(data));
    expect(received(bytes)).toBe(data);
    const { ENVELOPE_GRAMMAR = 0, ENVELOPE_SIGNATURE = 0, ...others } = codesOf(bytes, { masks: EIGHT_BITS });
    expect(others).toEqual({});
    expect(ENVELOPE_GRAMMAR + ENVELOPE_SIGNATURE).toBe(bytes.length * 8);
    expect(ENVELOPE_SIGNATURE).toBeGreaterThan(500);
  });

  test('so does a bit of each byte under a composite signature', async () => {
    const author = await party('Dr. Vidal', ML_DSA_65_ED25519);
    const by = { ...context, from: author.credential.id };
    const signedByBoth = await signEnvelope(
      author.signer,
      { header: { ...header, sender: by.from }, data: '{}' },
      by,
    );
    expect(signedByBoth.signature).toHaveLength(3373);
    const bytes = encodeEnvelope(signedByBoth);
    const as = { ...expected, author: author.credential, context: by };
    expect(received(bytes, as)).toBe('{}');
    const step = SLOW ? 1 : 17; // it takes long to verify
    const {
      ENVELOPE_GRAMMAR = 0,
      ENVELOPE_SIGNATURE = 0,
      ...others
    } = codesOf(bytes, {
      masks: [1],
      step,
      as,
    });
    expect(others).toEqual({});
    expect(ENVELOPE_GRAMMAR + ENVELOPE_SIGNATURE).toBe(Math.ceil(bytes.length / step));
    expect(ENVELOPE_SIGNATURE).toBeGreaterThan(2000 / step);
  });

  test('each byte of evidence counts', async () => {
    const evidence = encodeEvidence(await signed('{}'), context);
    expect(verifyEvidence(evidence, wanted).data).toBe('{}');
    const codes = new Set<string>();
    for (let at = 0; at < evidence.length; at++)
      codes.add(refusal(() => verifyEvidence(flipped(evidence, at), wanted)));
    expect([...codes].sort()).toEqual(['ENVELOPE_GRAMMAR', 'ENVELOPE_SIGNATURE', 'WIRE_TUPLE']);
    for (let length = 0; length < evidence.length; length++)
      expect(refusal(() => verifyEvidence(evidence.subarray(0, length), wanted))).toBe('WIRE_TUPLE');
  });

  test('a sealed envelope is no evidence', () => {
    const evidence = encodeEvidence(sealed(new Uint8Array(3)) as unknown as SignedEnvelope, context);
    expect(refusal(() => verifyEvidence(evidence, wanted))).toBe('ENVELOPE_SIGNATURE');
  });
});

describe('time', () => {
  const { timestamp } = header;
  const windows: readonly (readonly [string, TimeWindow, boolean])[] = [
    ['the moment alone', { notBefore: timestamp, notAfter: timestamp }, true],
    ['from the moment on', { notBefore: timestamp, notAfter: Number.MAX_SAFE_INTEGER }, true],
    ['up to the moment', { notBefore: 0, notAfter: timestamp }, true],
    ['ever', { notBefore: -Infinity, notAfter: Infinity }, true],
    ['later', { notBefore: timestamp + 1, notAfter: Infinity }, false],
    ['earlier', { notBefore: -Infinity, notAfter: timestamp - 1 }, false],
    ['never', { notBefore: timestamp + 1, notAfter: timestamp - 1 }, false],
    ['from no number on', { notBefore: Number.NaN, notAfter: Infinity }, false],
    ['up to no number', { notBefore: -Infinity, notAfter: Number.NaN }, false],
  ];
  test.for(windows)('%s', async ([, allowed, fits]) => {
    const envelope = await signed('{}');
    const evidence = encodeEvidence(envelope, context);
    const verifiers = [
      () => verifyEnvelope(envelope, { ...expected, time: allowed }).data,
      () => verifyEvidence(evidence, { ...wanted, time: allowed }).data,
    ];
    for (const verify of verifiers) {
      if (fits) expect(verify()).toBe('{}');
      else expect(refusal(verify)).toBe('ENVELOPE_TIME');
    }
  });

  test('is judged of genuine envelopes alone, so that the code says that the author made this one', async () => {
    const { signature } = await signed('{}');
    const forged = new SignedEnvelope(header, '{ }', signature);
    const late = { ...expected, time: { notBefore: timestamp + 1, notAfter: Infinity } };
    expect(refusal(() => verifyEnvelope(forged, late))).toBe('ENVELOPE_SIGNATURE');
  });
});

describe('data of an envelope that nobody verified', () => {
  const secret = 'PLANTED';

  test('show nowhere', async () => {
    const made = await signed(`"${secret}"`);
    const decoded = decodeEnvelope(encodeEnvelope(made));
    for (const envelope of [made, decoded]) {
      expect(Object.keys(envelope).sort()).toEqual(['header', 'signature']);
      const shown = [
        inspect(envelope, { showHidden: true, depth: null, getters: true }),
        JSON.stringify(envelope),
        inspect(structuredClone(envelope), { depth: null }),
        inspect(Object.assign({}, envelope), { depth: null }),
        inspect(Object.getOwnPropertyDescriptors(envelope), { depth: null }),
      ];
      for (const text of shown) expect(text).not.toContain(secret);
    }
  });

  test('come out by the function that says so', async () => {
    const envelope = await signed(`"${secret}"`);
    expect(readUnverifiedData(envelope)).toContain(secret);
    expect(() => readUnverifiedData(structuredClone(envelope))).toThrow(TypeError);
  });
});

describe('what is signed', () => {
  test('a signature survives another tool’s spelling, since it covers the model', async () => {
    const envelope = await signed('{"a":1}');
    const spelled = fromUtf8(encodeEnvelope(envelope))
      .replaceAll('><', '>\r\n  <')
      .replace('{"a"', '&#123;"a"');
    expect(received(normalizeEnvelope(utf8(spelled)))).toBe('{"a":1}');
  });

  test('what verifies is what is returned', async () => {
    const envelope = await signed('{"a":1}');
    const verified = verifyEnvelope(envelope, expected);
    expect(verified.digests.data).toEqual(sha256(utf8('{"a":1}')));
    expect(verified.digests.signature).toEqual(sha256(envelope.signature));
    expect(digestsOf(envelope)).toEqual(verified.digests);
    expect(verified.author).toBe(user.credential);
    expect(Object.keys(verified).sort()).toEqual(['author', 'data', 'digests', 'header']);
  });

  test('two causes give one identical error', async () => {
    const envelope = await signed('{}');
    const messageOf = (run: () => unknown): string => {
      try {
        run();
      } catch (error) {
        if (error instanceof MunimentError) return `${error.code} ${error.message}`;
      }
      throw new Error('expected a refusal');
    };
    const answering = { ...context, answers: digestsOf(envelope) };
    const causes = [
      () => verifyEnvelope(new SignedEnvelope(header, '{}', flipped(envelope.signature, 0)), expected),
      () => verifyEnvelope(new SignedEnvelope(header, '{}', new Uint8Array(3373)), expected),
      () => verifyEnvelope(new SignedEnvelope(header, '{ }', envelope.signature), expected),
      () => verifyEnvelope(envelope, { ...expected, type: 'reply', context: answering }),
      () => verifyEnvelope(new SignedEnvelope(header, '\ud800', envelope.signature), expected),
      () => verifyEnvelope(envelope, { ...expected, author: bank.credential }),
      () => verifyEnvelope(envelope, { ...expected, context: { ...context, to: context.from } }),
    ].map(messageOf);
    expect(new Set(causes).size).toBe(1);
  });

  test('a key of the same name does not do', async () => {
    const other = await party('Dr. Ruiz');
    const envelope = await signed('{}');
    const as = { ...expected, author: other.credential, context: { ...context, from: other.credential.id } };
    expect(refusal(() => verifyEnvelope(envelope, as))).toBe('ENVELOPE_SIGNATURE');
    const renamed = { ...header, sender: other.credential.id };
    const resigned = new SignedEnvelope(renamed, '{}', envelope.signature);
    expect(refusal(() => verifyEnvelope(resigned, as))).toBe('ENVELOPE_SIGNATURE');
  });
});

describe('what the caller changes afterwards', () => {
  test('is in no envelope, not while a card signs and not later', async () => {
    const mine = { ...header, sender: header.sender.slice(), n1: header.n1.slice() };
    const signing = signEnvelope(user.signer, { header: mine, data: '{}' }, context);
    mine.n1.fill(0);
    const envelope = await signing;
    mine.sender.fill(0);
    expect(verifyEnvelope(envelope, expected).data).toBe('{}');
  });
});

describe('mistakes of the caller', () => {
  test('the sender is not the signer', async () => {
    const wrong = { header: { ...header, sender: bank.credential.id }, data: '{}' };
    await expect(signEnvelope(user.signer, wrong, context)).rejects.toThrow(RangeError);
  });

  test('a reply, and only a reply, answers', async () => {
    const answers = { data: new Uint8Array(32), signature: new Uint8Array(32) };
    const asked = { header, data: '{}' };
    await expect(signEnvelope(user.signer, asked, { ...context, answers })).rejects.toThrow(RangeError);
    const reply = { header: { ...header, type: 'reply' as const }, data: '{}' };
    await expect(signEnvelope(user.signer, reply, context)).rejects.toThrow(RangeError);
    const envelope = await signed('{}');
    expect(() => verifyEnvelope(envelope, { ...expected, context: { ...context, answers } })).toThrow(
      RangeError,
    );
    expect(() => verifyEnvelope(envelope, { ...expected, type: 'reply' })).toThrow(RangeError);
  });

  test('what was verified is not changed by who changes the envelope', async () => {
    const envelope = await signed('{}');
    const verified = verifyEnvelope(envelope, expected);
    const sender = verified.header.sender.slice();
    envelope.header.sender.fill(0);
    expect(verified.header.sender).toEqual(sender);
  });
});
