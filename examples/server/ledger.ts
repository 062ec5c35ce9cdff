/**
 * The bank's ledger: chains and the log over them. Whatever is accepted gets its leaf, its receipt and its place in
 * one transaction, before anybody is told.
 */

import type { EnvelopeDigests } from 'muniment/envelope';
import type { Credential, Identity } from 'muniment/keys';
import {
  EMPTY_CHAIN,
  encodeSignedEntry,
  encodeStatement,
  issueReceipt,
  Log,
  logKeysOf,
  logLeaf,
  signCheckpoint,
  signEntry,
  signHead,
  STATEMENT,
  statementDigest,
  type ChainName,
  type EntryKind,
  type Head,
  type LogSigner,
  type SignedEntry,
  type VerifiedEntry,
  headAfter,
  verifyReceipt,
} from 'muniment/record';
import { concat } from 'muniment/wire';
import { BankRefusal } from './refusal.ts';
import { plain, type Store } from './store.ts';
import { Witnessing, type WitnessAt } from './witnessing.ts';

/** An accepted entry on its way into the ledger. */
export interface Accepted {
  readonly signed: SignedEntry;
  readonly author: Credential;
  readonly hash: Uint8Array;
  readonly payload: Uint8Array;
  readonly attachments: readonly { readonly digest: Uint8Array; readonly bytes: Uint8Array }[];
  readonly annexes: readonly Uint8Array[];
  /** What else it changes, inside the transaction that takes it at this time. */
  readonly effect: Effect;
}

/** What an accepted entry changes beside its chain. */
export type Effect = (time: number) => void;

/** What the bank hands back for an entry. */
export interface Receipted {
  readonly receipt: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** What ties entries to the request that brought them. */
export interface Cause {
  readonly request: number;
  /** The session in which it was asked: its evidence is that session's. */
  readonly session: Uint8Array;
  readonly digests: EnvelopeDigests;
}

/** What a ledger is made of. */
export interface LedgerParts {
  readonly store: Store;
  readonly identity: Identity;
  readonly log: LogSigner;
  readonly now: () => number;
  readonly witnesses: readonly WitnessAt[];
  /** Told of every error, for the log. */
  readonly report: (error: unknown) => void;
  /** Throws unless an author's credential is valid at a time, and neither revoked nor in doubt then. */
  readonly judge: (author: Credential, time: number) => void;
}

/** Chains, log, receipts, heads, checkpoints. */
export class Ledger {
  readonly #parts: LedgerParts;
  readonly #store: Store;
  readonly #bank: Identity;
  readonly origin: string;
  readonly #witnessing: Witnessing;
  #log: Log;

  constructor(parts: LedgerParts) {
    this.#parts = parts;
    this.#store = parts.store;
    this.#bank = parts.identity;
    this.origin = parts.log.origin;
    this.#log = loadLog(parts.store);
    const consistency = (from: number, to: number): Uint8Array[] => this.#log.consistency(from, to);
    this.#witnessing = new Witnessing(parts.witnesses, logKeysOf(parts.log), {
      consistency,
      report: parts.report,
    });
  }

  /** The head of a chain when the log had a size; the empty chain's if nothing stood there. */
  head(recordId: Uint8Array, chain: ChainName, size = this.#log.size): Head {
    return this.#store.head(recordId, chain, size) ?? EMPTY_CHAIN;
  }

  /** The bank's signed word on where a chain ended when the log had a size. */
  signedHead(recordId: Uint8Array, chain: ChainName, size = this.#log.size): Promise<Uint8Array> {
    const [head, time] = [this.head(recordId, chain, size), this.#timeOf(size)];
    return this.#signHead({ recordId, chain }, head, { size, time });
  }

  /** The log's size. */
  get size(): number {
    return this.#log.size;
  }

  /** A checkpoint of a size with the log's own lines, and the proof that it extends an older one. */
  async ownCheckpoint(
    seenSize: number,
    size = this.#log.size,
  ): Promise<{ checkpoint: string; consistency: Uint8Array[] }> {
    if (seenSize > size || size > this.#log.size) throw new BankRefusal('RECORD_CONSISTENCY');
    const tree = { size, root: this.#log.root(size) };
    const checkpoint = await signCheckpoint(this.#parts.log, tree, this.#parts.now());
    return { checkpoint, consistency: this.#log.consistency(seenSize, size) };
  }

  /** The same, as far as witnesses cosign it: of what is on disk, for they would never cosign another state. */
  async checkpoint(
    seenSize: number,
    size = this.#log.size,
  ): Promise<{ checkpoint: string; consistency: Uint8Array[] }> {
    const { checkpoint, consistency } = await this.ownCheckpoint(seenSize, size);
    return { checkpoint: await this.cosigned(checkpoint), consistency };
  }

  /** Adds to one of the log's checkpoints what witnesses say of it. */
  cosigned(checkpoint: string): Promise<string> {
    return this.#witnessing.cosigned(checkpoint);
  }

  /** The inclusion proof of a leaf under a size. */
  inclusion(leaf: number, size = this.#log.size): Uint8Array[] {
    return this.#log.inclusion(leaf, size);
  }

  /**
   * Takes accepted entries into chain and log: leaves, receipts and bodies in one transaction with whatever the
   * caller adds. If it fails, nothing of it has happened.
   */
  async commit(
    accepted: readonly Accepted[],
    tagSalt: Uint8Array,
    cause: Cause,
    more: {
      /** Runs once receipts and log stand, before the transaction: the place to write a reply. Given the chain's new head, signed. */
      readonly reply?: (receipts: readonly Receipted[], head: Uint8Array) => Promise<void>;
      /** Runs inside the transaction, after everything else. */
      readonly also?: () => void;
    },
  ): Promise<Receipted[]> {
    const last = accepted.at(-1);
    if (last === undefined) return [];
    // No leaf states an earlier time than the one before, whatever the clock does.
    const time = Math.max(this.#parts.now(), this.#timeOf(this.#log.size));
    try {
      const rows: Row[] = [];
      for (const one of accepted) rows.push(await this.#take(one, tagSalt, cause, time));
      const receipts = rows.map(({ receipt, leaf }) => ({ receipt, proof: this.#log.inclusion(leaf) }));
      const state = { size: this.#log.size, time };
      await more.reply?.(receipts, await this.#signHead(last.signed.entry, headAfter(last.signed), state));
      this.#store.transaction(() => {
        for (const row of rows) {
          // Judged where nothing comes in between, by the time that the leaf states: even an entry of this very
          // batch may have ended its author's key.
          this.#parts.judge(row.accepted.author, time);
          this.#write(row, cause);
          row.accepted.effect(time);
        }
        more.also?.();
      });
      return receipts;
    } catch (error) {
      this.#log = loadLog(this.#store); // the leaves of a failed transaction never were
      throw error;
    }
  }

  /** Writes an entry of the bank's own into a record's access chain. */
  async record(
    recordId: Uint8Array,
    statement: { readonly kind: EntryKind & ('access' | 'release'); readonly content: Uint8Array },
  ): Promise<Accepted> {
    const payload = encodeStatement(statement);
    const size = this.#log.size;
    const signed = await signEntry(this.#bank, this.head(recordId, 'access'), {
      origin: this.origin,
      recordId,
      chain: 'access',
      kind: statement.kind,
      time: this.#parts.now(),
      payloadType: STATEMENT,
      payloadDigest: statementDigest(payload),
      seen: size === 0 ? null : { size, root: this.#log.root() },
    });
    const beside = { payload, attachments: [], annexes: [], effect: () => undefined };
    return { signed, author: this.#bank.credential, hash: headAfter(signed).hash, ...beside };
  }

  /** An accepted entry's bytes. */
  encode({ signed }: Accepted): Uint8Array {
    return encodeSignedEntry(signed);
  }

  async #take(accepted: Accepted, tagSalt: Uint8Array, cause: Cause, time: number): Promise<Row> {
    const { signed, hash } = accepted;
    const { recordId, chain, seq, prev } = signed.entry;
    const leafBytes = logLeaf({ recordId, tagSalt, chain, seq, time, entryHash: hash });
    const leaf = this.#log.append(leafBytes);
    const receipt = await issueReceipt(this.#bank.signer, {
      origin: this.origin,
      recordId,
      chain,
      request: cause.digests,
      outcome: 'accepted',
      entryHash: hash,
      seq,
      prev,
      leafIndex: leaf,
      tree: { size: this.#log.size, root: this.#log.root() },
      time,
      head: { size: seq + 1, hash },
    });
    return { accepted, leaf, leafBytes, receipt };
  }

  // The time of the log's last leaf goes with each size, so that no later leaf states an earlier one.
  #signHead(
    { recordId, chain }: { readonly recordId: Uint8Array; readonly chain: ChainName },
    head: Head,
    { size, time }: { readonly size: number; readonly time: number },
  ): Promise<Uint8Array> {
    const tree = { size, root: this.#log.root(size) };
    return signHead(this.#bank.signer, { origin: this.origin, recordId, chain, head, tree, time });
  }

  /** The time that the last leaf of a size states. */
  #timeOf(size: number): number {
    const last = this.#store.get<{ hash: Uint8Array; receipt: Uint8Array }>(
      'SELECT hash, receipt FROM entries WHERE leaf < ? ORDER BY leaf DESC LIMIT 1',
      size,
    );
    if (last === undefined) return 0;
    const about = { origin: this.origin, entryHash: plain(last.hash) };
    return verifyReceipt(plain(last.receipt), this.#bank.credential, about).time;
  }

  #write({ accepted, leaf, leafBytes, receipt }: Row, cause: Cause): void {
    const { signed, hash, payload, attachments, annexes } = accepted;
    const { recordId, chain, seq } = signed.entry;
    this.#store.run('INSERT INTO leaves VALUES (?, ?)', leaf, leafBytes);
    this.#store.run(
      'INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      recordId,
      chain,
      seq,
      encodeSignedEntry(signed),
      hash,
      receipt,
      leaf,
      concat(...annexes),
      concat(...attachments.map(({ digest }) => digest)),
      cause.session,
    );
    this.#store.run('INSERT INTO payloads VALUES (?, ?, ?, ?)', recordId, chain, seq, payload);
    for (const { digest, bytes } of attachments) {
      this.#store.run('INSERT OR IGNORE INTO attachments VALUES (?, ?)', digest, bytes);
    }
  }
}

/** An entry that was verified, with what came beside it. */
export function accept(
  entry: VerifiedEntry,
  beside: Pick<Accepted, 'payload' | 'attachments' | 'annexes' | 'effect'>,
): Accepted {
  return { signed: entry.signed, author: entry.author, hash: entry.hash, ...beside };
}

interface Row {
  readonly accepted: Accepted;
  readonly leaf: number;
  readonly leafBytes: Uint8Array;
  readonly receipt: Uint8Array;
}

function loadLog(store: Store): Log {
  const log = new Log();
  for (const leaf of store.leaves()) log.append(leaf);
  return log;
}
