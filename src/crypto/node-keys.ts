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

/**
 * The cheapest form that a platform reads. Node 24 takes any object for a KeyObject first, and throws and catches four
 * errors until it knows better, which costs more than all the rest of PEM, a string. Others have no such trouble, and
 * Node 20 is slow over PEM and DER: there a key of RFC 8037 costs a tenth as a JWK.
 */
export function keyImports(crypto: NodeCrypto, isNode24: boolean): KeyImports {
  if (isNode24) return pemImports(crypto);
  const [der, jwk] = [derImports(crypto), jwkImports(crypto)];
  return {
    secret: takesJwk(jwk) ? either(jwk.secret, der.secret) : der.secret,
    public: either(jwk.public, der.public),
  };
}

function either(okp: ImportOkp, other: ImportKey): ImportKey {
  return (algorithm, bytes) =>
    algorithm === 'X25519' || algorithm === 'Ed25519' ? okp(algorithm, bytes) : other(algorithm, bytes);
}

type ImportOkp = (crv: 'X25519' | 'Ed25519', bytes: Uint8Array) => KeyObject;

function jwkImports(crypto: NodeCrypto): { readonly secret: ImportOkp; readonly public: ImportOkp } {
  return {
    secret: (crv, bytes) =>
      crypto.createPrivateKey({ key: { kty: 'OKP', crv, d: toBase64url(bytes), x: '' }, format: 'jwk' }),
    public: (crv, bytes) =>
      crypto.createPublicKey({ key: { kty: 'OKP', crv, x: toBase64url(bytes) }, format: 'jwk' }),
  };
}

// Up to Node 25 the public half may be anything, since the platform computes it anyway; from 26 on it is checked, and DER
// has become cheap.
function takesJwk({ secret }: { readonly secret: ImportOkp }): boolean {
  try {
    secret('X25519', new Uint8Array(32).fill(1));
    return true;
  } catch {
    return false;
  }
}

function pemImports(crypto: NodeCrypto): KeyImports {
  const pem = (label: string, der: Uint8Array) =>
    `-----BEGIN ${label}-----\n${toBase64(der)}\n-----END ${label}-----\n`;
  return {
    secret: (algorithm, bytes) =>
      erasing(concat(PKCS8[algorithm], bytes), (der) => crypto.createPrivateKey(pem('PRIVATE KEY', der))),
    public: (algorithm, bytes) => crypto.createPublicKey(pem('PUBLIC KEY', concat(SPKI[algorithm], bytes))),
  };
}

function derImports(crypto: NodeCrypto): KeyImports {
  return {
    secret: (algorithm, bytes) =>
      erasing(concat(PKCS8[algorithm], bytes), (der) =>
        crypto.createPrivateKey({ key: der as Buffer, format: 'der', type: 'pkcs8' }),
      ),
    public(algorithm, bytes) {
      const der = concat(SPKI[algorithm], bytes);
      return crypto.createPublicKey({ key: der as Buffer, format: 'der', type: 'spki' });
    },
  };
}

function erasing<Result>(secret: Uint8Array, use: (secret: Uint8Array) => Result): Result {
  try {
    return use(secret);
  } finally {
    secret.fill(0);
  }
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
