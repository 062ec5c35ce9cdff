/**
 * Portions: what goes into each reader's wrap. Whole keys, except where a policy lets somebody in only together with
 * custodians: there a key is two halves, one for the team, the other shared among the custodians.
 * spec/views.md, "Break-glass".
 */

import { KEY_LENGTH, splitSecret, type Random } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { toHex } from '../wire/index.ts';
import type { Holding, WrapKind } from './manifest.ts';
import type { Policy } from './policy.ts';
import type { Reader } from './reader.ts';
import type { ClassKey } from './wrap.ts';

/** Whose keys are halved, and who holds the other halves. */
export interface BreakGlass {
  /** Names in the policy whose keys are halved. */
  readonly names: readonly string[];
  /** Who holds shares of the other halves: distinct, and readers of nothing that is halved. */
  readonly custodians: readonly Reader[];
  /** How many of them it takes, from 1 to all. */
  readonly threshold: number;
}

/** A class that has its line and its key, and is not sealed yet. */
export interface KeyedClass extends ClassKey {
  /** Distinct readers, custodians among them. */
  readonly readers: readonly Reader[];
  /** Of the readers, those who get only half of the key. */
  readonly halved: ReadonlySet<Reader>;
}

/** What goes into one reader's wrap. */
export interface Portion {
  readonly reader: Reader;
  readonly kind: WrapKind;
  readonly threshold: number;
  /** In ascending order of lines. */
  readonly keys: readonly ClassKey[];
}

/**
 * Divides the keys of a document's classes among their readers, in ascending order of reader ids. Throws
 * `VIEW_POLICY` for a reader who would hold some keys whole and some not.
 */
export function portionKeys(
  classes: readonly KeyedClass[],
  breakGlass: BreakGlass | null,
  random: Random,
): Portion[] {
  const portions = new Map<string, Portion & { readonly keys: ClassKey[] }>();
  const give = (reader: Reader, kind: WrapKind, key: ClassKey): void => {
    const id = toHex(reader.id);
    const threshold = kind === 'keys' ? 0 : (breakGlass?.threshold ?? 0);
    const portion = portions.get(id) ?? { reader, kind, threshold, keys: [] };
    if (portion.kind !== kind) throw new MunimentError('VIEW_POLICY');
    portion.keys.push(key);
    portions.set(id, portion);
  };
  for (const { index, key, readers, halved } of [...classes].sort((a, b) => a.index - b.index)) {
    const custody = halved.size === 0 || breakGlass === null ? null : halve(key, breakGlass, random);
    for (const reader of readers) {
      const share = custody?.shares.get(toHex(reader.id));
      if (share !== undefined) give(reader, 'share', { index, key: share });
      else if (custody !== null && halved.has(reader)) give(reader, 'half', { index, key: custody.half });
      else give(reader, 'keys', { index, key });
    }
  }
  return [...portions].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, portion]) => portion);
}

/**
 * Throws `VIEW_POLICY` unless the policy can give each name (one that is misspelt would leave a team its whole keys),
 * and custodians are distinct and as many as the threshold needs.
 */
export function checkBreakGlass({ names, custodians, threshold }: BreakGlass, policy: Policy): void {
  const distinct = new Set(custodians.map(({ id }) => toHex(id))).size === custodians.length;
  const fits = Number.isInteger(threshold) && threshold >= 1 && threshold <= custodians.length;
  if (!distinct || !fits || !names.every((name) => canName(policy, name)))
    throw new MunimentError('VIEW_POLICY');
}

function canName({ compiled }: Policy, name: string): boolean {
  return compiled.some(({ readers }) => {
    if (readers === 'public') return false;
    return readers.fixed.includes(name) || readers.placed.some(({ kind }) => name.startsWith(`${kind}:`));
  });
}

/** What slot and delivery say of a portion. */
export function holdingOf({ reader, kind, threshold, keys }: Portion): Holding {
  return { readerId: reader.id, kind, threshold, classes: keys.map(({ index }) => index) };
}

/** The key of two halves, or the half that the other one completes. */
export function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, i) => byte ^ (b[i] ?? 0));
}

// A is random and goes to the team; B = key xor A is shared, share i to custodian i.
function halve(
  key: Uint8Array,
  { custodians, threshold }: BreakGlass,
  random: Random,
): { readonly half: Uint8Array; readonly shares: ReadonlyMap<string, Uint8Array> } {
  const half = random(KEY_LENGTH);
  const shares = splitSecret(xor(key, half), { threshold, shares: custodians.length }, random);
  const byCustodian = custodians.map(({ id }, i) => [toHex(id), shares[i] ?? new Uint8Array(0)] as const);
  return { half, shares: new Map(byCustodian) };
}
