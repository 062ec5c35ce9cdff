/** Erasure in the bank: nothing before its time, all of it at once then, and what stays still verifies. */

import { KEM_X25519, sha256, systemRandom } from 'muniment/crypto';
import type { VerifiedEnvelope } from 'muniment/envelope';
import { createAnchor, createRoot, enrol, publishCompartments, type Identity } from 'muniment/keys';
import {
  CREATE,
  decodeSignedEntry,
  directoryId,
  encodeAuthorityStatement,
  encodeCreation,
  encodeErasure,
  encodeSignedEntry,
  ERASE,
  hashEntry,
  headAfter,
  signEntry,
  TEN_YEARS_AFTER_DEATH,
  type ErasureGround,
  type SignedEntry,
} from 'muniment/record';
import { grant } from 'muniment/views';
import { utf8 } from 'muniment/wire';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { statement, type Writing } from '../../examples/client/writing.ts';
import { AnnexStore } from '../../examples/server/annexes.ts';
import { parseRequest, writeText } from '../../examples/server/api.ts';
import { Bank } from '../../examples/server/bank.ts';
import { createLogKeys } from '../../examples/server/log-keys.ts';
import { headOf } from '../../examples/server/store/entries.ts';
import type { Engine } from '../../examples/server/store/engine.ts';
import { ENGINES, makeDatabase, type TestDatabase } from './store/engines.ts';

const ORIGIN = 'bank.example/records';
const DIRECTORY = directoryId(ORIGIN);
const DEATH = Date.UTC(2026, 2, 14);
const OVER = Date.UTC(2036, 2, 14);

describe.each(ENGINES)('%s', (name) => {
  let database: TestDatabase;
  let engine: Engine;
  let annexes: AnnexStore;
  let bank: Bank;
  let parts: ConstructorParameters<typeof Bank>[0];
  let [anchor, patient, friend] = [] as unknown as [Identity, Identity, Identity];
  let now: number;
  const recordId = systemRandom(16);

  beforeEach(async () => {
    now = DEATH - 1000;
    const suite = { kem: KEM_X25519 };
    const validity = { notBefore: 0, notAfter: 4e12 };
    anchor = await createAnchor({ subject: 'administrator', roles: ['administrator'], ...validity }, suite);
    const make = (subject: string): Promise<Identity> =>
      enrol(anchor, { subject, roles: [subject], ...validity }, suite);
    patient = await make('patient');
    const [identity, doctor] = [await make('bank'), await make('doctor')];
    friend = doctor;
    database = await makeDatabase(name);
    engine = await database.open();
    annexes = new AnnexStore(engine);
    parts = {
      ...{ identity, anchor: anchor.credential, engine, annexes, witnesses: [], releaseTime: 0 },
      log: { origin: ORIGIN, ...createLogKeys() },
      now: () => now,
      report: () => undefined,
    };
    bank = new Bank(parts);
    const creation = (owner: Identity): Writing =>
      statement('create', CREATE, encodeCreation({ owner: owner.credential.id, tagSalt: systemRandom(32) }));
    await taken(anchor, DIRECTORY, [
      creation(anchor),
      ...[patient, doctor].map(({ credential }) => statement('register', 'credential', credential.encoded)),
    ]);
    const owned = { root: createRoot(), recordId, names: ['all'] };
    const list = await publishCompartments(patient, owned.root, owned);
    await taken(patient, DIRECTORY, [statement('key', 'compartments', list)]);
    await taken(doctor, recordId, [creation(patient)]);
    // Entries 1 and 2: what will be erased, and what will stay.
    await taken(patient, recordId, [await granted()]);
    await taken(patient, recordId, [await granted()]);
  }, 120_000);
  afterEach(async () => {
    await engine.close();
    used.push(database);
  });
  const used: TestDatabase[] = [];
  afterAll(async () => {
    for (const one of used) await one.remove();
  });

  async function granted(): Promise<Writing> {
    const terms = { recordId, purpose: 'second opinion', from: 0, until: 4e12, mayPassOn: false };
    const compartment = { kind: 'compartment', name: 'all', epoch: 0, kem: KEM_X25519 } as const;
    const signed = await grant(patient, friend.credential, {
      terms,
      granted: { ...compartment, node: createRoot() },
    });
    return { ...statement('grant', 'grant', signed.statement), attachments: [signed.wrap] };
  }

  async function sign(
    user: Identity,
    record: Uint8Array,
    writings: readonly Writing[],
  ): Promise<SignedEntry[]> {
    const { size } = await bank.ledger.turn((turn) => Promise.resolve({ size: turn.size }));
    let head = await headOf(engine.reading, { record, chain: 'content', size });
    const entries = [];
    for (const { kind, payloadType, digest } of writings) {
      const signed = await signEntry(user, head, {
        ...{ origin: ORIGIN, recordId: record, chain: 'content', kind, time: now },
        ...{ payloadType, payloadDigest: digest, seen: null },
      });
      head = headAfter(signed);
      entries.push(signed);
    }
    return entries;
  }

  /** Asks as somebody whose request was verified. */
  async function ask(user: Identity, request: object, documents: readonly Uint8Array[]): Promise<Reply> {
    const data = writeText({ id: systemRandom(16), seenSize: 0, ...request });
    const digests = { data: sha256(utf8(data)), signature: systemRandom(32) };
    const answer = await bank.serve(
      {
        envelope: { author: user.credential, data, digests } as unknown as VerifiedEnvelope<'request'>,
        request: parseRequest(data),
        documents,
        sessionId: systemRandom(32),
        evidence: systemRandom(32),
      },
      now,
    );
    return { ...(JSON.parse(answer.text) as object), documents: answer.documents };
  }
  interface Reply {
    readonly refused?: string;
    readonly items?: readonly Record<string, unknown>[];
    readonly documents: readonly Uint8Array[];
  }
  async function append(user: Identity, record: Uint8Array, writings: readonly Writing[]): Promise<Reply> {
    const signed = await sign(user, record, writings);
    const entries = writings.map(({ attachments = [] }, i) => ({
      ...{ entry: encodeSignedEntry(signed[i]!), attachments: attachments.map(sha256), annexes: [] },
    }));
    const documents = [
      ...writings.map(({ payload }) => payload),
      ...writings.flatMap((one) => one.attachments ?? []),
    ];
    return ask(user, { type: 'append', recordId: record, entries }, documents);
  }
  async function taken(user: Identity, record: Uint8Array, writings: readonly Writing[]): Promise<void> {
    expect(await append(user, record, writings)).toHaveProperty('receipts');
  }
  function close(number = 0, kind: 'closing' | 'reopening' = 'closing'): Writing {
    const said = kind === 'closing' ? { kind, ground: 'death' as const, at: now } : { kind };
    const { kind: of, content } = encodeAuthorityStatement({ ...said, number });
    return statement('close', of, content);
  }
  async function tombstone(
    user: Identity,
    seqs: readonly number[],
    ground: ErasureGround = 'retention',
  ): Promise<{ request: object; documents: Uint8Array[] }> {
    const erased = [];
    for (const seq of seqs) erased.push({ seq, entryHash: (await entryAt(seq)).hash });
    const ruleVersion = TEN_YEARS_AFTER_DEATH.version;
    const said = statement('erase', ERASE, encodeErasure({ chain: 'content', erased, ground, ruleVersion }));
    const [signed] = await sign(user, recordId, [said]);
    const request = { type: 'erase', recordId, entry: encodeSignedEntry(signed!) };
    return { request: { id: systemRandom(16), ...request }, documents: [said.payload] };
  }
  const erase = async (user: Identity, seqs: readonly number[], ground?: ErasureGround): Promise<Reply> => {
    const { request, documents } = await tombstone(user, seqs, ground);
    return ask(user, request, documents);
  };
  const entryAt = (seq: number): Promise<{ hash: Uint8Array; entry: Uint8Array }> =>
    engine.reading
      .selectFrom('entries')
      .select(['hash', 'entry'])
      .where('record', '=', recordId)
      .where('chain', '=', 'content')
      .where('seq', '=', seq)
      .executeTakeFirstOrThrow();
  /** What may go, and what only grows. */
  async function kept(): Promise<{ payloads: number[]; attachments: number; entries: number }> {
    const { reading } = engine;
    const payloads = await reading
      .selectFrom('payloads')
      .select('seq')
      .where('record', '=', recordId)
      .where('chain', '=', 'content')
      .orderBy('seq')
      .execute();
    const attachments = await reading.selectFrom('attachments').select('digest').execute();
    const entries = await reading
      .selectFrom('entries')
      .select('seq')
      .where('record', '=', recordId)
      .where('chain', '=', 'content')
      .execute();
    return {
      payloads: payloads.map(({ seq }) => seq),
      attachments: attachments.length,
      entries: entries.length,
    };
  }

  it('destroys nothing before its time, on another ground, or for others, and nothing of a record that is open', async () => {
    const before = await kept();
    expect(await erase(anchor, [1])).toMatchObject({ refused: 'RECORD_RETENTION' });
    now = DEATH;
    await taken(anchor, recordId, [close()]);
    now = OVER - 1;
    expect(await erase(anchor, [1])).toMatchObject({ refused: 'RECORD_RETENTION' });
    now = OVER;
    for (const ground of ['order', 'request'] as const)
      expect(await erase(anchor, [1], ground)).toMatchObject({ refused: 'RECORD_RETENTION' });
    for (const user of [patient, friend])
      expect(await erase(user, [1])).toMatchObject({ refused: 'FORBIDDEN' });
    expect(await erase(anchor, [3])).toMatchObject({ refused: 'RECORD_RIGHT' }); // the closing itself
    expect(await erase(anchor, [0, 1])).toMatchObject({ refused: 'RECORD_PAYLOAD' }); // the creation
    const { documents, request } = await tombstone(anchor, [1]);
    const entry = (request as { entry: Uint8Array }).entry;
    const appended = { type: 'append', recordId, entries: [{ entry, attachments: [], annexes: [] }] };
    expect(await ask(anchor, appended, documents)).toMatchObject({ refused: 'FORBIDDEN' });
    expect(await kept()).toEqual({
      ...{ payloads: [...before.payloads, 3], attachments: before.attachments, entries: before.entries + 1 },
    });
  });

  it('destroys what a tombstone names, and nothing else; what stays is read with the tombstone', async () => {
    await taken(anchor, recordId, [close()]);
    now = OVER;
    const asked = await tombstone(anchor, [1]);
    expect(await ask(anchor, asked.request, asked.documents)).toHaveProperty('receipts');
    const after = await kept();
    expect(after).toEqual({ payloads: [0, 2, 3, 4], attachments: 1, entries: 5 });
    // Asked again it is answered, and happens once.
    expect(await ask(anchor, asked.request, asked.documents)).toHaveProperty('receipts');
    expect(await kept()).toEqual(after);
    const read = { type: 'read', recordId, chain: 'content', from: 0, purpose: 'own', size: null };
    const { items = [], documents } = await ask(patient, read, []);
    expect(items.map(({ payload }) => payload !== null)).toEqual([true, false, true, true, true]);
    expect(items[1]).toMatchObject({ attachments: [], annexes: [], opaque: null });
    const stays = decodeSignedEntry(documents[items[1]!['entry'] as number]!);
    expect(hashEntry(stays)).toEqual(new Uint8Array((await entryAt(1)).hash));
  });

  it('is all or nothing, also when it fails in the middle and a server comes back', async () => {
    await taken(anchor, recordId, [close()]);
    now = OVER;
    const before = await kept();
    const { request, documents } = await tombstone(anchor, [1, 2]);
    // The disk goes after half of it.
    const half = new Proxy(engine, {
      get: (target, property) =>
        property === 'lock' ? lockAndFail : (Reflect.get(target, property) as unknown),
    });
    const lockAndFail: Engine['lock'] = async (change) => {
      await engine.lock(change);
      const execute = change.deleteFrom.bind(change);
      let deleted = 0;
      Object.assign(change, {
        deleteFrom: (table: never) => {
          if (table === 'payloads' && ++deleted === 2) throw new RangeError('the disk is gone');
          return execute(table);
        },
      });
    };
    bank = new Bank({ ...parts, engine: half });
    await expect(ask(anchor, request, documents)).rejects.toThrow('the disk is gone');
    expect(await kept()).toEqual(before);
    await engine.close();
    engine = await database.open();
    bank = new Bank({ ...parts, engine });
    await bank.recover();
    expect(await kept()).toEqual(before);
    expect(await ask(anchor, request, documents)).toHaveProperty('receipts');
    expect(await kept()).toEqual({ payloads: [0, 3, 4], attachments: 0, entries: before.entries + 1 });
  });

  it('takes nothing more into a closed record, until it is opened again', async () => {
    await taken(anchor, recordId, [close()]);
    now += 1000;
    expect(await append(patient, recordId, [await granted()])).toMatchObject({ refused: 'RECORD_RIGHT' });
    expect(await append(friend, recordId, [close(1)])).toMatchObject({ refused: 'RECORD_RIGHT' });
    // Whoever is declared dead by mistake opens the record again.
    await taken(patient, recordId, [close(1, 'reopening')]);
    await taken(patient, recordId, [await granted()]);
    now = OVER;
    expect(await erase(anchor, [1])).toMatchObject({ refused: 'RECORD_RETENTION' });
  });
});
