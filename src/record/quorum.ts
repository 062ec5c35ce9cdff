/** Which witnesses somebody trusts, and how many of them must have cosigned. spec/log.md, "Witnesses". */

import { toHex } from '../wire/index.ts';
import type { CosignerKey } from './cosignature.ts';
import { checkNoteKey, type NoteKey } from './note.ts';

/** Whose cosignatures count, and how many are demanded: k of n. */
export interface WitnessPolicy {
  /** Keys of type 4 or 6. Several of one name are one witness. */
  readonly witnesses: readonly NoteKey[];
  /** How many witnesses must have cosigned; at most as many as there are names. */
  readonly threshold: number;
}

/** Demands no witness. With it a log can show two histories to two readers, and neither of them can tell. */
export const NO_WITNESSES: WitnessPolicy = { witnesses: [], threshold: 0 };

/**
 * The keys of a policy.
 *
 * @throws `RangeError` for a threshold that its witnesses cannot reach, a key that no cosigner has, or one public key under two names
 */
export function policyKeys({ witnesses, threshold }: WitnessPolicy): CosignerKey[] {
  const names = new Set(witnesses.map(({ name }) => name));
  if (!Number.isInteger(threshold) || threshold < 0 || threshold > names.size)
    throw new RangeError('a threshold is a number of witnesses that the policy has');
  const holders = new Map<string, string>();
  return witnesses.map((key) => {
    checkNoteKey(key);
    if (!isCosigner(key)) throw new RangeError('a witness cosigns: its key has type 4 or 6');
    const publicKey = toHex(key.publicKey);
    // Ed25519 cosignatures do not name their cosigner: one key under two names would count twice.
    if (holders.has(publicKey)) throw new RangeError('two keys of the policy are one');
    holders.set(publicKey, key.name);
    return key;
  });
}

function isCosigner(key: NoteKey): key is CosignerKey {
  return key.type !== 1;
}
