/** The XML corpora beside this repository: no document of another grammar gets through, or takes long. */

import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decodeEnvelope, normalizeEnvelope } from '../../src/envelope/index.ts';
import { refusal } from '../refusal.ts';

const folder = new URL('../../../shared/corpora/xml-attacks/', import.meta.url);
const present = existsSync(folder);

test('the corpora are there where they must be', () => {
  if (process.env['MUNIMENT_REQUIRE_CORPORA'] !== undefined) expect(present).toBe(true);
});

test.runIf(present)('each of 260 documents is refused by both readers', () => {
  const index = JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')) as {
    files: { file: string; bytes: number; doctype: boolean; expat: string }[];
  };
  const codes: Record<string, number> = {};
  for (const { file, bytes } of index.files) {
    const document = new Uint8Array(readFileSync(new URL(file, folder)));
    expect(document, file).toHaveLength(bytes);
    const start = performance.now();
    for (const read of [decodeEnvelope, normalizeEnvelope]) {
      const code = refusal(() => read(document));
      codes[code] = (codes[code] ?? 0) + 1;
    }
    expect(performance.now() - start, file).toBeLessThan(1000);
  }
  expect(index.files).toHaveLength(260);
  expect(index.files.filter(({ doctype }) => doctype).length).toBeGreaterThan(100);
  expect(index.files.filter(({ expat }) => expat === 'well-formed').length).toBeGreaterThan(100);
  expect(codes).toEqual({ ENVELOPE_GRAMMAR: 520 });
});
