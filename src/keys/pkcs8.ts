/**
 * Private keys as PKCS#8: OneAsymmetricKey of RFC 5958, in DER, unencrypted. What is inside is RFC 8410 section 7 for
 * Ed25519 and X25519, RFC 5915 for P-256, RFC 9881 section 6 for ML-DSA-44, section 4.2 of
 * draft-ietf-lamps-pq-composite-sigs for the composite and section 5.8.2 of draft-connolly-cfrg-xwing-kem for X-Wing.
 * One form is written; the forms that other tools write are read too. Left out: encrypted keys and RSA.
 * spec/keys.md, "Encodings".
 */

import { equalSecrets, kem, mlDsa44ExpandedKey, signatureAlgorithm } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { equalBytes } from '../wire/index.ts';
import { der, derBitString, DerReader, derVersion, TAG } from './der.ts';
import {
  kemKeyEncoding,
  kemKeyNamed,
  KEY_ENCODING_LIMIT,
  P256_CURVE,
  signingKeyEncoding,
  signingKeyNamed,
  type KeyEncoding,
} from './key-encoding.ts';
import { ownedKey } from './key-halves.ts';
import { ENCRYPTED } from './pem.ts';
import { SoftwareDecapsulator, SoftwareSigner } from './ports.ts';
import { exposeSecret, Secret } from './secret.ts';

/**
 * Writes a private key as PKCS#8, unencrypted: for stores that protect it themselves. A file of one's own is better
 * off as a passphrase-sealed key file.
 *
 * @param key - a key in memory; keys in hardware have no encoding
 * @returns the DER of a OneAsymmetricKey of version 0 (v1), to be exposed where it is stored and nowhere else
 * @throws `MunimentError` `KEY_ALGORITHM` for MLKEM768-P256, to which no document gives an identifier
 * @example
 * ```ts
 * import { createKeys, decodePkcs8Decapsulator, encodePkcs8 } from 'muniment/keys';
 * const { sealing } = createKeys();
 * decodePkcs8Decapsulator(encodePkcs8(sealing)).publicKey; // the same key
 * ```
 */
export function encodePkcs8(key: SoftwareSigner | SoftwareDecapsulator): Secret<'pkcs8'> {
  const encoding =
    key instanceof SoftwareSigner ? signingKeyEncoding(key.algorithm) : kemKeyEncoding(key.kem);
  const privateKey = writePrivateKey(encoding, exposeSecret(key.secret), key.publicKey);
  const version = derVersion(VERSION_1);
  return new Secret(
    'pkcs8',
    der(TAG.sequence, version, encoding.identifier, der(TAG.octetString, privateKey)),
  );
}

/**
 * Reads a signing key from PKCS#8.
 *
 * @param pkcs8 - the DER of a OneAsymmetricKey, at most 8,192 bytes
 * @throws `MunimentError` `KEY_ALGORITHM` if the key is of no algorithm that signs here; `KEY_FILE` if it is
 * malformed, encrypted, or states a public key that is not its own
 */
export function decodePkcs8Signer(pkcs8: Uint8Array | Secret<'pkcs8'>): SoftwareSigner {
  const { algorithm, secretKey, stated } = read(pkcs8, signingKeyNamed, (name) => [
    signingKeyEncoding(name),
    signatureAlgorithm(name).secretKeyLength,
  ]);
  return ownedKey(() => new SoftwareSigner(algorithm, new Secret('signing key', secretKey)), stated);
}

/**
 * Reads a KEM key from PKCS#8. An EC key on P-256 may be meant for signing or for a KEM, and its encoding does not
 * tell: the caller says by the function that it calls, and must not use one key for both.
 *
 * @param pkcs8 - the DER of a OneAsymmetricKey, at most 8,192 bytes
 * @throws `MunimentError` `KEY_ALGORITHM` if the key is of no KEM here; `KEY_FILE` if it is malformed, encrypted, or
 * states a public key that is not its own
 */
export function decodePkcs8Decapsulator(pkcs8: Uint8Array | Secret<'pkcs8'>): SoftwareDecapsulator {
  const { algorithm, secretKey, stated } = read(pkcs8, kemKeyNamed, (id) => [
    kemKeyEncoding(id),
    kem(id).secretKeyLength,
  ]);
  return ownedKey(() => new SoftwareDecapsulator(algorithm, new Secret('kem key', secretKey)), stated);
}

const VERSION_1 = 0; // "v1", without a public key beside the private one
const VERSION_2 = 1;
const EC_VERSION = 1;
const SEED_LENGTH = 32;

interface PrivateKey {
  readonly secretKey: Uint8Array;
  /** Every public key that is stated beside it. */
  readonly stated: readonly Uint8Array[];
}

function read<Algorithm>(
  pkcs8: Uint8Array | Secret<'pkcs8'>,
  named: (identifier: Uint8Array) => Algorithm,
  encodingOf: (algorithm: Algorithm) => [KeyEncoding, secretKeyLength: number],
): PrivateKey & { readonly algorithm: Algorithm } {
  const bytes = pkcs8 instanceof Secret ? exposeSecret(pkcs8) : pkcs8;
  if (bytes.length > KEY_ENCODING_LIMIT) refuse();
  return DerReader.whole(bytes, TAG.sequence, (reader) => {
    // EncryptedPrivateKeyInfo of RFC 5958 section 3 begins with its algorithm.
    if (reader.tag === TAG.sequence) throw new MunimentError('KEY_FILE', ENCRYPTED);
    const version = reader.version();
    if (version > VERSION_2) refuse();
    const algorithm = named(reader.element(TAG.sequence));
    const [encoding, length] = encodingOf(algorithm);
    const { secretKey, stated } = readPrivateKey(encoding, reader.content(TAG.octetString));
    if (secretKey.length !== length) refuse();
    if (reader.tag === TAG.tagged0) reader.nested(TAG.tagged0, skipAttributes);
    if (version === VERSION_1) return { algorithm, secretKey, stated };
    if (!encoding.mayStatePublicKey) refuse();
    return { algorithm, secretKey, stated: [...stated, reader.bitString(TAG.implicit1)] };
  });
}

function writePrivateKey(encoding: KeyEncoding, secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  switch (encoding.form) {
    case 'octets':
      return der(TAG.octetString, secretKey);
    case 'ec':
      return der(
        TAG.sequence,
        derVersion(EC_VERSION),
        der(TAG.octetString, secretKey),
        der(TAG.tagged1, derBitString(publicKey)),
      );
    case 'seed':
      return der(TAG.implicit0, secretKey);
    case 'bare':
      return secretKey;
  }
}

function readPrivateKey(encoding: KeyEncoding, bytes: Uint8Array): PrivateKey {
  switch (encoding.form) {
    case 'octets':
      return only(octets(bytes, TAG.octetString));
    case 'ec':
      return DerReader.whole(bytes, TAG.sequence, readEcPrivateKey);
    case 'seed':
      return only(bytes[0] === TAG.sequence ? seedOfBoth(bytes) : octets(bytes, TAG.implicit0));
    case 'bare':
      return only(bytes);
  }
}

// ECPrivateKey, whose parameters and public key are both optional (RFC 5915 section 3).
function readEcPrivateKey(reader: DerReader): PrivateKey {
  if (reader.version() !== EC_VERSION) refuse();
  const { secretKey } = only(reader.content(TAG.octetString));
  if (reader.tag === TAG.tagged0) {
    const parameters = reader.content(TAG.tagged0);
    if (!equalBytes(parameters, P256_CURVE)) refuse();
  }
  if (reader.tag === undefined) return { secretKey, stated: [] };
  return { secretKey, stated: [reader.nested(TAG.tagged1, (inner) => inner.bitString())] };
}

// The form of RFC 9881 that carries the seed and, beside it, the key expanded from it. Both must be one key.
function seedOfBoth(bytes: Uint8Array): Uint8Array {
  const [seed, expanded] = DerReader.whole(
    bytes,
    TAG.sequence,
    (reader) => [reader.content(TAG.octetString), reader.content(TAG.octetString)] as const,
  );
  if (seed.length !== SEED_LENGTH || !equalSecrets(mlDsa44ExpandedKey(seed), expanded)) refuse();
  return seed;
}

// Attributes are read for their form alone: nothing that they say is about which key it is.
function skipAttributes(set: DerReader): void {
  while (set.tag !== undefined) {
    set.nested(TAG.sequence, (attribute) => {
      attribute.content(TAG.objectIdentifier);
      attribute.content(TAG.set);
    });
  }
}

function octets(bytes: Uint8Array, tag: number): Uint8Array {
  const reader = new DerReader(bytes);
  const content = reader.content(tag);
  reader.end();
  return content;
}

function only(secretKey: Uint8Array): PrivateKey {
  return { secretKey: new Uint8Array(secretKey), stated: [] };
}

function refuse(): never {
  throw new MunimentError('KEY_FILE');
}
