/** Random policies, restrictions and documents of few names, so that they meet. */

import fc from 'fast-check';
import type { PolicyDefinition, PolicyRestriction } from '../../src/views/index.ts';

const NAMES = ['a', 'b', 'c'] as const;
const VALUES = ['R', 'V', 'x', 'y'] as const;

const token = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...NAMES) },
  { weight: 3, arbitrary: fc.constantFrom('0', '*', '**') },
);

/** A pattern of one to four tokens. */
export const anyPattern = fc
  .array(token, { minLength: 1, maxLength: 4 })
  .map((tokens) => `/${tokens.join('/')}`);

const reader = fc.oneof(
  fc.constantFrom('x', 'y', 'z'),
  fc
    .tuple(fc.constantFrom('s', 't'), fc.constantFrom('/a', '/b', '../a', '../b', '../../a', '../c/a'))
    .map(([kind, pointer]) => ({ [kind]: pointer })),
);
const readers = fc.array(reader, { maxLength: 3 });
const compartment = fc.constantFrom('c', 'd', 'e');

/** A policy without restrictions. */
export const anyPolicy: fc.Arbitrary<PolicyDefinition> = fc
  .record({
    rules: fc.array(
      fc.record({
        fields: fc.uniqueArray(anyPattern, { minLength: 1, maxLength: 3 }),
        readers: fc.oneof(
          { weight: 1, arbitrary: fc.constant('public' as const) },
          { weight: 2, arbitrary: readers },
        ),
        compartment,
      }),
      { maxLength: 4 },
    ),
    otherwise: readers,
    otherwiseCompartment: compartment,
  })
  .map(({ rules, ...rest }) => {
    const seen = new Set<string>();
    const distinct = rules.map((rule) => ({
      ...rule,
      fields: rule.fields.filter((field) => !seen.has(field) && seen.add(field)),
    }));
    return { name: 'any/1', rules: distinct.filter(({ fields }) => fields.length > 0), ...rest };
  });

/** Some restrictions. */
export const anyRestrictions: fc.Arbitrary<PolicyRestriction[]> = fc.array(
  fc.record({
    within: fc.oneof(fc.constant(''), anyPattern),
    labels: fc.uniqueArray(fc.oneof(anyPattern, fc.constantFrom('/*', '/a', '/**/b')), {
      minLength: 1,
      maxLength: 2,
    }),
    values: fc.uniqueArray(fc.constantFrom(...VALUES), { minLength: 1, maxLength: 3 }),
    readers,
    compartment: fc.constantFrom('r', 'v'),
  }),
  { minLength: 1, maxLength: 3 },
);

/** JSON text of a small document: now and then a single value, else objects and arrays. */
export const anyDocument: fc.Arbitrary<string> = fc
  .oneof({ weight: 1, arbitrary: anyScalar() }, { weight: 9, arbitrary: anyContainer(3) })
  .map((value) => JSON.stringify(value));

function anyScalar(): fc.Arbitrary<unknown> {
  return fc.oneof(fc.constantFrom<unknown>(...VALUES), fc.constantFrom<unknown>(1, null, {}, []));
}

function anyContainer(levels: number): fc.Arbitrary<unknown> {
  const scalar = { weight: 2, arbitrary: anyScalar() };
  const value =
    levels === 1 ? anyScalar() : fc.oneof(scalar, { weight: 3, arbitrary: anyContainer(levels - 1) });
  return fc.oneof(
    { weight: 3, arbitrary: fc.dictionary(fc.constantFrom(...NAMES), value, { minKeys: 1, maxKeys: 3 }) },
    { weight: 1, arbitrary: fc.array(value, { minLength: 1, maxLength: 3 }) },
  );
}

/** The pointers of a value's fields, by another way than the library's. */
export function pointersOf(value: unknown, pointer = ''): string[] {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  if (entries.length === 0) return [pointer];
  return entries.flatMap(([name, each]) => pointersOf(each, `${pointer}/${name}`));
}
