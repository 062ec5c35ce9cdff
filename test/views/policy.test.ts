/** Policies: what they refuse, which rule takes a field, who its readers are. Restrictions, reports and the table have tests of their own. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../src/crypto/index.ts';
import {
  alwaysWithheld,
  definePolicy,
  explain,
  type PolicyDefinition,
  type PolicyRestriction,
} from '../../src/views/index.ts';
import { compilePattern, matches } from '../../src/views/pattern.ts';
import { escapeToken, pointerTokens } from '../../src/views/pointer.ts';
import { readJson, tuple, type JsonNode } from '../../src/wire/index.ts';
import { PROPERTY, SLOW, wellFormed } from '../property.ts';
import { refusal } from '../refusal.ts';
import { workOf } from '../work.ts';
import { anyDocument, anyPolicy, pointersOf } from './any-policy.ts';
import { DOCUMENT, POLICY } from './fixture.ts';

const base: PolicyDefinition = { name: 'p/1', rules: [], otherwise: [] };

const RESTRICTION = { within: '/a', labels: ['/b'], values: ['V'], readers: [], compartment: 'c' };

describe('definePolicy', () => {
  it.each<[string, PolicyDefinition]>([
    ['no name', { ...base, name: '' }],
    ['a name of 129 bytes', { ...base, name: `${'é'.repeat(63)}x/1` }],
    ['a name without a version', { ...base, name: 'p' }],
    ['a version without a name', { ...base, name: '/1' }],
    ['an empty version', { ...base, name: 'p/' }],
    ['version zero', { ...base, name: 'p/0' }],
    ['a version with a leading zero', { ...base, name: 'p/01' }],
    ['a version that is no number', { ...base, name: 'p/1a' }],
    ['a version in other digits', { ...base, name: 'p/١' }],
    ['a version with a sign', { ...base, name: 'p/+1' }],
    ['a line after the version', { ...base, name: 'p/1\n' }],
    ['a rule without patterns', { ...base, rules: [{ fields: [], readers: 'public' }] }],
    ['a pattern without a slash', { ...base, rules: [{ fields: ['a'], readers: [] }] }],
    ['the empty pattern', { ...base, rules: [{ fields: [''], readers: [] }] }],
    ['a misspelt escape in a pattern', { ...base, rules: [{ fields: ['/a~2'], readers: [] }] }],
    ['five times any depth', { ...base, rules: [{ fields: ['/**/**/**/**/**'], readers: [] }] }],
    [
      'one pattern in two rules',
      {
        ...base,
        rules: [
          { fields: ['/a', '/b'], readers: ['x'] },
          { fields: ['/b'], readers: 'public' },
        ],
      },
    ],
    ['one pattern twice in a rule', { ...base, rules: [{ fields: ['/a', '/a'], readers: ['x'] }] }],
    ['the public as one reader among others', { ...base, otherwise: ['public'] }],
    ['a reader without a name', { ...base, otherwise: [''] }],
    ['a reader with two pointers', { ...base, otherwise: [{ a: '/a', b: '/b' }] }],
    ['a reader with no pointer', { ...base, otherwise: [{}] }],
    ['a pointer that starts nowhere', { ...base, otherwise: [{ a: 'a' }] }],
    ['a text in the place of a list of readers', { ...base, otherwise: 'public' as never }],
    ['a kind with a colon', { ...base, otherwise: [{ 'a:b': '/a' }] }],
    ['a reader that is none', { ...base, otherwise: [null as never] }],
    [
      'a text in the place of a list of patterns',
      { ...base, rules: [{ fields: '/a' as never, readers: [] }] },
    ],
    ['a pattern that is no text', { ...base, rules: [{ fields: [7 as never], readers: [] }] }],
    [
      'a text in the place of a list of values',
      { ...base, restrictions: [{ ...RESTRICTION, values: 'HIV' as never }] },
    ],
    [
      'a text in the place of a list of labels',
      { ...base, restrictions: [{ ...RESTRICTION, labels: '/a' as never }] },
    ],
    ['a value that is no text', { ...base, restrictions: [{ ...RESTRICTION, values: [7 as never] }] }],
    [
      'a container that is no pattern',
      { ...base, restrictions: [{ ...RESTRICTION, within: null as never }] },
    ],
    ['a pattern of 129 tokens', { ...base, rules: [{ fields: ['/a'.repeat(129)], readers: [] }] }],
    [
      '16,385 tokens in all patterns',
      {
        ...base,
        rules: [{ fields: Array.from({ length: 128 }, (_, i) => `${'/a'.repeat(127)}/${i}`), readers: [] }],
      },
    ],
    ['a pointer to the whole document', { ...base, otherwise: [{ a: '/' }] }],
    ['a relative pointer to the whole', { ...base, otherwise: [{ a: '../../' }] }],
    ['a relative pointer that turns absolute', { ...base, otherwise: [{ a: '..//a' }] }],
    ['a relative pointer to nothing', { ...base, otherwise: [{ a: '../' }] }],
    ['a misspelt escape in a pointer', { ...base, otherwise: [{ a: '/a~2' }] }],
    ['the root as a compartment', { ...base, rules: [{ fields: ['/a'], readers: [], compartment: '' }] }],
    ['the root as the compartment of the rest', { ...base, otherwiseCompartment: '' }],
    [
      'more rules than a policy may have',
      { ...base, rules: Array.from({ length: 256 }, (_, i) => ({ fields: [`/${i}`], readers: [] })) },
    ],
    [
      'more patterns than a rule may have',
      { ...base, rules: [{ fields: Array.from({ length: 257 }, (_, i) => `/${i}`), readers: [] }] },
    ],
  ])('refuses %s', (_, definition) => {
    expect(refusal(() => definePolicy(definition))).toBe('VIEW_POLICY');
    expect(() => definePolicy(definition)).not.toThrow(/contradictory/); // but for a reason of its own
  });

  it('takes a name of 128 bytes, and any number as its version', () => {
    for (const name of [`${'é'.repeat(63)}/1`, 'a/b/10', '//9', 'p/12345678901234567890'])
      expect(definePolicy({ ...base, name }).name).toBe(name);
  });

  it('lists the compartments that it can put a field into', () => {
    const { compartments } = definePolicy({
      ...POLICY,
      otherwiseCompartment: 'rest',
      restrictions: [
        { within: '', labels: ['/label'], values: ['R'], readers: [], compartment: 'restricted' },
      ],
    });
    expect(compartments).toEqual(['inbox', 'clinical', 'financial', 'rest', 'restricted']);
  });

  it('hashes everything that it decides by', () => {
    const definition: PolicyDefinition = {
      name: 'p/1',
      rules: [
        { fields: ['/a', '/b/**'], readers: ['x', { s: '../k' }], compartment: 'c' },
        { fields: ['/d'], readers: 'public' },
      ],
      otherwise: ['y'],
      otherwiseCompartment: 'z',
      restrictions: [
        { within: '', labels: ['/l'], values: ['R'], readers: ['x', { s: '../k' }], compartment: 'c' },
        { within: '/b', labels: ['/l', '/m'], values: ['R', 'V'], readers: [], compartment: 'd' },
      ],
    };
    const encoded = tuple(
      'policy',
      'p/1',
      [
        [['/a', '/b/**'], [['x'], ['s', '../k']], 'c'],
        [['/d'], 'public', 'inbox'],
        [['/**'], [['y']], 'z'],
      ],
      [
        ['', ['/l'], ['R'], [['x'], ['s', '../k']], 'c'],
        ['/b', ['/l', '/m'], ['R', 'V'], [], 'd'],
      ],
    );
    const { hash } = definePolicy(definition);
    expect(hash).toEqual(sha256(encoded));
    const [first, second] = definition.rules as [(typeof definition.rules)[0], (typeof definition.rules)[0]];
    const [whole, part] = definition.restrictions as [PolicyRestriction, PolicyRestriction];
    const others: PolicyDefinition[] = [
      { ...definition, restrictions: [] },
      { ...definition, restrictions: [part, whole] },
      ...[
        { within: '/a' },
        { labels: ['/m'] },
        { values: ['V'] },
        { readers: ['x'] },
        { compartment: 'd' },
      ].map((changes) => ({ ...definition, restrictions: [{ ...whole, ...changes }, part] })),
      { ...definition, name: 'p/2' },
      { ...definition, rules: [second, first] },
      { ...definition, rules: [{ ...first, fields: ['/a'] }, second] },
      { ...definition, rules: [{ ...first, readers: ['x', 's', '../k'] }, second] },
      { ...definition, rules: [{ ...first, compartment: 'd' }, second] },
      { ...definition, rules: [first, { ...second, readers: [] }] },
      { ...definition, otherwise: [] },
      { ...definition, otherwiseCompartment: 'inbox' },
    ];
    const hashes = [definition, ...others].map((one) => definePolicy(one).hash.join());
    expect(new Set(hashes).size).toBe(hashes.length);
    const without = { name: 'p/1', rules: [], otherwise: [] };
    const encodedWithout = tuple('policy', 'p/1', [[['/**'], [], 'inbox']], []);
    expect(definePolicy(without).hash).toEqual(sha256(encodedWithout));
    expect(definePolicy({ ...without, restrictions: [] }).hash).toEqual(sha256(encodedWithout));
  });
});

describe('patterns', () => {
  const takes = (pattern: string, pointer: string): boolean =>
    matches(compilePattern(pattern), pointerTokens(pointer));

  it.each<[string, readonly string[], readonly string[]]>([
    ['/a', ['/a'], ['', '/', '/b', '/a/b', '/a/']],
    ['/', ['/'], ['', '/a', '//']],
    ['/*', ['/', '/a', '/*', '/0'], ['', '/a/b']],
    ['/**', ['', '/', '/a', '/a/b/c'], []],
    ['/a/**', ['/a', '/a/b', '/a/b/c'], ['', '/b', '/b/a']],
    ['/**/a', ['/a', '/b/a', '/a/a', '/b/c/a'], ['', '/a/b', '/b']],
    ['/a/*/b', ['/a/0/b', '/a//b'], ['/a/b', '/a/0/0/b']],
    ['/a/**/b', ['/a/b', '/a/0/b', '/a/b/b'], ['/a', '/b', '/a/b/c']],
    ['/**/a/**', ['/a', '/x/a/y'], ['', '/x']],
    ['/a~1b/~0', ['/a~1b/~0'], ['/a/b/~0']],
  ])('%s', (pattern, taken, left) => {
    expect(taken.filter((pointer) => !takes(pattern, pointer))).toEqual([]);
    expect(left.filter((pointer) => takes(pattern, pointer))).toEqual([]);
  });

  it('agree with regular expressions', () => {
    const token = fc.constantFrom('', 'a', 'b', 'ab');
    const patternToken = fc.constantFrom('', 'a', 'b', '*', '**');
    const few = { minLength: 1, maxLength: 5 };
    fc.assert(
      fc.property(
        fc.array(patternToken, few).filter((tokens) => tokens.filter((one) => one === '**').length < 5),
        fc.array(token, { maxLength: 5 }),
        (pattern, field) => {
          const source = pattern.map((one) =>
            one === '**' ? '(?:/[^/]*)*' : one === '*' ? '/[^/]*' : `/${one}`,
          );
          const pointer = field.map((one) => `/${one}`).join('');
          expect(matches(compilePattern(`/${pattern.join('/')}`), field)).toBe(
            new RegExp(`^${source.join('')}$`).test(pointer),
          );
        },
      ),
      { ...PROPERTY, numRuns: 2000 },
    );
  });

  it('escape and unescape any name', () => {
    fc.assert(
      fc.property(wellFormed, (name) => {
        expect(pointerTokens(`/${escapeToken(name)}`)).toEqual([name]);
      }),
      PROPERTY,
    );
  });
});

describe('explain', () => {
  const said = (definition: PolicyDefinition, text: string): unknown[] =>
    explain(definePolicy(definition), readJson(text)).map(({ pointer, rule, readers, compartment }) => [
      pointer,
      rule,
      readers,
      compartment,
    ]);

  it('goes through a document field by field', () => {
    expect(said(POLICY, DOCUMENT)).toEqual([
      ['/name', 0, 'public', 'inbox'],
      ['/speciality', 0, 'public', 'inbox'],
      ['/clinical/0/note', 1, ['emergency', 'speciality:cardiology'], 'clinical'],
      ['/clinical/0/dose', 1, ['emergency', 'speciality:cardiology'], 'clinical'],
      ['/clinical/1/note', 1, ['emergency', 'speciality:cardiology'], 'clinical'],
      ['/clinical/2', 1, ['emergency', 'speciality:cardiology'], 'clinical'],
      ['/clinical/3', 1, ['emergency', 'speciality:cardiology'], 'clinical'],
      ['/cost', 2, ['emergency', 'insurer'], 'financial'],
      ['/a~1b/', null, ['emergency'], 'inbox'],
      ['/a~1b/~0n0/0/__proto__', null, ['emergency'], 'inbox'],
    ]);
  });

  it('lets the first rule win, and gives the rest to nobody but the owner', () => {
    const definition: PolicyDefinition = {
      name: 'p/1',
      rules: [
        { fields: ['/a/b'], readers: ['x'] },
        { fields: ['/a/**'], readers: 'public' },
        { fields: ['/**/b'], readers: ['y'] },
      ],
      otherwise: [],
      otherwiseCompartment: 'rest',
    };
    expect(said(definition, '{"a":{"b":1,"c":2},"b":3,"d":4}')).toEqual([
      ['/a/b', 0, ['x'], 'inbox'],
      ['/a/c', 1, 'public', 'inbox'],
      ['/b', 2, ['y'], 'inbox'],
      ['/d', null, [], 'rest'],
    ]);
  });

  it('finds readers at pointers: absolute, relative, escaped, through arrays, absent', () => {
    const readers = (pointer: string, text: string, field: string): unknown =>
      explain(
        definePolicy({ ...base, rules: [{ fields: [field], readers: [{ s: pointer }, 'z', 'z'] }] }),
        readJson(text),
      ).find(({ rule }) => rule === 0)?.readers;
    expect(readers('/k', '{"k":"a","f":1}', '/f')).toEqual(['s:a', 'z']);
    expect(readers('../k', '{"k":"a","f":1}', '/f')).toEqual(['s:a', 'z']);
    expect(readers('../k', '{"l":[{"k":"a","f":1},{"k":"b"}]}', '/l/*/f')).toEqual(['s:a', 'z']);
    expect(readers('../../k', '{"k":"é","o":{"f":1}}', '/o/f')).toEqual(['s:é', 'z']);
    expect(readers('../../../../k', '{"k":"a","o":{"f":1}}', '/o/f')).toEqual(['s:a', 'z']);
    expect(readers('/x~1y/1', '{"x/y":["a","b"],"f":1}', '/f')).toEqual(['s:b', 'z']);
    expect(readers('/k', '{"k":"\\u0061\\n","f":1}', '/f')).toEqual(['s:a\n', 'z']);
    // No text there, so nobody by that rule.
    expect(readers('/k', '{"k":1,"f":1}', '/f')).toEqual(['z']);
    expect(readers('/k', '{"k":{"a":"b"},"f":1}', '/f')).toEqual(['z']);
    expect(readers('/k', '{"f":1}', '/f')).toEqual(['z']);
    expect(readers('/k/0', '{"k":"ab","f":1}', '/f')).toEqual(['z']);
    expect(readers('/l/01', '{"l":["a","b"],"f":1}', '/f')).toEqual(['z']);
    expect(readers('/l/9', '{"l":["a","b"],"f":1}', '/f')).toEqual(['z']);
    expect(readers('/__proto__/constructor', '{"f":1}', '/f')).toEqual(['z']);
  });

  it('takes JSON text as it takes a tree, and is as strict with it as sealing', () => {
    const policy = definePolicy(POLICY);
    const plain = (document: Parameters<typeof explain>[1]): unknown[] =>
      explain(policy, document).map(({ pointer, rule, readers, leaf }) => [
        pointer,
        rule,
        readers,
        leaf.text,
      ]);
    expect(plain(` ${DOCUMENT}`)).toEqual(plain(readJson(DOCUMENT)));
    expect(refusal(() => explain(policy, '{"a":1,"a":2}'))).toBe('WIRE_JSON');
    expect(refusal(() => explain(policy, '['.repeat(129) + ']'.repeat(129)))).toBe('WIRE_LIMIT');
    const nested = (levels: number): JsonNode =>
      levels === 0 ? { kind: 'leaf', text: '1' } : { kind: 'array', items: [nested(levels - 1)] };
    expect(plain(nested(128))).toEqual([['/0'.repeat(128), null, ['emergency'], '1']]);
    expect(refusal(() => explain(policy, nested(129)))).toBe('VIEW_LIMIT');
    expect(plain('1')).toEqual([['', null, ['emergency'], '1']]);
  });

  it('is total, lets the first rule win, and makes nothing public that no rule names', () => {
    const seen = { ruled: 0, otherwise: 0, public: 0 };
    fc.assert(
      fc.property(anyPolicy, anyDocument, (definition, text) => {
        const explained = explain(definePolicy(definition), text);
        expect(explained.map(({ pointer }) => pointer)).toEqual(pointersOf(JSON.parse(text)));
        for (const { pointer, rule, readers, compartment } of explained) {
          const first = definition.rules.findIndex(({ fields }) =>
            fields.some((field) => asRegex(field).test(pointer)),
          );
          expect(rule).toBe(first < 0 ? null : first);
          const taken = first < 0 ? undefined : definition.rules[first];
          if (taken === undefined) {
            seen.otherwise++;
            expect(readers).not.toBe('public');
            expect(compartment).toBe(definition.otherwiseCompartment ?? 'inbox');
          } else {
            seen.ruled++;
            expect(readers === 'public').toBe(taken.readers === 'public');
            expect(compartment).toBe(taken.compartment ?? 'inbox');
          }
          if (readers === 'public') seen.public++;
          else expect(readers).toEqual([...new Set(readers)].sort());
        }
      }),
      { ...PROPERTY, numRuns: SLOW ? 5000 : 1000 },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(200);
  });

  it('does work in proportion to the document, whatever its shape', () => {
    const policy = definePolicy({
      name: 'p/1',
      rules: [
        { fields: ['/**/a/**/b/**/c/**/d'], readers: ['x'] },
        { fields: ['/**'], readers: [{ s: '../last' }, { t: '/last' }] },
      ],
      otherwise: [],
    });
    const flat = (fields: number): string =>
      `{${Array.from({ length: fields }, (_, i) => `"f${i}":1`).join()},"last":"z"}`;
    const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
    const work = (text: string): number => {
      const tree = readJson(text);
      return workOf(() => explain(policy, tree)).blocks;
    };
    work(flat(10)); // compiled before it is counted
    expect(work(flat(4000)) / work(flat(1000))).toBeLessThan(4.5);
    expect(work(deep(128)) / work(deep(32))).toBeLessThan(10);
  });

  it('says what a reader is never given', () => {
    const policy = definePolicy(POLICY);
    expect(alwaysWithheld(policy, (rule) => rule === 'insurer')).toEqual(['/clinical/**', '/**']);
    expect(alwaysWithheld(policy, (rule) => rule === 'emergency')).toEqual([]);
    expect(alwaysWithheld(policy, (rule) => typeof rule === 'object')).toEqual(['/cost', '/**']);
  });
});

// The patterns once more, as expressions over pointers; names in these tests need no escape.
function asRegex(pattern: string): RegExp {
  const tokens = pattern.slice(1).split('/');
  return new RegExp(
    `^${tokens.map((one) => (one === '**' ? '(?:/[^/]*)*' : one === '*' ? '/[^/]*' : `/${one}`)).join('')}$`,
  );
}
