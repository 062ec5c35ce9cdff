/** The table of what a policy says: aligned, bounded in width, and nothing in it that a text of the document could fake. */

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { definePolicy, explain, explainTable, type PolicyDefinition } from '../../src/views/index.ts';
import { PROPERTY, wellFormed } from '../property.ts';
import { anyDocument, anyPolicy, anyRestrictions } from './any-policy.ts';
import { DOCUMENT, POLICY } from './fixture.ts';

const table = (definition: PolicyDefinition, text: string): string =>
  explainTable(explain(definePolicy(definition), text));
const base: PolicyDefinition = { name: 'p/1', rules: [], otherwise: [{ k: '/k' }] };

describe('explainTable', () => {
  it('draws every field with its rule, its readers and its compartment', () => {
    const restrictions = [
      {
        within: '/clinical/*',
        labels: ['/note'],
        values: ['𝄞'],
        readers: ['emergency'],
        compartment: 'inbox',
      },
    ];
    expect(table({ ...POLICY, restrictions }, DOCUMENT)).toBe(
      [
        'field                   rule       restricted  readers                                  compartment',
        '----------------------  ---------  ----------  ---------------------------------------  -----------',
        '/name                   0          -           owner, public                            inbox',
        '/speciality             0          -           owner, public                            inbox',
        '/clinical/0/note        1          -           owner, emergency, speciality:cardiology  clinical',
        '/clinical/0/dose        1          -           owner, emergency, speciality:cardiology  clinical',
        '/clinical/1/note        1          0           owner, emergency                         inbox',
        '/clinical/2             1          -           owner, emergency, speciality:cardiology  clinical',
        '/clinical/3             1          -           owner, emergency, speciality:cardiology  clinical',
        '/cost                   2          -           owner, emergency, insurer                financial',
        '/a~1b/                  otherwise  -           owner, emergency                         inbox',
        '/a~1b/~0n0/0/__proto__  otherwise  -           owner, emergency                         inbox',
        '',
      ].join('\n'),
    );
  });

  it('is drawn in the guide as it is', () => {
    const guide = readFileSync(new URL('../../docs/developers.md', import.meta.url), 'utf8');
    const [, shown] = /```text\n(field [^]*?)```/.exec(guide) ?? [];
    const definition: PolicyDefinition = {
      name: 'visits/1',
      rules: [
        { fields: ['/patient'], readers: 'public' },
        { fields: ['/visits/*/cost'], readers: ['insurer', 'emergency'], compartment: 'financial' },
        {
          fields: ['/visits/**'],
          readers: [{ speciality: '../speciality' }, 'emergency'],
          compartment: 'visits',
        },
      ],
      otherwise: ['emergency'],
      restrictions: [
        {
          within: '/visits/*',
          labels: ['/label'],
          values: ['V'],
          readers: ['emergency'],
          compartment: 'restricted',
        },
      ],
    };
    const visits = [
      { speciality: 'cardiology', note: 'ECG', cost: 15 },
      { speciality: 'psychiatry', label: 'V', note: 'second session', cost: 60 },
    ];
    expect(table(definition, JSON.stringify({ patient: 'Núria', visits, phone: '900 000 417' }))).toBe(shown);
  });

  it('draws no field as no row', () => {
    expect(explainTable([])).toBe(
      'field  rule  restricted  readers  compartment\n-----  ----  ----------  -------  -----------\n',
    );
  });

  it.each<[string, string, string]>([
    ['a space', 'a b', '"/a b"'],
    ['two columns', 'a  0  -  owner', '"/a  0  -  owner"'],
    ['a quote', 'a" b', '"/a\\" b"'],
    ['a backslash', 'a\\', '/a\\\\'],
    ['a line feed', 'a\nb', '/a\\u{a}b'],
    ['an escape sequence', '\u001b[2J', '/\\u{1b}[2J'],
    ['a C1 control', 'a\u009bm', '/a\\u{9b}m'],
    ['a direction override', '\u202ecba', '/\\u{202e}cba'],
    ['a direction isolate', '\u2066a\u2069', '/\\u{2066}a\\u{2069}'],
    ['a direction mark', 'a\u200f\u061c', '/a\\u{200f}\\u{61c}'],
    ['nothing to see', 'a\u200b\ufeff\u00ad', '/a\\u{200b}\\u{feff}\\u{ad}'],
    ['another space', 'a\u00a0b\u3000', '/a\\u{a0}b\\u{3000}'],
    ['line and paragraph separators', '\u2028\u2029', '/\\u{2028}\\u{2029}'],
    ['piled marks', 'a\u0301', '/a\\u{301}'],
    ['a private character', '\ue000', '/\\u{e000}'],
    ['a tag character', '\u{e0041}', '/\\u{e0041}'],
    ['letters of any script', 'Núria漢', '/Núria漢'],
  ])('spells out %s in a member name', (_, name, shown) => {
    const drawn = table({ ...base, otherwise: [] }, JSON.stringify({ [name]: 1 }));
    const [head = '', , row = ''] = drawn.split('\n');
    expect(row.startsWith(`${shown}  `)).toBe(true);
    expect(head).toMatch(/^field {2,}rule/);
    expect(drawn.split('\n')).toHaveLength(4);
  });

  it.each<[string, string, string]>([
    ['a list', 'a, insurer', '"k:a, insurer"'],
    ['a comma', 'a,owner', '"k:a,owner"'],
    ['a direction override', '\u202eowner', 'k:\\u{202e}owner'],
    ['a line', 'a\n/b  0', '"k:a\\u{a}/b  0"'],
  ])('does not let a text that names a reader draw %s', (_, value, shown) => {
    const [, , row] = table(base, JSON.stringify({ k: value })).split('\n');
    expect(row).toContain(`owner, ${shown}`);
  });

  it('tells a reader called owner from the owner', () => {
    expect(table({ ...base, otherwise: ['owner', '-', 'otherwise'] }, '1')).toContain(
      '""     otherwise  -           owner, "-", "otherwise", "owner"  inbox',
    );
  });

  it('breaks what is too wide for its column, and cuts nothing', () => {
    const names = Array.from({ length: 5 }, (_, i) => `reader${i}-${'x'.repeat(12)}`);
    const long = 'y'.repeat(100);
    const drawn = table({ ...base, otherwise: names }, JSON.stringify({ a: { [long]: 1 }, b: 1 }));
    const readers = ['owner, reader0-xxxxxxxxxxxx,', '  reader1-xxxxxxxxxxxx,', '  reader2-xxxxxxxxxxxx,'];
    const [y45, y46, y9] = [45, 46, 9].map((length) => 'y'.repeat(length));
    const row = (field: string, rule: string, list: string, compartment = ''): string =>
      `${field.padEnd(48)}  ${rule.padEnd(9)}  ${(rule && '-').padEnd(10)}  ${list.padEnd(44)}  ${compartment}`.trimEnd();
    expect(drawn.split('\n').slice(2)).toEqual([
      row(`/a/${y45}`, 'otherwise', readers[0]!, 'inbox'),
      row(`  ${y46}`, '', readers[1]!),
      row(`  ${y9}`, '', readers[2]!),
      row('', '', '  reader3-xxxxxxxxxxxx, reader4-xxxxxxxxxxxx'),
      row('/b', 'otherwise', readers[0]!, 'inbox'),
      row('', '', readers[1]!),
      row('', '', readers[2]!),
      row('', '', '  reader3-xxxxxxxxxxxx, reader4-xxxxxxxxxxxx'),
      '',
    ]);
    expect(Math.max(...drawn.split('\n').map((line) => line.length))).toBeLessThanOrEqual(143);
    // A line that goes on is set in, so that it starts no row.
    expect(drawn.split('\n').filter((line) => line.startsWith('/'))).toHaveLength(2);
  });

  it('counts characters that terminals draw twice as wide', () => {
    const [, , first = '', second = ''] = table({ ...base, otherwise: [] }, '{"漢字":1,"abcd":1}').split(
      '\n',
    );
    expect(first.indexOf('otherwise') + 2).toBe(second.indexOf('otherwise'));
  });

  it('is made of one row a field, in at most 143 columns of printable characters', () => {
    const text = fc
      .tuple(wellFormed, wellFormed)
      .map(([name, value]) => JSON.stringify({ [name]: value, k: value }));
    fc.assert(
      fc.property(
        anyPolicy,
        anyRestrictions,
        fc.oneof(anyDocument, text),
        (definition, restrictions, document) => {
          const explained = explain(definePolicy({ ...definition, restrictions }), document);
          const lines = explainTable(explained).split('\n');
          expect(lines.filter((line) => /^["/]/.test(line))).toHaveLength(explained.length);
          expect(lines.filter((line) => Array.from(line).length > 143)).toEqual([]);
          expect(lines.join('')).not.toMatch(/[\p{C}\p{M}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u);
        },
      ),
      PROPERTY,
    );
  });
});
