/**
 * An owner whose keys are lost comes back under a fresh one: it asks, guardians approve, each for itself, and enough
 * approvals give it the root and make it the owner. spec/authority.md, "Recovery".
 */

import { MunimentError } from 'muniment';
import {
  approveRecovery,
  recoverRoot,
  requestRecovery,
  verifyApproval,
  verifyRecoveryRequest,
} from 'muniment/keys';
import { holdingOf, type GivenApproval } from 'muniment/record';
import { equalBytes } from 'muniment/wire';
import type { BankClient } from './bank.ts';
import { CLOCK } from './connection.ts';
import { readChain, type ReadChain } from './content.ts';
import { appointmentIn, type Holding } from './guardians.ts';
import { lookUp, person } from './people.ts';
import { hasRoot, ownCompartments, ownLists } from './own-root.ts';
import { stateIn } from './stating.ts';
import { takeOverCompartments } from './succession.ts';
import type { RecordName } from './writing.ts';

/** What a claimant hands its guardians. */
export interface AskedRecovery {
  readonly recordId: Uint8Array;
  /** The Id of the fresh key that asks. */
  readonly claimant: Uint8Array;
  /** As `requestRecovery` made it. */
  readonly request: Uint8Array;
}

/**
 * The owner, under a fresh key that the administrator has registered, asks its guardians. Nothing of it goes to the bank.
 *
 * @param until - until when it may be approved and used, in milliseconds since 1970; 30 days from now at most
 */
export async function askRecovery(client: BankClient, until: number): Promise<AskedRecovery> {
  const { recordId } = await ownCompartments(client);
  const read = await readChain(client, recordId, { purpose: 'to ask for recovery' });
  const { owner, since } = holdingOf(read.authority, read.authors);
  const { appointment } = heldIn(read);
  const request = await requestRecovery(client.user, { appointment, owner: owner.id, since, until });
  return { recordId, claimant: client.user.credential.id, request };
}

/**
 * A guardian approves, once it has made sure by other ways that the owner asks, and that this Id is the owner's. It goes by
 * the record's chain, which it reads and verifies, and by the owner's newest credential.
 *
 * @param expected - the claimant's Id as the owner itself has told it
 * @throws `MunimentError` `KEY_RECOVERY` for a request that is not about the record as it stands, or of another Id, and for
 *   who is no guardian
 */
export async function approve(
  client: BankClient,
  asked: AskedRecovery,
  expected: Uint8Array,
): Promise<GivenApproval> {
  const read = await readChain(client, asked.recordId, { purpose: 'to approve a recovery' });
  const holding = holdingOf(read.authority, read.authors);
  const { subject } = holding.owner;
  const claimant = person(await lookUp(client, { subjects: [subject] }), subject);
  if (![asked.claimant, expected].every((id) => equalBytes(id, claimant.id))) refuse();
  const request = verifyRecoveryRequest(asked.request, claimant);
  const terms = { holding, at: CLOCK.now() };
  const signed = await approveRecovery(client.user, heldIn(read).appointment, request, terms);
  return { guardian: client.user.credential.id, signed: signed ?? refuse() };
}

/**
 * The owner is back: its guardians' approvals give it the root, and the statement that carries them makes it the record's
 * owner; then it takes the list of parts over. Interrupted, it goes on with the same approvals.
 *
 * @returns guardians whose shares were wrong, and who were passed over
 * @throws `MunimentError` `KEY_RECOVERY` for too few approvals, or such as are not for this request; `KEY_SUCCESSION` if the
 *   newest list is signed by a key that the record's chain names as no owner
 */
export async function recover(
  client: BankClient,
  directory: RecordName,
  asked: AskedRecovery,
  approvals: readonly GivenApproval[],
): Promise<readonly Uint8Array[]> {
  const { recordId } = asked;
  const { id } = client.user.credential;
  const read = await readChain(client, recordId, { purpose: 'to recover' });
  const { signed, appointment } = heldIn(read);
  const about = { appointment, request: verifyRecoveryRequest(asked.request, client.user.credential) };
  const verified = approvals.map(({ guardian, signed: approval }) =>
    verifyApproval(approval, read.authors(guardian) ?? refuse(), about),
  );
  const { root, wrong } = await recoverRoot(client.user, about, verified);
  const right = approvals.filter(({ guardian }) => !wrong.some((one) => equalBytes(one, guardian)));
  if (!equalBytes(read.owner.id, id)) {
    const said = { kind: 'recovery', appointment: signed, request: asked.request, approvals: right } as const;
    await stateIn(client, recordId, said, read);
  }
  const lists = await ownLists(client);
  const compartments = lists.at(-1) ?? refuse();
  const owned = [read.owner.id, ...read.authority.formerOwners, id];
  if (!owned.some((one) => equalBytes(one, compartments.owner))) throw new MunimentError('KEY_SUCCESSION');
  if (!equalBytes(compartments.owner, id) || !(await hasRoot(client.user, lists)))
    await takeOverCompartments(client, directory, root, compartments);
  return wrong;
}

function heldIn(read: ReadChain): Holding {
  return appointmentIn(read) ?? refuse();
}

function refuse(): never {
  throw new MunimentError('KEY_RECOVERY');
}
