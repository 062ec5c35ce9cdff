/** The tables themselves: those that this check knows, all of them, and no others; and what keeps a server from changing them. */

import type { Context } from './context.ts';

type Rule = 'appended' | 'erasable' | 'changeable';

/** The tables that each migration has made, and what may happen to their rows; `null` for one that it took away. */
const TABLES: Readonly<Record<string, Readonly<Record<string, Rule | null>>>> = {
  '0001-bank': {
    ...{ users: 'appended', revocations: 'appended', compartments: 'appended', groups: 'appended' },
    ...{ records: 'appended', leaves: 'appended', entries: 'appended', requests: 'appended' },
    ...{ repeats: 'appended', outcomes: 'appended', replies: 'appended' },
    ...{ payloads: 'erasable', attachments: 'erasable', pending: 'erasable', first_messages: 'erasable' },
    replay_floor: 'changeable',
  },
  '0002-annexes': {
    ...{ uploads: 'erasable', annex_chunks: 'erasable', annexes: 'erasable', uses: 'erasable' },
    ...{ capabilities: 'erasable', closures: 'appended' },
  },
  // `users` made anew, with its protection.
  '0003-renewals': {},
  // Closings are among all else that says how a record stands.
  '0004-authorities': { authorities: 'appended', closures: null },
  '0005-cosignatures': { cosignatures: 'erasable' },
};
/** The migration library's own. */
const MIGRATION_TABLES = ['kysely_migration', 'kysely_migration_lock'];

/** Checks which tables there are. Whether they can be read: none is missing, and they are as old as this check. */
export async function checkSchema(context: Context): Promise<boolean> {
  const { source, findings } = context;
  const found = await tablesOf(context);
  findings.count('tables', found.size);
  const made = new Map<string, Rule | null>();
  const missing = new Set(Object.keys(TABLES));
  const refused: string[] = [];
  const refuse = (table: string, detail: string): void => {
    findings.add(table, '*', 'SCHEMA', detail);
    refused.push(table);
  };
  if (!found.has('kysely_migration')) refuse('kysely_migration', 'there are no tables of a bank');
  else
    for await (const { name } of source.rows<{ name: string }>(
      'SELECT name FROM kysely_migration ORDER BY name',
    )) {
      if (!missing.delete(name)) refuse('kysely_migration', 'this check is older than the tables');
      for (const [table, rule] of Object.entries(TABLES[name] ?? {})) made.set(table, rule);
    }
  if (missing.size > 0 && refused.length === 0)
    refuse(
      'kysely_migration',
      'the tables are older than this check: a server that starts brings them up to date',
    );
  const known = Object.fromEntries([...made].flatMap(([table, rule]) => (rule ? [[table, rule]] : [])));
  for (const name of Object.keys(known)) if (!found.has(name)) refuse(name, 'there is no such table');
  for (const name of found)
    if (known[name] === undefined && !MIGRATION_TABLES.includes(name))
      findings.add(name, '*', 'SCHEMA', 'this check does not know the table');
  if (source.engine === 'sqlite') await checkTriggers(context, known);
  else await checkPrivileges(context, known);
  return refused.length === 0;
}

async function tablesOf({ source }: Context): Promise<Set<string>> {
  const sql =
    source.engine === 'sqlite'
      ? "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
      : 'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()';
  const found = new Set<string>();
  for await (const { name } of source.rows<{ name: string }>(sql)) found.add(name);
  return found;
}

async function checkTriggers(
  { source, findings }: Context,
  known: Readonly<Record<string, Rule>>,
): Promise<void> {
  const found: string[] = [];
  for await (const { name } of source.rows<{ name: string }>(
    "SELECT name FROM sqlite_master WHERE type = 'trigger'",
  ))
    found.push(name);
  for (const [table, rule] of Object.entries(known)) {
    const wanted = {
      appended: ['update', 'delete', 'insert'],
      erasable: ['update', 'insert'],
      changeable: [],
    }[rule];
    for (const action of wanted)
      if (!found.some((name) => name.startsWith(`${table}_${action}`)))
        findings.add(table, '*', 'SCHEMA', `no trigger refuses to ${action} any more`);
  }
}

async function checkPrivileges(
  { source, findings }: Context,
  known: Readonly<Record<string, Rule>>,
): Promise<void> {
  const owner = await source.row<{ owns: boolean }>(
    "SELECT pg_has_role(current_user, tableowner, 'MEMBER') AS owns FROM pg_tables WHERE tablename = 'entries' AND schemaname = current_schema()",
  );
  if (owner?.owns !== false) return;
  for (const [table, rule] of Object.entries(known)) {
    const refused = { appended: ['UPDATE', 'DELETE'], erasable: ['UPDATE'], changeable: ['DELETE'] }[rule];
    for (const right of [...refused, 'TRUNCATE']) {
      const sql = 'SELECT has_table_privilege(quote_ident(?), ?) AS may';
      const row = await source.row<{ may: boolean }>(sql, table, right);
      if (row?.may !== false)
        findings.add(table, '*', 'SCHEMA', `the server's role has the right to ${right}`);
    }
  }
}
