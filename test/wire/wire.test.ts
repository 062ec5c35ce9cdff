/** Properties of src/wire, and the refusals that a vector cannot spell. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareBytes,
  concat,
  encodeItems,
  equalBytes,
  fromBase64,
  fromBase64url,
  fromUtf8,
  jsonValue,
  LABEL_PREFIX,
  pad,
  padmeLength,
  readJson,
  Scratch,
  toBase64,
  toBase64url,
  toHex,
  tuple,
  tupleIn,
  tupleOf,
  TupleReader,
  unpad,
  utf8,
  writeJson,
  type JsonValue,
  type TupleItem,
} from '../../src/wire/index.ts';
import { portableFromBase64url, portableToBase64url } from '../../src/wire/base64url.ts';
import { flipped } from '../mutation.ts';
import { PROPERTY, wellFormed } from '../property.ts';
import { refusal } from '../refusal.ts';

const bytes = fc.uint8Array({ maxLength: 300 });
const integer = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

describe('bytes', () => {
  it('turns text into UTF-8 and back', () => {
    fc.assert(
      fc.property(wellFormed, (text) => {
        expect(fromUtf8(utf8(text))).toBe(text);
        expect(Buffer.from(utf8(text)).equals(Buffer.from(text, 'utf8'))).toBe(true);
      }),
      PROPERTY,
    );
  });

  it('refuses lone surrogates wherever they stand', () => {
    for (const text of ['\ud800', 'a\udfff', '\udc00\ud800', '\ud800\ud800\udc00', 'x\ud83d y'])
      expect(refusal(() => utf8(text))).toBe('WIRE_UTF8');
  });

  it('reads UTF-8 or nothing: what is read encodes to the same bytes', () => {
    fc.assert(
      fc.property(bytes, (input) => {
        let text;
        try {
          text = fromUtf8(input);
        } catch (error) {
          expect((error as { code: string }).code).toBe('WIRE_UTF8');
          return;
        }
        expect(utf8(text)).toEqual(input);
      }),
      PROPERTY,
    );
  });

  it('joins, compares, orders and spells', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(concat(a, b)).toEqual(new Uint8Array(Buffer.concat([a, b])));
        expect(equalBytes(a, b)).toBe(Buffer.from(a).equals(b));
        expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b));
        expect(toHex(a)).toBe(Buffer.from(a).toString('hex'));
      }),
      PROPERTY,
    );
    expect(concat()).toEqual(new Uint8Array(0));
  });
});

describe('base64', () => {
  it('is the inverse of its reading, and what Node writes', () => {
    fc.assert(
      fc.property(bytes, (input) => {
        expect(toBase64url(input)).toBe(Buffer.from(input).toString('base64url'));
        expect(toBase64(input)).toBe(Buffer.from(input).toString('base64'));
        expect(fromBase64url(toBase64url(input))).toEqual(input);
        expect(fromBase64(toBase64(input))).toEqual(input);
      }),
      PROPERTY,
    );
  });

  it('reads the one spelling or nothing', () => {
    const letters = fc.constantFrom(...Array.from('AQZaz09-_+/= \n'));
    fc.assert(
      fc.property(fc.string({ unit: letters, maxLength: 9 }), (text) => {
        for (const [read, write] of [
          [fromBase64url, toBase64url],
          [fromBase64, toBase64],
        ] as const) {
          let found;
          try {
            found = read(text);
          } catch (error) {
            expect((error as { code: string }).code).toBe('WIRE_BASE64URL');
            continue;
          }
          expect(write(found)).toBe(text);
        }
      }),
      { ...PROPERTY, numRuns: 2000 },
    );
  });

  it('is read and written alike by the platform and without it, long or short, good or bad', () => {
    const outcome = (read: (text: string) => Uint8Array, text: string): unknown => {
      try {
        return read(text);
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    for (const length of [0, 1, 2, 3, 71, 72, 73, 74, 95, 96, 97, 98, 1000, 12_321]) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 167 + length) & 0xff);
      const text = toBase64url(bytes);
      expect(text).toBe(portableToBase64url(bytes));
      const middle = text.length >> 1;
      const bad = ['+', '/', '=', ' ', '\n', '.', 'é', '\u0141', '\u{1f600}', ''].flatMap((piece) => [
        text + piece,
        piece + text,
        text.slice(0, middle) + piece + text.slice(middle + 1),
      ]);
      // Unused bits that are not zero: where there are some, the last character may not be just any.
      bad.push(...Array.from('ABCDEFGH_-', (last) => text.slice(0, -1) + last));
      for (const one of [text, ...bad]) {
        const expected = outcome(portableFromBase64url, one);
        expect(outcome(fromBase64url, one), one).toEqual(expected);
        if (expected instanceof Uint8Array) expect(portableToBase64url(expected)).toBe(one);
      }
    }
    expect(refusal(() => fromBase64url(`${'A'.repeat(200)}AB`))).toBe('WIRE_BASE64URL');
    expect(refusal(() => fromBase64url(`${'A'.repeat(200)} AA`))).toBe('WIRE_BASE64URL');
  });

  it('refuses every character outside the alphabet, at every place', () => {
    const good = 'AAAA';
    let refused = 0;
    for (let code = 0; code < 0x180; code++) {
      const character = String.fromCharCode(code);
      if (/[A-Za-z0-9_-]/.test(character)) continue;
      for (let at = 0; at < 4; at++) {
        const text = good.slice(0, at) + character + good.slice(at + 1);
        expect(refusal(() => fromBase64url(text))).toBe('WIRE_BASE64URL');
        refused++;
      }
    }
    expect(refused).toBe((0x180 - 64) * 4);
  });
});

describe('tuples', () => {
  const item: fc.Arbitrary<TupleItem> = fc.letrec<{ item: TupleItem }>((tie) => ({
    item: fc.oneof({ maxDepth: 3 }, bytes, wellFormed, integer, fc.array(tie('item'), { maxLength: 4 })),
  })).item;

  it('encodes as the specification spells it', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 10 }),
        fc.array(item, { maxLength: 5 }),
        (label, items) => {
          expect(Buffer.from(tuple(label, ...items)).toString('hex')).toBe(
            spelled([LABEL_PREFIX + label, ...items]).toString('hex'),
          );
        },
      ),
      PROPERTY,
    );
  });

  it('encodes the same in memory that is there, however little', () => {
    const items: TupleItem[] = [
      'text',
      'é\u{1f600}',
      7,
      2 ** 53 - 1,
      Uint8Array.of(1, 2),
      ['a', [9]],
      'x'.repeat(60),
    ];
    const whole = tuple('example', ...items);
    for (let room = 0; room <= whole.length + 9; room++) {
      const memory = new Uint8Array(room).fill(0xff);
      const encoded = tupleIn(memory, 'example', items);
      expect(encoded).toEqual(whole);
      expect(encoded.buffer === memory.buffer).toBe(room >= whole.length);
      expect(refusal(() => tupleIn(memory, 'example', [...items, 'x\ud800']))).toBe('WIRE_UTF8');
      expect(() => tupleIn(memory, 'example', [...items, -1])).toThrow(RangeError);
      expect(() => tupleIn(memory, 'example', [...items, null as unknown as string])).toThrow(TypeError);
    }
  });

  it('is refused for bytes that say that they have no length, or less than none', () => {
    for (const value of [NaN, -1, -4]) {
      const bytes = Object.defineProperty(Uint8Array.of(1, 2, 3), 'length', { value });
      for (const items of [[bytes], ['text', bytes], [[bytes], 'text']]) {
        expect(() => tuple('example', ...items)).toThrow(TypeError);
        for (const room of [0, 20, 40, 100])
          expect(() => tupleIn(new Uint8Array(room), 'example', items)).toThrow(TypeError);
      }
    }
  });

  it('is refused if a list changes while it is encoded', () => {
    const growing = (step: number): string[] => {
      let length = 10;
      const list: string[] = [];
      Object.defineProperty(list, 0, { enumerable: true, get: () => 'x'.repeat((length += step)) });
      return list;
    };
    for (const step of [1, -1]) {
      expect(() => tuple('example', growing(step), 'more')).toThrow(/changed/);
      expect(() => encodeItems([growing(step)])).toThrow(/changed/);
    }
  });

  it('gives two different lists of byte strings two different encodings', () => {
    const short = fc.array(fc.uint8Array({ maxLength: 3 }), { maxLength: 3 });
    fc.assert(
      fc.property(short, short, (a, b) => {
        const same = a.length === b.length && a.every((part, i) => equalBytes(part, b[i]!));
        expect(equalBytes(tuple('x', ...a), tuple('x', ...b))).toBe(same);
      }),
      { ...PROPERTY, numRuns: 1000 },
    );
  });

  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(bytes, wellFormed, integer, fc.array(integer, { maxLength: 5 }), (a, b, c, d) => {
        const reader = TupleReader.labelled(tuple('example', a, b, c, d), 'example');
        expect([
          reader.bytes(),
          reader.text(10_000),
          reader.integer(),
          reader.list(5, (part) => part.integer()),
        ]).toEqual([a, b, c, d]);
        expect(reader.done).toBe(true);
        reader.end();
      }),
      PROPERTY,
    );
  });

  it('reads any bytes as the one encoding of something, or refuses them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (input) => {
        const reader = new TupleReader(input);
        const parts: Uint8Array[] = [];
        try {
          while (!reader.done) parts.push(reader.bytes());
        } catch (error) {
          expect((error as { code: string }).code).toBe('WIRE_TUPLE');
          return;
        }
        expect(encodeItems(parts)).toEqual(input);
      }),
      { ...PROPERTY, numRuns: 1000 },
    );
  });

  it('notices every altered byte: another content or a refusal', () => {
    const whole = tuple('example', Uint8Array.of(1, 2, 3), 'text', 7, ['a']);
    const read = (input: Uint8Array): unknown => {
      const reader = TupleReader.labelled(input, 'example');
      const parts = [reader.bytes(3), reader.text(4), reader.integer(), reader.list(1, (one) => one.text(1))];
      reader.end();
      return parts;
    };
    const original = read(whole);
    for (let at = 0; at < whole.length; at++) {
      let changed;
      try {
        changed = read(flipped(whole, at));
      } catch (error) {
        expect(['WIRE_TUPLE', 'WIRE_UTF8', 'WIRE_LIMIT']).toContain((error as { code: string }).code);
        continue;
      }
      expect(changed).not.toEqual(original);
    }
  });

  it('are of any length', () => {
    const items = Array.from({ length: 300_000 }, () => 'x');
    const reader = TupleReader.labelled(tupleOf('example', items), 'example');
    let count = 0;
    for (; !reader.done; count++) reader.text();
    expect(count).toBe(items.length);
    expect(tupleOf('example', ['a', 7])).toEqual(tuple('example', 'a', 7));
  });

  it('refuses to be longer than its lengths can say', () => {
    const long = Object.defineProperty(new Uint8Array(1), 'length', { value: 2 ** 32 });
    for (const encode of [() => tuple('example', long), () => encodeItems(['x', long])])
      expect(encode).toThrow(/^a tuple has fewer/);
  });

  it.each([-1, 0.5, Number.NaN, Infinity, 2 ** 53])('refuses the number %s', (value) => {
    expect(() => tuple('example', value)).toThrow(RangeError);
  });

  it.each([new Date(0), undefined, null, new Set([1]), new ArrayBuffer(1), new Uint16Array(1), true])(
    'refuses %s, which is no part of a tuple',
    (value) => {
      expect(() => tuple('example', value as unknown as string)).toThrow(TypeError);
      expect(() => tuple('example', [value as unknown as string])).toThrow(/^a tuple holds/);
    },
  );

  it('refuses text with a lone surrogate', () => {
    expect(refusal(() => tuple('example', '\ud800'))).toBe('WIRE_UTF8');
    expect(refusal(() => tuple('exa\ud800mple'))).toBe('WIRE_UTF8');
  });

  it('hands out copies, of a Buffer too', () => {
    const buffer = Buffer.from(tuple('example', Uint8Array.of(1, 2, 3), [Uint8Array.of(4)]));
    const reader = TupleReader.labelled(buffer, 'example');
    const [part, list] = [reader.bytes(), reader.list(1, (one) => one.bytes())];
    buffer.fill(0);
    expect(part).toEqual(Uint8Array.of(1, 2, 3));
    expect(list).toEqual([Uint8Array.of(4)]);
  });

  it('reads bytes that lie inside a larger buffer', () => {
    const whole = concat(new Uint8Array(5).fill(9), tuple('example', 7), new Uint8Array(5).fill(9));
    const reader = TupleReader.labelled(whole.subarray(5, -5), 'example');
    expect(reader.integer()).toBe(7);
    reader.end();
  });
});

describe('scratch memory', () => {
  it('is lent to one at a time, and holds nothing afterwards, whatever became of the loan', () => {
    const scratch = new Scratch(64);
    const kept: Uint8Array[] = [];
    const borrow = (): void =>
      scratch.lend((memory) => {
        kept.push(tupleIn(memory, 'example', ['secret']));
        scratch.lend((another) => expect(another).toBeNull());
        expect(toHex(kept.at(-1)!)).toBe(toHex(tuple('example', 'secret')));
        if (kept.length > 1) throw new Error('broken off');
      });
    borrow();
    expect(borrow).toThrow('broken off');
    expect(scratch.lend((memory) => memory)).toHaveLength(64); // and lent again
    expect(kept.map((one) => one.length)).toEqual([32, 32]);
    expect(kept[0]!.buffer).toBe(kept[1]!.buffer);
    for (const one of kept) expect(one.every((byte) => byte === 0)).toBe(true);
  });
});

describe('padding', () => {
  it('comes off again, whatever the bucket', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.integer({ min: 0, max: 100 }), (input, more) => {
        expect(unpad(pad(input))).toEqual(input);
        const bucket = input.length + 4 + more;
        expect(pad(input, bucket).length).toBe(bucket);
        expect(unpad(pad(input, bucket), bucket)).toEqual(input);
      }),
      PROPERTY,
    );
  });

  it('never shortens, costs at most 12 % past the floor, and grows with the length', () => {
    let before = 0;
    for (let length = 0; length <= 5000; length++) {
      const bucket = padmeLength(length);
      expect(bucket).toBeGreaterThanOrEqual(Math.max(length, 256, before));
      if (length > 256) expect(bucket).toBeLessThanOrEqual(length * 1.12);
      expect(padmeLength(bucket)).toBe(bucket);
      before = bucket;
    }
    fc.assert(
      fc.property(fc.integer({ min: 257, max: 2 ** 31 }), (length) => {
        expect(padmeLength(length)).toBeGreaterThanOrEqual(length);
        expect(padmeLength(length)).toBeLessThanOrEqual(length * 1.12);
        expect(padmeLength(length)).toBe(padmeByBits(length));
      }),
      PROPERTY,
    );
  });

  it('refuses every altered byte but the text itself', () => {
    const padded = pad(utf8('short'));
    for (let at = 0; at < padded.length; at++) {
      if (at >= 4 && at < 9) expect(unpad(flipped(padded, at))).not.toEqual(utf8('short'));
      else if (at === 3)
        // a length shorter by one leaves the last letter in the padding
        expect(refusal(() => unpad(flipped(padded, at)))).toBe('WIRE_PADDING');
      else expect(refusal(() => unpad(flipped(padded, at, 0xff)))).toBe('WIRE_PADDING');
    }
  });

  it('refuses a plaintext that does not fit its bucket', () => {
    expect(() => pad(new Uint8Array(61), 64)).toThrow(RangeError);
  });

  it('hands out a copy, of a Buffer too', () => {
    const buffer = Buffer.from(pad(Uint8Array.of(1, 2)));
    const plaintext = unpad(buffer);
    buffer.fill(9);
    expect(plaintext).toEqual(Uint8Array.of(1, 2));
  });
});

describe('JSON', () => {
  // -0 has a text of its own, and JSON.stringify writes it as 0.
  const value = fc.jsonValue().filter((one) => !JSON.stringify(one).includes('\\ud'));

  it('agrees with JSON.parse on what JSON.stringify writes, with any white space', () => {
    fc.assert(
      fc.property(value, fc.constantFrom(0, 1, '\t'), (one, space) => {
        const node = readJson(JSON.stringify(one, null, space));
        expect(writeJson(node)).toBe(JSON.stringify(one));
        expect(plain(jsonValue(node))).toEqual(JSON.parse(JSON.stringify(one)));
      }),
      PROPERTY,
    );
  });

  it('never takes what JSON.parse refuses, and fails only by code', () => {
    const letters = fc.constantFrom(...Array.from('{}[]",:0123456789.eE+-\\u truefalsn\n\u0000\u00a0\ufeff'));
    let taken = 0;
    fc.assert(
      fc.property(fc.string({ unit: letters, maxLength: 12 }), (text) => {
        let node;
        try {
          node = readJson(text);
        } catch (error) {
          expect(['WIRE_JSON']).toContain((error as { code: string }).code);
          return;
        }
        taken++;
        expect(plain(jsonValue(node))).toEqual(JSON.parse(text));
        expect(writeJson(readJson(writeJson(node)))).toBe(writeJson(node));
      }),
      { ...PROPERTY, numRuns: 5000 },
    );
    expect(taken).toBeGreaterThan(50);
  });

  it('refuses surrogates that stand raw and alone', () => {
    expect(refusal(() => readJson('"\ud834"'))).toBe('WIRE_JSON');
    expect(refusal(() => readJson('"\udd1e\ud834"'))).toBe('WIRE_JSON');
    expect(refusal(() => readJson('{"\ud834":1}'))).toBe('WIRE_JSON');
    expect(refusal(() => readJson('"\ud834\\udd1e"'))).not.toBe('WIRE_LIMIT');
  });

  it('gives objects without a prototype, at every depth', () => {
    const found = jsonValue(readJson('{"__proto__":{"polluted":1},"a":[{}]}')) as Record<string, JsonValue>;
    expect(Object.getPrototypeOf(found)).toBeNull();
    expect(Object.keys(found)).toEqual(['__proto__', 'a']);
    expect(Object.getPrototypeOf((found['a'] as object[])[0])).toBeNull();
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('keeps member names with their spelling', () => {
    const node = readJson('{"\\u0061":1}');
    expect(node).toEqual({
      kind: 'object',
      members: [{ name: 'a', spelling: '"\\u0061"', node: { kind: 'leaf', text: '1' } }],
    });
  });

  it('reads long texts in linear time', () => {
    const long = `[${'{"a":[1,2,3],"b":"\\u00e9xyz"},'.repeat(30_000)}0]`;
    expect(writeJson(readJson(long))).toBe(long);
    expect(refusal(() => readJson('"'.padEnd(1_000_000, 'x')))).toBe('WIRE_JSON');
    expect(refusal(() => readJson('['.repeat(1_000_000)))).toBe('WIRE_LIMIT');
  });
});

// The tuple encoding once more, by Buffers and 64-bit writes of Node.
function spelled(items: readonly TupleItem[]): Buffer {
  return Buffer.concat(
    items.flatMap((item) => {
      const part = spelledItem(item);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.length);
      return [length, part];
    }),
  );
}

function spelledItem(item: TupleItem): Buffer {
  if (item instanceof Uint8Array) return Buffer.from(item);
  if (typeof item === 'string') return Buffer.from(item, 'utf8');
  if (typeof item !== 'number') return spelled(item);
  const eight = Buffer.alloc(8);
  eight.writeBigUInt64BE(BigInt(item));
  return eight;
}

// Padmé as its paper gives it, in bit arithmetic.
function padmeByBits(length: number): number {
  const exponent = BigInt(length).toString(2).length - 1;
  const bits = exponent.toString(2).length;
  const mask = (1n << BigInt(exponent - bits)) - 1n;
  return Number((BigInt(length) + mask) & ~mask);
}

// With ordinary prototypes, for comparison with JSON.parse.
function plain(value: JsonValue): unknown {
  return JSON.parse(JSON.stringify(value), (name, one: unknown) => (name === '__proto__' ? one : one));
}
