/** Writing where others write too: what one has written is taken though somebody wrote behind it before one heard of that. */

import { systemRandom } from 'muniment/crypto';
import { encodeSignedEntry } from 'muniment/record';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BankClient } from '../../examples/client/bank.ts';
import { headToSign } from '../../examples/client/newest.ts';
import { readRecord } from '../../examples/client/reading.ts';
import {
  append,
  checkTaken,
  sealDraft,
  signAll,
  type RecordName,
  type Writing,
} from '../../examples/client/writing.ts';
import type { Engine } from '../../examples/server/store/engine.ts';
import { audienceOf, draftIn, foundGroups, KEEPER, openRecord, write } from './a-record.ts';
import { foundBank, type InProcess } from './in-process.ts';
import { makeDatabase, type TestDatabase } from './store/engines.ts';

let database: TestDatabase;
let engine: Engine;
let at: InProcess;
let doctor: BankClient;
let patient: BankClient;
let record: RecordName;

beforeAll(async () => {
  database = await makeDatabase('sqlite');
  engine = await database.open();
  at = await foundBank(engine);
  const users = await at.join({
    patient: ['patient'],
    doctor: ['doctor', 'speciality:cardiology', ...KEEPER],
  });
  ({ doctor, patient } = users);
  await foundGroups(at, doctor, [doctor.user.credential]);
  record = await openRecord(at, patient, doctor);
});
afterAll(async () => {
  await engine.close();
  await database.remove();
});

const document = async (): Promise<Writing> =>
  sealDraft(doctor, await audienceOf(at, patient), draftIn('treatments'));

/** Asks the bank to take a document; its answer is lost, somebody writes, and it is asked again. */
async function askTwice(writing: Writing) {
  const { recordId } = record;
  const from = await headToSign(doctor, recordId);
  const signed = await signAll(doctor, record, [writing], from);
  const entries = [{ entry: encodeSignedEntry(signed[0]!), attachments: [], annexes: [] }];
  const question = { id: systemRandom(16), type: 'append', recordId, entries } as const;
  const before = at.clientOf(doctor.user);
  Object.assign(before.memory, structuredClone(doctor.memory));
  await before.ask<'append'>(question, [writing.payload]);
  await write(at, at.clientOf(doctor.user), recordId, await document());
  return { signed, from, answer: await doctor.ask<'append'>(question, [writing.payload]) };
}

it('holds its receipts against the log, and reads what came behind when it writes next', async () => {
  const { signed, from, answer } = await askTwice(await document());
  await checkTaken(doctor, record, { signed, from }, answer);
  await append(doctor, record, [await document()]);
  const { documents } = await readRecord(patient, record.recordId, { purpose: 'all', releases: null });
  expect(documents.map(({ entry }) => entry.entry.seq)).toEqual([1, 2, 3]);
});

it('takes no receipt whose place in the log is not proven, nor one for another entry', async () => {
  const { signed, from, answer } = await askTwice(await document());
  const [receipted] = answer.reply.receipts;
  const with_ = (receipts: typeof answer.reply.receipts) => ({
    ...answer,
    reply: { ...answer.reply, receipts },
  });
  const unproven = with_([{ ...receipted!, proof: [] }]);
  await expect(checkTaken(doctor, record, { signed, from }, unproven)).rejects.toThrow('RECORD_INCLUSION');
  await expect(checkTaken(doctor, record, { signed, from }, with_([]))).rejects.toThrow('RECORD_RECEIPT');
  const [other] = await signAll(doctor, record, [await document()], from);
  const foreign = checkTaken(doctor, record, { signed: [other!], from }, answer);
  await expect(foreign).rejects.toThrow('RECORD_RECEIPT');
});
