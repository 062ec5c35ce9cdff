/**
 * How each record stands: a row for each entry that changed who owns it, who acts for the owner, which keys are lost or
 * whether it is closed. Closings were in a table of their own before; a server that starts notes older records.
 */

import type { Kysely, Migration } from 'kysely';
import type { Engine } from '../engine.ts';
import { makeTable } from './table.ts';

/** The migration for an engine. */
export function authorities(engine: Engine['name']): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await makeTable(db, engine, {
        name: 'authorities',
        columns: { record: 'bytes', seq: 'integer', authority: 'bytes', guardians: 'bytes' },
        keys: [['record', 'seq']],
        ...{ erasable: false, repeatable: false },
      });
      await db.schema.dropTable('closures').execute();
    },
  };
}
