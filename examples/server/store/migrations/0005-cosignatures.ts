/** What witnesses said, where all of a bank's processes find it. */

import type { Kysely, Migration } from 'kysely';
import type { Engine } from '../engine.ts';
import { makeTable } from './table.ts';

/** The migration for an engine. */
export function cosignatures(engine: Engine['name']): Migration {
  return {
    up: (db: Kysely<unknown>) =>
      // Two processes may ask for the same line: the first that is written counts.
      makeTable(db, engine, {
        name: 'cosignatures',
        columns: { size: 'integer', witness: 'text', line: 'text' },
        keys: [['size', 'witness']],
        ...{ erasable: true, repeatable: true },
      }),
  };
}
