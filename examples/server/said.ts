/** What the bank says of chains and log when they are durable: signed, of one size of the log, and true whatever comes after. */

import type { Identity } from 'muniment/keys';
import {
  signCheckpoint,
  signHead,
  type ChainName,
  type Log,
  type LogSigner,
  type TreeHead,
} from 'muniment/record';
import { tell } from './events.ts';
import { BankRefusal } from './refusal.ts';
import { headOf, timeOf } from './store/entries.ts';
import type { Database } from './store/tables.ts';

/** For how long a signed checkpoint is handed out again, in milliseconds, and how many are kept for that. */
const FRESH = 1000;
const KEPT = 16;

/** Who speaks, and of what. */
export interface SpeakerParts {
  readonly identity: Identity;
  readonly log: LogSigner;
  readonly now: () => number;
  /** For reading what is durable. */
  readonly database: Database;
}

/** Speaks for the log: one signature for all who are told of the same size at about the same time. */
export class Speaker {
  readonly #parts: SpeakerParts;
  readonly #log: Log;
  readonly #signed = new Map<number, { readonly at: number; readonly checkpoint: Promise<string> }>();

  constructor(parts: SpeakerParts, log: Log) {
    this.#parts = parts;
    this.#log = log;
  }

  /** What can be said of a size that is durable. */
  of(size: number): Said {
    const { identity, log: signer, now, database } = this.#parts;
    const log = this.#log;
    const tree = { size, root: log.root(size) };
    return {
      size,
      inclusion: (leaf) => log.inclusion(leaf, size),
      checkpoint: async (seenSize) => {
        if (seenSize > size) throw new BankRefusal('RECORD_CONSISTENCY');
        const checkpoint = await this.#checkpoint(tree, now());
        tell({ kind: 'checkpoint signed', ...tree });
        return {
          checkpoint,
          consistency: log.consistency(seenSize, size),
        };
      },
      head: async (recordId, chain) => {
        const head = await headOf(database, { record: recordId, chain, size });
        // The time of the last leaf goes with each size, so that no later leaf states an earlier one.
        const time = await timeOf(database, size);
        return signHead(identity.signer, { origin: signer.origin, recordId, chain, head, tree, time });
      },
    };
  }

  #checkpoint(tree: TreeHead, now: number): Promise<string> {
    const known = this.#signed.get(tree.size);
    if (known !== undefined && Math.abs(now - known.at) < FRESH) return known.checkpoint;
    const checkpoint = signCheckpoint(this.#parts.log, tree, now);
    this.#signed.delete(tree.size);
    this.#signed.set(tree.size, { at: now, checkpoint });
    const [oldest] = this.#signed.keys();
    if (this.#signed.size > KEPT && oldest !== undefined) this.#signed.delete(oldest);
    return checkpoint;
  }
}

/** The bank's word on one size of the log. */
export interface Said {
  readonly size: number;
  /** The proof that a leaf is in it. */
  inclusion(leaf: number): Uint8Array[];
  /** The signed checkpoint, and the proof that it extends an older size. */
  checkpoint(seenSize: number): Promise<{ checkpoint: string; consistency: Uint8Array[] }>;
  /** The signed word on where a chain ended then. */
  head(recordId: Uint8Array, chain: ChainName): Promise<Uint8Array>;
}
