/** Closing a record, opening it again, and having payloads of it destroyed, as the administrator and through the running bank. */

import { ERASURE_LIMIT, type ClosingGround, type Erased, type ErasureGround } from 'muniment/record';
import { CliError } from '../../client/cli/error.ts';
import { closeRecord, erasePayloads, reopenRecord, type RecordAt } from '../../client/closing.ts';
import type { BankClient } from '../../client/bank.ts';
import { RETENTION } from '../../server/rights.ts';
import { printNumber } from '../../server/record-number.ts';
import type { BankFolder } from '../bank-folder.ts';
import { openSource } from '../check/config.ts';
import { earliestOf, judgeSurvey, surveyAndJudge, type Standing } from './standing.ts';
import { readSurvey, recordNumbered } from './survey.ts';

/** Which record, and where it is known from: a survey, else the database. */
export interface Which {
  readonly number: string;
  readonly survey: string | undefined;
}

/** Closes a record, and gives the position of the entry that says so. */
export function close(
  folder: BankFolder,
  which: Which,
  how: { readonly ground: ClosingGround; readonly at: number },
): Promise<number> {
  return asAdministrator(folder, which, async (client, standing) => {
    const { closure, ownerWrote } = standing;
    if (how.at > Date.now()) throw new CliError('that time has not come');
    if (how.ground === 'death' && ownerWrote !== null && how.at < ownerWrote)
      throw new CliError(
        `its owner wrote in it on ${new Date(ownerWrote).toISOString()}, and was alive then`,
      );
    if (closure !== null && !(how.ground === 'death' && closure.ground !== 'death'))
      throw new CliError(
        `the record is closed already (${closure.ground}); only a death is stated of a closed record`,
      );
    return (await closeRecord(client, standing, how)).entry.seq;
  });
}

/** Opens a closed record again. */
export function reopen(folder: BankFolder, which: Which): Promise<number> {
  return asAdministrator(folder, which, async (client, standing) => {
    if (standing.closure === null) throw new CliError('the record is open');
    return (await reopenRecord(client, standing)).entry.seq;
  });
}

/** A tombstone that the bank took, and how many payloads it names. */
export interface Tombstone {
  readonly seq: number;
  readonly names: number;
}

/**
 * Has payloads destroyed: all that may be, or those of the named entries, in as many tombstones as it takes. `tell` is told of each once
 * the bank has taken it; what was destroyed stays so, whatever becomes of the next.
 */
export function erase(
  folder: BankFolder,
  which: Which,
  how: { readonly ground: ErasureGround; readonly entries: readonly number[] | null },
  tell: (tombstone: Tombstone) => void,
): Promise<void> {
  return asAdministrator(folder, which, async (client, standing) => {
    refuseTooEarly(standing, how.ground, Date.now());
    const doomed = chosen(standing, how.entries);
    let record: RecordAt = standing;
    for (let from = 0; from < doomed.length; from += ERASURE_LIMIT) {
      const erased = doomed.slice(from, from + ERASURE_LIMIT);
      const ruleVersion = RETENTION.version;
      const done = await erasePayloads(client, record, { erased, ground: how.ground, ruleVersion });
      tell({ seq: done.tombstone.entry.seq, names: erased.length });
      record = done.after;
    }
  });
}

function refuseTooEarly(standing: Standing, ground: ErasureGround, now: number): void {
  const earliest = earliestOf(standing, ground);
  if (ground !== 'retention')
    throw new CliError(
      `by this bank's rule, "${RETENTION.version}", nothing is erased on the ground ${ground}`,
    );
  if (earliest === null)
    throw new CliError(
      `nothing may be erased of a record that is not closed for a death ("${RETENTION.version}")`,
    );
  if (now < earliest)
    throw new CliError(
      `nothing may be erased of it before ${new Date(earliest).toISOString()} ("${RETENTION.version}")`,
    );
}

function chosen({ erasable }: Standing, entries: readonly number[] | null): readonly Erased[] {
  if (entries === null) {
    if (erasable.length === 0) throw new CliError('there is nothing left to erase in it');
    return erasable;
  }
  const stays = entries.find((seq) => !erasable.some((one) => one.seq === seq));
  if (stays !== undefined)
    throw new CliError(
      `entry ${stays} cannot be erased: it is not there, is erased already, or says how the record stands`,
    );
  return erasable.filter(({ seq }) => entries.includes(seq));
}

async function asAdministrator<Result>(
  folder: BankFolder,
  which: Which,
  work: (client: BankClient, standing: Standing) => Promise<Result>,
): Promise<Result> {
  const administrator = folder.administrator();
  try {
    return await administrator.use(async (client) => work(client, await find(folder, which, client)));
  } finally {
    administrator.close();
  }
}

async function find(folder: BankFolder, { number, survey }: Which, { trust }: BankClient): Promise<Standing> {
  if (survey !== undefined) {
    const standing = await judgeSurvey(readSurvey(survey), trust);
    if (standing.number !== number)
      throw new CliError(`${survey} is of the record ${printNumber(standing.number)}`);
    return standing;
  }
  const source = await openSource(folder.at('server', 'server.json'));
  try {
    return (await surveyAndJudge(source, await recordNumbered(source, number), trust)).standing;
  } finally {
    await source.close();
  }
}
