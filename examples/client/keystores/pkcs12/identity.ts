/**
 * An identity's three keys in a PKCS#12 file: each by the name of its purpose, for two of them may be of one
 * algorithm, and a key on P-256 does not tell what it is for.
 */

import { MunimentError } from 'muniment';
import { partyAlgorithm, systemRandom, type Random } from 'muniment/crypto';
import { decodePkcs8Decapsulator, decodePkcs8Signer, encodePkcs8, type SoftwareKeys } from 'muniment/keys';
import { toHex, utf8 } from 'muniment/wire';
import type { Pkcs12Key } from './contents.ts';
import type { Pkcs12Limits } from './limits.ts';
import { readPkcs12 } from './read.ts';
import { writePkcs12 } from './write.ts';

const PURPOSES = ['signing', 'handshake', 'sealing'] as const;
type Purpose = (typeof PURPOSES)[number];

/**
 * Writes an identity's keys to a file. The credential is public and no part of it.
 *
 * OpenSSL 3.0 knows Ed25519, X25519 and P-256 and lists such keys; of X-Wing keys and composite ones it checks the
 * file's MAC and no more.
 *
 * @param keys - keys in memory; keys in hardware stay there
 * @param passphrase - not empty, without U+0000, and not normalised; its strength is the caller's to check
 * @param random - for vectors only
 * @throws `RangeError` for such a passphrase; `MunimentError` `KEY_ALGORITHM` for a key of MLKEM768-P256, which has no
 *   encoding, `WIRE_UTF8` if the passphrase is no text
 * @example
 * ```ts
 * writeFileSync('doctor.p12', await identityToPkcs12(createKeys(), passphrase));
 * ```
 */
export async function identityToPkcs12(
  keys: SoftwareKeys,
  passphrase: string,
  random: Random = systemRandom,
): Promise<Uint8Array> {
  const byPurpose = { signing: keys.signer, handshake: keys.handshake, sealing: keys.sealing };
  const written = PURPOSES.map((name) => ({
    name,
    localKeyId: utf8(name),
    pkcs8: encodePkcs8(byPurpose[name]),
  }));
  return writePkcs12({ keys: written, certificates: [] }, passphrase, random);
}

/**
 * Reads an identity's keys from a file: exactly three, by their names. Certificates beside them are not looked at.
 *
 * @param file - the file's bytes
 * @param passphrase - as it was when the file was written
 * @param limits - what the file may ask for, those of {@link readPkcs12} unless given
 * @throws `MunimentError` `KEY_FILE` if the keys are others, or one serves two purposes; `KEY_ALGORITHM` for a key with
 *   which no party signs or opens; and all that {@link readPkcs12} throws
 */
export async function identityFromPkcs12(
  file: Uint8Array,
  passphrase: string,
  limits?: Pkcs12Limits,
): Promise<SoftwareKeys> {
  const { keys: found } = await readPkcs12(file, passphrase, limits);
  if (found.length !== PURPOSES.length) throw notAnIdentity();
  const keys = {
    signer: decodePkcs8Signer(named(found, 'signing').pkcs8),
    handshake: decodePkcs8Decapsulator(named(found, 'handshake').pkcs8),
    sealing: decodePkcs8Decapsulator(named(found, 'sealing').pkcs8),
  };
  partyAlgorithm(keys.signer.algorithm);
  const publicKeys = new Set([keys.signer, keys.handshake, keys.sealing].map((key) => toHex(key.publicKey)));
  if (publicKeys.size !== PURPOSES.length) throw notAnIdentity();
  return keys;
}

function named(keys: readonly Pkcs12Key[], purpose: Purpose): Pkcs12Key {
  const key = keys.find(({ name }) => name === purpose);
  if (key === undefined) throw notAnIdentity();
  return key;
}

function notAnIdentity(): MunimentError {
  return new MunimentError(
    'KEY_FILE',
    'the PKCS#12 file does not hold three different keys named signing, handshake and sealing',
  );
}
