/** Chains: what an entry is held against, and one entry verified or appended. spec/record.md, "Chains". */

import { ERROR_CODES, MunimentError, type ErrorCode } from '../errors.ts';
import { verifySignature, type Credential, type Standing } from '../keys/index.ts';
import { equalBytes, Scratch } from '../wire/index.ts';
import {
  EMPTY_CHAIN,
  entryHash,
  hashInput,
  INPUT_ROOM,
  type Entry,
  type Head,
  type OpaqueEntry,
  type ShownEntry,
  type SignedEntry,
} from './entry.ts';
import type { ChainName } from './entry-fields.ts';
import { OwnEntry, ownOpaque } from './own-entry.ts';
import { STATEMENT, verifyPayload } from './payload.ts';
import type { Step, WriteRule } from './rule.ts';

declare const verified: unique symbol;

/** An entry whose place, author and right were verified. */
export interface VerifiedEntry {
  readonly signed: SignedEntry;
  readonly entry: Entry;
  readonly author: Credential;
  /** `doubtful`: the author's key may have been somebody else's by then. */
  readonly standing: Standing['standing'];
  readonly hash: Uint8Array;
  readonly [verified]: true;
}

/** An item of a verified chain: an entry, or the place of one that is not shown. */
export type VerifiedItem =
  VerifiedEntry | { readonly hidden: true; readonly seq: number; readonly hash: Uint8Array };

/** What a chain is verified against; all of it required. */
export interface ChainRules<State> {
  readonly origin: string;
  readonly recordId: Uint8Array;
  readonly chain: ChainName;
  /**
   * Finds the credential behind an author's Id, as it stood when the entry was written: `credentialAsOf` of a key
   * history answers that. `null`, or a `MunimentError`, whose code is then the refusal's, if it is not known or was no
   * longer valid. A history holds what an issuer issued, and not the issuer: where the anchor itself writes entries,
   * answer for its Id beside the history.
   */
  readonly authors: (id: Uint8Array, entry: Entry) => Standing | null;
  /** Who may write what. */
  readonly rule: WriteRule<State>;
}

/**
 * Authors by credential alone, each good for as long as its credential says: for a verifier to whom no revocation
 * counts, and who says so.
 *
 * @param find - the verified credential of an Id; `null` if there is none
 */
export function withoutRevocations(
  find: (id: Uint8Array) => Credential | null,
): ChainRules<unknown>['authors'] {
  return (id) => {
    const credential = find(id);
    return credential === null ? null : { credential, standing: 'valid' };
  };
}

/** How far a chain was verified: its head, and what the rule knows there. Whoever keeps both goes on from here. */
export interface ChainState<State> {
  readonly head: Head;
  readonly state: State;
}

/** Why a chain was refused, at which entry, and what of it was still good. */
export class ChainError extends MunimentError {
  /** The position where the entry that was refused would stand; for `RECORD_STALE` the one over which it was signed. */
  readonly seq: number;
  /** The head up to which all is good; for `RECORD_STALE` that over which the author signs again. */
  readonly head: Head;

  constructor(code: ErrorCode, seq: number, head: Head, cause?: unknown) {
    super(code, `at entry ${String(seq)}: ${ERROR_CODES[code][1]}`, { cause });
    this.seq = seq;
    this.head = head;
  }
}

/** Where the verification of a chain begins: before its first entry. */
export function startOf<State>(rule: WriteRule<State>): ChainState<State> {
  return { head: EMPTY_CHAIN, state: rule.start };
}

/**
 * Verifies one entry as the next of a chain.
 *
 * @param shown - the entry
 * @param rules - as for {@link verifyChain}
 * @param at - the chain so far
 * @returns the entry, and the chain with it
 * @throws `ChainError` as {@link verifyChain}
 */
export function verifyEntry<State>(
  shown: ShownEntry,
  rules: ChainRules<State>,
  at: ChainState<State>,
): { readonly entry: VerifiedEntry; readonly after: ChainState<State> } {
  return verifyOne(shown, rules, at, false);
}

/** Verifies the place of an entry that is not shown. Throws `ChainError` `RECORD_ENTRY`, `RECORD_LINK`. */
export function verifyHidden<State>(
  opaque: OpaqueEntry,
  rules: ChainRules<State>,
  at: ChainState<State>,
): { readonly item: VerifiedItem; readonly after: ChainState<State> } {
  const item = wellFormed(() => ownOpaque(opaque), at);
  checkLink(item, at.head);
  const hash = entryHash(rules, item);
  const after = { head: { size: item.seq + 1, hash }, state: at.state };
  return { item: { hidden: true, seq: item.seq, hash }, after };
}

/**
 * Appends an entry to a chain: verifies it as the next one, as a bank does before it accepts. Of payloads only statements
 * are held against their digests, for the rule to read; whoever takes others in calls `verifyPayload`.
 *
 * @param shown - the author's entry, and its payload
 * @param rules - as for {@link verifyChain}
 * @param at - the chain now
 * @throws `ChainError` `RECORD_STALE` if the entry was signed over an older head: the error has the newest, over which the author looks and signs again; `RECORD_AUTHOR` also for a key in doubt; else as {@link verifyEntry}
 */
export function appendEntry<State>(
  shown: ShownEntry,
  rules: ChainRules<State>,
  at: ChainState<State>,
): { readonly entry: VerifiedEntry; readonly after: ChainState<State> } {
  const step = verifyOne(shown, rules, at, true);
  // Of what stands already, doubt is said; nothing more is taken in doubt.
  if (step.entry.standing === 'doubtful') throw new ChainError('RECORD_AUTHOR', at.head.size, at.head);
  return step;
}

/**
 * Appends a batch: all of it, or nothing.
 *
 * @param batch - entries, each signed on its own over the one before
 * @throws `ChainError` as {@link appendEntry}, for the first that is refused; then none was appended
 */
export function appendEntries<State>(
  batch: readonly ShownEntry[],
  rules: ChainRules<State>,
  at: ChainState<State>,
): { readonly entries: readonly VerifiedEntry[]; readonly after: ChainState<State> } {
  const entries: VerifiedEntry[] = [];
  let after = at;
  for (const shown of batch) {
    const step = appendEntry(shown, rules, after);
    entries.push(step.entry);
    after = step.after;
  }
  return { entries, after };
}

function verifyOne<State>(
  shown: ShownEntry,
  rules: ChainRules<State>,
  at: ChainState<State>,
  appending: boolean,
): { readonly entry: VerifiedEntry; readonly after: ChainState<State> } {
  return scratch.lend((memory) => {
    const own = wellFormed(() => new OwnEntry(shown, memory), at);
    if (appending) checkFresh(own.signed.entry, at.head);
    return verifyNext(own, rules, at, { verified: null, appending });
  });
}

const scratch = new Scratch(INPUT_ROOM);

function wellFormed<Own>(read: () => Own, { head }: ChainState<unknown>): Own {
  try {
    return read();
  } catch (cause) {
    throw new ChainError('RECORD_ENTRY', head.size, head, cause);
  }
}

/**
 * Verifies the next entry of a chain.
 *
 * @param verified - under whose key its signature was found good already; `null` if it is still to be verified
 */
export function verifyNext<State>(
  own: OwnEntry,
  rules: ChainRules<State>,
  at: ChainState<State>,
  { verified, appending }: { readonly verified: Credential | null; readonly appending: boolean },
): { readonly entry: VerifiedEntry; readonly after: ChainState<State> } {
  const { head } = at;
  const { signed, input } = own;
  const { entry } = signed;
  const ours =
    entry.origin === rules.origin &&
    equalBytes(entry.recordId, rules.recordId) &&
    entry.chain === rules.chain;
  if (!ours) throw new ChainError('RECORD_ENTRY', head.size, head);
  checkLink(entry, head);
  const { credential: author, standing } = authorOf(entry, rules, head);
  if (verified !== author) checkSignature(own, author, head);
  const payload = readPayload(own, head);
  const hash = hashInput(signed, input);
  const state = judge(rules.rule, at, { entry, author, standing, hash, appending, payload });
  // The brand exists only in types; this is the one place that gives it.
  const item = { signed, entry, author, standing, hash } as VerifiedEntry;
  return { entry: item, after: { head: { size: entry.seq + 1, hash }, state } };
}

// A rule that has a reason of its own to refuse throws it.
function judge<State>(rule: WriteRule<State>, { head, state }: ChainState<State>, step: Step): State {
  let next: State | null | undefined;
  try {
    next = rule.next(state, step);
  } catch (cause) {
    if (!(cause instanceof MunimentError)) throw cause;
    throw new ChainError(cause.code, head.size, head, cause);
  }
  // Without types a rule may forget to answer: that is no leave.
  if (next === null || next === undefined) throw new ChainError('RECORD_RIGHT', head.size, head);
  return next;
}

function checkFresh({ seq, prev }: Entry, head: Head): void {
  if (seq < head.size || (seq === head.size && !equalBytes(prev, head.hash)))
    throw new ChainError('RECORD_STALE', seq, head);
}

function checkLink({ seq, prev }: Pick<Entry, 'seq' | 'prev'>, head: Head): void {
  if (seq !== head.size || !equalBytes(prev, head.hash)) throw new ChainError('RECORD_LINK', head.size, head);
}

function authorOf<State>(entry: Entry, rules: ChainRules<State>, head: Head): Standing {
  const found = findAuthor(entry, rules, head);
  const fits =
    found !== null &&
    equalBytes(found.credential.id, entry.author) &&
    entry.time >= found.credential.notBefore &&
    entry.time <= found.credential.notAfter;
  if (!fits) throw new ChainError('RECORD_AUTHOR', head.size, head);
  return found;
}

// A key history gives its own codes.
function findAuthor<State>(entry: Entry, rules: ChainRules<State>, head: Head): Standing | null {
  try {
    return rules.authors(entry.author, entry);
  } catch (cause) {
    if (!(cause instanceof MunimentError)) throw cause; // a defect of the rules that were given
    throw new ChainError(cause.code, head.size, head, cause);
  }
}

function checkSignature({ signed, input }: OwnEntry, author: Credential, head: Head): void {
  try {
    verifySignature(author.signing, input, signed.signature);
  } catch (cause) {
    if (!(cause instanceof MunimentError)) throw cause; // this machine's trouble
    throw new ChainError('RECORD_AUTHOR', head.size, head, cause);
  }
}

// Rules read statements; other payloads are for whoever knows their type.
function readPayload({ signed, payload }: OwnEntry, head: Head): Uint8Array | null {
  if (payload === null || signed.entry.payloadType !== STATEMENT) return null;
  try {
    return verifyPayload(signed.entry, payload);
  } catch (cause) {
    throw new ChainError('RECORD_PAYLOAD', head.size, head, cause);
  }
}
