/** Brings a database's tables up to date, each migration once and whole. */

import { Migrator, type Kysely, type Migration } from 'kysely';
import type { Engine } from './engine.ts';
import { bank } from './migrations/0001-bank.ts';
import { annexes } from './migrations/0002-annexes.ts';
import { renewals } from './migrations/0003-renewals.ts';
import { authorities } from './migrations/0004-authorities.ts';
import { cosignatures } from './migrations/0005-cosignatures.ts';
import type { Tables } from './tables.ts';

type Write = (engine: Engine['name']) => Migration;
/** All migrations by name, in the order of their names; what was released is never changed. */
const MIGRATIONS: Readonly<Record<string, Write>> = {
  '0001-bank': bank,
  '0002-annexes': annexes,
  '0003-renewals': renewals,
  '0004-authorities': authorities,
  '0005-cosignatures': cosignatures,
};

/** Runs what has not been run yet. */
export async function migrate(database: Kysely<Tables>, engine: Engine['name']): Promise<void> {
  const migrations = Object.fromEntries(
    Object.entries(MIGRATIONS).map(([name, write]) => [name, write(engine)]),
  );
  const migrator = new Migrator({
    db: database,
    provider: { getMigrations: () => Promise.resolve(migrations) },
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error instanceof Error ? error : new Error('the tables cannot be made');
}
