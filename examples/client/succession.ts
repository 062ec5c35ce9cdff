/** A patient goes on under another key: the record's own chain says so, and the list of its parts follows. */

import { equalBytes } from 'muniment/wire';
import { inheritCompartments, type Compartments, type NodeSecret } from 'muniment/keys';
import { MunimentError } from 'muniment';
import { Refused, type BankClient, type Memory } from './bank.ts';
import { readChain, type ReadChain } from './content.ts';
import { remembered } from './following.ts';
import { hasRoot, ownLists, rootOf } from './own-root.ts';
import { stateIn } from './stating.ts';
import { statement, append, type RecordName } from './writing.ts';

/**
 * A patient who has both keys goes on under the next one, which the administrator has registered: the present key states
 * it in the record, and the next one takes the list of parts over, with the same root. From then on the present key reads
 * and writes nothing more. What was done before is not done again: after an interruption it goes on. Of a record that
 * nobody has opened yet, the next key takes the list over, and that is all.
 *
 * @param before - the patient under the present key
 * @param after - the patient under the next one
 * @throws `MunimentError` `KEY_SUCCESSION` if neither of them has signed the newest list; `KEY_OPEN` if its root does not open
 */
export async function goOnUnder(before: BankClient, after: BankClient, directory: RecordName): Promise<void> {
  remember(before.memory, after.memory);
  const lists = await ownLists(after);
  const compartments = lists.at(-1) ?? unpublished();
  const { recordId, owner } = compartments;
  const [present, next] = [before.user.credential, after.user.credential];
  const taken = equalBytes(owner, next.id);
  // Another key of this name may have signed a list, of this record or of another one: it is not gone on from.
  if (!taken && !equalBytes(owner, present.id)) throw new MunimentError('KEY_SUCCESSION');
  // Whoever has the next key's signing key alone may have taken it over first, without the root.
  const whole = taken && (await hasRoot(after.user, lists));
  const root = whole ? null : await rootOf(before.user, lists);
  // Asked about again even if the list is taken over: a bank may have denied the record then.
  const read = await readAsNext(after, recordId);
  if (read !== null && !equalBytes(read.owner.id, next.id))
    await stateIn(before, recordId, { kind: 'succession', owner: next.id });
  if (root !== null) await takeOverCompartments(after, directory, root, compartments);
}

/** The patient's next key takes the list of parts over, every part as it is. */
export async function takeOverCompartments(
  client: BankClient,
  directory: RecordName,
  root: NodeSecret,
  before: Compartments,
): Promise<void> {
  const signed = await inheritCompartments(client.user, root, before);
  await append(client, directory, [statement('key', 'compartments', signed)]);
}

// What one key has heard of the bank, the next one does not forget.
function remember(before: Memory, after: Memory): void {
  if ((before.newest?.size ?? 0) > (after.newest?.size ?? 0)) after.newest = before.newest;
  for (const [of, known] of before.chains) if (!after.chains.has(of)) after.chains.set(of, known);
  for (const [of, seen] of before.seen) if (!after.seen.has(of)) after.seen.set(of, seen);
}

// The next key may verify the chain; where it may not ask, and neither key has ever read it, there is none.
async function readAsNext(client: BankClient, recordId: Uint8Array): Promise<ReadChain | null> {
  try {
    return await readChain(client, recordId, { purpose: 'to go on under another key' });
  } catch (error) {
    const unopened = remembered(client, { recordId, chain: 'content' }).head.size === 0;
    if (unopened && error instanceof Refused && error.code === 'FORBIDDEN') return null;
    throw error;
  }
}

function unpublished(): never {
  throw new MunimentError('KEY_CREDENTIAL');
}
