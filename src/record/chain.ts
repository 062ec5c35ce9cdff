/** Chains: appending, and verifying every link, author and right in one pass. spec/record.md, "Chains". */

import { MunimentError, type ErrorCode } from '../errors.ts';
import { verifySignature, verifySignatureAsync, type Credential } from '../keys/index.ts';
import { equalBytes } from '../wire/index.ts';
import {
  decodeSignedEntry,
  encodeSignedEntry,
  entryHash,
  entrySignatureInput,
  hashEntry,
  headAfter,
  type ChainName,
  type Entry,
  type Head,
  type SignedEntry,
} from './entry.ts';

/** An entry that a reader may not see: enough to verify the chain through it. */
export interface OpaqueEntry {
  readonly seq: number;
  readonly prev: Uint8Array;
  readonly inner: Uint8Array;
}

/** What a chain is made of, as a server hands it out. */
export type ChainItem = SignedEntry | OpaqueEntry;

declare const verified: unique symbol;

/** An entry whose place, author and right were verified. */
export interface VerifiedEntry {
  readonly signed: SignedEntry;
  readonly entry: Entry;
  readonly author: Credential;
  readonly hash: Uint8Array;
  readonly [verified]: true;
}

/** An item of a verified chain: an entry, or the place of one that is not shown. */
export type VerifiedItem =
  VerifiedEntry | { readonly hidden: true; readonly seq: number; readonly hash: Uint8Array };

/** What a chain is verified against; all of it required. */
export interface ChainRules {
  readonly origin: string;
  readonly recordId: Uint8Array;
  readonly chain: ChainName;
  /** Finds the verified credential behind an author's Id; `null` if unknown. */
  readonly authors: (id: Uint8Array) => Credential | null;
  /** Who may write what, judged by the author's credential. */
  readonly mayWrite: (entry: Entry, author: Credential) => boolean;
}

/**
 * Verifies a chain in one pass and constant memory, from its start or from a head verified before.
 *
 * @param items - the entries in order
 * @param rules - which chain this must be, its authors, and who may write what
 * @param from - the head that the first item must follow; `EMPTY_CHAIN` for the start
 * @returns yields each item verified, and returns the head at the end
 * @throws `MunimentError` `RECORD_ENTRY`, `RECORD_LINK`, `RECORD_AUTHOR`, `RECORD_RIGHT`, each naming the position; what was yielded before is still good
 * @example
 * ```ts
 * import { systemRandom } from 'muniment/crypto';
 * import { createAnchor, enrol } from 'muniment/keys';
 * import { EMPTY_CHAIN, signEntry, STATEMENT, verifyChain } from 'muniment/record';
 * const valid = { notBefore: 0, notAfter: 4e12 };
 * const hospital = await createAnchor({ subject: 'Hospital', roles: ['administrator'], ...valid });
 * const doctor = await enrol(hospital, { subject: 'Dr. Ruiz', roles: ['doctor'], ...valid });
 * const chain = { origin: 'bank.example/records', recordId: systemRandom(16), chain: 'content' } as const;
 * const said = { kind: 'annotate', time: 1e12, payloadType: STATEMENT, payloadDigest: systemRandom(32), seen: null } as const;
 * const entry = await signEntry(doctor, EMPTY_CHAIN, { ...chain, ...said });
 * const rules = { ...chain, authors: () => doctor.credential, mayWrite: () => true }; // a real rule looks at kind and role
 * for await (const item of verifyChain([entry], rules, EMPTY_CHAIN)) {
 *   if (!('hidden' in item)) console.log(item.author.subject); // Dr. Ruiz
 * }
 * ```
 */
export async function* verifyChain(
  items: AsyncIterable<ChainItem> | Iterable<ChainItem>,
  rules: ChainRules,
  from: Head,
): AsyncGenerator<VerifiedItem, Head> {
  let head = from;
  for await (const item of items) {
    if ('inner' in item) {
      if (item.seq !== head.size || !equalBytes(item.prev, head.hash)) refuse('RECORD_LINK', head.size);
      head = { size: item.seq + 1, hash: entryHash(rules, item) };
      yield { hidden: true, seq: item.seq, hash: head.hash };
    } else {
      const entry = await verifyInChain(item, rules, head);
      head = headAfter(entry.signed);
      yield entry;
    }
  }
  return head;
}

/**
 * Verifies one entry as the next of a chain: what a bank does before it accepts, and a verifier for each.
 *
 * @throws `MunimentError` `RECORD_ENTRY`, `RECORD_LINK`, `RECORD_AUTHOR`, `RECORD_RIGHT`
 */
export function verifyEntry(signed: SignedEntry, rules: ChainRules, head: Head): VerifiedEntry {
  const author = knownAuthor(signed.entry, rules, head);
  try {
    verifySignature(author.signing, entrySignatureInput(signed.entry), signed.signature);
  } catch (cause) {
    refuse('RECORD_AUTHOR', head.size, cause);
  }
  return permitted(signed, author, rules, head);
}

// The same for a chain, which may wait for the signature: in browsers it is verified elsewhere, and faster.
async function verifyInChain(item: SignedEntry, rules: ChainRules, head: Head): Promise<VerifiedEntry> {
  const signed = ownCopy(item, head); // the caller's may change while this waits
  const author = knownAuthor(signed.entry, rules, head);
  try {
    await verifySignatureAsync(author.signing, entrySignatureInput(signed.entry), signed.signature);
  } catch (cause) {
    refuse('RECORD_AUTHOR', head.size, cause);
  }
  return permitted(signed, author, rules, head);
}

function ownCopy(signed: SignedEntry, head: Head): SignedEntry {
  try {
    return decodeSignedEntry(encodeSignedEntry(signed));
  } catch (cause) {
    return refuse('RECORD_ENTRY', head.size, cause);
  }
}

function knownAuthor(entry: Entry, rules: ChainRules, head: Head): Credential {
  const ours =
    entry.origin === rules.origin &&
    equalBytes(entry.recordId, rules.recordId) &&
    entry.chain === rules.chain;
  if (!ours) refuse('RECORD_ENTRY', head.size);
  if (entry.seq !== head.size || !equalBytes(entry.prev, head.hash)) refuse('RECORD_LINK', head.size);
  const author = rules.authors(entry.author);
  if (author === null || !equalBytes(author.id, entry.author)) return refuse('RECORD_AUTHOR', head.size);
  if (entry.time < author.notBefore || entry.time > author.notAfter) refuse('RECORD_AUTHOR', head.size);
  return author;
}

function permitted(signed: SignedEntry, author: Credential, rules: ChainRules, head: Head): VerifiedEntry {
  if (!rules.mayWrite(signed.entry, author)) refuse('RECORD_RIGHT', head.size);
  // The brand exists only in types; this is the one place that gives it.
  return { signed, entry: signed.entry, author, hash: hashEntry(signed) } as VerifiedEntry;
}

/**
 * Appends an entry to a chain: verifies it as the next one and gives the new head.
 *
 * @param signed - the author's entry
 * @param rules - as for {@link verifyChain}
 * @param head - the chain's head now
 * @throws `MunimentError` `RECORD_STALE` if the entry was signed over an older head, so that the author looks and signs again; else as {@link verifyEntry}
 */
export function appendEntry(
  signed: SignedEntry,
  rules: ChainRules,
  head: Head,
): { readonly entry: VerifiedEntry; readonly head: Head } {
  const { seq, prev } = signed.entry;
  if (seq < head.size || (seq === head.size && !equalBytes(prev, head.hash))) refuse('RECORD_STALE', seq);
  return { entry: verifyEntry(signed, rules, head), head: headAfter(signed) };
}

function refuse(code: ErrorCode, seq: number, cause?: unknown): never {
  throw new MunimentError(code, `at entry ${String(seq)}`, { cause });
}
