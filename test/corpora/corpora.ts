/**
 * Where the corpora are: other projects' test data, too large to carry in this repository. A suite runs where they
 * are, is skipped with a notice where they are not, and fails there if MUNIMENT_REQUIRE_CORPORA is set.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = new URL('../../../shared/corpora/', import.meta.url);

/** A folder of the corpora, as its tests see it. */
export interface Corpus {
  text(file: string): string;
  json(file: string): unknown;
  bytes(file: string): Uint8Array;
  /** The files below a folder, as paths from the corpus, sorted. */
  files(under: string): string[];
}

/** A suite over one folder of the corpora. */
export function describeCorpus(folder: string, suite: (corpus: Corpus) => void): void {
  const base = new URL(`${folder}/`, ROOT);
  if (existsSync(base)) {
    describe(`corpus ${folder}`, () => suite(open(base)));
    return;
  }
  const { MUNIMENT_REQUIRE_CORPORA } = process.env;
  if (MUNIMENT_REQUIRE_CORPORA !== undefined && MUNIMENT_REQUIRE_CORPORA !== '') {
    it(`corpus ${folder} is required`, () => expect.unreachable(`${fileURLToPath(base)} is absent`));
    return;
  }
  console.warn(`corpus ${folder}: skipped, ${fileURLToPath(base)} is absent`);
  it.skip(`corpus ${folder} is absent`, () => {});
}

function open(base: URL): Corpus {
  const at = (file: string): string => fileURLToPath(base) + file;
  return {
    text: (file) => readFileSync(at(file), 'utf8'),
    json: (file) => JSON.parse(readFileSync(at(file), 'utf8')) as unknown,
    bytes: (file) => new Uint8Array(readFileSync(at(file))),
    files: (under) =>
      readdirSync(at(under), { withFileTypes: true, recursive: true })
        .filter((entry) => entry.isFile())
        .map((entry) => `${entry.parentPath}/${entry.name}`.slice(fileURLToPath(base).length))
        .sort(),
  };
}

/** Hexadecimal of the corpora, in either case. */
export function fromHex(text: string): Uint8Array {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(text)) throw new TypeError('not hexadecimal');
  return new Uint8Array(Buffer.from(text, 'hex'));
}

/** Counts outcomes by name. */
export function tally(outcomes: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}
