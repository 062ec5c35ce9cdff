/**
 * Group commit: changes that wait while one transaction is written go into the next together, so that one wait for
 * the disk serves them all. Each stands or falls alone, and nobody is told before all of it is durable.
 */

import type { ControlledTransaction } from 'kysely';
import { setImmediate } from 'node:timers/promises';
import { bound, tell } from '../events.ts';
import { codeOf, isRefusal } from '../refusal.ts';
import type { Engine } from './engine.ts';
import type { Change, Tables } from './tables.ts';

/** Most changes of one transaction: what fails in writing it fails for all. */
const TOGETHER = 64;

interface Waiting {
  readonly work: (change: Change) => Promise<unknown>;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
}

/** What goes around every transaction. */
export interface Around {
  /** What the transactions change. */
  readonly of: 'ledger' | 'archive' | 'annexes';
  /** Keeps others out until it ends, where that is needed. */
  lock(change: Change): Promise<void>;
  /** Runs before the changes. */
  begin(change: Change): Promise<void>;
  /** Runs once it is durable. */
  committed(): void;
}

/** Nothing, for what is kept beside the ledger. */
export const PLAIN: Around = {
  of: 'archive',
  lock: () => Promise.resolve(),
  begin: () => Promise.resolve(),
  committed: () => undefined,
};

/** Runs changes one after another. */
export class Changes {
  readonly #engine: Engine;
  readonly #around: Around;
  #waiting: Waiting[] = [];
  #running = false;

  constructor(engine: Engine, around: Around) {
    this.#engine = engine;
    this.#around = around;
  }

  /** Runs `work` when its turn comes. Resolves once it is durable; if it throws, nothing of it has happened. */
  run<Result>(work: (change: Change) => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ work: bound(work), resolve, reject });
      if (!this.#running) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      // Whoever has arrived meanwhile is read first: an engine that does not wait for the disk lets nobody in.
      await setImmediate();
      await this.#together(this.#waiting.splice(0, TOGETHER));
    }
    this.#running = false;
  }

  // Never rejects: whatever goes wrong, those who wait are told.
  async #together(group: readonly Waiting[]): Promise<void> {
    const done: (() => void)[] = [];
    try {
      const transaction = await this.#engine.database.startTransaction().execute();
      try {
        await this.#around.lock(transaction);
        const locked = performance.now();
        await this.#around.begin(transaction);
        const [only] = group;
        if (group.length === 1 && only !== undefined) {
          const result = await only.work(transaction);
          done.push(() => {
            only.resolve(result as never);
          });
        } else {
          for (const one of group) done.push(await this.#aside(transaction, one));
        }
        await transaction.commit().execute();
        this.#around.committed();
        const seconds = (performance.now() - locked) / 1000;
        tell({ kind: 'committed', of: this.#around.of, changes: group.length, seconds });
      } catch (error) {
        // A connection that is lost rolls back by itself.
        await transaction
          .rollback()
          .execute()
          .catch(() => undefined);
        throw error;
      }
    } catch (error) {
      if (!isRefusal(error)) tell({ kind: 'database error', code: codeOf(error) });
      this.#engine.failed(error);
      for (const { reject } of group) reject(error);
      return;
    }
    for (const inform of done) inform();
  }

  /** Runs one of several changes so that it can fail alone. Returns how to tell who waits for it. */
  async #aside(
    transaction: ControlledTransaction<Tables>,
    { work, resolve, reject }: Waiting,
  ): Promise<() => void> {
    const saved = await transaction.savepoint('one').execute();
    let result: unknown;
    try {
      result = await work(saved);
    } catch (error) {
      this.#engine.failed(error);
      await saved.rollbackToSavepoint('one').execute(); // if that fails too, the whole transaction does
      return () => {
        reject(error);
      };
    }
    await saved.releaseSavepoint('one').execute(); // likewise: whoever did the work believes that it was done
    return () => {
      resolve(result as never);
    };
  }
}
