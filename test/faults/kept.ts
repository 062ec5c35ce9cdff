/** What the bank's database holds, looked at from beside the bank: nothing of it is asked of the server. */

import SQLite from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { decodeSignedEntry, encodeSignedEntry, hashEntry, logLeaf } from 'muniment/record';
import { equalBytes, toHex } from 'muniment/wire';
import path from 'node:path';
import { checkBank } from '../../examples/admin/check/check.ts';
import { openSource, readTrust } from '../../examples/admin/check/config.ts';
import { openPostgres } from '../../examples/server/store/postgres.ts';
import { SQLITE_FILE } from '../../examples/server/store/sqlite.ts';
import type { Database, Tables } from '../../examples/server/store/tables.ts';
import type { PostgresServer } from './postgres.ts';
import type { Held } from './writer.ts';

/** Where to look. */
export type Keeping = { readonly dataFolder: string } | { readonly postgres: PostgresServer };

/** Lends the database to `look`. */
export async function kept<Result>(
  at: Keeping,
  look: (database: Database) => Promise<Result>,
): Promise<Result> {
  if ('postgres' in at) {
    const engine = openPostgres(at.postgres.account('postgres'), () => undefined);
    return look(engine.database).finally(() => engine.close());
  }
  const file = new SQLite(path.join(at.dataFolder, SQLITE_FILE), { readonly: true });
  const database = new Kysely<Tables>({ dialect: new SqliteDialect({ database: file }) });
  return look(database).finally(() => database.destroy());
}

/** Every receipt's entry stands where the receipt says, with that receipt. Returns how many there are. */
export async function checkHeld(at: Keeping, held: readonly Held[]): Promise<number> {
  const rows = await kept(at, (database) =>
    database.selectFrom('entries').select(['record', 'chain', 'seq', 'entry', 'receipt']).execute(),
  );
  const places = new Map(rows.map((row) => [placeOf(row.record, row.chain, row.seq), row]));
  for (const { recordId, chain, signed, receipt } of held) {
    const { seq } = signed.entry;
    const row = places.get(placeOf(recordId, chain, seq));
    if (row === undefined) throw new Error(`an acknowledged entry is gone: ${chain} ${String(seq)}`);
    if (!equalBytes(row.entry, encodeSignedEntry(signed)) || !equalBytes(row.receipt, receipt))
      throw new Error(`another entry stands in an acknowledged one's place: ${chain} ${String(seq)}`);
  }
  return held.length;
}

/**
 * No gap and nothing half written: positions of the log and of each chain follow each other, each leaf is of one entry
 * and each entry has its payload, every request that appends has its outcome. Returns the number of leaves.
 *
 * @param unserved - whether requests may be there that were stored and are to be executed at the next start
 */
export async function checkWhole(at: Keeping, { unserved = false } = {}): Promise<number> {
  return kept(at, async (database) => {
    const salts = new Map(
      (await database.selectFrom('records').selectAll().execute()).map((row) => [
        toHex(row.id),
        row.tag_salt,
      ]),
    );
    const leaves = await database.selectFrom('leaves').selectAll().orderBy('position').execute();
    const entries = await database.selectFrom('entries').selectAll().orderBy('leaf').execute();
    if (entries.length !== leaves.length) throw new Error('as many leaves as entries: no');
    const heads = new Map<string, { seq: number; hash: Uint8Array }>();
    for (const [i, row] of entries.entries()) {
      const { position, leaf, time } = leaves[i] ?? fail('a leaf is missing');
      const signed = decodeSignedEntry(new Uint8Array(row.entry));
      const { recordId, chain, seq, prev } = signed.entry;
      const entryHash = hashEntry(signed);
      const tagSalt = new Uint8Array(salts.get(toHex(row.record)) ?? fail('a record is missing'));
      const expected = logLeaf({ recordId, tagSalt, chain, seq, time, entryHash });
      if (position !== i || row.leaf !== i || !equalBytes(leaf, expected))
        fail(`leaf ${String(i)} is of no entry`);
      const before = heads.get(`${toHex(recordId)} ${chain}`);
      if (seq !== (before === undefined ? 0 : before.seq + 1)) fail(`a gap before leaf ${String(i)}`);
      if (before !== undefined && !equalBytes(prev, before.hash)) fail(`a broken link at leaf ${String(i)}`);
      heads.set(`${toHex(recordId)} ${chain}`, { seq, hash: entryHash });
    }
    const count = async (table: keyof Tables): Promise<number> =>
      (
        await database
          .selectFrom(table)
          .select(({ fn }) => fn.countAll<number>().as('rows'))
          .executeTakeFirstOrThrow()
      ).rows;
    if ((await count('payloads')) !== entries.length) fail('a payload is missing');
    const open = await database
      .selectFrom('requests')
      .leftJoin('outcomes', 'outcomes.request', 'requests.number')
      .select('number')
      .where('type', '=', 'append')
      .where('outcomes.request', 'is', null)
      .execute();
    if (!unserved && open.length > 0) fail('a request was stored and never executed');
    if (!unserved && (await count('pending')) > 0) fail('documents of an executed request are left over');
    return leaves.length;
  });
}

/** The whole bank, derived again from what is stored, as its operator does it. */
export async function checkAll(configuration: string): Promise<void> {
  const source = await openSource(configuration);
  const { findings } = await checkBank(source, readTrust(configuration)).finally(() => source.close());
  if (findings.length > 0) fail(JSON.stringify(findings, null, 2));
}

/** How many entries a record's content has. */
export function contentLength(at: Keeping, recordId: Uint8Array): Promise<number> {
  return kept(at, async (database) => {
    const query = database.selectFrom('entries').select('seq').where('record', '=', recordId);
    return (await query.where('chain', '=', 'content').execute()).length;
  });
}

function placeOf(record: Uint8Array, chain: string, seq: number): string {
  return `${toHex(record)} ${chain} ${String(seq)}`;
}

function fail(what: string): never {
  throw new Error(what);
}
