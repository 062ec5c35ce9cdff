/**
 * Logs of other projects: RFC 6962 proofs of transparency-dev, a little log of Tessera, notes and checkpoints of Go and of
 * transparency-dev. Proofs of subtrees are left out: they belong to a draft, and nothing here makes or takes one.
 */

import { expect, it } from 'vitest';
import {
  ED25519,
  leafHash,
  nodeHash,
  RootFolder,
  rootFromInclusion,
  rootsFromConsistency,
} from '../../src/crypto/index.ts';
import { Secret, SoftwareSigner } from '../../src/keys/index.ts';
import { parseCheckpointBody } from '../../src/record/checkpoint-body.ts';
import {
  decodeBundle,
  encodeBundle,
  formatTilePath,
  hashTile,
  Log,
  NO_WITNESSES,
  openNote,
  openTiles,
  parseNoteKey,
  parseTilePath,
  signNote,
  tilesOf,
  verifyCheckpoint,
  verifyConsistency,
  type LogKeys,
} from '../../src/record/index.ts';
import { equalBytes, fromUtf8 } from '../../src/wire/index.ts';
import { refusal, refusalOf } from '../refusal.ts';
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

const signer = new SoftwareSigner(ED25519, new Secret('signing key', new Uint8Array(32).fill(7)));

function logOf(vkey: string): LogKeys {
  const { name, publicKey } = parseNoteKey(vkey);
  return { origin: name, ed25519: publicKey, mlDsa44: null };
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

  it('merkle/consistency again, as tree heads: 7 accepted, 91 rejected', () => {
    const counts = { accepted: 0, rejected: 0 };
    for (const file of corpus.files('merkle/consistency')) {
      const probe = corpus.json(file) as Consistency;
      const [older, newer] = [
        { size: probe.size1, root: base64(probe.root1) },
        { size: probe.size2, root: base64(probe.root2) },
      ];
      const proof = (probe.proof ?? []).map(base64);
      // The corpus calls this question useless, and a tree head answers it: from nothing, anything follows.
      const useless = file.endsWith('/size1-is-zero-and-size2-is-not-zero.json');
      if (useless || !probe.wantErr) {
        expect(verifyConsistency(older, newer, proof), file).toBe(newer);
        counts.accepted++;
      } else {
        expect(
          refusal(() => verifyConsistency(older, newer, proof)),
          file,
        ).toBe('RECORD_CONSISTENCY');
        counts.rejected++;
      }
    }
    expect(counts).toEqual({ accepted: 7, rejected: 91 });
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

  it('tessera-log: every checkpoint verifies, and every tile and bundle is the one made here', async () => {
    const tessera = logOf(corpus.text('tessera-log/vkey.txt').trim());
    const trust = { log: tessera, witnesses: NO_WITNESSES };
    const checkpoint = (size: number): string => corpus.text(`tessera-log/checkpoint.${size}`);
    const entries = decodeBundle(corpus.bytes('tessera-log/tile/entries/000.p/15'));
    expect(entries).toHaveLength(15);
    const log = new Log();
    let files = 0;
    for (let size = 0; size <= 15; size++) {
      if (size > 0) log.append(entries[size - 1]!);
      const head = verifyCheckpoint(checkpoint(size), trust);
      expect(head).toEqual({ size, root: log.root(), cosignatures: [] });
      for (const tile of tilesOf(size)) {
        const made = tile.level === 'entries' ? encodeBundle(entries.slice(0, size)) : hashTile(log, tile);
        expect(made).toEqual(corpus.bytes(`tessera-log/${formatTilePath(tile)}`));
        files++;
      }
      // The log read back from Tessera's own files, under its own checkpoint.
      const read = await openTiles(head, (path) => Promise.resolve(corpus.bytes(`tessera-log/${path}`)));
      if (size > 0) expect(await read.leaves(0)).toEqual(entries.slice(0, size));
      for (let older = 0; older <= size; older++) {
        expect(await read.root(older)).toEqual(log.root(older));
        expect(await read.consistency(older)).toEqual(log.consistency(older, size));
        if (older < size) expect(await read.inclusion(older)).toEqual(log.inclusion(older, size));
      }
      // Another size's body or signature, another log's key, another log's name.
      const other = checkpoint((size + 1) % 16);
      const swapped = `${checkpoint(size).split('\n\n')[0]!}\n\n${other.split('\n\n')[1]!}`;
      const wrong: [string, LogKeys][] = [
        [swapped, tessera],
        [checkpoint(size).replace(`\n${size}\n`, `\n${size + 1}\n`), tessera],
        [checkpoint(size), { ...tessera, ed25519: signer.publicKey }],
        [checkpoint(size), { ...tessera, origin: 'example.com/log/other' }],
      ];
      for (const [text, by] of wrong)
        expect(refusal(() => verifyCheckpoint(text, { ...trust, log: by }))).toBe('RECORD_CHECKPOINT');
    }
    expect(files).toBe(30);
    expect(corpus.files('tessera-log/tile').map((file) => parseTilePath(file.slice(12)))).toHaveLength(30);
    expect(checkpoint(15)).toBe(corpus.text('tessera-log/checkpoint'));
  });

  it('notes/sumdb-note: 5 opened, 14 refused', () => {
    interface Open {
      readonly id: string;
      readonly verifiers: readonly string[];
      readonly note_b64: string;
      readonly expect: 'ok' | 'reject';
      readonly verified?: readonly string[];
      readonly unverified?: readonly string[];
    }
    const counts = { ok: 0, reject: 0 };
    const { open } = corpus.json('notes/sumdb-note.json') as { open: readonly Open[] };
    for (const { id, verifiers, note_b64, ...wanted } of open) {
      const run = (): ReturnType<typeof openNote> =>
        openNote(fromUtf8(base64(note_b64)), verifiers.map(parseNoteKey));
      counts[wanted.expect]++;
      if (wanted.expect === 'reject') {
        expect(refusal(run), id).toBe(id === 'invalid-utf8' ? 'WIRE_UTF8' : 'RECORD_CHECKPOINT');
        continue;
      }
      const { by, lines } = run();
      const names = by.map(({ name }) => name);
      expect([...new Set(names)], id).toEqual(wanted.verified);
      const others = lines.map(({ name }) => name).filter((name) => !names.includes(name));
      expect([...new Set(others)], id).toEqual([...new Set(wanted.unverified)]);
    }
    expect(counts).toEqual({ ok: 5, reject: 14 });
  });

  it('notes/sumdb-note: one signed, and 2,344 keys refused', async () => {
    const file = corpus.json('notes/sumdb-note.json') as {
      sign: readonly { skey: string; vkey: string; text: string; note: string }[];
      vkey_mutation: { vkey: string; bad_vkeys: readonly string[] };
    };
    expect(file.sign).toHaveLength(1);
    for (const { skey, vkey, text, note } of file.sign) {
      const secret = base64(skey.split('+').slice(4).join('+'));
      const peter = new SoftwareSigner(ED25519, new Secret('signing key', secret.slice(1)));
      const key = parseNoteKey(vkey);
      expect(key.publicKey).toEqual(peter.publicKey);
      expect(await signNote(text, key.name, peter)).toBe(note);
    }
    const { vkey, bad_vkeys } = file.vkey_mutation;
    parseNoteKey(vkey);
    const bad = [...bad_vkeys];
    for (let start = 0; start < vkey.length; start++) {
      bad.push(
        vkey.slice(0, start) + String.fromCharCode(vkey.charCodeAt(start) + 1) + vkey.slice(start + 1),
      );
      for (let end = start; end <= vkey.length; end++)
        if (end - start < vkey.length) bad.push(vkey.slice(start, end));
    }
    for (const key of bad)
      expect(
        refusal(() => parseNoteKey(key)),
        key,
      ).toBe('RECORD_CHECKPOINT');
    expect(bad).toHaveLength(2344);
  });

  it('notes/checkpoint-body: 4 of 6 good ones accepted with a root of 32 bytes, all 7 bad ones refused', async () => {
    interface Body {
      readonly desc: string;
      readonly body: string;
      readonly expect: 'ok' | 'reject';
      readonly origin?: string;
      readonly size?: string;
      readonly hash_b64?: string;
    }
    const { cases } = corpus.json('notes/checkpoint-body.json') as { cases: readonly Body[] };
    const root = new Uint8Array(32).fill(9);
    const counts: Record<string, number> = {};
    for (const one of cases) {
      const { origin = 'Log', hash_b64 = '', size } = one;
      const verify = async (text: string): Promise<unknown> =>
        verifyCheckpoint(await signNote(text, origin, signer), {
          log: { origin, ed25519: signer.publicKey, mlDsa44: null },
          witnesses: NO_WITNESSES,
        });
      const sized = one.body.replace(hash_b64, Buffer.from(root).toString('base64'));
      let outcome = 'accepted';
      if (one.desc === 'valid with extension lines (moon log)') {
        // A log's name is the name of its key, which holds no space.
        await expect(verify(sized)).rejects.toThrow(RangeError);
        outcome = 'no name of a key';
      } else if (one.desc === 'invalid - missing newline on roothash') {
        await expect(verify(one.body)).rejects.toThrow(RangeError);
        outcome = 'not signed here';
      } else if (one.desc === 'valid with trailing newlines') {
        // Extension lines must not be empty: tlog-checkpoint v1.0.0 says so, and that older reader did not.
        expect(await refusalOf(() => verify(sized))).toBe('RECORD_CHECKPOINT');
        outcome = 'empty extension';
      } else if (one.expect === 'ok') {
        expect(await verify(sized)).toEqual({ size: Number(size), root, cosignatures: [] });
        // As it stands there its root is no SHA-256.
        expect(await refusalOf(() => verify(one.body))).toBe('RECORD_CHECKPOINT');
      } else {
        expect(await refusalOf(() => verify(one.body)), one.desc).toBe('RECORD_CHECKPOINT');
        outcome = 'refused';
      }
      counts[outcome] = (counts[outcome] ?? 0) + 1;
    }
    expect(counts).toEqual({
      accepted: 4,
      refused: 6,
      'empty extension': 1,
      'no name of a key': 1,
      'not signed here': 1,
    });
  });

  it('notes/sumdb-tree-note: 2 of 3 good ones read, all 3 bad ones refused', () => {
    const { good, bad, size } = corpus.json('notes/sumdb-tree-note.json') as {
      good: readonly string[];
      bad: readonly string[];
      size: string;
    };
    const read = (text: string): unknown => parseCheckpointBody(text, 'go.sum database tree');
    expect([good.length, bad.length]).toEqual([3, 3]);
    for (const text of good) {
      // A note's text ends with a newline; Go's reader of trees alone does not look.
      if (text.endsWith('\n')) expect(read(text)).toMatchObject({ size: Number(size), text });
      else expect(refusal(() => read(text))).toBe('RECORD_CHECKPOINT');
    }
    for (const text of bad) expect(refusal(() => read(text))).toBe('RECORD_CHECKPOINT');
  });

  it('notes/ct-real-logs: lines of unknown kinds are passed over, and their keys refused', async () => {
    const { rome, argon } = corpus.json('notes/ct-real-logs.json') as {
      rome: { vkey: string; checkpoint: string };
      argon: { vkey: string };
    };
    for (const { vkey } of [rome, argon]) expect(refusal(() => parseNoteKey(vkey))).toBe('RECORD_CHECKPOINT');
    const [text = '', line = ''] = rome.checkpoint.split('\n\n');
    const own = await signNote(`${text}\n`, 'witness.example/w', signer);
    const key = { name: 'witness.example/w', type: 1, publicKey: signer.publicKey } as const;
    expect(openNote(own + line, [key]).lines).toHaveLength(2);
    expect(refusal(() => openNote(rome.checkpoint, [key]))).toBe('RECORD_CHECKPOINT');
    expect(refusal(() => openNote(rome.checkpoint, [{ ...key, name: 'rome.ct.filippo.io/2024h1' }]))).toBe(
      'RECORD_CHECKPOINT',
    );
  });
});
