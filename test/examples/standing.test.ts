/** Whether an author may still write is judged in the step that takes the leaf: what an honest bank takes never convicts it. */

import type { KyselyPlugin } from 'kysely';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { KEM_X25519, sha256, systemRandom } from 'muniment/crypto';
import type { VerifiedEnvelope } from 'muniment/envelope';
import {
  createAnchor,
  createRoot,
  enrol,
  publishCompartments,
  renounceCredential,
  revokeCredential,
  type Identity,
} from 'muniment/keys';
import {
  CREATE,
  directoryId,
  encodeCreation,
  encodeSignedEntry,
  headAfter,
  signEntry,
  type Head,
} from 'muniment/record';
import { utf8 } from 'muniment/wire';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { statement, type Writing } from '../../examples/client/writing.ts';
import { AnnexStore } from '../../examples/server/annexes.ts';
import { parseRequest, writeText } from '../../examples/server/api.ts';
import { Bank } from '../../examples/server/bank.ts';
import { createLogKeys } from '../../examples/server/log-keys.ts';
import { BankRefusal } from '../../examples/server/refusal.ts';
import type { Engine } from '../../examples/server/store/engine.ts';
import { openSqlite } from '../../examples/server/store/sqlite.ts';

const ORIGIN = 'bank.example/records';
const DIRECTORY = directoryId(ORIGIN);
const END = 900_000;

let folder: string;
let engine: Engine;
let bank: Bank;
let anchor: Identity;
let identity: Identity;
let patient: Identity;
let now: number;
/** What happens between the judging of the author and the leaf: the bank looks for the lists of parts that there are. */
let between: () => void;
let reports: unknown[];

beforeEach(async () => {
  [now, between, reports] = [100_000, () => undefined, []];
  const suite = { kem: KEM_X25519 };
  const make = (subject: string, notAfter: number): Promise<Identity> =>
    enrol(anchor, { subject, roles: [subject], notBefore: 0, notAfter }, suite);
  const profile = { subject: 'administrator', roles: ['administrator'], notBefore: 0, notAfter: 4e12 };
  anchor = await createAnchor(profile, suite);
  patient = await make('patient', END);
  folder = mkdtempSync(path.join(tmpdir(), 'muniment-standing-'));
  const watching: KyselyPlugin = {
    transformQuery({ node }) {
      const isLists = JSON.stringify(node).includes('"name":"compartments"');
      if (node.kind !== 'SelectQueryNode' || !isLists) return node;
      const deed = between;
      between = () => undefined;
      deed();
      return node;
    },
    transformResult: ({ result }) => Promise.resolve(result),
  };
  const opened = await openSqlite(folder);
  engine = { ...opened, database: opened.database.withPlugin(watching) };
  identity = await make('bank', 4e12);
  bank = new Bank({
    ...{ identity, anchor: anchor.credential, engine },
    log: { origin: ORIGIN, ...createLogKeys() },
    witnesses: [],
    annexes: new AnnexStore(engine),
    now: () => now,
    releaseTime: 0,
    report: (error) => reports.push(error),
  });
  const creation = encodeCreation({ owner: anchor.credential.id, tagSalt: systemRandom(32) });
  const taken = [statement('create', CREATE, creation), registration()];
  expect(await append(anchor, taken)).toMatchObject({ receipts: [{}, {}] });
});

afterEach(async () => {
  await engine.close();
  rmSync(folder, { recursive: true });
});

const registration = (): Writing => statement('register', 'credential', patient.credential.encoded);

async function compartments(): Promise<Writing> {
  const owned = { root: createRoot(), recordId: systemRandom(16), names: ['all'] };
  return statement('key', 'compartments', await publishCompartments(patient, owned.root, owned));
}

/** Asks the bank to take a batch into its directory, as somebody whose request was verified. */
async function append(user: Identity, writings: readonly Writing[]): Promise<unknown> {
  return serve(user, writings, await asked(user, writings));
}

/** The text of such a request. */
async function asked(user: Identity, writings: readonly Writing[]): Promise<string> {
  let { head } = await state();
  const entries: object[] = [];
  for (const { kind, payloadType, digest } of writings) {
    const signed = await signEntry(user, head, {
      ...{ origin: ORIGIN, recordId: DIRECTORY, chain: 'content', kind, time: now },
      ...{ payloadType, payloadDigest: digest, seen: null },
    });
    head = headAfter(signed);
    entries.push({ entry: encodeSignedEntry(signed), attachments: [], annexes: [] });
  }
  const id = systemRandom(16);
  return writeText({ id, type: 'append', recordId: DIRECTORY, entries, seenSize: 0 });
}

async function serve(user: Identity, writings: readonly Writing[], data: string): Promise<unknown> {
  const digests = { data: sha256(utf8(data)), signature: systemRandom(32) };
  const { text } = await bank.serve(
    {
      envelope: { author: user.credential, data, digests } as unknown as VerifiedEnvelope<'request'>,
      request: parseRequest(data),
      documents: writings.map(({ payload }) => payload),
      sessionId: systemRandom(32),
      evidence: systemRandom(32),
    },
    now,
  );
  return JSON.parse(text);
}

/** Log and chain as they are. */
async function state(): Promise<{ size: number; head: Head; leaves: number }> {
  const { size, head } = await bank.ledger.turn(async (turn) => {
    return { size: turn.size, head: await turn.head(DIRECTORY, 'content') };
  });
  return { size, head, leaves: (await engine.reading.selectFrom('leaves').select('leaf').execute()).length };
}

/** What must not have happened. */
async function unchanged(): Promise<() => Promise<void>> {
  const before = await state();
  return async () => {
    expect(await state()).toEqual(before);
  };
}

it('takes nothing under a key whose end takes effect between the check and the leaf', async () => {
  const terms = { reason: 'superseded', revokedAt: now + 1000, doubtfulFrom: now + 1000 } as const;
  const revocation = await revokeCredential(anchor, patient.credential, terms);
  await append(anchor, [statement('revoke', 'revocation', revocation)]);
  const expectUnchanged = await unchanged();
  between = () => {
    now += 1000;
  };
  expect(await append(patient, [await compartments()])).toEqual({ refused: 'KEY_REVOKED', head: null });
  await expectUnchanged();
});

it('takes it up to then', async () => {
  const terms = { reason: 'superseded', revokedAt: now + 1000, doubtfulFrom: now + 1000 } as const;
  const revocation = await revokeCredential(anchor, patient.credential, terms);
  await append(anchor, [statement('revoke', 'revocation', revocation)]);
  between = () => {
    now += 999;
  };
  expect(await append(patient, [await compartments()])).toHaveProperty('receipts');
});

it('takes nothing under a key that the same batch has ended before', async () => {
  const renunciation = statement('revoke', 'renunciation', await renounceCredential(patient));
  const expectUnchanged = await unchanged();
  const refused = { refused: 'KEY_REVOKED', head: null };
  expect(await append(patient, [renunciation, await compartments()])).toEqual(refused);
  await expectUnchanged();
  expect(await append(patient, [await compartments(), renunciation])).toHaveProperty('receipts');
});

it('takes nothing under a credential that runs out between the check and the leaf', async () => {
  now = END;
  const expectUnchanged = await unchanged();
  between = () => {
    now = END + 1;
  };
  expect(await append(patient, [await compartments()])).toEqual({ refused: 'KEY_CREDENTIAL', head: null });
  await expectUnchanged();
});

it('judges by the time that the leaf states, also where the clock stepped back', async () => {
  const terms = { reason: 'superseded', revokedAt: now + 1000, doubtfulFrom: now + 1000 } as const;
  const revocation = await revokeCredential(anchor, patient.credential, terms);
  now += 1000;
  await append(anchor, [statement('revoke', 'revocation', revocation)]);
  now -= 500;
  const expectUnchanged = await unchanged();
  expect(await append(patient, [await compartments()])).toEqual({ refused: 'KEY_REVOKED', head: null });
  await expectUnchanged();
});

it('takes nothing once its own key has ended: no verifier would take its receipts', async () => {
  const terms = { reason: 'superseded', revokedAt: now + 1000, doubtfulFrom: now + 1000 } as const;
  const revocation = await revokeCredential(anchor, identity.credential, terms);
  await append(anchor, [statement('revoke', 'revocation', revocation)]);
  expect(await append(patient, [await compartments()])).toHaveProperty('receipts');
  now += 1000;
  const expectUnchanged = await unchanged();
  expect(await append(anchor, [registration()])).toEqual({ refused: 'KEY_REVOKED', head: null });
  await expectUnchanged();
});

it('signs no refusal for a defect of its own, and starts again over a request that no longer verifies', async () => {
  const expectUnchanged = await unchanged();
  between = () => {
    throw new RangeError('the disk is gone');
  };
  await expect(append(patient, [await compartments()])).rejects.toThrow('the disk is gone');
  await expectUnchanged();
  between = () => undefined;
  // Its evidence, which is made up here, was stored, and it has no outcome: at the next start it is tried again.
  const { length } = reports;
  expect(await bank.recover()).toBe(0);
  expect(reports.slice(length)).toMatchObject([{ name: 'MunimentError' }]);
  await expectUnchanged();
  expect(await append(patient, [await compartments()])).toHaveProperty('receipts');
});

it('has one verdict on a request that comes twice at once', async () => {
  const writings = [await compartments()];
  const data = await asked(patient, writings);
  between = () => {
    throw new BankRefusal('CLOCK'); // for whichever comes first
  };
  const [one, other] = await Promise.all([serve(patient, writings, data), serve(patient, writings, data)]);
  expect(one).toMatchObject({ receipts: [{}] });
  expect(one).toEqual(other);
  expect(reports.map(String)).toEqual(['BankRefusal: CLOCK']);
});
