/**
 * Project Wycheproof, for the classical primitives that this library has, on every backend. Where a file leaves the
 * verdict to policy, spec/crypto.md declares ours. The lattices are in wycheproof-lattices.test.ts.
 */

import { x25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { expect, it } from 'vitest';
import { decrypt } from '../../src/crypto/aead.ts';
import { primitive } from '../../src/crypto/backend.ts';
import {
  dhKem,
  ED25519,
  equalSecrets,
  ES256,
  hkdfExpand,
  hkdfExtract,
  hmac,
  kem,
  KEM_P256,
  KEM_X25519,
  signatureAlgorithm,
  toLowS,
} from '../../src/crypto/index.ts';
import { concat } from '../../src/wire/index.ts';
import { onEveryBackend } from '../crypto/every-backend.ts';
import { outcome } from '../crypto/outcome.ts';
import { hex } from '../vectors/hex.ts';
import { describeCorpus, fromHex, tally } from './corpora.ts';
import { dhkemSecret } from './dhkem.ts';
import { casesOf } from './wycheproof.ts';

describeCorpus('wycheproof', (corpus) => {
  onEveryBackend(['ed25519', 'es256'], () => {
    it('Ed25519: 88 valid, 63 invalid', async () => {
      type Test = Record<'msg' | 'sig', string> & { readonly publicKey: { readonly pk: string } };
      const verdicts: string[] = [];
      for (const { publicKey, msg, sig, result, tcId } of casesOf<Test>(corpus, 'ed25519_test.json')) {
        const found = await verdict(ED25519, fromHex(publicKey.pk), fromHex(msg), fromHex(sig));
        expect(found, `case ${tcId}`).toBe(result === 'valid' ? 'accepted' : 'KEY_SIGNATURE');
        verdicts.push(found);
      }
      expect(tally(verdicts)).toEqual({ accepted: 88, KEY_SIGNATURE: 63 });
    });

    it('ECDSA on P-256: 103 valid, 70 valid but for their high s, 89 invalid', async () => {
      type Test = Record<'msg' | 'sig', string> & { readonly publicKey: { readonly uncompressed: string } };
      const verdicts: string[] = [];
      const cases = casesOf<Test>(corpus, 'ecdsa_secp256r1_sha256_p1363_test.json');
      for (const { publicKey, msg, sig, result, tcId } of cases) {
        const [key, message, signature] = [publicKey.uncompressed, msg, sig].map(fromHex);
        const found = await verdict(ES256, key!, message!, signature!);
        // The policy: one spelling a signature, the one with the low s. A token's signature is brought to it.
        const lowered =
          signature!.length === 64 ? await verdict(ES256, key!, message!, toLowS(signature!)) : found;
        expect(lowered, `case ${tcId}`).toBe(result === 'valid' ? 'accepted' : 'KEY_SIGNATURE');
        verdicts.push(found === lowered ? found : `${found}, ${lowered} once s is low`);
      }
      expect(tally(verdicts)).toEqual({
        accepted: 103,
        'KEY_SIGNATURE, accepted once s is low': 70,
        KEY_SIGNATURE: 89,
      });
    });
  });

  onEveryBackend(['x25519', 'p256'], () => {
    it('X25519 inside its KEM: 518 shared secrets, 31 of them zero and refused', async () => {
      type Test = Record<'public' | 'private' | 'shared', string>;
      const outcomes: string[] = [];
      for (const one of casesOf<Test>(corpus, 'x25519_test.json')) {
        const [peer, secretKey] = [fromHex(one.public), fromHex(one.private)];
        const key = kem(KEM_X25519).secretKey(secretKey);
        const found = await outcome(() => key.decapsulate(peer));
        if (one.flags?.includes('ZeroSharedSecret')) {
          expect(found, `case ${one.tcId}`).toBe('KEY_OPEN');
          expect(await outcome(() => kem(KEM_X25519).encapsulate(peer).sharedSecret)).toBe('KEY_PUBLIC');
          outcomes.push('refused');
          continue;
        }
        const publicKey = x25519.getPublicKey(secretKey);
        const expected = dhkemSecret(KEM_X25519, fromHex(one.shared), peer, publicKey);
        expect([hex(key.publicKey), found], `case ${one.tcId}`).toEqual([hex(publicKey), expected]);
        outcomes.push(one.result);
      }
      expect(tally(outcomes)).toEqual({ valid: 264, acceptable: 223, refused: 31 });
    });

    it('P-256 inside its KEM: 330 shared secrets; compressed points and points off the curve refused', async () => {
      type Test = Record<'public' | 'private' | 'shared', string>;
      const outcomes: string[] = [];
      for (const one of casesOf<Test>(corpus, 'ecdh_secp256r1_ecpoint_test.json')) {
        // Integers there; a secret key here is 32 bytes.
        const scalar = BigInt(`0x${one.private}`).toString(16).padStart(64, '0');
        const [peer, secretKey] = [fromHex(one.public), fromHex(scalar)];
        const key = kem(KEM_P256).secretKey(secretKey);
        const found = await outcome(() => key.decapsulate(peer));
        outcomes.push(`${one.result}${found === 'KEY_OPEN' ? ', refused' : ''}`);
        if (one.result === 'valid') {
          const publicKey = p256.getPublicKey(secretKey, false);
          const expected = dhkemSecret(KEM_P256, fromHex(one.shared), peer, publicKey);
          expect([hex(key.publicKey), found], `case ${one.tcId}`).toEqual([hex(publicKey), expected]);
          continue;
        }
        expect(found, `case ${one.tcId}`).toBe('KEY_OPEN');
        expect(await outcome(() => kem(KEM_P256).encapsulate(peer).sharedSecret)).toBe('KEY_PUBLIC');
        // A key that lives elsewhere is not even asked about such a point.
        const elsewhere = dhKem(KEM_P256, {
          publicKey: key.publicKey,
          agree: () => expect.unreachable('asked about a point that is none'),
        });
        expect(await outcome(() => elsewhere.decapsulate(peer))).toBe('KEY_OPEN');
      }
      // RFC 9180 knows uncompressed points only: the one `acceptable` case is a compressed point.
      expect(tally(outcomes)).toEqual({
        valid: 330,
        'acceptable, refused': 1,
        'invalid, refused': 24,
      });
    });
  });

  onEveryBackend(['aeadSeal', 'aeadOpen', 'hmacSha256'], () => {
    it('ChaCha20-Poly1305: 256 valid, 60 altered, 9 with a nonce of another length', async () => {
      type Test = Record<'key' | 'iv' | 'aad' | 'msg' | 'ct' | 'tag', string>;
      const outcomes: string[] = [];
      for (const one of casesOf<Test>(corpus, 'chacha20_poly1305_test.json')) {
        // The library's callers never supply a nonce; what its own formats call is judged here.
        const [key, nonce, aad, message] = [one.key, one.iv, one.aad, one.msg].map(fromHex);
        const sealed = concat(fromHex(one.ct), fromHex(one.tag));
        const found = await outcome(() => decrypt(key!, nonce!, aad!, sealed));
        outcomes.push(found === one.msg ? 'opened' : found);
        if (one.result === 'valid') {
          expect(found, `case ${one.tcId}`).toBe(one.msg);
          expect(hex(primitive('aeadSeal')(key!, nonce!, aad!, message!))).toBe(one.ct + one.tag);
          continue;
        }
        expect(found, `case ${one.tcId}`).toBe('KEY_OPEN');
        if (nonce!.length !== 12) expect(() => primitive('aeadSeal')(key!, nonce!, aad!, message!)).toThrow();
      }
      expect(tally(outcomes)).toEqual({ opened: 256, KEY_OPEN: 69 });
    });

    it('HKDF-SHA256: 83 valid, 3 too long', async () => {
      type Test = Record<'ikm' | 'salt' | 'info' | 'okm', string> & { readonly size: number };
      const outcomes: string[] = [];
      for (const one of casesOf<Test>(corpus, 'hkdf_sha256_test.json')) {
        const key = hkdfExtract(fromHex(one.salt), fromHex(one.ikm));
        const found = await outcome(() => hkdfExpand(key, fromHex(one.info), one.size));
        expect(found, `case ${one.tcId}`).toBe(one.result === 'valid' ? one.okm : 'RangeError');
        outcomes.push(one.result);
      }
      expect(tally(outcomes)).toEqual({ valid: 83, invalid: 3 });
    });

    it('HMAC-SHA256: 66 valid, 108 invalid, half of each truncated, which this library never does', () => {
      type Test = Record<'key' | 'msg' | 'tag', string> & { readonly tagSize: number };
      const outcomes: string[] = [];
      for (const { key, msg, tag, tagSize, result } of casesOf<Test>(corpus, 'hmac_sha256_test.json')) {
        const whole = hmac(fromHex(key), fromHex(msg));
        // A truncated tag is compared with the whole one and refused.
        expect(equalSecrets(whole, fromHex(tag))).toBe(result === 'valid' && tagSize === 256);
        if (result === 'valid') expect(hex(whole).startsWith(tag)).toBe(true);
        outcomes.push(`${result} ${tagSize}`);
      }
      expect(tally(outcomes)).toEqual({
        'valid 256': 33,
        'valid 128': 33,
        'invalid 256': 54,
        'invalid 128': 54,
      });
    });
  });
});

/** `accepted`, or the code of the refusal; the same at once and later. */
async function verdict(
  algorithm: string,
  key: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<string> {
  const { verify, verifyAsync } = signatureAlgorithm(algorithm);
  const found = await outcome(() => verify(key, message, signature));
  expect(await outcome(() => verifyAsync(key, message, signature))).toBe(found);
  return found === hex(message) ? 'accepted' : found;
}
