/** Another passphrase for the keys of the administrator and of the certificate authority. */

import { MunimentError } from 'muniment';
import { exportKeys, importKeys } from 'muniment/keys';
import { createPrivateKey } from 'node:crypto';
import { existsSync } from 'node:fs';
import { CliError } from '../../client/cli/error.ts';
import { readText, writeWhole } from '../../client/cli/files.ts';
import { encryptKey } from '../../demo/authority.ts';
import type { BankFolder } from '../bank-folder.ts';
import { openKey, sealKey } from '../ca/key-file.ts';

/** A file under a passphrase: opened under one and sealed under another. */
interface Sealed {
  readonly names: readonly [string, string];
  readonly reseal: (text: string, from: string, to: string) => Promise<string>;
}

const SEALED: readonly Sealed[] = [
  {
    names: ['administrator', 'keys.json'],
    reseal: async (text, from, to) => exportKeys(await importKeys(text, from), to),
  },
  {
    names: ['administrator', 'tls.key'],
    reseal: (text, from, to) => {
      const key = createPrivateKey({ key: text, passphrase: from });
      return Promise.resolve(encryptKey(key.export({ type: 'pkcs8', format: 'pem' }).toString(), to));
    },
  },
  {
    names: ['authority', 'authority.key'],
    reseal: (text, from, to) => sealKey(openKey(text, from).export({ type: 'pkcs8', format: 'der' }), to),
  },
];

/**
 * Seals every key of the administrator and the authority anew. All are opened before the first is written; what was sealed anew when
 * this was interrupted is left as it is, so that it is simply done again.
 *
 * @returns the files that were written
 * @throws `CliError` for a key that neither passphrase opens; then nothing was written
 */
export async function changePassphrase(folder: BankFolder, from: string, to: string): Promise<string[]> {
  if (from === to) throw new CliError('that is the passphrase that there is');
  const changes: [string, string][] = [];
  for (const sealed of SEALED) {
    const file = folder.at(...sealed.names);
    if (!existsSync(file)) continue; // keys in a token
    const text = await resealed(sealed, readText(file), from, to);
    if (text !== null) changes.push([file, text]);
  }
  for (const [file, text] of changes) writeWhole(file, text);
  return changes.map(([file]) => file);
}

async function resealed(
  { names, reseal }: Sealed,
  text: string,
  from: string,
  to: string,
): Promise<string | null> {
  try {
    return await reseal(text, from, to);
  } catch (error) {
    if (!isRefused(error)) throw error;
  }
  try {
    await reseal(text, to, to);
    return null;
  } catch (error) {
    if (!isRefused(error)) throw error;
    throw new CliError(`neither passphrase opens ${names.join('/')}`);
  }
}

function isRefused(error: unknown): boolean {
  if (error instanceof MunimentError) return error.code === 'KEY_PASSPHRASE';
  // OpenSSL's own, and that of the authority's key file.
  return error instanceof CliError || (error instanceof Error && 'code' in error);
}
