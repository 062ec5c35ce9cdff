/** The demo's last question: does anything that the server wrote hold a text of a sealed field? */

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { findPlaintext, SHORTEST, subtractControl, type SearchedFile } from './search.ts';
import type { RecordView } from '../client/reading.ts';

/** The text values of every field that is not public, long enough to be told from chance. */
export function sealedTexts(whole: RecordView): string[] {
  const texts = whole.documents.flatMap(({ view }) =>
    view.fields
      .filter(({ classIndex }) => view.account?.readers.get(classIndex) !== 'public')
      .map(({ text }) => (text.startsWith('"') ? (JSON.parse(text) as string) : '')),
  );
  return [...new Set(texts)].filter((text) => text.length >= SHORTEST);
}

/** Everything under a folder, file by file. */
export function* filesUnder(folder: string): Generator<SearchedFile> {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const name = path.join(entry.parentPath, entry.name);
    yield { name: path.relative(folder, name), bytes: readFileSync(name) };
  }
}

/** How often a sealed text, that a run without this patient does not write as well, stands in the server's files. */
export function countLeaks(
  texts: readonly string[],
  files: Iterable<SearchedFile>,
  control: readonly SearchedFile[],
): { readonly searched: number; readonly hits: number } {
  const suspects = subtractControl(texts, control);
  return { searched: suspects.length, hits: findPlaintext(suspects, files).length };
}
