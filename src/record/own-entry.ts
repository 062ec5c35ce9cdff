/**
 * Copies of what was handed in, which no caller changes while it is being verified. spec/record.md, "Chains".
 */

import { SIGNATURE_LENGTHS } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { copyBytes } from '../wire/index.ts';
import { checkBytes, checkChain, checkInteger, checkKind, checkText, wellFormed } from './entry-fields.ts';
import {
  entrySignatureInput,
  type Entry,
  type OpaqueEntry,
  type ShownEntry,
  type SignedEntry,
} from './entry.ts';
import { STATEMENT } from './payload.ts';

/** An entry of our own. */
export interface OwnEntry {
  readonly signed: SignedEntry;
  /** What its author signed: encoded once, for the signature and for the hash. */
  readonly input: Uint8Array;
  /** What the rule may see of its payload. */
  readonly payload: Uint8Array | null;
}

/** Takes an entry as it is now; `memory` as for {@link entrySignatureInput}. Throws `RECORD_ENTRY`. */
export function ownCopy(shown: ShownEntry, memory: Uint8Array | null): OwnEntry {
  const signed = ownEntry(shown);
  // How long the other payloads are is whoever's who hands them out.
  const shownPayload = signed.entry.payloadType === STATEMENT ? shown.payload : null;
  const payload = shownPayload ? copyBytes(shownPayload) : null;
  return { signed, input: entrySignatureInput(signed.entry, memory), payload };
}

/** The same of an entry that is not shown. Throws `RECORD_ENTRY`. */
export function ownOpaque({ seq, prev, inner }: OpaqueEntry): OpaqueEntry {
  return wellFormed(() => ({
    seq: checkInteger(seq, 'seq'),
    prev: ownBytes(prev, 32, 'prev'),
    inner: ownBytes(inner, 32, 'inner'),
  }));
}

// All that decodeSignedEntry refuses is refused.
function ownEntry({ entry, signature }: SignedEntry): SignedEntry {
  const own = wellFormed(() => copyEntry(entry));
  if (!(signature instanceof Uint8Array) || !SIGNATURE_LENGTHS.includes(signature.length))
    throw new MunimentError('RECORD_ENTRY');
  return { entry: own, signature: wellFormed(() => ownBytes(signature, signature.length, 'signature')) };
}

function copyEntry(entry: Entry): Entry {
  return {
    origin: checkText(entry.origin, 'origin'),
    recordId: ownBytes(entry.recordId, 16, 'recordId'),
    chain: checkChain(entry.chain),
    seq: checkInteger(entry.seq, 'seq'),
    prev: ownBytes(entry.prev, 32, 'prev'),
    author: ownBytes(entry.author, 32, 'author'),
    kind: checkKind(entry.kind),
    time: checkInteger(entry.time, 'time'),
    seenSize: checkInteger(entry.seenSize, 'seenSize'),
    seenRoot: ownBytes(entry.seenRoot, 32, 'seenRoot'),
    payloadType: checkText(entry.payloadType, 'payloadType'),
    payloadDigest: ownBytes(entry.payloadDigest, 32, 'payloadDigest'),
  };
}

// An array can say that it has another length than what is copied of it.
function ownBytes(bytes: Uint8Array, length: number, part: string): Uint8Array {
  return checkBytes(new Uint8Array(checkBytes(bytes, length, part)), length, part);
}
