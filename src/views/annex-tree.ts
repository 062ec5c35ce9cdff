/**
 * What whoever stores an annex makes of it without a key, while the ciphertext streams by: its name, and the tree that
 * proves to readers that chunks from its middle are the author's. spec/views.md, "Annexes".
 */

import { HASH_LENGTH, leafHash, MerkleTree, RootFolder, type LeafRange } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { concat, equalBytes } from '../wire/index.ts';
import { annexName, SEALED_CHUNK } from './annex.ts';
import { Cutter } from './annex-chunks.ts';
import { ANNEX_RUN } from './constants.ts';

/** Computes an annex's name in constant memory: what a server holds uploads against. */
export class AnnexNamer {
  readonly #folder = new RootFolder();
  readonly #leaves = new LeafHasher((hash) => {
    this.#folder.add(hash);
  });

  /** Takes the next bytes of the ciphertext, as many as there are. */
  add(bytes: Uint8Array): void {
    this.#leaves.add(bytes);
  }

  /** The name of everything taken, 32 bytes; call once, at the end. */
  name(): Uint8Array {
    this.#leaves.end();
    return annexName(this.#folder.root());
  }
}

/** Makes the tree of an annex: constant memory, and 32 bytes a chunk. */
export class AnnexTreeBuilder {
  #hashes: Uint8Array = new Uint8Array(HASH_LENGTH * 16);
  #size = 0;
  readonly #leaves = new LeafHasher((hash) => {
    if (this.#size === this.#hashes.length) this.#hashes = concat(this.#hashes, new Uint8Array(this.#size));
    this.#hashes.set(hash, this.#size);
    this.#size += HASH_LENGTH;
  });

  /** Takes the next bytes of the ciphertext, as many as there are. */
  add(bytes: Uint8Array): void {
    this.#leaves.add(bytes);
  }

  /** The tree over everything taken; call once, at the end. */
  tree(): AnnexTree {
    this.#leaves.end();
    return new AnnexTree(new MerkleTree(this.#hashes.subarray(0, this.#size)));
  }
}

/**
 * The tree over an annex's sealed chunks. It is no secret: everything in it is computed from the ciphertext.
 *
 * @example
 * ```ts
 * import { systemRandom } from 'muniment/crypto';
 * import { AnnexTree, AnnexTreeBuilder, annexName, sealAnnex } from 'muniment/views';
 * const names = { recordId: systemRandom(16), docId: systemRandom(16) };
 * const sealed = sealAnnex(new Blob(['an image']).stream(), { ...names, mediaType: 'text/plain' });
 * const builder = new AnnexTreeBuilder();
 * for await (const piece of sealed.ciphertext) builder.add(piece);
 * const name = annexName((await sealed.annex).root);
 * const kept = builder.tree().encode(); // beside the file
 * console.log(AnnexTree.decode(kept, name).chunks); // 1
 * ```
 */
export class AnnexTree {
  readonly #tree: MerkleTree;

  /** @internal */
  constructor(tree: MerkleTree) {
    this.#tree = tree;
  }

  /**
   * Reads what {@link encode} wrote, and holds it against the annex's name.
   *
   * @throws `MunimentError` `VIEW_ANNEX` if it is malformed or the tree of another annex
   */
  static decode(bytes: Uint8Array, name: Uint8Array): AnnexTree {
    if (bytes.length === 0 || bytes.length % HASH_LENGTH !== 0) throw new MunimentError('VIEW_ANNEX');
    const tree = new AnnexTree(new MerkleTree(bytes));
    if (!equalBytes(tree.name(), name)) throw new MunimentError('VIEW_ANNEX');
    return tree;
  }

  /** The hashes of all sealed chunks, joined: 32 bytes each. */
  encode(): Uint8Array {
    return this.#tree.leaves();
  }

  /** How many chunks the annex has. */
  get chunks(): number {
    return this.#tree.size;
  }

  /** The annex's name, 32 bytes. */
  name(): Uint8Array {
    return annexName(this.#tree.root());
  }

  /**
   * The proof for a run of chunks, as a reader asks for it: hashes of 32 bytes, joined.
   *
   * @param run - the first chunk of the run and the one after its last, at most 256 further
   * @throws `MunimentError` `VIEW_ANNEX` for chunks that there are not, none, or too many
   */
  proof(run: LeafRange): Uint8Array {
    const { from, to } = run;
    const whole = [from, to].every((index) => Number.isSafeInteger(index));
    if (!whole || from < 0 || to <= from || to > this.chunks || to - from > ANNEX_RUN)
      throw new MunimentError('VIEW_ANNEX');
    return concat(...this.#tree.proof(run));
  }
}

// Every chunk but the last is of full length, so that where they end is known without their number.
class LeafHasher {
  readonly #cutter = new Cutter(SEALED_CHUNK);
  readonly #take: (hash: Uint8Array) => void;
  #none = true;

  constructor(take: (hash: Uint8Array) => void) {
    this.#take = take;
  }

  add(bytes: Uint8Array): void {
    this.#cutter.feed(bytes);
    for (let chunk = this.#next(); chunk !== null; chunk = this.#next()) this.#hash(chunk);
  }

  end(): void {
    const rest = this.#cutter.rest();
    // Nothing at all is the name of no annex, and has one all the same: it fits none.
    if (rest.length > 0 || this.#none) this.#hash(rest);
  }

  #next(): Uint8Array | null {
    return this.#cutter.next(SEALED_CHUNK, 0);
  }

  #hash(chunk: Uint8Array): void {
    this.#none = false;
    this.#take(leafHash(chunk));
  }
}
