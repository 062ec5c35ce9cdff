/**
 * Copies of what was handed in, which no caller changes while it is being verified. spec/record.md, "Chains".
 */

import { SIGNATURE_LENGTHS } from '../crypto/index.ts';
import { copyBytes } from '../wire/index.ts';
import {
  checkBytes,
  checkChain,
  checkInteger,
  checkKind,
  checkText,
  wellFormed,
  type ChainName,
  type EntryKind,
} from './entry-fields.ts';
import {
  entrySignatureInput,
  type Entry,
  type OpaqueEntry,
  type ShownEntry,
  type SignedEntry,
} from './entry.ts';
import { STATEMENT } from './payload.ts';

// Classes and no literals: of entries whose signatures are being verified nearly all are alive at a collection, from which
// V8 learns of a literal to make it among what stays; and then all that it leads to stays until the next full collection.

/** An entry of our own. */
export class OwnEntry {
  readonly signed: SignedEntry;
  /** What its author signed: encoded once, for the signature and for the hash. */
  readonly input: Uint8Array;
  /** What the rule may see of its payload. */
  readonly payload: Uint8Array | null;

  /** Takes an entry as it is now; `memory` as for {@link entrySignatureInput}. Throws `RECORD_ENTRY`. */
  constructor(shown: ShownEntry, memory: Uint8Array | null) {
    this.signed = wellFormed(() => new OwnSigned(shown));
    // How long the other payloads are is whoever's who hands them out.
    const payload = this.signed.entry.payloadType === STATEMENT ? shown.payload : null;
    this.payload = payload ? copyBytes(payload) : null;
    this.input = entrySignatureInput(this.signed.entry, memory);
  }
}

// All that decodeSignedEntry refuses is refused.
class OwnSigned implements SignedEntry {
  readonly entry: Entry;
  readonly signature: Uint8Array;

  constructor({ entry, signature }: SignedEntry) {
    this.entry = new OwnFields(entry);
    this.signature = ownBytes(signature, lengthOfSignature(signature), 'signature');
  }
}

class OwnFields implements Entry {
  readonly origin: string;
  readonly recordId: Uint8Array;
  readonly chain: ChainName;
  readonly seq: number;
  readonly prev: Uint8Array;
  readonly author: Uint8Array;
  readonly kind: EntryKind;
  readonly time: number;
  readonly seenSize: number;
  readonly seenRoot: Uint8Array;
  readonly payloadType: string;
  readonly payloadDigest: Uint8Array;

  constructor(entry: Entry) {
    this.origin = checkText(entry.origin, 'origin');
    this.recordId = ownBytes(entry.recordId, 16, 'recordId');
    this.chain = checkChain(entry.chain);
    this.seq = checkInteger(entry.seq, 'seq');
    this.prev = ownBytes(entry.prev, 32, 'prev');
    this.author = ownBytes(entry.author, 32, 'author');
    this.kind = checkKind(entry.kind);
    this.time = checkInteger(entry.time, 'time');
    this.seenSize = checkInteger(entry.seenSize, 'seenSize');
    this.seenRoot = ownBytes(entry.seenRoot, 32, 'seenRoot');
    this.payloadType = checkText(entry.payloadType, 'payloadType');
    this.payloadDigest = ownBytes(entry.payloadDigest, 32, 'payloadDigest');
  }
}

function lengthOfSignature({ length }: Uint8Array): number {
  if (!SIGNATURE_LENGTHS.includes(length)) throw new RangeError('no signature has this length');
  return length;
}

/** The same of an entry that is not shown. Throws `RECORD_ENTRY`. */
export function ownOpaque({ seq, prev, inner }: OpaqueEntry): OpaqueEntry {
  return wellFormed(() => ({
    seq: checkInteger(seq, 'seq'),
    prev: ownBytes(prev, 32, 'prev'),
    inner: ownBytes(inner, 32, 'inner'),
  }));
}

// An array can say that it has another length than what is copied of it.
function ownBytes(bytes: Uint8Array, length: number, part: string): Uint8Array {
  return checkBytes(new Uint8Array(checkBytes(bytes, length, part)), length, part);
}
