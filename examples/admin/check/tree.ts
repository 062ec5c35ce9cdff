/** A log's Merkle tree (RFC 6962, section 2.1) as it grows, in memory that grows with its height: whoever checks a log has one of its own. */

import { createHash } from 'node:crypto';

/** The roots of the perfect subtrees that a log's leaves make, the largest first. */
export class GrowingTree {
  #peaks: { readonly size: number; readonly hash: Uint8Array }[] = [];
  #size = 0;

  /** How many leaves it has. */
  get size(): number {
    return this.#size;
  }

  /** Takes the next leaf. */
  add(leaf: Uint8Array): void {
    let peak = { size: 1, hash: hashOf(0, leaf) };
    for (let last = this.#peaks.at(-1); last?.size === peak.size; last = this.#peaks.at(-1)) {
      this.#peaks.pop();
      peak = { size: 2 * peak.size, hash: hashOf(1, last.hash, peak.hash) };
    }
    this.#peaks.push(peak);
    this.#size++;
  }

  /** The root over all leaves so far. */
  root(): Uint8Array {
    const last = this.#peaks.at(-1);
    if (last === undefined) return new Uint8Array(createHash('sha256').digest());
    return this.#peaks.slice(0, -1).reduceRight((right, { hash }) => hashOf(1, hash, right), last.hash);
  }
}

function hashOf(prefix: 0 | 1, ...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256').update(Uint8Array.of(prefix));
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}
