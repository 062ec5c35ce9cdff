/** Commands by which a wallet's keys go to a PKCS#12 file and come from one: a copy in a safe, a move to another machine. */

import { SoftwareDecapsulator, SoftwareSigner, type IdentityKeys, type SoftwareKeys } from 'muniment/keys';
import { identityFromPkcs12, identityToPkcs12 } from '../keystores/pkcs12.ts';
import { CliError } from './error.ts';
import { readBytes, refuseExisting, writeNew } from './files.ts';
import type { Say } from './issuing.ts';
import { passphraseFrom, unsealed } from './passphrase.ts';
import type { Wallet } from './wallet.ts';

/** `export-keys`: the wallet's keys, to a file that other programs know. */
export async function exportToPkcs12(
  wallet: Wallet,
  out: string,
  passphraseFile: string | undefined,
  say: Say,
): Promise<void> {
  refuseExisting(out);
  const keys = inMemory(await wallet.keys());
  writeNew(out, await identityToPkcs12(keys, await passphraseOf(wallet, passphraseFile, false)));
  say(`${out}: the keys of ${wallet.folder}; who has it and its passphrase is you`);
}

/** `import-keys`: a wallet's keys, from such a file. */
export async function importFromPkcs12(
  wallet: Wallet,
  file: string,
  passphraseFile: string | undefined,
  say: Say,
): Promise<void> {
  wallet.refuseKeys();
  const passphrase = await passphraseOf(wallet, passphraseFile, true);
  await wallet.keepKeys(await unsealed(file, () => identityFromPkcs12(readBytes(file), passphrase)));
  say(`${wallet.folder} has the keys of ${file}; join with their credential`);
}

async function passphraseOf(wallet: Wallet, file: string | undefined, isNew: boolean): Promise<string> {
  return file === undefined ? wallet.passphrase(isNew) : passphraseFrom(file, {})(false);
}

function inMemory({ signer, handshake, sealing }: IdentityKeys): SoftwareKeys {
  if (
    signer instanceof SoftwareSigner &&
    handshake instanceof SoftwareDecapsulator &&
    sealing instanceof SoftwareDecapsulator
  )
    return { signer, handshake, sealing };
  throw new CliError('these keys are in a token, which does not hand them out');
}
