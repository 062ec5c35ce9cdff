/** The server's configuration and settings, as far as they name keys, and where those lie. */

import path from 'node:path';
import { z } from 'zod';
import { readForm } from '../../client/cli/files.ts';
import type { BankFolder } from '../bank-folder.ts';

const form = z.looseObject({
  origin: z.string(),
  identity: z.looseObject({
    keys: z.string(),
    credential: z.string(),
    passphraseFile: z.string(),
    former: z.array(z.string()).default([]),
  }),
  log: z.looseObject({ keys: z.string(), charter: z.string() }),
  anchor: z.looseObject({ credential: z.string(), id: z.string() }),
});

/** What is in `server/server.json`, all that is not about keys included. */
export type ServerFiles = z.output<typeof form>;

/** Reads it, and gives where its files lie. */
export function readServerFiles(folder: BankFolder): {
  readonly config: ServerFiles;
  readonly at: (name: string) => string;
} {
  const config = readForm(folder.at('server', 'server.json'), form);
  return { config, at: (name) => path.resolve(folder.at('server'), name) };
}
