/** Eight clients at work, and what they may not have lost in the end. */

import { readAccesses } from '../../examples/client/accesses.ts';
import { BankClient } from '../../examples/client/bank.ts';
import { readChain } from '../../examples/client/content.ts';
import type { TestBank } from './bank.ts';
import { checkHeld, checkWhole, contentLength, type Keeping } from './kept.ts';
import { pause } from './postgres.ts';
import type { Random } from './random.ts';
import { Writer, type Held, type Whereabouts } from './writer.ts';

/** A bank that is there or is not; who waits is told when it comes. */
export class Door implements Whereabouts {
  #ports: readonly number[] = [];
  #waiting: ((port: number) => void)[] = [];
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Says where servers are now. */
  open(...ports: readonly number[]): void {
    this.#ports = ports;
    for (const tell of this.#waiting.splice(0)) tell(this.#random.of(ports));
  }

  /** Says that there is none. */
  close(): void {
    this.#ports = [];
  }

  port(): Promise<number> {
    if (this.#ports.length > 0) return Promise.resolve(this.#random.of(this.#ports));
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** The clients, from their start until they are told to end. */
export class Load {
  readonly #bank: TestBank;
  readonly #writers: readonly Writer[];
  readonly #running: Promise<unknown>;
  #ending = false;
  #round = 0;
  #failure: unknown = null;

  constructor(bank: TestBank, where: Whereabouts, random: Random) {
    this.#bank = bank;
    const parts = { credentials: bank.credentials, where };
    this.#writers = bank.writers.map((one) => new Writer(one, { ...parts, random: random.split() }));
    this.#running = Promise.all(
      this.#writers.map((writer) =>
        this.#work(writer).catch((error: unknown) => {
          this.#failure ??= error;
        }),
      ),
    );
  }

  /** Every receipt that the clients hold. */
  get held(): Held[] {
    return this.#writers.flatMap(({ held }) => held);
  }

  /** Has every client hold its receipts against the bank, each before it goes on. Throws what a client met that it should not. */
  check(): void {
    this.#throwFailure();
    this.#round++;
  }

  /** Resolves once clients have come that far. Throws what a client met that it should not. */
  async until(reached: (counts: Writer['counts']) => boolean): Promise<void> {
    while (!reached(this.counts)) {
      this.#throwFailure();
      await pause(20);
    }
  }

  /** Lets every client finish what it is at, and hold its receipts against the bank. A bank must be there. */
  async end(): Promise<void> {
    this.#ending = true;
    await this.#running;
    this.check();
    for (const writer of this.#writers) await writer.honour();
  }

  /** What they did, summed up. */
  get counts(): Writer['counts'] {
    const sum = { operations: 0, entries: 0, unanswered: 0, again: 0, honoured: 0 };
    for (const { counts } of this.#writers)
      for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += counts[name];
    return sum;
  }

  /** How the bank's troubles showed to them. */
  get troubles(): string {
    const all = new Map<string, number>();
    for (const { troubles } of this.#writers)
      for (const [name, count] of troubles) all.set(name, (all.get(name) ?? 0) + count);
    return Array.from(all, ([name, count]) => `${String(count)} ${name}`).join(', ') || 'none';
  }

  /**
   * After the end: every owner reads both chains from their start, verified as always. All receipts are honoured, and
   * what stands there is exactly what was acknowledged.
   */
  async verify(at: Keeping, port: number): Promise<void> {
    await checkWhole(at);
    await checkHeld(at, this.held);
    for (const { owner, record } of this.#bank.subjects) {
      const { user, trust, endpoint } = owner;
      const client = new BankClient(user, trust, { ...endpoint, port });
      const { chain } = await readChain(client, record.recordId, { purpose: 'of a test' });
      const mine = this.held.filter((one) => one.recordId === record.recordId);
      const acknowledged = mine.filter(({ chain: name }) => name === 'content').length;
      if (chain.length !== this.#before + acknowledged)
        throw new Error(`${String(acknowledged)} entries acknowledged, ${String(chain.length)} there`);
      if ((await contentLength(at, record.recordId)) !== chain.length) throw new Error('hidden entries');
      const { proven, unproven } = await readAccesses(client, record.recordId);
      if (unproven.length > 0) throw new Error('an access that its reader did not ask for');
      const reads = mine.length - acknowledged;
      if (proven.length < reads) throw new Error('an access is gone');
    }
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure as Error;
  }

  // A record's creation.
  readonly #before = 1;

  async #work(writer: Writer): Promise<void> {
    let round = this.#round;
    while (!this.#ending && this.#failure === null) {
      if (round !== this.#round) {
        round = this.#round;
        await writer.honour();
      }
      await writer.step();
    }
  }
}
