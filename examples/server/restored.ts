/** The mark on a bank that was restored, as long as nothing says that it is whole. docs/administration.md, "Backup and restore". */

import { existsSync } from 'node:fs';
import path from 'node:path';

/** The mark's name in the data folder. */
export const RESTORED_FILE = 'restored.json';

/** Refuses to go on from a state that may be older than what the bank has signed: it would sign a second history. */
export function refuseRestored(dataFolder: string): void {
  const file = path.join(dataFolder, RESTORED_FILE);
  if (existsSync(file))
    throw new Error(`the bank was restored from a backup, and nothing says yet that it is whole: ${file}`);
}
