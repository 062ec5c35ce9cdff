/** What the bank's port to its database promises, against both engines. */

import { sql, type RawBuilder } from 'kysely';
import { systemRandom } from 'muniment/crypto';
import { CLOCK_WINDOW, type FirstMessage } from 'muniment/protocol';
import { toHex } from 'muniment/wire';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Changes, PLAIN, type Around } from '../../../examples/server/store/changes.ts';
import type { Engine } from '../../../examples/server/store/engine.ts';
import { StoredReplayCache } from '../../../examples/server/store/replay.ts';
import type { Change, NewEntry } from '../../../examples/server/store/tables.ts';
import { refusalOf } from '../../refusal.ts';
import { ENGINES, makeDatabase, type TestDatabase } from './engines.ts';

const NOW = Date.UTC(2026, 2, 14);
const around = (begin: Around['begin']): Around => ({ ...PLAIN, begin });

describe.each(ENGINES)('%s', (name) => {
  let database: TestDatabase;
  let engine: Engine;
  beforeAll(async () => {
    database = await makeDatabase(name);
  }, 60_000);
  afterAll(() => database.remove());
  beforeEach(async () => {
    engine = await database.open();
  });
  afterEach(() => engine.close());

  const reopen = async (): Promise<void> => {
    await engine.close();
    engine = await database.open();
  };
  const changes = (): Changes => new Changes(engine, PLAIN);
  const leaves = async (): Promise<number[]> => {
    const rows = await engine.database.selectFrom('leaves').select('position').orderBy('position').execute();
    return rows.map(({ position }) => position);
  };
  const addLeaf = (position: number) => (change: Change) =>
    change
      .insertInto('leaves')
      .values({ position, leaf: systemRandom(32), time: 0 })
      .execute();

  it('gives back bytes and numbers as they were', async () => {
    const entry = newEntry(2 ** 53 - 1);
    await engine.database.insertInto('entries').values(entry).execute();
    await reopen();
    const found = await engine.database
      .selectFrom('entries')
      .selectAll()
      .where('record', '=', entry.record)
      .executeTakeFirstOrThrow();
    expect(Object.fromEntries(Object.entries(found).map(plainly))).toEqual(
      Object.fromEntries(Object.entries(entry).map(plainly)),
    );
  });

  describe('a change', () => {
    it('is durable when it resolves, and none of it happened if it throws', async () => {
      const all = changes();
      await all.run(addLeaf(0));
      const failing = all.run(async (change) => {
        await addLeaf(1)(change);
        throw new RangeError('no');
      });
      await expect(failing).rejects.toThrow('no');
      await reopen();
      expect(await leaves()).toEqual([0]);
    });

    it('stands or falls alone among those that are written together', async () => {
      const all = changes();
      let transactions = 0;
      const counted = new Changes(
        engine,
        around(() => {
          transactions++;
          return Promise.resolve();
        }),
      );
      const results = await Promise.allSettled([
        counted.run(addLeaf(10)),
        counted.run(addLeaf(11)),
        counted.run(async (change) => {
          await addLeaf(12)(change);
          throw new RangeError('no');
        }),
        counted.run(addLeaf(11)), // is there already
        counted.run(addLeaf(12)),
      ]);
      expect(results.map(({ status }) => status)).toEqual([
        ...['fulfilled', 'fulfilled', 'rejected', 'rejected', 'fulfilled'],
      ]);
      expect((await leaves()).filter((position) => position >= 10)).toEqual([10, 11, 12]);
      expect(transactions).toBe(1);
      await all.run(addLeaf(13));
    });

    it('goes to disk with all that arrive in the same turn of the event loop', async () => {
      let transactions = 0;
      const counted = new Changes(
        engine,
        around(() => {
          transactions++;
          return Promise.resolve();
        }),
      );
      const arriving = [14, 15, 16, 17].map(
        (position) =>
          new Promise((resolve) => {
            setImmediate(() => {
              resolve(counted.run(addLeaf(position)));
            });
          }),
      );
      await Promise.all(arriving);
      expect(transactions).toBe(1);
    });

    it('tells everybody when the whole is not written', async () => {
      const broken = new Changes(
        engine,
        around(() => Promise.reject(new RangeError('no lock'))),
      );
      const results = await Promise.allSettled([broken.run(addLeaf(20)), broken.run(addLeaf(21))]);
      expect(results.map((one) => (one.status === 'rejected' ? String(one.reason) : ''))).toEqual([
        ...['RangeError: no lock', 'RangeError: no lock'],
      ]);
      expect((await leaves()).filter((position) => position >= 20)).toEqual([]);
    });

    it('waits for whoever holds the ledger', async () => {
      const other = name === 'postgres' ? await database.open() : engine;
      const order: string[] = [];
      const first = new Changes(
        engine,
        around((change) => engine.lock(change)),
      );
      const second =
        name === 'postgres'
          ? new Changes(
              other,
              around((change) => other.lock(change)),
            )
          : first;
      let release = (): void => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      let began = (): void => undefined;
      const holding = new Promise<void>((resolve) => (began = resolve));
      const one = first.run(async () => {
        began();
        await held;
        order.push('first');
      });
      await holding;
      const two = second.run(() => Promise.resolve(order.push('second')));
      release();
      await Promise.all([one, two]);
      expect(order).toEqual(['first', 'second']);
      if (other !== engine) await other.close();
    });
  });

  it('reads what is durable while others write', async () => {
    const before = await leaves();
    await changes().run(async (change) => {
      await addLeaf(30)(change);
      const rows = await engine.reading.selectFrom('leaves').select('position').execute();
      expect(rows.length).toBe(before.length);
    });
    const rows = await engine.reading.selectFrom('leaves').select('position').execute();
    expect(rows.length).toBe(before.length + 1);
  });

  describe('what is written stays', () => {
    const refused = async (statement: RawBuilder<unknown>): Promise<void> => {
      await expect(statement.execute(engine.database)).rejects.toThrow(
        /append-only|permission denied|must be owner/u,
      );
    };
    const APPENDED = [
      ...['users', 'revocations', 'compartments', 'groups', 'records', 'leaves', 'entries'],
      ...['requests', 'repeats', 'outcomes', 'replies', 'authorities'],
    ];
    const ERASABLE = [
      ...['payloads', 'attachments', 'pending', 'first_messages'],
      ...['uploads', 'annex_chunks', 'annexes', 'uses', 'capabilities', 'cosignatures'],
    ];

    it.each([...APPENDED, ...ERASABLE])('in %s, which nobody changes', async (table) => {
      await fill(engine, table);
      const { column, count } = await look(engine, table);
      await refused(sql`UPDATE ${sql.id(table)} SET ${sql.id(column)} = ${sql.id(column)}`);
      if (APPENDED.includes(table)) await refused(sql`DELETE FROM ${sql.id(table)}`);
      if (name === 'postgres') await refused(sql`TRUNCATE ${sql.id(table)}`);
      expect((await look(engine, table)).count).toBe(count);
    });

    it.each([...APPENDED, ...ERASABLE])('in %s, also against a row that would replace it', async (table) => {
      await fill(engine, table);
      const before = await rowsOf(engine, table);
      const [row] = before;
      if (row === undefined) throw new Error('nothing to replace');
      const columns = Object.keys(row);
      const other = OTHERS[table] ?? '';
      const replaced = {
        ...row,
        [other]:
          typeof row[other] === 'string' ? 'another' : typeof row[other] === 'number' ? 1 : systemRandom(3),
      };
      const values = sql.join(columns.map((column) => (replaced as Record<string, unknown>)[column]));
      const names = sql.join(columns.map((column) => sql.id(column)));
      const insert =
        name === 'sqlite'
          ? sql`INSERT OR REPLACE INTO ${sql.id(table)} (${names}) VALUES (${values})`
          : sql`INSERT INTO ${sql.id(table)} (${names}) VALUES (${values})`;
      await insert.execute(engine.database).catch(() => undefined);
      expect(await rowsOf(engine, table)).toEqual(before);
    });

    it('but what may be erased can be', async () => {
      for (const table of ERASABLE) {
        await fill(engine, table);
        await sql`DELETE FROM ${sql.id(table)}`.execute(engine.database);
        expect((await look(engine, table)).count).toBe(0);
      }
    });
  });

  describe('first messages', () => {
    const cache = (): StoredReplayCache => new StoredReplayCache(engine, changes());
    const message = (time: number): FirstMessage => ({ digest: systemRandom(32), time });
    const refusedAt = (memory: StoredReplayCache, first: FirstMessage, now: number): Promise<string> =>
      refusalOf(() => memory.remember(first, now));
    const AGO = 20 * CLOCK_WINDOW;

    it('are taken once, also after a restart, also by another process', async () => {
      const first = message(NOW - AGO);
      await cache().remember(first, NOW - AGO);
      expect(await refusedAt(cache(), first, NOW - AGO)).toBe('SESSION_REPLAY');
      await reopen();
      expect(await refusedAt(cache(), first, NOW - AGO + CLOCK_WINDOW)).toBe('SESSION_REPLAY');
      await cache().remember(message(NOW - AGO), NOW - AGO);
      const again = message(NOW - AGO);
      const race = await Promise.allSettled([cache(), cache()].map((one) => one.remember(again, NOW - AGO)));
      expect(race.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    });

    it('are forgotten once the clock refuses them, and never taken as old should the clock be set back', async () => {
      const first = message(NOW);
      const memory = cache();
      await memory.remember(first, NOW);
      const later = NOW + CLOCK_WINDOW + 1;
      await memory.remember(message(later), later);
      expect((await look(engine, 'first_messages')).count).toBe(1);
      for (const one of [memory, cache()]) {
        expect(await refusedAt(one, first, NOW)).toBe('SESSION_REPLAY');
        expect(await refusedAt(one, message(NOW), NOW)).toBe('SESSION_REPLAY');
      }
      await memory.remember(message(NOW + 1), NOW);
    });

    it('are refused when there is no room, and taken again in time', async () => {
      const far = NOW + 10 * CLOCK_WINDOW;
      await changes().run(async (change) => {
        for (let n = 0; n < 100; n++)
          await change
            .insertInto('first_messages')
            .values(Array.from({ length: 1000 }, () => message(far)))
            .execute();
      });
      const memory = cache();
      expect(await refusedAt(memory, message(far), far)).toBe('SESSION_REPLAY');
      const later = far + CLOCK_WINDOW + 1;
      await memory.remember(message(later), later);
      expect((await look(engine, 'first_messages')).count).toBe(1);
    });
  });
});

/** One column of each table by which no row is known. */
const OTHERS: Readonly<Record<string, string>> = {
  ...{ users: 'credential', revocations: 'author', compartments: 'statement', groups: 'statement' },
  ...{ records: 'owner', leaves: 'leaf', entries: 'hash', payloads: 'bytes', attachments: 'bytes' },
  ...{ requests: 'evidence', repeats: 'evidence', outcomes: 'reply', pending: 'bytes', replies: 'evidence' },
  ...{
    first_messages: 'time',
    uploads: 'time',
    authorities: 'authority',
    annex_chunks: 'bytes',
    annexes: 'size',
    capabilities: 'until',
    cosignatures: 'line',
  },
};

function newEntry(leaf: number): NewEntry {
  const bytes = systemRandom(32);
  const place = { record: systemRandom(16), chain: 'content', seq: 0 } as const;
  return {
    ...place,
    entry: bytes,
    hash: bytes,
    receipt: bytes,
    leaf,
    annexes: bytes,
    attachments: bytes,
    session: bytes,
  };
}

let filled = 1000;
/** One more row of whatever a table holds. */
async function fill({ database, name }: Engine, table: string): Promise<void> {
  const columns = (await columnsOf(database, name, table)).map(({ column, type }) => {
    if (/blob|bytea/iu.test(type)) return [column, systemRandom(32)] as const;
    return [column, /int/iu.test(type) ? filled++ : `text ${String(filled++)}`] as const;
  });
  const names = sql.join(columns.map(([column]) => sql.id(column)));
  const values = sql.join(columns.map(([, value]) => value));
  await sql`INSERT INTO ${sql.id(table)} (${names}) VALUES (${values})`.execute(database);
}

async function columnsOf(
  database: Engine['database'],
  name: string,
  table: string,
): Promise<{ column: string; type: string }[]> {
  const query =
    name === 'sqlite'
      ? sql<{ column: string; type: string }>`SELECT name AS "column", type FROM pragma_table_info(${table})`
      : sql<{ column: string; type: string }>`
          SELECT column_name AS "column", data_type AS type FROM information_schema.columns WHERE table_name = ${table}`;
  return (await query.execute(database)).rows;
}

async function rowsOf({ database }: Engine, table: string): Promise<Record<string, unknown>[]> {
  return (await sql<Record<string, unknown>>`SELECT * FROM ${sql.id(table)}`.execute(database)).rows;
}

async function look(engine: Engine, table: string): Promise<{ column: string; count: number }> {
  const [first] = await columnsOf(engine.database, engine.name, table);
  return { column: first?.column ?? '', count: (await rowsOf(engine, table)).length };
}

function plainly([name, value]: [string, unknown]): [string, unknown] {
  return [name, value instanceof Uint8Array ? toHex(value) : value];
}
