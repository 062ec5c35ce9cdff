/** The counter does count: work that grows with the square of a length is seen, whoever does it. */

import { describe, expect, test } from 'vitest';
import { XMLParser } from 'fast-xml-parser';
import { fromBase64url, portableFromBase64url } from '../src/wire/base64url.ts';
import { workOf } from './work.ts';

const total = (run: () => void): number => {
  const { blocks, walked } = workOf(run);
  return blocks + walked;
};

describe('counted work', () => {
  test('is the same each time', () => {
    const run = (): void => void portableFromBase64url('AAAA'.repeat(100));
    expect(workOf(run)).toEqual(workOf(run));
  });

  test('grows with the loops of our own code', () => {
    const of = (length: number): number => workOf(() => portableFromBase64url('AAAA'.repeat(length))).blocks;
    expect(of(2000) - of(1000)).toBe(1000 * (of(30) - of(29)));
    expect(of(30) - of(29)).toBeGreaterThanOrEqual(4);
  });

  test('grows with the loops of dependencies', () => {
    const of = (length: number): number =>
      workOf(() => void new XMLParser().parse(`<a>${'b'.repeat(length)}</a>`)).blocks;
    expect(of(2000) - of(1000)).toBeGreaterThanOrEqual(1000);
  });

  test('grows with what the platform does', () => {
    const of = (length: number): number => workOf(() => fromBase64url('AAAA'.repeat(length))).walked;
    expect(of(2000) - of(1000)).toBeGreaterThanOrEqual(4000);
  });

  test('convicts whoever looks at everything again and again', () => {
    const rescans = (text: string): void => {
      for (let at = 0; at < text.length; at++) text.indexOf('x', at);
    };
    const reslices = (text: string): void => {
      for (let rest = text; rest !== ''; rest = rest.slice(1));
    };
    const researches = (text: string): void => {
      for (const regex = /x/g; regex.lastIndex < text.length;) {
        const { lastIndex } = regex;
        regex.test(text);
        regex.lastIndex = lastIndex + 1;
      }
    };
    for (const run of [rescans, reslices, researches])
      expect(total(() => run('a'.repeat(1000)))).toBeGreaterThan(400_000);
  });

  test('leaves the platform as it was', () => {
    const before = [String.prototype.indexOf, RegExp.prototype.exec];
    const run = (): void => {
      throw new RangeError('x');
    };
    expect(() => workOf(run)).toThrow(RangeError);
    const after = [String.prototype.indexOf, RegExp.prototype.exec];
    expect(after[0]).toBe(before[0]);
    expect(after[1]).toBe(before[1]);
  });
});
