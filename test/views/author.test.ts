/** Dishonest authors: whatever they sign, the owner finds it out, and no two readers are told two stories. */

import { beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../src/keys/index.ts';
import type { Reader, SealedField } from '../../src/views/index.ts';
import { equalBytes } from '../../src/wire/index.ts';
import { refusalOf } from '../refusal.ts';
import {
  createWorld,
  fieldsOf,
  forge,
  keyOf,
  openIn,
  viewIn,
  type Departures,
  type World,
} from './fixture.ts';

let world: World;
let root: Reader;
let inbox: Reader;
let insurer: Reader;
let cardiology: Reader;
let x: SealedField;
let y: SealedField;
let skeleton: SealedField;

beforeAll(async () => {
  world = await createWorld();
  [root, inbox, insurer, cardiology] = ['root', 'inbox', 'insurer', 'speciality:cardiology'].map(
    (name) => keyOf(world, name).reader,
  ) as [Reader, Reader, Reader, Reader];
  const document = fieldsOf(world, '{"x":1,"y":2}');
  [x, y] = document.fields as [SealedField, SealedField];
  skeleton = document.skeleton;
});

const is = (reader: Reader, other: Reader): boolean => equalBytes(reader.id, other.id);

/** x for the insurer, y for cardiology, the skeleton for the owner. */
function twoStories(departures: Departures = {}): ReturnType<typeof forge> {
  return forge(
    world,
    [
      { readers: [root, insurer], fields: [x] },
      { readers: [root, cardiology], fields: [y] },
      { readers: [root], fields: [skeleton] },
    ],
    departures,
  );
}

describe('an honest author', () => {
  it('is what the forger makes without departures', async () => {
    const sealed = await twoStories();
    expect((await viewIn(world, sealed, 'root')).text).toBe('{"x":1,"y":2}');
    expect((await viewIn(world, sealed, 'insurer')).text).toBe('{"x":1}');
    expect((await viewIn(world, sealed, 'speciality:cardiology')).text).toBe('{"y":2}');
  });
});

describe('an author who tells two stories', () => {
  it('puts one field into two classes', async () => {
    const sealed = await forge(world, [
      { readers: [root, insurer], fields: [x] },
      { readers: [root, cardiology], fields: [{ ...x, text: '666' }, y] },
      { readers: [root], fields: [skeleton] },
    ]);
    // Neither reader can see it alone.
    expect((await viewIn(world, sealed, 'insurer')).text).toBe('{"x":1}');
    expect((await viewIn(world, sealed, 'speciality:cardiology')).text).toBe('{"x":666,"y":2}');
    expect(await refusalOf(() => openIn(world, sealed, 'root'))).toBe('VIEW_EQUIVOCATION');
    expect(await refusalOf(() => openIn(world, sealed, ['insurer', 'speciality:cardiology']))).toBe(
      'VIEW_EQUIVOCATION',
    );
  });

  it('makes two classes for the same readers', async () => {
    const sealed = await forge(world, [
      { readers: [root, insurer], fields: [x] },
      { readers: [root, insurer], fields: [y] },
      { readers: [root], fields: [skeleton] },
    ]);
    expect(await refusalOf(() => openIn(world, sealed, 'root'))).toBe('VIEW_EQUIVOCATION');
  });

  it('makes two public classes', async () => {
    const sealed = await forge(world, [
      { readers: [root], fields: [x], open: true },
      { readers: [root], fields: [y], open: true },
      { readers: [root], fields: [skeleton] },
    ]);
    expect(await refusalOf(() => openIn(world, sealed, 'root'))).toBe('VIEW_EQUIVOCATION');
  });

  it('writes two skeletons', async () => {
    const sealed = await forge(world, [
      { readers: [root, insurer], fields: [x, { ...skeleton, text: '"{\\"x\\":0}"' }] },
      { readers: [root], fields: [y, skeleton] },
    ]);
    expect((await viewIn(world, sealed, 'insurer')).complete).toBe(true);
    expect(await refusalOf(() => openIn(world, sealed, 'root'))).toBe('VIEW_EQUIVOCATION');
  });

  it('gives one reader two wraps, between which the server may choose', async () => {
    const sealed = await twoStories({
      portions: (all) =>
        all.flatMap((one) =>
          is(one.reader, root)
            ? [one]
            : is(one.reader, insurer)
              ? [one, { ...one, keys: [], stated: [] }]
              : [one],
        ),
    });
    expect(await refusalOf(() => openIn(world, sealed, 'root'))).toBe('VIEW_ORDER');
  });
});

describe('an author who hides something from the owner', () => {
  it.each(['root', 'inbox'])('makes a class of which the owner has no key, with the %s', async (as) => {
    const sealed = await forge(world, [
      { readers: [root, inbox], fields: [x, y] },
      { readers: [insurer], fields: [{ path: '/secret', text: '1' }] },
      { readers: [root], fields: [skeleton] },
    ]);
    expect((await viewIn(world, sealed, 'insurer')).text).toBe('{"secret":1}');
    expect(await refusalOf(() => openIn(world, sealed, ['root', as]))).toBe('VIEW_INCOMPLETE');
  });

  it('leaves such a class out of what the owner is given', async () => {
    const sealed = await forge(
      world,
      [
        { readers: [root], fields: [x, y, skeleton] },
        { readers: [insurer], fields: [{ path: '/secret', text: '1' }] },
      ],
      {
        body: (s) => ({
          ...s,
          classes: s.classes.filter(({ index }) => index === 0),
          deliveries: s.deliveries.filter(({ readerId }) => !equalBytes(readerId, insurer.id)),
        }),
      },
    );
    expect(await refusalOf(() => openIn(world, sealed, 'root'))).toBe('VIEW_INCOMPLETE');
  });

  it('adds a line that is neither class nor dummy', async () => {
    const sealed = await twoStories({ lines: (classes) => (classes[9] = new Uint8Array(32).fill(9)) });
    expect(await refusalOf(() => openIn(world, sealed, 'root'))).toBe('VIEW_INCOMPLETE');
  });

  it('adds a slot for a reader whom no delivery names', async () => {
    const sealed = await twoStories({ lines: (_, slots) => (slots[9] = new Uint8Array(32).fill(9)) });
    expect(await refusalOf(() => openIn(world, sealed, 'root'))).toBe('VIEW_INCOMPLETE');
  });

  it('leaves a dummy where a slot belongs', async () => {
    const sealed = await twoStories({ lines: (_, slots) => (slots[1] = slots[2]!) });
    expect(await refusalOf(() => openIn(world, sealed, 'root'))).toBe('VIEW_INCOMPLETE');
    expect(await refusalOf(() => openIn(world, sealed, 'insurer'))).toBe('VIEW_WRAP');
  });

  it('states a slot of other classes than the wrap opens', async () => {
    const portions: Departures['portions'] = (all) =>
      all.map((one) => (is(one.reader, insurer) ? { ...one, stated: [1] } : one));
    const sealed = await twoStories({ portions });
    expect(await refusalOf(() => openIn(world, sealed, 'insurer'))).toBe('VIEW_WRAP');
    expect(await refusalOf(() => openIn(world, sealed, 'root'))).toBe('VIEW_INCOMPLETE');
  });

  it('gives a reader more than its class states', async () => {
    const portions: Departures['portions'] = (all) => {
      const keys = all.find(({ reader }) => is(reader, root))!.keys;
      return all.map((one) => (is(one.reader, insurer) ? { ...one, keys, stated: [0, 1, 2] } : one));
    };
    const sealed = await twoStories({ portions });
    expect((await viewIn(world, sealed, 'insurer')).text).toBe('{"x":1,"y":2}');
    expect(await refusalOf(() => openIn(world, sealed, 'root'))).toBe('VIEW_INCOMPLETE');
  });

  it('blinds a slot with something that the owner cannot derive', async () => {
    const blind: Departures['blind'] = (reader, honest) =>
      is(reader, insurer) ? new Uint8Array(32).fill(1) : honest;
    const sealed = await twoStories({ blind });
    expect((await viewIn(world, sealed, 'insurer')).text).toBe('{"x":1}');
    expect(await refusalOf(() => openIn(world, sealed, 'root'))).toBe('VIEW_INCOMPLETE');
  });

  it('states other readers of a class', async () => {
    const sealed = await forge(world, [
      { readers: [root, insurer], fields: [x, y], stated: [root.id, cardiology.id] },
      { readers: [root], fields: [skeleton] },
    ]);
    expect((await viewIn(world, sealed, 'insurer')).text).toBe('{"x":1,"y":2}');
    expect(await refusalOf(() => openIn(world, sealed, 'root'))).toBe('VIEW_INCOMPLETE');
  });

  it('publishes a class that states to be the readers’ own', async () => {
    const sealed = await forge(world, [
      { readers: [root], fields: [x, y], open: true, stated: [root.id] },
      { readers: [root], fields: [skeleton] },
    ]);
    expect(await refusalOf(() => openIn(world, sealed, 'root'))).toBe('VIEW_INCOMPLETE');
  });

  it('keeps D from the owner', async () => {
    const sealed = await twoStories({ opening: () => null });
    expect(await refusalOf(() => openIn(world, sealed, 'root'))).toBe('VIEW_INCOMPLETE');
  });

  it('gives the owner another D', async () => {
    const sealed = await twoStories({
      opening: (_, own) =>
        own === null ? null : { ...own, ownerKey: new Secret('document opening', new Uint8Array(32)) },
    });
    expect(await refusalOf(() => openIn(world, sealed, 'root'))).toBe('VIEW_INCOMPLETE');
  });

  it('hands D to a reader beside the root', async () => {
    let given: Parameters<NonNullable<Departures['opening']>>[1] = null;
    const sealed = await twoStories({ opening: (_, own) => (given = own ?? given) });
    expect(await refusalOf(() => openIn(world, sealed, 'insurer'))).toBe('VIEW_WRAP');
  });

  it('leaves the skeleton out', async () => {
    const sealed = await forge(world, [{ readers: [root], fields: [x, y] }]);
    expect(await refusalOf(() => openIn(world, sealed, 'root'))).toBe('VIEW_INCOMPLETE');
  });

  it.each([
    '"{\\"x\\":0}"',
    '"{\\"x\\":0,\\"y\\":0,\\"z\\":0}"',
    '"[0,0]"',
    '"0"',
    '"{\\"x\\":{\\"a\\":0},\\"y\\":0}"',
    '"{"',
    '7',
  ])('writes the skeleton %s', async (text) => {
    const sealed = await forge(world, [{ readers: [root], fields: [x, y, { ...skeleton, text }] }]);
    expect(await refusalOf(() => openIn(world, sealed, 'root'))).toBe('VIEW_EQUIVOCATION');
  });
});

describe('an author whose fields are no document', () => {
  const deep = (levels: number): string => '/a'.repeat(levels);
  it.each<[string, SealedField[]]>([
    [
      'a path twice',
      [
        { path: '/x', text: '1' },
        { path: '/x', text: '2' },
      ],
    ],
    [
      'a path below a leaf',
      [
        { path: '/x', text: '1' },
        { path: '/x/y', text: '2' },
      ],
    ],
    [
      'a leaf above a path',
      [
        { path: '/x/y', text: '1' },
        { path: '/x', text: '2' },
      ],
    ],
    [
      'a leaf at the top beside others',
      [
        { path: '', text: '1' },
        { path: '/x', text: '2' },
      ],
    ],
    ['a path without a slash', [{ path: 'x', text: '1' }]],
    [
      'a path below no slash',
      [
        { path: '/y', text: '1' },
        { path: 'x/y', text: '1' },
      ],
    ],
    ['a misspelt escape', [{ path: '/~2', text: '1' }]],
    [
      'one name in two spellings',
      [
        { path: '/~2', text: '1' },
        { path: '/~02', text: '2' },
      ],
    ],
    [
      'an index beside a name',
      [
        { path: '/~n0000000000000000', text: '1' },
        { path: '/x', text: '2' },
      ],
    ],
    ['an index in upper case', [{ path: '/~nABCDABCDABCDABCD', text: '1' }]],
    ['a short index', [{ path: '/~n00', text: '1' }]],
    ['more levels than a document has', [{ path: deep(129), text: '1' }]],
    ['so many levels that a stack would not hold them', [{ path: '/'.repeat(8000), text: '1' }]],
    ['a value that is no JSON', [{ path: '/x', text: 'x' }]],
    ['a value with white space', [{ path: '/x', text: ' 1' }]],
    ['a value that is a container', [{ path: '/x', text: '{"a":1}' }]],
    ['an empty value', [{ path: '/x', text: '' }]],
  ])('signs %s', async (_, fields) => {
    const sealed = await forge(world, [{ readers: [root, insurer], fields }]);
    expect(await refusalOf(() => openIn(world, sealed, 'insurer'))).toBe('VIEW_EQUIVOCATION');
  });

  it('signs a path that is too long', async () => {
    const path = `/${'a'.repeat(8192)}`;
    const sealed = await forge(world, [{ readers: [root, insurer], fields: [{ path, text: '1' }] }]);
    expect(await refusalOf(() => openIn(world, sealed, 'insurer'))).toBe('VIEW_COMMITMENT');
  });

  it('may go down to the last level, and leave a class empty', async () => {
    const sealed = await forge(world, [
      { readers: [root, insurer], fields: [{ path: deep(128), text: '1' }] },
      { readers: [root, cardiology], fields: [] },
    ]);
    expect((await viewIn(world, sealed, 'insurer')).fields).toHaveLength(1);
    expect((await viewIn(world, sealed, 'speciality:cardiology')).text).toBe('{}');
  });
});

describe('an author of another name', () => {
  it('signs a manifest that names somebody else', async () => {
    const sealed = await twoStories();
    const mallory = world.colleague;
    const { bodyHash, signedBytes } = await import('../../src/views/manifest.ts');
    const signature = await mallory.signer.sign(
      signedBytes(bodyHash(sealed.manifest), mallory.credential.id),
    );
    const own = { ...sealed, signature };
    expect(await refusalOf(() => openIn(world, own, 'root'))).toBe('VIEW_AUTHOR');
    // Not even where the caller's look-up answers with whomever it pleases.
    const authors = (): typeof mallory.credential => mallory.credential;
    expect(await refusalOf(() => openIn(world, own, 'root', { authors }))).toBe('VIEW_AUTHOR');
  });

  it('is unknown', async () => {
    const sealed = await twoStories();
    expect(await refusalOf(() => openIn(world, sealed, 'root', { authors: () => null }))).toBe('VIEW_AUTHOR');
  });
});
