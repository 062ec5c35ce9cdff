/** What each kind of evidence must show before it convicts. An honest bank signs nothing of the kind. spec/evidence.md, "Fraud proofs". */

import { leafHash, rootFromInclusion } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import {
  readAnchor,
  verifyCredential,
  verifyRenunciation,
  verifyRevocation,
  verifySignature,
  type Credential,
  type Revocation,
} from '../keys/index.ts';
import { equalBytes } from '../wire/index.ts';
import { readCreation } from './create.ts';
import { directoryId } from './directory.ts';
import { decodeSignedEntry, entrySignatureInput, hashEntry, type SignedEntry } from './entry.ts';
import { refuse, type FraudKind, type Piece } from './fraud-file.ts';
import { logLeaf, type TreeHead } from './log.ts';
import { decodeStatement, readStatement } from './payload.ts';
import type { Receipt } from './receipt.ts';
import { openAccepted, openTree, openWord, placesOf, sameChain, type Speaker, type Word } from './words.ts';

type Evidence = Readonly<Record<string, Piece>>;

/** What two words of one bank, in this order, cannot both say. */
export const CONTRADICTIONS = {
  'two places': (a, b) => (sameChain(a, b) && (twoHashes(a, b) || twoIndices(a, b))) || oneLeafTwice(a, b),
  // What a receipt says of the head is of the moment of its entry; only a head statement says that nothing follows.
  'cut tail': (a, b) => sameChain(a, b) && b.receipt === null && (leavesOut(b, a.receipt) || shrinks(a, b)),
  'out of order': (a, b) =>
    (isBefore(a, b) && a.time > b.time) || (sameChain(a, b) && (isLate(a, b) || isEarly(a, b))),
} as const satisfies Readonly<Partial<Record<FraudKind, (a: Word, b: Word) => boolean>>>;

/** Whether two trees cannot both have been the log's. */
export function areTwoRoots(a: TreeHead, b: TreeHead): boolean {
  return a.size === b.size && !equalBytes(a.root, b.root);
}

/** Throws unless the evidence convicts; what it throws beside `RECORD_FRAUD` is one too for whoever asks. */
export const FRAUD_KINDS: Readonly<Record<FraudKind, (evidence: Evidence, speaker: Speaker) => void>> = {
  'two places': (evidence, speaker) => {
    const [a, b] = twoWords(evidence, speaker);
    demand(CONTRADICTIONS['two places'](a, b));
  },
  'two roots': (evidence, speaker) => {
    demand(areTwoRoots(tree(evidence['first'], speaker), tree(evidence['second'], speaker)));
  },
  'two leaves': (evidence, speaker) => {
    const { first, second, firstLeaf, secondLeaf, index } = evidence;
    demandLeaf(firstLeaf, index, evidence['firstProof'], tree(first, speaker));
    demandLeaf(secondLeaf, index, evidence['secondProof'], tree(second, speaker));
    demand(!equalBytes(bytes(firstLeaf), bytes(secondLeaf)));
  },
  'other leaf': (evidence, speaker) => {
    const receipt = openAccepted(bytes(evidence['receipt']), speaker);
    const tagSalt = saltOf(receipt, evidence, speaker);
    demandLeaf(evidence['leaf'], receipt.leafIndex, evidence['proof'], tree(evidence['tree'], speaker));
    demand(!equalBytes(bytes(evidence['leaf']), logLeaf({ ...receipt, tagSalt })));
  },
  'cut tail': (evidence, speaker) => {
    const [a, b] = twoWords(evidence, speaker);
    demand(CONTRADICTIONS['cut tail'](a, b));
  },
  'out of order': (evidence, speaker) => {
    const [a, b] = twoWords(evidence, speaker);
    demand(CONTRADICTIONS['out of order'](a, b) || CONTRADICTIONS['out of order'](b, a));
  },
  'after revocation': (evidence, speaker) => {
    const receipt = openAccepted(bytes(evidence['receipt']), speaker);
    const { entry } = entryOf(receipt, evidence['entry']);
    const author = authorOf(entry.author, evidence['author'], speaker);
    const heard = openAccepted(bytes(evidence['revocationReceipt']), speaker);
    const revocation = revocationIn(heard, evidence, author, speaker);
    demand(equalBytes(revocation.credential, author.id));
    demand(heard.leafIndex < receipt.leafIndex && receipt.time >= revocation.revokedFrom);
  },
  'bad entry': (evidence, speaker) => {
    const receipt = openAccepted(bytes(evidence['receipt']), speaker);
    const signed = entryOf(receipt, evidence['entry']);
    const author = authorOf(signed.entry.author, evidence['author'], speaker);
    demand(!isPlaced(signed, receipt) || !covers(author, receipt.time) || !isSigned(signed, author));
  },
};

function twoWords({ first, second }: Evidence, speaker: Speaker): [Word, Word] {
  return [openWord(bytes(first), speaker), openWord(bytes(second), speaker)];
}

function twoHashes(a: Word, b: Word): boolean {
  const differ = (x: { seq: number; hash: Uint8Array }, y: { seq: number; hash: Uint8Array }): boolean =>
    x.seq === y.seq && !equalBytes(x.hash, y.hash);
  return placesOf(a).some((x) => placesOf(b).some((y) => differ(x, y)));
}

function twoIndices({ receipt: a }: Word, { receipt: b }: Word): boolean {
  return a !== null && b !== null && a.seq === b.seq && a.leafIndex !== b.leafIndex;
}

function oneLeafTwice({ receipt: a }: Word, { receipt: b }: Word): boolean {
  return a !== null && b !== null && a.leafIndex === b.leafIndex && !equalBytes(a.entryHash, b.entryHash);
}

function leavesOut(head: Word, receipt: Receipt | null): boolean {
  return receipt !== null && head.tree.size > receipt.leafIndex && head.head.size <= receipt.seq;
}

function shrinks(a: Word, b: Word): boolean {
  return a.receipt === null && a.tree.size <= b.tree.size && a.head.size > b.head.size;
}

/** Whether the log was at `a` strictly before it was at `b`. */
function isBefore(a: Word, b: Word): boolean {
  if (b.receipt !== null) return (a.receipt?.leafIndex ?? a.tree.size - 1) < b.receipt.leafIndex;
  return a.receipt === null ? a.tree.size < b.tree.size : a.receipt.leafIndex < b.tree.size;
}

/** Whether of two entries the earlier got the later leaf. */
function isLate({ receipt: a }: Word, { receipt: b }: Word): boolean {
  return a !== null && b !== null && a.seq < b.seq && a.leafIndex > b.leafIndex;
}

/** Whether a head counts an entry that was not in its log yet. */
function isEarly({ receipt }: Word, head: Word): boolean {
  if (receipt === null || head.receipt !== null) return false;
  return head.head.size > receipt.seq && head.tree.size <= receipt.leafIndex;
}

// The salt must be the record's own: with any other, every leaf of an honest log would look false.
function saltOf({ recordId }: Receipt, evidence: Evidence, speaker: Speaker): Uint8Array {
  const receipt = openAccepted(bytes(evidence['creationReceipt']), speaker);
  const signed = entryOf(receipt, evidence['creation']);
  demand(isPlaced(signed, receipt) && equalBytes(signed.entry.recordId, recordId));
  return readCreation(signed.entry, bytes(evidence['creationPayload'])).tagSalt;
}

// Only what stands in the directory was heard: a genuine revocation in another record is a payload like any other.
function revocationIn(heard: Receipt, evidence: Evidence, author: Credential, speaker: Speaker): Revocation {
  const signed = entryOf(heard, evidence['revocation']);
  const { entry } = signed;
  demand(isPlaced(signed, heard) && equalBytes(entry.recordId, directoryId(speaker.origin)));
  demand(entry.chain === 'content' && entry.kind === 'revoke');
  const payload = bytes(evidence['revocationPayload']);
  if (decodeStatement(payload).kind === 'revocation')
    return verifyRevocation(readStatement(entry, payload, 'revocation'), speaker.anchor, heard.time);
  demand(equalBytes(entry.author, author.id));
  return verifyRenunciation(readStatement(entry, payload, 'renunciation'), author, heard.time);
}

function entryOf(receipt: Receipt, encoded: Piece | undefined): SignedEntry {
  const signed = decodeSignedEntry(bytes(encoded));
  demand(equalBytes(hashEntry(signed), receipt.entryHash));
  return signed;
}

function isPlaced({ entry }: SignedEntry, { origin, recordId, chain, seq, prev }: Receipt): boolean {
  const there = entry.origin === origin && equalBytes(entry.recordId, recordId) && entry.chain === chain;
  return there && entry.seq === seq && equalBytes(entry.prev, prev);
}

function authorOf(id: Uint8Array, encoded: Piece | undefined, { anchor }: Speaker): Credential {
  const author = equalBytes(id, anchor.id)
    ? readAnchor(bytes(encoded), id)
    : verifyCredential(bytes(encoded), anchor, 'ever');
  demand(equalBytes(author.id, id));
  return author;
}

/** Whether a credential was valid at a time, by its own dates. */
export function covers({ notBefore, notAfter }: Credential, time: number): boolean {
  return time >= notBefore && time <= notAfter;
}

function isSigned({ entry, signature }: SignedEntry, author: Credential): boolean {
  try {
    verifySignature(author.signing, entrySignatureInput(entry), signature);
    return true;
  } catch (error) {
    // Anything but a plain no is this machine's trouble, and nobody's guilt.
    const no = ['KEY_SIGNATURE', 'KEY_PUBLIC']; // under a key that is none, nothing is signed
    if (error instanceof MunimentError && no.includes(error.code)) return false;
    throw error;
  }
}

function demandLeaf(leaf: Piece | undefined, index: unknown, proof: Piece | undefined, head: TreeHead): void {
  if (bytes(leaf).length !== 32 || typeof index !== 'number' || !Array.isArray(proof)) return refuse();
  const hashes = proof as readonly Uint8Array[]; // the only arrays among pieces
  const root = rootFromInclusion(leafHash(bytes(leaf)), index, head.size, hashes);
  demand(root !== null && equalBytes(root, head.root));
}

function tree(piece: Piece | undefined, speaker: Speaker): TreeHead {
  return openTree(typeof piece === 'string' ? piece : bytes(piece), speaker);
}

function bytes(piece: Piece | undefined): Uint8Array {
  return piece instanceof Uint8Array ? piece : refuse();
}

function demand(holds: boolean): void {
  if (!holds) refuse();
}
