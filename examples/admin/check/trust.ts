/** In whose name a bank is checked: nothing of it comes from the database. */

import type { Credential } from 'muniment/keys';
import type { LogKeys, NoteKey } from 'muniment/record';
import { equalBytes } from 'muniment/wire';

/** Whose bank it is. */
export interface BankTrust {
  readonly origin: string;
  readonly anchor: Credential;
  readonly bank: Credential;
  /** Credentials that its keys had before. */
  readonly former?: readonly Credential[];
  /** By the anchor's charter. */
  readonly log: LogKeys;
  /** Whose lines under checkpoints can be verified; none has to be there. */
  readonly witnesses: readonly NoteKey[];
}

/** The bank's credential of that Id; the one that it has now if there is none. */
export function bankOf({ bank, former = [] }: BankTrust, id: Uint8Array): Credential {
  return former.find((one) => equalBytes(one.id, id)) ?? bank;
}
