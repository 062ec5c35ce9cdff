/**
 * Checkpoints: a log's state as a C2SP signed note (c2sp.org/tlog-checkpoint, c2sp.org/signed-note), with the log's
 * Ed25519 line. spec/record.md, "Checkpoints".
 */

import { ED25519, sha256, signatureAlgorithm } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { verifySignature, type Signer, type SigningPublicKey } from '../keys/index.ts';
import { concat, equalBytes, fromBase64, toBase64, utf8 } from '../wire/index.ts';
import type { TreeHead } from './log.ts';

/** Longest checkpoint, in characters. */
export const CHECKPOINT_LIMIT = 8192;
const TYPE_ED25519 = 1;
const KEY_ID_LENGTH = 4;
const DASH = '\u2014 ';
// Of whatever key: a name without spaces and plus signs, then base64.
const SIGNATURE_LINE = /^\u2014 [^\s+]+ [A-Za-z0-9+/]+={0,2}$/;
// eslint-disable-next-line no-control-regex -- a note holds no control character but the newline
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f]/;

/** Signs a log's state. */
export async function signCheckpoint(signer: Signer, origin: string, head: TreeHead): Promise<string> {
  checkOrigin(origin);
  const text = `${origin}\n${String(head.size)}\n${toBase64(head.root)}\n`;
  const signature = concat(keyId(origin, signer), await signer.sign(utf8(text)));
  return `${text}\n${DASH}${origin} ${toBase64(signature)}\n`;
}

/**
 * Verifies a checkpoint's own signature line and returns what it says. Lines of other keys are passed over.
 *
 * @param checkpoint - the note's text
 * @param log - the log's origin and key
 * @throws `MunimentError` `RECORD_CHECKPOINT`
 * @example
 * ```ts
 * import { createKeys } from 'muniment/keys';
 * import { Log, signCheckpoint, verifyCheckpoint } from 'muniment/record';
 * const { signer } = createKeys();
 * const log = new Log();
 * log.append(new Uint8Array(32));
 * const origin = 'bank.example/records';
 * const note = await signCheckpoint(signer, origin, { size: log.size, root: log.root() });
 * console.log(verifyCheckpoint(note, { origin, key: signer }).size); // 1
 * ```
 */
export function verifyCheckpoint(
  checkpoint: string,
  log: { readonly origin: string; readonly key: SigningPublicKey },
): TreeHead {
  if (checkpoint.length > CHECKPOINT_LIMIT) throw new MunimentError('RECORD_CHECKPOINT');
  try {
    const end = checkpoint.lastIndexOf('\n\n');
    if (end < 0 || !checkpoint.endsWith('\n') || CONTROL.test(checkpoint))
      throw new MunimentError('RECORD_CHECKPOINT');
    const text = checkpoint.slice(0, end + 1);
    verifyLine(text, checkpoint.slice(end + 2, -1).split('\n'), log);
    return parseBody(text, log.origin);
  } catch (cause) {
    throw new MunimentError('RECORD_CHECKPOINT', undefined, { cause });
  }
}

function verifyLine(
  text: string,
  lines: readonly string[],
  log: { readonly origin: string; readonly key: SigningPublicKey },
): void {
  if (!lines.every((line) => SIGNATURE_LINE.test(line))) throw new MunimentError('RECORD_CHECKPOINT');
  const prefix = `${DASH}${log.origin} `;
  const id = keyId(log.origin, log.key);
  const own = lines
    .filter((line) => line.startsWith(prefix))
    .map((line) => fromBase64(line.slice(prefix.length)))
    .filter((bytes) => equalBytes(bytes.subarray(0, KEY_ID_LENGTH), id));
  const [signature] = own;
  const { signatureLength } = signatureAlgorithm(log.key.algorithm);
  if (own.length !== 1 || signature?.length !== KEY_ID_LENGTH + signatureLength) {
    throw new MunimentError('RECORD_CHECKPOINT');
  }
  verifySignature(log.key, utf8(text), signature.subarray(KEY_ID_LENGTH));
}

function parseBody(text: string, origin: string): TreeHead {
  const [stated, size, root] = text.split('\n');
  if (stated !== origin || size === undefined || !/^(?:0|[1-9][0-9]{0,15})$/.test(size)) {
    throw new MunimentError('RECORD_CHECKPOINT');
  }
  const head = { size: Number(size), root: fromBase64(root ?? '') };
  if (!Number.isSafeInteger(head.size) || head.root.length !== 32)
    throw new MunimentError('RECORD_CHECKPOINT');
  return head;
}

// c2sp.org/signed-note: SHA-256(name ‖ 0x0a ‖ type ‖ public key), its first four bytes.
function keyId(origin: string, key: SigningPublicKey): Uint8Array {
  if (key.algorithm !== ED25519) throw new MunimentError('KEY_ALGORITHM');
  return sha256(concat(utf8(`${origin}\n`), Uint8Array.of(TYPE_ED25519), key.publicKey)).slice(
    0,
    KEY_ID_LENGTH,
  );
}

function checkOrigin(origin: string): void {
  if (!/^[\x21-\x2a\x2c-\x7e]{1,128}$/.test(origin))
    throw new RangeError('an origin is printable ASCII without spaces or +');
}
