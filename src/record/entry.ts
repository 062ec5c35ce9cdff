/**
 * Entries: one step of a record, signed by its author and linked to the one before. spec/record.md, "Entries".
 */

import { hashTuple } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { NAME_LIMIT, readSignature, type Identity } from '../keys/index.ts';
import {
  equalBytes,
  LABEL_PREFIX,
  Scratch,
  tuple,
  tupleIn,
  TupleReader,
  type TupleItem,
} from '../wire/index.ts';
import {
  checkBytes,
  checkChain,
  checkInteger,
  checkKind,
  checkText,
  type ChainName,
  type EntryKind,
} from './entry-fields.ts';

/** Most bytes of a signed entry. */
export const ENTRY_LIMIT = 5376;
/** `prev` of a chain's first entry, and `seenRoot` of an author who has verified no checkpoint yet. */
export const ZERO_HASH = new Uint8Array(32);

/** What an entry says. */
export interface Entry {
  /** The bank's origin, as in its checkpoints. */
  readonly origin: string;
  /** 16 bytes. */
  readonly recordId: Uint8Array;
  readonly chain: ChainName;
  /** Position, from 0. */
  readonly seq: number;
  /** `entryHash` of the entry before; zeros at 0. */
  readonly prev: Uint8Array;
  /** The author's Id. */
  readonly author: Uint8Array;
  readonly kind: EntryKind;
  /** When the author says it was, in milliseconds since 1970. */
  readonly time: number;
  /** The newest checkpoint that the author had verified: a lower bound on time that no clock can fake. */
  readonly seenSize: number;
  readonly seenRoot: Uint8Array;
  /** Which digest function made `payloadDigest`. */
  readonly payloadType: string;
  /** 32 bytes. */
  readonly payloadDigest: Uint8Array;
}

/** An entry and its author's signature; nothing verified yet. */
export interface SignedEntry {
  readonly entry: Entry;
  readonly signature: Uint8Array;
}

/** The end of a chain: where the next entry goes. */
export interface Head {
  /** Number of entries so far: the next one's `seq`. */
  readonly size: number;
  /** `entryHash` of the last one; zeros if there is none. */
  readonly hash: Uint8Array;
}

/** The head of a chain without entries. */
export const EMPTY_CHAIN: Head = { size: 0, hash: ZERO_HASH };

/** What an author decides about an entry; the rest follows from the chain's head. */
export interface Draft {
  readonly origin: string;
  readonly recordId: Uint8Array;
  readonly chain: ChainName;
  readonly kind: EntryKind;
  readonly time: number;
  readonly payloadType: string;
  readonly payloadDigest: Uint8Array;
  /** The newest checkpoint that the author has verified, or `null`. */
  readonly seen: { readonly size: number; readonly root: Uint8Array } | null;
}

/**
 * Signs an entry over a chain's head.
 *
 * @param author - who writes
 * @param head - the newest head that the author knows
 * @param draft - what is written
 * @returns the signed entry; {@link headAfter} gives the head for the next one
 * @throws `RangeError` for what the format does not take, such as an id of another length, and names it; `MunimentError` `WIRE_UTF8` for a name with a lone surrogate
 * @example
 * ```ts
 * import { systemRandom } from 'muniment/crypto';
 * import { createAnchor, enrol } from 'muniment/keys';
 * import { EMPTY_CHAIN, encodeStatement, headAfter, signEntry, STATEMENT, statementDigest } from 'muniment/record';
 * const valid = { notBefore: 0, notAfter: 4e12 };
 * const hospital = await createAnchor({ subject: 'Hospital', roles: ['administrator'], ...valid });
 * const doctor = await enrol(hospital, { subject: 'Dr. Ruiz', roles: ['doctor'], ...valid });
 * const payload = encodeStatement({ kind: 'note', content: Uint8Array.of(1) });
 * const entry = await signEntry(doctor, EMPTY_CHAIN, {
 *   origin: 'bank.example/records', recordId: systemRandom(16), chain: 'content', kind: 'annotate', time: 1e12,
 *   payloadType: STATEMENT, payloadDigest: statementDigest(payload), seen: null,
 * });
 * console.log(headAfter(entry).size); // 1
 * ```
 */
export async function signEntry(author: Identity, head: Head, draft: Draft): Promise<SignedEntry> {
  const entry = draftEntry(author.credential.id, head, draft);
  return { entry, signature: await author.signer.sign(entrySignatureInput(entry)) };
}

/**
 * `T("muniment/1 entry signature", entry)`: what an author signs.
 *
 * @param memory - where to write it, if there is room
 */
export function entrySignatureInput(entry: Entry, memory: Uint8Array | null = null): Uint8Array {
  return tupleIn(memory, SIGNATURE_LABEL, [itemsOf(entry)]);
}

const SIGNATURE_LABEL = 'entry signature';
/** Where the entry's items begin in what is signed: after the label's part, and the length of their own. */
const ITEMS_AT = 4 + LABEL_PREFIX.length + SIGNATURE_LABEL.length + 4;

/** `inner`: entry and signature as one hash, which stands for them before readers who may not see the entry. */
export function innerHash({ entry, signature }: SignedEntry): Uint8Array {
  return innerOf(entrySignatureInput(entry), signature);
}

// A list and bytes of the same content are encoded alike: the entry's items, as the signature's input holds them.
function innerOf(input: Uint8Array, signature: Uint8Array): Uint8Array {
  return hashTuple('entry inner', input.subarray(ITEMS_AT), signature);
}

/** An entry that a reader may not see: enough to verify the chain through it. */
export interface OpaqueEntry {
  readonly seq: number;
  readonly prev: Uint8Array;
  readonly inner: Uint8Array;
}

/** An entry that a reader may see, with its payload where the rule has to know it: statements about keys, and the like. */
export interface ShownEntry extends SignedEntry {
  readonly payload?: Uint8Array | null;
}

/** What a chain is made of, as a server hands it out. */
export type ChainItem = ShownEntry | OpaqueEntry;

/** `entryHash`, computable from (seq, prev, inner) alone. */
export function entryHash(
  chain: Pick<Entry, 'recordId' | 'chain'>,
  { seq, prev, inner }: OpaqueEntry,
): Uint8Array {
  return hashTuple('entry hash', chain.recordId, chain.chain, seq, prev, inner);
}

/** `entryHash` of a signed entry. */
export function hashEntry(signed: SignedEntry): Uint8Array {
  return scratch.lend((memory) => hashInput(signed, entrySignatureInput(signed.entry, memory)));
}

/** Bytes that what is signed of an entry fits into, its names as long as they may be. */
export const INPUT_ROOM = 576;
const scratch = new Scratch(INPUT_ROOM);

/** The same for who has the signature's input of this entry already. */
export function hashInput({ entry, signature }: SignedEntry, input: Uint8Array): Uint8Array {
  const { seq, prev } = entry;
  return entryHash(entry, { seq, prev, inner: innerOf(input, signature) });
}

/** The chain's head once this entry stands. */
export function headAfter(signed: SignedEntry): Head {
  return { size: signed.entry.seq + 1, hash: hashEntry(signed) };
}

/** Encodes a signed entry. */
export function encodeSignedEntry({ entry, signature }: SignedEntry): Uint8Array {
  return tuple('signed entry', itemsOf(entry), signature);
}

/**
 * Reads a signed entry's form; the signature is not checked by that.
 *
 * @param bytes - at most {@link ENTRY_LIMIT}
 * @throws `MunimentError` `RECORD_ENTRY`
 */
export function decodeSignedEntry(bytes: Uint8Array): SignedEntry {
  try {
    if (bytes.length > ENTRY_LIMIT) throw new MunimentError('WIRE_LIMIT');
    const outer = TupleReader.labelled(bytes, 'signed entry');
    const [encoded, signature] = [outer.bytes(), readSignature(outer)];
    outer.end();
    return { entry: decodeEntry(encoded), signature };
  } catch (cause) {
    throw new MunimentError('RECORD_ENTRY', undefined, { cause });
  }
}

// Not what copies an entry that is verified: who signs an entry keeps it, who verifies need not, and an engine that learns
// from the one to put what is made there among what stays would put there what the other lets go.
function draftEntry(author: Uint8Array, { size, hash }: Head, draft: Draft): Entry {
  const { seen } = draft;
  return {
    origin: checkText(draft.origin, 'origin'),
    recordId: checkBytes(draft.recordId, 16, 'recordId'),
    chain: checkChain(draft.chain),
    seq: checkInteger(size, 'head.size'),
    prev: checkBytes(hash, 32, 'head.hash'),
    author: checkBytes(author, 32, 'author'),
    kind: checkKind(draft.kind),
    time: checkInteger(draft.time, 'time'),
    seenSize: checkInteger(seen?.size ?? 0, 'seen.size'),
    seenRoot: checkBytes(seen?.root ?? ZERO_HASH, 32, 'seen.root'),
    payloadType: checkText(draft.payloadType, 'payloadType'),
    payloadDigest: checkBytes(draft.payloadDigest, 32, 'payloadDigest'),
  };
}

/** Whether two heads are the same. */
export function sameHead(a: Head, b: Head): boolean {
  return a.size === b.size && equalBytes(a.hash, b.hash);
}

// `T("muniment/1 entry", …)` as part of another tuple: its label is the first of the list.
function itemsOf(e: Entry): readonly TupleItem[] {
  return [
    ENTRY_LABEL,
    e.origin,
    e.recordId,
    e.chain,
    e.seq,
    e.prev,
    e.author,
    e.kind,
    e.time,
    e.seenSize,
    e.seenRoot,
    e.payloadType,
    e.payloadDigest,
  ];
}

const ENTRY_LABEL = `${LABEL_PREFIX}entry`;

function decodeEntry(bytes: Uint8Array): Entry {
  const reader = TupleReader.labelled(bytes, 'entry');
  const entry = {
    origin: reader.text(NAME_LIMIT),
    recordId: reader.bytes(16),
    chain: checkChain(reader.text(NAME_LIMIT)),
    seq: reader.integer(),
    prev: reader.bytes(32),
    author: reader.bytes(32),
    kind: checkKind(reader.text(NAME_LIMIT)),
    time: reader.integer(),
    seenSize: reader.integer(),
    seenRoot: reader.bytes(32),
    payloadType: reader.text(NAME_LIMIT),
    payloadDigest: reader.bytes(32),
  };
  reader.end();
  return entry;
}
