/** The error table of spec/errors.md, held against the code. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, MunimentError, type ErrorCode } from '../src/errors.ts';

const DOCUMENT = readFileSync(new URL('../spec/errors.md', import.meta.url), 'utf8');

describe('spec/errors.md', () => {
  const rows = [...DOCUMENT.matchAll(/^\| *`(\w+)` *\| *(\w+) *\| *(.*?) *\|$/gm)].map(
    ([, code, blame, meaning]) => [code, blame, meaning],
  );

  it('has every code once, with its blame and meaning, and no other', () => {
    const codes = Object.entries(ERROR_CODES).map(([code, [blame, meaning]]) => [code, blame, meaning]);
    const byCode = (a: readonly unknown[], b: readonly unknown[]): number =>
      String(a[0]) < String(b[0]) ? -1 : 1;
    expect(rows.sort(byCode)).toEqual(codes.sort(byCode));
    expect(codes.length).toBeGreaterThanOrEqual(42);
  });

  it('explains every blame that is used', () => {
    for (const [blame] of Object.values(ERROR_CODES)) expect(DOCUMENT).toContain(`- \`${blame}\`: `);
  });
});

describe('MunimentError', () => {
  it.each(Object.entries(ERROR_CODES))('%s carries its code, blame and meaning', (code, [blame, meaning]) => {
    const cause = new Error('cause');
    const error = new MunimentError(code as ErrorCode, undefined, { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'MunimentError',
      code,
      blame,
      message: `${code}: ${meaning}`,
      cause,
    });
  });

  it('names the subsystem first', () => {
    for (const code of Object.keys(ERROR_CODES))
      expect(code).toMatch(/^(WIRE|KEY|ENVELOPE|SESSION|VIEW|RECORD)_[A-Z0-9_]+$/);
  });

  it('takes a fixed detail in place of the meaning', () => {
    expect(new MunimentError('KEY_OPEN', 'a detail').message).toBe('KEY_OPEN: a detail');
  });
});
