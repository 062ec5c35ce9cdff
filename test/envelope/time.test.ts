/** Times as text: the platform's own spelling, one for each millisecond, and no other text. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { timeFromText, timeText } from '../../src/envelope/time.ts';
import { PROPERTY } from '../property.ts';

const LAST = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

test('every millisecond is spelled as the platform spells it, and read back', () => {
  const times = fc.oneof(
    fc.integer({ min: 0, max: LAST }),
    fc.constantFrom(0, 999, 1000, 86_399_999, 86_400_000, LAST),
  );
  fc.assert(
    fc.property(times, (time) => {
      const text = timeText(time);
      expect(text).toBe(new Date(time).toISOString());
      expect(timeFromText(text)).toBe(time);
    }),
    { ...PROPERTY, numRuns: 5000 },
  );
});

test('every day of four centuries is read as the platform reads it, and no 29th of February too many', () => {
  for (let year = 1970; year < 2370; year++) {
    for (const day of ['01-31', '02-28', '02-29', '03-01', '04-30', '12-31']) {
      const text = `${String(year)}-${day}T12:00:00.000Z`;
      const parsed = new Date(text);
      const exists = !Number.isNaN(parsed.getTime()) && parsed.toISOString() === text;
      expect(timeFromText(text), text).toBe(exists ? parsed.getTime() : null);
    }
  }
});

test.for([
  '',
  '1969-12-31T23:59:59.999Z',
  '0000-01-01T00:00:00.000Z',
  '2026-00-01T00:00:00.000Z',
  '2026-13-01T00:00:00.000Z',
  '2026-01-00T00:00:00.000Z',
  '2026-04-31T00:00:00.000Z',
  '2026-06-31T00:00:00.000Z',
  '1900-02-29T00:00:00.000Z',
  '2026-01-01T24:00:00.000Z',
  '2026-01-01T23:60:00.000Z',
  '2026-01-01T23:59:60.000Z',
  '2026-01-01T00:00:00Z',
  '2026-01-01T00:00:00.0000Z',
  '2026-01-01 00:00:00.000Z',
  '2026-01-01T00:00:00.000z',
  '2026-01-01T00:00:00.000+00:00',
  '+12026-01-01T00:00:00.000Z',
  ' 2026-01-01T00:00:00.000Z',
  '2026-01-01T00:00:00.000Z\n',
  '２026-01-01T00:00:00.000Z',
])('%j is no time', (text) => {
  expect(timeFromText(text)).toBeNull();
});
