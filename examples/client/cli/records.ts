/** Commands about a patient's record: writing, reading, sharing, and judging an export. */

import { INBOX, ROOT, type Compartments, type Credential } from 'muniment/keys';
import { definePolicy, explain, SEALED_DOCUMENT, type Policy } from 'muniment/views';
import { equalBytes, readJson, toHex } from 'muniment/wire';
import { counted } from '../../server/counted.ts';
import { printNumber, readNumber, recordNumber } from '../../server/record-number.ts';
import { readAccesses } from '../accesses.ts';
import { auditRecord } from '../auditing.ts';
import type { BankClient } from '../bank.ts';
import { breakGlass } from '../emergency.ts';
import { fetchExport } from '../exporting.ts';
import { findRecord } from '../finding.ts';
import { readBundle } from '../fhir.ts';
import { lookUp, partsOf, person, type People } from '../people.ts';
import { ownLists, rootOf } from '../own-root.ts';
import { readRecord, type RecordView } from '../reading.ts';
import { endGrant, grantCompartment } from '../sharing.ts';
import { append, createRecord, sealDraft, type Draft, type RecordName, type Writing } from '../writing.ts';
import { CliError, UsageError } from './error.ts';
import { readBytes, readText, writeWhole } from './files.ts';
import { POLICIES, type PolicyName } from './founding.ts';
import type { Say } from './issuing.ts';
import { describeAccesses, describeView, plainly, viewAsJson } from './show.ts';
import type { Wallet } from './wallet.ts';

/** `create`: a doctor opens a patient's record. */
export async function create(wallet: Wallet, patient: string, say: Say): Promise<void> {
  await wallet.use(async (client) => {
    await compartmentsOf(client, patient);
    const { recordId } = await createRecord(client, patient);
    const number = printNumber(recordNumber(recordId));
    say(`created record ${toHex(recordId)} of ${plainly(patient)}, number ${number}`);
  });
}

/** Which document a new one amends or annotates, by its place in the chain. */
export interface About {
  readonly kind: 'amend' | 'annotate';
  readonly seq: number;
}

/** What `add` adds: a JSON document under a policy, perhaps about another one, or one patient of a FHIR bundle. */
export type Source =
  | { readonly json: string; readonly policy: PolicyName; readonly about: About | undefined }
  | { readonly fhir: string; readonly index: number | undefined };

/** `add`: a doctor seals documents into a patient's record. */
export async function add(wallet: Wallet, patient: string, source: Source, say: Say): Promise<void> {
  const { policy, drafts } = 'json' in source ? readDocument(source) : readPatient(source);
  await wallet.use(async (client) => {
    const { recordId } = await compartmentsOf(client, patient);
    const record = await readRecord(client, recordId, { purpose: 'adding to it', releases: null });
    const { tagSalt, owner } = record;
    // Whose record it is says its first entry; what is added must not end up in somebody else's.
    if (owner.subject !== patient) throw new CliError(`the record is not ${plainly(patient)}'s`);
    const audience = await audienceFor(client, { recordId, owner }, { policy, drafts });
    const writings: Writing[] = [];
    const about = 'json' in source ? targetOf(record, source.about) : {};
    for (const draft of drafts) writings.push(await sealDraft(client, audience, { ...draft, ...about }));
    await append(client, { recordId, tagSalt }, writings);
    say(`added ${counted(writings.length, 'document')}; every receipt and its place in the log verified`);
  });
}

function targetOf({ chain }: RecordView, about: About | undefined): Pick<Draft, 'about'> {
  if (about === undefined) return {};
  const item = chain[about.seq];
  if (item === undefined || 'hidden' in item || item.entry.payloadType !== SEALED_DOCUMENT)
    throw new CliError(`entry ${about.seq} is no document that you can read`);
  return { about: { kind: about.kind, document: item.entry.payloadDigest } };
}

/** What `view` shows: whose record, and how much of it. */
export interface ViewOptions {
  readonly patient?: string;
  readonly number?: string;
  readonly purpose: string;
  readonly part?: string;
  readonly asOf?: number;
  readonly json: boolean;
}

/** `view`: whatever of a record opens for this user. */
export async function view(wallet: Wallet, options: ViewOptions, out: Say): Promise<void> {
  const { patient, number, json, ...how } = options;
  await wallet.use(async (client) => {
    const { subject, roles } = client.user.credential;
    if (patient === undefined && number === undefined && !roles.includes('patient'))
      throw new UsageError('whose record? that takes --patient or --number');
    const recordId =
      number === undefined
        ? (await compartmentsOf(client, patient ?? subject)).recordId
        : await numbered(client, number);
    show(await readRecord(client, recordId, { ...how, releases: null }), json, out);
  });
}

/** `audit`: that a record is whole, without seeing anything in it. */
export async function audit(wallet: Wallet, number: string, purpose: string, say: Say): Promise<void> {
  await wallet.use(async (client) => {
    const found = await auditRecord(client, await numbered(client, number), purpose);
    const { entries, owner, head } = found;
    say(
      `record of ${plainly(owner.subject)}: ${counted(entries, 'entry', 'entries')}, linked and in the log, up to ${toHex(head.hash)}`,
    );
  });
}

async function numbered(client: BankClient, number: string): Promise<Uint8Array> {
  if (readNumber(number) === null)
    throw new UsageError('not the number of a record: look at its digits again');
  const recordId = await findRecord(client, number);
  if (recordId === null) throw new CliError('there is no record of that number that you may ask for');
  return recordId;
}

/** `break-glass`: an emergency, declared in the record's chain before anything opens. */
export async function breakTheGlass(
  wallet: Wallet,
  patient: string,
  how: { readonly reason: string; readonly json: boolean },
  out: Say,
): Promise<void> {
  await wallet.use(async (client) => {
    const { recordId } = await compartmentsOf(client, patient);
    const { releases } = await breakGlass(client, recordId, how.reason);
    show(await readRecord(client, recordId, { purpose: how.reason, releases }), how.json, out);
  });
}

/** `grant`: the patient lets somebody read one part. */
export async function grant(
  wallet: Wallet,
  terms: {
    readonly to: string;
    readonly scope: string;
    readonly purpose: string;
    readonly days: number;
  },
  say: Say,
): Promise<void> {
  const { to, scope, purpose, days } = terms;
  await wallet.use(async (client) => {
    const { record, compartments } = await ownRecord(client);
    const parts = compartments.list.map(({ name }) => name).filter((name) => name !== ROOT);
    if (!parts.includes(scope))
      throw new CliError(`there is no part ${plainly(scope)}; there are ${parts.map(plainly).join(', ')}`);
    const people = await lookUp(client, { subjects: [to] });
    if (people.credentials.length === 0) throw new CliError(`${plainly(to)} is not registered`);
    await grantCompartment(client, record, {
      grantee: person(people, to),
      compartments,
      root: await rootOf(client.user, await ownLists(client)),
      scope,
      purpose,
      until: Date.now() + days * 86_400_000,
    });
    say(`granted ${plainly(scope)} to ${plainly(to)} for ${counted(days, 'day')}`);
  });
}

/** `end-grant`: the patient ends what it granted to somebody. */
export async function endGrants(wallet: Wallet, from: string, say: Say): Promise<void> {
  await wallet.use(async (client) => {
    const { recordId } = await compartmentsOf(client, client.user.credential.subject);
    const record = await readRecord(client, recordId, { purpose: 'own record', releases: null });
    const { credentials } = await lookUp(client, {
      ids: record.grants.map(({ grant: { grantee } }) => grantee),
    });
    const theirs = record.grants.filter(({ grant: { grantee } }) =>
      credentials.some(({ id, subject }) => subject === from && equalBytes(id, grantee)),
    );
    if (theirs.length === 0) throw new CliError(`nothing is granted to ${plainly(from)}`);
    for (const { entry } of theirs) await endGrant(client, record, entry.hash);
    say(`ended ${counted(theirs.length, 'grant')} to ${plainly(from)}; what was opened stays known to them`);
  });
}

/** `accesses`: who has read the patient's own record. */
export async function accesses(wallet: Wallet, out: Say): Promise<void> {
  await wallet.use(async (client) => {
    const { recordId } = await compartmentsOf(client, client.user.credential.subject);
    const { proven, unproven } = await readAccesses(client, recordId);
    out(describeAccesses(proven).trimEnd());
    if (unproven.length > 0)
      throw new CliError(`not proven by the reader's own signature: entries ${unproven.join(', ')}`);
  });
}

/** `export`: everything that is needed to verify the record offline, one day. */
export async function exportOwn(wallet: Wallet, file: string, say: Say): Promise<void> {
  await wallet.use(async (client) => {
    const { recordId } = await compartmentsOf(client, client.user.credential.subject);
    writeWhole(file, await fetchExport(client, recordId));
    say(
      `${file}: verify it with: npm run -s client -- verify ${file} --anchor-id ${toHex(client.trust.anchor.id)} \\`,
    );
    say(`  --origin ${client.trust.origin} --owner-id ${toHex(client.user.credential.id)}`);
  });
}

function show(record: RecordView, json: boolean, out: Say): void {
  out((json ? viewAsJson(record) : describeView(record)).trimEnd());
  const broken = record.broken.map(({ entry, code }) => `${entry.entry.seq} (${code})`);
  if (broken.length > 0) throw new CliError(`documents that do not open, at entries ${broken.join(', ')}`);
}

async function compartmentsOf(client: BankClient, patient: string): Promise<Compartments> {
  const people = await lookUp(client, { subjects: [patient] });
  if (people.credentials.length === 0) throw new CliError(`${plainly(patient)} is not registered`);
  const compartments = people.compartments.get(patient);
  if (compartments === undefined)
    throw new CliError(
      `${plainly(patient)} has not published the parts of a record: that takes its own \`publish-compartments\` first`,
    );
  return compartments;
}

async function ownRecord(client: BankClient): Promise<{ record: RecordName; compartments: Compartments }> {
  const compartments = await compartmentsOf(client, client.user.credential.subject);
  const { recordId } = compartments;
  const { tagSalt } = await readRecord(client, recordId, { purpose: 'own record', releases: null });
  return { record: { recordId, tagSalt }, compartments };
}

// For whom the documents are sealed: every name that the policy gives for them, as far as there is a group of that name.
async function audienceFor(
  client: BankClient,
  to: { readonly recordId: Uint8Array; readonly owner: Credential },
  sealed: { readonly policy: Policy; readonly drafts: readonly (Draft & { readonly sample: string })[] },
): Promise<Parameters<typeof sealDraft>[1]> {
  const { policy, drafts } = sealed;
  const named = drafts.flatMap(({ sample }) =>
    explain(policy, readJson(sample)).flatMap(({ readers }) => (readers === 'public' ? [] : readers)),
  );
  const groups = [...new Set(named)];
  const patient = to.owner.subject;
  const people: People = await lookUp(client, { subjects: [patient], groups });
  const owner = partsOf(people, to.recordId, to.owner);
  const there = new Set(owner.list.map(({ name }) => name));
  const missing = policy.compartments.find((name) => name !== INBOX && !there.has(name));
  if (missing !== undefined)
    throw new CliError(`the record of ${plainly(patient)} has no part ${missing}: another policy's`);
  // A speciality that nobody here practises has no group, and needs none.
  const absent = groups.filter((name) => !name.startsWith('speciality:') && !people.groups.has(name));
  if (absent.length > 0)
    throw new CliError(
      `the policy names groups that are not published: ${absent.join(', ')}; their keepers run \`publish-group\` first`,
    );
  return { policy, owner, groups: people.groups, custodian: client.trust.bank };
}

interface ToSeal {
  readonly policy: Policy;
  /** Each with a text from which its readers can be told. */
  readonly drafts: readonly (Draft & { readonly sample: string })[];
}

function readDocument({ json, policy }: { json: string; policy: PolicyName }): ToSeal {
  const text = readText(json);
  try {
    readJson(text);
  } catch (cause) {
    throw new UsageError(`${json} is not strict JSON`, { cause });
  }
  const draft = { type: 'record', annexes: [], toJson: () => text, sample: text };
  return { policy: definePolicy(POLICIES[policy]), drafts: [draft] };
}

function readPatient({ fhir, index }: { fhir: string; index: number | undefined }): ToSeal {
  const records = readBundle(readBytes(fhir));
  if (records.length > 1 && index === undefined)
    throw new UsageError(`${fhir} holds ${records.length} patients: choose one with --index, from 1`);
  const record = records[(index ?? 1) - 1];
  if (record === undefined) throw new UsageError(`${fhir} holds only ${counted(records.length, 'patient')}`);
  const drafts = record.documents.map((document) => ({
    type: document.type,
    annexes: document.annexes,
    toJson: (descriptors: readonly string[]) => document.toJson(descriptors),
    // Where an annex is described, and so by whom it is read, does not depend on what the description says.
    sample: document.toJson(document.annexes.map(() => '{"none":true}')),
  }));
  return { policy: definePolicy(POLICIES.fhir), drafts };
}
