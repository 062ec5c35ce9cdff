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
  X25519: unhex('302a300506032b656e032100'),
  Ed25519: unhex('302a300506032b6570032100'),
  mlKem768: unhex('308204b2300b0609608648016503040402038204a100'),
  mlDsa44: unhex('30820532300b06096086480165030403110382052100'),
  mlDsa65: unhex('308207b2300b0609608648016503040312038207a100'),
} as const;

/** Makes a key of its bytes: of a secret key's 32, or a seed's, or of a public key's. */
export type ImportKey = (algorithm: keyof typeof SPKI, bytes: Uint8Array) => KeyObject;

/** How keys are handed to a platform. */
export interface KeyImports {
  readonly secret: ImportKey;
  readonly public: ImportKey;
}

/** The cheapest forms that a platform reads; for secrets, of those that leave no text of them in its memory. */
export function keyImports(crypto: NodeCrypto, isNode24: boolean): KeyImports {
  return {
    secret: secretImport(crypto),
    public: isNode24 ? pemImport(crypto) : publicImport(crypto),
  };
}

/**
 * Up to Node 25 the public half of a JWK may be anything, since the platform computes it anyway; from 26 on it is checked,
 * and DER has become cheap.
 */
function secretImport(crypto: NodeCrypto): ImportKey {
  const asJwk: ImportKey = (crv, secretKey) => {
    const key = { kty: 'OKP', crv, d: toBase64url(secretKey), x: '' };
    return crypto.createPrivateKey({ key, format: 'jwk' });
  };
  const asDer: ImportKey = (algorithm, secretKey) => {
    const der = concat(PKCS8[algorithm], secretKey);
    try {
      return crypto.createPrivateKey({ key: der as Buffer, format: 'der', type: 'pkcs8' });
    } finally {
      der.fill(0);
    }
  };
  try {
    asJwk('X25519', new Uint8Array(32).fill(1));
    return (algorithm, secretKey) => (isOkp(algorithm) ? asJwk : asDer)(algorithm, secretKey);
  } catch {
    return asDer;
  }
}

function publicImport(crypto: NodeCrypto): ImportKey {
  return (algorithm, bytes) =>
    isOkp(algorithm)
      ? crypto.createPublicKey({
          key: { kty: 'OKP', crv: algorithm, x: toBase64url(bytes) },
          format: 'jwk',
        })
      : crypto.createPublicKey({
          key: concat(SPKI[algorithm], bytes) as Buffer,
          format: 'der',
          type: 'spki',
        });
}

/**
 * Node 24 takes any object for a KeyObject first, and throws and catches four errors until it knows better, which costs
 * more than all the rest of PEM, a string. The text of a secret, OpenSSL would leave lying in its memory.
 */
function pemImport(crypto: NodeCrypto): ImportKey {
  return (algorithm, bytes) => {
    const spki = toBase64(concat(SPKI[algorithm], bytes));
    return crypto.createPublicKey(`-----BEGIN PUBLIC KEY-----\n${spki}\n-----END PUBLIC KEY-----\n`);
  };
}

// Of RFC 8037: as a JWK such a key costs a tenth of what it costs as DER (Node 20).
function isOkp(algorithm: keyof typeof SPKI): boolean {
  return algorithm === 'X25519' || algorithm === 'Ed25519';
}

/** The 32 bytes of its public half. */
export function okpPublicBytes(key: KeyObject): Uint8Array {
  return fromBase64url(key.export({ format: 'jwk' }).x ?? '');
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
