/**
 * What happens in the bank, told to whoever listens in this process: the metrics, and the log that teaches. Sizes,
 * codes and digests, and of nobody who or what it is about.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ChainName } from 'muniment/record';

/** One thing that happened. */
export type BankEvent =
  | { readonly kind: 'connected'; readonly protocol: string; readonly cipher: string }
  | { readonly kind: 'connection refused'; readonly reason: 'address' | 'connections' | 'revoked' | 'tls' }
  | { readonly kind: 'rate exceeded'; readonly of: 'address' | 'certificate' | 'first messages' }
  | { readonly kind: 'first message'; readonly message: Uint8Array; readonly answer: Uint8Array }
  | { readonly kind: 'handshake refused'; readonly code: string }
  | { readonly kind: 'request opened'; readonly bytes: number; readonly third: number }
  | {
      readonly kind: 'request verified';
      readonly type: string;
      readonly text: number;
      readonly documents: number;
      readonly digests: { readonly data: Uint8Array; readonly signature: Uint8Array };
    }
  | { readonly kind: 'request stored'; readonly number: number; readonly evidence: number }
  | {
      readonly kind: 'entry taken';
      readonly chain: ChainName;
      readonly seq: number;
      readonly leaf: number;
      readonly hash: Uint8Array;
      readonly receipt: number;
    }
  | { readonly kind: 'checkpoint signed'; readonly size: number; readonly root: Uint8Array }
  | { readonly kind: 'cosigned'; readonly lines: number }
  | {
      readonly kind: 'committed';
      /** What changed: chains and log, requests and replies, or annexes. */
      readonly of: 'ledger' | 'archive' | 'annexes';
      readonly changes: number;
      /** From the lock to the commit. */
      readonly seconds: number;
    }
  | { readonly kind: 'database error'; readonly code: string }
  | {
      readonly kind: 'replied';
      readonly outcome: string;
      readonly text: number;
      readonly documents: number;
      readonly evidence: number;
      readonly message: Uint8Array;
    }
  | {
      readonly kind: 'conversation ended';
      readonly type: string;
      readonly outcome: string;
      readonly seconds: number;
    };

/** What is told, and under which correlation id it happened; `null` where it belongs to no request, or to several. */
export interface Told {
  readonly event: BankEvent;
  readonly id: string | null;
}

const NAME = 'muniment.bank';
const told = channel(NAME);
const requests = new AsyncLocalStorage<string>();

/** Tells those who listen, if any do. */
export function tell(event: BankEvent): void {
  if (!told.hasSubscribers) return;
  const isShared = event.kind === 'committed' || event.kind === 'database error'; // of all whose changes went together
  told.publish({ event, id: isShared ? null : (requests.getStore() ?? null) } satisfies Told);
}

/** Listens from now on. Returns what ends it. */
export function listen(listener: (told: Told) => void): () => void {
  const hear = (message: unknown): void => {
    listener(message as Told); // nobody else publishes there
  };
  subscribe(NAME, hear);
  return () => {
    unsubscribe(NAME, hear);
  };
}

let correlated = false;

/** From now on what is told bears correlation ids. It costs some time with every promise, so only for who reads along. */
export function correlate(): void {
  correlated = true;
}

/** Runs what belongs to a request. */
export function during<Result>(id: string, work: () => Result): Result {
  return correlated ? requests.run(id, work) : work();
}

/** Binds work that runs in another's turn to the request that it belongs to. */
export const bound: typeof AsyncLocalStorage.bind = (work) =>
  correlated ? AsyncLocalStorage.bind(work) : work;
