/**
 * Cosignatures: what somebody says who saw that a log only grew (c2sp.org/tlog-cosignature, as of v1.1.0-rc.1), by
 * Ed25519 or ML-DSA-44. spec/log.md, "Cosignatures". Signatures over other subtrees than a whole log are left out.
 */

import { MunimentError } from '../errors.ts';
import type { Signer } from '../keys/index.ts';
import { concat, utf8 } from '../wire/index.ts';
import type { CheckpointBody } from './checkpoint-body.ts';
import { formatNoteLine, TYPE_COSIGNATURE_ED25519, verifyUnder, type NoteKey } from './note.ts';

/** A key of a cosigner: type 4 or 6. */
export interface CosignerKey extends NoteKey {
  readonly type: 4 | 6;
}

const TIME_LENGTH = 8;
const SECOND = 1000;

/**
 * Signs a checkpoint as a cosigner and returns the line, without its newline.
 *
 * @param key - whose line it becomes; the signer's public key
 * @param at - in milliseconds; the line holds whole seconds
 */
export async function signCosignature(
  key: CosignerKey,
  signer: Signer,
  checkpoint: CheckpointBody,
  at: number,
): Promise<string> {
  const time = Math.floor(at / SECOND);
  if (!Number.isSafeInteger(at) || time < 1) throw new RangeError('a cosignature states a time after 1970');
  const signature = await signer.sign(cosignedMessage(key, checkpoint, time));
  return formatNoteLine(key, concat(uint64(time), signature));
}

/**
 * Verifies a cosignature and returns its time in milliseconds; 0 where the cosigner states none.
 *
 * @param signature - the line's bytes behind the key id
 * @throws `MunimentError` `RECORD_CHECKPOINT`
 */
export function verifyCosignature(
  key: CosignerKey,
  checkpoint: CheckpointBody,
  signature: Uint8Array,
): number {
  if (signature.length < TIME_LENGTH) throw new MunimentError('RECORD_CHECKPOINT');
  const view = new DataView(signature.buffer, signature.byteOffset, TIME_LENGTH);
  const time = Number(view.getBigUint64(0));
  // Milliseconds are whole numbers up to the year 287,396; C2SP's seconds go further.
  if (!Number.isSafeInteger(time * SECOND)) throw new MunimentError('RECORD_CHECKPOINT');
  verifyUnder(key, cosignedMessage(key, checkpoint, time), signature.subarray(TIME_LENGTH));
  return time * SECOND;
}

/** What a cosigner signs: lines of text by Ed25519, a structure by ML-DSA-44. */
export function cosignedMessage(key: CosignerKey, checkpoint: CheckpointBody, time: number): Uint8Array {
  if (key.type === TYPE_COSIGNATURE_ED25519) {
    return utf8(`cosignature/v1\ntime ${String(time)}\n${checkpoint.text}`);
  }
  return concat(
    utf8('subtree/v1\n\0'),
    opaque(key.name),
    uint64(time),
    opaque(checkpoint.origin),
    uint64(0),
    uint64(checkpoint.size),
    checkpoint.root,
  );
}

// opaque<1..2^8-1> of TLS: a byte that says how long, and the bytes.
function opaque(text: string): Uint8Array {
  const bytes = utf8(text);
  return concat(Uint8Array.of(bytes.length), bytes);
}

function uint64(value: number): Uint8Array {
  const bytes = new Uint8Array(TIME_LENGTH);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}
