/** The signature covers every byte of an envelope, its session and its parties. */

import { describe, expect, test } from 'vitest';
import { sha256 } from '../../src/crypto/index.ts';
import {
  decodeEnvelope,
  encodeEnvelope,
  encodeEvidence,
  normalizeEnvelope,
  signEnvelope,
  verifyEnvelope,
  verifyEvidence,
} from '../../src/envelope/index.ts';
import { MunimentError } from '../../src/errors.ts';
import { fromUtf8, utf8 } from '../../src/wire/index.ts';
import { flipped } from '../mutation.ts';
import { refusal } from '../refusal.ts';
import { bank, context, header, party, signed, user } from './fixture.ts';

const expected = { type: 'request' as const, author: user.credential, context };

describe('mutations', () => {
  test('each bit of each byte of a signed envelope counts', async () => {
    const envelope = await signed('{"id":"7","read":{"record":"r & 1"}}');
    const bytes = encodeEnvelope(envelope);
    expect(verifyEnvelope(decodeEnvelope(bytes), expected).data).toBe(envelope.data);
    const codes = { ENVELOPE_GRAMMAR: 0, ENVELOPE_SIGNATURE: 0 };
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const altered = flipped(bytes, at, 1 << bit);
        const code = refusal(() => verifyEnvelope(decodeEnvelope(altered), expected));
        if (code !== 'ENVELOPE_GRAMMAR' && code !== 'ENVELOPE_SIGNATURE')
          throw new Error(`byte ${at} bit ${bit}: ${code}`);
        codes[code]++;
      }
    }
    expect(codes.ENVELOPE_GRAMMAR + codes.ENVELOPE_SIGNATURE).toBe(bytes.length * 8);
    expect(codes.ENVELOPE_SIGNATURE).toBeGreaterThan(500);
  });

  test('each byte of evidence counts', async () => {
    const evidence = encodeEvidence(await signed('{}'), context);
    const wanted = {
      type: 'request' as const,
      author: user.credential,
      to: bank.credential.id,
      answers: null,
    };
    expect(verifyEvidence(evidence, wanted).data).toBe('{}');
    const codes = new Set<string>();
    for (let at = 0; at < evidence.length; at++)
      codes.add(refusal(() => verifyEvidence(flipped(evidence, at), wanted)));
    expect([...codes].sort()).toEqual(['ENVELOPE_GRAMMAR', 'ENVELOPE_SIGNATURE', 'WIRE_TUPLE']);
    for (let length = 0; length < evidence.length; length++)
      expect(refusal(() => verifyEvidence(evidence.subarray(0, length), wanted))).toBe('WIRE_TUPLE');
  });
});

describe('what is signed', () => {
  test('a signature survives another tool’s spelling, since it covers the model', async () => {
    const envelope = await signed('{"a":1}');
    const spelled = fromUtf8(encodeEnvelope(envelope))
      .replaceAll('><', '>\r\n  <')
      .replace('{"a"', '&#123;"a"');
    const verified = verifyEnvelope(decodeEnvelope(normalizeEnvelope(utf8(spelled))), expected);
    expect(verified.data).toBe('{"a":1}');
  });

  test('what verifies is what is returned', async () => {
    const verified = verifyEnvelope(await signed('{"a":1}'), expected);
    expect(verified.digests.data).toEqual(sha256(utf8('{"a":1}')));
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
    const causes = [
      () => verifyEnvelope({ ...envelope, signature: null }, expected),
      () => verifyEnvelope({ ...envelope, data: '{ }' }, expected),
      () => verifyEnvelope(envelope, { ...expected, type: 'reply' }),
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
    const resigned = { ...envelope, header: { ...envelope.header, sender: other.credential.id } };
    expect(refusal(() => verifyEnvelope(resigned, as))).toBe('ENVELOPE_SIGNATURE');
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
  });
});
