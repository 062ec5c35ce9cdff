/** How `node:crypto` is given keys and tells them: forms that every version reads, and of those the cheapest. spec/crypto.md, "Backends". */

import { concat, fromBase64url, toBase64, toBase64url } from '../wire/index.ts';
import { unhex } from './unhex.ts';

export type NodeCrypto = NonNullable<ReturnType<typeof process.getBuiltinModule<'node:crypto'>>>;
export type KeyObject = ReturnType<NodeCrypto['createPublicKey']>;
type Jwk = Record<string, string>;

// RFC 8410 section 7, and the seed form of RFC 9935 and RFC 9881: a fixed prefix, then the secret bytes.
const PKCS8 = {
  X25519: unhex('302e020100300506032b656e04220420'),
  Ed25519: unhex('302e020100300506032b657004220420'),
  mlKem768: unhex('3054020100300b060960864801650304040204428040'),
  mlDsa44: unhex('3034020100300b060960864801650304031104228020'),
  mlDsa65: unhex('3034020100300b060960864801650304031204228020'),
} as const;
const SPKI = {
  mlKem768: unhex('308204b2300b0609608648016503040402038204a100'),
  mlDsa44: unhex('30820532300b06096086480165030403110382052100'),
  mlDsa65: unhex('308207b2300b0609608648016503040312038207a100'),
} as const;

// RFC 8410 section 4: a prefix of 12 bytes, so of 16 characters to which the key's own can be put.
const SPKI_BASE64 = { X25519: 'MCowBQYDK2VuAyEA', Ed25519: 'MCowBQYDK2VwAyEA' } as const;

/** Makes a key of RFC 8037 of its 32 bytes. */
export type ImportOkp = (crv: 'X25519' | 'Ed25519', bytes: Uint8Array) => KeyObject;

/**
 * Takes secret keys of RFC 8037. As a JWK one costs a tenth of what it costs as DER (Node 20). Up to Node 25 the public
 * half may be anything, since the platform computes it anyway; from 26 on it is checked, and DER has become cheap.
 */
export function okpImporter(crypto: NodeCrypto): ImportOkp {
  const asJwk: ImportOkp = (crv, secretKey) => {
    const key = { kty: 'OKP', crv, d: toBase64url(secretKey), x: '' };
    return crypto.createPrivateKey({ key, format: 'jwk' });
  };
  try {
    asJwk('X25519', new Uint8Array(32).fill(1));
    return asJwk;
  } catch {
    return (crv, secretKey) => pkcs8Key(crypto, crv, secretKey);
  }
}

/**
 * Takes public keys of RFC 8037. Node 24 takes any object for a KeyObject first, and throws and catches four errors until
 * it knows better: three times what it takes to read PEM, which is a string. Others have no such trouble, and Node 20 is
 * slow to read PEM.
 */
export function okpPublicImporter(crypto: NodeCrypto, isNode24: boolean): ImportOkp {
  return isNode24
    ? (crv, bytes) => {
        const spki = SPKI_BASE64[crv] + toBase64(bytes);
        return crypto.createPublicKey(`-----BEGIN PUBLIC KEY-----\n${spki}\n-----END PUBLIC KEY-----\n`);
      }
    : (crv, bytes) =>
        crypto.createPublicKey({ key: { kty: 'OKP', crv, x: toBase64url(bytes) }, format: 'jwk' });
}

/** The 32 bytes of its public half. */
export function okpPublicBytes(key: KeyObject): Uint8Array {
  return fromBase64url(key.export({ format: 'jwk' }).x ?? '');
}

/** Makes a key of its secret bytes, or of its seed. */
export function pkcs8Key(
  crypto: NodeCrypto,
  algorithm: keyof typeof PKCS8,
  secretKey: Uint8Array,
): KeyObject {
  const der = concat(PKCS8[algorithm], secretKey);
  try {
    return crypto.createPrivateKey({ key: der as Buffer, format: 'der', type: 'pkcs8' });
  } finally {
    der.fill(0);
  }
}

/** Makes a key of its public bytes. */
export function spkiKey(crypto: NodeCrypto, algorithm: keyof typeof SPKI, publicKey: Uint8Array): KeyObject {
  const der = concat(SPKI[algorithm], publicKey);
  return crypto.createPublicKey({ key: der as Buffer, format: 'der', type: 'spki' });
}

/** The public bytes of a secret key. */
export function spkiBytes(
  crypto: NodeCrypto,
  algorithm: keyof typeof SPKI,
  privateKey: KeyObject,
): Uint8Array {
  const der = crypto.createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return new Uint8Array(der.subarray(SPKI[algorithm].length));
}

/** An uncompressed point of P-256 as a JWK. */
export function ecJwk(point: Uint8Array): Jwk {
  const [x, y] = [toBase64url(point.subarray(1, 33)), toBase64url(point.subarray(33))];
  return { kty: 'EC', crv: 'P-256', x, y };
}
