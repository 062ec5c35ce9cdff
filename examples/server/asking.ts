/** What every use case has: the bank's parts, who asks, and what ties what follows to the request. */

import type { Credential, Identity } from 'muniment/keys';
import type { AnnexStore } from './annexes.ts';
import type { Directory } from './directory.ts';
import type { Ledger } from './ledger.ts';
import type { Records } from './records.ts';
import type { Said } from './said.ts';
import type { Changes } from './store/changes.ts';
import type { Database } from './store/tables.ts';
import type { Cause, Turn } from './turn.ts';

/** The bank's parts, as use cases see them. */
export interface House {
  readonly identity: Identity;
  readonly directory: Directory;
  readonly records: Records;
  readonly ledger: Ledger;
  /** What the bank says of a durable size of the log, the newest if none is given; cosigned, where it has witnesses. */
  readonly said: (size?: number) => Promise<Said>;
  readonly annexes: AnnexStore;
  /** For reading what is durable. */
  readonly reading: Database;
  /** For writing what needs no turn at the ledger. */
  readonly beside: Changes;
  readonly now: () => number;
  /** For how long an emergency lasts, in milliseconds. */
  readonly releaseTime: number;
}

/** The asker, and the request. */
export interface Asking {
  readonly user: Credential;
  readonly cause: Cause;
  /** When it was asked, by the bank's clock: what an access states, whatever that clock does meanwhile. */
  readonly at: number;
}

/** A reply before it is signed. */
export interface Answer {
  readonly text: string;
  readonly documents: readonly Uint8Array[];
}

/** An answer of text alone. */
export function answer(text: string): Answer {
  return { text, documents: [] };
}

/**
 * What the bank says now, or said of a size, to somebody who may still hear it: witnesses take their time, and what is
 * read after them may have been written meanwhile.
 */
export async function sayTo<Asked>(
  { said, directory, reading, now }: House,
  { user }: Asking,
  {
    size,
    judge,
  }: { readonly size?: number | undefined; readonly judge: (database: Database) => Promise<Asked> },
): Promise<{ readonly said: Said; readonly asked: Asked }> {
  const word = await said(size);
  await directory.checkStanding(reading, user, now());
  return { said: word, asked: await judge(reading) };
}

/** A turn at the ledger for somebody who is in good standing when it comes: a revocation may have stood before it in the queue. */
export function turnFor<Result>(
  { ledger, directory, now }: House,
  { user }: Asking,
  work: (turn: Turn) => Promise<Result>,
): Promise<Result> {
  return ledger.turn(async (turn) => {
    await directory.checkStanding(turn.change, user, now());
    return work(turn);
  });
}
