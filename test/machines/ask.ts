/** Connects as the bank's server does, to the address in the argument, and says over what, or why not: `{ version, user }` or `{ code, message }`. */

import { sql } from 'kysely';
import { openPostgres, type PostgresAddress } from '../../examples/server/store/postgres.ts';

const engine = openPostgres(JSON.parse(process.argv[2] ?? '') as PostgresAddress, () => undefined);
try {
  const query = sql`SELECT version, current_user::text AS user FROM pg_stat_ssl WHERE pid = pg_backend_pid()`;
  console.log(JSON.stringify((await query.execute(engine.database)).rows[0]));
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  console.log(JSON.stringify({ code, message }));
} finally {
  await engine.close();
}
