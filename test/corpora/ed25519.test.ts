/**
 * Ed25519 at its edges, judged by our declared policy (spec/crypto.md, "Signatures") on every backend: canonical points
 * and scalars, no small-order key, a small-order R allowed, and the equation without the cofactor.
 */

import { expect, it } from 'vitest';
import { ED25519, signatureAlgorithm } from '../../src/crypto/index.ts';
import { onEveryBackend } from '../crypto/every-backend.ts';
import { outcome } from '../crypto/outcome.ts';
import { flipped } from '../mutation.ts';
import { SLOW } from '../property.ts';
import { hex } from '../vectors/hex.ts';
import { describeCorpus, fromHex, tally } from './corpora.ts';

const ed25519 = signatureAlgorithm(ED25519);

describeCorpus('ed25519-edge', (corpus) => {
  onEveryBackend(['ed25519'], () => {
    it('cctv: the policy, case by case', async () => {
      interface Case {
        readonly number: number;
        readonly key: string;
        readonly sig: string;
        readonly msg: string;
        readonly flags: readonly string[] | null;
      }
      const cases = corpus.json('cctv/ed25519vectors.json') as Case[];
      const verdicts: string[] = [];
      for (const { number, key, sig, msg, flags } of cases) {
        const has = (...wanted: string[]): boolean => wanted.some((flag) => flags?.includes(flag));
        const expected = has('low_order_A', 'non_canonical_A')
          ? 'KEY_PUBLIC'
          : has('non_canonical_R', 'low_order_residue')
            ? 'KEY_SIGNATURE'
            : 'accepted';
        const found = await verdict(fromHex(key), new TextEncoder().encode(msg), fromHex(sig));
        expect(found, `case ${number}`).toBe(expected);
        verdicts.push(found === 'accepted' && has('low_order_R') ? 'accepted with R of small order' : found);
      }
      expect(tally(verdicts)).toEqual({
        KEY_PUBLIC: 526,
        KEY_SIGNATURE: 302,
        accepted: 43,
        'accepted with R of small order': 43, // which Node from 24 on refuses by itself
      });
    });

    it('speccheck: small-order keys refused, small-order R allowed, cofactor not multiplied, nothing non-canonical', async () => {
      interface Case {
        readonly message: string;
        readonly pub_key: string;
        readonly signature: string;
      }
      const verdicts: string[] = [];
      for (const one of corpus.json('speccheck/cases.json') as Case[])
        verdicts.push(await verdict(fromHex(one.pub_key), fromHex(one.message), fromHex(one.signature)));
      expect(verdicts).toEqual([
        'KEY_PUBLIC',
        'KEY_PUBLIC',
        'accepted',
        'accepted',
        ...Array<string>(6).fill('KEY_SIGNATURE'),
        'KEY_PUBLIC',
        'KEY_PUBLIC',
      ]);
    });

    it('djb: 1,024 known answers', async () => {
      const lines = corpus
        .text('djb/sign.input')
        .split('\n')
        .filter((line) => line !== '');
      const verdicts: string[] = [];
      for (const [i, line] of lines.entries()) {
        const [secret = '', publicKey = '', text = '', signed = ''] = line.split(':');
        const key = ed25519.secretKey(fromHex(secret.slice(0, 64)));
        const [message, signature] = [fromHex(text), fromHex(signed.slice(0, 128))];
        expect(hex(key.publicKey)).toBe(publicKey);
        expect(hex(await key.sign(message))).toBe(hex(signature));
        verdicts.push(await verdict(key.publicKey, message, signature));
        if (SLOW || i % 8 === 0)
          expect(await verdict(key.publicKey, message, flipped(signature, i % 64))).toBe('KEY_SIGNATURE');
      }
      expect(tally(verdicts)).toEqual({ accepted: 1024 });
    });
  });
});

/** `accepted`, or the code of the refusal; the same at once and later. */
async function verdict(key: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<string> {
  const found = await outcome(() => ed25519.verify(key, message, signature));
  expect(await outcome(() => ed25519.verifyAsync(key, message, signature))).toBe(found);
  return found === hex(message) ? 'accepted' : found;
}
