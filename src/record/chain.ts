/** Chains: appending, and verifying every link, author and right in one pass. spec/record.md, "Chains". */

import { MunimentError, type ErrorCode } from '../errors.ts';
import { verifySignature, verifySignatureAsync, type Credential, type Standing } from '../keys/index.ts';
import { equalBytes } from '../wire/index.ts';
import {
  EMPTY_CHAIN,
  entryHash,
  entrySignatureInput,
  hashEntry,
  ownEntry,
  type ChainName,
  type Entry,
  type Head,
  type SignedEntry,
} from './entry.ts';
import { STATEMENT, verifyPayload } from './payload.ts';
import type { Step, WriteRule } from './rule.ts';

/** Most entries of a chain whose signatures are being verified at once. */
const LOOK_AHEAD = 64;

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
   * history answers that. `null` if it is not known, or was no longer valid.
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
  /** The position of the entry that was refused. */
  readonly seq: number;
  /** The head up to which all is good; for `RECORD_STALE` that over which the author signs again. */
  readonly head: Head;

  constructor(code: ErrorCode, seq: number, head: Head, cause?: unknown) {
    super(code, `at entry ${String(seq)}`, { cause });
    this.seq = seq;
    this.head = head;
  }
}

/** Where the verification of a chain begins: before its first entry. */
export function startOf<State>(rule: WriteRule<State>): ChainState<State> {
  return { head: EMPTY_CHAIN, state: rule.start };
}

/**
 * Verifies a chain in one pass and constant memory, from its start or from where it was verified to before. Some
 * signatures are verified ahead, on other threads where the platform has them; what is given out, and in what order,
 * is as if each had waited for the one before.
 *
 * @param items - the entries in order
 * @param rules - which chain this must be, its authors, and who may write what
 * @param from - what the first item must follow: {@link startOf} the rule, or where an earlier verification ended
 * @returns yields each item verified, and returns the state at the end
 * @throws `ChainError`, a `MunimentError` that says where and what was still good: `RECORD_ENTRY`, `RECORD_LINK`, `RECORD_AUTHOR`, `RECORD_PAYLOAD`, `RECORD_RIGHT`, or the rule's own code; what was yielded before is still good
 * @example
 * ```ts
 * import { systemRandom } from 'muniment/crypto';
 * import { createAnchor, enrol } from 'muniment/keys';
 * import { byRole, EMPTY_CHAIN, signEntry, startOf, STATEMENT, verifyChain } from 'muniment/record';
 * const valid = { notBefore: 0, notAfter: 4e12 };
 * const hospital = await createAnchor({ subject: 'Hospital', roles: ['administrator'], ...valid });
 * const { credential, ...keys } = await enrol(hospital, { subject: 'Dr. Ruiz', roles: ['doctor'], ...valid });
 * const chain = { origin: 'bank.example/records', recordId: systemRandom(16), chain: 'content' } as const;
 * const said = { kind: 'annotate', time: 1e12, payloadType: STATEMENT, payloadDigest: systemRandom(32), seen: null } as const;
 * const entry = await signEntry({ credential, ...keys }, EMPTY_CHAIN, { ...chain, ...said });
 * const rule = byRole(({ kind }, author) => kind === 'annotate' && author.roles.includes('doctor'));
 * const rules = { ...chain, rule, authors: () => ({ credential, standing: 'valid' }) } as const;
 * for await (const item of verifyChain([entry], rules, startOf(rule))) {
 *   if (!('hidden' in item)) console.log(item.author.subject); // Dr. Ruiz
 * }
 * ```
 */
export async function* verifyChain<State>(
  items: AsyncIterable<ChainItem> | Iterable<ChainItem>,
  rules: ChainRules<State>,
  from: ChainState<State>,
): AsyncGenerator<VerifiedItem, ChainState<State>> {
  const source = iteratorOf(items);
  const ahead: Ahead[] = [];
  let at = from;
  let pulled: Promise<IteratorResult<ChainItem>> | null = pull(source);
  try {
    for (;;) {
      const [first] = ahead;
      if (first !== undefined && (first.settled || pulled === null || ahead.length === LOOK_AHEAD)) {
        ahead.shift();
        await first.settling;
        const step = finish(first, rules, at);
        at = step.after;
        yield step.item;
      } else if (pulled === null) {
        return at;
      } else {
        // Whichever comes first: an entry that is there to be given out does not wait for the next to arrive.
        const next: IteratorResult<ChainItem> | null = await (first === undefined
          ? pulled
          : Promise.race([first.settling, pulled]));
        if (next === null) continue;
        if (next.done !== true) ahead.push(begin(next.value, rules));
        pulled = next.done === true ? null : pull(source);
      }
    }
  } finally {
    // Not waited for: a source that is asked for an entry already may not answer before that one comes, if ever.
    void source.return?.().catch(() => undefined);
  }
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

/**
 * Appends an entry to a chain: verifies it as the next one, as a bank does before it accepts.
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
  const { head } = at;
  const { seq, prev } = shown.entry;
  if (seq < head.size || (seq === head.size && !equalBytes(prev, head.hash)))
    throw new ChainError('RECORD_STALE', seq, head);
  const step = verifyOne(shown, rules, at, true);
  // Of what stands already, doubt is said; nothing more is taken in doubt.
  if (step.entry.standing === 'doubtful') throw new ChainError('RECORD_AUTHOR', seq, head);
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

/** An entry of our own, which no caller changes while its signature is being verified. */
interface OwnEntry {
  readonly signed: SignedEntry;
  readonly encoded: Uint8Array;
  readonly payload: Uint8Array | null;
}

/** An item that was taken before its turn, its signature under verification if the author was known. */
interface Ahead {
  readonly item: OpaqueEntry | OwnEntry | { readonly malformed: unknown };
  readonly signature: SignatureCheck | null;
  /** Resolves when there is nothing to wait for; never rejects. */
  readonly settling: Promise<null>;
  settled: boolean;
}

/** Under which key a signature was verified, and what came of it. */
interface SignatureCheck {
  readonly by: Credential;
  failure: { readonly cause: unknown } | null;
}

// Only a guess: who is known now may not be when the entry's turn comes, and then it is asked again.
function begin<State>(item: ChainItem, rules: ChainRules<State>): Ahead {
  const settled = { signature: null, settling: Promise.resolve(null), settled: true };
  if ('inner' in item) {
    const opaque = { seq: item.seq, prev: new Uint8Array(item.prev), inner: new Uint8Array(item.inner) };
    return { item: opaque, ...settled };
  }
  let own: OwnEntry;
  try {
    own = ownCopy(item);
  } catch (malformed) {
    return { item: { malformed }, ...settled };
  }
  const by = guessAuthor(own.signed.entry, rules);
  if (by === null) return { item: own, ...settled };
  const signature: SignatureCheck = { by, failure: null };
  const settling = verifySignatureAsync(by.signing, signatureInput(own), own.signed.signature).then(
    () => settle(),
    (cause: unknown) => settle({ cause }),
  );
  const settle = (failure: SignatureCheck['failure'] = null): null => {
    signature.failure = failure;
    ahead.settled = true;
    return null;
  };
  const ahead: Ahead = { item: own, signature, settling, settled: false };
  return ahead;
}

function guessAuthor<State>(entry: Entry, rules: ChainRules<State>): Credential | null {
  try {
    return rules.authors(entry.author, entry)?.credential ?? null;
  } catch {
    return null; // if it is the entry's turn, it is thrown again
  }
}

function finish<State>(
  { item, signature }: Ahead,
  rules: ChainRules<State>,
  at: ChainState<State>,
): { readonly item: VerifiedItem; readonly after: ChainState<State> } {
  if ('malformed' in item) throw new ChainError('RECORD_ENTRY', at.head.size, at.head, item.malformed);
  if (!('inner' in item)) {
    const { entry, after } = verifyNext(item, rules, at, { signature, appending: false });
    return { item: entry, after };
  }
  checkLink(item, at.head);
  const hash = entryHash(rules, item);
  const after = { head: { size: item.seq + 1, hash }, state: at.state };
  return { item: { hidden: true, seq: item.seq, hash }, after };
}

function verifyOne<State>(
  shown: ShownEntry,
  rules: ChainRules<State>,
  at: ChainState<State>,
  appending: boolean,
): { readonly entry: VerifiedEntry; readonly after: ChainState<State> } {
  let own: OwnEntry;
  try {
    own = ownCopy(shown);
  } catch (cause) {
    throw new ChainError('RECORD_ENTRY', at.head.size, at.head, cause);
  }
  return verifyNext(own, rules, at, { signature: null, appending });
}

function verifyNext<State>(
  own: OwnEntry,
  rules: ChainRules<State>,
  at: ChainState<State>,
  { signature, appending }: { readonly signature: SignatureCheck | null; readonly appending: boolean },
): { readonly entry: VerifiedEntry; readonly after: ChainState<State> } {
  const { head } = at;
  const { signed, encoded } = own;
  const { entry } = signed;
  const ours =
    entry.origin === rules.origin &&
    equalBytes(entry.recordId, rules.recordId) &&
    entry.chain === rules.chain;
  if (!ours) throw new ChainError('RECORD_ENTRY', head.size, head);
  checkLink(entry, head);
  const { credential: author, standing } = authorOf(entry, rules, head);
  checkSignature(own, author, signature, head);
  const payload = readPayload(own, head);
  const hash = hashEntry(signed, encoded);
  const state = judge(rules.rule, at, { entry, author, standing, hash, appending, payload });
  // The brand exists only in types; this is the one place that gives it.
  const item = { signed, entry, author, standing, hash } as VerifiedEntry;
  return { entry: item, after: { head: { size: entry.seq + 1, hash }, state } };
}

// A rule that has a reason of its own to refuse throws it.
function judge<State>(rule: WriteRule<State>, { head, state }: ChainState<State>, step: Step): State {
  let next: State | null;
  try {
    next = rule.next(state, step);
  } catch (cause) {
    if (!(cause instanceof MunimentError)) throw cause;
    throw new ChainError(cause.code, head.size, head, cause);
  }
  if (next === null) throw new ChainError('RECORD_RIGHT', head.size, head);
  return next;
}

function checkLink({ seq, prev }: Pick<Entry, 'seq' | 'prev'>, head: Head): void {
  if (seq !== head.size || !equalBytes(prev, head.hash)) throw new ChainError('RECORD_LINK', head.size, head);
}

function authorOf<State>(entry: Entry, rules: ChainRules<State>, head: Head): Standing {
  const found = rules.authors(entry.author, entry);
  const fits =
    found !== null &&
    equalBytes(found.credential.id, entry.author) &&
    entry.time >= found.credential.notBefore &&
    entry.time <= found.credential.notAfter;
  if (!fits) throw new ChainError('RECORD_AUTHOR', head.size, head);
  return found;
}

function checkSignature(own: OwnEntry, author: Credential, known: SignatureCheck | null, head: Head): void {
  let failure = known?.failure ?? null;
  if (known?.by !== author) {
    try {
      verifySignature(author.signing, signatureInput(own), own.signed.signature);
      failure = null;
    } catch (cause) {
      failure = { cause };
    }
  }
  if (failure !== null) throw new ChainError('RECORD_AUTHOR', head.size, head, failure.cause);
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

// Only what the rule may see of a payload is copied: how long the others are is whoever's who hands them out.
function ownCopy(shown: ShownEntry): OwnEntry {
  const own = ownEntry(shown);
  const read = shown.payload && own.signed.entry.payloadType === STATEMENT;
  return { ...own, payload: read ? new Uint8Array(shown.payload) : null };
}

function signatureInput({ signed, encoded }: OwnEntry): Uint8Array {
  return entrySignatureInput(signed.entry, encoded);
}

// Whoever gives out an entry meanwhile does not wait for this: its failure is heard when it is waited for.
function pull(source: Pick<AsyncIterator<ChainItem>, 'next'>): Promise<IteratorResult<ChainItem>> {
  const pulled = source.next();
  pulled.catch(() => undefined);
  return pulled;
}

function iteratorOf(
  items: AsyncIterable<ChainItem> | Iterable<ChainItem>,
): Pick<AsyncIterator<ChainItem>, 'next' | 'return'> {
  if (Symbol.asyncIterator in items) return items[Symbol.asyncIterator]();
  const iterator = items[Symbol.iterator]();
  return {
    next: () => new Promise((resolve) => resolve(iterator.next())),
    return: () => new Promise((resolve) => resolve(iterator.return?.() ?? { done: true, value: undefined })),
  };
}
