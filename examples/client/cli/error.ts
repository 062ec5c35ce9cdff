/** What a person is told when a command fails: one line, and an exit status. */

import { MunimentError } from 'muniment';
import { Refused } from '../bank.ts';
import { ConnectionError } from '../connection.ts';
import { FhirImportError } from '../fhir.ts';
import { TokenError } from '../keystores/cryptoki.ts';

/** A command that cannot go on. Its message is the line. */
export class CliError extends Error {
  override readonly name: string = 'CliError';
}

/** A command that was not written as it must be: exit status 2. */
export class UsageError extends CliError {
  override readonly name = 'UsageError';
}

/** What the bank's more frequent refusals mean to the person who asked. */
const REFUSALS: Readonly<Record<string, string>> = {
  FORBIDDEN: 'there is no such record, or it is not for you',
  KEY_SUCCESSION: 'it has a credential of that subject that begins as late, or later',
  KEY_REVOKED: 'your credential was revoked; a new one takes new keys',
  OWNER_KEY: 'this key does not own the record: renew or recover first',
  RECORD_CONSISTENCY: 'it shows an older or another history than it has shown before',
  RECORD_EXISTS: 'that exists already',
  RECORD_RETENTION: 'the term is not over, or it is no ground for that',
  RECORD_RIGHT: 'your roles do not allow this, or the record is closed',
  RECORD_STALE: 'somebody else was faster: once more',
  SESSION_PEER: 'it does not know this credential, or that is revoked or not valid now',
  TLS_SUBJECT: 'your TLS certificate is not in the name of your credential',
};

/** The one answer to everybody whom the bank cannot make out, of which this is the one reason that a user can mend. */
const OLD_SETTINGS =
  'the bank takes no message of yours (SESSION_MESSAGE); has it a newer settings.json? then: settings FILE; and has it been started with that?';

/** What this client's own refusals mean to the person who asked. */
const FINDINGS: Readonly<Record<string, string>> = {
  KEY_CHANGE: 'guardians are 2 to 16, all different, and the threshold is from 2 to their number',
  KEY_RECOVERY: 'it is another request, or of another key, or there are too few approvals',
  KEY_SUCCESSION: 'if it is about your own record: renew or recover first',
};

/** The line for an error: never a stack, never a line break. */
export function explain(error: unknown): string {
  if (error instanceof Refused) {
    const hint = REFUSALS[error.code];
    return hint === undefined ? error.message : `${error.message} (${hint})`;
  }
  if (error instanceof MunimentError && error.code === 'SESSION_MESSAGE') return OLD_SETTINGS;
  const hint = error instanceof MunimentError ? FINDINGS[error.code] : undefined;
  if (hint !== undefined) return `${firstLine((error as Error).message)} (${hint})`;
  const expected = [CliError, ConnectionError, FhirImportError, MunimentError, TokenError];
  if (expected.some((kind) => error instanceof kind)) return firstLine((error as Error).message);
  return error instanceof Error ? `${error.name}: ${firstLine(error.message)}` : 'unknown error';
}

/** The exit status for an error. */
export function statusOf(error: unknown): number {
  return error instanceof UsageError ? 2 : 1;
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
