/** The log's own keys, apart from the bank's: made at set-up, and kept in a file under the bank's passphrase. */

import {
  ED25519,
  ML_DSA_44,
  openOnce,
  SCRYPT_COST,
  sealOnce,
  signatureAlgorithm,
  stretch,
  systemRandom,
} from 'muniment/crypto';
import { exposeSecret, Secret, SoftwareSigner } from 'muniment/keys';
import type { LogSigner } from 'muniment/record';
import { fromBase64url, toBase64url, tuple, TupleReader } from 'muniment/wire';
import { z } from 'zod';

/** An Ed25519 and an ML-DSA-44 key: every checkpoint bears a line of each. */
export interface LogKeyPair {
  readonly ed25519: SoftwareSigner;
  readonly mlDsa44: SoftwareSigner;
}

const SALT_LENGTH = 32;
const form = z.strictObject({
  format: z.literal('muniment log keys 1'),
  salt: z.string(),
  sealed: z.string(),
});

/** Makes the keys of a new log. */
export function createLogKeys(): LogKeyPair {
  const make = (algorithm: string): SoftwareSigner =>
    signer(algorithm, signatureAlgorithm(algorithm).generateSecretKey());
  return { ed25519: make(ED25519), mlDsa44: make(ML_DSA_44) };
}

/** Writes the keys as a file's text. */
export async function exportLogKeys({ ed25519, mlDsa44 }: LogKeyPair, passphrase: string): Promise<string> {
  const salt = systemRandom(SALT_LENGTH);
  const content = tuple('log keys', exposeSecret(ed25519.secret), exposeSecret(mlDsa44.secret));
  const sealed = sealOnce(await stretch(passphrase, salt, SCRYPT_COST), contextOf(salt), content);
  const file = { format: 'muniment log keys 1', salt: toBase64url(salt), sealed: toBase64url(sealed) };
  return `${JSON.stringify(file)}\n`;
}

/** Reads the keys back, as what signs the checkpoints of this origin. Throws an `Error` of one line. */
export async function importLogKeys(text: string, passphrase: string, origin: string): Promise<LogSigner> {
  try {
    const file = form.parse(JSON.parse(text));
    const salt = fromBase64url(file.salt);
    const key = await stretch(passphrase, salt, SCRYPT_COST);
    const reader = TupleReader.labelled(
      openOnce(key, contextOf(salt), fromBase64url(file.sealed)),
      'log keys',
    );
    const keys = { ed25519: signer(ED25519, reader.bytes(32)), mlDsa44: signer(ML_DSA_44, reader.bytes(32)) };
    reader.end();
    return { origin, ...keys };
  } catch (cause) {
    throw new Error("the log's keys cannot be opened with the passphrase", { cause });
  }
}

function signer(algorithm: string, secret: Uint8Array): SoftwareSigner {
  return new SoftwareSigner(algorithm, new Secret('signing key', secret));
}

function contextOf(salt: Uint8Array): Uint8Array {
  return tuple('log keys context', salt);
}
