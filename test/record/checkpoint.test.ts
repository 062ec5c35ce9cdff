/** Checkpoints as signed notes: our own with one line and with two, altered ones, and those of others. */

import { beforeAll, describe, expect, it } from 'vitest';
import { KEM_X25519, ML_DSA_44 } from '../../src/crypto/index.ts';
import { createKeys, Secret, SoftwareSigner } from '../../src/keys/index.ts';
import {
  CHECKPOINT_LIMIT,
  logKeysOf,
  NO_WITNESSES,
  signCheckpoint,
  signNote,
  verifyCheckpoint,
  type LogKeys,
  type LogSigner,
} from '../../src/record/index.ts';
import { refusal, refusalOf } from '../refusal.ts';
import { seededRandom } from '../vectors/generators/seed.ts';

const ORIGIN = 'bank.example/log';
const AT = 1_700_000_000_999;
const signerOf = (label: string): ReturnType<typeof createKeys>['signer'] =>
  createKeys({ kem: KEM_X25519, random: seededRandom(label) }).signer;
const mlDsa44 = (label: string): SoftwareSigner =>
  new SoftwareSigner(ML_DSA_44, new Secret('signing key', seededRandom(label)(32)));
const one: LogSigner = { origin: ORIGIN, ed25519: signerOf('checkpoint'), mlDsa44: null };
const two: LogSigner = { ...one, mlDsa44: mlDsa44('checkpoint') };
const other: LogSigner = {
  origin: ORIGIN,
  ed25519: signerOf('another log'),
  mlDsa44: mlDsa44('another log'),
};
const head = { size: 20_852_163, root: seededRandom('checkpoint root')(32) };
const said = { ...head, cosignatures: [] };
const verify = (note: string, log: LogKeys = logKeysOf(one)): unknown =>
  verifyCheckpoint(note, { log, witnesses: NO_WITNESSES });
const refused = (note: string, log?: LogKeys): void => {
  expect(
    refusal(() => verify(note, log)),
    note,
  ).toBe('RECORD_CHECKPOINT');
};
const lineOf = (note: string, at = -2): string => note.split('\n').at(at)!;
const withLines = (...lines: readonly string[]): string =>
  `${note.split('\n\n')[0]!}\n\n${lines.join('\n')}\n`;
let note: string;
let hybrid: string;
beforeAll(async () => {
  note = await signCheckpoint(one, head, AT);
  hybrid = await signCheckpoint(two, head, AT);
});

describe('a checkpoint', () => {
  it('is a note of three lines and a signature', () => {
    const [origin, size, root, empty, line, end] = note.split('\n');
    expect([origin, size, empty, end]).toEqual([ORIGIN, '20852163', '', '']);
    expect(Buffer.from(root!, 'base64')).toEqual(Buffer.from(head.root));
    expect(line).toMatch(/^— bank\.example\/log [A-Za-z0-9+/]{91}=$/);
    expect(verify(note)).toEqual(said);
  });

  it('has a second line where the log has a second key, with the time in seconds', () => {
    expect(hybrid.startsWith(note)).toBe(true);
    const bytes = Buffer.from(lineOf(hybrid).split(' ')[2]!, 'base64');
    expect(bytes).toHaveLength(4 + 8 + 2420);
    expect(bytes.readBigUInt64BE(4)).toBe(1_700_000_000n);
    expect(verify(hybrid, logKeysOf(two))).toEqual(said);
    expect(verify(hybrid)).toEqual(said); // whoever knows the first key alone passes the second line over
  });

  it('may be of an empty log, and of the largest', async () => {
    for (const size of [0, Number.MAX_SAFE_INTEGER]) {
      const large = await signCheckpoint(two, { size, root: head.root }, AT);
      expect(verify(large, logKeysOf(two))).toEqual({ ...said, size });
    }
  });

  it('is refused with any character changed', () => {
    for (let at = 0; at < note.length; at++) {
      for (const character of ['A', '0', '\n', ' ']) {
        if (note[at] !== character) refused(note.slice(0, at) + character + note.slice(at + 1));
      }
      refused(note.slice(0, at) + note.slice(at + 1));
      refused(note.slice(0, at));
    }
    for (let at = note.length; at < hybrid.length; at += 40) {
      const character = hybrid[at] === 'A' ? 'B' : 'A';
      refused(hybrid.slice(0, at) + character + hybrid.slice(at + 1), logKeysOf(two));
    }
  });

  it('is refused under another origin or key', async () => {
    const log = logKeysOf(one);
    refused(note, { ...log, origin: 'bank.example/other' });
    refused(note, logKeysOf({ ...other, mlDsa44: null }));
    refused(await signCheckpoint(other, head, AT));
    refused(note.replaceAll(ORIGIN, 'bank.example/other'), { ...log, origin: 'bank.example/other' });
    refused(note, { ...log, ed25519: new Uint8Array(65) });
    refused(hybrid, { ...logKeysOf(two), mlDsa44: logKeysOf(other).mlDsa44 });
    refused(hybrid, { ...logKeysOf(two), mlDsa44: new Uint8Array(1952) });
  });

  it('demands both lines of a log that has two keys, each once and of one text', async () => {
    const log = logKeysOf(two);
    const [first, second] = [lineOf(hybrid, -3), lineOf(hybrid)];
    refused(note, log);
    refused(withLines(second), log);
    refused(withLines(first, second, second), log);
    const again = lineOf(await signCheckpoint(two, head, AT + 5000));
    expect(verify(withLines(first, again), log)).toEqual(said);
    refused(withLines(first, second, again), log);
    refused(withLines(first, lineOf(await signCheckpoint(two, { ...head, size: 1 }, AT))), log);
    refused(
      withLines(first, lineOf(await signCheckpoint({ ...two, origin: 'bank.example/x' }, head, AT))),
      log,
    );
  });

  it('passes lines of other keys over, before and after its own', async () => {
    const own = lineOf(note);
    const foreign = lineOf(await signNote('x\n', 'witness.example/w', other.ed25519));
    const twin = lineOf(await signCheckpoint({ ...other, mlDsa44: null }, head, AT));
    for (const lines of [
      [foreign, own],
      [own, foreign],
      [twin, own, foreign, foreign],
    ])
      expect(verify(withLines(...lines))).toEqual(said);
    for (const lines of [
      [foreign],
      [twin],
      [own, own],
      [own, 'Unexpected line.'],
      [own, ''],
      [own, '— Bad Name x08go/ZJ'],
      [own, '— bad+name x08go/ZJ'],
      [own, '— name'],
      [own, '— name !'],
      [own, '- name x08go/ZJ'],
      Array.from({ length: 101 }, (_, i) => (i === 0 ? own : foreign)),
    ])
      refused(withLines(...lines));
  });

  it('is refused malformed even where the log signed it', async () => {
    const root = Buffer.from(head.root).toString('base64');
    // The library signs nothing of this; whoever has the key can.
    const noteOf = async (text: string): Promise<string> => {
      const id = Buffer.from(lineOf(note).split(' ')[2]!, 'base64').subarray(0, 4);
      const signature = await one.ed25519.sign(new TextEncoder().encode(text));
      return `${text}\n— ${ORIGIN} ${Buffer.concat([id, signature]).toString('base64')}\n`;
    };
    expect(verify(await noteOf(`${ORIGIN}\n1\n${root}\nextension é\n`))).toMatchObject({ size: 1 });
    for (const text of [
      `${ORIGIN}\n1\n`,
      `${ORIGIN}\n01\n${root}\n`,
      `${ORIGIN}\n-1\n${root}\n`,
      `${ORIGIN}\n+1\n${root}\n`,
      `${ORIGIN}\n1.0\n${root}\n`,
      `${ORIGIN}\n0x1\n${root}\n`,
      `${ORIGIN}\n\n${root}\n`,
      `${ORIGIN}\n9007199254740992\n${root}\n`,
      `${ORIGIN}\n99999999999999999\n${root}\n`,
      `${ORIGIN}\n1\n${root.slice(0, -4)}\n`,
      `${ORIGIN}\n1\n${root}AAAA\n`,
      `${ORIGIN}\n1\n${root.replace('=', '')}\n`,
      `${ORIGIN}\n1\n${root} \n`,
      `${ORIGIN}\n1\n${root}`,
      `${ORIGIN}\n1\n${root}\n\n`,
      `${ORIGIN}\n1\n${root}\n\nextension\n`,
      `bank.example/other\n1\n${root}\n`,
      `\n1\n${root}\n`,
      `${ORIGIN}\n1\n${root}\n\u0001\n`,
      `${ORIGIN}\n1\n${root}\n\t\n`,
      `${ORIGIN}\r\n1\r\n${root}\r\n`,
    ])
      refused(await noteOf(text));
    refused(await noteOf(`${ORIGIN}\n1\n${root}\n${'x'.repeat(CHECKPOINT_LIMIT)}\n`));
    refused('');
    refused('\n\n');
    refused(note.replace('\n\n', '\n\ud800\n\n'));
  });

  it('is signed for a log that can be, by keys of its kinds', async () => {
    for (const origin of ['', 'a b', 'a+b', 'é', 'a\nb', 'x'.repeat(129)]) {
      await expect(signCheckpoint({ ...one, origin }, head, AT)).rejects.toThrow(RangeError);
      expect(() => verify(note, { ...logKeysOf(one), origin })).toThrow(RangeError);
    }
    for (const size of [-1, 0.5, 2 ** 53])
      await expect(signCheckpoint(one, { ...head, size }, AT)).rejects.toThrow(RangeError);
    await expect(signCheckpoint(one, { size: 1, root: new Uint8Array(31) }, AT)).rejects.toThrow(RangeError);
    for (const at of [-1, 999, 1e20, NaN])
      await expect(signCheckpoint(two, head, at)).rejects.toThrow(RangeError);
    const [ed25519, ml] = [one.ed25519, mlDsa44('checkpoint')];
    for (const log of [
      { ...one, ed25519: ml },
      { ...one, mlDsa44: ed25519 },
    ])
      expect(await refusalOf(() => signCheckpoint(log, head, AT))).toBe('KEY_ALGORITHM');
  });
});
