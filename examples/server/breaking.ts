/** Breaking the glass, the bank's side: the reason stands in the chain first, then the halves are released, and logged. */

import { MunimentError } from 'muniment';
import type { Credential } from 'muniment/keys';
import { decodeSignedEntry, hashEntry, readStatement, type SignedEntry } from 'muniment/record';
import {
  decodeSealed,
  encodeReleases,
  partyReader,
  release,
  SEALED_DOCUMENT,
  verifyEmergency,
  verifySealed,
  type Emergency,
  type Release,
} from 'muniment/views';
import { equalBytes } from 'muniment/wire';
import { encodeAccess, writeText, type RequestOf } from './api.ts';
import { AFRESH, settle } from './archive.ts';
import { sayTo, turnFor, type Answer, type Asking, type House } from './asking.ts';
import type { KeptRecord } from './records.ts';
import { BankRefusal, malformed } from './refusal.ts';
import { plain } from './store/bytes.ts';
import type { Change, Database } from './store/tables.ts';
import { accept, type Cause, type Taken, type Turn } from './turn.ts';

/**
 * Takes an emergency's entry into the chain, or finds it there, and releases what stood before it. The emergency is
 * durable before anything is released, and the release before it is handed out.
 */
export async function breakGlass(
  house: House,
  request: RequestOf<'break-glass'>,
  asking: Asking,
  documents: readonly Uint8Array[],
): Promise<Answer> {
  const { user, cause, at } = asking;
  const signed = decodeSignedEntry(request.entry);
  const payload = documents[0] ?? malformed();
  if (documents.length !== 1 || signed.entry.kind !== 'emergency') malformed();
  if (!equalBytes(signed.entry.author, user.id)) throw new BankRefusal('RECORD_AUTHOR');
  const emergency = verifyEmergency(readStatement(signed.entry, payload, 'emergency'), user);
  if (!equalBytes(emergency.recordId, request.recordId)) malformed();
  const until = signed.entry.time + house.releaseTime;
  // One emergency is one reason for a limited time, not a key for good.
  if (house.now() > until) throw new BankRefusal('CLOCK');

  const { standing, record, bodies } = await turnFor(house, asking, async (turn) => {
    if (request.seenSize > turn.size) malformed();
    const asked = await house.records.asked(turn.change, request.recordId, user);
    const emergencyStands = await stand(house, turn, { record: asked, user, signed, payload, cause });
    return {
      record: asked,
      standing: emergencyStands,
      bodies: await sealedBodies(house, turn.change, asked.id, signed.entry.seq),
    };
  });
  const emergencyHash = hashEntry(signed);
  const releases = await releaseAll(house, { bodies, record, emergency, emergencyHash, until });

  const content = encodeAccess({
    ...{ reader: user.id, action: 'break-glass', purpose: '', request: cause.digests },
    ...{ from: signed.entry.seq, emergency: payload },
  });
  await turnFor(house, asking, async (turn) => {
    const own = await turn.own(record.id, { kind: 'release', content, time: at });
    await turn.take([own], record.tagSalt, cause);
    await settle(turn.change, cause, AFRESH);
  });
  const judge = (database: Database): Promise<KeptRecord> =>
    house.records.asked(database, request.recordId, user);
  const { said } = await sayTo(house, asking, { judge });
  const text = writeText({
    ...(await said.checkpoint(request.seenSize)),
    receipt: { receipt: standing.receipt, proof: said.inclusion(standing.leaf) },
    ...{ emergencyHash, releases: 0 },
    head: await said.head(record.id, 'content'),
  });
  return { text, documents: [encodeReleases(releases)] };
}

async function releaseAll(
  { identity, directory }: House,
  given: {
    readonly bodies: readonly Uint8Array[];
    readonly record: KeptRecord;
    readonly emergency: Emergency;
    readonly emergencyHash: Uint8Array;
    readonly until: number;
  },
): Promise<Release[]> {
  const { bodies, record, emergency, emergencyHash, until } = given;
  const custodian = { reader: partyReader(identity.credential), key: identity.sealing };
  const context = { custodian: identity.credential.id, clinician: emergency.clinician, emergencyHash };
  const releases: Release[] = [];
  for (const body of bodies) {
    try {
      const document = verifySealed(decodeSealed(body), { recordId: record.id, authors: directory.known });
      const released = await release(custodian, document, emergency, { context, until });
      if (released !== null) releases.push(released);
    } catch (error) {
      // One broken document must not keep the others from a patient in danger.
      if (!(error instanceof MunimentError)) throw error;
    }
  }
  return releases;
}

async function stand(
  { records }: House,
  turn: Turn,
  asked: {
    readonly record: KeptRecord;
    readonly user: Credential;
    readonly signed: SignedEntry;
    readonly payload: Uint8Array;
    readonly cause: Cause;
  },
): Promise<Taken> {
  const { record, user, signed, payload, cause } = asked;
  const known = await turn.change
    .selectFrom('entries')
    .select(['receipt', 'leaf'])
    .where('record', '=', record.id)
    .where('chain', '=', 'content')
    .where('seq', '=', signed.entry.seq)
    .where('hash', '=', hashEntry(signed))
    .executeTakeFirst();
  if (known !== undefined) return { receipt: plain(known.receipt), leaf: known.leaf };
  records.checkTime(signed);
  const head = await turn.head(record.id, 'content');
  const { entry, effect } = await records.next(turn.change, record, { signed, payload, author: user, head });
  const beside = { payload, attachments: [], annexes: [], effect };
  const [taken] = await turn.take([accept(entry, beside)], record.tagSalt, cause);
  return taken ?? malformed();
}

// With their authors' credentials found, which verifying does not wait for.
async function sealedBodies(
  { directory }: House,
  change: Change,
  recordId: Uint8Array,
  before: number,
): Promise<Uint8Array[]> {
  const rows = await change
    .selectFrom('entries')
    .innerJoin('payloads', (join) =>
      join
        .onRef('payloads.record', '=', 'entries.record')
        .onRef('payloads.chain', '=', 'entries.chain')
        .onRef('payloads.seq', '=', 'entries.seq'),
    )
    .select(['entries.entry', 'payloads.bytes'])
    .where('entries.record', '=', recordId)
    .where('entries.chain', '=', 'content')
    .where('entries.seq', '<', before)
    .orderBy('entries.seq')
    .execute();
  const bodies = [];
  for (const { entry: bytes, bytes: body } of rows) {
    const { entry } = decodeSignedEntry(plain(bytes));
    if (entry.payloadType !== SEALED_DOCUMENT) continue;
    await directory.find(change, entry.author);
    bodies.push(plain(body));
  }
  return bodies;
}
