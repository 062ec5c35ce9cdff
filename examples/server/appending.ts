/** Appending: a batch of additions, each signed on its own, accepted or refused whole. */

import { sha256 } from 'muniment/crypto';
import { hasRole, type Credential } from 'muniment/keys';
import {
  decodeSignedEntry,
  hashEntry,
  readCreation,
  readStatement,
  verifyPayload,
  type SignedEntry,
  type VerifiedEntry,
} from 'muniment/record';
import {
  decodeSealed,
  partyReader,
  SEALED_DOCUMENT,
  verifyGrant,
  verifyOwnWrap,
  verifySealed,
} from 'muniment/views';
import { equalBytes } from 'muniment/wire';
import { writeText, type RequestOf } from './api.ts';
import { replyOf, settle } from './archive.ts';
import { answer, type Answer, type Asking, type House } from './asking.ts';
import { listsFor } from './compartments.ts';
import { readGrantEnd } from './grant-end.ts';
import { partsOf, rootsOf, type Lists } from './parts.ts';
import type { Arrived, Kept, Records } from './records.ts';
import { BankRefusal, malformed } from './refusal.ts';
import { DIGESTS, SPECIALIST_PARTS } from './rights.ts';
import { plain } from './store/bytes.ts';
import { entriesOf, payloadOf, receiptsOf } from './store/entries.ts';
import type { Change } from './store/tables.ts';
import { accept, NO_EFFECT, type Accepted, type Effect, type Turn } from './turn.ts';

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
    const text = leavesText(await turn.take(accepted, kept.tagSalt, cause));
    await settle(turn.change, cause, text);
    return text;
  });
  return receiptsAnswer(house, request, outcome);
}

/** What is kept of entries that were taken: where their leaves are. */
export function leavesText(taken: readonly { readonly leaf: number }[]): string {
  return writeText({ leaves: taken.map(({ leaf }) => leaf) });
}

/** The answer to who had entries taken: receipts and proofs, or the refusal that it was. */
export async function receiptsAnswer(
  house: House,
  request: { readonly recordId: Uint8Array; readonly seenSize: number },
  outcome: string,
): Promise<Answer> {
  const { leaves } = JSON.parse(outcome) as { readonly leaves?: readonly number[] };
  if (leaves === undefined) return answer(outcome); // the refusal that it was
  const said = await house.said();
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
  // What a directory's list or group goes on from is looked up where it stands, not among what comes with it.
  const publications = entries.filter(({ entry }) => decodeSignedEntry(entry).entry.kind === 'key');
  if (records.isDirectory(recordId) && publications.length > 1) malformed();
  // Of a record that is not there, or not theirs, users hear the same.
  let kept: Kept | null = mayKnow(records, request, user)
    ? await records.find(change, recordId)
    : await records.asked(change, recordId, user);
  let head = await turn.head(recordId, 'content');
  let known: Promise<Lists> | null = null;
  const lists = (): Promise<Lists> => (known ??= listsFor(directory, change, recordId));
  let attached = entries.length;
  for (const [i, { entry: bytes, attachments: digests, annexes }] of entries.entries()) {
    const signed = decodeSignedEntry(bytes);
    const payload = documents[i] ?? malformed();
    if (!equalBytes(signed.entry.author, user.id)) throw new BankRefusal('RECORD_AUTHOR');
    if (signed.entry.kind === 'erase') malformed(); // there is a request for that, which destroys as well
    let opening = NO_EFFECT;
    if (signed.entry.kind === 'create') {
      kept = await records.create(change, recordId, { signed, payload, author: user });
      // The directory is the administrator's who opens it.
      const owner = kept.standing === null ? user.id : readCreation(signed.entry, payload).owner;
      const row = { id: recordId, owner, tag_salt: kept.tagSalt };
      opening = (within) => within.insertInto('records').values(row).execute();
    }
    if (kept === null) throw new BankRefusal('RECORD_UNKNOWN');
    const arrived: Arrived = await records.next(change, kept, { signed, payload, author: user, head });
    const { entry } = arrived;
    verifyPayload(signed.entry, payload, DIGESTS);
    const attachments = digests.map((digest) => ({ digest, bytes: documents[attached++] ?? malformed() }));
    if (!attachments.every(({ digest, bytes }) => equalBytes(sha256(bytes), digest))) malformed();
    // A grant brings along the keys that it hands over, a document its annexes; nothing else has anything beside it.
    if (digests.length !== (signed.entry.kind === 'grant' ? 1 : 0)) malformed();
    if (annexes.length > 0 && signed.entry.payloadType !== SEALED_DOCUMENT) malformed();
    if (kept.standing !== null)
      await judgeContent(house, change, { kept, entry, payload, digests, before: accepted, lists });
    for (const name of annexes)
      if ((await house.annexes.sizeOf(change, name)) === null) throw new BankRefusal('ANNEX_MISSING');
    const stated =
      kept.standing === null && signed.entry.kind !== 'create'
        ? await directory.prepare(change, entry, payload)
        : NO_EFFECT;
    const effect: Effect = async (within, time) => {
      for (const one of [opening, stated, arrived.effect]) await one(within, time);
    };
    accepted.push(accept(entry, { payload, attachments, annexes, effect }));
    ({ kept, head } = arrived);
  }
  if (attached !== documents.length || kept === null) malformed();
  return { kept, accepted };
}

// Who opens a record, closes one or states whose keys are good may not ask for it; whether they may do that is judged by
// the entry.
function mayKnow(records: Records, { recordId, entries }: RequestOf<'append'>, user: Credential): boolean {
  const kind = entries[0] && decodeSignedEntry(entries[0].entry).entry.kind;
  const states = (kind === 'close' || kind === 'key') && hasRole(user, 'administrator');
  return kind === 'create' || states || records.isDirectory(recordId);
}

/** An addition to a record, with those before it in its batch. */
interface Addition {
  readonly kept: Kept;
  readonly entry: VerifiedEntry;
  readonly payload: Uint8Array;
  readonly digests: readonly Uint8Array[];
  readonly before: readonly Accepted[];
  /** Of the record's parts, read once for the batch: what publishes one is in no batch with documents. */
  readonly lists: () => Promise<Lists>;
}

async function judgeContent(house: House, change: Change, addition: Addition): Promise<void> {
  const { kept, entry, payload, digests } = addition;
  switch (entry.entry.kind) {
    case 'create':
      return;
    case 'key':
    case 'close':
      return; // judged by what the record's statements have said before
    case 'grant': {
      const grant = verifyGrant(readStatement(entry.entry, payload, 'grant'), entry.author, null);
      const whole = equalBytes(digests[0] ?? malformed(), grant.wrapHash);
      if (!whole || !equalBytes(grant.recordId, kept.id)) malformed();
      return;
    }
    case 'revoke': {
      const hash = readGrantEnd(entry.entry, payload);
      const ended = await findEntry(change, addition, (signed) => equalBytes(hashEntry(signed), hash));
      if (ended?.signed.entry.kind !== 'grant') throw new BankRefusal('TARGET_UNKNOWN');
      return;
    }
    default:
      if (entry.entry.payloadType !== SEALED_DOCUMENT) malformed();
      await judgeSealed(house, change, addition);
  }
}

// What the bank can know of a sealed document without a key: signature, commitments, that it is sealed to this
// record's owner, in which of its parts it lies, which document it is about, and that the custodian's own wrap opens,
// so that an emergency does not find it broken.
async function judgeSealed({ identity }: House, change: Change, addition: Addition): Promise<void> {
  const { kept, entry, payload } = addition;
  const sealed = decodeSealed(payload);
  const verified = verifySealed(sealed, { recordId: kept.id, authors: () => entry.author });
  if (!equalBytes(verified.author.id, entry.author.id)) throw new BankRefusal('RECORD_AUTHOR');
  // What claims to have been written after its entry was signed was not.
  if (verified.manifest.time > entry.entry.time) throw new BankRefusal('CLOCK');
  const lists = await addition.lists();
  const [root] = rootsOf(lists);
  const toOwner = root !== undefined && sealed.wraps.some(({ readerId }) => equalBytes(readerId, root));
  if (!toOwner) throw new BankRefusal('NOT_FOR_OWNER');
  const about = await judgeTarget(change, addition, verified.manifest.supersedes);
  if (!hasRole(entry.author, 'doctor')) for (const one of [payload, ...about]) checkSpecialists(lists, one);
  await verifyOwnWrap(verified, { reader: partyReader(identity.credential), key: identity.sealing });
}

const NO_DOCUMENT = new Uint8Array(32);

// An amendment names the document that it takes the place of, an annotation the one that it is about; an insertion none.
async function judgeTarget(
  change: Change,
  addition: Addition,
  target: Uint8Array,
): Promise<readonly (Uint8Array | null)[]> {
  const none = equalBytes(target, NO_DOCUMENT);
  if (addition.entry.entry.kind === 'insert') return none ? [] : malformed();
  const found = await findEntry(
    change,
    addition,
    ({ entry }) => entry.payloadType === SEALED_DOCUMENT && equalBytes(entry.payloadDigest, target),
  );
  if (found === null) throw new BankRefusal('TARGET_UNKNOWN');
  return [found.payload];
}

// Specialists add to their own parts, and to what is there already; of a document that was erased nobody can tell.
function checkSpecialists(lists: Lists, payload: Uint8Array | null): void {
  const parts = payload === null ? new Set<string>() : partsOf(lists, decodeSealed(payload));
  if (parts.size === 0 || [...parts].some((name) => !SPECIALIST_PARTS.includes(name)))
    throw new BankRefusal('PART');
}

// An entry of this record's content, with its payload: one that stands, or one before it in the same batch.
async function findEntry(
  change: Change,
  { kept, before }: Addition,
  matches: (signed: SignedEntry) => boolean,
): Promise<{ readonly signed: SignedEntry; readonly payload: Uint8Array | null } | null> {
  const batched = before.find(({ signed }) => matches(signed));
  if (batched !== undefined) return batched;
  for (const row of await entriesOf(change, { record: kept.id, chain: 'content', from: 0 })) {
    const signed = decodeSignedEntry(plain(row.entry));
    if (matches(signed)) return { signed, payload: await payloadOf(change, row) };
  }
  return null;
}
