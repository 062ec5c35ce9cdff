/** Every example in a public doc comment and in the README is run as it stands. */

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '..');
// Inside the package, so that `muniment/…` resolves as it does for its users.
const FOLDER = path.join(ROOT, 'test', '.examples');

interface Example {
  readonly name: string;
  readonly code: string;
}

function examples(): Example[] {
  const sources = readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .map((file) => path.join('src', file));
  return ['README.md', 'docs/developers.md', ...sources].flatMap((file) => {
    const text = readFileSync(path.join(ROOT, file), 'utf8').replaceAll(/^ \* ?/gm, '');
    const blocks = [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)];
    return blocks.map((block, i) => ({ name: `${file} #${String(i + 1)}`, code: block[1] ?? '' }));
  });
}

describe('examples', () => {
  const all = examples();
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  afterAll(() => {
    rmSync(FOLDER, { recursive: true, force: true });
  });

  it('are there', () => {
    expect(all.length).toBeGreaterThanOrEqual(20);
    expect(all[0]?.name).toBe('README.md #1');
  });

  it.each(all)('$name', async ({ name, code }) => {
    const file = path.join(FOLDER, `${name.replaceAll(/[^a-zA-Z0-9]+/g, '-')}.ts`);
    writeFileSync(file, code);
    const printed: string[] = [];
    const log = vi
      .spyOn(console, 'log')
      .mockImplementation((...values: unknown[]) => printed.push(values.join(' ')));
    try {
      // eslint-disable-next-line no-restricted-syntax -- the module was written just above
      await import(file);
    } finally {
      log.mockRestore();
    }
    // What an example says that it prints, it prints.
    const promised = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map((match) => match[1]);
    // A line in a loop prints more than once.
    expect([...new Set(printed)]).toEqual(promised);
  });
});
