/** A bank with something in every table: the demo's main job, and what it does not do. */

import { createIdentity, importKeys, type Identity } from 'muniment/keys';
import { KEM_XWING, systemRandom } from 'muniment/crypto';
import { converse, MemoryReplayCache, accept, respond, serve, splitMessages } from 'muniment/protocol';
import { directoryId, encodeSignedEntry, signEntry } from 'muniment/record';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { BankClient } from '../../../examples/client/bank.ts';
import { CLOCK } from '../../../examples/client/connection.ts';
import { statedHead } from '../../../examples/client/newest.ts';
import { publishNextEpochOf, renounce, revoke } from '../../../examples/client/publishing.ts';
import { lookUp } from '../../../examples/client/people.ts';
import {
  append,
  sealDraft,
  type Draft,
  type RecordName,
  type Writing,
} from '../../../examples/client/writing.ts';
import { owned } from '../../../examples/demo/owned.ts';
import { play, type Played } from '../../../examples/demo/play.ts';
import { createReport } from '../../../examples/demo/report.ts';
import { syntheticSubject, type Subject } from '../../../examples/demo/subject.ts';
import { createWorld, type World } from '../../../examples/demo/world.ts';
import { parseRequest, writeText } from '../../../examples/server/api.ts';
import { archive } from '../../../examples/server/archive.ts';
import type { Engine } from '../../../examples/server/store/engine.ts';

/** A world that was played. */
export interface PlayedWorld {
  readonly world: World;
  readonly played: Played;
  /** The server's configuration. */
  readonly configuration: string;
}

/** Plays the main job, then a revocation, a renunciation, a refusal, a repeated request, an annex, and one that is left unexecuted. */
export async function playedWorld(engine: Engine['name']): Promise<PlayedWorld> {
  const whole = syntheticSubject();
  const subject: Subject = { ...whole, drafts: whole.drafts.slice(0, 3) };
  const world = await createWorld(subject.specialities, { store: engine });
  const played = await play(world, subject, createReport(true));
  const { administrator, patient, stranger, doctor, secondDoctor, insurer } = world.clients;
  const directory = {
    recordId: directoryId(world.trust.origin),
    tagSalt: await directorySalt(world),
  };
  const { groups } = await lookUp(doctor, { groups: ['insurer'] });
  await publishNextEpochOf(insurer, directory, groups.get('insurer')!, {
    ...{ kem: KEM_XWING, staying: [insurer.user.credential], joining: [], leaving: [] },
    ...{ history: 'no history' },
  });
  await append(doctor, played.record, [await sealed(world, [IMAGE])]);
  const id = systemRandom(16);
  const question = { type: 'head', recordId: played.record.recordId, id } as const;
  await patient.ask<'head'>(question);
  await patient.ask<'head'>(question); // the same request in another session
  await stranger.ask<'head'>({ type: 'head', recordId: played.record.recordId }).catch(() => undefined); // refused
  await renounce(stranger, directory);
  await revoke(administrator, directory, secondDoctor.user.credential, {
    ...{ reason: 'ceased', revokedAt: Date.now() },
  });
  await leaveUnexecuted(world, played.record);
  return { world, played, configuration: path.join(path.dirname(world.serverFolder), 'server.json') };
}

async function directorySalt(world: World): Promise<Uint8Array> {
  const id = directoryId(world.trust.origin);
  return owned(world, async (database) => {
    const row = await database
      .selectFrom('records')
      .select('tag_salt')
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    return new Uint8Array(row.tag_salt);
  });
}

// Archived, and the server died before it was executed.
async function leaveUnexecuted(world: World, record: RecordName): Promise<void> {
  const { doctor } = world.clients;
  const writing = await sealed(world, []);
  const entry = await signEntry(doctor.user, await statedHead(doctor, record.recordId), {
    ...{ origin: world.trust.origin, recordId: record.recordId, chain: 'content', kind: writing.kind },
    ...{ time: Date.now(), payloadType: writing.payloadType, payloadDigest: writing.digest, seen: null },
  });
  const entries = [{ entry: encodeSignedEntry(entry), attachments: [], annexes: [] }];
  const text = writeText({
    id: systemRandom(16),
    type: 'append',
    recordId: record.recordId,
    entries,
    seenSize: 0,
  });
  await archiveOnly(world, doctor, text, [writing.payload]);
}

const IMAGE = { mediaType: 'image/png', bytes: systemRandom(3000) };

async function sealed(world: World, annexes: Draft['annexes']): Promise<Writing> {
  const { doctor } = world.clients;
  const { groups, compartments } = await lookUp(doctor, {
    subjects: ['patient-1'],
    groups: [...world.specialities.map((name) => `speciality:${name}`), 'insurer', 'emergency'],
  });
  const audience = {
    ...{ policy: syntheticSubject().policy, owner: compartments.get('patient-1')!, groups },
    custodian: world.trust.bank,
  };
  const toJson = (images: readonly string[]): string =>
    JSON.stringify({ patient: { bloodType: 'B-', images } });
  return sealDraft(doctor, audience, { type: 'record', annexes, toJson });
}

async function archiveOnly(
  world: World,
  client: BankClient,
  text: string,
  documents: Uint8Array[],
): Promise<void> {
  const bank = await bankIdentity(world);
  const binding = { kind: 'tls-exporter', value: systemRandom(32) } as const;
  const replay = new MemoryReplayCache({ capacity: 1000, floor: 0 });
  const options = { binding, clock: CLOCK, replay, validate: () => client.user.credential };
  let state: Awaited<ReturnType<typeof respond>>['state'] | null = null;
  const receive = async (message: Uint8Array): Promise<Uint8Array> => {
    if (state === null) {
      const response = await respond(bank, message, options);
      ({ state } = response);
      return response.message;
    }
    const { third, request } = splitMessages(message);
    const service = await serve(await accept(state, third, binding), request, binding);
    if (!service.accepted) throw new Error('not accepted');
    const { request: envelope, documents: received, sessionId, evidence } = service;
    const asked = {
      envelope,
      request: parseRequest(envelope.data),
      documents: received,
      sessionId,
      evidence,
    };
    await owned(world, (database) => database.transaction().execute((change) => archive(change, asked)));
    throw new Error('power cut');
  };
  const parties = { user: client.user, gateway: client.trust.bank };
  await converse(receive, parties, { binding, clock: CLOCK, data: text, documents }).catch(
    (error: unknown) => {
      if (!(error instanceof Error && error.message === 'power cut')) throw error;
    },
  );
}

async function bankIdentity(world: World): Promise<Identity> {
  const at = (name: string): string =>
    readFileSync(path.join(path.dirname(world.serverFolder), name), 'utf8');
  return createIdentity(await importKeys(at('bank.keys'), at('passphrase')), world.trust.bank);
}
