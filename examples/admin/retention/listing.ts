/** Which records are closed, and what of them is due: read from the database, verified, and changed by nobody. */

import type { ClosingGround } from 'muniment/record';
import type { BankFolder } from '../bank-folder.ts';
import { openSource, readTrust } from '../check/config.ts';
import type { Source } from '../check/source.ts';
import { earliestOf, surveyAndJudge, type Standing, type Under } from './standing.ts';
import { closedRecords, recordNumbered, writeSurvey } from './survey.ts';

/** A closed record. */
export interface ClosedRow {
  readonly number: string;
  readonly ground: ClosingGround;
  /** The date that was stated, and when it was stated: a term counts from the second. */
  readonly at: string;
  readonly stated: string;
  /** From when on payloads may be destroyed on the ground `retention`; `null` for never. */
  readonly earliest: string | null;
  /** Whether that is now, and there is something left. */
  readonly due: boolean;
  /** Payloads that are there and may be destroyed some day, and payloads that are gone. */
  readonly erasable: number;
  readonly erased: number;
}

/** All records that are closed. */
export async function listClosed(folder: BankFolder): Promise<ClosedRow[]> {
  return reading(folder, async (source, trust) => {
    const found: ClosedRow[] = [];
    for (const id of await closedRecords(source)) {
      const row = rowOf((await surveyAndJudge(source, id, trust)).standing, Date.now());
      if (row !== null) found.push(row);
    }
    return found;
  });
}

/** Writes what is known of a record without reading in it. Gives how many entries it has. */
export async function survey(folder: BankFolder, number: string, out: string): Promise<number> {
  return reading(folder, async (source, trust) => {
    const found = await surveyAndJudge(source, await recordNumbered(source, number), trust);
    writeSurvey(out, found.survey);
    return found.survey.entries.length;
  });
}

function rowOf(standing: Standing, now: number): ClosedRow | null {
  const { number, closure, erasable, erased } = standing;
  if (closure === null) return null;
  const earliest = earliestOf(standing, 'retention');
  return {
    ...{ number, ground: closure.ground, at: iso(closure.at), stated: iso(closure.stated) },
    earliest: earliest === null ? null : iso(earliest),
    due: earliest !== null && now >= earliest && erasable.length > 0,
    ...{ erasable: erasable.length, erased },
  };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

async function reading<Result>(
  folder: BankFolder,
  work: (source: Source, trust: Under) => Promise<Result>,
): Promise<Result> {
  const config = folder.at('server', 'server.json');
  const trust = readTrust(config);
  const source = await openSource(config);
  try {
    return await work(source, trust);
  } finally {
    await source.close();
  }
}
