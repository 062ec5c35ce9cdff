/** Guardians: whom an owner appoints so that enough of them together bring it back when its keys are lost. spec/authority.md. */

import { MunimentError } from 'muniment';
import {
  appointGuardians,
  verifyAppointment,
  type Appointment,
  type Compartments,
  type Credential,
} from 'muniment/keys';
import { readAuthorityStatement } from 'muniment/record';
import { equalBytes } from 'muniment/wire';
import type { BankClient } from './bank.ts';
import { readChain, type ReadChain } from './content.ts';
import { rootOf } from './own-root.ts';
import { stateIn } from './stating.ts';

/** An appointment that holds, and the statement that made it. */
export interface Holding {
  readonly signed: Uint8Array;
  readonly appointment: Appointment;
}

/**
 * The owner appoints guardians, in the place of those before: each gets a share of the root, which a number of them
 * together brings back.
 *
 * @param lists - the owner's own, which have the root
 * @throws `MunimentError` `KEY_SUCCESSION` if somebody else has signed it
 */
export async function appoint(
  client: BankClient,
  lists: readonly Compartments[],
  terms: { readonly threshold: number; readonly guardians: readonly Credential[] },
): Promise<void> {
  const newest = lists.at(-1);
  if (newest === undefined || !equalBytes(newest.owner, client.user.credential.id))
    throw new MunimentError('KEY_SUCCESSION');
  const { recordId } = newest;
  const read = await readChain(client, recordId, { purpose: 'to appoint guardians' });
  const root = await rootOf(client.user, lists);
  const previous = appointmentIn(read)?.appointment ?? null;
  const appointment = await appointGuardians(client.user, root, { ...terms, recordId, previous });
  await stateIn(client, recordId, { kind: 'guardians', appointment }, read);
}

/** The appointment that holds in a record, as its chain was read; `null` if there is none. */
export function appointmentIn({ authority, statements }: ReadChain): Holding | null {
  const held = authority.appointment;
  if (held === null) return null;
  for (const { entry, payload } of statements) {
    const said = readAuthorityStatement(entry.entry, payload);
    if (said.kind !== 'guardians') continue;
    const appointment = verifyAppointment(said.appointment, entry.author);
    if (equalBytes(appointment.digest, held.digest)) return { signed: said.appointment, appointment };
  }
  return null;
}
