/** Sharing: the owner grants parts of its record, and ends what it granted. */

import { compartmentNode, type Compartments, type Credential, type NodeSecret } from 'muniment/keys';
import { encodeSignedEntry } from 'muniment/record';
import { grant } from 'muniment/views';
import { encodeGrantEnd, GRANT_END } from '../server/grant-end.ts';
import type { BankClient } from './bank.ts';
import { CLOCK } from './connection.ts';
import { append, statement, type RecordName } from './writing.ts';

/** The owner grants a compartment. Returns how many bytes that wrote. */
export async function grantCompartment(
  client: BankClient,
  record: RecordName,
  granted: {
    readonly grantee: Credential;
    readonly compartments: Compartments;
    readonly root: NodeSecret;
    readonly scope: string;
    readonly purpose: string;
    readonly until: number;
  },
): Promise<number> {
  const { grantee, compartments, root, scope, purpose, until } = granted;
  const compartment = compartments.list.find(({ name }) => name === scope) ?? missing();
  const node = compartmentNode(root, scope, compartment.epoch);
  const terms = {
    recordId: record.recordId,
    purpose,
    from: CLOCK.now() - 60_000,
    until,
    mayPassOn: false,
  };
  const signed = await grant(client.user, grantee, {
    terms,
    granted: { kind: 'compartment', ...compartment, node },
  });
  const writing = { ...statement('grant', 'grant', signed.statement), attachments: [signed.wrap] };
  const [entry] = await append(client, record, [writing]);
  return encodeSignedEntry(entry ?? missing()).length + writing.payload.length + signed.wrap.length;
}

/**
 * The owner ends a grant: the bank hands out nothing more under it. Keys that the grantee holds it keeps; so that they
 * open nothing of what is to come, rotate the compartment as well.
 *
 * @param granted - the hash of the grant's entry
 */
export async function endGrant(client: BankClient, record: RecordName, granted: Uint8Array): Promise<void> {
  await append(client, record, [statement('revoke', GRANT_END, encodeGrantEnd(granted))]);
}

function missing(): never {
  throw new RangeError('not found');
}
