/** Fields put together again. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { assemble, SKELETON } from '../../src/views/paths.ts';
import { readJson, writeJson } from '../../src/wire/index.ts';

describe('a field’s value', () => {
  // Pieces of everything that is a leaf, and of what is next to one.
  const pieces = ['"', '\\', '\\n', '\\u00e9', 'é', '𝄞', '\ud834', '\udd1e', '\n', '\0', '\x1f', '\x7f', ' '];
  const numbers = ['0', '1', '-', '+', '.', 'e', 'E5', 'null', 'true', 'false', '[', ']', '{}', 'a'];
  const quoted = fc.array(fc.constantFrom(...pieces, ...numbers)).map((parts) => `"${parts.join('')}"`);
  const bare = fc
    .array(fc.constantFrom(...numbers, '"', '\n'), { maxLength: 6 })
    .map((parts) => parts.join(''));

  it('is whatever JSON takes for a leaf, spelled as it stands there', () => {
    let taken = 0;
    fc.assert(
      fc.property(fc.oneof(quoted, bare), (text) => {
        const node = attempt(() => readJson(text));
        const isLeaf = node?.kind === 'leaf' && node.text === text;
        if (isLeaf) taken++;
        expect(attempt(() => assemble([{ path: '', text }]).document)).toEqual(isLeaf ? node : null);
      }),
      { numRuns: 2000 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  it.each(['x', '\\n'])('may be of any length, of %s alone', (piece) => {
    const text = `"${piece.repeat(100_000)}"`;
    expect(writeJson(assemble([{ path: '/a', text }]).document)).toBe(`{"a":${text}}`);
    expect(attempt(() => assemble([{ path: '/a', text: `${text} ` }]))).toBeNull();
  });
});

describe('paths', () => {
  it('make the same document in any order', () => {
    const paths = [
      '/a/b/c',
      '/a/b/d',
      '/a/e',
      '/',
      '/a/f/~n0000000000000001',
      '/a/f/~n0000000000000000',
      '/~0~1',
    ];
    const fields = paths.map((path, i) => ({ path, text: String(i) }));
    fc.assert(
      fc.property(fc.shuffledSubarray(fields, { minLength: fields.length }), (shuffled) => {
        expect(writeJson(assemble(shuffled).document)).toBe(
          '{"":3,"a":{"b":{"c":0,"d":1},"e":2,"f":[5,4]},"~/":6}',
        );
      }),
    );
  });

  it.each([
    ['a leaf below a leaf', ['/a', '/a/b']],
    ['a leaf far below a leaf', ['/a', '/a/b/c']],
    ['a leaf beside others, below one of them', ['/a/b', '/a/c', '/a/b/d']],
    ['the whole document and a part of it', ['', '/a']],
    ['one path twice', ['/a/b', '/a/c', '/a/b']],
    ['the whole document twice', ['', '']],
    ['a path without its slash', ['a']],
    ['a path without its first slash', ['a/b']],
    ['a path without its first slash, beside one that has it', ['/a/b', 'a/b']],
  ])('are refused where there is %s', (_, paths) => {
    const fields = paths.map((path) => ({ path, text: '1' }));
    for (const some of [fields, [...fields].reverse()]) expect(attempt(() => assemble(some))).toBeNull();
  });

  it('need no top where the skeleton has none to fill', () => {
    expect(attempt(() => assemble([{ path: SKELETON, text: '"0"' }]))).toBeNull();
    expect(writeJson(assemble([]).document)).toBe('{}');
  });
});

function attempt<Value>(work: () => Value): Value | null {
  try {
    return work();
  } catch {
    return null;
  }
}
