/**
 * A record as its administrator may know it, without what is written in it: signed entries, the payloads of its own
 * statements, whose payload is still there, and the credentials that all of it names. It can be read on the machine that has the
 * database, and carried as a file to the one that has the administrator's keys: nothing of it is believed unverified.
 */

import { toBase64url, toHex } from 'muniment/wire';
import { decodeAuthority, decodeSignedEntry } from 'muniment/record';
import { z } from 'zod';
import { CliError } from '../../client/cli/error.ts';
import { readForm, writeNew } from '../../client/cli/files.ts';
import { encoded } from '../../client/cli/settings.ts';
import { idsOf, printNumber } from '../../server/record-number.ts';
import type { Source } from '../check/source.ts';

/** What was read of a record. */
export interface Survey {
  readonly recordId: Uint8Array;
  readonly tagSalt: Uint8Array;
  readonly entries: readonly SurveyedEntry[];
  /** Encoded credentials. */
  readonly credentials: readonly Uint8Array[];
}

/** One entry of its content. */
export interface SurveyedEntry {
  readonly entry: Uint8Array;
  /** Of a statement about the record itself. */
  readonly payload: Uint8Array | null;
  /** Whether its payload has not been erased. */
  readonly kept: boolean;
}

const STATED = ['create', 'key', 'close', 'erase'];

const form = z.strictObject({
  format: z.literal('muniment survey 1'),
  recordId: encoded,
  tagSalt: encoded,
  entries: z.array(z.strictObject({ entry: encoded, payload: encoded.nullable(), kept: z.boolean() })),
  credentials: z.array(encoded),
});

/** The ids of the records that are closed by what the database says, in the order of their numbers. */
export async function closedRecords(source: Source): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  const rows = source.rows<{ record: Uint8Array; authority: Uint8Array }>(
    `SELECT record, authority FROM authorities a
     WHERE seq = (SELECT max(seq) FROM authorities o WHERE o.record = a.record) ORDER BY record`,
  );
  for await (const { record, authority } of rows)
    if (decodeAuthority(authority).closure !== null) found.push(record);
  return found;
}

/** The record of a number. Throws `CliError` if there is none. */
export async function recordNumbered(source: Source, number: string): Promise<Uint8Array> {
  const { first, last } = idsOf(number);
  const row = await source.row<{ id: Uint8Array }>(
    'SELECT id FROM records WHERE id >= ? AND id <= ?',
    first,
    last,
  );
  if (row === undefined) throw new CliError(`there is no record ${printNumber(number)}`);
  return row.id;
}

/** Reads a record. `alsoNamed` are Ids that its statements name, beside the authors of its entries. */
export async function surveyRecord(
  source: Source,
  recordId: Uint8Array,
  alsoNamed: readonly Uint8Array[] = [],
): Promise<Survey> {
  const record = await source.row<{ tag_salt: Uint8Array }>(
    'SELECT tag_salt FROM records WHERE id = ?',
    recordId,
  );
  if (record === undefined) throw new CliError('there is no such record');
  const entries: SurveyedEntry[] = [];
  const ids = new Map(alsoNamed.map((id) => [toHex(id), id]));
  const rows = source.rows<{ seq: number; entry: Uint8Array; kept: number | null }>(
    `SELECT e.seq, e.entry, p.seq AS kept FROM entries e
     LEFT JOIN payloads p ON p.record = e.record AND p.chain = e.chain AND p.seq = e.seq
     WHERE e.record = ? AND e.chain = 'content' ORDER BY e.seq`,
    recordId,
  );
  for await (const { seq, entry, kept } of rows) {
    const { author, kind } = decodeSignedEntry(entry).entry;
    ids.set(toHex(author), author);
    const payload = STATED.includes(kind) ? await payloadOf(source, recordId, seq) : null;
    entries.push({ entry, payload, kept: kept !== null });
  }
  const credentials: Uint8Array[] = [];
  for (const id of ids.values()) {
    const row = await source.row<{ credential: Uint8Array }>('SELECT credential FROM users WHERE id = ?', id);
    if (row !== undefined) credentials.push(row.credential);
  }
  return { recordId, tagSalt: record.tag_salt, entries, credentials };
}

/** Writes a survey as a new file. */
export function writeSurvey(file: string, survey: Survey): void {
  const content = {
    format: 'muniment survey 1',
    recordId: toBase64url(survey.recordId),
    tagSalt: toBase64url(survey.tagSalt),
    entries: survey.entries.map(({ entry, payload, kept }) => ({
      entry: toBase64url(entry),
      payload: payload === null ? null : toBase64url(payload),
      kept,
    })),
    credentials: survey.credentials.map(toBase64url),
  };
  writeNew(file, `${JSON.stringify(content)}\n`);
}

/** Reads such a file. */
export function readSurvey(file: string): Survey {
  return readForm(file, form);
}

async function payloadOf(source: Source, record: Uint8Array, seq: number): Promise<Uint8Array | null> {
  const row = await source.row<{ bytes: Uint8Array }>(
    "SELECT bytes FROM payloads WHERE record = ? AND chain = 'content' AND seq = ?",
    record,
    seq,
  );
  return row?.bytes ?? null;
}
