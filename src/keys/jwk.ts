/**
 * Keys as JSON Web Keys (RFC 7517), read and written as JSON text. The one form written has its members in the order of
 * RFC 7638 section 3, so that the SHA-256 of a public one is its thumbprint. `jwk-family.ts` says how each algorithm's
 * keys look. Left out: sets of keys, and encrypted ones. spec/keys.md, "Encodings".
 */

import { MunimentError } from '../errors.ts';
import {
  concat,
  fromBase64url,
  jsonValue,
  readJson,
  toBase64url,
  utf8,
  type JsonValue,
} from '../wire/index.ts';
import {
  JWK_KEM,
  JWK_SIGNING,
  jwkShape,
  recogniseJwk,
  type JwkFamily,
  type JwkMembers,
  type JwkShape,
} from './jwk-family.ts';
import { KEY_ENCODING_LIMIT } from './key-encoding.ts';
import { checkedKemKey, checkedSigningKey, ownedKey } from './key-halves.ts';
import { SoftwareDecapsulator, SoftwareSigner, type KemPublicKey, type SigningPublicKey } from './ports.ts';
import { exposeSecret, Secret } from './secret.ts';

/**
 * Writes a private key as a JWK.
 *
 * @param key - a key in memory
 * @returns JSON text, to be exposed where it is stored and nowhere else
 * @throws `MunimentError` `KEY_ALGORITHM` for a hybrid KEM, which has no JWK
 * @example
 * ```ts
 * import { createKeys, decodeJwkSigner, encodeJwk, exposeSecret } from 'muniment/keys';
 * const jwk = encodeJwk(createKeys().signer);
 * JSON.parse(new TextDecoder().decode(exposeSecret(jwk))).kty; // 'OKP'
 * decodeJwkSigner(jwk).algorithm; // 'Ed25519'
 * ```
 */
export function encodeJwk(key: SoftwareSigner | SoftwareDecapsulator): Secret<'jwk'> {
  const shape =
    key instanceof SoftwareSigner ? jwkShape(JWK_SIGNING, key.algorithm) : jwkShape(JWK_KEM, key.kem);
  const own = { [shape.privateMember]: toBase64url(exposeSecret(key.secret)) };
  return new Secret('jwk', utf8(write({ ...publicMembers(shape, key.publicKey), ...own })));
}

/**
 * Reads a signing key from a private JWK.
 *
 * @param jwk - JSON text of at most 8,192 characters
 * @throws `MunimentError` `KEY_ALGORITHM` if it names no algorithm that signs here, or another use; `KEY_FILE` if it is
 * malformed, has a member that this library does not know, or states a public key that is not its own
 */
export function decodeJwkSigner(jwk: string | Uint8Array | Secret<'jwk'>): SoftwareSigner {
  const { algorithm, secretKey, publicKey } = readPrivate(jwk, JWK_SIGNING);
  return ownedKey(() => new SoftwareSigner(algorithm, new Secret('signing key', secretKey)), [publicKey]);
}

/**
 * Reads a KEM key from a private JWK. An EC key may be meant for signing or for a KEM: the caller says by the function
 * that it calls, and a `use`, `alg` or `key_ops` that says otherwise is refused.
 *
 * @param jwk - JSON text of at most 8,192 characters
 * @throws `MunimentError` `KEY_ALGORITHM` if it names no KEM here, or another use; `KEY_FILE` if it is malformed, has a
 * member that this library does not know, or states a public key that is not its own
 */
export function decodeJwkDecapsulator(jwk: string | Uint8Array | Secret<'jwk'>): SoftwareDecapsulator {
  const { algorithm, secretKey, publicKey } = readPrivate(jwk, JWK_KEM);
  return ownedKey(() => new SoftwareDecapsulator(algorithm, new Secret('kem key', secretKey)), [publicKey]);
}

/**
 * Writes a public key as a JWK. The SHA-256 of the text is the key's thumbprint (RFC 7638).
 *
 * @throws `MunimentError` `KEY_ALGORITHM` for a hybrid KEM, which has no JWK; `KEY_PUBLIC` for a key of another length
 * @example
 * ```ts
 * import { createKeys, decodePublicJwkSigning, encodePublicJwk } from 'muniment/keys';
 * const { signer } = createKeys();
 * decodePublicJwkSigning(encodePublicJwk(signer)).publicKey; // the same key
 * ```
 */
export function encodePublicJwk(key: SigningPublicKey | KemPublicKey): string {
  if ('kem' in key) return write(publicMembers(jwkShape(JWK_KEM, key.kem), checkedKemKey(key).publicKey));
  return write(publicMembers(jwkShape(JWK_SIGNING, key.algorithm), checkedSigningKey(key).publicKey));
}

/**
 * Reads a public key that verifies signatures from a JWK.
 *
 * @param jwk - JSON text of at most 8,192 characters
 * @throws `MunimentError` `KEY_ALGORITHM` if it names no algorithm that signs here, or another use; `KEY_FILE` if it is
 * malformed, has a member that this library does not know or a private one; `KEY_PUBLIC` if the key is none
 */
export function decodePublicJwkSigning(jwk: string | Uint8Array): SigningPublicKey {
  return checkedSigningKey(readPublic(jwk, JWK_SIGNING));
}

/**
 * Reads a KEM's public key from a JWK.
 *
 * @param jwk - JSON text of at most 8,192 characters
 * @throws `MunimentError` `KEY_ALGORITHM` if it names no KEM here, or another use; `KEY_FILE` if it is malformed, has a
 * member that this library does not know or a private one; `KEY_PUBLIC` if the key is none
 */
export function decodePublicJwkKem(jwk: string | Uint8Array): KemPublicKey {
  const { algorithm, publicKey } = readPublic(jwk, JWK_KEM);
  return checkedKemKey({ kem: algorithm, publicKey });
}

function write(members: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1))));
}

function publicMembers(shape: JwkShape, publicKey: Uint8Array): Record<string, string> {
  const rest = publicKey.subarray(shape.prefix.length);
  const share = rest.length / shape.publicMembers.length;
  const shares: Record<string, string> = {};
  shape.publicMembers.forEach((name, i) => {
    shares[name] = toBase64url(rest.subarray(i * share, (i + 1) * share));
  });
  return { ...shape.fixed, ...shares };
}

function readPrivate<Algorithm>(
  jwk: string | Uint8Array | Secret<'jwk'>,
  family: JwkFamily<Algorithm>,
): { readonly algorithm: Algorithm; readonly publicKey: Uint8Array; readonly secretKey: Uint8Array } {
  const members = parse(jwk);
  const { algorithm, shape } = recogniseJwk(family, members, 'private');
  const { secretKeyLength, publicKeyLength } = family.lengths(algorithm);
  const secretKey = bytesOf(members, shape.privateMember);
  const publicKey = publicKeyOf(members, shape, publicKeyLength);
  if (publicKey === null || secretKey.length !== secretKeyLength) refuse();
  return { algorithm, publicKey, secretKey };
}

function readPublic<Algorithm>(
  jwk: string | Uint8Array,
  family: JwkFamily<Algorithm>,
): { readonly algorithm: Algorithm; readonly publicKey: Uint8Array } {
  const members = parse(jwk);
  const { algorithm, shape } = recogniseJwk(family, members, 'public');
  const publicKey = publicKeyOf(members, shape, family.lengths(algorithm).publicKeyLength);
  if (publicKey === null) throw new MunimentError('KEY_PUBLIC');
  return { algorithm, publicKey };
}

function parse(jwk: string | Uint8Array | Secret<'jwk'>): JwkMembers {
  let value;
  try {
    const text = jwk instanceof Secret ? exposeSecret(jwk) : jwk;
    value = jsonValue(readJson(text, { length: KEY_ENCODING_LIMIT, depth: 2 }));
  } catch (cause) {
    throw new MunimentError('KEY_FILE', undefined, { cause });
  }
  return isObject(value) ? value : refuse();
}

function isObject(value: JsonValue): value is JwkMembers {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// Null where a member is not as long as its share: 31 bytes of x and 33 of y would join to as many as a point has.
function publicKeyOf(members: JwkMembers, shape: JwkShape, length: number): Uint8Array | null {
  const shares = shape.publicMembers.map((name) => bytesOf(members, name));
  const share = (length - shape.prefix.length) / shares.length;
  return shares.every((part) => part.length === share) ? concat(shape.prefix, ...shares) : null;
}

function bytesOf(members: JwkMembers, name: string): Uint8Array {
  const text = members[name];
  if (typeof text !== 'string') return refuse();
  try {
    return fromBase64url(text);
  } catch (cause) {
    throw new MunimentError('KEY_FILE', undefined, { cause });
  }
}

function refuse(): never {
  throw new MunimentError('KEY_FILE');
}
