/** What every part of a check has. */

import { MunimentError } from 'muniment';
import type { AskedIn } from './asked.ts';
import type { Findings } from './findings.ts';
import type { People } from './people.ts';
import type { Scratch } from './scratch.ts';
import type { Source } from './source.ts';
import type { BankTrust } from './trust.ts';

/** A check in progress. */
export interface Context {
  readonly source: Source;
  readonly trust: BankTrust;
  readonly scratch: Scratch;
  readonly findings: Findings;
  readonly people: People;
  readonly asked: AskedIn;
}

/** The code of what a verifier of the library's has thrown; `FORM` for what cannot be read at all. */
export function codeOf(error: unknown): string {
  return error instanceof MunimentError ? error.code : 'FORM';
}

/** Keeps a signed word on the log, to be held against the log itself once it was read. */
export function claim(
  { scratch }: Context,
  tree: { readonly size: number; readonly root: Uint8Array },
  where: { readonly table: string; readonly row: string },
): void {
  scratch.add('claims', { size: tree.size, root: tree.root, place: where.table, row: where.row });
}
