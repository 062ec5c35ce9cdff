/**
 * A next credential for the bank's keys, before the one that they have ends. The keys stay: so every receipt, head
 * and custody of before holds under the new Id as it did, and what the old Id wrote in chains stays its own. spec/record.md, "Charters".
 */

import { systemRandom } from 'muniment/crypto';
import {
  answerChallenge,
  challengePossession,
  importKeys,
  issueCredential,
  requestCredential,
  verifyCredential,
  type Credential,
  type Identity,
  type IdentityKeys,
} from 'muniment/keys';
import { signCharter, verifyCharter } from 'muniment/record';
import { toBase64url } from 'muniment/wire';
import { existsSync } from 'node:fs';
import { z } from 'zod';
import { readBytes, readForm, readText, writeNew, writeWhole } from '../../client/cli/files.ts';
import { validFor } from '../../client/cli/issuing.ts';
import { unsealed } from '../../client/cli/passphrase.ts';
import type { BankFolder } from '../bank-folder.ts';
import { readServerFiles } from './server-files.ts';

const settingsForm = z.looseObject({
  bank: z.string(),
  charter: z.string(),
  former: z.array(z.unknown()).default([]),
});

/**
 * Gives the bank's keys their next credential and charter, in new files beside the old ones, and names them in the
 * server's configuration and in the settings of its users. A server that runs goes on as it is until it is started
 * again.
 */
export async function renewBank(folder: BankFolder, days: number): Promise<Credential> {
  const wallet = folder.administrator();
  try {
    const administrator = await wallet.administrator();
    const { credential, charter } = await issueNext(folder, administrator, days);
    const names = freeNames(folder);
    writeNew(folder.at('server', names.credential), credential.encoded);
    writeNew(folder.at('server', names.charter), charter);
    rename(folder, names, { credential, charter });
    return credential;
  } finally {
    wallet.close();
  }
}

async function issueNext(
  folder: BankFolder,
  administrator: Identity,
  days: number,
): Promise<{ readonly credential: Credential; readonly charter: Uint8Array }> {
  const { config, at } = readServerFiles(folder);
  const { origin, identity } = config;
  const anchor = administrator.credential;
  const passphrase = readText(at(identity.passphraseFile)).trimEnd();
  const file = at(identity.keys);
  const keys = await unsealed(file, () => importKeys(readText(file), passphrase));
  const before = verifyCredential(readBytes(at(identity.credential)), anchor, 'ever');
  const credential = await nextCredential(administrator, { keys, before }, days);
  const { log } = verifyCharter(readBytes(at(config.log.charter)), anchor, origin);
  return { credential, charter: await signCharter(administrator, { origin, bank: credential.id, log }) };
}

/** Issues another credential over the same keys, with the same name and roles. */
export async function nextCredential(
  issuer: Identity,
  { keys, before: { subject, roles } }: { readonly keys: IdentityKeys; readonly before: Credential },
  days: number,
): Promise<Credential> {
  const asked = await requestCredential(keys, { subject, roles });
  const { challenge, expected } = challengePossession(asked, issuer.credential);
  const proof = { expected, answer: await answerChallenge(keys, asked, challenge, issuer.credential) };
  return issueCredential(issuer, asked, proof, { roles, ...validFor(days), serial: systemRandom(16) });
}

interface Names {
  readonly credential: string;
  readonly charter: string;
}

function freeNames(folder: BankFolder): Names {
  for (let number = 2; ; number++) {
    const names = { credential: `bank-${String(number)}.credential`, charter: `charter-${String(number)}` };
    const taken = Object.values(names).some((name) => existsSync(folder.at('server', name)));
    if (!taken) return names;
  }
}

// The settings first: what names the new credential last is what makes it the server's.
function rename(
  folder: BankFolder,
  names: Names,
  { credential, charter }: { readonly credential: Credential; readonly charter: Uint8Array },
): void {
  const { config } = readServerFiles(folder);
  const { identity, log } = config;
  const file = folder.at('server', 'settings.json');
  const { bank, charter: before, former, ...settings } = readForm(file, settingsForm);
  const renewed = {
    ...settings,
    ...{ bank: toBase64url(credential.encoded), charter: toBase64url(charter) },
    former: [...former, { bank, charter: before }],
  };
  for (const one of [file, folder.at('administrator', 'settings.json')]) write(one, renewed);
  write(folder.at('server', 'server.json'), {
    ...config,
    identity: {
      ...identity,
      credential: names.credential,
      former: [...identity.former, identity.credential],
    },
    log: { ...log, charter: names.charter },
  });
}

function write(file: string, value: unknown): void {
  writeWhole(file, `${JSON.stringify(value, null, 2)}\n`);
}
