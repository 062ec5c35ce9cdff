/**
 * A turn at the ledger: nobody else changes it meanwhile, and all that is read and written is one transaction. What
 * is accepted gets its leaf, its receipt and its place.
 */

import type { EnvelopeDigests } from 'muniment/envelope';
import type { Credential, Identity } from 'muniment/keys';
import {
  encodeSignedEntry,
  encodeStatement,
  headAfter,
  issueReceipt,
  logLeaf,
  signEntry,
  STATEMENT,
  statementDigest,
  type ChainName,
  type EntryKind,
  type Head,
  type Log,
  type LogSigner,
  type SignedEntry,
  type VerifiedEntry,
} from 'muniment/record';
import { concat } from 'muniment/wire';
import { tell } from './events.ts';
import { headOf, noteUses } from './store/entries.ts';
import type { Change } from './store/tables.ts';

/** An accepted entry on its way into the ledger. */
export interface Accepted {
  readonly signed: SignedEntry;
  readonly author: Credential;
  readonly hash: Uint8Array;
  readonly payload: Uint8Array;
  readonly attachments: readonly { readonly digest: Uint8Array; readonly bytes: Uint8Array }[];
  readonly annexes: readonly Uint8Array[];
  readonly effect: Effect;
}

/** What an accepted entry changes beside its chain, in the transaction that takes it, at the time that its leaf states. */
export type Effect = (change: Change, time: number) => Promise<unknown>;

/** Changes nothing more. */
export const NO_EFFECT: Effect = () => Promise.resolve();

/** An entry's place in the log, and the bank's receipt for it. */
export interface Taken {
  readonly leaf: number;
  readonly receipt: Uint8Array;
}

/** What ties entries to the request that brought them. */
export interface Cause {
  readonly request: number;
  /** The session in which it was asked: its evidence is that session's. */
  readonly session: Uint8Array;
  readonly digests: EnvelopeDigests;
}

/** Who speaks for the ledger, and who judges authors. */
export interface TurnParts {
  readonly identity: Identity;
  readonly log: LogSigner;
  readonly now: () => number;
  /** Told that what was done since the last time is durable, or that some of it never was. */
  readonly settled: (durable: boolean) => void;
  /** Throws unless an author's credential is valid at a time, and neither revoked nor in doubt then. */
  readonly judge: (change: Change, author: Credential, time: number) => Promise<void>;
}

/** What is known of the log's last leaf. */
export interface Last {
  /** What it states; 0 if there is none. */
  time: number;
}

/** One turn. */
export class Turn {
  /** The transaction: whatever else is written in this turn goes with it. */
  readonly change: Change;
  readonly #parts: TurnParts;
  readonly #log: Log;
  readonly #last: Last;

  constructor(parts: TurnParts, { log, last }: { readonly log: Log; readonly last: Last }, change: Change) {
    this.#parts = parts;
    this.#log = log;
    this.#last = last;
    this.change = change;
  }

  /** The log's size. */
  get size(): number {
    return this.#log.size;
  }

  /** Where a chain ends. */
  head(recordId: Uint8Array, chain: ChainName): Promise<Head> {
    return headOf(this.change, { record: recordId, chain, size: this.#log.size });
  }

  /** Takes accepted entries into chain and log. */
  async take(accepted: readonly Accepted[], tagSalt: Uint8Array, cause: Cause): Promise<Taken[]> {
    // No leaf states an earlier time than the one before, whatever the clock does.
    const time = Math.max(this.#parts.now(), this.#last.time);
    this.#last.time = time;
    // Nor does a bank sign receipts under a key that no verifier will take.
    const bank = this.#parts.identity.credential;
    await this.#parts.judge(this.change, bank, time);
    const taken: Taken[] = [];
    for (const one of accepted) {
      // By the time that the leaf states: even an entry of this very batch may have ended its author's key.
      if (one.author !== bank) await this.#parts.judge(this.change, one.author, time);
      taken.push(await this.#takeOne(one, tagSalt, cause, time));
      await one.effect(this.change, time);
    }
    return taken;
  }

  /** Makes an entry of the bank's own for a record's access chain. */
  async own(
    recordId: Uint8Array,
    stated: {
      readonly kind: EntryKind & ('access' | 'release');
      readonly content: Uint8Array;
      readonly time: number;
    },
  ): Promise<Accepted> {
    const { identity, log } = this.#parts;
    const { kind, content, time } = stated;
    const payload = encodeStatement({ kind, content });
    const { size } = this.#log;
    const signed = await signEntry(identity, await this.head(recordId, 'access'), {
      ...{ origin: log.origin, recordId, chain: 'access', kind, time },
      ...{ payloadType: STATEMENT, payloadDigest: statementDigest(payload) },
      seen: size === 0 ? null : { size, root: this.#log.root() },
    });
    const beside = { payload, attachments: [], annexes: [], effect: NO_EFFECT };
    return { signed, author: identity.credential, hash: headAfter(signed).hash, ...beside };
  }

  async #takeOne(
    { signed, hash, payload, attachments, annexes }: Accepted,
    tagSalt: Uint8Array,
    cause: Cause,
    time: number,
  ): Promise<Taken> {
    const { identity, log } = this.#parts;
    const { recordId, chain, seq, prev } = signed.entry;
    const leafBytes = logLeaf({ recordId, tagSalt, chain, seq, time, entryHash: hash });
    const leaf = this.#log.append(leafBytes);
    const receipt = await issueReceipt(identity.signer, {
      ...{ origin: log.origin, recordId, chain, request: cause.digests, outcome: 'accepted' },
      ...{ entryHash: hash, seq, prev, leafIndex: leaf, time },
      tree: { size: this.#log.size, root: this.#log.root() },
      head: { size: seq + 1, hash },
    });
    const { change } = this;
    await change.insertInto('leaves').values({ position: leaf, leaf: leafBytes, time }).execute();
    const place = { record: recordId, chain, seq };
    const entry = encodeSignedEntry(signed);
    const digests = attachments.map(({ digest }) => digest);
    const beside = { annexes: concat(...annexes), attachments: concat(...digests) };
    await change
      .insertInto('entries')
      .values({ ...place, entry, hash, receipt, leaf, ...beside, session: cause.session })
      .execute();
    await change
      .insertInto('payloads')
      .values({ ...place, bytes: payload })
      .execute();
    for (const attachment of attachments) {
      // What another entry brought along is there already.
      await change
        .insertInto('attachments')
        .values(attachment)
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    }
    await noteUses(change, place, { annexes, attachments: digests });
    tell({ kind: 'entry taken', chain, seq, leaf, hash, receipt: receipt.length });
    return { receipt, leaf };
  }
}

/** An entry that was verified, with what came beside it. */
export function accept(
  entry: VerifiedEntry,
  beside: Pick<Accepted, 'payload' | 'attachments' | 'annexes' | 'effect'>,
): Accepted {
  return { signed: entry.signed, author: entry.author, hash: entry.hash, ...beside };
}
