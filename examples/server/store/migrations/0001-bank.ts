/** The bank's tables as they first were, and what the database itself refuses to do to them. */

import { sql, type CreateTableBuilder, type Kysely, type Migration } from 'kysely';
import type { Engine } from '../engine.ts';
import type { Tables } from '../tables.ts';

/** Keys of each table by which an append-only row is known: none of them comes twice, nor goes. */
const KEYS: Readonly<Record<keyof Tables, [string[], ...string[][]]>> = {
  users: [['id'], ['subject']],
  revocations: [['credential', 'statement']],
  compartments: [
    ['owner', 'number'],
    ['record', 'number'],
  ],
  groups: [['name', 'epoch']],
  records: [['id']],
  leaves: [['position']],
  entries: [['record', 'chain', 'seq'], ['leaf']],
  payloads: [['record', 'chain', 'seq']],
  attachments: [['digest']],
  requests: [['number'], ['session'], ['issuer', 'subject', 'id']],
  repeats: [['session']],
  outcomes: [['request']],
  pending: [['request', 'position']],
  replies: [['session']],
  first_messages: [['digest']],
  replay_floor: [['one']],
};
/** Tables whose rows may go; none of any table changes. */
const ERASABLE: readonly string[] = ['payloads', 'attachments', 'pending', 'first_messages'];
const CHANGEABLE = 'replay_floor';
/** Tables in which what is there already is passed over when it comes again. */
const REPEATABLE: readonly string[] = ['revocations', 'attachments', 'outcomes', 'first_messages'];

/** The migration for an engine. */
export function bank(engine: Engine['name']): Migration {
  const bytes = engine === 'sqlite' ? sql`blob` : sql`bytea`;
  const integer = engine === 'sqlite' ? 'integer' : 'bigint';
  type Columns = Readonly<Record<string, 'bytes' | 'integer' | 'text'>>;

  const create = async (db: Kysely<unknown>, table: keyof Tables, columns: Columns): Promise<void> => {
    const written = { bytes, integer, text: 'text' } as const;
    let builder: CreateTableBuilder<string, string> = db.schema.createTable(table);
    for (const [name, type] of Object.entries(columns))
      builder = builder.addColumn(name, written[type], (column) => column.notNull());
    const [primary, ...others] = KEYS[table];
    builder = builder.addPrimaryKeyConstraint(`${table}_key`, primary);
    for (const [i, unique] of others.entries())
      builder = builder.addUniqueConstraint(`${table}_unique_${String(i)}`, unique);
    if (engine === 'sqlite') builder = builder.modifyEnd(sql`strict`);
    await builder.execute();
  };

  return {
    async up(db: Kysely<unknown>) {
      await create(db, 'users', { id: 'bytes', subject: 'text', credential: 'bytes' });
      const revocation = {
        credential: 'bytes',
        author: 'bytes',
        statement: 'bytes',
        heard: 'integer',
        seq: 'integer',
      } as const;
      await create(db, 'revocations', revocation);
      const list = { owner: 'bytes', number: 'integer', record: 'bytes', statement: 'bytes' } as const;
      await create(db, 'compartments', list);
      await create(db, 'groups', { name: 'text', epoch: 'integer', keeper: 'bytes', statement: 'bytes' });
      await create(db, 'records', { id: 'bytes', owner: 'bytes', tag_salt: 'bytes' });
      await create(db, 'leaves', { position: 'integer', leaf: 'bytes', time: 'integer' });
      const place = { record: 'bytes', chain: 'text', seq: 'integer' } as const;
      await create(db, 'entries', {
        ...place,
        ...{ entry: 'bytes', hash: 'bytes', receipt: 'bytes', leaf: 'integer' },
        ...{ annexes: 'bytes', attachments: 'bytes', session: 'bytes' },
      });
      // Apart from the signed entries, so that a body can be erased one day and every proof stays.
      await create(db, 'payloads', { ...place, bytes: 'bytes' });
      await create(db, 'attachments', { digest: 'bytes', bytes: 'bytes' });
      await create(db, 'requests', {
        ...{ number: 'integer', issuer: 'bytes', subject: 'text', id: 'bytes', session: 'bytes' },
        ...{ author: 'bytes', digest: 'bytes', evidence: 'bytes', type: 'text' },
      });
      await create(db, 'repeats', { session: 'bytes', request: 'integer', evidence: 'bytes' });
      await create(db, 'outcomes', { request: 'integer', reply: 'text' });
      await create(db, 'pending', { request: 'integer', position: 'integer', bytes: 'bytes' });
      await create(db, 'replies', { session: 'bytes', evidence: 'bytes' });
      await create(db, 'first_messages', { digest: 'bytes', time: 'integer' });
      await create(db, 'replay_floor', { one: 'integer', time: 'integer' });
      await db.schema.createIndex('first_messages_time').on('first_messages').column('time').execute();
      await sql`INSERT INTO replay_floor VALUES (1, 0)`.execute(db);
      if (engine === 'sqlite') await protect(db);
      else await suit(db);
    },
  };
}

// PostgreSQL numbers requests only if it is told to; and what is sealed does not grow smaller for being compressed.
async function suit(db: Kysely<unknown>): Promise<void> {
  await sql`ALTER TABLE requests ALTER number ADD GENERATED BY DEFAULT AS IDENTITY`.execute(db);
  for (const { name: table, columns } of await db.introspection.getTables()) {
    if (!Object.hasOwn(KEYS, table)) continue;
    for (const { name, dataType } of columns) {
      if (dataType !== 'int8')
        await sql`ALTER TABLE ${sql.id(table)} ALTER ${sql.id(name)} SET STORAGE EXTERNAL`.execute(db);
    }
  }
}

// SQLite knows no roles: triggers refuse. INSERT OR REPLACE deletes without asking a trigger on deletion, so what is
// there already is refused before.
async function protect(db: Kysely<unknown>): Promise<void> {
  for (const [table, keys] of Object.entries(KEYS)) {
    if (table === CHANGEABLE) continue;
    await refuse(db, table, 'update');
    if (!ERASABLE.includes(table)) await refuse(db, table, 'delete');
    for (const [i, key] of keys.entries()) {
      const same = sql.join(
        key.map((column) => sql`${sql.id(column)} = new.${sql.id(column)}`),
        sql` AND `,
      );
      await sql`
        CREATE TRIGGER ${sql.id(`${table}_insert_${String(i)}`)} BEFORE INSERT ON ${sql.id(table)}
        WHEN EXISTS (SELECT 1 FROM ${sql.id(table)} WHERE ${same})
        BEGIN SELECT ${REPEATABLE.includes(table) ? sql`RAISE(IGNORE)` : sql`RAISE(ABORT, 'append-only: it is there already')`}; END`.execute(
        db,
      );
    }
  }
}

async function refuse(db: Kysely<unknown>, table: string, action: 'delete' | 'update'): Promise<void> {
  await sql`
    CREATE TRIGGER ${sql.id(`${table}_${action}`)} BEFORE ${sql.raw(action)} ON ${sql.id(table)}
    BEGIN SELECT RAISE(ABORT, 'append-only'); END`.execute(db);
}
