/** Capsules: two halves open one, every opening leaves a signed statement, and nothing else goes. */

import { beforeAll, describe, expect, it } from 'vitest';
import { hpkeSeal } from '../../src/crypto/index.ts';
import { exposeSecret, Secret, signStatement, suite, type Credential } from '../../src/keys/index.ts';
import {
  CAPSULE_CONTENT_LIMIT,
  CAPSULE_LIMIT,
  decodeCapsuleSeal,
  encodeCapsuleSeal,
  makeCapsule,
  openCapsule,
  verifyCapsule,
  verifyCapsuleUse,
  type Capsule,
  type CapsuleSeal,
  type CapsuleTerms,
} from '../../src/views/index.ts';
import { fromUtf8, toHex, tuple, TupleReader, utf8 } from '../../src/wire/index.ts';
import { flipped } from '../mutation.ts';
import { refusal, refusalOf } from '../refusal.ts';
import { createWorld, keyOf, type World } from './fixture.ts';

const SUMMARY = '{"bloodType":"A+","allergies":["penicillin"]}';

let world: World;
let owner: Credential;
let terms: CapsuleTerms;
let made: { capsule: Uint8Array; seal: CapsuleSeal };
let capsule: Capsule;

const makeIn = (
  content = utf8(SUMMARY),
  changes: Partial<CapsuleTerms> = {},
): ReturnType<typeof makeCapsule> =>
  makeCapsule(
    world.patient,
    keyOf(world, 'emergency').reader,
    content,
    { ...terms, ...changes },
    world.random,
  );
type Use = Parameters<typeof openCapsule>[2];
const openIn = (changes: Partial<Use> = {}, one = capsule): ReturnType<typeof openCapsule> =>
  openCapsule(world.clinician, one, {
    as: keyOf(world, 'emergency'),
    seal: made.seal,
    reason: 'unconscious',
    time: 150,
    ...changes,
  });

beforeAll(async () => {
  world = await createWorld();
  owner = world.patient.credential;
  terms = { recordId: world.compartments.recordId, number: 3, from: 100, until: 200 };
  made = await makeIn();
  capsule = verifyCapsule(made.capsule, owner);
});

describe('a capsule', () => {
  it('gives its content together with a statement that the record’s chain can take', async () => {
    const { content, statement } = await openIn();
    expect(fromUtf8(content)).toBe(SUMMARY);
    const use = verifyCapsuleUse(statement, world.clinician.credential, capsule);
    expect(use).toEqual({
      recordId: terms.recordId,
      number: 3,
      capsule: capsule.digest,
      clinician: world.clinician.credential.id,
      reason: 'unconscious',
      time: 150,
    });
  });

  it('says who may open it when, before anybody opens it', () => {
    expect(capsule).toMatchObject({ ...terms, owner: owner.id, team: keyOf(world, 'emergency').reader.id });
  });

  it.each([0, 1, CAPSULE_CONTENT_LIMIT])('holds %d bytes', async (length) => {
    const one = await makeIn(new Uint8Array(length).fill(7));
    expect(one.capsule.length).toBeLessThanOrEqual(CAPSULE_LIMIT);
    const { content } = await openIn({ seal: one.seal }, verifyCapsule(one.capsule, owner));
    expect([content.length, content.every((byte) => byte === 7)]).toEqual([length, true]);
  });

  it('shows little of how long its content is', async () => {
    const lengths = [0, 1, 200].map(async (length) => (await makeIn(new Uint8Array(length))).capsule.length);
    expect(new Set(await Promise.all(lengths)).size).toBe(1);
  });

  it('is not made for more, for another record’s id, or for a time that never comes', async () => {
    expect(await refusalOf(() => makeIn(new Uint8Array(CAPSULE_CONTENT_LIMIT + 1)))).toBe('VIEW_CAPSULE');
    expect(await refusalOf(() => makeIn(utf8(SUMMARY), { recordId: new Uint8Array(15) }))).toBe(
      'VIEW_CAPSULE',
    );
    expect(await refusalOf(() => makeIn(utf8(SUMMARY), { from: 201 }))).toBe('VIEW_CAPSULE');
  });

  it('is refused with any byte altered, missing or added', () => {
    for (let at = 0; at < made.capsule.length; at++)
      expect(refusal(() => verifyCapsule(flipped(made.capsule, at), owner))).toBe('VIEW_CAPSULE');
    const short = made.capsule.subarray(0, -1);
    const long = new Uint8Array(made.capsule.length + 1);
    long.set(made.capsule);
    for (const bytes of [short, long, new Uint8Array(0), new Uint8Array(CAPSULE_LIMIT + 1)])
      expect(refusal(() => verifyCapsule(bytes, owner))).toBe('VIEW_CAPSULE');
  });

  it('is refused of another owner, and in terms that its owner could not mean', async () => {
    expect(refusal(() => verifyCapsule(made.capsule, world.doctor.credential))).toBe('VIEW_CAPSULE');
    const reader = TupleReader.labelled(made.capsule, 'sealed capsule');
    const [, ciphertext] = [reader.bytes(), reader.bytes()];
    const parts = (): Parameters<typeof tuple>[1][] => {
      const { recordId, number, team, from, until, keyCommit, wrap } = capsule;
      const hash = verifiedHash(made.capsule);
      const { encapsulation } = wrap;
      return [
        recordId,
        number,
        owner.id,
        team,
        from,
        until,
        keyCommit,
        [encapsulation, wrap.ciphertext],
        hash,
      ];
    };
    const stated = async (changes: Record<number, Parameters<typeof tuple>[1]>): Promise<Uint8Array> => {
      const body = tuple('capsule', ...Object.assign(parts(), changes));
      return tuple('sealed capsule', await signStatement(world.patient, body), ciphertext);
    };
    expect(verifyCapsule(await stated({}), owner).digest).toEqual(capsule.digest);
    for (const changes of [
      { 0: new Uint8Array(15) },
      { 2: world.doctor.credential.id },
      { 4: 201 },
      { 7: [] },
      { 8: new Uint8Array(32) },
      { 9: '' },
    ]) {
      const bytes = await stated(changes);
      expect(refusal(() => verifyCapsule(bytes, owner))).toBe('VIEW_CAPSULE');
    }
    // Signed by the owner's own hand, another number, time or team: the content is bound to all of them.
    for (const changes of [{ 1: 4 }, { 4: 99 }, { 5: 201 }, { 6: new Uint8Array(32) }]) {
      const other = verifyCapsule(await stated(changes), owner);
      expect(await refusalOf(() => openIn({}, other))).toBe('VIEW_CAPSULE');
    }
  });
});

describe('opening', () => {
  it('takes the team’s key: who finds capsule and seal opens nothing', async () => {
    const insurer = keyOf(world, 'insurer');
    expect(await refusalOf(() => openIn({ as: insurer }))).toBe('VIEW_CAPSULE');
    const pretending = { reader: keyOf(world, 'emergency').reader, key: insurer.key };
    expect(await refusalOf(() => openIn({ as: pretending }))).toBe('VIEW_CAPSULE');
  });

  it('takes the seal: the team without it opens nothing', async () => {
    const half = exposeSecret(made.seal);
    for (const other of [new Uint8Array(32), flipped(half, 0), flipped(half, 31), half.subarray(1)]) {
      const seal = new Secret('capsule seal', new Uint8Array(other));
      expect(await refusalOf(() => openIn({ seal }))).toBe('VIEW_CAPSULE');
    }
    const another = await makeIn();
    expect(await refusalOf(() => openIn({ seal: another.seal }))).toBe('VIEW_CAPSULE');
  });

  it.each(['', ' ', '\n\t', 'x'.repeat(513)])('takes a reason: %j is none', async (reason) => {
    expect(await refusalOf(() => openIn({ reason }))).toBe('VIEW_CAPSULE');
  });

  it.each([99, 201, NaN, 150.5])('is for the time stated: not at %d', async (time) => {
    expect(await refusalOf(() => openIn({ time }))).toBe('VIEW_CAPSULE');
  });

  it('is for both ends of it', async () => {
    for (const time of [100, 200]) expect(fromUtf8((await openIn({ time })).content)).toBe(SUMMARY);
  });

  it('ends with the team’s epoch', async () => {
    const as = keyOf(world, 'emergency');
    const id = new Uint8Array(32);
    const next = { key: as.key, reader: { ...as.reader, epoch: 1, id } };
    expect(await refusalOf(() => openIn({ as: next }))).toBe('VIEW_CAPSULE');
  });

  it('refuses a wrap with something else in it', async () => {
    const { reader } = keyOf(world, 'emergency');
    const { recordId, number, team, from, until, keyCommit } = capsule;
    const names = [recordId, number, owner.id, team, from, until] as const;
    const wrapped = (plaintext: Uint8Array): Capsule => {
      const info = tuple('capsule wrap', suite(reader.kem), reader.id);
      const aad = tuple('capsule wrap aad', ...names, keyCommit);
      return { ...capsule, wrap: hpkeSeal(reader, info, aad, plaintext, world.random) };
    };
    for (const plaintext of [
      tuple('capsule half', new Uint8Array(31)),
      tuple('wrap half', new Uint8Array(32)),
    ])
      expect(await refusalOf(() => openIn({}, wrapped(plaintext)))).toBe('VIEW_CAPSULE');
  });
});

describe('the statement of a use', () => {
  it('is refused altered, of another, about another capsule, without reason, or out of time', async () => {
    const { statement } = await openIn();
    const clinician = world.clinician.credential;
    for (let at = 0; at < statement.length; at++)
      expect(refusal(() => verifyCapsuleUse(flipped(statement, at), clinician, capsule))).toBe(
        'VIEW_CAPSULE',
      );
    expect(refusal(() => verifyCapsuleUse(statement, world.doctor.credential, capsule))).toBe('VIEW_CAPSULE');
    const another = verifyCapsule((await makeIn()).capsule, owner);
    expect(refusal(() => verifyCapsuleUse(statement, clinician, another))).toBe('VIEW_CAPSULE');
    const { recordId, number, digest } = capsule;
    const stated = (changes: Record<number, Parameters<typeof tuple>[1]>): Promise<Uint8Array> => {
      const right: Parameters<typeof tuple>[1][] = [recordId, number, digest, 'unconscious', 150];
      return signStatement(world.clinician, tuple('capsule opened', ...Object.assign(right, changes)));
    };
    expect(verifyCapsuleUse(await stated({}), clinician, capsule).time).toBe(150);
    for (const changes of [
      { 0: new Uint8Array(16) },
      { 1: 4 },
      { 2: new Uint8Array(32) },
      { 3: ' ' },
      { 3: 'x'.repeat(513) },
      { 4: 99 },
      { 4: 201 },
      { 5: '' },
    ]) {
      const bytes = await stated(changes);
      expect(refusal(() => verifyCapsuleUse(bytes, clinician, capsule))).toBe('VIEW_CAPSULE');
    }
  });
});

describe('a seal', () => {
  it('is read as it was printed, and as people type', () => {
    const text = encodeCapsuleSeal(made.seal);
    expect(text).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){13}[0-9A-HJKMNP-TV-Z]{4}$/);
    const spellings = [
      text,
      text.toLowerCase(),
      text.replaceAll('-', ' '),
      text.replaceAll('-', ''),
      ` ${text} `,
    ];
    for (const typed of [
      ...spellings,
      text.replaceAll('1', 'I'),
      text.replaceAll('1', 'l'),
      text.replaceAll('0', 'o'),
    ])
      expect(toHex(exposeSecret(decodeCapsuleSeal(typed)))).toBe(toHex(exposeSecret(made.seal)));
  });

  it('of ones and noughts is read with the letters that look like them', () => {
    const ones = Uint8Array.from({ length: 32 }, (_, i) => [0x08, 0x42, 0x10, 0x84, 0x21][i % 5]!);
    for (const [bytes, sign, letters] of [
      [ones, '1', 'ILil'],
      [new Uint8Array(32), '0', 'Oo'],
    ] as const) {
      const text = encodeCapsuleSeal(new Secret('capsule seal', bytes));
      expect(text.split(sign).length).toBeGreaterThan(50);
      for (const letter of letters)
        expect(exposeSecret(decodeCapsuleSeal(text.replaceAll(sign, letter)))).toEqual(bytes);
    }
  });

  it('is known as mistyped: any sign another, two exchanged, one missing, one more', () => {
    const text = encodeCapsuleSeal(made.seal);
    for (let at = 0; at < text.length; at++) {
      const other = text[at] === '-' ? '_' : text[at] === 'Z' ? 'Y' : 'Z';
      const typed = text.slice(0, at) + other + text.slice(at + 1);
      expect(refusal(() => decodeCapsuleSeal(typed))).toBe('VIEW_CAPSULE');
    }
    for (const typed of [
      '',
      text.slice(1),
      `${text}0`,
      `${text}-0000`,
      text.replace('-', '--'),
      text.replace(/^./, 'U'),
      text.replace(/^./, 'é'),
    ])
      expect(refusal(() => decodeCapsuleSeal(typed))).toBe('VIEW_CAPSULE');
  });

  it('does not print by accident, and neither do the errors about it', () => {
    expect(String(made.seal)).not.toContain(toHex(exposeSecret(made.seal)).slice(0, 8));
    const text = encodeCapsuleSeal(made.seal);
    const typed = `${text.slice(0, -1)}${text.endsWith('0') ? '1' : '0'}`;
    expect(() => decodeCapsuleSeal(typed)).toThrow('VIEW_CAPSULE: a letter or digit of the seal is wrong');
    expect(() => decodeCapsuleSeal('1')).toThrow('VIEW_CAPSULE: a seal is 14 groups of 4 letters or digits');
  });
});

function verifiedHash(bytes: Uint8Array): Uint8Array {
  const reader = TupleReader.labelled(bytes, 'sealed capsule');
  const statement = TupleReader.labelled(reader.bytes(), 'signed statement');
  statement.bytes();
  const body = statement.bytes();
  return body.slice(-32);
}
