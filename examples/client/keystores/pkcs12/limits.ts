/** What a PKCS#12 file may ask of its reader, and the account of what it has asked for. */

import { MunimentError } from 'muniment';

/** Limits of reading. Each is checked before the work that it bounds. */
export interface Pkcs12Limits {
  /** Most bytes of a file. */
  readonly bytes: number;
  /** Most certificates and keys. */
  readonly bags: number;
  /** How deep bags may lie in bags. */
  readonly depth: number;
  /** Most iterations of one derivation. */
  readonly iterations: number;
  /** Most iterations of all derivations together. */
  readonly work: number;
}

/**
 * What readers allow unless asked otherwise: three times what browsers and banks write. A file may take its reader some
 * ten seconds, in which PKCS#12's own derivation blocks the thread: a service that reads strangers' files allows less.
 */
export const PKCS12_LIMITS: Pkcs12Limits = {
  bytes: 64 * 1024,
  bags: 32,
  depth: 4,
  iterations: 2_000_000,
  work: 8_000_000,
};

/** What Node takes, whatever a caller allows. */
const MOST = 2 ** 31 - 1;

/** What one file has asked for so far. */
export class Spent {
  readonly #limits: Pkcs12Limits;
  #work = 0;
  #bags = 0;

  constructor(limits: Pkcs12Limits) {
    this.#limits = limits;
  }

  /** Before a derivation of so many blocks of output, each of which takes all iterations. @throws `MunimentError` `KEY_FILE` */
  derivation(iterations: number, blocks = 1): void {
    if (iterations < 1) throw new MunimentError('KEY_FILE', 'the PKCS#12 file asks for no iterations');
    this.#work += iterations * blocks;
    if (iterations > Math.min(this.#limits.iterations, MOST) || this.#work > this.#limits.work)
      throw new MunimentError('KEY_FILE', 'the PKCS#12 file asks for more iterations than are allowed');
  }

  /** Before a bag is read. @throws `MunimentError` `KEY_FILE` */
  bag(depth: number): void {
    this.#bags += 1;
    if (this.#bags > this.#limits.bags || depth > this.#limits.depth)
      throw new MunimentError('KEY_FILE', 'the PKCS#12 file has more bags than are allowed');
  }
}
