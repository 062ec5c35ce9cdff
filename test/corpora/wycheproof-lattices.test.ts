/**
 * Project Wycheproof, for ML-KEM-768 and ML-DSA-65 as this library has them, on every backend: private keys are seeds,
 * ML-KEM stands in a hybrid and ML-DSA in the composite, and platforms sign hedged. spec/crypto.md declares it.
 */

import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { primitive } from '../../src/crypto/backend.ts';
import {
  hybridKem,
  kem,
  KEM_XWING,
  ML_DSA_65_ED25519,
  signatureAlgorithm,
  systemRandom,
  type DhKey,
} from '../../src/crypto/index.ts';
import { portable } from '../../src/crypto/portable.ts';
import { concat } from '../../src/wire/index.ts';
import { onEveryBackend } from '../crypto/every-backend.ts';
import { outcome } from '../crypto/outcome.ts';
import { SLOW } from '../property.ts';
import { hex } from '../vectors/hex.ts';
import { describeCorpus, fromHex, tally } from './corpora.ts';
import { casesOf, type Judged } from './wycheproof.ts';

const composite = signatureAlgorithm(ML_DSA_65_ED25519);

// The classical halves, which are not judged here.
const EPHEMERAL = new Uint8Array(32).fill(3);
const OWN = new Uint8Array(32).fill(5);
const DH: DhKey = {
  publicKey: x25519.getPublicKey(OWN),
  agree: (peer) => x25519.getSharedSecret(OWN, peer),
};
const SHARE = x25519.getPublicKey(EPHEMERAL);
const ED25519_KEY = ed25519.getPublicKey(OWN);

type KemTest = Record<'seed' | 'ek' | 'c' | 'K' | 'm' | 'dk', string>;
type SignTest = Record<'sig' | 'publicKey', string> &
  Partial<Record<'msg' | 'ctx' | 'mu' | 'rnd', string>> &
  Judged;

describeCorpus('wycheproof', (corpus) => {
  onEveryBackend(['mlKem768'], () => {
    it('ML-KEM-768 in split custody: 153 decapsulations, 20 seeds and 20 ciphertexts of other lengths', async () => {
      const outcomes: string[] = [];
      for (const { seed, ek, c, K, result, tcId } of casesOf<KemTest>(corpus, 'mlkem_768_test.json')) {
        const found = await outcome(async () => {
          const key = hybridKem(KEM_XWING, DH, fromHex(seed));
          if (ek !== '') expect(hex(key.publicKey), `case ${tcId}`).toBe(ek + hex(DH.publicKey));
          return key.decapsulate(concat(fromHex(c), SHARE));
        });
        if (result === 'valid') expect(found, `case ${tcId}`).toBe(xwingSecret(K));
        outcomes.push(result === 'valid' ? 'valid' : found);
      }
      expect(tally(outcomes)).toEqual({ valid: 153, RangeError: 20, KEY_OPEN: 20 });
    });

    it('ML-KEM-768 in X-Wing: 133 encapsulations, 132 public keys refused', async () => {
      const outcomes: string[] = [];
      for (const { ek, m, c, K, result, tcId } of casesOf<KemTest>(corpus, 'mlkem_768_encaps_test.json')) {
        const publicKey = concat(fromHex(ek), DH.publicKey);
        const given = () => concat(fromHex(m), EPHEMERAL);
        const found = await outcome(() => {
          const { encapsulation, sharedSecret } = kem(KEM_XWING).encapsulate(publicKey, given);
          return concat(encapsulation, sharedSecret);
        });
        // No platform takes the randomness: what it does by itself is judged by whether it takes the key.
        const fresh = await outcome(() => kem(KEM_XWING).encapsulate(publicKey).sharedSecret);
        outcomes.push(found.length > 64 ? 'encapsulated' : found);
        if (result === 'valid') expect(found, `case ${tcId}`).toBe(c + hex(SHARE) + xwingSecret(K));
        if (result === 'valid') expect(fresh, `case ${tcId}`).toMatch(/^[0-9a-f]{64}$/);
        else expect([found, fresh], `case ${tcId}`).toEqual(['KEY_PUBLIC', 'KEY_PUBLIC']);
      }
      expect(tally(outcomes)).toEqual({ encapsulated: 133, KEY_PUBLIC: 132 });
    });

    it('ML-KEM-768: 100 key pairs from seeds, each of which opens what is encapsulated to it', () => {
      const cases = casesOf<KemTest>(corpus, 'mlkem_768_keygen_seed_test.json');
      for (const { seed, ek, tcId } of cases) {
        const key = primitive('mlKem768').secretKey(fromHex(seed));
        const { ciphertext, sharedSecret } = primitive('mlKem768').encapsulate(key.publicKey);
        expect([hex(key.publicKey), hex(key.decapsulate(ciphertext))], `case ${tcId}`).toEqual([
          ek,
          hex(sharedSecret),
        ]);
      }
      expect(cases.length).toBe(100);
    });

    it('ML-KEM-768: takes no expanded key, in 9 cases', async () => {
      const cases = casesOf<KemTest>(corpus, 'mlkem_768_semi_expanded_decaps_test.json');
      for (const { dk } of cases)
        expect(await outcome(() => hybridKem(KEM_XWING, DH, fromHex(dk)).publicKey)).toBe('RangeError');
      expect(cases.length).toBe(9);
    });
  });

  onEveryBackend(['mlDsa65'], (backend) => {
    it('ML-DSA-65: 79 valid signatures, 131 invalid', async () => {
      const verdicts: string[] = [];
      for (const one of casesOf<SignTest>(corpus, 'mldsa_65_verify_test.json')) {
        const found = await verdict(one);
        if (one.result === 'valid') expect(found, `case ${one.tcId}`).toBe('accepted');
        verdicts.push(found);
      }
      expect(tally(verdicts)).toEqual({
        accepted: 79,
        refused: 119,
        'the context refused': 5,
        'KEY_PUBLIC for the length': 4,
        'KEY_SIGNATURE for the length': 3,
      });
    });

    it('ML-DSA-65: 101 times a seed gives the stated key, and 84 times signatures that it verifies', async () => {
      const outcomes: string[] = [];
      const cases = casesOf<SignTest & { readonly privateSeed: string }>(
        corpus,
        'mldsa_65_sign_seed_test.json',
      );
      for (const one of cases) {
        const seed = fromHex(one.privateSeed);
        if (seed.length !== 32) {
          outcomes.push(await outcome(() => composite.secretKey(concat(seed, OWN)).publicKey));
          continue;
        }
        const key = primitive('mlDsa65').secretKey(seed);
        expect(hex(key.publicKey), `case ${one.tcId}`).toBe(one.publicKey);
        const [message, context] = [fromHex(one.msg ?? ''), fromHex(one.ctx ?? '')];
        if (one.result === 'invalid') {
          expect(() => key.sign(message, context)).toThrow();
          outcomes.push('the context refused');
        } else if (isInternal(one)) {
          outcomes.push('the key alone: mu is not taken from outside');
        } else {
          expect(await verdict(one), `case ${one.tcId}`).toBe('accepted');
          // Our own signature is hedged, and so another each time.
          const signature = key.sign(message, context);
          expect(hex(signature)).not.toBe(one.sig);
          expect(await verdict({ ...one, sig: hex(signature) }), `case ${one.tcId}`).toBe('accepted');
          if (backend !== 'portable')
            expect(portable.mlDsa65.holds(key.publicKey, message, signature, context)).toBe(true);
          outcomes.push('signed');
        }
      }
      expect(tally(outcomes)).toEqual({
        signed: 84,
        'the key alone: mu is not taken from outside': 17,
        'the context refused': 1,
        RangeError: 3,
      });
    });

    it('ML-DSA-65: takes no expanded key, in 78 cases, and verifies 63 of their signatures', async () => {
      const verdicts: string[] = [];
      const cases = casesOf<SignTest & { readonly privateKey: string }>(
        corpus,
        'mldsa_65_sign_noseed_test.json',
      );
      for (const one of cases) {
        expect(await outcome(() => composite.secretKey(fromHex(one.privateKey)).publicKey)).toBe(
          'RangeError',
        );
        if (one.result === 'valid' && !isInternal(one)) verdicts.push(await verdict(one));
      }
      expect(cases.length).toBe(78);
      expect(tally(verdicts)).toEqual({ accepted: 63 });
    });
  });

  // What the portable backend stands on, where the files ask for what the library never does with it.
  describe('under the portable backend', () => {
    it('ML-DSA-65 signs without hedging as stated, by seeds and by expanded keys; 106 times in many steps if time allows', async () => {
      const outcomes: string[] = [];
      const judge = async (one: SignTest, secretKey: () => Uint8Array): Promise<void> => {
        if (!SLOW && one.flags?.includes('ManySteps')) return;
        const found = await outcome(() => signUnhedged(one, secretKey())).catch(() => 'refused');
        if (one.result === 'valid') expect(found, `case ${one.tcId}`).toBe(one.sig);
        outcomes.push(found === one.sig && one.result === 'valid' ? 'signed' : found);
      };
      for (const one of casesOf<SignTest & { readonly privateSeed: string }>(
        corpus,
        'mldsa_65_sign_seed_test.json',
      ))
        await judge(one, () => ml_dsa65.keygen(fromHex(one.privateSeed)).secretKey);
      for (const one of casesOf<SignTest & { readonly privateKey: string }>(
        corpus,
        'mldsa_65_sign_noseed_test.json',
      ))
        await judge(one, () => fromHex(one.privateKey));
      // Five keys of another length, two contexts too long, two keys out of range.
      expect(tally(outcomes)).toEqual({ signed: SLOW ? 174 : 68, RangeError: 7, refused: 2 });
    });

    it('ML-KEM-768 expands 100 seeds as stated, and decapsulates 3 of 9 times by an expanded key', () => {
      for (const { seed, dk } of casesOf<KemTest>(corpus, 'mlkem_768_keygen_seed_test.json'))
        expect(hex(ml_kem768.keygen(fromHex(seed)).secretKey)).toBe(dk);
      const outcomes: string[] = [];
      for (const one of casesOf<KemTest>(corpus, 'mlkem_768_semi_expanded_decaps_test.json')) {
        const open = () => ml_kem768.decapsulate(fromHex(one.c), fromHex(one.dk));
        if (one.result === 'valid') expect(hex(open())).toBe(one.K);
        else expect(open).toThrow();
        outcomes.push(one.result);
      }
      expect(tally(outcomes)).toEqual({ valid: 3, invalid: 6 });
    });
  });
});

/**
 * How a backend judges a signature: by lengths at the library's door, which is the composite's, and by the primitive
 * behind it, which alone takes other contexts than the composite's own.
 */
async function verdict({ publicKey, msg, sig, ctx }: SignTest): Promise<string> {
  const [key, message, signature] = [fromHex(publicKey), fromHex(msg ?? ''), fromHex(sig)];
  if (key.length !== 1952 || signature.length !== 3309) {
    const [both, halves] = [concat(key, ED25519_KEY), concat(signature, systemRandom(64))];
    const code = await outcome(() => composite.verify(both, message, halves));
    expect(await outcome(() => composite.verifyAsync(both, message, halves))).toBe(code);
    return `${code} for the length`;
  }
  const context = fromHex(ctx ?? '');
  const holds = (): boolean => primitive('mlDsa65').holds(key, message, signature, context);
  if (context.length <= 255) return holds() ? 'accepted' : 'refused';
  try {
    return holds() ? 'accepted' : 'the context refused';
  } catch {
    return 'the context refused';
  }
}

function signUnhedged(one: SignTest, secretKey: Uint8Array): Uint8Array {
  const options = { extraEntropy: one.rnd === undefined ? false : fromHex(one.rnd) } as const;
  return isInternal(one)
    ? ml_dsa65.internal.sign(fromHex(one.mu ?? ''), secretKey, { ...options, externalMu: true })
    : ml_dsa65.sign(fromHex(one.msg ?? ''), secretKey, { ...options, context: fromHex(one.ctx ?? '') });
}

/** Whether a case starts from the representative `mu` and states no message. */
function isInternal({ flags }: Judged): boolean {
  return flags?.includes('Internal') ?? false;
}

/** X-Wing's combiner, apart from the library: SHA3-256 over both secrets, the X25519 share and key, and the label. */
function xwingSecret(latticeSecret: string): string {
  const classical = x25519.getSharedSecret(OWN, SHARE);
  return createHash('sha3-256')
    .update(concat(fromHex(latticeSecret), classical, SHARE, DH.publicKey))
    .update('\\.//^\\', 'latin1')
    .digest('hex');
}
