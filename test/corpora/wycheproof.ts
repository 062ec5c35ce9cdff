/** Files of Project Wycheproof: groups of cases, each group with what its cases have in common. */

import { expect } from 'vitest';
import type { Corpus } from './corpora.ts';

/** What every case says of itself. */
export interface Judged {
  readonly tcId: number;
  readonly comment?: string;
  readonly flags?: readonly string[];
  readonly result: 'valid' | 'invalid' | 'acceptable';
}

interface File {
  readonly numberOfTests: number;
  readonly testGroups: readonly { readonly tests: readonly object[] }[];
}

/** All cases of a file, each with its group's fields beside its own. */
export function casesOf<Case>(corpus: Corpus, file: string): (Case & Judged)[] {
  const { numberOfTests, testGroups } = corpus.json(file) as File;
  const cases = testGroups.flatMap(({ tests, ...group }) => tests.map((test) => ({ ...group, ...test })));
  expect(cases.length).toBe(numberOfTests);
  return cases as (Case & Judged)[];
}
