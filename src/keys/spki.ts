/**
 * Public keys as SubjectPublicKeyInfo of RFC 5280 section 4.1, in DER: RFC 8410 section 4 for Ed25519 and X25519, RFC
 * 5480 section 2 for P-256, always uncompressed, RFC 9881 section 4 for ML-DSA-44, section 4.1 of
 * draft-ietf-lamps-pq-composite-sigs for the composite, section 5.8.1 of draft-connolly-cfrg-xwing-kem for X-Wing.
 * Reading takes what is written and nothing else. spec/keys.md, "Encodings".
 */

import { MunimentError } from '../errors.ts';
import { der, derBitString, DerReader, TAG } from './der.ts';
import {
  kemKeyEncoding,
  kemKeyNamed,
  KEY_ENCODING_LIMIT,
  signingKeyEncoding,
  signingKeyNamed,
} from './key-encoding.ts';
import { checkedKemKey, checkedSigningKey } from './key-halves.ts';
import type { KemPublicKey, SigningPublicKey } from './ports.ts';

/**
 * Writes a public key as SubjectPublicKeyInfo.
 *
 * @param key - any public key, or a signer or decapsulator for its own
 * @returns DER
 * @throws `MunimentError` `KEY_ALGORITHM` for MLKEM768-P256, to which no document gives an identifier; `KEY_PUBLIC` if it is no key
 * @example
 * ```ts
 * import { createKeys, decodeSpkiSigning, encodeSpki } from 'muniment/keys';
 * const { signer } = createKeys();
 * decodeSpkiSigning(encodeSpki(signer)).publicKey; // the same key
 * ```
 */
export function encodeSpki(key: SigningPublicKey | KemPublicKey): Uint8Array {
  const [{ identifier }, { publicKey }] =
    'kem' in key
      ? [kemKeyEncoding(key.kem), checkedKemKey(key)]
      : [signingKeyEncoding(key.algorithm), checkedSigningKey(key)];
  return der(TAG.sequence, identifier, derBitString(publicKey));
}

/**
 * Reads a public key that verifies signatures.
 *
 * @param spki - the DER of a SubjectPublicKeyInfo, at most 8,192 bytes
 * @throws `MunimentError` `KEY_FILE` if it is malformed; `KEY_ALGORITHM` if the key is of no algorithm that signs here;
 * `KEY_PUBLIC` if it is none of its algorithm
 */
export function decodeSpkiSigning(spki: Uint8Array): SigningPublicKey {
  const [algorithm, publicKey] = read(spki, signingKeyNamed);
  return checkedSigningKey({ algorithm, publicKey });
}

/**
 * Reads a public key to which secrets are sealed. An EC key on P-256 may be meant for signatures instead, and its
 * encoding does not tell: the caller says by the function that it calls.
 *
 * @param spki - the DER of a SubjectPublicKeyInfo, at most 8,192 bytes
 * @throws `MunimentError` `KEY_FILE` if it is malformed; `KEY_ALGORITHM` if the key is of no KEM here; `KEY_PUBLIC` if
 * it is none of its KEM
 */
export function decodeSpkiKem(spki: Uint8Array): KemPublicKey {
  const [kem, publicKey] = read(spki, kemKeyNamed);
  return checkedKemKey({ kem, publicKey });
}

function read<Algorithm>(
  spki: Uint8Array,
  named: (identifier: Uint8Array) => Algorithm,
): [Algorithm, publicKey: Uint8Array] {
  if (spki.length > KEY_ENCODING_LIMIT) throw new MunimentError('KEY_FILE');
  return DerReader.whole(spki, TAG.sequence, (reader) => [
    named(reader.element(TAG.sequence)),
    reader.bitString(),
  ]);
}
