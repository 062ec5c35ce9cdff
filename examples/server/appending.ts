/** Appending: a batch of additions, each signed on its own, accepted or refused whole. */

import { sha256 } from 'muniment/crypto';
import type { Credential, Decapsulator } from 'muniment/keys';
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
import type { AnnexStore } from './annexes.ts';
import type { RequestOf } from './api.ts';
import type { Directory } from './directory.ts';
import { accept, type Accepted, type Effect, type Ledger } from './ledger.ts';
import type { Kept, Records } from './records.ts';
import { BankRefusal, malformed } from './refusal.ts';
import { DIGESTS, SEALED } from './rights.ts';
import type { Store } from './store.ts';

/** What appending needs of the bank. */
export interface AppendParts {
  readonly store: Store;
  readonly directory: Directory;
  readonly ledger: Ledger;
  readonly records: Records;
  readonly annexes: AnnexStore;
  /** The bank as a custodian. */
  readonly custodian: { readonly credential: Credential; readonly key: Decapsulator };
}

/** A batch that was judged, but for its author's standing when the ledger takes it. */
export interface JudgedBatch {
  readonly kept: Kept;
  readonly accepted: readonly Accepted[];
}

/** Judges a batch; nothing is written by that. */
export async function judgeBatch(
  parts: AppendParts,
  request: RequestOf<'append'>,
  user: Credential,
  documents: readonly Uint8Array[],
): Promise<JudgedBatch> {
  const { store, ledger, records } = parts;
  const { recordId, entries } = request;
  const accepted: Accepted[] = [];
  let kept = records.find(recordId);
  let head = ledger.head(recordId, 'content');
  let attached = entries.length;
  for (const [i, { entry: bytes, attachments: digests, annexes }] of entries.entries()) {
    const signed = decodeSignedEntry(bytes);
    const payload = documents[i] ?? malformed();
    if (!equalBytes(signed.entry.author, user.id)) throw new BankRefusal('RECORD_AUTHOR');
    let effect: Effect = () => undefined;
    if (signed.entry.kind === 'create') {
      const created = records.create(recordId, signed, payload);
      const owner = created.owner?.id ?? user.id;
      effect = () => store.run('INSERT INTO records VALUES (?, ?, ?)', recordId, owner, created.tagSalt);
      kept = created;
    }
    if (kept === null) throw new BankRefusal('RECORD_UNKNOWN');
    const step = records.next(kept, signed, head);
    head = step.head;
    verifyPayload(signed.entry, payload, DIGESTS);
    const attachments = digests.map((digest) => ({ digest, bytes: documents[attached++] ?? malformed() }));
    if (!attachments.every(({ digest, bytes }) => equalBytes(sha256(bytes), digest))) malformed();
    if (kept.owner !== null)
      await judgeContent(parts, { kept, owner: kept.owner, entry: step.entry, payload, digests });
    for (const name of annexes) if (!parts.annexes.has(name)) throw new BankRefusal('ANNEX_MISSING');
    if (kept.owner === null && signed.entry.kind !== 'create')
      effect = parts.directory.prepare(step.entry, payload);
    accepted.push(accept(step.entry, { payload, attachments, annexes, effect }));
  }
  if (attached !== documents.length || kept === null) malformed();
  return { kept, accepted };
}

async function judgeContent(
  parts: AppendParts,
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
      await judgeSealed(parts, { owner, entry, sealed: decodeSealed(payload), recordId: kept.id });
  }
}

// What the bank can know of a sealed document without a key: signature, commitments, that it is sealed to this
// record's owner, and that the custodian's own wrap opens, so that an emergency does not find it broken.
async function judgeSealed(
  parts: AppendParts,
  given: {
    readonly owner: Credential;
    readonly entry: VerifiedEntry;
    readonly sealed: SealedDocument;
    readonly recordId: Uint8Array;
  },
): Promise<void> {
  const { owner, entry, sealed, recordId } = given;
  const { directory, custodian } = parts;
  const verified = verifySealed(sealed, { recordId, authors: directory.find });
  if (!equalBytes(verified.author.id, entry.author.id)) throw new BankRefusal('RECORD_AUTHOR');
  // What claims to have been written after its entry was signed was not.
  if (verified.manifest.time > entry.entry.time) throw new BankRefusal('CLOCK');
  const [root] = directory.compartmentsOf(owner, '');
  const toOwner = root !== undefined && sealed.wraps.some(({ readerId }) => equalBytes(readerId, root));
  if (!toOwner) throw new BankRefusal('NOT_FOR_OWNER');
  await verifyOwnWrap(verified, { reader: partyReader(custodian.credential), key: custodian.key });
}
