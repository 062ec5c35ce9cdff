/**
 * Witness policies and logs as a reader types them. A policy is a line with the number of witnesses that must have
 * cosigned, and then their verifier keys, one a line. A log of renewals is its own verifier keys and its policy; an
 * empty line stands between two of them.
 */

import {
  NO_WITNESSES,
  parseNoteKey,
  type NoteKey,
  type RenewalLog,
  type WitnessPolicy,
} from 'muniment/record';

/** Longest text that is read. */
const LIMIT = 1_000_000;
const NUMBER = /^[0-9]{1,4}$/;

/** Reads a policy; of an empty text the one that demands no witness. Throws `RangeError` for another form. */
export function readPolicy(text: string): WitnessPolicy {
  const lines = linesOf(text);
  return lines.length === 0 ? NO_WITNESSES : policyOf(lines);
}

/** Reads the logs that are trusted for renewals. Throws `RangeError` for another form. */
export function readRenewalLogs(text: string): RenewalLog[] {
  if (text.length > LIMIT) throw new RangeError('this is no list of logs');
  return text
    .split(/\n\s*\n/)
    .map(linesOf)
    .filter((lines) => lines.length > 0)
    .map(logOf);
}

function logOf(lines: readonly string[]): RenewalLog {
  const at = lines.findIndex((line) => NUMBER.test(line));
  const keys = lines.slice(0, Math.max(at, 0)).map(keyOf);
  const [first, second] = [keys.filter(({ type }) => type === 1), keys.filter(({ type }) => type === 6)];
  const [own] = first;
  const one = first.length === 1 && second.length <= 1 && keys.length === first.length + second.length;
  if (own === undefined || !one || second.some(({ name }) => name !== own.name))
    throw new RangeError(
      'a log has one verifier key of type 1, at most one of type 6, and then a number of witnesses',
    );
  const log = { origin: own.name, ed25519: own.publicKey, mlDsa44: second[0]?.publicKey ?? null };
  return { log, witnesses: policyOf(lines.slice(at)) };
}

function policyOf([number = '', ...keys]: readonly string[]): WitnessPolicy {
  if (!NUMBER.test(number)) throw new RangeError('a policy begins with a number of witnesses');
  const policy = { threshold: Number(number), witnesses: keys.map(keyOf) };
  if (policy.threshold > new Set(policy.witnesses.map(({ name }) => name)).size)
    throw new RangeError('a policy demands no more witnesses than it names');
  return policy;
}

function keyOf(line: string): NoteKey {
  try {
    return parseNoteKey(line);
  } catch {
    throw new RangeError(`this is no verifier key: ${line.slice(0, 80)}`);
  }
}

function linesOf(text: string): string[] {
  if (text.length > LIMIT) throw new RangeError('this is no policy');
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
