/**
 * Capabilities: what a signed reply hands to its asker so that annexes can be sent or fetched outside of the
 * conversation, on any connection of the same TLS subject, for a limited time. The bank keeps their digests.
 */

import { sha256, systemRandom } from 'muniment/crypto';
import type { Credential } from 'muniment/keys';
import { concat, equalBytes } from 'muniment/wire';
import type { Directory } from './directory.ts';
import { BankRefusal } from './refusal.ts';
import { plain, splitHashes } from './store/bytes.ts';
import type { Change, Database } from './store/tables.ts';

/** How long one is good for, in milliseconds. */
export const CAPABILITY_TIME = 3_600_000;

/** What may be done with annexes. */
export type Deed = 'fetch' | 'upload';

/** What somebody wants to do, and with what right. */
export interface Shown {
  readonly capability: Uint8Array;
  readonly deed: Deed;
  readonly name: Uint8Array;
  /** Of the TLS certificate. */
  readonly subject: string;
}

/** Makes a capability of 32 random bytes for annexes of these names. Those whose time is over are forgotten. */
export async function issueCapability(
  change: Change,
  to: {
    readonly holder: Credential;
    readonly deed: Deed;
    readonly names: readonly Uint8Array[];
    readonly now: number;
  },
): Promise<Uint8Array> {
  const { holder, deed, names, now } = to;
  await change.deleteFrom('capabilities').where('until', '<', now).execute();
  const capability = systemRandom(32);
  const row = { digest: sha256(capability), holder: holder.id, deed, names: concat(...names) };
  await change
    .insertInto('capabilities')
    .values({ ...row, until: now + CAPABILITY_TIME })
    .execute();
  return capability;
}

/**
 * Refuses whoever shows no capability that is its own and good now for this annex, or whose credential is not. Every
 * refusal is the same: none there, another's, over, for other annexes, for something else. Gives whose it is.
 */
export async function checkCapability(
  database: Database,
  directory: Directory,
  shown: Shown,
  now: number,
): Promise<Credential> {
  const { capability, deed, name, subject } = shown;
  const row = await database
    .selectFrom('capabilities')
    .selectAll()
    .where('digest', '=', sha256(capability))
    .executeTakeFirst();
  const holder = row === undefined ? null : await directory.find(database, plain(row.holder));
  if (row === undefined || holder?.subject !== subject || row.deed !== deed || now > row.until)
    throw new BankRefusal('FORBIDDEN');
  if (!splitHashes(row.names).some((one) => equalBytes(one, name))) throw new BankRefusal('FORBIDDEN');
  await directory.checkStanding(database, holder, now);
  return holder;
}
