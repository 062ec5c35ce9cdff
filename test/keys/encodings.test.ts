/** test/vectors/encodings.json, read back by the library. */

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  decodeJwkDecapsulator,
  decodeJwkSigner,
  decodePkcs8Decapsulator,
  decodePkcs8Signer,
  decodePrivatePem,
  decodePublicJwkKem,
  decodePublicJwkSigning,
  decodePublicPem,
  decodeSpkiKem,
  decodeSpkiSigning,
  encodeJwk,
  encodePkcs8,
  encodePrivatePem,
  encodePublicJwk,
  encodePublicPem,
  encodeSpki,
  exposeSecret,
  type KemPublicKey,
  type SigningPublicKey,
  type SoftwareDecapsulator,
  type SoftwareSigner,
} from '../../src/keys/index.ts';
import { fromUtf8 } from '../../src/wire/index.ts';
import { refusal } from '../refusal.ts';
import { casesOf, readVectors, type CaseOf } from '../vectors/file.ts';
import { keyOf, type EncodingsCase, type KeyName } from '../vectors/generators/encodings.ts';
import { hex, unhex } from '../vectors/hex.ts';

const file = readVectors<EncodingsCase>('encodings');

it('holds as many cases as it should', () => {
  const counts: Record<string, number> = {};
  for (const one of file.cases) {
    const format = 'format' in one ? ` ${one.format}` : '';
    const outcome = one.error ?? 'ok';
    const kind = `${one.operation}${format}: ${outcome}`;
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  expect(counts).toEqual({
    'encode key: ok': 7,
    'encode key: KEY_ALGORITHM': 1,
    'read private key pkcs8: ok': 13,
    'read private key pkcs8: KEY_FILE': 59,
    'read private key pkcs8: KEY_ALGORITHM': 11,
    'read private key pem: ok': 2,
    'read private key pem: KEY_FILE': 12,
    'read private key jwk: ok': 6,
    'read private key jwk: KEY_FILE': 32,
    'read private key jwk: KEY_ALGORITHM': 19,
    'read public key spki: ok': 2,
    'read public key spki: KEY_FILE': 11,
    'read public key spki: KEY_ALGORITHM': 5,
    'read public key spki: KEY_PUBLIC': 18,
    'read public key pem: ok': 2,
    'read public key pem: KEY_FILE': 3,
    'read public key jwk: ok': 2,
    'read public key jwk: KEY_FILE': 5,
    'read public key jwk: KEY_ALGORITHM': 5,
    'read public key jwk: KEY_PUBLIC': 5,
  });
});

describe('encode key', () => {
  it.each(casesOf(file, 'encode key'))('$name', (one) => {
    const key = keyOf(one.key, one.secretKey);
    expect(hex(key.publicKey)).toBe(one.publicKey);
    if (one.error !== undefined) {
      for (const encode of [encodePkcs8, encodeJwk, encodeSpki, encodePublicJwk])
        expect(refusal(() => encode(key))).toBe(one.error);
      return;
    }
    const purpose = 'kem' in one.key ? 'kem' : 'signing';
    expect(hex(exposeSecret(encodePkcs8(key)))).toBe(one.pkcs8);
    expect(fromUtf8(exposeSecret(encodePrivatePem(encodePkcs8(key))))).toBe(one.privatePem);
    expect(hex(encodeSpki(key))).toBe(one.spki);
    expect(encodePublicPem(encodeSpki(key))).toBe(one.publicPem);
    const privates = { pkcs8: one.pkcs8, pem: one.privatePem, jwk: one.jwk };
    for (const [format, encoded] of Object.entries(privates)) {
      if (encoded === null || encoded === undefined) continue;
      const read = readPrivate(format as keyof typeof privates, purpose, encoded);
      expect(hex(exposeSecret(read.secret))).toBe(one.secretKey);
      expect(nameOf(read)).toEqual(one.key);
    }
    const publics = { spki: one.spki, pem: one.publicPem, jwk: one.publicJwk };
    for (const [format, encoded] of Object.entries(publics)) {
      if (encoded === null || encoded === undefined) continue;
      const read = readPublic(format as keyof typeof publics, purpose, encoded);
      expect(hex(read.publicKey)).toBe(one.publicKey);
      expect(nameOf(read)).toEqual(one.key);
    }
    if (one.jwk === null) {
      for (const encode of [encodeJwk, encodePublicJwk])
        expect(refusal(() => encode(key))).toBe('KEY_ALGORITHM');
      return;
    }
    expect(fromUtf8(exposeSecret(encodeJwk(key)))).toBe(one.jwk);
    expect(encodePublicJwk(key)).toBe(one.publicJwk);
    const digest = createHash('sha256').update(one.publicJwk ?? '');
    expect(digest.digest('base64url')).toBe(one.thumbprint);
  });
});

describe('read private key', () => {
  it.each(casesOf(file, 'read private key'))('$name', (one) => {
    const read = () => readPrivate(one.format, one.purpose, one.encoded);
    if (one.error !== undefined) {
      expect(refusal(read)).toBe(one.error);
      return;
    }
    const key = read();
    expect(nameOf(key)).toEqual(one.key);
    expect(hex(exposeSecret(key.secret))).toBe(one.secretKey);
    expect(hex(exposeSecret(encodePkcs8(key)))).toBe(one.pkcs8);
  });
});

describe('read public key', () => {
  it.each(casesOf(file, 'read public key'))('$name', (one) => {
    const read = () => readPublic(one.format, one.purpose, one.encoded);
    if (one.error !== undefined) {
      expect(refusal(read)).toBe(one.error);
      return;
    }
    expect(nameOf(read())).toEqual(one.key);
    expect(hex(read().publicKey)).toBe(one.publicKey);
  });
});

type Private = CaseOf<EncodingsCase, 'read private key'>;
type Public = CaseOf<EncodingsCase, 'read public key'>;

function readPrivate(
  format: Private['format'],
  purpose: Private['purpose'],
  encoded: string,
): SoftwareSigner | SoftwareDecapsulator {
  if (format === 'jwk') return purpose === 'kem' ? decodeJwkDecapsulator(encoded) : decodeJwkSigner(encoded);
  const pkcs8 = format === 'pem' ? decodePrivatePem(encoded) : unhex(encoded);
  return purpose === 'kem' ? decodePkcs8Decapsulator(pkcs8) : decodePkcs8Signer(pkcs8);
}

function readPublic(
  format: Public['format'],
  purpose: Public['purpose'],
  encoded: string,
): SigningPublicKey | KemPublicKey {
  if (format === 'jwk')
    return purpose === 'kem' ? decodePublicJwkKem(encoded) : decodePublicJwkSigning(encoded);
  const spki = format === 'pem' ? decodePublicPem(encoded) : unhex(encoded);
  return purpose === 'kem' ? decodeSpkiKem(spki) : decodeSpkiSigning(spki);
}

function nameOf(key: SigningPublicKey | KemPublicKey): KeyName {
  return 'kem' in key ? { kem: key.kem } : { algorithm: key.algorithm };
}
