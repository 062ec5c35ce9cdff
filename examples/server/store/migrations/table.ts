/** One table more: its columns and keys, and what the database itself refuses to do to its rows. */

import { sql, type CreateTableBuilder, type Kysely } from 'kysely';
import type { Engine } from '../engine.ts';
import type { Tables } from '../tables.ts';

/** What a table is. */
export interface Table {
  /** One of today's, or one that a later migration takes away. */
  readonly name: keyof Tables | 'closures';
  readonly columns: Readonly<Record<string, 'bytes' | 'integer' | 'text'>>;
  /** Columns by which a row is known, the primary key first: none of them comes twice. */
  readonly keys: readonly [string[], ...string[][]];
  /** Whether rows may go. None ever changes. */
  readonly erasable: boolean;
  /** Whether what is there already is passed over when it comes again; else it is refused. */
  readonly repeatable: boolean;
}

/** Makes a table, with its protection; what PostgreSQL's roles may do to it is granted when it was migrated. */
export async function makeTable(db: Kysely<unknown>, engine: Engine['name'], table: Table): Promise<void> {
  const bytes = engine === 'sqlite' ? sql`blob` : sql`bytea`;
  const written = { bytes, integer: engine === 'sqlite' ? 'integer' : 'bigint', text: 'text' } as const;
  const { name, columns, keys } = table;
  let builder: CreateTableBuilder<string, string> = db.schema.createTable(name);
  for (const [column, type] of Object.entries(columns))
    builder = builder.addColumn(column, written[type], (one) => one.notNull());
  const [primary, ...others] = keys;
  builder = builder.addPrimaryKeyConstraint(`${name}_key`, primary);
  for (const [i, unique] of others.entries())
    builder = builder.addUniqueConstraint(`${name}_unique_${String(i)}`, unique);
  if (engine === 'sqlite') builder = builder.modifyEnd(sql`strict`);
  await builder.execute();
  await (engine === 'sqlite' ? protect(db, table) : store(db, table));
}

// SQLite knows no roles: triggers refuse. INSERT OR REPLACE deletes without asking a trigger on deletion, so what is
// there already is refused before.
async function protect(db: Kysely<unknown>, { name, keys, erasable, repeatable }: Table): Promise<void> {
  for (const action of erasable ? ['update'] : ['update', 'delete'])
    await sql`
      CREATE TRIGGER ${sql.id(`${name}_${action}`)} BEFORE ${sql.raw(action)} ON ${sql.id(name)}
      BEGIN SELECT RAISE(ABORT, 'append-only'); END`.execute(db);
  const again = repeatable ? sql`RAISE(IGNORE)` : sql`RAISE(ABORT, 'append-only: it is there already')`;
  for (const [i, key] of keys.entries()) {
    const same = sql.join(
      key.map((column) => sql`${sql.id(column)} = new.${sql.id(column)}`),
      sql` AND `,
    );
    await sql`
      CREATE TRIGGER ${sql.id(`${name}_insert_${String(i)}`)} BEFORE INSERT ON ${sql.id(name)}
      WHEN EXISTS (SELECT 1 FROM ${sql.id(name)} WHERE ${same}) BEGIN SELECT ${again}; END`.execute(db);
  }
}

// What is sealed does not grow smaller for being compressed.
async function store(db: Kysely<unknown>, { name, columns }: Table): Promise<void> {
  for (const [column, type] of Object.entries(columns)) {
    if (type !== 'integer')
      await sql`ALTER TABLE ${sql.id(name)} ALTER ${sql.id(column)} SET STORAGE EXTERNAL`.execute(db);
  }
}
