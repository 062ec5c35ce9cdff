/** Appending: a batch of additions, each signed on its own, accepted or refused whole. */

import { sha256 } from 'muniment/crypto';
import type { Credential } from 'muniment/keys';
import { decodeSignedEntry, readStatement, verifyPayload, type VerifiedEntry } from 'muniment/record';
import {
  decodeSealed,
  partyReader,
  verifyGrant,
  verifyOwnWrap,
  verifySealed,
  type SealedDocument,
} from 'muniment/views';
import { equalBytes } from 'muniment/wire';
import { writeText, type RequestOf } from './api.ts';
import { replyOf, settle } from './archive.ts';
import { answer, type Answer, type Asking, type House } from './asking.ts';
import type { Kept } from './records.ts';
import { BankRefusal, malformed } from './refusal.ts';
import { DIGESTS, SEALED } from './rights.ts';
import { receiptsOf } from './store/entries.ts';
import type { Change } from './store/tables.ts';
import { accept, NO_EFFECT, type Accepted, type Turn } from './turn.ts';

/** Takes a batch: all of it into chain and log, or nothing. Asked again, it is answered with the same receipts. */
export async function append(
  house: House,
  request: RequestOf<'append'>,
  asking: Asking,
  documents: readonly Uint8Array[],
): Promise<Answer> {
  const { cause, user } = asking;
  const outcome = await house.ledger.turn(async (turn) => {
    const settled = await replyOf(turn.change, cause.request);
    if (settled !== null) return settled;
    await house.directory.checkStanding(turn.change, user, house.now());
    if (request.seenSize > turn.size) throw new BankRefusal('RECORD_CONSISTENCY');
    const { kept, accepted } = await judgeBatch(house, turn, { request, user, documents });
    const taken = await turn.take(accepted, kept.tagSalt, cause);
    const text = writeText({ leaves: taken.map(({ leaf }) => leaf) });
    await settle(turn.change, cause.request, text);
    return text;
  });
  const { leaves } = JSON.parse(outcome) as { readonly leaves?: readonly number[] };
  if (leaves === undefined) return answer(outcome); // the refusal that it was
  const said = house.ledger.said();
  const receipts = await receiptsOf(house.reading, leaves);
  return answer(
    writeText({
      ...(await said.checkpoint(request.seenSize)),
      receipts: receipts.map((receipt, i) => ({ receipt, proof: said.inclusion(leaves[i] ?? malformed()) })),
      head: await said.head(request.recordId, 'content'),
    }),
  );
}

async function judgeBatch(
  house: House,
  turn: Turn,
  batch: {
    readonly request: RequestOf<'append'>;
    readonly user: Credential;
    readonly documents: readonly Uint8Array[];
  },
): Promise<{ readonly kept: Kept; readonly accepted: readonly Accepted[] }> {
  const { request, user, documents } = batch;
  const { change } = turn;
  const { records, directory } = house;
  const { recordId, entries } = request;
  const accepted: Accepted[] = [];
  let kept = await records.find(change, recordId);
  let head = await turn.head(recordId, 'content');
  let attached = entries.length;
  for (const [i, { entry: bytes, attachments: digests, annexes }] of entries.entries()) {
    const signed = decodeSignedEntry(bytes);
    const payload = documents[i] ?? malformed();
    if (!equalBytes(signed.entry.author, user.id)) throw new BankRefusal('RECORD_AUTHOR');
    let effect = NO_EFFECT;
    if (signed.entry.kind === 'create') {
      const created = await records.create(change, recordId, signed, payload);
      const row = { id: recordId, owner: created.owner?.id ?? user.id, tag_salt: created.tagSalt };
      effect = (within) => within.insertInto('records').values(row).execute();
      kept = created;
    }
    if (kept === null) throw new BankRefusal('RECORD_UNKNOWN');
    const step = records.next(kept, signed, { author: user, head });
    head = step.head;
    verifyPayload(signed.entry, payload, DIGESTS);
    const attachments = digests.map((digest) => ({ digest, bytes: documents[attached++] ?? malformed() }));
    if (!attachments.every(({ digest, bytes }) => equalBytes(sha256(bytes), digest))) malformed();
    if (kept.owner !== null)
      await judgeContent(house, change, { kept, owner: kept.owner, entry: step.entry, payload, digests });
    for (const name of annexes) if (!house.annexes.has(name)) throw new BankRefusal('ANNEX_MISSING');
    if (kept.owner === null && signed.entry.kind !== 'create')
      effect = await directory.prepare(change, step.entry, payload);
    accepted.push(accept(step.entry, { payload, attachments, annexes, effect }));
  }
  if (attached !== documents.length || kept === null) malformed();
  return { kept, accepted };
}

async function judgeContent(
  house: House,
  change: Change,
  addition: {
    readonly kept: Kept;
    readonly owner: Credential;
    readonly entry: VerifiedEntry;
    readonly payload: Uint8Array;
    readonly digests: readonly Uint8Array[];
  },
): Promise<void> {
  const { kept, owner, entry, payload, digests } = addition;
  switch (entry.entry.kind) {
    case 'create':
      return;
    case 'grant': {
      const grant = verifyGrant(readStatement(entry.entry, payload, 'grant'), entry.author, null);
      const whole = digests.some((digest) => equalBytes(digest, grant.wrapHash));
      if (!whole || !equalBytes(grant.recordId, kept.id)) malformed();
      return;
    }
    default:
      if (entry.entry.payloadType !== SEALED) malformed();
      await judgeSealed(house, change, { owner, entry, sealed: decodeSealed(payload), recordId: kept.id });
  }
}

// What the bank can know of a sealed document without a key: signature, commitments, that it is sealed to this
// record's owner, and that the custodian's own wrap opens, so that an emergency does not find it broken.
async function judgeSealed(
  { directory, identity }: House,
  change: Change,
  given: {
    readonly owner: Credential;
    readonly entry: VerifiedEntry;
    readonly sealed: SealedDocument;
    readonly recordId: Uint8Array;
  },
): Promise<void> {
  const { owner, entry, sealed, recordId } = given;
  const verified = verifySealed(sealed, { recordId, authors: () => entry.author });
  if (!equalBytes(verified.author.id, entry.author.id)) throw new BankRefusal('RECORD_AUTHOR');
  // What claims to have been written after its entry was signed was not.
  if (verified.manifest.time > entry.entry.time) throw new BankRefusal('CLOCK');
  const [root] = await directory.compartmentsOf(change, owner, '');
  const toOwner = root !== undefined && sealed.wraps.some(({ readerId }) => equalBytes(readerId, root));
  if (!toOwner) throw new BankRefusal('NOT_FOR_OWNER');
  await verifyOwnWrap(verified, { reader: partyReader(identity.credential), key: identity.sealing });
}
