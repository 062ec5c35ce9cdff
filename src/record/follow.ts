/** Following a chain: what a client does with everything that a bank shows it. spec/evidence.md, "Following a record". */

import { MunimentError } from '../errors.ts';
import { equalBytes } from '../wire/index.ts';
import { startOf, type ChainRules, type ChainState, type VerifiedItem } from './chain.ts';
import { sameHead, type ChainItem, type Head } from './entry.ts';
import { areTwoRoots, CONTRADICTIONS, covers } from './fraud-kinds.ts';
import { verifyHead } from './head.ts';
import { verifyChain } from './verify-chain.ts';
import { verifyCheckpoint } from './checkpoint.ts';
import type { WitnessPolicy } from './quorum.ts';
import { verifyConsistency, verifyInclusion, type TreeHead } from './log.ts';
import { verifyReceipt } from './receipt.ts';
import type { WriteRule } from './rule.ts';
import { openTree, openWord, type Speaker, type Word } from './words.ts';

/** What a client remembers of one chain. It only grows, and it is what convicts a bank that goes back on its word. */
export interface Followed<State> {
  /** How far the chain was verified. */
  readonly chain: ChainState<State>;
  /** The newest checkpoint; `null` before the first. */
  readonly checkpoint: string | null;
  /**
   * The newest receipt and the newest head statement, as signed: at most one of each. Whoever reads a chain again from
   * its start keeps them, and the checkpoint: another history then contradicts them.
   */
  readonly words: readonly Uint8Array[];
}

/** A client that has seen nothing yet. */
export function nothingFollowed<State>(rule: WriteRule<State>): Followed<State> {
  return { chain: startOf(rule), checkpoint: null, words: [] };
}

/** What a bank shows: its newest checkpoint, what came after the head that the client knows, and where the chain ends. */
export interface Shown {
  readonly checkpoint: string;
  /** From the checkpoint that the client knows; empty if it knows none. */
  readonly consistency: readonly Uint8Array[];
  readonly items: readonly {
    readonly item: ChainItem;
    readonly receipt: Uint8Array;
    /** Of its leaf, under the checkpoint. */
    readonly proof: readonly Uint8Array[];
  }[];
  /** Signed, over the checkpoint's tree. */
  readonly head: Uint8Array;
}

/** What contradicts itself: a kind and two pieces for `proveFraud`. */
export interface Contradiction {
  readonly kind: 'two roots' | keyof typeof CONTRADICTIONS;
  readonly evidence: { readonly first: Uint8Array | string; readonly second: Uint8Array | string };
}

/** Why a client stops, and what it can prove by it: `null` if the bank did not sign against itself. */
export class FollowError extends MunimentError {
  readonly contradiction: Contradiction | null;

  constructor(cause: MunimentError, contradiction: Contradiction | null) {
    // Where a chain's entry is refused, its message says which.
    super(cause.code, cause.message.slice(`${cause.code}: `.length), { cause });
    this.contradiction = contradiction;
  }
}

/**
 * Verifies all that a bank shows of one chain against what a client remembers.
 *
 * @param known - what the client remembers; {@link nothingFollowed} at first
 * @param shown - what the bank shows now
 * @param trust - whose bank and log it is, which witnesses must have cosigned, which chain, and the record's tag salt
 *   (32 bytes), as the bank says it: `readCreation` of the record's first entry must state the same. `rules.authors` is
 *   asked with the entry, whose time is its author's claim: who judges keys by a history looks up the time of the
 *   entry's receipt among `shown.items`
 * @returns what to remember from now on, and the new items, verified
 * @throws {@link FollowError} `RECORD_CHECKPOINT`, `RECORD_WITNESS`, `RECORD_CONSISTENCY`, `RECORD_ENTRY`, `RECORD_LINK`, `RECORD_AUTHOR`, `RECORD_RIGHT`, `RECORD_RECEIPT`, `RECORD_INCLUSION`, `RECORD_HEAD`; with a contradiction where one was signed
 * @example
 * ```ts
 * import { systemRandom } from 'muniment/crypto';
 * import { createAnchor, enrol } from 'muniment/keys';
 * import { byRole, EMPTY_CHAIN, follow, Log, nothingFollowed, NO_WITNESSES, signCheckpoint, signHead } from 'muniment/record';
 * const valid = { notBefore: 0, notAfter: 4e12 };
 * const anchor = await createAnchor({ subject: 'Authority', roles: ['administrator'], ...valid });
 * const bank = await enrol(anchor, { subject: 'Bank', roles: ['bank'], ...valid });
 * const chain = { origin: 'bank.example/records', recordId: systemRandom(16), chain: 'content' } as const;
 * // The bank shows a record that is still empty.
 * const log = new Log();
 * const tree = { size: log.size, root: log.root() };
 * const keys = { origin: chain.origin, ed25519: bank.signer, mlDsa44: null };
 * const shown = {
 *   checkpoint: await signCheckpoint(keys, tree, 1e12), consistency: [], items: [],
 *   head: await signHead(bank.signer, { ...chain, head: EMPTY_CHAIN, tree, time: 1e12 }),
 * };
 * const rule = byRole(() => false);
 * const trust = {
 *   speaker: { origin: chain.origin, anchor: anchor.credential, bank: bank.credential, log: { ...keys, ed25519: bank.signer.publicKey } },
 *   witnesses: NO_WITNESSES, rules: { ...chain, rule, authors: () => null }, tagSalt: systemRandom(32),
 * };
 * const { known } = await follow(nothingFollowed(rule), shown, trust);
 * console.log(known.chain.head.size); // 0
 * ```
 */
export async function follow<State>(
  known: Followed<State>,
  shown: Shown,
  trust: {
    readonly speaker: Speaker;
    readonly witnesses: WitnessPolicy;
    readonly rules: ChainRules<State>;
    readonly tagSalt: Uint8Array;
  },
): Promise<{ readonly known: Followed<State>; readonly items: readonly VerifiedItem[] }> {
  const { speaker, witnesses, rules, tagSalt } = trust;
  try {
    const tree = verifyCheckpoint(shown.checkpoint, { log: speaker.log, witnesses });
    if (known.checkpoint !== null)
      verifyConsistency(openTree(known.checkpoint, speaker), tree, shown.consistency);
    const items: VerifiedItem[] = [];
    const chain = verifyChain(
      shown.items.map(({ item }) => item),
      rules,
      known.chain,
    );
    let next = await chain.next();
    for (; next.done !== true; next = await chain.next()) {
      checkPlace(next.value, shown.items[items.length] ?? missing(), tree, { speaker, rules, tagSalt });
      items.push(next.value);
    }
    const after = next.value;
    checkHead(shown.head, after.head, tree, { speaker, rules });
    // The words of an answer may be good each for itself, and not beside each other or those remembered.
    if (findContradiction(known, shown, speaker) !== null) throw new MunimentError('RECORD_CONSISTENCY');
    const isReceipt = (word: Uint8Array): boolean => openWord(word, speaker).receipt !== null;
    const receipt = shown.items.at(-1)?.receipt ?? known.words.find(isReceipt);
    const words = receipt === undefined ? [shown.head] : [receipt, shown.head];
    return { known: { chain: after, checkpoint: shown.checkpoint, words }, items };
  } catch (error) {
    if (!(error instanceof MunimentError)) throw error;
    throw new FollowError(error, findContradiction(known, shown, speaker));
  }
}

type ChainPlace = Pick<ChainRules<unknown>, 'origin' | 'recordId' | 'chain'>;

function checkPlace(
  item: VerifiedItem,
  { receipt: signed, proof }: Shown['items'][number],
  tree: TreeHead,
  { speaker, rules, tagSalt }: { speaker: Speaker; rules: ChainPlace; tagSalt: Uint8Array },
): void {
  const seq = 'hidden' in item ? item.seq : item.entry.seq;
  const { origin, recordId, chain } = rules;
  const receipt = verifyReceipt(signed, speaker.bank, { origin, entryHash: item.hash });
  const fits =
    receipt.outcome === 'accepted' &&
    receipt.seq === seq &&
    receipt.chain === chain &&
    equalBytes(receipt.recordId, recordId) &&
    receipt.leafIndex < receipt.tree.size;
  if (!fits) throw new MunimentError('RECORD_RECEIPT');
  // An entry's own time is its author's claim; the receipt's is what the log holds.
  if (!('hidden' in item) && !covers(item.author, receipt.time)) throw new MunimentError('RECORD_AUTHOR');
  verifyInclusion({ ...receipt, tagSalt }, { index: receipt.leafIndex, proof }, tree);
}

function checkHead(
  signed: Uint8Array,
  head: Head,
  tree: TreeHead,
  { speaker, rules }: { speaker: Speaker; rules: ChainPlace },
): void {
  const stated = verifyHead(signed, speaker.bank, rules);
  const ofTree = stated.tree.size === tree.size && equalBytes(stated.tree.root, tree.root);
  if (!ofTree || !sameHead(stated.head, head)) throw new MunimentError('RECORD_HEAD');
}

interface Said {
  readonly piece: Uint8Array | string;
  readonly tree: TreeHead;
  readonly word: Word | null;
}

// Each word beside the next, in the order in which they came, and beside the oldest and the newest of all.
function findContradiction(
  known: Pick<Followed<unknown>, 'checkpoint' | 'words'>,
  shown: Shown,
  speaker: Speaker,
): Contradiction | null {
  const open = (pieces: readonly (Uint8Array | string | null)[]): Said[] =>
    pieces.flatMap((piece) => openSaid(piece, speaker) ?? []);
  const remembered = open([known.checkpoint, ...known.words]);
  const receipts = open(shown.items.map(({ receipt }) => receipt));
  const newest = open([shown.checkpoint, shown.head]);
  const all = [...remembered, ...receipts, ...newest];
  for (const [i, one] of all.entries()) {
    for (const other of [all[i + 1], ...remembered, ...newest]) {
      if (other === undefined || other === one) continue;
      // What came later may speak of what was earlier: some kinds have an order of their own.
      const found = contradict(one, other) ?? contradict(other, one);
      if (found !== null) return found;
    }
  }
  return null;
}

function contradict(first: Said, second: Said): Contradiction | null {
  const evidence = { first: first.piece, second: second.piece };
  if (areTwoRoots(first.tree, second.tree)) return { kind: 'two roots', evidence };
  const [a, b] = [first.word, second.word];
  if (a === null || b === null) return null;
  for (const [kind, holds] of Object.entries(CONTRADICTIONS))
    if (holds(a, b)) return { kind: kind as keyof typeof CONTRADICTIONS, evidence };
  return null;
}

// What the bank did not sign says nothing about it.
function openSaid(piece: Uint8Array | string | null, speaker: Speaker): Said | null {
  if (piece === null) return null;
  try {
    const word = typeof piece === 'string' ? null : openWord(piece, speaker);
    return { piece, word, tree: word?.tree ?? openTree(piece, speaker) };
  } catch (error) {
    if (error instanceof MunimentError) return null;
    throw error;
  }
}

function missing(): never {
  throw new RangeError('more items verified than shown');
}
