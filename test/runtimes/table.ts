/** The table of docs/runtimes.md: which operation runs on which backend in which runtime, as it was seen. */

import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';
import type { Run } from './engines.ts';

const FILE = path.join(import.meta.dirname, '..', '..', 'docs', 'runtimes.md');
const REGION = /(<!-- table: npm run runtimes -->\n)[^]*(<!-- end of table -->)/;

/** What a runtime is called, and what was seen in it. */
export type Column = readonly [name: string, run: Run];

/** Puts the table into the document. */
export async function writeTable(columns: readonly Column[]): Promise<void> {
  await writeFile(FILE, await documentWith(columns));
}

/** Throws if the document shows another table than what was seen; Chromium's version, which is Debian's, aside. */
export async function checkTable(columns: readonly Column[]): Promise<void> {
  const anyChromium = (text: string): string => text.replace(/Chromium [\d.]+/g, 'Chromium');
  const [committed, seen] = [await readFile(FILE, 'utf8'), await documentWith(columns)];
  if (anyChromium(committed) !== anyChromium(seen))
    throw new Error(`docs/runtimes.md shows another table than this:\n${REGION.exec(seen)?.[0] ?? ''}`);
}

async function documentWith(columns: readonly Column[]): Promise<string> {
  const document = await readFile(FILE, 'utf8');
  if (!REGION.test(document)) throw new Error('docs/runtimes.md has no place for the table');
  const text = document.replace(
    REGION,
    (_, start: string, end: string) => `${start}\n${table(columns)}\n${end}`,
  );
  return format(text, { ...(await resolveConfig(FILE)), parser: 'markdown' });
}

function table(columns: readonly Column[]): string {
  const operations = [...new Set(columns.flatMap(([, { report }]) => Object.keys(report.backends)))];
  // Chromium comes from Debian, not from the lock file: its version stands below, where it may change.
  const pinned = (name: string, version: string): string =>
    name === 'Chromium' ? name : `${name} ${version}`;
  const rows = [
    ['operation', ...columns.map(([name, { version }]) => pinned(name, version))],
    ['---', ...columns.map(() => '---')],
    ...operations.map((operation) => [
      operation,
      ...columns.map(([, { report }]) => report.backends[operation] ?? '—'),
    ]),
  ];
  const chromium = columns.find(([name]) => name === 'Chromium')?.[1].version ?? 'none';
  return [
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
    '',
    `Made with Chromium ${chromium}, Debian's.`,
    '',
  ].join('\n');
}
