/** Commands about who owns a record: its patient goes on under another key, or comes back by guardians. */

import type { Command } from 'commander';
import { equalBytes, toBase64url, toHex } from 'muniment/wire';
import { z } from 'zod';
import { appoint } from '../guardians.ts';
import { lookUp, person } from '../people.ts';
import { ownLists } from '../own-root.ts';
import { approve, askRecovery, recover } from '../recovery.ts';
import { goOnUnder } from '../succession.ts';
import { hexId, positive, told, type Told } from './arguments.ts';
import { CliError } from './error.ts';
import { readForm, writeWhole } from './files.ts';
import { directoryOf } from './founding.ts';
import type { Say } from './issuing.ts';
import { encoded } from './settings.ts';
import { plainly } from './show.ts';
import type { Wallet } from './wallet.ts';

const DAY = 86_400_000;

const requestForm = z.strictObject({
  format: z.literal('muniment recovery request 1'),
  recordId: encoded,
  claimant: encoded,
  request: encoded,
});

const approvalForm = z.strictObject({
  format: z.literal('muniment recovery approval 1'),
  guardian: encoded,
  approval: encoded,
});

/** Opens the wallet that the command line names, or another one. */
export type FindWallet = (folder?: string, passphraseFile?: string) => Wallet;

/** Adds these commands. */
export function owningCommands(program: Command, wallet: FindWallet, say: Say): void {
  program
    .command('renew')
    .description("patient: go on under this wallet's key, which is registered, by the word of the one before")
    .requiredOption('--from <dir>', 'the wallet with the key before')
    .option('--from-passphrase-file <file>', "else this wallet's passphrase")
    .action(({ from, fromPassphraseFile }: { from: string; fromPassphraseFile?: string }) =>
      renew(wallet(from, fromPassphraseFile), wallet(), say),
    );
  program
    .command('appoint-guardians')
    .description(
      "patient: who together brings one's record back if the key is lost, in place of those before",
    )
    .requiredOption(
      '--guardian <subject=id...>',
      '2 to 16 registered users, each with the own id that it has told itself',
      told,
    )
    .requiredOption('--threshold <n>', 'how many of them it takes, at least 2', positive)
    .action((terms: Parameters<typeof appointGuardians>[1]) => appointGuardians(wallet(), terms, say));
  program
    .command('ask-recovery')
    .description(
      "patient, under a fresh key that is registered: ask one's guardians to bring the record back",
    )
    .requiredOption('--out <file>')
    .option('--days <n>', 'for how long, 30 at most', positive, 7)
    .action(({ out, days }: { out: string; days: number }) => askGuardians(wallet(), out, days, say));
  program
    .command('approve-recovery')
    .description('guardian: help a patient back, having made sure that it is the patient who asks')
    .argument('<request>')
    .requiredOption(
      '--claimant-id <hex>',
      'the own id of its new wallet, as the patient itself has told it',
      hexId,
    )
    .requiredOption('--out <file>')
    .action((file: string, { claimantId, out }: { claimantId: Uint8Array; out: string }) =>
      approveRequest(wallet(), file, { claimantId, out }, say),
    );
  program
    .command('recover')
    .description("patient: take one's record back by enough guardians' approvals")
    .argument('<request>')
    .argument('<approvals...>')
    .action((file: string, approvals: string[]) => recoverBy(wallet(), file, approvals, say));
}

/** `renew`: the record goes on under the next key of its patient. */
export async function renew(from: Wallet, to: Wallet, say: Say): Promise<void> {
  const [before, after] = [from.credential(), to.credential()];
  if (before.subject !== after.subject || equalBytes(before.id, after.id))
    throw new CliError(`${to.folder} is no other wallet of ${plainly(before.subject)}`);
  await from.use((old) => to.use((client) => goOnUnder(old, client, directoryOf(to))));
  say(`the record of ${plainly(after.subject)} goes on under ${toHex(after.id)}`);
  say(`the key in ${from.folder} reads and writes nothing of it any more; have it revoked as superseded`);
}

/**
 * `appoint-guardians`: each gets a share of the root, which enough of them together bring back. The directory alone does not
 * say who they are: an administrator who registers later keys under their names would be all of them.
 */
export async function appointGuardians(
  wallet: Wallet,
  { guardian, threshold }: { readonly guardian: readonly Told[]; readonly threshold: number },
  say: Say,
): Promise<void> {
  await wallet.use(async (client) => {
    const people = await lookUp(client, { subjects: guardian.map(({ subject }) => subject) });
    const guardians = guardian.map(({ subject, id }) => {
      if (!people.credentials.some((one) => one.subject === subject))
        throw new CliError(`${plainly(subject)} is not registered`);
      const newest = person(people, subject);
      if (!equalBytes(newest.id, id)) throw new CliError(otherId(subject));
      return newest;
    });
    await appoint(client, await ownLists(client), { threshold, guardians });
    say(`any ${threshold} of these bring the record back if the key is lost:`);
    for (const { subject, id } of guardians) say(`  ${plainly(subject)}  own id ${toHex(id)}`);
  });
}

// Not which one it has: whoever copied that would trust the directory after all.
function otherId(subject: string): string {
  const name = plainly(subject);
  return `the newest credential of ${name} has another id than you were told: ask ${name} itself, in person, for its own id`;
}

/** `ask-recovery`: what the patient hands its guardians. */
export async function askGuardians(wallet: Wallet, out: string, days: number, say: Say): Promise<void> {
  await wallet.use(async (client) => {
    const { recordId, claimant, request } = await askRecovery(client, Date.now() + days * DAY);
    const asked = {
      format: 'muniment recovery request 1',
      recordId: toBase64url(recordId),
      claimant: toBase64url(claimant),
      request: toBase64url(request),
    };
    writeWhole(out, `${JSON.stringify(asked)}\n`);
    say(`give ${out} to the guardians, and tell each of them yourself, in person: own id ${toHex(claimant)}`);
  });
}

/** `approve-recovery`: a guardian's share, for the key that asks. */
export async function approveRequest(
  wallet: Wallet,
  file: string,
  { claimantId, out }: { readonly claimantId: Uint8Array; readonly out: string },
  say: Say,
): Promise<void> {
  const asked = readForm(file, requestForm);
  await wallet.use(async (client) => {
    const { guardian, signed } = await approve(client, asked, claimantId);
    const given = {
      format: 'muniment recovery approval 1',
      guardian: toBase64url(guardian),
      approval: toBase64url(signed),
    };
    writeWhole(out, `${JSON.stringify(given)}\n`);
    say(`give ${out} to the patient; it opens for the key ${toHex(claimantId)} alone`);
  });
}

/** `recover`: the root comes back, and the record is the patient's again. */
export async function recoverBy(
  wallet: Wallet,
  file: string,
  approvals: readonly string[],
  say: Say,
): Promise<void> {
  const asked = readForm(file, requestForm);
  const given = approvals.map((one) => {
    const { guardian, approval: signed } = readForm(one, approvalForm);
    return { guardian, signed };
  });
  await wallet.use(async (client) => {
    const wrong = await recover(client, directoryOf(wallet), asked, given);
    say('the record is yours again under this key; the one before reads and writes nothing of it any more');
    for (const id of wrong) say(`the share of the guardian ${toHex(id)} was wrong, and was not needed`);
    say('appoint guardians again: those of before have given their shares away');
  });
}
