/** What is reported of a policy's rules: held against every short pointer, and counted in work. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { definePolicy, type PolicyDefinition, type PolicyReport } from '../../src/views/index.ts';
import { compilePattern, matches, type Pattern } from '../../src/views/pattern.ts';
import { PROPERTY, SLOW } from '../property.ts';
import { workOf } from '../work.ts';

const policy = (...rules: readonly (readonly string[])[]): PolicyDefinition => ({
  name: 'p/1',
  rules: rules.map((fields, i) => ({ fields, readers: [`reader ${i}`] })),
  otherwise: [],
});
const reports = (...rules: readonly (readonly string[])[]): string[] =>
  definePolicy(policy(...rules)).reports.map(
    ({ kind, rule, pattern, by }) =>
      `${kind} ${rule} ${pattern} by ${by.map((one) => `${one.rule} ${one.pattern}`).join(', ')}`,
  );

describe('reports', () => {
  it.each<[string, readonly (readonly string[])[], readonly string[]]>([
    ['nothing of different names', [['/a'], ['/b', '/c/**'], ['/a/b']], []],
    ['nothing within one rule', [['/a/**', '/a/b', '/**/b']], []],
    ['a pattern under any depth', [['/a/**'], ['/a/b/c']], ['unreachable 1 /a/b/c by 0 /a/**']],
    ['the same with a wildcard', [['/*/b'], ['/a/b']], ['unreachable 1 /a/b by 0 /*/b']],
    ['any depth as none', [['/a/**/b'], ['/a/b']], ['unreachable 1 /a/b by 0 /a/**/b']],
    ['one token anywhere', [['/**/a/**'], ['/b/*/a']], ['unreachable 1 /b/*/a by 0 /**/a/**']],
    ['two spellings of one thing', [['/*/**'], ['/**/*']], ['unreachable 1 /**/* by 0 /*/**']],
    ['three spellings', [['/**/**'], ['/**']], ['unreachable 1 /** by 0 /**/**']],
    ['an overlap', [['/a/*'], ['/*/b']], ['overlap 1 /*/b by 0 /a/*']],
    ['a special case before its rule', [['/a/b'], ['/a/**']], ['overlap 1 /a/** by 0 /a/b']],
    ['any depths that meet', [['/**/a'], ['/b/**']], ['overlap 1 /b/** by 0 /**/a']],
    ['none where the last tokens differ', [['/**/a'], ['/**/b']], []],
    ['none where the lengths differ', [['/*/*'], ['/*/*/*']], []],
    ['none where only the length could fit', [['/a/**/*/b'], ['/*/b']], []],
    ['escaped names as what they are', [['/a~1b', '/~0'], ['/a/b'], ['/*~1b'], ['/~0~1**']], []],
    [
      'the first overlap with each rule',
      [['/a/x', '/a/y'], ['/b/x'], ['/*/x', '/*/y']],
      ['overlap 2 /*/x by 0 /a/x, 1 /b/x', 'overlap 2 /*/y by 0 /a/y'],
    ],
    [
      'what several take together',
      [['/a'], ['/a/*'], ['/a/*/*/**', '/b'], ['/a/**']],
      ['unreachable 3 /a/** by 0 /a, 1 /a/*, 2 /a/*/*/**'],
    ],
    [
      'but not what several leave a gap in',
      [['/a'], ['/a/*/*/**'], ['/a/**']],
      ['overlap 2 /a/** by 0 /a, 1 /a/*/*/**'],
    ],
    [
      'only those that are needed for it',
      [['/a/b'], ['/a/**'], ['/a/b/**']],
      ['overlap 1 /a/** by 0 /a/b', 'unreachable 2 /a/b/** by 1 /a/**'],
    ],
    [
      'nothing on account of what can never match',
      [['/a/**'], ['/a/b'], ['/*/b']],
      ['unreachable 1 /a/b by 0 /a/**', 'overlap 2 /*/b by 0 /a/**'],
    ],
    ['no names as all names', [['/a', '/b'], ['/*']], ['overlap 1 /* by 0 /a']],
  ])('%s', (_, rules, expected) => {
    expect(reports(...rules)).toEqual(expected);
  });

  it('never refuse a policy, nor change what it says or hashes to', () => {
    const { reports: found, hash } = definePolicy(policy(['/**'], ['/a']));
    expect(found).toEqual<PolicyReport[]>([
      { kind: 'unreachable', rule: 1, pattern: '/a', by: [{ rule: 0, pattern: '/**' }] },
    ]);
    expect(hash).not.toEqual(definePolicy(policy(['/a'], ['/**'])).hash);
  });

  it('say of random rules what trying every pointer says', () => {
    const token = fc.constantFrom('a', 'a', 'b', '*', '*', '*', '**', '**');
    const pattern = fc.array(token, { minLength: 1, maxLength: 3 }).map((tokens) => `/${tokens.join('/')}`);
    const rules = fc.uniqueArray(pattern, { minLength: 2, maxLength: 6 });
    const pointers = allPointers(6);
    const seen = { unreachable: 0, together: 0, overlap: 0, apart: 0 };
    fc.assert(
      fc.property(rules, (patterns) => {
        const found = definePolicy(policy(...patterns.map((one) => [one]))).reports;
        const live: { rule: number; pattern: Pattern }[] = [];
        patterns.forEach((source, rule) => {
          const compiled = compilePattern(source);
          const own = pointers.filter((one) => matches(compiled, one));
          const sharing = live.filter((one) => own.some((tokens) => matches(one.pattern, tokens)));
          const all = own.every((tokens) => sharing.some((one) => matches(one.pattern, tokens)));
          const report = found.find((one) => one.rule === rule);
          if (all) {
            expect(report?.kind).toBe('unreachable');
            const by = report?.by.map((one) => compilePattern(one.pattern)) ?? [];
            expect(own.every((tokens) => by.some((one) => matches(one, tokens)))).toBe(true);
            seen[by.length > 1 ? 'together' : 'unreachable']++;
            return;
          }
          live.push({ rule, pattern: compiled });
          expect(report?.kind ?? 'apart').toBe(sharing.length > 0 ? 'overlap' : 'apart');
          expect(report?.by.map((one) => one.rule) ?? []).toEqual(sharing.map((one) => one.rule));
          seen[sharing.length > 0 ? 'overlap' : 'apart']++;
        });
      }),
      { ...PROPERTY, numRuns: SLOW ? 5000 : 600 },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(5); // of some 2,000
  });
});

describe('the work of reporting', () => {
  const work = (definition: PolicyDefinition): number => workOf(() => definePolicy(definition)).blocks;
  const many = (rules: number, each: number, make: (i: number) => string): string[][] =>
    Array.from({ length: rules }, (_, rule) =>
      Array.from({ length: each }, (__, i) => make(rule * each + i)),
    );
  definePolicy(policy(['/a/**'], ['/*/b'])); // compiled before it is counted

  it('grows with the patterns, where these start with names of their own', () => {
    const apart = (rules: number): number => work(policy(...many(rules, 16, (i) => `/name${i}/*/b/**`)));
    apart(240); // what is still being compiled is not counted the same each time
    expect(apart(240) / apart(60)).toBeLessThan(4.5);
  });

  it('stays within half the square of all tokens, and the steps that coverage is given', () => {
    // All share fields with all, none is taken by others.
    const crossing = many(32, 32, (i) => (i % 2 === 0 ? `/*/${i}/**` : `/**/${i}/*`));
    const tokens = 3 * 1024;
    expect(definePolicy(policy(...crossing)).reports.length).toBeGreaterThan(900);
    expect(work(policy(...crossing))).toBeLessThan(20 * (tokens ** 2 / 2));
    // Runs of wildcards between names, which together would make a great many sets of places.
    const runs = many(8, 8, (i) => `/**/a${'/*'.repeat(i + 1)}/b/**`);
    const last = ['/**/a/**/a/**/a/**/b'];
    expect(work(policy(...runs, last))).toBeLessThan(20 * (2500 ** 2 / 2));
    expect(definePolicy(policy(...runs, last)).reports.at(-1)?.kind).toBe('overlap');
  });
});

describe('the work of reporting what one pattern alone takes', () => {
  it('is bounded too, however many others share fields with it', () => {
    const count = 600;
    const others = Array.from({ length: count }, (_, i) => [`/**/x${i}/**`]);
    const last = Array.from({ length: 100 }, (_, i) => [`/y${i}/**`]);
    const work = (rules: readonly string[][]): number =>
      workOf(() => definePolicy(policy(...grouped(rules)))).blocks;
    const without = work([...others, ['/**']]);
    const withLast = work([...others, ['/**'], ...last]);
    // A hundred questions of 16,384 steps each, and the patterns compared with one another.
    expect(withLast - without).toBeLessThan(100 * 20 * 16_384);
  });

  const grouped = (rules: readonly string[][]): string[][] =>
    Array.from({ length: Math.ceil(rules.length / 100) }, (_, i) =>
      rules.slice(100 * i, 100 * i + 100).flat(),
    );
});

/** Every pointer of at most so many tokens over two names that patterns use and one that none does. */
function allPointers(longest: number): string[][] {
  const grown: string[][] = [[]];
  for (let at = 0, length = 0; length < longest; length++) {
    const end = grown.length;
    for (; at < end; at++) grown.push(...['a', 'b', 'z'].map((token) => [...(grown[at] ?? []), token]));
  }
  return grown;
}
