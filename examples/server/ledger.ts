/**
 * The bank's ledger: chains and the log over them. Whatever is accepted gets its leaf, its receipt and its place in
 * one transaction, before anybody is told.
 */

import type { EnvelopeDigests } from 'muniment/envelope';
import type { Identity } from 'muniment/keys';
import {
  EMPTY_CHAIN,
  encodeSignedEntry,
  encodeStatement,
  issueReceipt,
  Log,
  logLeaf,
  signCheckpoint,
  signEntry,
  STATEMENT,
  statementDigest,
  type ChainName,
  type EntryKind,
  type Head,
  type SignedEntry,
  type VerifiedEntry,
  headAfter,
  verifyReceipt,
} from 'muniment/record';
import { concat } from 'muniment/wire';
import { BankRefusal } from './refusal.ts';
import { plain, type Store } from './store.ts';

/** An accepted entry on its way into the ledger. */
export interface Accepted {
  readonly signed: SignedEntry;
  readonly hash: Uint8Array;
  readonly payload: Uint8Array;
  readonly attachments: readonly { readonly digest: Uint8Array; readonly bytes: Uint8Array }[];
  readonly annexes: readonly Uint8Array[];
}

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

/** Chains, log, receipts, checkpoints. */
export class Ledger {
  readonly #store: Store;
  readonly #bank: Identity;
  readonly #now: () => number;
  readonly origin: string;
  #log: Log;
  /** The time that the log's last leaf states: none after it states an earlier one, whatever the clock does. */
  #latest: number;

  constructor(store: Store, bank: Identity, origin: string, now: () => number) {
    this.#store = store;
    this.#bank = bank;
    this.#now = now;
    this.origin = origin;
    this.#log = loadLog(store);
    this.#latest = latestTime(store, { bank, origin });
  }

  /** The head of a chain; the empty chain's if nothing stands there. */
  head(recordId: Uint8Array, chain: ChainName): Head {
    return this.#store.head(recordId, chain) ?? EMPTY_CHAIN;
  }

  /** The log's size. */
  get size(): number {
    return this.#log.size;
  }

  /** A signed checkpoint of a size, and the proof that it extends an older one. */
  async checkpoint(
    seenSize: number,
    size = this.#log.size,
  ): Promise<{ checkpoint: string; consistency: Uint8Array[] }> {
    if (seenSize > size || size > this.#log.size) throw new BankRefusal('RECORD_CONSISTENCY');
    const log = { origin: this.origin, ed25519: this.#bank.signer, mlDsa44: null };
    const checkpoint = await signCheckpoint(log, { size, root: this.#log.root(size) }, this.#now());
    return { checkpoint, consistency: this.#log.consistency(seenSize, size) };
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
      /** Runs once receipts and log stand, before the transaction: the place to write a reply. */
      readonly reply?: (receipts: readonly Receipted[]) => Promise<void>;
      /** Runs inside the transaction, with the time that the leaves state. */
      readonly also?: (time: number) => void;
    },
  ): Promise<Receipted[]> {
    const time = Math.max(this.#now(), this.#latest);
    try {
      const rows: Row[] = [];
      for (const one of accepted) rows.push(await this.#take(one, tagSalt, cause, time));
      const receipts = rows.map(({ receipt, leaf }) => ({ receipt, proof: this.#log.inclusion(leaf) }));
      await more.reply?.(receipts);
      this.#store.transaction(() => {
        for (const row of rows) this.#write(row, cause);
        more.also?.(time);
      });
      this.#latest = time;
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
      time: this.#now(),
      payloadType: STATEMENT,
      payloadDigest: statementDigest(payload),
      seen: size === 0 ? null : { size, root: this.#log.root() },
    });
    return { signed, hash: headAfter(signed).hash, payload, attachments: [], annexes: [] };
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
  beside: Pick<Accepted, 'payload' | 'attachments' | 'annexes'>,
): Accepted {
  return { signed: entry.signed, hash: entry.hash, ...beside };
}

interface Row {
  readonly accepted: Accepted;
  readonly leaf: number;
  readonly leafBytes: Uint8Array;
  readonly receipt: Uint8Array;
}

function latestTime(store: Store, by: { readonly bank: Identity; readonly origin: string }): number {
  const last = store.get<{ hash: Uint8Array; receipt: Uint8Array }>(
    'SELECT hash, receipt FROM entries ORDER BY leaf DESC LIMIT 1',
  );
  if (last === undefined) return 0;
  const about = { origin: by.origin, entryHash: plain(last.hash) };
  return verifyReceipt(plain(last.receipt), by.bank.credential, about).time;
}

function loadLog(store: Store): Log {
  const log = new Log();
  for (const leaf of store.leaves()) log.append(leaf);
  return log;
}
