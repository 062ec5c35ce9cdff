/** What a check has counted, and what it has found wrong. */

import { toHex } from 'muniment/wire';

/** One thing that is wrong: in which table, in which row, and what does not hold. */
export interface Finding {
  readonly table: string;
  /** The row by its key, as `name=value` texts. */
  readonly row: string;
  /** A stable code: one of the library's, or one of `docs/administration.md`. */
  readonly check: string;
  /** What does not hold, in words; no field values. */
  readonly detail: string;
}

/** What came of a check. */
export interface Checked {
  /** How much of each kind was checked. */
  readonly counts: Readonly<Record<string, number>>;
  /** The first of what is wrong; none if nothing is. */
  readonly findings: readonly Finding[];
  /** How much is wrong altogether. */
  readonly wrong: number;
}

/** Findings that are kept; more are only counted, so that a ruined bank fills no memory. */
const KEPT = 1000;

/** A key's value in a row's name. */
export type KeyValue = string | number | Uint8Array;
/** Names a row by its key. */
export function rowName(key: Readonly<Record<string, KeyValue>>): string {
  return Object.entries(key)
    .map(([name, value]) => `${name}=${value instanceof Uint8Array ? toHex(value) : String(value)}`)
    .join(' ');
}

/** Collects counts and findings while a check runs. */
export class Findings {
  readonly #counts = new Map<string, number>();
  readonly #findings: Finding[] = [];
  #wrong = 0;

  /** Counts what was checked. */
  count(what: string, by = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + by);
  }

  /** Tells of something wrong. */
  add(table: string, row: string, check: string, detail: string): void {
    this.#wrong++;
    if (this.#findings.length < KEPT) this.#findings.push({ table, row, check, detail });
  }

  /** What has come of it. */
  checked(): Checked {
    return { counts: Object.fromEntries(this.#counts), findings: this.#findings, wrong: this.#wrong };
  }
}
