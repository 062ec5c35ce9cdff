/** Of a record that is not there and one that is not theirs, users hear the same: the same words, at the same length, after the same work. */

import type { KyselyPlugin } from 'kysely';
import { KEM_X25519, systemRandom } from 'muniment/crypto';
import { createRoot, publishCompartments } from 'muniment/keys';
import { EMPTY_CHAIN, encodeSignedEntry, signEntry } from 'muniment/record';
import { declareEmergency } from 'muniment/views';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BankClient } from '../../examples/client/bank.ts';
import { findRecord } from '../../examples/client/finding.ts';
import { sealDraft, statement, type RecordName, type Writing } from '../../examples/client/writing.ts';
import { writeText } from '../../examples/server/api.ts';
import { encodeGrantEnd, GRANT_END } from '../../examples/server/grant-end.ts';
import { readNumber, recordNumber } from '../../examples/server/record-number.ts';
import type { Engine } from '../../examples/server/store/engine.ts';
import { audienceOf, draftIn, foundGroups, headOf, KEEPER, openRecord, write } from './a-record.ts';
import { foundBank, type InProcess } from './in-process.ts';
import { ENGINES, makeDatabase, type TestDatabase } from './store/engines.ts';

const USERS = {
  patient: ['patient'],
  stranger: ['patient'],
  doctor: ['doctor', 'speciality:cardiology', ...KEEPER],
  nurse: ['specialist:nursing', 'speciality:nursing'],
  keeper: ['keeper:ward'],
} as const;

describe.each(ENGINES)('on %s', (name) => {
  let database: TestDatabase;
  let engine: Engine;
  let at: InProcess;
  let users: Record<keyof typeof USERS, BankClient>;
  let record: RecordName;
  /** Kinds of statements that the database was asked, in order, each with its table. */
  let asked: string[] = [];

  const counting: KyselyPlugin = {
    transformQuery({ node }) {
      const table = /"identifier":\{"kind":"IdentifierNode","name":"(\w+)"/.exec(JSON.stringify(node))?.[1];
      asked.push(`${node.kind} ${table ?? ''}`);
      return node;
    },
    transformResult: ({ result }) => Promise.resolve(result),
  };

  beforeAll(async () => {
    database = await makeDatabase(name);
    const opened = await database.open();
    engine = {
      ...opened,
      database: opened.database.withPlugin(counting),
      reading: opened.reading.withPlugin(counting),
    };
    at = await foundBank(engine);
    users = await at.join(USERS);
    const members = [users.doctor, users.nurse].map(({ user }) => user.credential);
    await foundGroups(at, users.doctor, members);
    record = await openRecord(at, users.patient, users.doctor);
  }, 120_000);
  afterAll(async () => {
    await engine.close();
    await database.remove();
  });

  /** What the bank answers, how long the message is, and what it asked of its database. */
  async function observe(client: BankClient, text: object, documents: readonly Uint8Array[] = []) {
    const connection = await client.connect();
    asked = [];
    const parties = { user: client.user, gateway: client.trust.bank };
    const request = writeText({ id: systemRandom(16), ...text });
    const { reply } = await connection.converse(parties, request, documents);
    // Before it is archived the request plays no part: that is the handshake, which knows nothing of it.
    const work = asked.slice(asked.indexOf('SelectQueryNode requests'));
    return { data: reply.data, length: reply.data.length, work };
  }

  async function breaking(client: BankClient, recordId: Uint8Array) {
    const terms = { recordId, reason: 'curiosity', kem: KEM_X25519 };
    const declared = await declareEmergency(client.user, terms);
    const writing = statement('emergency', 'emergency', declared.statement);
    const { entry } = await signedEntry(client, recordId, writing);
    return observe(client, { type: 'break-glass', recordId, entry, seenSize: 0 }, [writing.payload]);
  }

  async function appending(client: BankClient, recordId: Uint8Array, writing: Writing) {
    const entries = [{ ...(await signedEntry(client, recordId, writing)), attachments: [], annexes: [] }];
    return observe(client, { type: 'append', recordId, entries, seenSize: 0 }, [writing.payload]);
  }

  async function signedEntry(client: BankClient, recordId: Uint8Array, writing: Writing) {
    const signed = await signEntry(client.user, await headOf(at, recordId), {
      ...{ origin: at.trust.origin, recordId, chain: 'content', kind: writing.kind, time: Date.now() },
      ...{ payloadType: writing.payloadType, payloadDigest: writing.digest, seen: null },
    });
    return { entry: encodeSignedEntry(signed) };
  }

  const reading = (recordId: Uint8Array, chain = 'content') => ({
    ...{ type: 'read', recordId, chain, from: 0, purpose: 'curiosity', part: null, size: null, seenSize: 0 },
  });

  it.each(['stranger', 'keeper'] as const)('to %s', async (who) => {
    const client = users[who];
    const [theirs, none] = [record.recordId, systemRandom(16)];
    const ended = statement('revoke', GRANT_END, encodeGrantEnd(systemRandom(32)));
    const pairs = [
      [await observe(client, reading(theirs)), await observe(client, reading(none))],
      [await observe(client, reading(theirs, 'access')), await observe(client, reading(none, 'access'))],
      [
        await observe(client, { type: 'head', recordId: theirs, seenSize: 0 }),
        await observe(client, { type: 'head', recordId: none, seenSize: 0 }),
      ],
      [
        await observe(client, { type: 'find', number: recordNumber(theirs) }),
        await observe(client, { type: 'find', number: recordNumber(none) }),
      ],
      [await appending(client, theirs, ended), await appending(client, none, ended)],
      [await breaking(client, theirs), await breaking(client, none)],
    ];
    for (const [one, other] of pairs) {
      expect(JSON.parse(one!.data)).toEqual({ refused: 'FORBIDDEN', head: null });
      expect(one).toEqual(other);
      expect(one!.work.length).toBeGreaterThan(4);
    }
    expect(new Set(pairs.flat().map(({ length }) => length)).size).toBe(1);
  });

  it('also where they are refused for another reason: all refusals have one length', async () => {
    const stale = statement('grant', 'grant', new Uint8Array(0));
    const lengths = new Set<number>();
    const forbidden = await observe(users.stranger, reading(systemRandom(16)));
    lengths.add(forbidden.length);
    // Signed over the empty chain: the refusal names the head.
    const draft = {
      ...{
        origin: at.trust.origin,
        recordId: record.recordId,
        chain: 'content' as const,
        kind: 'grant' as const,
      },
      ...{ time: Date.now(), payloadType: stale.payloadType, payloadDigest: stale.digest, seen: null },
    };
    const entry = await signEntry(users.patient.user, EMPTY_CHAIN, draft);
    const entries = [{ entry: encodeSignedEntry(entry), attachments: [], annexes: [] }];
    const append = { type: 'append', recordId: record.recordId, entries, seenSize: 0 };
    const refused = await observe(users.patient, append, [stale.payload]);
    expect(JSON.parse(refused.data)).toMatchObject({ refused: 'RECORD_STALE', head: { size: 1 } });
    lengths.add(refused.length);
    const malformed = await observe(users.patient, { type: 'nonsense' });
    expect(JSON.parse(malformed.data)).toEqual({ refused: 'MALFORMED', head: null });
    lengths.add(malformed.length);
    expect(lengths.size).toBe(1);
  });

  it('stored with the request', async () => {
    await observe(users.stranger, reading(record.recordId));
    const rows = await engine.reading.selectFrom('outcomes').select('reply').execute();
    expect(rows.some(({ reply }) => reply.includes('"refused":"FORBIDDEN"'))).toBe(true);
  });

  it('a record is found by its number, and by no mistyped one', async () => {
    const number = recordNumber(record.recordId);
    expect(await findRecord(users.doctor, number.replace(/(\d{3})/g, '$1 '))).toEqual(record.recordId);
    expect(await findRecord(users.patient, number)).toEqual(record.recordId);
    expect(await findRecord(users.stranger, number)).toBe(null);
    expect(await findRecord(users.doctor, recordNumber(systemRandom(16)))).toBe(null);
    for (let i = 0; i < number.length; i++)
      for (let digit = 0; digit < 10; digit++) {
        const typed = `${number.slice(0, i)}${String(digit)}${number.slice(i + 1)}`;
        if (typed !== number) expect(readNumber(typed)).toBe(null);
      }
    await expect(findRecord(users.doctor, '1')).rejects.toThrow('look at its digits');
    expect(readNumber('999999999999999 03')).toBe(null); // more than 48 bits
    // Nobody publishes another id of the same number.
    const twin = Uint8Array.from(record.recordId, (byte, i) => (i === 15 ? byte ^ 1 : byte));
    const owned = { recordId: twin, names: [] };
    const signed = await publishCompartments(users.stranger.user, createRoot(), owned);
    const claim = appending(users.stranger, at.directory.recordId, statement('key', 'compartments', signed));
    expect(JSON.parse((await claim).data)).toEqual({ refused: 'RECORD_EXISTS', head: null });
  });

  it('an amendment or annotation of nothing in this record is refused, and an insertion that names something', async () => {
    const audience = await audienceOf(at, users.patient);
    const put = async (client: BankClient, about: Parameters<typeof draftIn>[1], kind?: 'insert') => {
      const writing = await sealDraft(client, audience, draftIn('specialistDocuments', about));
      return write(at, client, record.recordId, kind === undefined ? writing : { ...writing, kind });
    };
    for (const kind of ['amend', 'annotate'] as const)
      await expect(put(users.nurse, { kind, document: systemRandom(32) })).rejects.toThrow('TARGET_UNKNOWN');
    const first = await put(users.nurse, undefined);
    const document = first.entry.payloadDigest;
    await expect(put(users.nurse, { kind: 'amend', document }, 'insert')).rejects.toThrow('MALFORMED');
    expect((await put(users.nurse, { kind: 'amend', document })).entry.kind).toBe('amend');
    expect((await put(users.doctor, { kind: 'annotate', document })).entry.kind).toBe('annotate');
    // A grant is no document, and what is no grant cannot be ended.
    const grantless = statement('revoke', GRANT_END, encodeGrantEnd(systemRandom(32)));
    await expect(write(at, users.patient, record.recordId, grantless)).rejects.toThrow('TARGET_UNKNOWN');
  });
});
