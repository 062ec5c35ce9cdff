/** Annexes in the database, who may send and fetch them, which entries name what, and which records are closed. */

import { sql, type Kysely, type Migration } from 'kysely';
import type { Engine } from '../engine.ts';
import { makeTable } from './table.ts';

/** The migration for an engine. */
export function annexes(engine: Engine['name']): Migration {
  const erasable = { erasable: true, repeatable: false };
  return {
    async up(db: Kysely<unknown>) {
      await makeTable(db, engine, {
        name: 'uploads',
        columns: { upload: 'bytes', subject: 'text', name: 'bytes', size: 'integer', time: 'integer' },
        keys: [['upload'], ['subject', 'name']],
        ...erasable,
      });
      // Two connections may send the same chunk: the first that is written counts.
      await makeTable(db, engine, {
        name: 'annex_chunks',
        columns: { upload: 'bytes', position: 'integer', bytes: 'bytes' },
        keys: [['upload', 'position']],
        ...{ erasable: true, repeatable: true },
      });
      await makeTable(db, engine, {
        name: 'annexes',
        columns: { name: 'bytes', upload: 'bytes', size: 'integer' },
        keys: [['name'], ['upload']],
        ...erasable,
      });
      await makeTable(db, engine, {
        name: 'uses',
        columns: { digest: 'bytes', record: 'bytes', chain: 'text', seq: 'integer' },
        keys: [['digest', 'record', 'chain', 'seq']],
        ...erasable,
      });
      await makeTable(db, engine, {
        name: 'closures',
        columns: { record: 'bytes', seq: 'integer', closed: 'integer' },
        keys: [['record', 'seq']],
        ...{ erasable: false, repeatable: false },
      });
      await makeTable(db, engine, {
        name: 'capabilities',
        columns: { digest: 'bytes', holder: 'bytes', deed: 'text', names: 'bytes', until: 'integer' },
        keys: [['digest']],
        ...erasable,
      });
      await db.schema.createIndex('uploads_name').on('uploads').column('name').execute();
      await db.schema.createIndex('capabilities_until').on('capabilities').column('until').execute();
      for (const column of ['annexes', 'attachments']) await noteUses(db, column);
    },
  };
}

// What the entries that are there name, 32 bytes at a time.
async function noteUses(db: Kysely<unknown>, column: string): Promise<void> {
  await sql`
    WITH RECURSIVE parts (digest, rest, record, chain, seq) AS (
      SELECT substr(${sql.id(column)}, 1, 32), substr(${sql.id(column)}, 33), record, chain, seq
      FROM entries WHERE length(${sql.id(column)}) > 0
      UNION ALL
      SELECT substr(rest, 1, 32), substr(rest, 33), record, chain, seq FROM parts WHERE length(rest) > 0
    )
    INSERT INTO uses (digest, record, chain, seq) SELECT DISTINCT digest, record, chain, seq FROM parts`.execute(
    db,
  );
}
