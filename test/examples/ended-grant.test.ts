/** A grant that was ended stays ended, also when the word that ended it is erased. */

import { openRoot } from 'muniment/keys';
import {
  encodeAuthorityStatement,
  encodeErasure,
  encodeSignedEntry,
  ERASE,
  hashEntry,
  signEntry,
  TEN_YEARS_AFTER_DEATH,
} from 'muniment/record';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { readRecord } from '../../examples/client/reading.ts';
import { endGrant, grantCompartment } from '../../examples/client/sharing.ts';
import { sealDraft, statement } from '../../examples/client/writing.ts';
import type { Engine } from '../../examples/server/store/engine.ts';
import { audienceOf, draftIn, foundGroups, headOf, KEEPER, openRecord, write } from './a-record.ts';
import { foundBank } from './in-process.ts';
import { makeDatabase, type TestDatabase } from './store/engines.ts';

const YEAR = 366 * 86_400_000;
const DEATH = Date.UTC(2026, 2, 14);

let database: TestDatabase;
let engine: Engine;

beforeAll(async () => {
  database = await makeDatabase('sqlite');
  vi.useFakeTimers({ toFake: ['Date'], now: DEATH });
  engine = await database.open();
});
afterAll(async () => {
  vi.useRealTimers();
  await engine.close();
  await database.remove();
});

it('is not handed out under again', async () => {
  const at = await foundBank(engine, { days: 5000 });
  const { patient, doctor, insurer } = await at.join({
    patient: ['patient'],
    doctor: ['doctor', 'speciality:cardiology', ...KEEPER],
    insurer: ['insurer'],
  });
  await foundGroups(at, doctor, [doctor.user.credential]);
  const record = await openRecord(at, patient, doctor);
  const { recordId } = record;
  const audience = await audienceOf(at, patient);
  await write(at, doctor, recordId, await sealDraft(doctor, audience, draftIn('treatments')));
  const { owner: compartments } = audience;
  await grantCompartment(patient, record, {
    ...{ grantee: insurer.user.credential, compartments, scope: 'treatments', purpose: 'for long' },
    ...{ root: await openRoot(patient.user, compartments), until: DEATH + 20 * YEAR },
  });
  const opened = async (): Promise<number> => {
    const view = await readRecord(insurer, recordId, { purpose: 'of the test', releases: null });
    return view.documents.length + view.grants.length;
  };
  expect(await opened()).toBe(2);
  await endGrant(patient, record, (await headOf(at, recordId)).hash);
  expect(await opened()).toBe(0);
  const end = await headOf(at, recordId);

  const closing = { kind: 'closing', ground: 'death', at: DEATH, number: 0 } as const;
  const { kind, content } = encodeAuthorityStatement(closing);
  await write(at, at.administrator, recordId, statement('close', kind, content));
  vi.setSystemTime(DEATH + 11 * YEAR);
  const erased = [{ seq: end.size - 1, entryHash: end.hash }];
  const ruleVersion = TEN_YEARS_AFTER_DEATH.version;
  const erasure = { chain: 'content', erased, ground: 'retention', ruleVersion } as const;
  const said = statement('erase', ERASE, encodeErasure(erasure));
  const tombstone = await signEntry(at.administrator.user, await headOf(at, recordId), {
    ...{ origin: at.trust.origin, recordId, chain: 'content', kind: 'erase', time: Date.now() },
    ...{ payloadType: said.payloadType, payloadDigest: said.digest, seen: null },
  });
  const question = { type: 'erase', recordId, entry: encodeSignedEntry(tombstone) } as const;
  await at.administrator.ask<'erase'>(question, [said.payload]);
  expect((await headOf(at, recordId)).hash).toEqual(hashEntry(tombstone));
  expect(await opened()).toBe(0);
});
