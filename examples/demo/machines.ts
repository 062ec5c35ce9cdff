/** Where the demo's parts run when server and database have machines of their own, as in `deploy/three-machines`. */

import { readFileSync } from 'node:fs';
import { z } from 'zod';

const schema = z.strictObject({
  server: z.strictObject({
    /** A command that runs another one on the server's machine, which sees the same files. */
    enter: z.array(z.string()).min(1),
    host: z.string(),
    port: z.int().min(1).max(65535),
  }),
  database: z.strictObject({
    /** Goes into `server.json` as it is; file names are absolute. The tables are there, and empty. */
    store: z.looseObject({ engine: z.literal('postgres') }),
    /** As whoever runs the database's machine connects, who owns the tables. */
    owner: z.strictObject({
      /** A name, or the folder of a socket. */
      host: z.string(),
      port: z.int().min(1).max(65535),
      user: z.string(),
      password: z.string(),
      database: z.string(),
    }),
    /** Everything that the database server writes lies in here. */
    folder: z.string(),
  }),
});

/** The server's machine and the database's; the demo itself is the client's. */
export type Machines = z.output<typeof schema>;

/** Reads `--machines FILE`. Throws an `Error` of one line. */
export function readMachines(file: string): Machines {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw new Error(`${file} cannot be read as JSON`);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Error(`${file} is wrong at "${issue?.path.join('.') ?? ''}": ${issue?.message ?? ''}`);
}
