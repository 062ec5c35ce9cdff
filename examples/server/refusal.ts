/** The bank's own reasons to refuse, beside the library's codes. */

import { MunimentError } from 'muniment';
import type { Head } from 'muniment/record';

/** A stable code: what a signed refusal names. */
export type RefusalCode =
  | 'ANNEX_MISSING'
  | 'CLOCK'
  | 'FORBIDDEN'
  | 'LISTS_FULL'
  | 'MALFORMED'
  | 'NOT_FOR_OWNER'
  | 'OWNER_KEY'
  | 'PART'
  | 'RECORD_EXISTS'
  | 'RECORD_UNKNOWN'
  | 'REQUEST_REUSED'
  | 'TARGET_UNKNOWN'
  | 'TLS_SUBJECT'
  | 'UPLOADS_FULL';

/** Thrown where a request is refused; it becomes a signed reply. */
export class BankRefusal extends Error {
  override readonly name = 'BankRefusal';
  readonly code: string;
  /** For a stale head the current one, so that the author looks and signs again. */
  readonly head: Head | null;

  constructor(
    code: RefusalCode | 'RECORD_STALE' | 'RECORD_AUTHOR' | 'RECORD_CONSISTENCY',
    head: Head | null = null,
  ) {
    super(code);
    this.code = code;
    this.head = head;
  }
}

/** Refuses what is not what the interface says. */
export function malformed(): never {
  throw new BankRefusal('MALFORMED');
}

/** Whether an error is a reason to refuse; every other one is a defect of the bank's own. */
export function isRefusal(error: unknown): error is BankRefusal | MunimentError {
  return error instanceof BankRefusal || error instanceof MunimentError;
}

/** A code or class name for the log: an error's text could hold what a peer sent. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
