/** Project Wycheproof, for the primitives that this library has. */

import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { createHash } from 'node:crypto';
import { x25519 } from '@noble/curves/ed25519.js';
import { expect, it } from 'vitest';
import {
  ed25519Verify,
  equalSecrets,
  hkdfExpand,
  hkdfExtract,
  hmac,
  kem,
  KEM_X25519,
  KEM_XWING,
} from '../../src/crypto/index.ts';
import { kemSuite, labeledExpand, labeledExtract } from '../../src/crypto/labeled.ts';
import { concat } from '../../src/wire/index.ts';
import { refusal } from '../refusal.ts';
import { hex } from '../vectors/hex.ts';
import { describeCorpus, fromHex, tally } from './corpora.ts';

interface File<Test, Group = object> {
  readonly numberOfTests: number;
  readonly testGroups: readonly (Group & { readonly tests: readonly (Test & Common)[] })[];
}

interface Common {
  readonly tcId: number;
  readonly flags: readonly string[];
  readonly result: 'valid' | 'invalid' | 'acceptable';
}

describeCorpus('wycheproof', (corpus) => {
  it('Ed25519: 88 valid, 63 invalid', () => {
    interface Test {
      readonly msg: string;
      readonly sig: string;
    }
    interface Group {
      readonly publicKey: { readonly pk: string };
    }
    const file = corpus.json('ed25519_test.json') as File<Test, Group>;
    const results: string[] = [];
    for (const { publicKey, tests } of file.testGroups)
      for (const { msg, sig, result } of tests) {
        const verify = () => ed25519Verify(fromHex(publicKey.pk), fromHex(msg), fromHex(sig));
        if (result === 'valid') expect(hex(verify())).toBe(msg);
        else expect(refusal(verify)).toBe('KEY_SIGNATURE');
        results.push(result);
      }
    expect(tally(results)).toEqual({ valid: 88, invalid: 63 });
  });

  it('X25519 inside its KEM: 518 shared secrets, 31 of them zero and refused', () => {
    interface Test {
      readonly public: string;
      readonly private: string;
      readonly shared: string;
    }
    const file = corpus.json('x25519_test.json') as File<Test>;
    const results: string[] = [];
    for (const { tests } of file.testGroups)
      for (const one of tests) {
        const [encapsulation, secretKey] = [fromHex(one.public), fromHex(one.private)];
        const open = () => kem(KEM_X25519).decapsulate(encapsulation, secretKey);
        if (one.flags.includes('ZeroSharedSecret')) {
          expect(refusal(open)).toBe('KEY_OPEN');
          results.push('refused');
          continue;
        }
        // ExtractAndExpand of RFC 9180 section 4.1, from the stated Diffie-Hellman result.
        const suite = kemSuite(KEM_X25519);
        const prk = labeledExtract(suite, new Uint8Array(0), 'eae_prk', fromHex(one.shared));
        const context = concat(encapsulation, x25519.getPublicKey(secretKey));
        expect(hex(open())).toBe(hex(labeledExpand(suite, prk, 'shared_secret', context, 32)));
        results.push(one.result);
      }
    expect(tally(results)).toEqual({ valid: 264, acceptable: 223, refused: 31 });
  });

  it('ChaCha20-Poly1305: 256 valid, 69 invalid', () => {
    type Test = Record<'key' | 'iv' | 'aad' | 'msg' | 'ct' | 'tag', string>;
    const file = corpus.json('chacha20_poly1305_test.json') as File<Test>;
    const results: string[] = [];
    for (const { tests } of file.testGroups)
      for (const { key, iv, aad, msg, ct, tag, result } of tests) {
        // The library never takes a nonce; the cipher beneath it does, and is judged here as it is used there.
        const cipher = () => chacha20poly1305(fromHex(key), fromHex(iv), fromHex(aad));
        const sealed = concat(fromHex(ct), fromHex(tag));
        results.push(result);
        if (result === 'valid') {
          expect(hex(cipher().encrypt(fromHex(msg)))).toBe(ct + tag);
          expect(hex(cipher().decrypt(sealed))).toBe(msg);
        } else expect(() => cipher().decrypt(sealed)).toThrow();
      }
    expect(tally(results)).toEqual({ valid: 256, invalid: 69 });
  });

  it('HKDF-SHA256: 83 valid, 3 too long', () => {
    type Test = Record<'ikm' | 'salt' | 'info' | 'okm', string> & { readonly size: number };
    const file = corpus.json('hkdf_sha256_test.json') as File<Test>;
    const results: string[] = [];
    for (const { tests } of file.testGroups)
      for (const { ikm, salt, info, okm, size, result } of tests) {
        const derive = () => hkdfExpand(hkdfExtract(fromHex(salt), fromHex(ikm)), fromHex(info), size);
        results.push(result);
        if (result === 'valid') expect(hex(derive())).toBe(okm);
        else expect(derive).toThrow();
      }
    expect(tally(results)).toEqual({ valid: 83, invalid: 3 });
  });

  it('HMAC-SHA256: 66 valid, 108 invalid, half of each truncated, which this library never does', () => {
    type Test = Record<'key' | 'msg' | 'tag', string>;
    const file = corpus.json('hmac_sha256_test.json') as File<Test, { readonly tagSize: number }>;
    const results: string[] = [];
    for (const { tagSize, tests } of file.testGroups)
      for (const { key, msg, tag, result } of tests) {
        const whole = hmac(fromHex(key), fromHex(msg));
        // A truncated tag is compared with the whole one and refused.
        expect(equalSecrets(whole, fromHex(tag))).toBe(result === 'valid' && tagSize === 256);
        if (result === 'valid') expect(hex(whole).startsWith(tag)).toBe(true);
        results.push(`${result} ${String(tagSize)}`);
      }
    expect(tally(results)).toEqual({
      'valid 256': 33,
      'valid 128': 33,
      'invalid 256': 54,
      'invalid 128': 54,
    });
  });

  it('ML-KEM-768 inside X-Wing: 133 encapsulations, 132 public keys refused', () => {
    type Test = Record<'ek' | 'm' | 'c' | 'K', string>;
    const file = corpus.json('mlkem_768_encaps_test.json') as File<Test>;
    const ephemeral = new Uint8Array(32).fill(3);
    const peer = x25519.getPublicKey(new Uint8Array(32).fill(5));
    const share = x25519.getPublicKey(ephemeral);
    const classical = x25519.getSharedSecret(ephemeral, peer);
    const results: string[] = [];
    for (const { tests } of file.testGroups)
      for (const { ek, m, c, K, result } of tests) {
        const publicKey = concat(fromHex(ek), peer);
        const run = () => kem(KEM_XWING).encapsulate(publicKey, () => concat(fromHex(m), ephemeral));
        results.push(result);
        if (result !== 'valid') {
          expect(refusal(run)).toBe('KEY_PUBLIC');
          continue;
        }
        // The combiner: SHA3-256 over both secrets, the X25519 share and key, and the label.
        const secret = createHash('sha3-256')
          .update(concat(fromHex(K), classical, share, peer))
          .update('\\.//^\\', 'latin1')
          .digest('hex');
        expect(hex(run().encapsulation)).toBe(c + hex(share));
        expect(hex(run().sharedSecret)).toBe(secret);
      }
    expect(tally(results)).toEqual({ valid: 133, invalid: 132 });
  });
});
