/** Whether a record is closed, and what of it may be destroyed from when on: its chain verified, and its statements judged. */

import { verifyCredential, type Credential } from 'muniment/keys';
import {
  decodeSignedEntry,
  hashEntry,
  recordRule,
  startOf,
  verifyChain,
  withoutRevocations,
  type Authority,
  type ChainState,
  type Closure,
  type Erased,
  type ErasureGround,
} from 'muniment/record';
import { equalBytes, toHex } from 'muniment/wire';
import type { RecordAt } from '../../client/closing.ts';
import type { Trust } from '../../client/trust.ts';
import { RETENTION } from '../../server/rights.ts';
import { recordNumber } from '../../server/record-number.ts';
import type { Source } from '../check/source.ts';
import { surveyRecord, type Survey } from './survey.ts';

/** How a record stands. */
export interface Standing extends RecordAt {
  /** Its public number. */
  readonly number: string;
  /** `null` of a record that is open. */
  readonly closure: Closure | null;
  /** When its owner wrote last in it, by the entry's own time; a death is never stated for before. */
  readonly ownerWrote: number | null;
  /** What may be destroyed once it may, and is still there. */
  readonly erasable: readonly Erased[];
  /** How many payloads are gone. */
  readonly erased: number;
}

/** Under whom a record is verified. */
export type Under = Pick<Trust, 'origin' | 'anchor' | 'bank'>;

/** From when on payloads may be destroyed on this ground, in milliseconds since 1970; `null` for never. */
export function earliestOf({ closure }: Pick<Standing, 'closure'>, ground: ErasureGround): number | null {
  return RETENTION.earliest(ground, closure?.ground === 'death' ? closure : null);
}

/**
 * Verifies a survey: that every entry is its author's, and stands where it stands, and what the record's statements say by the
 * format's own rule. That nothing was left off at its end, nobody can know from it; the bank refuses what was signed
 * over a head that is not the newest.
 *
 * @param missing - told of the Ids of which there is no credential
 * @throws `MunimentError` the codes of `verifyChain`
 */
export async function judgeSurvey(
  survey: Survey,
  { origin, anchor, bank }: Under,
  missing: (id: Uint8Array) => void = () => undefined,
): Promise<Standing> {
  const { recordId, tagSalt } = survey;
  const issued = survey.credentials.map((encoded) => verifyCredential(encoded, anchor, 'ever'));
  const people = new Map([anchor, bank, ...issued].map((one) => [toHex(one.id), one]));
  const known = (id: Uint8Array): Credential | null => {
    const found = people.get(toHex(id)) ?? null;
    if (found === null) missing(id);
    return found;
  };
  // Whether a key stood, and who may write what of the other kinds, the bank has judged when it took each entry.
  const authors = withoutRevocations(known);
  const rule = recordRule({ mayWrite: () => true, retention: RETENTION, now: Date.now, authors, known });
  const items = survey.entries.map(({ entry, payload }) => ({ ...decodeSignedEntry(entry), payload }));
  const chain = verifyChain(items, { origin, recordId, chain: 'content', authors, rule }, startOf(rule));
  let step = await chain.next();
  while (step.done !== true) step = await chain.next();
  const { head, state }: ChainState<Authority> = step.value;
  const stays = (seq: number): boolean =>
    seq === 0 || state.statements.some(({ first, last }) => first <= seq && seq <= last);
  const erasable = items
    .map((item, seq) => ({ seq, entryHash: hashEntry(item) }))
    .filter(({ seq }) => !stays(seq) && survey.entries[seq]?.kept === true);
  return {
    ...{ recordId, tagSalt, head, statements: state.number, closure: state.closure, erasable },
    ownerWrote: state.ownerWrote,
    number: recordNumber(recordId),
    erased: survey.entries.filter(({ kept }) => !kept).length,
  };
}

/** Reads a record from the database with everybody whom its statements name, and verifies it. */
export async function surveyAndJudge(
  source: Source,
  recordId: Uint8Array,
  under: Under,
): Promise<{ readonly survey: Survey; readonly standing: Standing }> {
  const named: Uint8Array[] = [];
  for (;;) {
    const survey = await surveyRecord(source, recordId, named);
    const before = named.length;
    const missing = (id: Uint8Array): void => {
      if (!named.some((one) => equalBytes(one, id))) named.push(id);
    };
    try {
      return { survey, standing: await judgeSurvey(survey, under, missing) };
    } catch (error) {
      // Whoever is named by what was refused may be registered: once more, with them.
      if (named.length === before) throw error;
    }
  }
}
