/**
 * What a witness does: it remembers the newest state it saw of each log, and cosigns only what follows from it
 * (c2sp.org/tlog-witness v1.0.0, without its HTTP). spec/log.md, "Witnesses".
 */

import { ED25519, ML_DSA_44 } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import type { Signer } from '../keys/index.ts';
import { openCheckpoint, type LogKeys } from './checkpoint.ts';
import { signCosignature, type CosignerKey } from './cosignature.ts';
import { verifyConsistency, type TreeHead } from './log.ts';
import {
  checkNoteKey,
  parseNote,
  parseNoteLine,
  TYPE_COSIGNATURE_ED25519,
  TYPE_COSIGNATURE_ML_DSA_44,
} from './note.ts';

/** Who cosigns. */
export interface Witness {
  /** 1 to 255 bytes of UTF-8 without white space and `+`; by convention a URL without its scheme. */
  readonly name: string;
  /** An Ed25519 key that signs under no other name, or an ML-DSA-44 key. */
  readonly signer: Signer;
}

/** A witness's answer. */
export interface Cosignature {
  /** What the witness has now seen. */
  readonly known: TreeHead;
  /** The signature line, without its newline. */
  readonly line: string;
}

/**
 * The key under which a witness's lines verify: type 4 for Ed25519, 6 for ML-DSA-44.
 *
 * @throws `MunimentError` `KEY_ALGORITHM` for another algorithm; `RangeError` for a name that no key has
 */
export function witnessKey({ name, signer: { algorithm, publicKey } }: Witness): CosignerKey {
  if (algorithm !== ED25519 && algorithm !== ML_DSA_44) throw new MunimentError('KEY_ALGORITHM');
  const type = algorithm === ED25519 ? TYPE_COSIGNATURE_ED25519 : TYPE_COSIGNATURE_ML_DSA_44;
  const key = { name, type, publicKey } as const;
  checkNoteKey(key);
  return key;
}

/**
 * Cosigns a checkpoint that follows from what the witness knows. One call at a time for each log: store the new
 * `known` in place of the old one, and only if the old one still stands there, before the line leaves the house.
 * Otherwise two calls can cosign two futures of one log.
 *
 * @param witness - its name and key
 * @param checkpoint - the note as the log sent it
 * @param seen - the keys of the log; the newest state that this witness cosigned, `{ size: 0, root: emptyRoot() }` before the first; the consistency proof from it, empty for equal sizes and from nothing; and the time in milliseconds
 * @returns the new state, and the line to send
 * @throws `MunimentError` `RECORD_CHECKPOINT` for a checkpoint that the log did not sign; `RECORD_CONSISTENCY` for an older one, another of the same size, or a proof that does not hold; `KEY_ALGORITHM`
 * @example
 * ```ts
 * import { emptyRoot } from 'muniment/crypto';
 * import { createKeys } from 'muniment/keys';
 * import { addCosignatures, cosign, Log, logKeysOf, signCheckpoint, verifyCheckpoint, witnessKey } from 'muniment/record';
 * const bank = { origin: 'bank.example/records', ed25519: createKeys().signer, mlDsa44: null };
 * const log = new Log();
 * log.append(new Uint8Array(32));
 * const note = await signCheckpoint(bank, { size: log.size, root: log.root() }, Date.now());
 *
 * const witness = { name: 'witness.example/w1', signer: createKeys().signer };
 * const known = { size: 0, root: emptyRoot() };
 * const { line } = await cosign(witness, note, { log: logKeysOf(bank), known, proof: [], at: Date.now() });
 *
 * const witnesses = { witnesses: [witnessKey(witness)], threshold: 1 };
 * const { cosignatures } = verifyCheckpoint(addCosignatures(note, [line]), { log: logKeysOf(bank), witnesses });
 * console.log(cosignatures[0]?.name); // witness.example/w1
 * ```
 */
export async function cosign(
  witness: Witness,
  checkpoint: string,
  seen: {
    readonly log: LogKeys;
    readonly known: TreeHead;
    readonly proof: readonly Uint8Array[];
    readonly at: number;
  },
): Promise<Cosignature> {
  const key = witnessKey(witness);
  const { body } = openCheckpoint(checkpoint, seen.log);
  const { size, root } = verifyConsistency(seen.known, body, seen.proof);
  return { known: { size, root }, line: await signCosignature(key, witness.signer, body, seen.at) };
}

/**
 * Puts cosignatures under a checkpoint. Nothing is verified: a log verifies the result under its readers' policies
 * before it serves it, since one wrong line of a known witness makes them refuse the whole.
 *
 * @param checkpoint - a note
 * @param lines - signature lines without newlines; one that stands there already is not added again
 * @throws `MunimentError` `RECORD_CHECKPOINT` for a note or line of another form, or past the limits of a note
 */
export function addCosignatures(checkpoint: string, lines: readonly string[]): string {
  const { text } = parseNote(checkpoint);
  lines.forEach(parseNoteLine); // so that none of them brings a second one along
  const present = new Set(checkpoint.slice(text.length + 1).split('\n'));
  const added = [...new Set(lines)].filter((line) => !present.has(line));
  const whole = checkpoint + added.map((line) => `${line}\n`).join('');
  parseNote(whole);
  return whole;
}
