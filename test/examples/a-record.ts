/** A record under BEHC's nine parts, and what users do to it, for tests of who may. */

import { KEM_X25519, sha256 } from 'muniment/crypto';
import { openRoot, type Credential } from 'muniment/keys';
import { encodeSignedEntry, signEntry, type Head, type SignedEntry } from 'muniment/record';
import { definePolicy } from 'muniment/views';
import type { BankClient } from '../../examples/client/bank.ts';
import { lookUp, type People } from '../../examples/client/people.ts';
import { publishGroupOf } from '../../examples/client/publishing.ts';
import { grantCompartment } from '../../examples/client/sharing.ts';
import type { sealDraft } from '../../examples/client/writing.ts';
import { createRecord, type Draft, type RecordName, type Writing } from '../../examples/client/writing.ts';
import { behcPolicy, PARTS, type Part } from '../../examples/policies/behc.ts';
import type { InProcess } from './in-process.ts';

const GROUPS = ['speciality:cardiology', 'speciality:nursing', 'emergency'];

/** Founds the groups that the policy names. */
export async function foundGroups(
  at: Pick<InProcess, 'directory'>,
  keeper: BankClient,
  members: readonly Credential[],
): Promise<void> {
  for (const name of GROUPS) {
    const own = members.filter(({ roles }) => roles.includes(name));
    await publishGroupOf(keeper, at.directory, { name, kem: KEM_X25519, members: own });
  }
}

/** Roles that keep those groups. */
export const KEEPER = GROUPS.map((name) => `keeper:${name}`);

/** A patient publishes its parts, and a doctor opens the record. */
export async function openRecord(
  at: InProcess,
  patient: BankClient,
  doctor: BankClient,
): Promise<RecordName> {
  await at.publish(patient, PARTS);
  return createRecord(doctor, patient.user.credential.subject);
}

/** For whom documents of a patient are sealed. */
export async function audienceOf(
  at: Pick<InProcess, 'trust'>,
  patient: BankClient,
): Promise<Parameters<typeof sealDraft>[1]> {
  const { subject } = patient.user.credential;
  const people: People = await lookUp(patient, { subjects: [subject], groups: GROUPS });
  const owner = people.compartments.get(subject)!;
  return { policy: definePolicy(behcPolicy), owner, groups: people.groups, custodian: at.trust.bank };
}

/** A document of one part, perhaps about another one. */
export function draftIn(part: Part, about?: Draft['about']): Draft {
  const speciality = part === 'specialistDocuments' ? 'nursing' : 'cardiology';
  const note = { note: `in ${part}`, ...(part === 'specialistDocuments' && { speciality }) };
  const apart = part === 'specialistDocuments' || part === 'personalData' || part === 'antecedents';
  const text = JSON.stringify({ ...(!apart && { speciality }), [part]: note });
  return { type: 'note', annexes: [], toJson: () => text, ...(about !== undefined && { about }) };
}

/** Asks the bank to take one entry over the head that stands, whatever this user may read. */
export async function write(
  at: InProcess,
  client: BankClient,
  recordId: Uint8Array,
  { kind, payloadType, payload, digest, attachments = [] }: Writing,
): Promise<SignedEntry> {
  const signed = await signEntry(client.user, await headOf(at, recordId), {
    ...{ origin: at.trust.origin, recordId, chain: 'content', kind, time: Date.now() },
    ...{ payloadType, payloadDigest: digest, seen: null },
  });
  const entry = { entry: encodeSignedEntry(signed), attachments: attachments.map(sha256), annexes: [] };
  await client.ask<'append'>({ type: 'append', recordId, entries: [entry] }, [payload, ...attachments]);
  return signed;
}

/** Where a chain's content ends. */
export function headOf({ bank }: InProcess, recordId: Uint8Array): Promise<Head> {
  return bank.ledger.turn((turn) => turn.head(recordId, 'content'));
}

/** The patient grants a part. Gives the hash of the grant's entry. */
export async function grantPart(
  at: InProcess,
  patient: BankClient,
  record: RecordName,
  to: { readonly grantee: Credential; readonly part: Part },
): Promise<Uint8Array> {
  const { owner: compartments } = await audienceOf(at, patient);
  await grantCompartment(patient, record, {
    ...{ grantee: to.grantee, compartments, scope: to.part, purpose: 'a second look' },
    ...{ root: await openRoot(patient.user, compartments), until: Date.now() + 3_600_000 },
  });
  return (await headOf(at, record.recordId)).hash;
}
