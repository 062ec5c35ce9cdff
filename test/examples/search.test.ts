import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  findPlaintext,
  type Hit,
  MOST_HITS,
  type SearchedFile,
  type Spelling,
  subtractControl,
} from '../../examples/demo/search.ts';

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const file = (text: string, name = 'f'): SearchedFile => ({ name, bytes: bytesOf(text) });
const join = (...parts: Uint8Array[]): Uint8Array => Buffer.concat(parts);

/** Eight characters, UTF-8 of every length, everything that JSON escapes, and a text longer than a cache line. */
const VALUES = [
  'Müller99',
  'abcdefgh',
  '12345678',
  'O Rh negativo',
  'alérgica à penicilina — grave',
  '𝔠𝔬𝔡𝔢',
  'líne one\nline "two"\\u00e9\tend\u001b\u007f',
  '\0\0ab\0cd\0',
  '??>>~~ÿÿûï¾ß',
  'a treatment summary that goes on and on, '.repeat(5),
];

function bothCases(escaped: string): string[] {
  const escapes = /(?<=(?<!\\)(?:\\\\)*\\u)[0-9a-f]{4}/g;
  return [escaped, escaped.replace(escapes, (digits) => digits.toUpperCase())];
}

/** Every whole spelling of a text inside a longer message, and which part of it must be found. Shares nothing with the search. */
function spellings(value: string): { spelling: Spelling; bytes: Uint8Array }[] {
  const plain = Buffer.from(value, 'utf8');
  const minimal = JSON.stringify(value).slice(1, -1);
  let ascii = '';
  for (let i = 0; i < minimal.length; i++) {
    const code = minimal.charCodeAt(i);
    ascii += code < 0x80 ? minimal.charAt(i) : '\\u' + (code + 0x10000).toString(16).slice(1);
  }
  const all: { spelling: Spelling; bytes: Uint8Array }[] = [{ spelling: 'plain', bytes: plain }];
  for (const text of [...bothCases(minimal), ...bothCases(ascii)]) {
    all.push({ spelling: 'json-escaped', bytes: bytesOf(text) });
  }
  for (const spelling of ['base64', 'base64url'] as const) {
    for (const alignment of [0, 1, 2]) {
      all.push({ spelling, bytes: bytesOf(unchangingPart(plain, alignment, spelling)) });
    }
  }
  all.push({ spelling: 'hex', bytes: bytesOf(plain.toString('hex')) });
  all.push({ spelling: 'hex', bytes: bytesOf(plain.toString('hex').toUpperCase()) });
  return all.filter((one, i) => all.findIndex(({ bytes }) => Buffer.compare(bytes, one.bytes) === 0) === i);
}

/** The base64 characters that stay as they are when every bit beside the text is turned over. */
function unchangingPart(bytes: Uint8Array, alignment: number, spelling: 'base64' | 'base64url'): string {
  // Whole groups of three, so that there is no "=" at the end.
  const after = 6 - ((alignment + bytes.length) % 3);
  const between = (byte: number) =>
    Buffer.concat([Buffer.alloc(alignment, byte), bytes, Buffer.alloc(after, byte)]).toString(spelling);
  const ones = between(0xff);
  return Array.from(between(0x00))
    .filter((character, i) => character === ones[i])
    .join('');
}

function naive(values: readonly string[], files: readonly SearchedFile[]): Hit[] {
  const hits: Hit[] = [];
  for (const value of new Set(values)) {
    if (value.length < 8) continue;
    for (const { name, bytes } of files) {
      for (const { spelling, bytes: pattern } of spellings(value)) {
        const text = Buffer.from(bytes);
        for (let offset = text.indexOf(pattern); offset !== -1; offset = text.indexOf(pattern, offset + 1)) {
          hits.push({ value, file: name, offset, spelling });
        }
      }
    }
  }
  return hits;
}

/** In one order, as the search does not promise any among the hits at one offset. */
function inOrder(hits: readonly Hit[]): string[] {
  return hits.map((hit) => JSON.stringify([hit.file, hit.offset, hit.spelling, hit.value])).sort();
}

describe('a planted text', () => {
  const padding = (length: number) => new Uint8Array(randomBytes(length));

  test.each(VALUES)('%j is found in every spelling at the start, in the middle and at the end', (value) => {
    for (const { spelling, bytes } of spellings(value)) {
      const files = [
        { name: 'alone', bytes },
        { name: 'start', bytes: join(bytes, padding(1000)) },
        { name: 'middle', bytes: join(padding(1000), bytes, padding(1000)) },
        { name: 'end', bytes: join(padding(1000), bytes) },
      ];
      expect(findPlaintext([value], files)).toEqual([
        { value, file: 'alone', offset: 0, spelling },
        { value, file: 'start', offset: 0, spelling },
        { value, file: 'middle', offset: 1000, spelling },
        { value, file: 'end', offset: 1000, spelling },
      ]);
    }
  });

  test.each(VALUES)('%j is found in the encoding of a message around it, at every alignment', (value) => {
    for (let before = 0; before < 9; before++) {
      for (let after = 0; after < 4; after++) {
        const message = Buffer.concat([randomBytes(before), bytesOf(value), randomBytes(after)]);
        for (const encoding of ['base64', 'base64url', 'hex'] as const) {
          const hits = findPlaintext([value], [file(`{"message":"${message.toString(encoding)}"}`)]);
          expect(hits).toHaveLength(1);
          // Without + and / the two alphabets agree.
          expect(hits[0]?.spelling.slice(0, 6)).toBe(encoding.slice(0, 6));
        }
      }
    }
  });

  test.each(VALUES)('%j is found in JSON however its writer escapes', (value) => {
    const json = JSON.stringify({ value });
    const ascii = json.replace(
      /[^\0-\x7f]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    for (const text of [json, ...bothCases(ascii)]) {
      expect(JSON.parse(text)).toEqual({ value });
      expect(findPlaintext([value], [file(text)])).toHaveLength(1);
    }
  });

  test('is found where it overlaps itself and others', () => {
    const text = 'aaaaaaaaaab';
    const values = ['aaaaaaaa', 'aaaaaaaaa', 'aaaaaaaab', 'aaaaaaaac'];
    expect(inOrder(findPlaintext(values, [file(text)]))).toEqual(inOrder(naive(values, [file(text)])));
    expect(findPlaintext(values, [file(text)])).toHaveLength(3 + 2 + 1);
  });

  test('is found among thousands that begin alike', () => {
    const values = Array.from({ length: 5000 }, (_, i) => `urn:patient:${i}${'x'.repeat(i % 7)}.`);
    const text = values.slice(1200, 1300).join('|');
    const hits = findPlaintext(values, [file(text)]);
    expect(hits.map(({ value }) => value)).toEqual(values.slice(1200, 1300));
  });

  test('is found in a view into a larger buffer, at the offset within the view', () => {
    const whole = join(bytesOf('abcdefgh'), padding(100), bytesOf('abcdefgh'), padding(100));
    const bytes = whole.subarray(50, 150);
    expect(findPlaintext(['abcdefgh'], [{ name: 'view', bytes }])).toEqual([
      { value: 'abcdefgh', file: 'view', offset: 58, spelling: 'plain' },
    ]);
  });
});

describe('nothing is found', () => {
  test('in random bytes', () => {
    const values = Array.from({ length: 2000 }, (_, i) => `value number ${i}`);
    expect(findPlaintext([...VALUES, ...values], [{ name: 'random', bytes: randomBytes(1 << 20) }])).toEqual(
      [],
    );
  });

  test('of a text cut short by one byte at either end', () => {
    for (const value of VALUES) {
      for (const { bytes } of spellings(value)) {
        expect(findPlaintext([value], [{ name: 'f', bytes: bytes.slice(1) }])).toEqual([]);
        expect(findPlaintext([value], [{ name: 'f', bytes: bytes.slice(0, -1) }])).toEqual([]);
      }
    }
  });

  test('of a text shorter than eight characters', () => {
    expect(findPlaintext(['', 'short', 'seven77', 'éééé'], [file(' short seven77 éééé')])).toEqual([]);
  });

  test('without files or without texts', () => {
    expect(findPlaintext(VALUES, [])).toEqual([]);
    expect(findPlaintext([], [file('abcdefgh')])).toEqual([]);
    expect(findPlaintext(VALUES, [file(''), file('a'), file('abcdefg')])).toEqual([]);
  });

  test('across the boundary of two files', () => {
    expect(findPlaintext(['abcdefgh'], [file('abcd'), file('efgh')])).toEqual([]);
  });
});

test('a text given twice is reported once', () => {
  expect(findPlaintext(['abcdefgh', 'abcdefgh'], [file('abcdefgh')])).toHaveLength(1);
});

test('collecting ends at the limit, and no further file is read', () => {
  const text = 'a'.repeat(MOST_HITS + 8);
  function* files() {
    yield file(text);
    throw new Error('read on');
  }
  expect(findPlaintext(['aaaaaaaa'], files())).toHaveLength(MOST_HITS);
});

test('files are read one at a time', () => {
  const read: string[] = [];
  function* files() {
    for (const name of ['a', 'b']) {
      read.push(name);
      yield file('abcdefgh', name);
    }
  }
  expect(findPlaintext(['abcdefgh'], files()).map((hit) => hit.file)).toEqual(['a', 'b']);
  expect(read).toEqual(['a', 'b']);
});

test('the search finds what a naive search finds', () => {
  // Few different characters, so that texts share beginnings, overlap, and turn up in each other's encodings.
  const value = fc
    .array(fc.constantFrom('a', 'ab', 'é', '"', '?', '~', '\\', '0', '\n', '𝔛'), {
      minLength: 4,
      maxLength: 14,
    })
    .map((parts) => parts.join(''));
  const values = fc.array(value, { minLength: 1, maxLength: 12 });
  const piece = fc.record({
    pick: fc.nat(),
    form: fc.nat(),
    cut: fc.boolean(),
    noise: fc.uint8Array({ maxLength: 4 }),
  });
  const pieces = fc.array(fc.array(piece, { maxLength: 8 }), { maxLength: 3 });
  let found = 0;
  fc.assert(
    fc.property(values, pieces, (texts, layout) => {
      const files = layout.map((parts, number) => {
        const chunks = parts.flatMap(({ pick, form, cut, noise }) => {
          const forms = spellings(texts[pick % texts.length] ?? '');
          const bytes = forms[form % forms.length]?.bytes ?? noise;
          return [noise, cut ? bytes.slice(0, -1) : bytes];
        });
        return { name: `file ${number}`, bytes: join(...chunks) };
      });
      const hits = findPlaintext(texts, files);
      found += hits.length;
      expect(inOrder(hits)).toEqual(inOrder(naive(texts, files)));
      const order = hits.map(({ file: name, offset }) => [Number(name.slice(5)), offset] as const);
      expect(order).toEqual([...order].sort(([f, a], [g, b]) => f - g || a - b));
      const present = new Set(hits.map((hit) => hit.value));
      const long = [...new Set(texts)].filter((text) => text.length >= 8);
      expect(subtractControl(texts, files)).toEqual(long.filter((text) => !present.has(text)));
    }),
    { numRuns: 1000 },
  );
  expect(found).toBeGreaterThan(1000);
});

describe('subtractControl', () => {
  test('leaves out what the control has in any spelling, keeps order, drops doubles and short texts', () => {
    const values = ['keep me 1', 'in plain', 'in base64', 'in hex 12', 'short', 'keep me 2', 'keep me 1'];
    const control = [
      file('stands in plain sight'),
      file(Buffer.from('..in base64..').toString('base64')),
      file(Buffer.from('in hex 12').toString('hex').toUpperCase()),
    ];
    expect(subtractControl(values, control)).toEqual(['keep me 1', 'keep me 2']);
  });

  test('keeps everything without a control', () => {
    expect(subtractControl(VALUES, [])).toEqual(VALUES);
  });
});
