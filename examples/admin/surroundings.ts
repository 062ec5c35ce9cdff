/** What the commands of a bank's operator have of their surroundings. */

import type { AskPassphrase } from '../client/cli/passphrase.ts';
import type { BankFolder } from './bank-folder.ts';

/** Where a command prints, what it works on, and how it asks. */
export interface AdminSurroundings {
  readonly say: (line: string) => void;
  readonly passphrase: AskPassphrase;
  /** The bank's folder. */
  readonly folder: BankFolder;
}

/** Gives a command its surroundings, once it knows the bank's folder. */
export type FindSurroundings = (folder: string) => AdminSurroundings;

/** The folder where none is given. */
export const DEFAULT_FOLDER = 'muniment-bank';
