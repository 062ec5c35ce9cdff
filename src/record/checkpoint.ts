/**
 * Checkpoints: a log's state as a signed note, with the log's own lines by Ed25519 and, if it has such a key,
 * ML-DSA-44, and the lines of witnesses. spec/log.md, "Checkpoints".
 */

import { ED25519, ML_DSA_44 } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import type { Signer } from '../keys/index.ts';
import { equalBytes } from '../wire/index.ts';
import { checkOrigin, checkpointBody, parseCheckpointBody, type CheckpointBody } from './checkpoint-body.ts';
import { signCosignature, verifyCosignature, type CosignerKey } from './cosignature.ts';
import type { TreeHead } from './log.ts';
import {
  knownLines,
  NOTE_LIMIT,
  openNote,
  signNote,
  TYPE_COSIGNATURE_ML_DSA_44,
  TYPE_ED25519,
  type Note,
  type NoteKey,
} from './note.ts';
import { policyKeys, type WitnessPolicy } from './quorum.ts';

/** Longest checkpoint, in UTF-16 code units. */
export const CHECKPOINT_LIMIT = NOTE_LIMIT;

/** Whose checkpoints: a log's name and public keys. */
export interface LogKeys {
  /** 1 to 128 printable ASCII characters without space and `+`. */
  readonly origin: string;
  /** 32 bytes. */
  readonly ed25519: Uint8Array;
  /** 1,312 bytes; `null` for a log that has no such key. If it has one, its line is demanded. */
  readonly mlDsa44: Uint8Array | null;
}

/** What signs a log's checkpoints. */
export interface LogSigner {
  readonly origin: string;
  /** An Ed25519 key. */
  readonly ed25519: Signer;
  /** An ML-DSA-44 key, or `null`. */
  readonly mlDsa44: Signer | null;
}

/** A cosignature that was verified and counted. */
export interface Cosigned {
  /** The witness's. */
  readonly name: string;
  /** When it says that this was the newest it had seen, in milliseconds. */
  readonly time: number;
}

/** What a verified checkpoint says. */
export interface VerifiedCheckpoint extends TreeHead {
  /** One for each witness of the policy that cosigned, in the order of its first line. */
  readonly cosignatures: readonly Cosigned[];
}

/**
 * The public half of a log's keys.
 *
 * @throws `MunimentError` `KEY_ALGORITHM` for keys of other algorithms
 */
export function logKeysOf({ origin, ed25519, mlDsa44 }: LogSigner): LogKeys {
  const fits = ed25519.algorithm === ED25519 && (mlDsa44 === null || mlDsa44.algorithm === ML_DSA_44);
  if (!fits) throw new MunimentError('KEY_ALGORITHM');
  return { origin, ed25519: ed25519.publicKey, mlDsa44: mlDsa44?.publicKey ?? null };
}

/**
 * Signs a log's state. A log signs no state that does not follow all that it signed before: that is the caller's to keep.
 *
 * @param log - the log's name and keys
 * @param head - its size and root
 * @param at - in milliseconds; the ML-DSA-44 line holds it in whole seconds
 * @returns the note: the text, the Ed25519 line, and the ML-DSA-44 line if there is such a key
 * @throws `MunimentError` `KEY_ALGORITHM`; `RangeError` for an origin, head or time that cannot be
 */
export async function signCheckpoint(log: LogSigner, head: TreeHead, at: number): Promise<string> {
  const keys = logKeysOf(log);
  const body = checkpointBody(log.origin, head);
  const note = await signNote(body.text, log.origin, log.ed25519);
  const second = secondKey(keys);
  if (second === null || log.mlDsa44 === null) return note;
  return `${note}${await signCosignature(second, log.mlDsa44, body, at)}\n`;
}

/**
 * Verifies a checkpoint: the log's own lines, and that enough witnesses cosigned it.
 *
 * @param checkpoint - the note, at most {@link CHECKPOINT_LIMIT} code units
 * @param trust - the log's keys, and the witnesses; {@link NO_WITNESSES} to trust the log alone
 * @returns size and root, and who of the policy's witnesses cosigned; lines of keys that neither is are passed over
 * @throws `MunimentError` `RECORD_CHECKPOINT` for another form or log, or a wrong line of a known key; `RECORD_WITNESS` if fewer witnesses than the threshold cosigned; `RangeError` for a policy that cannot be met
 * @example
 * ```ts
 * import { createKeys } from 'muniment/keys';
 * import { Log, logKeysOf, NO_WITNESSES, signCheckpoint, verifyCheckpoint } from 'muniment/record';
 * const bank = { origin: 'bank.example/records', ed25519: createKeys().signer, mlDsa44: null };
 * const log = new Log();
 * log.append(new Uint8Array(32));
 * const note = await signCheckpoint(bank, { size: log.size, root: log.root() }, Date.now());
 * const trust = { log: logKeysOf(bank), witnesses: NO_WITNESSES };
 * console.log(verifyCheckpoint(note, trust).size); // 1
 * ```
 */
export function verifyCheckpoint(
  checkpoint: string,
  trust: { readonly log: LogKeys; readonly witnesses: WitnessPolicy },
): VerifiedCheckpoint {
  const witnesses = policyKeys(trust.witnesses).filter((key) => !isOfLog(key, trust.log));
  const { note, body } = openCheckpoint(checkpoint, trust.log);
  const cosignatures = cosigned(note, body, witnesses);
  if (cosignatures.length < trust.witnesses.threshold) throw new MunimentError('RECORD_WITNESS');
  return { size: body.size, root: body.root, cosignatures };
}

/** Verifies the log's own lines, and reads what they are under. Throws `RECORD_CHECKPOINT`. */
export function openCheckpoint(
  checkpoint: string,
  log: LogKeys,
): { readonly note: Note; readonly body: CheckpointBody } {
  checkOrigin(log.origin);
  const note = openNote(checkpoint, [firstKey(log)]);
  const second = secondKey(log);
  const seconds = second === null ? [] : knownLines(note, [second]);
  // A log signs a state once with each key; two lines of one would be two spellings of one checkpoint.
  if (note.by.length !== 1 || seconds.length !== (second === null ? 0 : 1))
    throw new MunimentError('RECORD_CHECKPOINT');
  const body = parseCheckpointBody(note.text, log.origin);
  for (const { key, signature } of seconds) verifyCosignature(key, body, signature);
  return { note, body };
}

// Every line of a known key must verify (C2SP); those that state a time count, each witness once.
function cosigned(note: Note, body: CheckpointBody, witnesses: readonly CosignerKey[]): Cosigned[] {
  const times = new Map<string, number>();
  for (const { key, signature } of knownLines(note, witnesses)) {
    const time = verifyCosignature(key, body, signature);
    // Without a time its cosigner does not say that this is the newest it has seen.
    if (time > 0) times.set(key.name, Math.min(time, times.get(key.name) ?? time));
  }
  return [...times].map(([name, time]) => ({ name, time }));
}

/** Whether a witness's key is the log itself, under whatever name: it does not vouch for itself. */
function isOfLog({ name, publicKey }: NoteKey, { origin, ed25519, mlDsa44 }: LogKeys): boolean {
  const own = mlDsa44 === null ? [ed25519] : [ed25519, mlDsa44];
  return name === origin || own.some((key) => equalBytes(key, publicKey));
}

function firstKey({ origin, ed25519 }: LogKeys): NoteKey {
  return { name: origin, type: TYPE_ED25519, publicKey: ed25519 };
}

function secondKey({ origin, mlDsa44 }: LogKeys): CosignerKey | null {
  return mlDsa44 === null ? null : { name: origin, type: TYPE_COSIGNATURE_ML_DSA_44, publicKey: mlDsa44 };
}
