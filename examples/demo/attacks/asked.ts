/** Attacks on what is asked: messages replayed, sessions gone stale, requests forged or made by who may not. */

import { systemRandom } from 'muniment/crypto';
import { createRoot } from 'muniment/keys';
import { confirm, initiate, joinMessages, request } from 'muniment/protocol';
import { directoryId, EMPTY_CHAIN, encodeSignedEntry, signEntry } from 'muniment/record';
import { writeText } from '../../server/api.ts';
import { BankClient } from '../../client/bank.ts';
import type { Connection } from '../../client/connection.ts';
import { CLOCK } from '../../client/connection.ts';
import { statedHead } from '../../client/newest.ts';
import { readRecord } from '../../client/reading.ts';
import { publishCompartmentsOf } from '../../client/publishing.ts';
import { append, statement } from '../../client/writing.ts';
import type { Played } from '../play.ts';
import type { World } from '../world.ts';

import type { Attack } from './attack.ts';

// The conversation, replayed, forged and gone stale.
export function protocolAttacks(world: World, played: Played): Attack[] {
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
export function forgeries(world: World, played: Played): Attack[] {
  const { doctor, secondDoctor, stranger, patient, insurer } = world.clients;
  const { record } = played;
  return [
    {
      name: "entry in another's name",
      codes: ['RECORD_AUTHOR'],
      run: async () => {
        const writing = statement('annotate', 'annotation', new Uint8Array(0));
        const head = await statedHead(secondDoctor, record.recordId);
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
      run: () => sendOver(doctor, record.recordId),
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
      name: "another's record claimed",
      codes: ['RECORD_EXISTS'],
      run: () => {
        const directory = { recordId: directoryId(world.trust.origin), tagSalt: systemRandom(32) };
        const claim = { root: createRoot(), recordId: record.recordId, names: [] };
        return publishCompartmentsOf(stranger, directory, claim);
      },
    },
    {
      name: 'entry under an unknown record',
      codes: ['FORBIDDEN'],
      run: () => sendOver(doctor, systemRandom(16)),
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
        const ask = (recordId: Uint8Array) => doctor.ask<'head'>({ id, type: 'head', recordId });
        await ask(record.recordId);
        await ask(systemRandom(16));
      },
    },
  ];
}

// An entry signed over the empty chain, whatever stands there.
async function sendOver(client: BankClient, recordId: Uint8Array): Promise<void> {
  const {
    payload,
    payloadType,
    digest: payloadDigest,
  } = statement('annotate', 'annotation', new Uint8Array(0));
  const { origin } = client.trust;
  const said = {
    origin,
    recordId,
    chain: 'content',
    kind: 'annotate',
    time: Date.now(),
    seen: null,
  } as const;
  const signed = await signEntry(client.user, EMPTY_CHAIN, { ...said, payloadType, payloadDigest });
  const entries = [{ entry: encodeSignedEntry(signed), attachments: [], annexes: [] }];
  await client.ask<'append'>({ type: 'append', recordId, entries }, [payload]);
}
