/** Attacks by the bank itself, which has all of its keys. What it signed against itself must convict it. */

import { judge, NO_WITNESSES, type FraudKind } from 'muniment/record';
import Database from 'better-sqlite3';
import path from 'node:path';
import { BankClient } from '../../client/bank.ts';
import { breakGlass } from '../../client/emergency.ts';
import { FraudError } from '../../client/following.ts';
import { readRecord } from '../../client/reading.ts';
import type { Trust } from '../../client/trust.ts';
import type { Played } from '../play.ts';
import { startTwin, type World } from '../world.ts';
import { flip, type Attack } from './attack.ts';

/** The bank alters what it keeps, cuts the record's end off, and tells two readers two histories. */
export function bankAttacks(world: World, played: Played): Attack[] {
  return [
    {
      name: "flipped byte in the server's own database, served",
      codes: ['RECORD_PAYLOAD', 'VIEW_AUTHOR', 'VIEW_COMMITMENT', 'VIEW_ORDER'],
      run: () => servedAltered(world, played, "chain = 'content' AND seq = 1", (bytes) => flip(bytes, 200)),
    },
    {
      name: "the last entry dropped from the server's own database",
      codes: ['RECORD_CONSISTENCY'],
      run: () => convicted(world, 'cut tail', servedAltered(world, played, LAST, null)),
    },
    {
      name: 'two histories for two readers',
      codes: ['RECORD_WITNESS'], // and without witnesses it would be RECORD_CONSISTENCY
      run: () => convicted(world, 'two places', showTwoHistories(world, played)),
    },
  ];
}

const LAST =
  "chain = 'content' AND seq = (SELECT max(seq) FROM entries WHERE record = @record AND chain = 'content')";

// The client's file must convict before a judge who knows nothing but the anchor's Id and the bank's origin.
async function convicted(world: World, kind: FraudKind, served: Promise<void>): Promise<void> {
  try {
    await served;
  } catch (error) {
    if (!(error instanceof FraudError)) throw new Error('caught, and not convicted', { cause: error });
    const { anchor, origin } = world.trust;
    const conviction = judge(error.proof, { anchorId: anchor.id, origin });
    if (conviction.kind !== kind) throw new Error(`convicted of ${conviction.kind}`, { cause: error });
    throw error;
  }
}

// A twin of the bank with the same keys goes on from the same state. Each shows the emergency doctor's next entry, and
// each another one; then the twin stands in the bank's place before the patient.
async function showTwoHistories(world: World, { record: { recordId } }: Played): Promise<void> {
  const { patient, emergency } = world.clients;
  const twin = await startTwin(world);
  try {
    const at = ({ user, endpoint }: BankClient, trust: Trust, memory?: BankClient['memory']): BankClient =>
      new BankClient(user, trust, { ...endpoint, port: twin.port }, memory);
    await breakGlass(emergency, recordId, 'a reason that the patient is shown');
    await readRecord(patient, recordId, { purpose: 'own record', releases: null });
    // Whoever demands no witnesses notices nothing.
    const deceived = at(emergency, { ...world.trust, witnesses: NO_WITNESSES });
    await breakGlass(deceived, recordId, 'a reason that the patient is not shown');
    // The twin's log must have grown as far: a bank that shows less than before is not even asked for proof.
    for (let i = 0; i < 3; i++)
      await readRecord(deceived, recordId, { purpose: 'emergency', releases: null });
    await readRecord(at(patient, world.trust, patient.memory), recordId, {
      purpose: 'own record',
      releases: null,
    });
  } finally {
    await twin.stop();
  }
}

// Alters an entry's body, or drops the entry, and lets the patient read. Put right again afterwards.
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
