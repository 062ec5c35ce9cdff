/** Attacks by the bank itself, which has all of its keys. What it signed against itself must convict it. */

import { judge, NO_WITNESSES, type FraudKind } from 'muniment/record';
import { BankClient } from '../../client/bank.ts';
import { breakGlass } from '../../client/emergency.ts';
import { FraudError } from '../../client/following.ts';
import { readRecord } from '../../client/reading.ts';
import type { Trust } from '../../client/trust.ts';
import { plain } from '../../server/store/bytes.ts';
import { owned } from '../owned.ts';
import type { Played } from '../play.ts';
import { startTwin } from '../twin.ts';
import { LOOPBACK, type World } from '../world.ts';
import { flip, nothing, type Attack } from './attack.ts';

/** The bank alters what it keeps, cuts the record's end off, and tells two readers two histories. */
export function bankAttacks(world: World, played: Played): Attack[] {
  return [
    {
      name: "flipped byte in the server's own database, served",
      codes: ['RECORD_PAYLOAD', 'VIEW_AUTHOR', 'VIEW_COMMITMENT', 'VIEW_ORDER'],
      run: () => servedAltered(world, played, 'altered body'),
    },
    {
      name: "the last entry dropped from the server's own database",
      codes: ['RECORD_CONSISTENCY'],
      run: () => convicted(world, 'cut tail', servedAltered(world, played, 'cut tail')),
    },
    {
      name: 'two histories for two readers',
      codes: [world.trust.witnesses.threshold > 0 ? 'RECORD_WITNESS' : 'RECORD_CONSISTENCY'],
      run: () => convicted(world, 'two places', showTwoHistories(world, played)),
    },
  ];
}

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
      new BankClient(user, trust, { ...endpoint, host: LOOPBACK, port: twin.port }, memory);
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

// Alters the body of the first document, or drops the last entry, and lets the patient read. Put right again afterwards.
async function servedAltered(world: World, played: Played, what: 'altered body' | 'cut tail'): Promise<void> {
  const { recordId } = played.record;
  const table = what === 'cut tail' ? 'entries' : 'payloads';
  await owned(world, async (database) => {
    const all = await database
      .selectFrom(table)
      .selectAll()
      .where('record', '=', recordId)
      .where('chain', '=', 'content')
      .orderBy('seq')
      .execute();
    const row = (what === 'cut tail' ? all.at(-1) : all[1]) ?? nothing();
    const drop = (): Promise<unknown> =>
      database
        .deleteFrom(table)
        .where('record', '=', recordId)
        .where('chain', '=', 'content')
        .where('seq', '=', row.seq)
        .execute();
    const put = (values: object): Promise<unknown> =>
      database
        .insertInto(table)
        .values(values as never)
        .execute();
    await drop();
    if ('bytes' in row) await put({ ...row, bytes: flip(plain(row.bytes), 200) });
    try {
      await readRecord(world.clients.patient, recordId, { purpose: 'own record', releases: null });
    } finally {
      await drop();
      await put(row);
    }
  });
}
