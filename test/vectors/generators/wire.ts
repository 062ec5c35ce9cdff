/** Vectors of spec/wire.md: text, tuples, base64url, padding, strict JSON. */

import type { ErrorCode } from '../../../src/errors.ts';
import {
  encodeItems,
  pad,
  padmeLength,
  toBase64,
  toBase64url,
  tuple,
  utf8,
  type TupleItem,
} from '../../../src/wire/index.ts';
import { changed } from '../../mutation.ts';
import type { VectorCase, VectorFile } from '../file.ts';
import { hex, unhex } from '../hex.ts';
import { seededRandom } from './seed.ts';

/** A tuple's item with its type, since JSON has no bytes and one kind of number. */
export type Item =
  | { readonly bytes: string }
  | { readonly text: string }
  | { readonly integer: number }
  | { readonly list: readonly Item[] };

/** How the next part of a tuple is to be read. */
export type Shape =
  | { readonly read: 'bytes'; readonly length?: number }
  | { readonly read: 'text'; readonly limit: number }
  | { readonly read: 'integer' }
  | { readonly read: 'list'; readonly limit: number; readonly of: Shape }
  | { readonly read: 'group'; readonly of: readonly Shape[] };

export type WireCase = VectorCase &
  (
    | { readonly operation: 'utf8'; readonly bytes: string; readonly text?: string }
    | {
        readonly operation: 'tuple';
        readonly label: string;
        readonly items: readonly Item[];
        readonly encoded: string;
      }
    | {
        readonly operation: 'read tuple';
        readonly label: string;
        readonly shape: readonly Shape[];
        readonly encoded: string;
      }
    | { readonly operation: 'base64url'; readonly text: string; readonly bytes?: string }
    | { readonly operation: 'base64'; readonly text: string; readonly bytes?: string }
    | { readonly operation: 'padded length'; readonly length: number; readonly paddedLength: number }
    | {
        readonly operation: 'padding';
        readonly padded: string;
        readonly bucket?: number;
        readonly plaintext?: string;
      }
    | {
        readonly operation: 'json';
        readonly text?: string;
        readonly bytes?: string;
        readonly limits?: { readonly length: number; readonly depth: number };
        readonly minified?: string;
      }
  );

/** The item as the tuple encoder takes it. */
export function tupleItem(item: Item): TupleItem {
  if ('bytes' in item) return unhex(item.bytes);
  if ('text' in item) return item.text;
  if ('integer' in item) return item.integer;
  return item.list.map(tupleItem);
}

/** The file. */
export function generate(): VectorFile<WireCase> {
  return {
    description:
      'Text formats: strict UTF-8, tuples, base64url, padding and strict JSON, accepted and refused.',
    spec: 'spec/wire.md',
    cases: [
      ...utf8Cases(),
      ...tupleCases(),
      ...readCases(),
      ...base64urlCases(),
      ...base64Cases(),
      ...padCases(),
      ...jsonCases(),
    ],
  };
}

function utf8Cases(): WireCase[] {
  const good = ['', 'plain', 'é', '€ and 𝄞', '\ufeffa byte order mark is a character like any other', '\0'];
  const bad = {
    'a continuation byte alone': '80',
    'an overlong slash': 'c0af',
    'a surrogate in UTF-8': 'eda080',
    'a sequence cut off': 'e282',
    'a code point past U+10FFFF': 'f4908080',
    'a byte that UTF-8 never has': 'ff',
  };
  return [
    ...good.map((text, i): WireCase => {
      return { name: `utf8: text ${String(i)}`, operation: 'utf8', bytes: hex(utf8(text)), text };
    }),
    ...Object.entries(bad).map(([name, bytes]): WireCase => {
      return { name: `utf8: ${name}`, operation: 'utf8', bytes, error: 'WIRE_UTF8' };
    }),
  ];
}

function tupleCases(): WireCase[] {
  const random = seededRandom('wire tuples');
  const named: Record<string, readonly [string, readonly Item[]]> = {
    'no items': ['example', []],
    'an empty label': ['', []],
    'bytes, text, an integer and a list': [
      'example',
      [{ bytes: 'ff00' }, { text: 'text' }, { integer: 7 }, { list: [{ text: 'a' }, { text: 'b' }] }],
    ],
    'empty bytes, empty text and an empty list look alike': [
      'example',
      [{ bytes: '' }, { text: '' }, { list: [] }],
    ],
    'the least and the greatest integer': ['example', [{ integer: 0 }, { integer: 9007199254740991 }]],
    'an integer of four bytes': ['example', [{ integer: 0x01020304 }]],
    'text beyond ASCII': ['exemple català', [{ text: 'història clínica' }, { text: '𝄞' }]],
    'lists in lists': [
      'example',
      [{ list: [{ list: [] }, { list: [{ integer: 1 }, { list: [{ bytes: 'aa' }] }] }, { bytes: '' }] }],
    ],
    'one item that looks like a tuple': [
      'example',
      [{ bytes: hex(encodeItems(['muniment/1 example', 'text'])) }],
    ],
    'items split otherwise: ab, c': ['example', [{ text: 'ab' }, { text: 'c' }]],
    'items split otherwise: a, bc': ['example', [{ text: 'a' }, { text: 'bc' }]],
    'three hundred bytes': ['example', [{ bytes: hex(random(300)) }]],
  };
  return Object.entries(named).map(([name, [label, items]]): WireCase => {
    const encoded = hex(tuple(label, ...items.map(tupleItem)));
    return { name: `tuple: ${name}`, operation: 'tuple', label, items, encoded };
  });
}

function readCases(): WireCase[] {
  const whole = hex(tuple('example', Uint8Array.of(1, 2), 'text', 7, ['a', 'b']));
  const shape: Shape[] = [
    { read: 'bytes', length: 2 },
    { read: 'text', limit: 4 },
    { read: 'integer' },
    { read: 'list', limit: 2, of: { read: 'text', limit: 1 } },
  ];
  const read = (
    name: string,
    error: ErrorCode | undefined,
    encoded: string,
    other: readonly Shape[] = shape,
  ): WireCase => {
    const base = { name: `read tuple: ${name}`, operation: 'read tuple', label: 'example' } as const;
    const rest = { shape: other, encoded };
    return error === undefined ? { ...base, ...rest } : { ...base, ...rest, error };
  };
  const one = (...items: TupleItem[]): string => hex(tuple('example', ...items));
  const tooBig = changed(new Uint8Array(8), 1, 0x20);
  return [
    read('as it should be', undefined, whole),
    read('nothing at all', 'WIRE_TUPLE', ''),
    read('another label', 'WIRE_TUPLE', hex(tuple('other', Uint8Array.of(1, 2), 'text', 7, ['a', 'b']))),
    read(
      'a label without the prefix',
      'WIRE_TUPLE',
      hex(encodeItems(['example', Uint8Array.of(1, 2), 'text', 7, ['a', 'b']])),
    ),
    read('the last byte missing', 'WIRE_TUPLE', whole.slice(0, -2)),
    read('one byte too many', 'WIRE_TUPLE', whole + '00'),
    read('a further part', 'WIRE_TUPLE', whole + '00000000'),
    read('a part too few', 'WIRE_TUPLE', one(Uint8Array.of(1, 2), 'text', 7)),
    read('a length cut off', 'WIRE_TUPLE', one() + '000000'),
    read('a length past the end', 'WIRE_TUPLE', one() + '00000002' + 'ff', [{ read: 'bytes' }]),
    read('the greatest length', 'WIRE_TUPLE', one() + 'ffffffff' + 'ff', [{ read: 'bytes' }]),
    read('bytes of another length', 'WIRE_TUPLE', one(Uint8Array.of(1)), [{ read: 'bytes', length: 2 }]),
    read('an integer of four bytes', 'WIRE_TUPLE', one(new Uint8Array(4)), [{ read: 'integer' }]),
    read('an integer of nine bytes', 'WIRE_TUPLE', one(new Uint8Array(9)), [{ read: 'integer' }]),
    read('the integer 2^53', 'WIRE_TUPLE', one(tooBig), [{ read: 'integer' }]),
    read('the greatest 64-bit integer', 'WIRE_TUPLE', one(new Uint8Array(8).fill(255)), [
      { read: 'integer' },
    ]),
    read('text over its limit', 'WIRE_LIMIT', one('abcde'), [{ read: 'text', limit: 4 }]),
    read('text that is not UTF-8', 'WIRE_UTF8', one(Uint8Array.of(0xff)), [{ read: 'text', limit: 4 }]),
    read('a list over its limit', 'WIRE_LIMIT', one(['a', 'b', 'c']), [
      { read: 'list', limit: 2, of: { read: 'text', limit: 1 } },
    ]),
    read('a list that ends inside a part', 'WIRE_TUPLE', one(Uint8Array.of(0, 0, 0, 2, 0x61)), [
      { read: 'list', limit: 2, of: { read: 'text', limit: 2 } },
    ]),
    read('a group with a part too many', 'WIRE_TUPLE', one(['a', 'b', 'c']), [
      {
        read: 'group',
        of: [
          { read: 'text', limit: 1 },
          { read: 'text', limit: 1 },
        ],
      },
    ]),
    read('a group', undefined, one(['a', 7]), [
      { read: 'group', of: [{ read: 'text', limit: 1 }, { read: 'integer' }] },
    ]),
  ];
}

function base64urlCases(): WireCase[] {
  const random = seededRandom('wire base64url');
  const good = [
    '',
    '00',
    'fbff',
    'ffffff',
    '000102030405060708',
    ...[1, 2, 3, 31, 32].map((n) => hex(random(n))),
  ];
  const bad = {
    'a length that no bytes have': 'AAAAA',
    'padding: one byte': 'AA==',
    'padding: two bytes': 'AAA=',
    'the other alphabet: plus': '+_8A',
    'the other alphabet: slash': '-/8A',
    'a space': 'AA A',
    'a line feed at the end': 'AAAA\n',
    'a null character': 'AA\0A',
    'a character outside ASCII': 'AAAÁ',
    'unused bits set after one byte': 'AB',
    'a higher unused bit set after one byte': 'AI',
    'unused bits set after two bytes': 'AAB',
    'a higher unused bit set after two bytes': 'AAC',
    'one character alone': 'A',
  };
  return [
    ...good.map((bytes, i): WireCase => {
      const text = toBase64url(unhex(bytes));
      return { name: `base64url: bytes ${String(i)}`, operation: 'base64url', text, bytes };
    }),
    ...Object.entries(bad).map(([name, text]): WireCase => {
      return { name: `base64url: ${name}`, operation: 'base64url', text, error: 'WIRE_BASE64URL' };
    }),
  ];
}

function base64Cases(): WireCase[] {
  const random = seededRandom('wire base64');
  const good = ['', '00', 'fbff', 'ffffff', ...[31, 32].map((n) => hex(random(n)))];
  const bad = {
    'no padding': 'AA',
    'too little padding': 'AA=',
    'too much padding': 'AAA==',
    'padding where none belongs': 'AAAA=',
    'padding inside': 'AA==AAAA',
    'the other alphabet: minus': '-_8A',
    'both alphabets': '+_8A',
    'unused bits set': 'AB==',
    'a line feed at the end': 'AAAA\n',
  };
  return [
    ...good.map((bytes, i): WireCase => {
      const text = toBase64(unhex(bytes));
      return { name: `base64: bytes ${String(i)}`, operation: 'base64', text, bytes };
    }),
    ...Object.entries(bad).map(([name, text]): WireCase => {
      return { name: `base64: ${name}`, operation: 'base64', text, error: 'WIRE_BASE64URL' };
    }),
  ];
}

function padCases(): WireCase[] {
  const random = seededRandom('wire padding');
  const lengths = [0, 1, 255, 256, 257, 264, 265, 511, 512, 513, 1000, 1024, 1025, 4097, 65536, 65537];
  const far = [1000000, 16777215, 16777216, 16777217, 1073741825, 2147483647, 2147483648];
  const padded = (name: string, bytes: Uint8Array, bucket?: number): WireCase => ({
    name: `padding: ${name}`,
    operation: 'padding',
    ...(bucket === undefined ? {} : { bucket }),
    plaintext: hex(bytes),
    padded: hex(pad(bytes, bucket)),
  });
  const refused = (name: string, bytes: Uint8Array, bucket?: number): WireCase => ({
    name: `padding: ${name}`,
    operation: 'padding',
    ...(bucket === undefined ? {} : { bucket }),
    padded: hex(bytes),
    error: 'WIRE_PADDING',
  });
  const five = pad(utf8('short'));
  const at = (length: number): Uint8Array => {
    const bytes = new Uint8Array(length);
    bytes.set(five.subarray(0, 9));
    return bytes;
  };
  return [
    ...[...lengths, ...far].map((length): WireCase => {
      const name = `padded length: ${String(length)}`;
      return { name, operation: 'padded length', length, paddedLength: padmeLength(length) };
    }),
    padded('nothing', new Uint8Array(0)),
    padded('five bytes', utf8('short')),
    padded('the most that the floor holds', random(252)),
    padded('one byte more than the floor holds', random(253)),
    padded('six hundred bytes', random(600)),
    padded('a plaintext that ends in zeros', new Uint8Array(20)),
    padded('a fixed bucket', utf8('x'), 64),
    padded('a fixed bucket that is just full', random(60), 64),
    refused('no bytes at all', new Uint8Array(0)),
    refused('less than a length', new Uint8Array(3)),
    refused('a length past the end', changed(five, 0, 1)),
    refused('a length one past the bucket', changed(five, 3, 253)),
    refused('the first padding byte set', changed(five, 9, 1)),
    refused('the last padding byte set', changed(five, 255, 0x80)),
    refused('a bucket one byte short', at(255)),
    refused('a bucket one byte long', at(257)),
    refused('the next bucket', at(264)),
    refused('no padding', at(9)),
    refused('the free bucket where one is fixed', five, 64),
    refused('a fixed bucket of another length', pad(utf8('x'), 64), 65),
  ];
}

function jsonCases(): WireCase[] {
  const good: Record<string, readonly [string, string]> = {
    'white space between tokens': [' {\t"a" :\r\n[ 1 , 2 ] } ', '{"a":[1,2]}'],
    'the digits of numbers stay': ['[1.00, -0, 1e+2, 1E2, 0.10]', '[1.00,-0,1e+2,1E2,0.10]'],
    'a number past the range of doubles': [
      '[123456789012345678901234567890, 1e400]',
      '[123456789012345678901234567890,1e400]',
    ],
    'the order of members stays': ['{"b":1,"a":2}', '{"b":1,"a":2}'],
    'escapes stay as written': [
      '["\\u0041\\u00e9", "\\/", "/", "\\n\\"\\\\"]',
      '["\\u0041\\u00e9","\\/","/","\\n\\"\\\\"]',
    ],
    'a surrogate pair by escapes': ['"\\ud834\\udd1e"', '"\\ud834\\udd1e"'],
    'a surrogate pair, first half escaped in capitals': ['"\\uD834\\uDD1E"', '"\\uD834\\uDD1E"'],
    'characters beyond ASCII': ['"història 𝄞"', '"història 𝄞"'],
    'DEL and U+2028 need no escape': ['"\u007f\u2028"', '"\u007f\u2028"'],
    'empty things': ['[ [ ] , { } , "" ]', '[[],{},""]'],
    'an empty member name': ['{"":0}', '{"":0}'],
    'a member name that means something in JavaScript': ['{"__proto__":1}', '{"__proto__":1}'],
    'names that differ in case': ['{"a":1,"A":2}', '{"a":1,"A":2}'],
    'names that differ only in their normal form': ['{"é":1,"e\u0301":2}', '{"é":1,"e\u0301":2}'],
    'the same name at two depths': ['{"a":{"a":1}}', '{"a":{"a":1}}'],
    'a string alone': [' "x" ', '"x"'],
    literals: ['[true,false,null]', '[true,false,null]'],
    '128 levels': ['['.repeat(128) + ']'.repeat(128), '['.repeat(128) + ']'.repeat(128)],
  };
  const bad: Record<string, string> = {
    nothing: '',
    'white space only': ' ',
    'two values': '1 2',
    'a comma at the end of an array': '[1,]',
    'a comma at the end of an object': '{"a":1,}',
    'a comma alone': '[,]',
    'a missing comma': '[1 2]',
    'a missing colon': '{"a" 1}',
    'a missing value': '{"a":}',
    'a member name without quotes': '{a:1}',
    'a number as member name': '{1:1}',
    'single quotes': "['a']",
    'an array not closed': '[1',
    'an object not closed': '{"a":1',
    'a string not closed': '"a',
    'an array closed as an object': '[1}',
    'a stray bracket': ']',
    'a leading zero': '01',
    'a leading plus': '+1',
    'a minus alone': '-',
    'a point without digits after it': '1.',
    'a point without digits before it': '.5',
    'an exponent without digits': '1e',
    'a hexadecimal number': '0x10',
    NaN: 'NaN',
    Infinity: '-Infinity',
    'a literal in capitals': 'True',
    'a literal cut off': 'tru',
    'a literal with a tail': 'nullx',
    'a comment': '[1/*1*/]',
    'a raw line feed in a string': '"a\nb"',
    'a raw tab in a string': '"a\tb"',
    'a raw null in a string': '"a\0b"',
    'an unknown escape': '"\\x41"',
    'an escape cut off': '"\\u00e"',
    'a backslash at the end': '"\\',
    'a no-break space between tokens': '[1,\u00a02]',
    'a form feed between tokens': '[1,\f2]',
    'a byte order mark': '\ufeff1',
    'a duplicate member name': '{"a":1,"a":1}',
    'a duplicate member name, one with an escape': '{"a":1,"\\u0061":2}',
    'a duplicate member name far apart': '{"a":1,"b":{},"a":2}',
    'a high surrogate alone, by escape': '"\\ud834"',
    'a low surrogate alone, by escape': '"\\udd1e"',
    'surrogates in the wrong order': '"\\udd1e\\ud834"',
    'a lone surrogate in a member name': '{"\\ud834":1}',
  };
  const json = (name: string, rest: object): WireCase => ({
    name: `json: ${name}`,
    operation: 'json',
    ...rest,
  });
  return [
    ...Object.entries(good).map(([name, [text, minified]]) => json(name, { text, minified })),
    ...Object.entries(bad).map(([name, text]) => json(name, { text, error: 'WIRE_JSON' })),
    json('129 levels', { text: '['.repeat(129) + ']'.repeat(129), error: 'WIRE_LIMIT' }),
    json('objects count as levels', {
      text: '{"a":{}}',
      limits: { length: 100, depth: 1 },
      error: 'WIRE_LIMIT',
    }),
    json('a text of just the longest length', {
      text: '[1,2]',
      limits: { length: 5, depth: 1 },
      minified: '[1,2]',
    }),
    json('a text one longer', { text: '[1,2 ]', limits: { length: 5, depth: 1 }, error: 'WIRE_LIMIT' }),
    json('the limit on length comes before everything', {
      text: '[1,2,,',
      limits: { length: 5, depth: 1 },
      error: 'WIRE_LIMIT',
    }),
    json('UTF-8 bytes', { bytes: hex(utf8('{ "é": 1 }')), minified: '{"é":1}' }),
    json('bytes that are not UTF-8', { bytes: '22ff22', error: 'WIRE_UTF8' }),
    json('bytes with a byte order mark', { bytes: 'efbbbf31', error: 'WIRE_JSON' }),
    json('bytes of UTF-16', { bytes: '31003200', error: 'WIRE_JSON' }),
  ];
}
