/**
 * Ed25519 at its edges, judged by our declared policy: canonical points and scalars, no small-order key, a
 * small-order R allowed, and the equation without the cofactor.
 */

import { expect, it } from 'vitest';
import { ed25519PublicKey, ed25519Sign, ed25519Verify } from '../../src/crypto/index.ts';
import { flipped } from '../mutation.ts';
import { SLOW } from '../property.ts';
import { refusal } from '../refusal.ts';
import { hex } from '../vectors/hex.ts';
import { describeCorpus, fromHex, tally } from './corpora.ts';

function verdict(key: Uint8Array, message: Uint8Array, signature: Uint8Array): string {
  try {
    ed25519Verify(key, message, signature);
    return 'accepted';
  } catch {
    return refusal(() => ed25519Verify(key, message, signature));
  }
}

describeCorpus('ed25519-edge', (corpus) => {
  it('cctv: the policy, case by case', () => {
    interface Case {
      readonly number: number;
      readonly key: string;
      readonly sig: string;
      readonly msg: string;
      readonly flags: readonly string[] | null;
    }
    const cases = corpus.json('cctv/ed25519vectors.json') as Case[];
    const verdicts = cases.map(({ key, sig, msg, flags }) => {
      const has = (...wanted: string[]): boolean => wanted.some((flag) => flags?.includes(flag));
      const expected = has('low_order_A', 'non_canonical_A')
        ? 'KEY_PUBLIC'
        : has('non_canonical_R', 'low_order_residue')
          ? 'KEY_SIGNATURE'
          : 'accepted';
      const found = verdict(fromHex(key), new TextEncoder().encode(msg), fromHex(sig));
      expect(found).toBe(expected);
      return found;
    });
    expect(tally(verdicts)).toEqual({ KEY_PUBLIC: 526, KEY_SIGNATURE: 302, accepted: 86 });
  });

  it('speccheck: small-order keys refused, small-order R allowed, cofactor not multiplied, nothing non-canonical', () => {
    interface Case {
      readonly message: string;
      readonly pub_key: string;
      readonly signature: string;
    }
    const cases = corpus.json('speccheck/cases.json') as Case[];
    expect(
      cases.map((one) => verdict(fromHex(one.pub_key), fromHex(one.message), fromHex(one.signature))),
    ).toEqual([
      'KEY_PUBLIC',
      'KEY_PUBLIC',
      'accepted',
      'accepted',
      ...Array<string>(6).fill('KEY_SIGNATURE'),
      'KEY_PUBLIC',
      'KEY_PUBLIC',
    ]);
  });

  it('djb: 1,024 known answers', () => {
    const lines = corpus
      .text('djb/sign.input')
      .split('\n')
      .filter((line) => line !== '');
    expect(lines.length).toBe(1024);
    for (const [i, line] of lines.entries()) {
      const [secret = '', key = '', text = '', signed = ''] = line.split(':');
      const [seed, publicKey, message] = [fromHex(secret.slice(0, 64)), fromHex(key), fromHex(text)];
      const signature = signed.slice(0, 128);
      expect(hex(ed25519PublicKey(seed))).toBe(key);
      expect(hex(ed25519Sign(seed, message))).toBe(signature);
      expect(verdict(publicKey, message, fromHex(signature))).toBe('accepted');
      if (SLOW || i % 8 === 0)
        expect(verdict(publicKey, message, flipped(fromHex(signature), i % 64))).toBe('KEY_SIGNATURE');
    }
  });
});
