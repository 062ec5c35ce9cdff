/** Restrictions: labels in a document take readers away, and never give one. */

import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  definePolicy,
  explain,
  type Explained,
  type PolicyDefinition,
  type PolicyRestriction,
} from '../../src/views/index.ts';
import { PROPERTY, SLOW } from '../property.ts';
import { refusal } from '../refusal.ts';
import { workOf } from '../work.ts';
import { anyDocument, anyPolicy, anyRestrictions } from './any-policy.ts';
import { createWorld, openIn, POLICY, sealIn, viewIn, type World } from './fixture.ts';

const RESTRICTION: PolicyRestriction = {
  within: '/*',
  labels: ['/labels/*/code'],
  values: ['R', 'V'],
  readers: ['x', { s: '../who' }],
  compartment: 'restricted',
};
const base: PolicyDefinition = {
  name: 'p/1',
  rules: [{ fields: ['/open/**'], readers: 'public' }],
  otherwise: ['w', 'x', { s: '../who' }],
  restrictions: [RESTRICTION],
};

const said = (definition: PolicyDefinition, value: unknown): unknown[] =>
  explain(definePolicy(definition), JSON.stringify(value)).map(
    ({ pointer, restrictions, readers, compartment }) => [pointer, restrictions, readers, compartment],
  );

describe('definePolicy', () => {
  it.each<[string, Partial<PolicyRestriction>]>([
    ['no pattern of containers', { within: 'a' }],
    ['a misspelt escape', { within: '/~2' }],
    ['no place for labels', { labels: [] }],
    ['a place twice', { labels: ['/a', '/a'] }],
    ['the container itself as a label', { labels: [''] }],
    ['any depth five times', { labels: ['/**/**/**/**/**'] }],
    ['more places than a rule has patterns', { labels: Array.from({ length: 257 }, (_, i) => `/${i}`) }],
    ['no value', { values: [] }],
    ['a value twice', { values: ['R', 'R'] }],
    ['an empty value', { values: [''] }],
    ['a value of 129 bytes', { values: ['x'.repeat(129)] }],
    ['the public', { readers: 'public' as never }],
    ['the public among others', { readers: ['x', 'public'] }],
    ['a reader of two pointers', { readers: [{ a: '/a', b: '/b' }] }],
    ['the root as its compartment', { compartment: '' }],
  ])('refuses %s', (_, changes) => {
    const definition = { ...base, restrictions: [{ ...RESTRICTION, ...changes }] };
    expect(refusal(() => definePolicy(definition))).toBe('VIEW_POLICY');
  });

  it('takes as many as rules, and not one more', () => {
    const many = (length: number): PolicyDefinition => ({
      ...base,
      restrictions: Array.from({ length }, () => RESTRICTION),
    });
    expect(definePolicy(many(255)).restrictions).toHaveLength(255);
    expect(refusal(() => definePolicy(many(256)))).toBe('VIEW_POLICY');
  });
});

describe('explain', () => {
  it('keeps of a labelled container those readers that its restriction names too', () => {
    expect(
      said(base, {
        who: 'k',
        marked: { who: 'm', labels: [{ code: 'N' }, { code: 'R' }], deep: [{ n: 1 }] },
        plain: { who: 'm', labels: [{ code: 'N' }], deep: [] },
        open: { labels: [{ code: 'V' }] },
      }),
    ).toEqual([
      ['/who', [], ['s:k', 'w', 'x'], 'inbox'],
      ['/marked/who', [0], ['s:m', 'x'], 'restricted'],
      ['/marked/labels/0/code', [0], ['x'], 'restricted'],
      ['/marked/labels/1/code', [0], ['x'], 'restricted'],
      ['/marked/deep/0/n', [0], ['x'], 'restricted'],
      ['/plain/who', [], ['s:m', 'w', 'x'], 'inbox'],
      ['/plain/labels/0/code', [], ['w', 'x'], 'inbox'],
      ['/plain/deep', [], ['s:m', 'w', 'x'], 'inbox'],
      ['/open/labels/0/code', [0], [], 'restricted'],
    ]);
  });

  it('takes a label by its text, however it is spelt, and by nothing else', () => {
    const restricted = (label: string): boolean =>
      explain(definePolicy(base), `{"a":{"labels":[{"code":${label}}]}}`)[0]?.compartment === 'restricted';
    expect(['"R"', '"\\u0052"', '"V"'].map(restricted)).toEqual([true, true, true]);
    expect(['"r"', '"R "', '""', '"RV"', 'null', '1', '["R"]', '{"code":"R"}'].map(restricted)).toEqual(
      Array<boolean>(8).fill(false),
    );
  });

  it('intersects several, and takes the compartment of the last', () => {
    const two = (first: readonly string[], second: readonly string[]): PolicyDefinition => ({
      ...base,
      otherwise: ['a', 'b', 'c'],
      restrictions: [
        { ...RESTRICTION, values: ['R'], readers: first },
        { ...RESTRICTION, values: ['V'], readers: second, compartment: 'very' },
      ],
    });
    const doubly = { m: { labels: [{ code: 'V' }, { code: 'R' }] } };
    expect(said(two(['a', 'b'], ['b', 'c', 'd']), doubly)[0]).toEqual([
      ...['/m/labels/0/code', [0, 1], ['b'], 'very'],
    ]);
    expect(said(two(['a'], ['b']), doubly)[0]).toEqual(['/m/labels/0/code', [0, 1], [], 'very']);
    const single = { m: { labels: [{ code: 'R' }] } };
    expect(said(two(['a'], ['b']), single)[0]).toEqual(['/m/labels/0/code', [0], ['a'], 'restricted']);
  });

  it('takes the whole document as a container, containers in containers, and no field as one', () => {
    const whole = (value: unknown, changes: Partial<PolicyRestriction>): unknown[] =>
      said({ ...base, restrictions: [{ ...RESTRICTION, ...changes }] }, value).map(
        (one) => (one as [string, number[]])[1].length,
      );
    expect(whole({ l: 'R', a: { b: 1 } }, { within: '', labels: ['/l'] })).toEqual([1, 1]);
    expect(whole({ a: { l: 'R', b: 1 }, c: 1 }, { within: '', labels: ['/l'] })).toEqual([0, 0, 0]);
    // Any depth: only what is inside the container that bears the label.
    expect(whole({ a: { l: 'R', b: { c: 1 } }, d: 1 }, { within: '/**', labels: ['/l'] })).toEqual([1, 1, 0]);
    expect(whole({ a: { l: 'R' }, d: 1 }, { within: '/**', labels: ['/**/l'] })).toEqual([1, 1]);
    expect(whole(['R', 1], { within: '', labels: ['/0'] })).toEqual([1, 1]);
    expect(whole('R', { within: '', labels: ['/**'] })).toEqual([0]);
    expect(whole({ a: 'R' }, { within: '/a', labels: ['/**'] })).toEqual([0]);
    expect(whole({ a: 'R', b: 1 }, { within: '', labels: ['/**'] })).toEqual([1, 1]);
  });

  it('never gives a field a reader that it had not', () => {
    const seen = { fields: 0, restricted: 0, lost: 0, public: 0 };
    fc.assert(
      fc.property(anyPolicy, anyRestrictions, anyDocument, (definition, restrictions, text) => {
        const before = explain(definePolicy(definition), text);
        const after = explain(definePolicy({ ...definition, restrictions }), text);
        expect(after.map(({ pointer, rule }) => [pointer, rule])).toEqual(
          before.map(({ pointer, rule }) => [pointer, rule]),
        );
        after.forEach((field, i) => {
          const was = before[i]!;
          seen.fields++;
          expectStricter(was, field);
          if (field.restrictions.length === 0) {
            expect([field.readers, field.compartment]).toEqual([was.readers, was.compartment]);
            return;
          }
          seen.restricted++;
          if (was.readers === 'public') seen.public++;
          if (field.readers.length < was.readers.length) seen.lost++;
          expect(field.compartment).toBe(restrictions[field.restrictions.at(-1)!]?.compartment);
        });
      }),
      { ...PROPERTY, numRuns: SLOW ? 20_000 : 3000 },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(100);
  });

  it('gives no reader back when one more restriction is added', () => {
    fc.assert(
      fc.property(
        anyPolicy,
        anyRestrictions,
        anyRestrictions,
        anyDocument,
        (definition, some, more, text) => {
          const few = explain(definePolicy({ ...definition, restrictions: some }), text);
          const many = explain(definePolicy({ ...definition, restrictions: [...some, ...more] }), text);
          many.forEach((field, i) => expectStricter(few[i]!, field));
        },
      ),
      PROPERTY,
    );
  });

  it('looks for labels once, whatever the number of fields and containers', () => {
    const policy = definePolicy({
      ...base,
      restrictions: [{ ...RESTRICTION, within: '/**', labels: ['/**/l'], readers: [{ s: '../who' }] }],
    });
    const flat = (fields: number): string =>
      `{${Array.from({ length: fields }, (_, i) => `"${i}":1`).join()},"l":"R"}`;
    const rows = (count: number): string =>
      `[${Array.from({ length: count }, () => '{"l":"R","a":{"b":1}}').join()}]`;
    const work = (text: string): number => workOf(() => explain(policy, text)).blocks;
    work(flat(10)); // compiled before it is counted
    expect(work(flat(4000)) / work(flat(1000))).toBeLessThan(4.5);
    expect(work(rows(2000)) / work(rows(500))).toBeLessThan(4.5);
  });
});

describe('sealing', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });

  it('keeps a labelled part from a reader of all others, and out of its ordinary compartment', async () => {
    const definition: PolicyDefinition = {
      ...POLICY,
      restrictions: [
        {
          within: '/clinical/*',
          labels: ['/label'],
          values: ['V'],
          readers: ['emergency'],
          compartment: 'financial',
        },
      ],
    };
    const text = '{"speciality":"cardiology","clinical":[{"n":1},{"label":"V","n":2}]}';
    const sealed = await sealIn(world, text, definition);
    expect((await viewIn(world, sealed, 'speciality:cardiology')).text).toBe(
      '{"clinical":[{"n":1}],"speciality":"cardiology"}',
    );
    expect((await viewIn(world, sealed, 'clinical')).text).toBe(
      '{"clinical":[{"n":1}],"speciality":"cardiology"}',
    );
    expect((await viewIn(world, sealed, 'financial')).text).toBe(
      '{"clinical":[{"label":"V","n":2}],"speciality":"cardiology"}',
    );
    expect((await viewIn(world, sealed, 'emergency')).value).toEqual(JSON.parse(text));
    expect((await openIn(world, sealed, 'root'))?.text).toBe(text);
  });

  it('gives a labelled part to no compartment where the owner has none of that name', async () => {
    const restriction = {
      within: '/a',
      labels: ['/label'],
      values: ['V'],
      readers: [],
      compartment: 'nowhere',
    };
    const definition: PolicyDefinition = {
      ...POLICY,
      rules: [{ fields: ['/a/**'], readers: ['insurer'], compartment: 'elsewhere' }],
      restrictions: [restriction],
    };
    // An ordinary field without its compartment lies in the inbox; a labelled one would be granted with it.
    const open = await sealIn(world, '{"a":{"label":"N","n":1}}', definition);
    expect((await viewIn(world, open, 'inbox')).text).toBe('{"a":{"label":"N","n":1}}');
    const closed = await sealIn(world, '{"a":{"label":"V","n":1}}', definition);
    expect(await openIn(world, closed, ['inbox', 'insurer'])).toBeNull();
    expect((await viewIn(world, closed, 'root')).text).toBe('{"a":{"label":"V","n":1}}');
  });
});

function expectStricter(before: Explained, after: Explained): void {
  if (before.readers === 'public') return; // everybody reads it: there is no reader to be added
  if (after.readers === 'public') expect.unreachable(`${after.pointer} became public`);
  const had = new Set(before.readers);
  expect(after.readers.filter((name) => !had.has(name))).toEqual([]);
}
