/** Notes, checkpoints and proofs against Go's, over a pipe; test/system/note.sh builds the other end and runs this. */

import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { KEM_X25519, ML_DSA_44 } from '../../src/crypto/index.ts';
import { createKeys, Secret, SoftwareSigner } from '../../src/keys/index.ts';
import {
  addCosignatures,
  cosign,
  formatNoteKey,
  Log,
  logKeysOf,
  NO_WITNESSES,
  openNote,
  parseNoteKey,
  signCheckpoint,
  signNote,
  verifyCheckpoint,
  witnessKey,
  type LogSigner,
} from '../../src/record/index.ts';
import { casesOf, readVectors } from '../vectors/file.ts';
import type { LogCase } from '../vectors/generators/log.ts';
import { seededRandom } from '../vectors/generators/seed.ts';

interface Answers {
  readonly Open: readonly { Error: string; Text: string; By: string[] | null; Not: string[] | null }[];
  readonly Inclusion: readonly string[];
  readonly Consistency: readonly string[];
  readonly Sign: readonly { Note: string; Key: string }[];
}

const { MUNIMENT_GO_NOTE: PROGRAM = '' } = process.env;
const ask = (jobs: object): Answers =>
  JSON.parse(
    execFileSync(PROGRAM, { input: JSON.stringify(jobs), encoding: 'utf8', maxBuffer: 64 << 20 }),
  ) as Answers;
const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64');
const AT = 1_700_000_123_456;
const ed25519 = createKeys({ kem: KEM_X25519, random: seededRandom('go log') }).signer;
const lattice = (label: string): SoftwareSigner =>
  new SoftwareSigner(ML_DSA_44, new Secret('signing key', seededRandom(label)(32)));
const bank: LogSigner = { origin: 'bank.example/log', ed25519, mlDsa44: lattice('go log') };
const vkey = formatNoteKey({ name: bank.origin, type: 1, publicKey: ed25519.publicKey });
const log = new Log();
const leaf = (i: number): Uint8Array => Uint8Array.of(i >> 8, i);
for (let i = 0; i < 700; i++) log.append(leaf(i));
const SIZES = [1, 2, 3, 7, 8, 255, 256, 257, 699, 700];

describe('what is made here, opened by Go', () => {
  it('checkpoints, whose second line and cosignatures are of unknown keys there', async () => {
    const witnesses = [
      { name: 'witness.example/1', signer: createKeys({ kem: KEM_X25519 }).signer },
      { name: 'witness.example/2', signer: lattice('go witness') },
    ];
    const notes: string[] = [];
    for (const size of SIZES) {
      const note = await signCheckpoint(bank, { size, root: log.root(size) }, AT);
      const seen = { log: logKeysOf(bank), known: { size: 0, root: log.root(0) }, proof: [], at: AT };
      const lines = await Promise.all(witnesses.map(async (one) => (await cosign(one, note, seen)).line));
      notes.push(addCosignatures(note, lines));
    }
    const answers = ask({ Open: notes.map((note) => ({ Note: base64(note), Keys: [vkey] })) }).Open;
    const trust = { log: logKeysOf(bank), witnesses: { witnesses: witnesses.map(witnessKey), threshold: 2 } };
    notes.forEach((note, i) => {
      expect(verifyCheckpoint(note, trust).size).toBe(SIZES[i]);
      expect(answers[i]).toEqual({
        Error: '',
        Text: note.slice(0, note.indexOf('\n\n') + 1),
        By: [bank.origin],
        Not: [bank.origin, 'witness.example/1', 'witness.example/2'],
      });
    });
    expect(answers).toHaveLength(SIZES.length);
  });

  it('every note of the vectors, with the same outcome', () => {
    const cases = casesOf(readVectors<LogCase>('log'), 'open note');
    const { Open } = ask({ Open: cases.map(({ note, keys }) => ({ Note: base64(note), Keys: keys })) });
    expect(Open).toHaveLength(18);
    cases.forEach(({ name, error, text, by }, i) => {
      const { Error: refusal, Text, By } = Open[i]!;
      expect(refusal === '', name).toBe(error === undefined);
      if (error === undefined) expect([Text, By], name).toEqual([text, by]);
    });
  });

  it('proofs of inclusion and of consistency, and nothing that was changed', () => {
    const inclusion = SIZES.flatMap((size) =>
      [0, 1, size >> 1, size - 1]
        .filter((index) => index < size)
        .map((index) => ({
          Proof: log.inclusion(index, size).map(base64),
          ...{ Size: size, Root: base64(log.root(size)), Index: index, Leaf: base64(leaf(index)) },
        })),
    );
    const consistency = SIZES.flatMap((newer) =>
      SIZES.filter((older) => older <= newer).map((older) => ({
        ...{ Proof: log.consistency(older, newer).map(base64), Newer: newer, Older: older },
        ...{ NewerRoot: base64(log.root(newer)), OlderRoot: base64(log.root(older)) },
      })),
    );
    const wrong = base64(log.root(5));
    const good = ask({ Inclusion: inclusion, Consistency: consistency });
    expect(new Set([...good.Inclusion, ...good.Consistency])).toEqual(new Set(['']));
    expect([good.Inclusion.length, good.Consistency.length]).toEqual([inclusion.length, consistency.length]);
    const bad = ask({
      Inclusion: inclusion.map((one) => ({ ...one, Root: wrong })),
      Consistency: consistency.map((one) => ({ ...one, NewerRoot: wrong })),
    });
    expect([...bad.Inclusion, ...bad.Consistency]).not.toContain('');
  });
});

describe('what Go makes, opened here', () => {
  const name = 'go.example/é';

  it('a note', () => {
    const text = 'First.\n\nThird: naïve.\n';
    const [signed] = ask({ Sign: [{ Text: text, Name: name }] }).Sign;
    const key = parseNoteKey(signed!.Key);
    expect(formatNoteKey(key)).toBe(signed!.Key);
    const note = Buffer.from(signed!.Note, 'base64').toString();
    expect(openNote(note, [key])).toMatchObject({ text, by: [{ name }] });
    expect(() => openNote(note.replace('First', 'Last'), [key])).toThrow('RECORD_CHECKPOINT');
  });

  it('a note of ours with one more line', async () => {
    const own = await signNote('Ours.\n', bank.origin, ed25519);
    const [signed] = ask({ Sign: [{ Note: base64(own), Keys: [vkey], Name: name }] }).Sign;
    const keys = [parseNoteKey(vkey), parseNoteKey(signed!.Key)];
    const { by } = openNote(Buffer.from(signed!.Note, 'base64').toString(), keys);
    expect(by.map((key) => key.name)).toEqual([bank.origin, name]);
  });

  it('a checkpoint', () => {
    const text = `go.example/log\n700\n${base64(log.root())}\n`;
    const [signed] = ask({ Sign: [{ Text: text, Name: 'go.example/log' }] }).Sign;
    const { publicKey } = parseNoteKey(signed!.Key);
    const trust = {
      log: { origin: 'go.example/log', ed25519: publicKey, mlDsa44: null },
      witnesses: NO_WITNESSES,
    };
    const note = Buffer.from(signed!.Note, 'base64').toString();
    expect(verifyCheckpoint(note, trust)).toEqual({ size: 700, root: log.root(), cosignatures: [] });
  });
});
