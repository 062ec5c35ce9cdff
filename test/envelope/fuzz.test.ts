/**
 * Mutated envelopes, 200,000 in the slow suite: bytes changed as a bad disk would, text as somebody would who knows the
 * grammar. Decoding does not write the document again, so that it is the exact inverse of encoding is held here.
 */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decodeEnvelope,
  diagnoseEnvelope,
  encodeEnvelope,
  normalizeEnvelope,
  SignedEnvelope,
  verifyEnvelope,
} from '../../src/envelope/index.ts';
import { MunimentError } from '../../src/errors.ts';
import { fromUtf8 } from '../../src/wire/index.ts';
import { fuzz, FUZZ_TIMEOUT, mutants } from '../fuzz.ts';
import { SLOW } from '../property.ts';
import { seededRandom } from '../vectors/generators/seed.ts';
import { contentOf, expected, header, sealed, sealedHeader, signed } from './fixture.ts';

const DATA = '{"id":"7","read":{"record":"r & <1>"}}';
const genuine = await signed(DATA);
// Whoever signs with ML-DSA draws randomness, and then no seed would bring a mutant back.
const composite = new SignedEnvelope(header, '{}', seededRandom('composite signature')(3373));
const first = { ...sealedHeader, type: 'nsl-1', n2: null, timestamp2: null } as const;
const samples = [
  genuine,
  composite,
  sealed(Uint8Array.from({ length: 100 }, (_, i) => i)),
  { header: first, ciphertext: new Uint8Array(0) },
].map(encodeEnvelope);

/** What means something in a document: each may take the place of whatever stands anywhere. */
const PIECES = [
  ...[
    '<',
    '>',
    '&',
    ';',
    '/',
    '"',
    '-',
    '_',
    '=',
    'A',
    'B',
    ' ',
    '\n',
    '\t',
    '\r',
    '\0',
    'é',
    '\ufeff',
    '\ufffe',
  ],
  ...['&amp;', '&lt;', '&gt;', '&quot;', '&#65;', '&#x41;', '&#0;', '&#13;', 'amp;', '&a;', '&__proto__;'],
  ...[
    '<!-- -->',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<![CDATA[A]]>',
    '<![CDATA[<behc>]]>',
    '<?x?>',
    '<!DOCTYPE behc>',
  ],
  ...[
    '<behc>',
    '</behc>',
    '<cos>',
    '</cos>',
    '<dades>',
    '</dades>',
    '<dades/>',
    '<n2/>',
    '<n2></n2>',
    '<timestamp2/>',
  ],
  ...['<signatura>', '</signatura>', '<signatura></signatura>', '<signatura/>', '<signatura>AA</signatura>'],
  ...[
    'nsl-1',
    'nsl-2',
    'nsl-3',
    'request',
    'reply',
    '<pas>5</pas>',
    '<pas>4',
    '1',
    '5',
    'Z',
    '9999',
    '-02-30T',
  ],
  ...['<__proto__></__proto__>', '<constructor/>', '<?xml version="1.0"?>', '\n  ', 'AA', '=='],
];

/** What another tool may write almost anywhere. */
const HARMLESS = ['<!-- -->', '<!---->', '\n', ' ', '&#65;', '&quot;', '<![CDATA[A]]>', '<![CDATA[]]>', 'A'];

const bytes = mutants(samples);
// Up to three pieces, each in front of what stands there or, one time in four, in its place.
const change = fc.tuple(
  fc.nat(0xffff),
  fc.nat(3).map((n) => n === 0),
  fc.oneof(fc.constantFrom(...PIECES), fc.constantFrom(...HARMLESS)),
);
const texts = fc
  .tuple(fc.constantFrom(...samples.map(fromUtf8)), fc.array(change, { minLength: 1, maxLength: 3 }))
  .map(([text, changes]) => changes.reduce(changedText, text));

/** Places are the borders of tags, twice as often as any other. */
function changedText(text: string, [place, instead, piece]: [number, boolean, string]): string {
  const at = place % 3 === 0 ? place % (text.length + 1) : borderOf(text, place);
  return text.slice(0, at) + piece + text.slice(instead ? at + piece.length : at);
}

function borderOf(text: string, place: number): number {
  const borders = [...text.matchAll(/(?=<)|(?<=>)/g)].map(({ index }) => index);
  return borders[place % borders.length] ?? 0;
}

const FORM = ['ENVELOPE_GRAMMAR'] as const;

function refusalOf(run: () => unknown): string | null {
  try {
    run();
    return null;
  } catch (error) {
    if (error instanceof MunimentError) return error.code;
    throw error;
  }
}

/** Everything that must hold of any bytes; throws what the strict reader throws. */
function check(document: Uint8Array): void {
  const lenient = refusalOf(() => normalizeEnvelope(document));
  if (lenient === null) {
    const form = normalizeEnvelope(document);
    expect(same(encodeEnvelope(decodeEnvelope(form)), form)).toBe(true);
  } else expect(['ENVELOPE_GRAMMAR', 'ENVELOPE_TEXT']).toContain(lenient);
  const refused = refusalOf(() => decodeEnvelope(document));
  expect(diagnoseEnvelope(document) === null).toBe(refused === null);

  const envelope = decodeEnvelope(document);
  expect(same(encodeEnvelope(envelope), document)).toBe(true);
  const form = normalizeEnvelope(document);
  expect(same(form, document)).toBe(true);
  expect(contentOf(decodeEnvelope(form))).toEqual(contentOf(envelope));
  // Whoever changed a document did not keep its signature.
  if (envelope instanceof SignedEnvelope && !samples.some((sample) => same(sample, document)))
    expect(refusalOf(() => verifyEnvelope(envelope, expected))).toBe('ENVELOPE_SIGNATURE');
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.from(a).equals(b);
}

test('bytes changed', { timeout: FUZZ_TIMEOUT }, async () => {
  const tally = await fuzz(bytes, FORM, check);
  expect(tally['ok']).toBeGreaterThan(5);
  if (SLOW) console.info('envelopes, bytes changed:', tally);
});

test('grammar put in', { timeout: FUZZ_TIMEOUT }, async () => {
  let foreign = 0;
  const tally = await fuzz(texts, FORM, (text) => {
    const document = new TextEncoder().encode(text);
    const strict = refusalOf(() => decodeEnvelope(document)) === null;
    if (!strict && refusalOf(() => normalizeEnvelope(document)) === null) foreign++;
    check(document);
  });
  // Mutants that only the lenient reader takes must be among them, or nothing is said of it.
  expect(foreign).toBeGreaterThan(5);
  if (SLOW) console.info('envelopes, grammar put in:', tally, 'and other spellings:', foreign);
});
