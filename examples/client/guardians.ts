/** Guardians: whom an owner appoints so that enough of them together bring it back when its keys are lost. spec/authority.md. */

import { MunimentError } from 'muniment';
import {
  appointGuardians,
  openRoot,
  verifyAppointment,
  type Appointment,
  type Compartments,
  type Credential,
} from 'muniment/keys';
import { readAuthorityStatement } from 'muniment/record';
import { equalBytes } from 'muniment/wire';
import type { BankClient } from './bank.ts';
import { readChain, type ReadChain } from './content.ts';
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
 * @param compartments - the owner's newest list, which has the root
 * @throws `MunimentError` `KEY_SUCCESSION` if somebody else has signed it
 */
export async function appoint(
  client: BankClient,
  compartments: Compartments,
  terms: { readonly threshold: number; readonly guardians: readonly Credential[] },
): Promise<void> {
  const { recordId, owner } = compartments;
  if (!equalBytes(owner, client.user.credential.id)) throw new MunimentError('KEY_SUCCESSION');
  const read = await readChain(client, recordId, { purpose: 'to appoint guardians' });
  const root = await openRoot(client.user, compartments);
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
