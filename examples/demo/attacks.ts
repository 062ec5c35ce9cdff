/**
 * The demo's attacks: a flipped byte in every kind of stored object, entries dropped and swapped, requests replayed
 * and forged, sessions gone stale. Each must be refused, and by the code that names what is wrong.
 */

import { MunimentError } from 'muniment';
import { systemRandom } from 'muniment/crypto';
import { verifyEvidence } from 'muniment/envelope';
import { exportKeys, importKeys, verifyCompartments, verifyGroup, type SoftwareKeys } from 'muniment/keys';
import { confirm, initiate, joinMessages, request } from 'muniment/protocol';
import { EMPTY_CHAIN, encodeSignedEntry, readStatement, signEntry, verifyExport } from 'muniment/record';
import { decodeSealed, encodeSealed, open, openAnnex, openGrant, sealAnnex } from 'muniment/views';
import { fromBase64url, toBase64url } from 'muniment/wire';
import Database from 'better-sqlite3';
import path from 'node:path';
import { writeText } from '../server/api.ts';
import { mayWriteRecord } from '../server/rights.ts';
import { BankClient, Refused } from '../client/bank.ts';
import type { Connection } from '../client/connection.ts';
import { CLOCK } from '../client/connection.ts';
import { readRecord, rootReader, DIGESTS } from '../client/reading.ts';
import { append, statement } from '../client/writing.ts';
import type { Played } from './play.ts';
import type { World } from './world.ts';

/** An attack and what became of it. */
export interface AttackResult {
  readonly name: string;
  readonly refused: boolean;
  readonly code: string;
}

interface Attack {
  readonly name: string;
  /** What the attack must be refused with. */
  readonly codes: readonly string[];
  /** Throws if it is refused. */
  readonly run: () => Promise<unknown>;
}

/** Runs every attack on a played world. */
export async function attack(world: World, played: Played, advance: () => void): Promise<AttackResult[]> {
  const attacks = [
    ...(await flippedExport(world, played)),
    ...(await flippedStore(world, played)),
    ...chainAttacks(world, played),
    ...protocolAttacks(world, played),
    ...forgeries(world, played),
  ];
  const results: AttackResult[] = [];
  for (const { name, codes, run } of attacks) {
    const code = await codeOf(run);
    results.push({ name, refused: codes.includes(code), code });
    advance();
  }
  return results;
}

async function codeOf(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
    return 'NOT_REFUSED';
  } catch (error) {
    if (error instanceof MunimentError || error instanceof Refused) return error.code;
    return error instanceof Error ? error.name : 'unknown';
  }
}

/** The same bytes with one bit in the middle turned over. */
function flip(bytes: Uint8Array, at = Math.floor(bytes.length / 2)): Uint8Array {
  const copy = bytes.slice();
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

interface ExportedJson {
  credentials: string[];
  content: EntryJson[];
  access: EntryJson[];
  checkpoint: string;
}

interface EntryJson {
  entry: string;
  payload: string;
  receipt: string;
  proof: string[];
}

// One object of each kind in an export is altered; the verifier must notice.
function flippedExport(world: World, played: Played): Promise<Attack[]> {
  const tampered = (name: string, codes: readonly string[], alter: (json: ExportedJson) => void): Attack => ({
    name,
    codes,
    run: () => {
      const json = JSON.parse(played.exported) as ExportedJson;
      alter(json);
      return verifyTampered(world, json);
    },
  });
  const flipText = (text: string, at?: number): string => toBase64url(flip(fromBase64url(text), at));
  const first = (json: ExportedJson): EntryJson => json.content[0] ?? nothing();
  return Promise.resolve([
    tampered('flipped byte: credential', ['KEY_CREDENTIAL'], (json) => {
      json.credentials[2] = flipText(json.credentials[2] ?? '');
    }),
    tampered('flipped byte: entry', ['RECORD_LINK', 'RECORD_ENTRY', 'RECORD_AUTHOR'], (json) => {
      first(json).entry = flipText(first(json).entry);
    }),
    tampered("flipped byte: author's signature", ['RECORD_AUTHOR'], (json) => {
      const bytes = fromBase64url(first(json).entry);
      first(json).entry = toBase64url(flip(bytes, bytes.length - 40));
    }),
    tampered('flipped byte: statement', ['RECORD_PAYLOAD'], (json) => {
      first(json).payload = flipText(first(json).payload);
    }),
    tampered('flipped byte: access statement', ['RECORD_PAYLOAD'], (json) => {
      const access = json.access[0] ?? nothing();
      access.payload = flipText(access.payload);
    }),
    tampered('flipped byte: receipt', ['RECORD_RECEIPT'], (json) => {
      first(json).receipt = flipText(first(json).receipt);
    }),
    tampered('flipped byte: inclusion proof', ['RECORD_INCLUSION'], (json) => {
      first(json).proof[0] = flipText(first(json).proof[0] ?? '');
    }),
    tampered('flipped byte: checkpoint', ['RECORD_CHECKPOINT'], (json) => {
      json.checkpoint = json.checkpoint.replace(
        /\n(\d)/,
        (_, digit: string) => `\n${String((Number(digit) % 9) + 1)}`,
      );
    }),
  ]);
}

function verifyTampered(world: World, json: ExportedJson): Promise<unknown> {
  return verifyExport(JSON.stringify(json), {
    anchorId: world.trust.anchor.id,
    mayWrite: mayWriteRecord(world.clients.patient.user.credential.id),
    digests: DIGESTS,
  });
}

// What is stored beside the chain: bodies, wraps, annexes, directory statements, evidence, key files.
async function flippedStore(world: World, played: Played): Promise<Attack[]> {
  const { patient, secondDoctor, doctor, insurer } = world.clients;
  const entry = played.verified.content.find(({ entry: { entry } }) => entry.kind === 'insert') ?? nothing();
  const body = decodeSealed(entry.payload ?? nothing());
  const as = [await rootReader(patient, played.compartments)];
  const { recordId } = played.record;
  const openAltered = (altered: Partial<typeof body>): Promise<unknown> =>
    open(decodeSealed(encodeSealed({ ...body, ...altered })), {
      recordId,
      authors: () => entry.entry.author,
      as,
      release: null,
    });
  const [firstClass = nothing(), ...classes] = body.classes;
  const [firstWrap = nothing(), ...wraps] = body.wraps;
  const database = new Database(path.join(world.serverFolder, 'data', 'bank.sqlite'), { readonly: true });
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the row's shape is the query's
  const stored = <Row>(sql: string): Row => (database.prepare(sql).get() as Row | undefined) ?? nothing();
  const compartments = stored<{ statement: Buffer }>('SELECT statement FROM compartments').statement;
  const group = stored<{ statement: Buffer }>(
    "SELECT statement FROM groups WHERE name = 'insurer'",
  ).statement;
  const grantWrap = new Uint8Array(stored<{ bytes: Buffer }>('SELECT bytes FROM attachments').bytes);
  const request = stored<{ evidence: Buffer; subject: string }>(
    "SELECT evidence, subject FROM requests WHERE type = 'read'",
  );
  database.close();
  const evidence = new Uint8Array(request.evidence);
  const asker =
    Object.values(world.clients).find(({ user }) => user.credential.subject === request.subject) ?? nothing();
  const grant = grantStatement(played);
  const keyFile = await exportKeys(doctor.user as unknown as SoftwareKeys, 'a passphrase'); // made by enrol, so in memory
  return [
    {
      name: 'flipped byte: manifest',
      codes: ['VIEW_AUTHOR'],
      run: () => openAltered({ manifest: flip(body.manifest) }),
    },
    {
      name: 'flipped byte: document signature',
      codes: ['VIEW_AUTHOR'],
      run: () => openAltered({ signature: flip(body.signature) }),
    },
    {
      name: 'flipped byte: sealed fields',
      codes: ['VIEW_COMMITMENT'],
      run: () =>
        openAltered({ classes: [{ ...firstClass, ciphertext: flip(firstClass.ciphertext) }, ...classes] }),
    },
    {
      name: 'flipped byte: wrapped keys',
      codes: ['VIEW_COMMITMENT'],
      run: () => openAltered({ wraps: [{ ...firstWrap, ciphertext: flip(firstWrap.ciphertext) }, ...wraps] }),
    },
    { name: 'dropped class of a document', codes: ['VIEW_INCOMPLETE'], run: () => openAltered({ classes }) },
    {
      name: 'flipped byte: compartments',
      codes: ['KEY_SIGNATURE'],
      run: () =>
        Promise.resolve().then(() =>
          verifyCompartments(flip(new Uint8Array(compartments)), patient.user.credential),
        ),
    },
    {
      name: 'flipped byte: group epoch',
      codes: ['KEY_SIGNATURE'],
      run: () =>
        Promise.resolve().then(() => verifyGroup(flip(new Uint8Array(group)), insurer.user.credential)),
    },
    {
      name: 'flipped byte: granted node',
      codes: ['VIEW_GRANT'],
      run: () =>
        openGrant(
          secondDoctor.user,
          { statement: grant, wrap: flip(grantWrap) },
          { grantor: patient.user.credential, recordId, at: CLOCK.now() },
        ),
    },
    { name: 'flipped byte: annex', codes: ['VIEW_ANNEX'], run: () => flippedAnnex(recordId) },
    {
      name: 'flipped byte: archived request',
      codes: ['ENVELOPE_SIGNATURE', 'ENVELOPE_GRAMMAR'],
      run: () =>
        Promise.resolve().then(() =>
          verifyEvidence(flip(evidence, evidence.length - 60), {
            type: 'request',
            author: asker.user.credential,
            to: world.trust.bank.id,
            answers: null,
          }),
        ),
    },
    {
      name: 'flipped byte: key file',
      codes: ['KEY_PASSPHRASE', 'KEY_FILE'],
      run: () => {
        const json = JSON.parse(keyFile) as { sealed: string };
        const sealed = toBase64url(flip(fromBase64url(json.sealed)));
        return importKeys(JSON.stringify({ ...json, sealed }), 'a passphrase');
      },
    },
    {
      name: "flipped byte in the server's own database, served",
      codes: ['RECORD_PAYLOAD', 'VIEW_AUTHOR', 'VIEW_COMMITMENT'],
      run: () => servedAltered(world, played, "chain = 'content' AND seq = 1", (bytes) => flip(bytes, 200)),
    },
  ];
}

// The record's own chain, altered by whoever keeps it.
function chainAttacks(world: World, played: Played): Attack[] {
  const altered = (
    name: string,
    codes: readonly string[],
    alter: (content: EntryJson[]) => void,
  ): Attack => ({
    name,
    codes,
    run: () => {
      const json = JSON.parse(played.exported) as ExportedJson;
      alter(json.content);
      return verifyTampered(world, json);
    },
  });
  return [
    altered('dropped entry', ['RECORD_LINK'], (content) => content.splice(1, 1)),
    altered('two swapped entries', ['RECORD_LINK'], (content) => {
      content.splice(1, 2, content[2] ?? nothing(), content[1] ?? nothing());
    }),
    {
      name: "the last entry dropped from the server's own database",
      codes: ['RECORD_CONSISTENCY'],
      run: () =>
        servedAltered(
          world,
          played,
          "chain = 'content' AND seq = (SELECT max(seq) FROM entries WHERE record = @record AND chain = 'content')",
          null,
        ),
    },
  ];
}

// The conversation, replayed, forged and gone stale.
function protocolAttacks(world: World, played: Played): Attack[] {
  const { doctor, secondDoctor } = world.clients;
  const gateway = world.trust.bank;
  const head = writeText({ id: systemRandom(16), type: 'head', recordId: played.record.recordId });
  const withConnection = async (run: (connection: Connection) => Promise<unknown>): Promise<void> => {
    const connection = await doctor.connect();
    try {
      await run(connection);
    } finally {
      await connection.close();
    }
  };
  const options = (connection: Connection, clock = CLOCK) => ({ binding: connection.binding(), clock });
  return [
    {
      name: 'replayed first message',
      codes: ['SESSION_MESSAGE'],
      run: () =>
        withConnection(async (connection) => {
          const { message } = initiate(doctor.user, gateway, options(connection));
          await connection.post('/session', message);
          await connection.post('/session', message);
        }),
    },
    {
      name: 'replayed request',
      codes: ['SESSION_MESSAGE'],
      run: () =>
        withConnection(async (connection) => {
          const first = initiate(doctor.user, gateway, options(connection));
          const third = await confirm(first.state, await connection.post('/session', first.message));
          const asked = await request(third.state, head);
          const transmission = joinMessages(third.message, asked.message);
          await connection.post('/request', transmission);
          await connection.post('/request', transmission);
        }),
    },
    {
      name: "stale session: another connection's",
      codes: ['SESSION_MESSAGE'],
      run: () =>
        withConnection(async (connection) => {
          const first = initiate(doctor.user, gateway, options(connection));
          const third = await confirm(first.state, await connection.post('/session', first.message));
          const asked = await request(third.state, head);
          await withConnection((other) => other.post('/request', joinMessages(third.message, asked.message)));
        }),
    },
    {
      name: 'stale session: an hour old',
      codes: ['SESSION_MESSAGE'],
      run: () =>
        withConnection(async (connection) => {
          const clock = { ...CLOCK, now: () => Date.now() - 3_600_000 };
          await connection.post(
            '/session',
            initiate(doctor.user, gateway, options(connection, clock)).message,
          );
        }),
    },
    {
      name: "session in another's name",
      codes: ['SESSION_MESSAGE'],
      run: () =>
        withConnection(async (connection) => {
          // The second doctor's credential with the first doctor's keys: message 2 does not open.
          const impostor = { ...doctor.user, credential: secondDoctor.user.credential };
          const first = initiate(impostor, gateway, options(connection));
          await confirm(first.state, await connection.post('/session', first.message));
        }),
    },
    {
      name: "another's TLS certificate",
      codes: ['TLS_SUBJECT'],
      run: () =>
        new BankClient(secondDoctor.user, world.trust, doctor.endpoint).ask<'head'>({
          type: 'head',
          recordId: played.record.recordId,
        }),
    },
  ];
}

// Users who ask for what is not theirs.
function forgeries(world: World, played: Played): Attack[] {
  const { doctor, secondDoctor, stranger, patient, insurer } = world.clients;
  const { record } = played;
  return [
    {
      name: "entry in another's name",
      codes: ['RECORD_AUTHOR'],
      run: async () => {
        const writing = statement('annotate', 'annotation', new Uint8Array(0));
        const { content: head } = (
          await secondDoctor.ask<'head'>({ type: 'head', recordId: record.recordId })
        ).reply;
        const { payloadType, digest: payloadDigest } = writing;
        const { recordId } = record;
        const draft = {
          origin: world.trust.origin,
          recordId,
          chain: 'content',
          kind: 'annotate',
          time: Date.now(),
          payloadType,
          payloadDigest,
          seen: null,
        } as const;
        const signed = await signEntry(secondDoctor.user, head, draft);
        const forged = { ...signed, entry: { ...signed.entry, author: doctor.user.credential.id } };
        const entries = [{ entry: encodeSignedEntry(forged), attachments: [], annexes: [] }];
        await secondDoctor.ask<'append'>({ type: 'append', recordId, entries }, [writing.payload]);
      },
    },
    {
      name: 'entry signed over an old head',
      codes: ['RECORD_STALE'],
      run: async () => {
        const { recordId } = record;
        const writing = statement('annotate', 'annotation', new Uint8Array(0));
        const { payloadType, digest: payloadDigest } = writing;
        const draft = {
          origin: world.trust.origin,
          recordId,
          chain: 'content',
          kind: 'annotate',
          time: Date.now(),
          payloadType,
          payloadDigest,
          seen: null,
        } as const;
        const entries = [
          {
            entry: encodeSignedEntry(await signEntry(doctor.user, EMPTY_CHAIN, draft)),
            attachments: [],
            annexes: [],
          },
        ];
        await doctor.ask<'append'>({ type: 'append', recordId, entries }, [writing.payload]);
      },
    },
    {
      name: 'a patient writes',
      codes: ['RECORD_RIGHT'],
      run: () => append(patient, record, [statement('annotate', 'annotation', new Uint8Array(0))]),
    },
    {
      name: 'an insurer writes',
      codes: ['RECORD_RIGHT'],
      run: () => append(insurer, record, [statement('grant', 'grant', new Uint8Array(0))]),
    },
    {
      name: 'another patient asks',
      codes: ['FORBIDDEN'],
      run: () => readRecord(stranger, record.recordId, { purpose: 'curiosity', releases: null }),
    },
    {
      name: 'another request under a used id',
      codes: ['REQUEST_REUSED'],
      run: async () => {
        const id = systemRandom(16);
        const ask = (recordId: Uint8Array) => doctor.ask<'head'>({ id, type: 'head', recordId } as never);
        await ask(record.recordId);
        await ask(systemRandom(16));
      },
    },
  ];
}

// The bank alters an entry's body, or drops the entry, and serves the record; the patient's client must notice. Put
// right again afterwards.
async function servedAltered(
  world: World,
  played: Played,
  which: string,
  alter: ((body: Uint8Array) => Uint8Array) | null,
): Promise<void> {
  const { recordId } = played.record;
  const database = new Database(path.join(world.serverFolder, 'data', 'bank.sqlite'));
  const record = { record: recordId };
  const table = alter === null ? 'entries' : 'payloads';
  const row = database
    .prepare(`SELECT * FROM ${table} WHERE record = @record AND ${which}`)
    .get(record) as object;
  const drop = database.prepare(`DELETE FROM ${table} WHERE record = @record AND ${which}`);
  const columns = Object.keys(row).map((name) => `@${name}`);
  const insert = database.prepare(`INSERT INTO ${table} VALUES (${columns.join(', ')})`);
  try {
    drop.run(record);
    if (alter !== null && 'bytes' in row)
      insert.run({ ...row, bytes: alter(new Uint8Array(row.bytes as Buffer)) });
    try {
      await readRecord(world.clients.patient, recordId, { purpose: 'own record', releases: null });
    } finally {
      if (alter !== null) drop.run(record);
      insert.run(row);
    }
  } finally {
    database.close();
  }
}

async function flippedAnnex(recordId: Uint8Array): Promise<void> {
  const names = { recordId, docId: systemRandom(16) };
  const sealed = sealAnnex(new Blob([systemRandom(1000)]).stream(), { ...names, mediaType: 'image/png' });
  const ciphertext = new Uint8Array(await new Response(sealed.ciphertext).arrayBuffer());
  const altered = new Blob([flip(ciphertext)]).stream();
  await new Response(openAnnex(altered, await sealed.annex, names)).arrayBuffer();
}

function grantStatement(played: Played): Uint8Array {
  const { entry, payload } =
    played.verified.content.find((one) => one.entry.entry.kind === 'grant') ?? nothing();
  return readStatement(entry.entry, payload ?? nothing(), 'grant');
}

function nothing(): never {
  throw new Error('the demo has nothing of this kind to attack');
}
