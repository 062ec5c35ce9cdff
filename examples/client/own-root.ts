/** An owner's own lists of compartments, and the root of its record, which comes back from them. */

import { MunimentError } from 'muniment';
import { nodeKey, openRoot, type Compartments, type Identity, type NodeSecret } from 'muniment/keys';
import { compartmentReader, type OpeningReader } from 'muniment/views';
import type { BankClient } from './bank.ts';
import { lookUp } from './people.ts';

/** An owner's root as a reader: the root itself comes back from the compartments' own statements. */
export async function rootReader(client: BankClient, lists: readonly Compartments[]): Promise<OpeningReader> {
  const root = lists.at(-1)?.list[0];
  if (root === undefined) throw new MunimentError('KEY_CREDENTIAL');
  const key = nodeKey(await rootOf(client.user, lists), root.kem);
  return { reader: compartmentReader(root), key };
}

/**
 * The root of a record of one's own. Whoever once had the signing key alone may have published a list with none in it: the
 * root stays the same, and an older list has it too.
 *
 * @throws `MunimentError` `KEY_OPEN` if it is in none
 */
export async function rootOf(user: Identity, lists: readonly Compartments[]): Promise<NodeSecret> {
  for (const one of [...lists].reverse()) {
    try {
      return await openRoot(user, one);
    } catch (error) {
      if (!(error instanceof MunimentError)) throw error; // the key's own trouble
    }
  }
  throw new MunimentError('KEY_OPEN');
}

/** Whether the root is sealed to this key in any of them. */
export async function hasRoot(user: Identity, lists: readonly Compartments[]): Promise<boolean> {
  try {
    await rootOf(user, lists);
    return true;
  } catch (error) {
    if (error instanceof MunimentError && error.code === 'KEY_OPEN') return false;
    throw error;
  }
}

/** An owner's own lists of compartments, oldest first. */
export async function ownLists(client: BankClient): Promise<readonly Compartments[]> {
  const { subject } = client.user.credential;
  const lists = (await lookUp(client, { subjects: [subject] })).lists.get(subject);
  if (lists === undefined) throw new MunimentError('KEY_CREDENTIAL');
  return lists;
}

/** An owner's own compartments, as they are now. */
export async function ownCompartments(client: BankClient): Promise<Compartments> {
  const newest = (await ownLists(client)).at(-1);
  if (newest === undefined) throw new MunimentError('KEY_CREDENTIAL');
  return newest;
}
