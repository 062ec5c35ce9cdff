/** Retention: calendar years in UTC, leap days included. */

import { expect, it } from 'vitest';
import { ERASURE_GROUNDS, TEN_YEARS_AFTER_DEATH, yearsAfter } from '../../src/record/retention.ts';

it.each([
  ['2024-02-29T12:00:00.000Z', '2034-03-01T12:00:00.000Z'],
  ['2018-02-28T23:59:59.999Z', '2028-02-28T23:59:59.999Z'],
  ['2019-12-31T23:59:59.999Z', '2029-12-31T23:59:59.999Z'],
  ['1965-06-01T00:00:00.000Z', '1975-06-01T00:00:00.000Z'],
])('of a death stated on %s ends on %s', (died, ends) => {
  expect(yearsAfter(Date.parse(died), 10)).toBe(Date.parse(ends));
  const death = { at: 0, stated: Date.parse(died) };
  expect(TEN_YEARS_AFTER_DEATH.earliest('retention', death)).toBe(Date.parse(ends));
});

it('never ends for who is not dead, nor on another ground', () => {
  for (const ground of ERASURE_GROUNDS) expect(TEN_YEARS_AFTER_DEATH.earliest(ground, null)).toBe(null);
  for (const ground of ['order', 'request'] as const)
    expect(TEN_YEARS_AFTER_DEATH.earliest(ground, { at: 0, stated: 0 })).toBe(null);
});
