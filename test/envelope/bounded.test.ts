/** Every document made to hurt is judged for work in proportion to its length, counted and not timed. */

import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  decodeEnvelope,
  ENVELOPE_LIMIT,
  FOREIGN_LIMIT,
  normalizeEnvelope,
} from '../../src/envelope/index.ts';
import { MunimentError } from '../../src/errors.ts';
import { SLOW } from '../property.ts';
import { workOf, type Work } from '../work.ts';
import { attackDocuments } from './attack-documents.ts';

const READERS = [
  { read: decodeEnvelope, accepts: ['both'], limit: ENVELOPE_LIMIT, perByte: 16 },
  { read: normalizeEnvelope, accepts: ['both', 'normalize'], limit: FOREIGN_LIMIT, perByte: 40 },
] as const;
/** What every call may cost, however short the document. */
const PER_CALL = 20_000;

// A reader that looks twice at each byte for each byte would be convicted at a hundredth of this.
const SIZE = SLOW ? FOREIGN_LIMIT : FOREIGN_LIMIT / 16;

/** What a reader did with a document: `ok` or the code of its refusal, and the work of it. */
function judged(read: (document: Uint8Array) => unknown, document: Uint8Array): Work & { outcome: string } {
  let outcome = 'ok';
  const work = workOf(() => {
    try {
      read(document);
    } catch (error) {
      if (!(error instanceof MunimentError)) throw error;
      outcome = error.code;
    }
  });
  return { outcome, ...work };
}

const documents = attackDocuments(SIZE);

test('no two documents have one name', () => {
  expect(new Set(documents.map(({ name }) => name)).size).toBe(documents.length);
});

describe.each(READERS)('$read.name', ({ read, accepts, limit, perByte }) => {
  test.for(documents)('$name', ({ document, accepted }) => {
    const bytes = document();
    const { outcome, blocks, walked } = judged(read, bytes);
    if (bytes.length > limit) {
      expect(outcome).toBe('ENVELOPE_LIMIT');
      expect(blocks + walked).toBeLessThan(1000); // what an error costs: nothing of the document was read
      return;
    }
    const good: readonly (string | undefined)[] = accepts;
    if (good.includes(accepted)) expect(outcome).toBe('ok');
    else expect(['ENVELOPE_GRAMMAR', 'ENVELOPE_TEXT']).toContain(outcome);
    expect(blocks + walked).toBeLessThan(perByte * bytes.length + PER_CALL);
    // Where there is no reference the strict reader leaves what is long to the platform.
    if (read === decodeEnvelope && !bytes.includes(0x26)) expect(blocks).toBeLessThan(2000);
  });
});

const folder = new URL('../../../shared/corpora/xml-attacks/', import.meta.url);
const present = existsSync(folder);

test('the corpora are there where they must be', () => {
  if (process.env['MUNIMENT_REQUIRE_CORPORA'] !== undefined) expect(present).toBe(true);
});

test.runIf(present)('each of the 260 documents of the corpora is refused by both readers', () => {
  const index = JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')) as {
    files: { file: string; bytes: number; doctype: boolean; expat: string }[];
  };
  const codes: Record<string, number> = {};
  for (const { file, bytes } of index.files) {
    const document = new Uint8Array(readFileSync(new URL(file, folder)));
    expect(document, file).toHaveLength(bytes);
    for (const { read, perByte } of READERS) {
      const { outcome, blocks, walked } = judged(read, document);
      codes[outcome] = (codes[outcome] ?? 0) + 1;
      expect(blocks + walked, file).toBeLessThan(perByte * bytes + PER_CALL);
    }
  }
  expect(index.files).toHaveLength(260);
  expect(index.files.filter(({ doctype }) => doctype).length).toBeGreaterThan(100);
  expect(index.files.filter(({ expat }) => expat === 'well-formed').length).toBeGreaterThan(100);
  expect(codes).toEqual({ ENVELOPE_GRAMMAR: 520 });
});

describe('the counter convicts', () => {
  test.each([
    ['a reader that measures again what is left', rereading],
    ['a reader that joins each entity again', expanding],
  ])('%s', (_, read) => {
    const document = new TextEncoder().encode('&e;'.repeat(2000));
    const { blocks, walked } = judged(read, document);
    expect(blocks + walked).toBeGreaterThan(40 * document.length + PER_CALL);
  });
});

function rereading(document: Uint8Array): void {
  let text = new TextDecoder().decode(document);
  while (text.includes('&')) text = text.slice(text.indexOf('&') + 1);
}

function expanding(document: Uint8Array): void {
  let text = new TextDecoder().decode(document);
  while (text.includes('&e;')) text = text.replace('&e;', 'e');
}
