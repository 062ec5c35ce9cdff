/** Witnesses: what they cosign and what not, and how a policy counts them. */

import { beforeAll, describe, expect, it } from 'vitest';
import { emptyRoot, ES256, KEM_X25519, ML_DSA_44, signatureAlgorithm } from '../../src/crypto/index.ts';
import { createKeys, Secret, SoftwareSigner } from '../../src/keys/index.ts';
import { verifyCosignature } from '../../src/record/cosignature.ts';
import {
  addCosignatures,
  cosign,
  Log,
  logKeysOf,
  NO_WITNESSES,
  signCheckpoint,
  verifyCheckpoint,
  witnessKey,
  type LogSigner,
  type NoteKey,
  type TreeHead,
  type VerifiedCheckpoint,
  type Witness,
  type WitnessPolicy,
} from '../../src/record/index.ts';
import { formatNoteLine, parseNoteLine } from '../../src/record/note.ts';
import { flipped } from '../mutation.ts';
import { refusal, refusalOf } from '../refusal.ts';
import { seededRandom } from '../vectors/generators/seed.ts';

const AT = 1_700_000_123_456;
const SECONDS = 1_700_000_123_000;
const ed25519 = (label: string): SoftwareSigner =>
  createKeys({ kem: KEM_X25519, random: seededRandom(label) }).signer;
const mlDsa44 = (label: string): SoftwareSigner =>
  new SoftwareSigner(ML_DSA_44, new Secret('signing key', seededRandom(label)(32)));
const bank: LogSigner = { origin: 'bank.example/log', ed25519: ed25519('bank'), mlDsa44: mlDsa44('bank') };
const keys = logKeysOf(bank);
const one: Witness = { name: 'witness.example/1', signer: ed25519('w1') };
const two: Witness = { name: 'witness.example/2', signer: mlDsa44('w2') };
const three: Witness = { name: 'witness.example/3', signer: ed25519('w3') };
const all = [one, two, three];
const log = new Log();
for (let i = 0; i < 11; i++) log.append(Uint8Array.of(i));
const headAt = (size: number): TreeHead => ({ size, root: log.root(size) });
const NOTHING: TreeHead = { size: 0, root: emptyRoot() };
const policy = (threshold: number, witnesses: readonly NoteKey[] = all.map(witnessKey)): WitnessPolicy => ({
  ...{ witnesses, threshold },
});
const verify = (text: string, witnesses: WitnessPolicy): VerifiedCheckpoint =>
  verifyCheckpoint(text, { log: keys, witnesses });
const lineBy = async (witness: Witness, text = note, at = AT): Promise<string> =>
  (await cosign(witness, text, { log: keys, known: NOTHING, proof: [], at })).line;
let note: string;
let lines: string[];
beforeAll(async () => {
  note = await signCheckpoint(bank, headAt(11), AT);
  lines = await Promise.all(all.map((witness) => lineBy(witness)));
});

describe('a witness', () => {
  it('cosigns what follows from what it knows, and remembers it', async () => {
    for (const witness of all) {
      let known = NOTHING;
      for (const size of [0, 1, 4, 4, 11]) {
        const text = await signCheckpoint(bank, headAt(size), AT);
        const proof = log.consistency(known.size, size);
        const answer = await cosign(witness, text, { log: keys, known, proof, at: AT });
        expect(answer.known).toEqual(headAt(size));
        const { cosignatures } = verify(addCosignatures(text, [answer.line]), policy(1));
        expect(cosignatures).toEqual([{ name: witness.name, time: SECONDS }]);
        ({ known } = answer);
      }
    }
  });

  it('cosigns nothing older, nothing else and nothing unproven', async () => {
    const fork = new Log();
    for (let i = 0; i < 11; i++) fork.append(Uint8Array.of(i === 3 ? 99 : i));
    const forked = { size: 11, root: fork.root() };
    const cases: readonly [TreeHead, TreeHead, readonly Uint8Array[]][] = [
      [headAt(11), headAt(4), []],
      [headAt(11), headAt(4), log.consistency(4, 11)],
      [headAt(4), headAt(11), []],
      [headAt(4), headAt(11), log.consistency(5, 11)],
      [headAt(11), forked, []],
      [headAt(4), forked, fork.consistency(4, 11)],
      [headAt(4), forked, log.consistency(4, 11)],
      [headAt(11), headAt(11), log.consistency(4, 11)],
      [NOTHING, headAt(11), log.consistency(4, 11)],
      [headAt(4), NOTHING, []],
      [NOTHING, { size: 0, root: log.root() }, []],
    ];
    for (const [known, next, proof] of cases) {
      const text = await signCheckpoint(bank, next, AT);
      expect(await refusalOf(() => cosign(one, text, { log: keys, known, proof, at: AT }))).toBe(
        'RECORD_CONSISTENCY',
      );
    }
  });

  it('cosigns nothing that the log did not sign with all its keys', async () => {
    const other: LogSigner = { ...bank, ed25519: ed25519('other') };
    const seen = { log: keys, known: NOTHING, proof: [], at: AT };
    for (const text of [
      await signCheckpoint(other, headAt(11), AT),
      await signCheckpoint({ ...bank, mlDsa44: null }, headAt(11), AT),
      await signCheckpoint({ ...bank, origin: 'bank.example/other' }, headAt(11), AT),
      note.replace('\n11\n', '\n12\n'),
    ])
      expect(await refusalOf(() => cosign(one, text, seen))).toBe('RECORD_CHECKPOINT');
  });

  it('has a name, a key of its kinds and a clock', async () => {
    const seen = { log: keys, known: NOTHING, proof: [], at: AT };
    for (const name of ['', 'a b', 'a+b', 'x'.repeat(256)])
      await expect(cosign({ ...one, name }, note, seen)).rejects.toThrow(RangeError);
    for (const at of [0, 999, -1, NaN, 2 ** 53])
      await expect(cosign(one, note, { ...seen, at })).rejects.toThrow(RangeError);
    const es256 = signatureAlgorithm(ES256);
    const signer = new SoftwareSigner(ES256, new Secret('signing key', es256.generateSecretKey()));
    expect(await refusalOf(() => cosign({ ...one, signer }, note, seen))).toBe('KEY_ALGORITHM');
  });
});

describe('a quorum', () => {
  it('of k of n is met by any k, and by no fewer', () => {
    for (let subset = 0; subset < 8; subset++) {
      const chosen = lines.filter((_, i) => (subset >> i) % 2 === 1);
      const text = addCosignatures(note, chosen);
      for (let k = 0; k <= 3; k++) {
        const run = (): VerifiedCheckpoint => verify(text, policy(k));
        if (chosen.length < k) expect(refusal(run)).toBe('RECORD_WITNESS');
        else expect(run().cosignatures).toHaveLength(chosen.length);
      }
      expect(verify(text, NO_WITNESSES)).toEqual({ ...headAt(11), cosignatures: [] });
    }
  });

  it('counts a witness once, whatever it signs with and how often', async () => {
    const both = [witnessKey(one), witnessKey({ name: one.name, signer: mlDsa44('w1') })];
    const second = await lineBy({ name: one.name, signer: mlDsa44('w1') }, note, AT - 5000);
    const later = await lineBy(one, note, AT + 5000);
    const text = addCosignatures(note, [lines[0]!, second, later]);
    // The earliest of its times: it saw this no later than then.
    expect(verify(text, policy(1, both)).cosignatures).toEqual([{ name: one.name, time: SECONDS - 5000 }]);
    expect(refusal(() => verify(text, policy(2, [...both, witnessKey(two)])))).toBe('RECORD_WITNESS');
    expect(() => verify(text, policy(2, both))).toThrow(RangeError);
  });

  it('does not count the log among its witnesses, under whatever name and key', async () => {
    const posing: Witness[] = [
      { name: 'witness.example/1', signer: bank.ed25519 },
      { name: 'witness.example/2', signer: bank.mlDsa44! },
      { name: bank.origin, signer: ed25519('a third key of the log') },
    ];
    for (const witness of posing) {
      const text = addCosignatures(note, [await lineBy(witness)]);
      expect(refusal(() => verify(text, policy(1, [witnessKey(witness)])))).toBe('RECORD_WITNESS');
      expect(verify(text, policy(0, [witnessKey(witness)])).cosignatures).toEqual([]);
    }
    // Its own second line is a cosignature in form.
    const own = { name: bank.origin, type: 6, publicKey: keys.mlDsa44! } as const;
    expect(refusal(() => verify(note, policy(1, [own])))).toBe('RECORD_WITNESS');
  });

  it('does not count strangers, nor another checkpoint’s lines', async () => {
    const text = addCosignatures(note, lines);
    expect(refusal(() => verify(text, policy(1, [witnessKey({ ...one, name: 'witness.example/x' })])))).toBe(
      'RECORD_WITNESS',
    );
    const older = await signCheckpoint(bank, headAt(4), AT);
    for (const line of lines)
      expect(refusal(() => verify(addCosignatures(older, [line]), policy(0)))).toBe('RECORD_CHECKPOINT');
  });

  it('is refused whole for one wrong line of a known witness', async () => {
    for (const [i, line] of lines.entries()) {
      const key = witnessKey(all[i]!);
      const { signature } = parseNoteLine(line);
      const wrong = [
        flipped(signature, 0), // years ahead
        flipped(signature, 7),
        flipped(signature, 8),
        flipped(signature, signature.length - 1),
        signature.slice(0, -1),
        signature.slice(0, 8),
        signature.slice(0, 7),
        new Uint8Array([...signature, 0]),
      ];
      for (const bytes of wrong) {
        const text = addCosignatures(note, [...lines.filter((_, j) => j !== i), formatNoteLine(key, bytes)]);
        expect(refusal(() => verify(text, policy(2)))).toBe('RECORD_CHECKPOINT');
        // To whoever does not know that witness it is a line like any other.
        const others = policy(2, all.filter((_, j) => j !== i).map(witnessKey));
        expect(verify(text, others).cosignatures).toHaveLength(2);
      }
    }
  });

  it('does not count a cosignature that states no time', async () => {
    const signed = async (witness: Witness, message: Uint8Array): Promise<string> => {
      const signature = await witness.signer.sign(message);
      return formatNoteLine(witnessKey(witness), new Uint8Array([...new Uint8Array(8), ...signature]));
    };
    const root = Buffer.from(headAt(11).root).toString('base64');
    const text = `cosignature/v1\ntime 0\n${bank.origin}\n11\n${root}\n`;
    const untimed = await signed(one, Buffer.from(text));
    expect(verify(addCosignatures(note, [untimed]), policy(0)).cosignatures).toEqual([]);
    expect(refusal(() => verify(addCosignatures(note, [untimed]), policy(1)))).toBe('RECORD_WITNESS');
  });

  it('is asked of a policy that can be met', () => {
    const [a, b] = [witnessKey(one), witnessKey(two)];
    for (const bad of [
      policy(-1),
      policy(0.5),
      policy(4),
      policy(1, []),
      policy(1, [a, { ...b, publicKey: new Uint8Array(32) }]),
      policy(1, [{ ...a, type: 1 }]),
      policy(1, [{ ...a, name: 'a b' }]),
      policy(1, [a, { ...a, name: 'witness.example/x' }]),
      policy(1, [a, a]),
    ])
      expect(() => verify(note, bad)).toThrow(RangeError);
  });
});

describe('lines', () => {
  it('are added once, in order, behind those that are there', () => {
    const text = addCosignatures(addCosignatures(note, [lines[1]!]), [...lines, lines[0]!]);
    expect(text).toBe(`${note}${[lines[1], lines[0], lines[2]].join('\n')}\n`);
    expect(addCosignatures(text, lines)).toBe(text);
    expect(addCosignatures(note, [])).toBe(note);
  });

  it('are added to notes, and are lines', () => {
    for (const bad of ['', 'x', `${lines[0]!}\n`, `${lines[0]!}\n${lines[1]!}`, ` ${lines[0]!}`])
      expect(refusal(() => addCosignatures(note, [bad]))).toBe('RECORD_CHECKPOINT');
    expect(refusal(() => addCosignatures('x', lines))).toBe('RECORD_CHECKPOINT');
    const many = Array.from({ length: 99 }, (_, i) => `— w${i} AAAAAAA=`);
    expect(refusal(() => addCosignatures(note, many))).toBe('RECORD_CHECKPOINT');
  });

  it('state no time past what a number holds', () => {
    const { signature } = parseNoteLine(lines[0]!);
    const late = new Uint8Array([...new Uint8Array(8).fill(0x7f), ...signature.subarray(8)]);
    const body = { origin: bank.origin, ...headAt(11), text: '' };
    expect(refusal(() => verifyCosignature(witnessKey(one), body, late))).toBe('RECORD_CHECKPOINT');
  });
});
