/** The passphrase-sealed identity file. spec/keys.md, "Key files". */

import {
  kem,
  openOnce,
  partyAlgorithm,
  SCRYPT_COST,
  sealOnce,
  stretch,
  systemRandom,
  type Random,
} from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { fromBase64url, jsonValue, readJson, toBase64url, tuple, TupleReader } from '../wire/index.ts';
import type { SoftwareKeys } from './identity.ts';
import { SoftwareDecapsulator, SoftwareSigner } from './ports.ts';
import { exposeSecret, Secret } from './secret.ts';

/** Longest key file, in characters. */
export const KEY_FILE_LIMIT = 64 * 1024;
const FORMAT = 'muniment key file 2';
const SALT_LENGTH = 32;

/**
 * Writes keys to a file under a passphrase, as JSON text: format, scrypt cost, salt, and the keys sealed. The credential
 * is not in it: keep its `encoded` beside the file, and make an identity of both again by `verifyCredential` and
 * `createIdentity`.
 *
 * @param keys - keys in memory; keys in hardware need no file
 * @param passphrase - any text; its strength is the caller's to check
 * @param random - for vectors only
 * @example
 * ```ts
 * import { createKeys, exportKeys, importKeys } from 'muniment/keys';
 * const file = await exportKeys(createKeys(), 'correct horse battery staple');
 * const keys = await importKeys(file, 'correct horse battery staple');
 * ```
 */
export async function exportKeys(
  keys: SoftwareKeys,
  passphrase: string,
  random: Random = systemRandom,
): Promise<string> {
  const salt = random(SALT_LENGTH);
  const { n, r, p } = SCRYPT_COST;
  const key = await stretch(passphrase, salt, SCRYPT_COST);
  const content = tuple(
    'key file',
    keys.signer.algorithm,
    exposeSecret(keys.signer.secret),
    keys.handshake.kem,
    exposeSecret(keys.handshake.secret),
    keys.sealing.kem,
    exposeSecret(keys.sealing.secret),
  );
  const sealed = sealOnce(key, fileContext(n, r, p, salt), content, random);
  return (
    JSON.stringify({ format: FORMAT, n, r, p, salt: toBase64url(salt), sealed: toBase64url(sealed) }) + '\n'
  );
}

/**
 * Reads keys back.
 *
 * @param file - the file's text, at most 64 KiB
 * @param passphrase - the passphrase that it was written under
 * @throws `MunimentError` `KEY_FILE` if it is no key file or asks for more work than is allowed; `KEY_PASSPHRASE` if it does not open
 */
export async function importKeys(file: string, passphrase: string): Promise<SoftwareKeys> {
  const { n, r, p, salt, sealed } = parseFile(file);
  const key = await stretch(passphrase, salt, { n, r, p });
  let content;
  try {
    content = openOnce(key, fileContext(n, r, p, salt), sealed);
  } catch (cause) {
    throw new MunimentError('KEY_PASSPHRASE', undefined, { cause });
  }
  return readKeys(content);
}

function readKeys(content: Uint8Array): SoftwareKeys {
  try {
    const reader = TupleReader.labelled(content, 'key file');
    const keys = {
      signer: readSigner(reader),
      handshake: readDecapsulator(reader),
      sealing: readDecapsulator(reader),
    };
    reader.end();
    return keys;
  } catch (cause) {
    throw new MunimentError('KEY_FILE', undefined, { cause });
  }
}

function parseFile(file: string): { n: number; r: number; p: number; salt: Uint8Array; sealed: Uint8Array } {
  try {
    const value = jsonValue(readJson(file, { length: KEY_FILE_LIMIT, depth: 2 }));
    if (typeof value !== 'object' || value === null || !('format' in value))
      throw new MunimentError('KEY_FILE');
    const { format, n, r, p, salt, sealed } = value;
    if (format !== FORMAT || Object.keys(value).length !== 6) throw new MunimentError('KEY_FILE');
    if (typeof n !== 'number' || typeof r !== 'number' || typeof p !== 'number')
      throw new MunimentError('KEY_FILE');
    if (typeof salt !== 'string' || typeof sealed !== 'string') throw new MunimentError('KEY_FILE');
    const parsed = { n, r, p, salt: fromBase64url(salt), sealed: fromBase64url(sealed) };
    if (parsed.salt.length !== SALT_LENGTH) throw new MunimentError('KEY_FILE');
    return parsed;
  } catch (cause) {
    throw new MunimentError('KEY_FILE', undefined, { cause });
  }
}

function fileContext(n: number, r: number, p: number, salt: Uint8Array): Uint8Array {
  return tuple('key file context', n, r, p, salt);
}

function readSigner(reader: TupleReader): SoftwareSigner {
  const { name, secretKeyLength } = partyAlgorithm(reader.text());
  return new SoftwareSigner(name, new Secret('signing key', reader.bytes(secretKeyLength)));
}

function readDecapsulator(reader: TupleReader): SoftwareDecapsulator {
  const { id, secretKeyLength } = kem(reader.integer());
  return new SoftwareDecapsulator(id, new Secret('kem key', reader.bytes(secretKeyLength)));
}
