/** The text of a checkpoint: origin, size and root (c2sp.org/tlog-checkpoint v1.0.0). spec/log.md, "Checkpoints". */

import { HASH_LENGTH } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { fromBase64, toBase64 } from '../wire/index.ts';
import type { TreeHead } from './log.ts';

/** What a checkpoint says, and the text that was or will be signed. */
export interface CheckpointBody extends TreeHead {
  readonly origin: string;
  readonly text: string;
}

const ORIGIN = /^[\x21-\x2a\x2c-\x7e]{1,128}$/;
const SIZE = /^(?:0|[1-9][0-9]{0,15})$/;

/**
 * Writes a checkpoint's text.
 *
 * @throws `RangeError` for an origin that is not 1 to 128 printable ASCII characters without space and `+`; or a size or root that no log has
 */
export function checkpointBody(origin: string, { size, root }: TreeHead): CheckpointBody {
  checkOrigin(origin);
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError('a log has a whole number of leaves');
  if (root.length !== HASH_LENGTH) throw new RangeError('a root is 32 bytes');
  return { origin, size, root, text: `${origin}\n${String(size)}\n${toBase64(root)}\n` };
}

/**
 * Reads a note's text as a checkpoint of this origin. Extension lines may follow, and say nothing here.
 *
 * @throws `MunimentError` `RECORD_CHECKPOINT`
 */
export function parseCheckpointBody(text: string, origin: string): CheckpointBody {
  const [stated, size, base64, ...extensions] = text.split('\n');
  extensions.pop(); // what stands behind the last newline
  const formed = stated === origin && size !== undefined && SIZE.test(size) && !extensions.includes('');
  if (!formed || base64 === undefined || !text.endsWith('\n')) return refuse();
  const body = { origin, size: Number(size), root: readRoot(base64), text };
  if (!Number.isSafeInteger(body.size) || body.root.length !== HASH_LENGTH) return refuse();
  return body;
}

/** Refuses what is no origin, by `RangeError`. */
export function checkOrigin(origin: string): void {
  if (!ORIGIN.test(origin)) throw new RangeError('an origin is printable ASCII without spaces or +');
}

function readRoot(base64: string): Uint8Array {
  try {
    return fromBase64(base64);
  } catch (cause) {
    throw new MunimentError('RECORD_CHECKPOINT', undefined, { cause });
  }
}

function refuse(): never {
  throw new MunimentError('RECORD_CHECKPOINT');
}
