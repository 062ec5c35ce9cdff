/** Sealing and opening: every reader gets exactly its part, the owner the very text. */

import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { KEM_XWING, systemRandom } from '../../src/crypto/index.ts';
import {
  decodeSealed,
  definePolicy,
  encodeSealed,
  explain,
  MANIFEST_LINES,
  open,
  selectFor,
  verifySealed,
  type OpeningReader,
  type PolicyDefinition,
  type PolicyRule,
  type SealedDocument,
} from '../../src/views/index.ts';
import { decodeManifest } from '../../src/views/manifest.ts';
import { jsonValue, padmeLength, readJson, toHex, writeJson, type JsonNode } from '../../src/wire/index.ts';
import { PROPERTY, SLOW } from '../property.ts';
import { refusalOf } from '../refusal.ts';
import {
  createWorld,
  DOCUMENT,
  GROUPS,
  keyOf,
  openIn,
  POLICY,
  sealIn,
  TIME,
  viewIn,
  type World,
} from './fixture.ts';

let world: World;
beforeAll(async () => (world = await createWorld()));

const READERS = ['root', 'inbox', 'clinical', 'financial', ...GROUPS] as const;

describe('one document', () => {
  it('opens for everybody as far as the policy goes', async () => {
    const sealed = decodeSealed(encodeSealed(await sealIn(world, DOCUMENT)));
    const texts: Record<string, string> = {};
    for (const name of READERS) texts[name] = (await viewIn(world, sealed, name)).text;
    const clinical = '"clinical":[{"dose":1.00,"note":"\\u00e9\\n"},{"note":"𝄞"},[],{}]';
    const open = '"name":"Núria","speciality":"cardiology"';
    expect(texts).toEqual({
      root: DOCUMENT,
      inbox: `{"a/b":{"":null,"~n0":[{"__proto__":-0}]},${open}}`,
      clinical: `{${clinical},${open}}`,
      financial: `{"cost":12.50e0,${open}}`,
      'speciality:cardiology': `{${clinical},${open}}`,
      'speciality:dermatology': `{${open}}`,
      insurer: `{"cost":12.50e0,${open}}`,
      emergency: `{"a/b":{"":null,"~n0":[{"__proto__":-0}]},${clinical},"cost":12.50e0,${open}}`,
    });
  });

  it('opens for several readers at once as for their union', async () => {
    const sealed = await sealIn(world, DOCUMENT);
    const both = await viewIn(world, sealed, ['insurer', 'clinical']);
    expect(both.value).toMatchObject({ cost: 12.5, clinical: [{ dose: 1 }, { note: '𝄞' }, [], {}] });
    expect(both.complete).toBe(false);
  });

  it('tells about itself', async () => {
    const docId = new Uint8Array(16).fill(7);
    const supersedes = new Uint8Array(32).fill(8);
    const sealed = await sealIn(world, DOCUMENT, POLICY, { docId, supersedes, type: 'consultation' });
    const view = await viewIn(world, sealed, 'root');
    const { recordId, authors } = { ...world.compartments, authors: world.authors };
    expect(view).toMatchObject({ docId, supersedes, type: 'consultation', time: TIME });
    for (const one of [view, ...view.fields])
      expect([one.author, one.time]).toEqual([world.doctor.credential, TIME]);
    expect(view.bodyHash).toEqual(verifySealed(sealed, { recordId, authors }).bodyHash);
    expect(view.account?.policy).toEqual({ name: 'test/1', hash: definePolicy(POLICY).hash });
    const read = [...(view.account?.readers.values() ?? [])].map((ids) =>
      ids === 'public'
        ? ids
        : ids.map((id) => [...world.keys].find(([, key]) => toHex(key.reader.id) === toHex(id))?.[0]).sort(),
    );
    expect(read).toHaveLength(5);
    expect(read).toEqual(
      expect.arrayContaining([
        'public',
        ['clinical', 'emergency', 'root', 'speciality:cardiology'],
        ['emergency', 'financial', 'insurer', 'root'],
        ['emergency', 'inbox', 'root'],
        ['root'],
      ]),
    );
    expect((await viewIn(world, sealed, 'insurer')).account).toBeNull();
  });

  it('gives members that are no names of fields to nobody', async () => {
    const sealed = await sealIn(world, DOCUMENT);
    const { value } = await viewIn(world, sealed, 'root');
    expect(Object.getPrototypeOf(value)).toBeNull();
    expect(Object.getPrototypeOf((value as { 'a/b': { '~n0': object[] } })['a/b']['~n0'][0])).toBeNull();
  });

  it('is null to whom nothing is addressed', async () => {
    const secret = { ...POLICY, rules: [], otherwise: ['insurer'] };
    const sealed = await sealIn(world, DOCUMENT, secret);
    expect(await openIn(world, sealed, 'speciality:dermatology')).toBeNull();
    expect(await openIn(world, sealed, ['clinical', 'emergency'])).toBeNull();
    expect(await openIn(world, sealed, [])).toBeNull();
    // And so is a wrap that the server holds back, which its reader cannot tell from that.
    const part = selectFor(sealed, [], false);
    expect(await openIn(world, part, 'insurer')).toBeNull();
  });

  it('has the X-Wing form too', async () => {
    const hybrid = await createWorld(KEM_XWING, 'views hybrid');
    const sealed = await sealIn(hybrid, DOCUMENT, POLICY, { breakGlass: null });
    expect(sealed.wraps.every((wrap) => wrap.encapsulation.length === 1120)).toBe(true);
    expect((await viewIn(hybrid, sealed, 'root')).text).toBe(DOCUMENT);
    expect((await viewIn(hybrid, sealed, 'insurer')).value).toMatchObject({ cost: 12.5 });
  });
});

describe('any document under any policy', () => {
  it('opens for every reader exactly as explained, and for the owner in its own spelling', async () => {
    await fc.assert(
      fc.asyncProperty(anyDocument, anyPolicy, async (text, definition) => {
        const sealed = decodeSealed(encodeSealed(await sealIn(world, text, definition)));
        const document = readJson(text);
        const explained = explain(definePolicy(definition), document);
        for (const name of READERS) {
          const visible = new Set<string>();
          for (const { pointer, readers, compartment } of explained) {
            const shown =
              readers === 'public' || name === 'root' || name === compartment || readers.includes(name);
            if (shown) visible.add(pointer);
          }
          const view = await openIn(world, sealed, name);
          if (visible.size === 0) {
            expect(view).toBeNull();
            continue;
          }
          // Only the owner knows the document's own order, and that this is all there is.
          const whole = name === 'root';
          const part = whole ? document : (visiblePart(document, '', visible) ?? document);
          expect(view?.text).toBe(writeJson(part));
          expect(view?.value).toEqual(jsonValue(part));
          expect(view?.complete).toBe(whole);
          expect(view?.fields).toHaveLength(visible.size);
        }
      }),
      { ...PROPERTY, numRuns: SLOW ? 1000 : 60 },
    );
  });

  // What stays of a document: elements in order, members by escaped name. Written without the library's paths.
  function visiblePart(node: JsonNode, pointer: string, visible: ReadonlySet<string>): JsonNode | null {
    if (node.kind === 'leaf') return visible.has(pointer) ? node : null;
    if (node.kind === 'array') {
      const items = node.items.flatMap((item, i) => visiblePart(item, `${pointer}/${i}`, visible) ?? []);
      return items.length === 0 ? null : { kind: 'array', items };
    }
    const members = node.members
      .map((member) => ({ ...member, token: member.name.replace(/~/g, '~0').replace(/\//g, '~1') }))
      .sort((a, b) => (a.token < b.token ? -1 : 1))
      .flatMap(({ name, token, node: inner }) => {
        const part = visiblePart(inner, `${pointer}/${token}`, visible);
        return part === null ? [] : [{ name, spelling: JSON.stringify(name), node: part }];
      });
    return members.length === 0 ? null : { kind: 'object', members };
  }

  const name = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'k') },
    fc.constantFrom(
      '__proto__',
      'constructor',
      '',
      '0',
      '-',
      '~',
      '/',
      '~0',
      '~1',
      '~n0000000000000000',
      'é',
      '𝄞',
      '\u0000',
    ),
    fc.string({ maxLength: 4 }),
  );
  const spelt = (text: string): fc.Arbitrary<string> =>
    fc.constantFrom(
      JSON.stringify(text),
      `"${Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`,
    );
  const leaf = fc.oneof(
    fc.constantFrom(
      'null',
      'true',
      'false',
      '0',
      '-0',
      '1.00',
      '1E+2',
      '0.10e-7',
      '123456789012345678901234567890',
    ),
    fc.constantFrom('""', '"\\/"', '"\\u00E9"', '"x"', '"y"', '{}', '[]'),
    fc.string({ maxLength: 6 }).chain(spelt),
  );
  const anyDocument = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4, depthIdentifier: 'document', withCrossShrink: true },
      leaf,
      fc
        .uniqueArray(fc.tuple(name, tie('node')), { maxLength: 4, selector: ([one]) => one })
        .chain((members) =>
          fc.tuple(...members.map(([one, node]) => spelt(one).map((spelling) => `${spelling}:${node}`))),
        )
        .map((members) => `{${members.join(',')}}`),
      fc.array(tie('node'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
    ),
  })).node;
  const reader = fc.constantFrom<PolicyDefinition['otherwise'][number]>(
    ...GROUPS,
    'nobody',
    { speciality: '/k' },
    { speciality: '../k' },
  );
  const pattern = fc.constantFrom(
    ...[
      '/**',
      '/*',
      '/a',
      '/a/**',
      '/*/b',
      '/**/b',
      '/b/*',
      '/a/*/a',
      '/0',
      '/**/0',
      '/',
      '/~0',
      '/~1/**',
      '/k',
    ],
  );
  const rule: fc.Arbitrary<PolicyRule> = fc.record({
    fields: fc.uniqueArray(pattern, { minLength: 1, maxLength: 2 }),
    readers: fc.oneof(fc.constant('public' as const), fc.array(reader, { maxLength: 3 })),
    compartment: fc.constantFrom('inbox', 'clinical', 'financial'),
  });
  const anyPolicy: fc.Arbitrary<PolicyDefinition> = fc
    .record({
      name: fc.constant('any/1'),
      rules: fc.array(rule, { maxLength: 3 }),
      otherwise: fc.array(reader, { maxLength: 2 }),
    })
    .filter(
      ({ rules }) =>
        new Set(rules.flatMap(({ fields }) => fields)).size === rules.flatMap(({ fields }) => fields).length,
    );
});

describe('what a sealed document tells', () => {
  it('nothing of equal values', async () => {
    const classesOf = (sealed: SealedDocument): string[] =>
      sealed.classes.map(
        ({ ciphertext, leavesHash, keyCommit }) => toHex(ciphertext) + toHex(leavesHash) + toHex(keyCommit),
      );
    const [one, other] = [await sealIn(world, DOCUMENT), await sealIn(world, DOCUMENT)];
    const all = [...classesOf(one), ...classesOf(other)];
    expect(new Set(all).size).toBe(10);
    // Within one document as well: the same value in two classes.
    const twice = await sealIn(world, '{"cost":"A+","clinical":"A+"}');
    expect(new Set(classesOf(twice)).size).toBe(twice.classes.length);
    const manifest = decodeManifest(twice.manifest);
    expect(new Set([...manifest.classes, ...manifest.slots].map(toHex)).size).toBe(2 * MANIFEST_LINES);
  });

  it('no third reader whether other fields are restricted', async () => {
    // The insurer may see nothing clinical in either; in one document the patient kept the note from cardiology too.
    const restricted: PolicyDefinition = {
      ...POLICY,
      rules: [{ fields: ['/clinical/*/note'], readers: [], compartment: 'clinical' }, ...POLICY.rules],
    };
    const part = async (definition: PolicyDefinition, names: readonly string[]): Promise<SealedDocument> => {
      const ids = names.map((name) => keyOf(world, name).reader.id);
      return selectFor(await sealIn(world, DOCUMENT, definition), ids, false);
    };
    for (const names of [['insurer'], ['speciality:dermatology'], ['financial']]) {
      const [open, closed] = [await part(POLICY, names), await part(restricted, names)];
      expect(encodeSealed(closed)).toHaveLength(encodeSealed(open).length);
      expect(closed.classes.map(({ ciphertext }) => ciphertext.length).sort()).toEqual(
        open.classes.map(({ ciphertext }) => ciphertext.length).sort(),
      );
      const views = [await openIn(world, open, names), await openIn(world, closed, names)];
      expect(views[0]?.text).toBe(views[1]?.text);
      expect(Object.keys(views[0] ?? {})).toEqual(Object.keys(views[1] ?? {}));
    }
    // And who is restricted sees less, with nothing in its place.
    const kept = await part(restricted, ['speciality:cardiology']);
    expect((await openIn(world, kept, 'speciality:cardiology'))?.text).toBe(
      '{"clinical":[{"dose":1.00},[],{}],"name":"Núria","speciality":"cardiology"}',
    );
  });

  it('padded lengths only', async () => {
    const sizes = new Set<number>();
    for (const length of [1, 50, 100]) {
      const sealed = await sealIn(world, JSON.stringify({ cost: 'x'.repeat(length) }));
      sizes.add(encodeSealed(sealed).length);
      for (const { ciphertext } of sealed.classes)
        expect(padmeLength(ciphertext.length - 16)).toBe(ciphertext.length - 16);
    }
    expect(sizes.size).toBe(1);
  });

  it('a reader nothing but its own deliveries, wraps and classes', async () => {
    const sealed = await sealIn(world, DOCUMENT);
    const { id } = keyOf(world, 'insurer').reader;
    const part = selectFor(sealed, [id], false);
    expect(part.deliveries.map(({ readerId }) => readerId)).toEqual([id]);
    expect(part.wraps.map(({ readerId }) => readerId)).toEqual([id]);
    expect(part.classes).toHaveLength(2);
    expect(selectFor(sealed, [keyOf(world, 'root').reader.id], true).deliveries).toEqual(sealed.deliveries);
  });
});

describe('what it costs', () => {
  const counted = (opening: OpeningReader): { reader: OpeningReader; calls: () => number } => {
    let count = 0;
    const { kem, publicKey } = opening.key;
    const decapsulate = (encapsulation: Uint8Array): Promise<Uint8Array> => {
      count++;
      return opening.key.decapsulate(encapsulation);
    };
    return { reader: { ...opening, key: { kem, publicKey, decapsulate } }, calls: () => count };
  };

  it('one decapsulation to a reader, however many fields', async () => {
    const text = JSON.stringify({
      clinical: Array.from({ length: 500 }, (_, i) => i),
      speciality: 'cardiology',
    });
    const sealed = await sealIn(world, text);
    for (const name of ['root', 'speciality:cardiology']) {
      const { reader, calls } = counted(keyOf(world, name));
      const { recordId } = world.compartments;
      await open(sealed, { recordId, authors: world.authors, as: [reader], releases: null });
      expect(calls()).toBe(1);
    }
    const { reader, calls } = counted(keyOf(world, 'speciality:dermatology'));
    await open(sealed, {
      ...{ recordId: world.compartments.recordId, authors: world.authors, as: [reader], releases: null },
    });
    expect(calls()).toBe(0);
  });

  it('one encapsulation to a reader, however many fields and classes', async () => {
    // Of X25519 each takes 32 bytes at the end of sealing; nothing else does after the last shuffle.
    const count = async (text: string): Promise<{ wraps: number; draws: number }> => {
      const draws: number[] = [];
      const random = (length: number): Uint8Array => {
        draws.push(length);
        return systemRandom(length);
      };
      const sealed = await sealIn(world, text, POLICY, { random });
      const lastShuffle = draws.lastIndexOf(60); // sixteen lines, fifteen draws of four bytes at once
      return { wraps: sealed.wraps.length, draws: draws.slice(lastShuffle + 1).length };
    };
    for (const text of [DOCUMENT, '1', JSON.stringify({ clinical: Array.from({ length: 300 }, () => 1) })]) {
      const { wraps, draws } = await count(text);
      expect(draws).toBe(wraps);
    }
  });
});

describe('limits', () => {
  it('of an array that is longer than one draw of the platform', async () => {
    const text = JSON.stringify(Array.from({ length: 9000 }, () => 0));
    expect((await viewIn(world, await sealIn(world, text), 'root')).text).toBe(text);
  });

  it('of a document that is one value', async () => {
    for (const text of ['1.0', '""', '{}', '[]', 'null']) {
      expect((await viewIn(world, await sealIn(world, text), 'root')).text).toBe(text);
    }
  });

  it('of fields: what is sealed can be opened', async () => {
    const text = `[${Array.from({ length: 200_000 }, (_, i) => i).join()}]`;
    const definition = { name: 'p/1', rules: [], otherwise: ['insurer'] };
    const view = await viewIn(world, await sealIn(world, text, definition), 'insurer');
    expect(view.fields).toHaveLength(200_000);
    expect(view.text === text).toBe(true);
  });

  it('of nesting', async () => {
    const nested = (levels: number): string => '['.repeat(levels) + '1' + ']'.repeat(levels);
    expect((await viewIn(world, await sealIn(world, nested(128)), 'emergency')).text).toBe(nested(128));
    expect(await refusalOf(() => sealIn(world, nested(129)))).toBe('WIRE_LIMIT');
  });

  it('of paths: what is sealed can be opened', async () => {
    const text = JSON.stringify({ ['é'.repeat(4095)]: 1 });
    expect((await viewIn(world, await sealIn(world, text), 'root')).text).toBe(text);
    for (const name of ['x'.repeat(8192), 'é'.repeat(4096), '~'.repeat(4096)]) {
      expect(await refusalOf(() => sealIn(world, JSON.stringify({ [name]: 1 })))).toBe('VIEW_LIMIT');
    }
  });

  it('of types: what is sealed can be opened', async () => {
    const type = 'é'.repeat(32);
    expect((await viewIn(world, await sealIn(world, '1', POLICY, { type }), 'root')).type).toBe(type);
    await expect(sealIn(world, '1', POLICY, { type: `${type}x` })).rejects.toThrow(RangeError);
    await expect(sealIn(world, '1', POLICY, { docId: new Uint8Array(15) })).rejects.toThrow(RangeError);
  });

  it('of classes', async () => {
    const definition: PolicyDefinition = {
      ...POLICY,
      rules: Array.from({ length: 15 }, (_, i) => ({
        fields: [`/${i}`],
        readers: GROUPS.filter((__, bit) => ((i >> bit) & 1) === 1),
      })),
    };
    // Fifteen sets of readers and the skeleton's make sixteen classes; one more set is too many.
    const text = (count: number): string =>
      JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [i, 0])));
    const sealed = await sealIn(world, text(15), definition);
    expect(sealed.classes).toHaveLength(16);
    expect((await viewIn(world, sealed, 'root')).text).toBe(text(15));
    const more = { ...definition, rules: [...definition.rules, { fields: ['/15'], readers: GROUPS }] };
    expect(await refusalOf(() => sealIn(world, text(16), more))).toBe('VIEW_LIMIT');
  });

  it('of readers', async () => {
    const readers = [...Array.from({ length: 14 }, (_, i) => `g${i}`), 'emergency'];
    const { groupReader } = await import('../../src/views/index.ts');
    const { reader } = keyOf(world, 'insurer');
    const find = (name: string): ReturnType<typeof groupReader> => groupReader({ ...reader, name });
    const seal = (names: readonly string[]): Promise<SealedDocument> =>
      sealIn(world, '1', { name: 'p/1', rules: [], otherwise: names }, { readers: find });
    expect((await seal(readers.slice(1))).wraps).toHaveLength(16);
    expect(await refusalOf(() => seal(readers))).toBe('VIEW_LIMIT');
  });

  it.runIf(SLOW)('of bytes: what is sealed can be decoded', async () => {
    const text = JSON.stringify('€'.repeat(14_500_000));
    expect(await refusalOf(() => sealIn(world, text))).toBe('VIEW_LIMIT');
  });

  it('of keys: one that is malformed', async () => {
    const { reader } = keyOf(world, 'insurer');
    const readers = (): typeof reader => ({ ...reader, publicKey: new Uint8Array(32) });
    expect(await refusalOf(() => sealIn(world, DOCUMENT, POLICY, { readers }))).toBe('KEY_PUBLIC');
  });
});
