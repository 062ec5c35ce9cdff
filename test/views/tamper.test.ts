/** A server that alters what it holds: parts dropped, doubled, exchanged, moved between documents; every byte. */

import { beforeAll, describe, expect, it } from 'vitest';
import { MunimentError } from '../../src/errors.ts';
import {
  decodeSealed,
  encodeSealed,
  sealedDigest,
  selectFor,
  verifySealed,
  type OpeningReader,
  type PolicyDefinition,
  type SealedDocument,
} from '../../src/views/index.ts';
import { compareBytes, concat, equalBytes } from '../../src/wire/index.ts';
import { flipped } from '../mutation.ts';
import { refusal, refusalOf } from '../refusal.ts';
import { createWorld, DOCUMENT, keyOf, openIn, sealIn, viewIn, type World } from './fixture.ts';

let world: World;
let sealed: SealedDocument;
/** Under the same policy, another document of the same record. */
let sibling: SealedDocument;
/** Another record's, with the same people. */
let foreign: { readonly world: World; readonly sealed: SealedDocument };

beforeAll(async () => {
  world = await createWorld();
  sealed = await sealIn(world, DOCUMENT);
  sibling = await sealIn(world, DOCUMENT);
  const other = await createWorld(undefined, 'another record');
  foreign = { world: other, sealed: await sealIn(other, DOCUMENT, undefined, { author: world.doctor }) };
});

const NAMES = ['root', 'clinical', 'insurer', 'emergency', 'speciality:cardiology', 'financial', 'inbox'];
const named = (name: string): ((one: { readerId: Uint8Array }) => boolean) => {
  const { id } = keyOf(world, name).reader;
  return ({ readerId }) => equalBytes(readerId, id);
};
const ordered = <Item extends { readerId: Uint8Array }>(items: readonly Item[]): Item[] =>
  [...items].sort((a, b) => compareBytes(a.readerId, b.readerId));
const verifying = (one: SealedDocument): unknown =>
  verifySealed(one, { recordId: world.compartments.recordId, authors: world.authors });

describe('every bit', () => {
  // Whoever a byte is for finds it changed: the reader of a wrap or delivery, the owner of everything else.
  const small: PolicyDefinition = {
    name: 'small/1',
    rules: [{ fields: ['/n'], readers: 'public' }],
    otherwise: ['insurer'],
  };

  it.each(['root', 'insurer'])('of the part for the %s', async (name) => {
    const { id } = keyOf(world, name).reader;
    const whole = await sealIn(world, '{"n":1,"x":2}', small);
    const bytes = encodeSealed(selectFor(whole, [id], name === 'root'));
    const codes = new Map<string, number>();
    for (let at = 0; at < 8 * bytes.length; at++) {
      const altered = flipped(bytes, at >> 3, 1 << (at & 7));
      let code;
      try {
        const view = await openIn(world, decodeSealed(altered), name);
        code = view === null ? 'null' : 'accepted';
      } catch (error) {
        if (!(error instanceof MunimentError)) throw error;
        code = error.code;
      }
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
    // Never taken for a document, nor for one that is not for this reader.
    expect([...codes.keys()].filter((code) => !code.startsWith('VIEW_'))).toEqual([]);
    expect(codes.get('VIEW_AUTHOR')).toBeGreaterThan(8000);
    expect(codes.get('VIEW_COMMITMENT')).toBeGreaterThan(4000);
    expect(codes.get('VIEW_WRAP')).toBeGreaterThan(500);
  });

  it('too few or too many', async () => {
    const bytes = encodeSealed(sealed);
    for (let length = 0; length < bytes.length; length += 7) {
      expect(refusal(() => decodeSealed(bytes.subarray(0, length)))).toBe('VIEW_MANIFEST');
    }
    expect(refusal(() => decodeSealed(concat(bytes, new Uint8Array(1))))).toBe('VIEW_MANIFEST');
    expect(encodeSealed(decodeSealed(bytes))).toEqual(bytes);
  });

  it('more than a sealed document may have', () => {
    expect(refusal(() => decodeSealed(new Uint8Array(40 * 1024 * 1024 + 1)))).toBe('VIEW_MANIFEST');
  });
});

describe('parts', () => {
  it.each(NAMES)('a dropped class is missed by %s', async (name) => {
    const own = sealed.deliveries.find(named(name))!.classes;
    for (const index of own) {
      const without = { ...sealed, classes: sealed.classes.filter((one) => one.index !== index) };
      expect(await refusalOf(() => openIn(world, without, name))).toBe('VIEW_INCOMPLETE');
      const part = selectFor(without, [keyOf(world, name).reader.id], name === 'root');
      expect(await refusalOf(() => openIn(world, part, name))).toBe('VIEW_INCOMPLETE');
    }
  });

  it.each(NAMES)(
    'a dropped wrap of %s is an error while its delivery stands, and to the owner always',
    async (name) => {
      const without = { ...sealed, wraps: sealed.wraps.filter((one) => !named(name)(one)) };
      expect(await refusalOf(() => openIn(world, without, name))).toBe('VIEW_INCOMPLETE');
      const withheld = { ...without, deliveries: without.deliveries.filter((one) => !named(name)(one)) };
      if (name === 'root') {
        expect(await refusalOf(() => openIn(world, withheld, ['root', 'inbox', 'clinical']))).toBe(
          'VIEW_INCOMPLETE',
        );
      } else {
        expect((await viewIn(world, withheld, name)).text).toBe('{"name":"Núria","speciality":"cardiology"}');
        // The owner, who is told of all deliveries, misses it.
        expect(await refusalOf(() => openIn(world, withheld, 'root'))).toBe('VIEW_INCOMPLETE');
      }
    },
  );

  it('a dropped delivery is missed by its reader and by the owner', async () => {
    const without = { ...sealed, deliveries: sealed.deliveries.filter((one) => !named('insurer')(one)) };
    expect(await refusalOf(() => openIn(world, without, 'insurer'))).toBe('VIEW_INCOMPLETE');
    expect(await refusalOf(() => openIn(world, without, 'root'))).toBe('VIEW_INCOMPLETE');
  });

  it('an added delivery is seen by the owner', async () => {
    const readerId = keyOf(world, 'speciality:dermatology').reader.id;
    for (const classes of [[], [0], [sealed.classes[0]!.index]]) {
      const delivery = { readerId, kind: 'keys', threshold: 0, classes } as const;
      const more = { ...sealed, deliveries: ordered([...sealed.deliveries, delivery]) };
      expect(await refusalOf(() => openIn(world, more, 'root'))).toBe('VIEW_INCOMPLETE');
      expect(await refusalOf(() => openIn(world, more, 'speciality:dermatology'))).toBe('VIEW_INCOMPLETE');
    }
  });

  it('an altered delivery is seen by its reader and by the owner', async () => {
    for (const change of [
      (list: readonly number[]) => list.slice(1),
      (list: readonly number[]) => list.slice(0, -1),
    ]) {
      const altered = {
        ...sealed,
        deliveries: sealed.deliveries.map((one) =>
          named('emergency')(one) ? { ...one, classes: change(one.classes) } : one,
        ),
      };
      expect(await refusalOf(() => openIn(world, altered, 'emergency'))).toBe('VIEW_WRAP');
      expect(await refusalOf(() => openIn(world, altered, 'root'))).toBe('VIEW_INCOMPLETE');
    }
  });

  it('a delivery of the other kind is seen by its reader and by the owner', async () => {
    const deliveries = sealed.deliveries.map((one) =>
      named('emergency')(one) ? { ...one, kind: 'half' as const, threshold: 1 } : one,
    );
    for (const name of ['emergency', 'root']) {
      const code = name === 'root' ? 'VIEW_INCOMPLETE' : 'VIEW_WRAP';
      expect(await refusalOf(() => openIn(world, { ...sealed, deliveries }, name))).toBe(code);
    }
  });

  it('doubled parts are refused at the door', () => {
    const twice = <Item>(items: readonly Item[]): Item[] => [...items, items[0]!];
    expect(refusal(() => verifying({ ...sealed, classes: twice(sealed.classes) }))).toBe('VIEW_ORDER');
    expect(refusal(() => verifying({ ...sealed, wraps: twice(sealed.wraps) }))).toBe('VIEW_ORDER');
    expect(refusal(() => verifying({ ...sealed, deliveries: twice(sealed.deliveries) }))).toBe('VIEW_ORDER');
  });

  it('another order of parts is refused at the door', () => {
    for (const part of ['classes', 'wraps', 'deliveries'] as const) {
      const reversed = { ...sealed, [part]: [...sealed[part]].reverse() };
      expect(refusal(() => verifying(reversed))).toBe('VIEW_ORDER');
    }
    const deliveries = sealed.deliveries.map((one) => ({ ...one, classes: [...one.classes].reverse() }));
    expect(refusal(() => verifying({ ...sealed, deliveries }))).toBe('VIEW_ORDER');
    const [index] = sealed.classes.map((one) => one.index);
    const publicKeys = [...sealed.publicKeys, { index: index!, key: new Uint8Array(32) }];
    const inOrder = publicKeys.sort((one, other) => other.index - one.index);
    expect(refusal(() => verifying({ ...sealed, publicKeys: inOrder }))).toBe('VIEW_ORDER');
  });

  it('classes cannot change places', async () => {
    const [a, b] = sealed.classes as [SealedDocument['classes'][0], SealedDocument['classes'][0]];
    const moved = [{ ...b, index: a.index }, { ...a, index: b.index }, ...sealed.classes.slice(2)];
    expect(refusal(() => verifying({ ...sealed, classes: moved }))).toBe('VIEW_COMMITMENT');
    const contents = [{ ...a, ciphertext: b.ciphertext }, ...sealed.classes.slice(1)];
    expect(refusal(() => verifying({ ...sealed, classes: contents }))).toBe('VIEW_COMMITMENT');
    const unknown = [...sealed.classes.slice(1), { ...a, index: 16 }];
    expect(refusal(() => verifying({ ...sealed, classes: unknown }))).toBe('VIEW_COMMITMENT');
  });

  it('wraps cannot change places', async () => {
    const ids = sealed.wraps.map(({ readerId }) => readerId);
    const wraps = sealed.wraps.map((_, i, all) => ({ ...all[(i + 1) % all.length]!, readerId: ids[i]! }));
    for (const name of NAMES) {
      expect(await refusalOf(() => openIn(world, { ...sealed, wraps }, name))).toBe('VIEW_WRAP');
    }
  });

  it('a dropped public key is missed by the owner', async () => {
    const without = { ...sealed, publicKeys: [] };
    expect(await refusalOf(() => openIn(world, without, 'root'))).toBe('VIEW_INCOMPLETE');
    // Its other readers are merely given less.
    expect((await viewIn(world, without, 'insurer')).text).toBe('{"cost":12.50e0}');
  });

  it('a class that somebody publishes is no public class to the owner', async () => {
    const { openOwnWrap } = await import('../../src/views/open.ts');
    const document = verifySealed(sealed, { recordId: world.compartments.recordId, authors: world.authors });
    const leaked = (await openOwnWrap(document, keyOf(world, 'insurer')))!.keys[0]!;
    const published = {
      ...sealed,
      publicKeys: [...sealed.publicKeys, leaked].sort((a, b) => a.index - b.index),
    };
    expect(await refusalOf(() => openIn(world, published, 'root'))).toBe('VIEW_INCOMPLETE');
  });

  it('a public key is the one committed to, of a class that is there', () => {
    const [own] = sealed.publicKeys;
    const key = flipped(own!.key, 0);
    expect(refusal(() => verifying({ ...sealed, publicKeys: [{ ...own!, key }] }))).toBe('VIEW_COMMITMENT');
    const classes = sealed.classes.filter(({ index }) => index !== own!.index);
    const deliveries = sealed.deliveries.map((one) => ({
      ...one,
      classes: one.classes.filter((index) => index !== own!.index),
    }));
    expect(refusal(() => verifying({ ...sealed, classes, deliveries }))).toBe('VIEW_INCOMPLETE');
  });
});

describe('parts of another document', () => {
  const others = (): readonly [string, SealedDocument][] => [
    ['of the same record', sibling],
    ['of another record', foreign.sealed],
  ];

  it('classes', () => {
    for (const [, other] of others()) {
      expect(refusal(() => verifying({ ...sealed, classes: other.classes }))).toBe('VIEW_COMMITMENT');
    }
  });

  it('wraps and deliveries', async () => {
    // The sibling's wraps are for the same readers and open under another bodyHash alone.
    for (const name of NAMES) {
      const wraps = { ...sealed, wraps: sibling.wraps };
      expect(await refusalOf(() => openIn(world, wraps, name))).toBe('VIEW_WRAP');
    }
    const deliveries = { ...sealed, deliveries: sibling.deliveries };
    expect(await refusalOf(() => openIn(world, deliveries, 'root'))).toMatch(/^VIEW_(WRAP|INCOMPLETE)$/);
    const foreignWraps = { ...sealed, wraps: foreign.sealed.wraps };
    expect(await refusalOf(() => openIn(world, foreignWraps, 'root'))).toBe('VIEW_INCOMPLETE');
  });

  it('public keys, signature, manifest', () => {
    for (const [, other] of others()) {
      const keys = { ...sealed, publicKeys: other.publicKeys };
      expect(refusal(() => verifying(keys))).toMatch(/^VIEW_(COMMITMENT|INCOMPLETE)$/);
      expect(refusal(() => verifying({ ...sealed, signature: other.signature }))).toBe('VIEW_AUTHOR');
    }
    expect(refusal(() => verifying({ ...sealed, manifest: sibling.manifest }))).toBe('VIEW_AUTHOR');
    const both = { ...sealed, manifest: sibling.manifest, signature: sibling.signature };
    expect(refusal(() => verifying(both))).toBe('VIEW_COMMITMENT');
  });

  it('a whole document of another record', async () => {
    expect(refusal(() => verifying(foreign.sealed))).toBe('VIEW_MANIFEST');
    // Not even where its record is expected, and one's own keys are tried.
    const as: OpeningReader[] = NAMES.map((name) => keyOf(world, name));
    const { recordId } = foreign.world.compartments;
    const options = { recordId, as, authors: world.authors };
    expect(await refusalOf(() => openIn(world, foreign.sealed, 'root', options))).toBe('VIEW_INCOMPLETE');
    expect((await openIn(world, foreign.sealed, 'insurer', { recordId }))?.text).toBe(
      '{"name":"Núria","speciality":"cardiology"}',
    );
  });
});

describe('sealedDigest', () => {
  it('is the same of the whole and of every part', () => {
    const digest = sealedDigest(encodeSealed(sealed));
    for (const name of NAMES) {
      const part = selectFor(sealed, [keyOf(world, name).reader.id], false);
      expect(sealedDigest(encodeSealed(part))).toEqual(digest);
    }
    expect(sealedDigest(encodeSealed({ ...sealed, classes: [], publicKeys: [] }))).toEqual(digest);
  });

  it('is not given for a damaged class', () => {
    const [first, ...rest] = sealed.classes;
    const classes = [{ ...first!, ciphertext: flipped(first!.ciphertext, 99) }, ...rest];
    expect(refusal(() => sealedDigest(encodeSealed({ ...sealed, classes })))).toBe('VIEW_COMMITMENT');
    expect(refusal(() => sealedDigest(new Uint8Array(3)))).toBe('VIEW_MANIFEST');
    const manifest = sealed.manifest.subarray(1);
    expect(refusal(() => sealedDigest(encodeSealed({ ...sealed, manifest })))).toBe('VIEW_MANIFEST');
  });
});
