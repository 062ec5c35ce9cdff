/** Commands for anybody, offline: what an export proves, and what a fraud file does. */

import type { Command } from 'commander';
import { judge, NO_WITNESSES, verifyExport, type WitnessPolicy } from 'muniment/record';
import { equalBytes, toHex } from 'muniment/wire';
import { readPolicy } from '../../verifier/policy.ts';
import { counted } from '../../server/counted.ts';
import { DIGESTS, OPENINGS, ownersIn, ruleFor } from '../../server/rights.ts';
import { hexId } from './arguments.ts';
import { CliError, UsageError } from './error.ts';
import { readText } from './files.ts';
import type { Say } from './issuing.ts';
import { plainly } from './show.ts';

/** Adds the commands that take no wallet. */
export function judgingCommands(program: Command, say: Say): void {
  program
    .command('verify')
    .description('anybody, offline: judge an export')
    .argument('<export>')
    .requiredOption('--anchor-id <hex>', 'whom to trust', hexId)
    .requiredOption('--origin <name>', "the name of the bank's log")
    .requiredOption('--owner-id <hex>', 'whose record it must be', hexId)
    .option(
      '--witnesses <file>',
      'who must have cosigned: how many, then verifier keys, one a line; else nobody',
    )
    .action((file: string, expected: Parameters<typeof verify>[1]) => verify(file, expected, say));
  program
    .command('judge')
    .description('anybody, offline: does a fraud file convict the bank?')
    .argument('<file>')
    .requiredOption('--anchor-id <hex>', 'whom to trust', hexId)
    .requiredOption('--origin <name>', "the name of the bank's log")
    .action((file: string, trust: Parameters<typeof judgeFraud>[1]) => judgeFraud(file, trust, say));
}

/** `verify`: judges an export with nothing but two Ids and the bank's origin, which must come from elsewhere. */
export async function verify(
  file: string,
  expected: {
    readonly anchorId: Uint8Array;
    readonly origin: string;
    readonly ownerId: Uint8Array;
    readonly witnesses?: string;
  },
  say: Say,
): Promise<void> {
  const { anchorId, origin, ownerId, witnesses } = expected;
  const rules = {
    anchorId,
    origin,
    witnesses: witnesses === undefined ? NO_WITNESSES : policyIn(witnesses),
    rule: ruleFor,
    digests: DIGESTS,
    openings: OPENINGS,
    renewalLogs: [],
  };
  const result = await verifyExport(readText(file), rules);
  if (!ownersIn(result).some((id) => equalBytes(id, ownerId)))
    throw new CliError('the export is of another owner');
  const { content, access } = result.heads;
  say(`verified: record ${toHex(result.recordId)} at ${plainly(result.origin)}`);
  say(
    `  ${counted(content.size, 'entry', 'entries')} and ${counted(access.size, 'access', 'accesses')}: authors, rights, links, payloads, receipts, log`,
  );
  say(`  content head ${toHex(content.hash)}`);
  for (const doubt of result.notEstablished) say(`  not established: ${doubt}`);
}

/** `judge`: whether a fraud file convicts the bank of this origin. */
export function judgeFraud(
  file: string,
  trust: { readonly anchorId: Uint8Array; readonly origin: string },
  say: Say,
): void {
  const { kind, bank, says } = judge(readText(file), trust);
  say(`convicted: ${plainly(bank.subject)}, of ${kind}`);
  say(`  ${says}`);
}

function policyIn(file: string): WitnessPolicy {
  try {
    return readPolicy(readText(file));
  } catch (cause) {
    throw new UsageError(`${file} is no policy of witnesses`, { cause });
  }
}
