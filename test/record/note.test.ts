/** Signed notes and verifier keys: forms, limits, and whatever else arrives. */

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { KEM_X25519, ML_DSA_44 } from '../../src/crypto/index.ts';
import { createKeys, Secret, SoftwareSigner } from '../../src/keys/index.ts';
import { addCosignatures } from '../../src/record/index.ts';
import {
  formatNoteKey,
  NOTE_LIMIT,
  NOTE_LINES_LIMIT,
  openNote,
  parseNote,
  parseNoteKey,
  signNote,
  type NoteKey,
} from '../../src/record/note.ts';
import { fuzz, FUZZ_TIMEOUT, textMutants } from '../fuzz.ts';
import { refusal, refusalOf } from '../refusal.ts';
import { seededRandom } from '../vectors/generators/seed.ts';

const { signer } = createKeys({ kem: KEM_X25519, random: seededRandom('note') });
const mlDsa44 = new SoftwareSigner(ML_DSA_44, new Secret('signing key', seededRandom('note')(32)));
const NAME = 'example.com/é';
const key: NoteKey = { name: NAME, type: 1, publicKey: signer.publicKey };
const TEXT = 'First.\n\nThird, \u007f and \u{1f512}.\n';
const note = await signNote(TEXT, NAME, signer);
const line = note.split('\n').at(-2)!;

describe('a note', () => {
  it('is its text, an empty line, and a line of its signer', () => {
    expect(note.startsWith(`${TEXT}\n— ${NAME} `)).toBe(true);
    const opened = openNote(note, [key]);
    expect(opened).toMatchObject({ text: TEXT, by: [key], lines: [{ name: NAME }] });
  });

  it('may hold as much as its limits allow, and no more', () => {
    const lines = (count: number): string => `${note}${`${line}\n`.repeat(count - 1)}`;
    expect(openNote(lines(NOTE_LINES_LIMIT), [key]).by).toHaveLength(100);
    expect(refusal(() => openNote(lines(NOTE_LINES_LIMIT + 1), [key]))).toBe('RECORD_CHECKPOINT');
    // C2SP asks for sixteen lines at least, of signatures up to 5 kB.
    const large = `— witness.example/w ${Buffer.alloc(5000).toString('base64')}`;
    expect(
      openNote(
        addCosignatures(note, [
          large,
          ...Array.from({ length: 15 }, (_, i) => large.replace('/w', `/w${i}`)),
        ]),
        [key],
      ).lines,
    ).toHaveLength(17);
    expect(refusal(() => parseNote(`${'x'.repeat(NOTE_LIMIT)}\n\n${line}\n`))).toBe('RECORD_CHECKPOINT');
  });

  it('is refused by a wrong line of a known key, whoever else signed', async () => {
    const other = createKeys({ kem: KEM_X25519, random: seededRandom('another note') }).signer;
    const second = { ...key, name: 'other.example', publicKey: other.publicKey };
    const both = note + (await signNote(TEXT, 'other.example', other)).split('\n').at(-2)! + '\n';
    expect(openNote(both, [key, second]).by).toEqual([key, second]);
    const wrong = note + (await signNote('Another.\n', 'other.example', other)).split('\n').at(-2)! + '\n';
    expect(openNote(wrong, [key]).by).toEqual([key]);
    expect(refusal(() => openNote(wrong, [key, second]))).toBe('RECORD_CHECKPOINT');
    expect(refusal(() => openNote(wrong, []))).toBe('RECORD_CHECKPOINT');
  });

  it('has names without white space of any kind, and whole lines', () => {
    const [, , base64 = ''] = line.split(' ');
    for (const name of [
      '',
      'a b',
      'a\u00a0b',
      'a\u0085b',
      'a\u2003b',
      'a\u3000b',
      'a+b',
      'x'.repeat(256),
      '\ud800',
    ])
      expect(
        refusal(() => parseNote(`x\n\n— ${name} ${base64}\n`)),
        JSON.stringify(name),
      ).toBe('RECORD_CHECKPOINT');
    for (const changed of [
      `— ${NAME} ${base64} `,
      `— ${NAME}  ${base64}`,
      `—  ${NAME} ${base64}`,
      `- ${NAME} ${base64}`,
      `– ${NAME} ${base64}`,
      `— ${NAME} ${base64.replace(/=+$/, '')}`,
      `— ${NAME} ${base64}=`,
      `— ${NAME} AAAAAA==`, // a key id and nothing behind it
      `— ${NAME} `,
      '',
    ])
      expect(
        refusal(() => parseNote(`x\n\n${changed}\n`)),
        changed,
      ).toBe('RECORD_CHECKPOINT');
    expect(parseNote(`x\n\n— a AAAAAAA=\n`).lines).toHaveLength(1);
  });

  it('is signed by Ed25519 keys over lines of text', async () => {
    for (const text of ['', 'x', 'x\t\n', 'x\r\n', `${'x'.repeat(NOTE_LIMIT)}\n`])
      await expect(signNote(text, NAME, signer)).rejects.toThrow(RangeError);
    for (const name of ['', 'a b', 'x+y', 'é'.repeat(128)])
      await expect(signNote(TEXT, name, signer)).rejects.toThrow(RangeError);
    expect(await refusalOf(() => signNote(TEXT, NAME, mlDsa44))).toBe('KEY_ALGORITHM');
    expect(await refusalOf(() => signNote('\ud800\n', NAME, signer))).toBe('WIRE_UTF8');
    for (const type of [4, 6] as const) expect(() => openNote(note, [{ ...key, type }])).toThrow(RangeError);
  });
});

describe('a verifier key', () => {
  const keys: readonly NoteKey[] = [
    key,
    { ...key, type: 4 },
    { ...key, type: 6, publicKey: mlDsa44.publicKey },
  ];

  it('is read as it was written', () => {
    for (const one of keys) expect(parseNoteKey(formatNoteKey(one))).toEqual(one);
    expect(new Set(keys.map(formatNoteKey)).size).toBe(3);
  });

  it('is refused in any other form', () => {
    const good = formatNoteKey(key);
    const [name = '', id = '', ...rest] = good.split('+');
    const base64 = rest.join('+');
    for (const bad of [
      '',
      `${good} `,
      ` ${good}`,
      `${good}\n`,
      `${name}+${id.toUpperCase()}+${base64}`,
      `${name}+${id}`,
      `${name}+${id}+`,
      `${name}+0${id}+${base64}`,
      `+${id}+${base64}`,
      `a${name}+${id}+${base64}`,
      `${name}+${id}+${base64}=`,
      ...keys.map((one) => formatNoteKey(one).replace(/\+[0-9a-f]{8}\+/, '+00000000+')),
      'x'.repeat(NOTE_LIMIT + 1),
    ])
      expect(
        refusal(() => parseNoteKey(bad)),
        bad.slice(0, 99),
      ).toBe('RECORD_CHECKPOINT');
  });

  it('is refused where the id is right and the key cannot be', () => {
    const spell = (one: object): string => {
      // The id is whatever the bytes make; the form is what is wrong.
      const { name, type, publicKey } = { ...key, ...one };
      const bytes = Buffer.concat([Buffer.from([type]), publicKey]);
      const hash = createHash('sha256').update(`${name}\n`).update(bytes).digest('hex');
      return `${name}+${hash.slice(0, 8)}+${bytes.toString('base64')}`;
    };
    expect(parseNoteKey(spell({}))).toEqual(key);
    for (const one of [
      { type: 0 },
      { type: 2 },
      { type: 5 },
      { type: 255 },
      { publicKey: new Uint8Array(31) },
      { publicKey: new Uint8Array(33) },
      { publicKey: new Uint8Array(0) },
      { type: 6 },
      { type: 4, publicKey: mlDsa44.publicKey },
      { name: 'a b' },
      { name: 'x'.repeat(256) },
    ]) {
      expect(refusal(() => parseNoteKey(spell(one)))).toBe('RECORD_CHECKPOINT');
      expect(() => formatNoteKey({ ...key, ...(one as object) })).toThrow(RangeError);
    }
  });
});

describe('under fuzz', () => {
  it(
    'notes that are opened hold the signed text',
    async () => {
      const pieces = ['\n', '\n\n', '—', ' ', '+', '=', line, `${line}\n`, NAME, '\u0000', 'x'];
      const tally = await fuzz(textMutants([note], pieces), ['RECORD_CHECKPOINT'], (text) => {
        expect(openNote(text, [key]).text).toBe(TEXT);
      });
      expect(tally['RECORD_CHECKPOINT']).toBeGreaterThan(0);
    },
    FUZZ_TIMEOUT,
  );

  it(
    'verifier keys that are read are written the same',
    async () => {
      const pieces = ['+', '=', '+00000000+', 'AQ==', NAME, ' '];
      await fuzz(textMutants([formatNoteKey(key)], pieces), ['RECORD_CHECKPOINT'], (text) => {
        expect(formatNoteKey(parseNoteKey(text))).toBe(text);
      });
    },
    FUZZ_TIMEOUT,
  );
});
