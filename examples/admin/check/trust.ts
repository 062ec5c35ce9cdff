/** In whose name a bank is checked: nothing of it comes from the database. */

import type { Credential } from 'muniment/keys';
import type { LogKeys, NoteKey } from 'muniment/record';

/** Whose bank it is. */
export interface BankTrust {
  readonly origin: string;
  readonly anchor: Credential;
  readonly bank: Credential;
  /** By the anchor's charter. */
  readonly log: LogKeys;
  /** Whose lines under checkpoints can be verified; none has to be there. */
  readonly witnesses: readonly NoteKey[];
}
