/** RFC 6962 proofs of the transparency-dev and Tessera projects. */

import { expect, it } from 'vitest';
import {
  leafHash,
  nodeHash,
  RootFolder,
  rootFromInclusion,
  rootsFromConsistency,
} from '../../src/crypto/index.ts';
import { equalBytes } from '../../src/wire/index.ts';
import { consistencyProof, inclusionProof } from '../vectors/generators/crypto.ts';
import { hex } from '../vectors/hex.ts';
import { describeCorpus, fromHex } from './corpora.ts';

interface Probe {
  readonly wantErr: boolean;
  readonly proof: readonly string[] | null;
}

interface Inclusion extends Probe {
  readonly leafIdx: number;
  readonly treeSize: number;
  readonly root: string;
  readonly leafHash: string;
}

interface Consistency extends Probe {
  readonly size1: number;
  readonly size2: number;
  readonly root1: string;
  readonly root2: string;
}

function base64(text: string | null): Uint8Array {
  return new Uint8Array(Buffer.from(text ?? '', 'base64'));
}

describeCorpus('tlog', (corpus) => {
  it('merkle/inclusion: 6 accepted, 92 rejected', () => {
    const counts = { accepted: 0, rejected: 0 };
    for (const file of corpus.files('merkle/inclusion')) {
      const probe = corpus.json(file) as Inclusion;
      const proof = (probe.proof ?? []).map(base64);
      const found = rootFromInclusion(base64(probe.leafHash), probe.leafIdx, probe.treeSize, proof);
      const accepted = found !== null && equalBytes(found, base64(probe.root));
      expect(accepted, file).toBe(!probe.wantErr);
      counts[accepted ? 'accepted' : 'rejected']++;
    }
    expect(counts).toEqual({ accepted: 6, rejected: 92 });
  });

  it('merkle/consistency: 6 accepted, 92 rejected', () => {
    const counts = { accepted: 0, rejected: 0 };
    for (const file of corpus.files('merkle/consistency')) {
      const probe = corpus.json(file) as Consistency;
      const [root1, root2] = [base64(probe.root1), base64(probe.root2)];
      const proof = (probe.proof ?? []).map(base64);
      const found = rootsFromConsistency(probe.size1, probe.size2, root1, proof);
      // Between equal sizes there is nothing to prove: the caller compares the roots, and takes no proof.
      // Against an empty tree nothing can be proved.
      const accepted =
        found === null
          ? probe.size1 > 0 && probe.size1 === probe.size2 && proof.length === 0 && equalBytes(root1, root2)
          : equalBytes(found.older, root1) && equalBytes(found.newer, root2);
      expect(accepted, file).toBe(!probe.wantErr);
      counts[accepted ? 'accepted' : 'rejected']++;
    }
    expect(counts).toEqual({ accepted: 6, rejected: 92 });
  });

  it('merkle/rfc6962-tree: roots of sizes 0 to 8, and every node', () => {
    interface Tree {
      readonly leaf_inputs_hex: readonly string[];
      readonly root_hash_by_size_hex: readonly string[];
      readonly node_hashes_by_level_hex: readonly (readonly string[])[];
    }
    const tree = corpus.json('merkle/rfc6962-tree.json') as Tree;
    const folder = new RootFolder();
    const roots = [hex(folder.root())];
    for (const leaf of tree.leaf_inputs_hex) {
      folder.add(leafHash(fromHex(leaf)));
      roots.push(hex(folder.root()));
    }
    expect(roots).toEqual(tree.root_hash_by_size_hex);
    expect(roots.length).toBe(9);
    let level = tree.leaf_inputs_hex.map((leaf) => leafHash(fromHex(leaf)));
    for (const hashes of tree.node_hashes_by_level_hex) {
      expect(level.map(hex)).toEqual(hashes);
      level = level.flatMap((left, i) =>
        i % 2 === 0 && level[i + 1] ? [nodeHash(left, level[i + 1]!)] : [],
      );
    }
  });

  it('tessera-log: 16 checkpoints, and the proofs between every two of them', () => {
    const tile = corpus.bytes('tessera-log/tile/0/000.p/15');
    const hashes = Array.from({ length: 15 }, (_, i) => tile.slice(32 * i, 32 * i + 32));
    const roots = Array.from({ length: 16 }, (_, size) => {
      const [, stated, root] = corpus.text(`tessera-log/checkpoint.${String(size)}`).split('\n');
      expect(stated).toBe(String(size));
      return base64(root ?? '');
    });
    const folder = new RootFolder();
    for (const [size, root] of roots.entries()) {
      expect(hex(folder.root())).toBe(hex(root));
      if (hashes[size]) folder.add(hashes[size]);
    }
    let proofs = 0;
    for (let newer = 1; newer <= 15; newer++) {
      const tree = hashes.slice(0, newer);
      for (let index = 0; index < newer; index++, proofs++)
        expect(rootFromInclusion(hashes[index]!, index, newer, inclusionProof(index, tree))).toEqual(
          roots[newer],
        );
      for (let older = 1; older < newer; older++, proofs++)
        expect(rootsFromConsistency(older, newer, roots[older]!, consistencyProof(older, tree))).toEqual({
          older: roots[older],
          newer: roots[newer],
        });
    }
    expect(proofs).toBe(120 + 105);
  });
});
