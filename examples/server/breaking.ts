/** Breaking the glass, the bank's side: the reason stands in the chain first, then the halves are released, and logged. */

import { MunimentError } from 'muniment';
import type { Credential, Identity } from 'muniment/keys';
import { decodeSignedEntry, hashEntry, readStatement, type SignedEntry } from 'muniment/record';
import {
  decodeSealed,
  partyReader,
  release,
  verifyEmergency,
  verifySealed,
  type Release,
} from 'muniment/views';
import { equalBytes } from 'muniment/wire';
import type { Directory } from './directory.ts';
import { accept, type Cause, type Ledger } from './ledger.ts';
import type { KeptRecord, Records } from './records.ts';
import { BankRefusal, malformed } from './refusal.ts';
import { SEALED } from './rights.ts';
import { plain, type Store } from './store.ts';

/** What breaking the glass needs of the bank. */
export interface BreakParts {
  readonly store: Store;
  readonly directory: Directory;
  readonly ledger: Ledger;
  readonly records: Records;
  readonly identity: Identity;
  readonly now: () => number;
  /** For how long an emergency lasts, in milliseconds. */
  readonly releaseTime: number;
}

/** An emergency that stands in the chain, and what was released for it. */
export interface Broken {
  readonly receipt: Uint8Array;
  readonly leaf: number;
  readonly emergencyHash: Uint8Array;
  readonly releases: readonly Release[];
}

/** Takes an emergency's entry into the chain, or finds it there, and releases what stood before it. */
export async function breakGlass(
  parts: BreakParts,
  asked: {
    readonly record: KeptRecord;
    readonly user: Credential;
    readonly signed: SignedEntry;
    readonly payload: Uint8Array;
    readonly cause: Cause;
  },
): Promise<Broken> {
  const { record, user, signed, payload } = asked;
  if (signed.entry.kind !== 'emergency') malformed();
  if (!equalBytes(signed.entry.author, user.id)) throw new BankRefusal('RECORD_AUTHOR');
  const emergency = verifyEmergency(readStatement(signed.entry, payload, 'emergency'), user);
  if (!equalBytes(emergency.recordId, record.id)) malformed();
  const until = signed.entry.time + parts.releaseTime;
  // One emergency is one reason for a limited time, not a key for good.
  if (parts.now() > until) throw new BankRefusal('CLOCK');
  const standing = await stand(parts, asked);

  const { identity, directory } = parts;
  const custodian = { reader: partyReader(identity.credential), key: identity.sealing };
  const context = { custodian: identity.credential.id, clinician: user.id, emergencyHash: hashEntry(signed) };
  const releases: Release[] = [];
  for (const body of sealedBodies(parts.store, record.id, signed.entry.seq)) {
    try {
      const document = verifySealed(decodeSealed(body), { recordId: record.id, authors: directory.find });
      const released = await release(custodian, document, emergency, { context, until });
      if (released !== null) releases.push(released);
    } catch (error) {
      // One broken document must not keep the others from a patient in danger.
      if (!(error instanceof MunimentError)) throw error;
    }
  }
  return { ...standing, emergencyHash: context.emergencyHash, releases };
}

async function stand(
  parts: BreakParts,
  asked: {
    readonly record: KeptRecord;
    readonly signed: SignedEntry;
    readonly payload: Uint8Array;
    readonly cause: Cause;
  },
): Promise<{ receipt: Uint8Array; leaf: number }> {
  const { record, signed, payload, cause } = asked;
  const known = parts.store.get<{ receipt: Uint8Array; leaf: number }>(
    "SELECT receipt, leaf FROM entries WHERE record = ? AND chain = 'content' AND seq = ? AND hash = ?",
    record.id,
    signed.entry.seq,
    hashEntry(signed),
  );
  if (known !== undefined) return { receipt: plain(known.receipt), leaf: known.leaf };
  parts.records.checkTime(signed);
  const { entry } = parts.records.next(record, signed, parts.ledger.head(record.id, 'content'));
  const leaf = parts.ledger.size;
  const beside = { payload, attachments: [], annexes: [], effect: () => undefined };
  const [receipted] = await parts.ledger.commit([accept(entry, beside)], record.tagSalt, cause, {});
  return { receipt: receipted?.receipt ?? malformed(), leaf };
}

function* sealedBodies(store: Store, recordId: Uint8Array, before: number): Generator<Uint8Array> {
  const rows = store.all<{ entry: Uint8Array; bytes: Uint8Array }>(
    "SELECT e.entry, p.bytes FROM entries e JOIN payloads p USING (record, chain, seq) WHERE record = ? AND chain = 'content' AND seq < ? ORDER BY seq",
    recordId,
    before,
  );
  for (const { entry, bytes } of rows) {
    if (decodeSignedEntry(plain(entry)).entry.payloadType === SEALED) yield plain(bytes);
  }
}
