/** test/vectors/log.json, read back by the library. */

import { describe, expect, it } from 'vitest';
import {
  cosign,
  encodeBundle,
  formatNoteKey,
  formatTilePath,
  hashTile,
  Log,
  logKeysOf,
  openNote,
  parseNoteKey,
  parseTilePath,
  signCheckpoint,
  tilesOf,
  verifyCheckpoint,
  type LogKeys,
  type NoteKey,
  type TreeHead,
} from '../../src/record/index.ts';
import { noteKeyId } from '../../src/record/note.ts';
import { deterministicSigner } from '../noble.ts';
import { refusal, refusalOf } from '../refusal.ts';
import { casesOf, readVectors } from '../vectors/file.ts';
import type { LogCase, LogJson, TreeJson } from '../vectors/generators/log.ts';
import { hex, unhex } from '../vectors/hex.ts';
import type { Signer } from '../../src/keys/index.ts';

const file = readVectors<LogCase>('log');
const logOf = ({ origin, ...keys }: LogJson): LogKeys => ({
  origin,
  ed25519: unhex(keys.ed25519),
  mlDsa44: keys.mlDsa44 === null ? null : unhex(keys.mlDsa44),
});
const headOf = ({ size, root }: TreeJson): TreeHead => ({ size, root: unhex(root) });
const signerOf = (algorithm: string, secret: string): Signer => {
  const { publicKey, sign } = deterministicSigner(algorithm, unhex(secret));
  return { algorithm, publicKey, sign: (message) => Promise.resolve(sign(message)) };
};

it('has so many cases of each operation', () => {
  const counts: Record<string, number> = {};
  for (const { operation } of file.cases) counts[operation] = (counts[operation] ?? 0) + 1;
  expect(counts).toEqual({
    'verifier key': 4,
    'read verifier key': 11,
    'open note': 18,
    checkpoint: 4,
    'verify checkpoint': 43,
    cosign: 10,
    'tile path': 20,
    tile: 8,
    tiles: 7,
  });
});

describe('verifier keys and notes', () => {
  it.each(casesOf(file, 'verifier key'))('$name', ({ key, keyId, vkey }) => {
    const made = { ...key, publicKey: unhex(key.publicKey) } as NoteKey;
    expect([formatNoteKey(made), hex(noteKeyId(made))]).toEqual([vkey, keyId]);
    expect(parseNoteKey(vkey)).toEqual(made);
  });

  it.each(casesOf(file, 'read verifier key'))('$name', ({ vkey, error }) => {
    expect(refusal(() => parseNoteKey(vkey))).toBe(error);
  });

  it.each(casesOf(file, 'open note'))('$name', ({ note, keys, ...wanted }) => {
    const run = (): ReturnType<typeof openNote> => openNote(note, keys.map(parseNoteKey));
    if (wanted.error !== undefined) expect(refusal(run)).toBe(wanted.error);
    else {
      const { text, by } = run();
      expect({ text, by: by.map(({ name }) => name) }).toEqual({ text: wanted.text, by: wanted.by });
    }
  });
});

describe('checkpoints', () => {
  it.each(casesOf(file, 'checkpoint'))('$name', async (one) => {
    const signer = {
      origin: one.log.origin,
      ed25519: signerOf('Ed25519', one.ed25519Secret),
      mlDsa44: one.mlDsa44Secret === null ? null : signerOf('ML-DSA-44', one.mlDsa44Secret),
    };
    expect(logKeysOf(signer)).toEqual(logOf(one.log));
    expect(await signCheckpoint(signer, headOf(one.head), one.at)).toBe(one.note);
  });

  it.each(casesOf(file, 'verify checkpoint'))('$name', ({ witnesses, threshold, ...one }) => {
    const policy = { witnesses: witnesses.map(parseNoteKey), threshold };
    const run = (): unknown => verifyCheckpoint(one.note, { log: logOf(one.log), witnesses: policy });
    if (one.error !== undefined) expect(refusal(run)).toBe(one.error);
    else expect(run()).toEqual({ ...headOf(one.head!), cosignatures: one.cosignatures });
  });

  it.each(casesOf(file, 'cosign'))('$name', async ({ error, line, ...one }) => {
    const { name } = parseNoteKey(one.vkey);
    const run = (): ReturnType<typeof cosign> =>
      cosign({ name, signer: signerOf(one.algorithm, one.secret) }, one.checkpoint, {
        ...{ log: logOf(one.log), known: headOf(one.known), proof: one.proof.map(unhex), at: one.at },
      });
    if (error !== undefined) expect(await refusalOf(run)).toBe(error);
    else expect((await run()).line).toBe(line);
  });
});

describe('tiles', () => {
  const leafOf = (i: number): Uint8Array => Uint8Array.of(i >> 8, i);

  it.each(casesOf(file, 'tile path'))('$name', ({ path, tile, error }) => {
    if (error !== undefined) expect(refusal(() => parseTilePath(path))).toBe(error);
    else {
      expect(parseTilePath(path)).toEqual(tile);
      expect(formatTilePath(tile!)).toBe(path);
    }
  });

  it.each(casesOf(file, 'tile'))('$name', ({ size, path, bytes }) => {
    const tile = parseTilePath(path);
    if (tile.level === 'entries') {
      const start = tile.index * 256;
      if (start + tile.width > size) expect(bytes).toBeNull();
      else
        expect(hex(encodeBundle(Array.from({ length: tile.width }, (_, i) => leafOf(start + i))))).toBe(
          bytes,
        );
      return;
    }
    const log = new Log();
    for (let i = 0; i < size; i++) log.append(leafOf(i));
    const made = hashTile(log, tile);
    expect(made && hex(made)).toBe(bytes);
  });

  it.each(casesOf(file, 'tiles'))('$name', ({ size, since, paths }) => {
    expect([...tilesOf(size, since)].map(formatTilePath)).toEqual(paths);
  });
});
