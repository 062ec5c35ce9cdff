/**
 * What is asked of a key that was read from elsewhere: its public half must be a key of its algorithm, and its private
 * half must own every public one that is stated beside it. spec/keys.md, "Encodings".
 */

import { kem, signatureAlgorithm } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { equalBytes } from '../wire/index.ts';
import type { KemPublicKey, SigningPublicKey } from './ports.ts';

/**
 * A key that verifies signatures, checked to be one.
 *
 * @throws `MunimentError` `KEY_ALGORITHM`, `KEY_PUBLIC`
 */
export function checkedSigningKey({ algorithm: name, publicKey }: SigningPublicKey): SigningPublicKey {
  const algorithm = signatureAlgorithm(name);
  // Nothing verifies under these bytes, so that what is judged, before or after them, is the key.
  const noSignature = new Uint8Array(algorithm.signatureLength).fill(0xff);
  try {
    algorithm.verify(publicKey, noSignature, noSignature);
  } catch (error) {
    if (!(error instanceof MunimentError) || error.code !== 'KEY_SIGNATURE') throw error;
  }
  return { algorithm: name, publicKey: new Uint8Array(publicKey) };
}

/**
 * A key to which secrets are sealed, checked to be one.
 *
 * @throws `MunimentError` `KEY_ALGORITHM`, `KEY_PUBLIC`
 */
export function checkedKemKey({ kem: id, publicKey }: KemPublicKey): KemPublicKey {
  kem(id).encapsulate(publicKey); // to nobody: a key to which this cannot be done is none
  return { kem: id, publicKey: new Uint8Array(publicKey) };
}

/**
 * A private key, checked against the public keys that its file states.
 *
 * @throws `MunimentError` `KEY_FILE` if the bytes are no private key, or the key of another public one
 */
export function ownedKey<Key extends { readonly publicKey: Uint8Array }>(
  make: () => Key,
  stated: readonly Uint8Array[],
): Key {
  let key;
  try {
    key = make();
  } catch {
    throw new MunimentError('KEY_FILE'); // no cause: it may be worded around the secret
  }
  const { publicKey } = key;
  if (!stated.every((other) => equalBytes(other, publicKey))) throw new MunimentError('KEY_FILE');
  return key;
}
