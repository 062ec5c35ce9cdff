/**
 * Signed notes: a text and the lines of those who signed it (c2sp.org/signed-note v1.0.0), and the keys that verify
 * them. spec/log.md, "Notes". What the lines of cosigners sign is not the text alone: cosignature.ts.
 */

import { ED25519, ML_DSA_44, sha256, signatureAlgorithm } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { verifySignature, type Signer } from '../keys/index.ts';
import { concat, equalBytes, fromBase64, toBase64, toHex, utf8 } from '../wire/index.ts';

/** Longest note, in UTF-16 code units: sixteen signatures of the largest kind that C2SP speaks of, and room. */
export const NOTE_LIMIT = 131_072;
/** Most signature lines of a note. */
export const NOTE_LINES_LIMIT = 100;
/** Longest name of a key, in bytes of UTF-8: what a cosigned message has room for. */
export const NOTE_NAME_LIMIT = 255;

/** Ed25519 over the text. */
export const TYPE_ED25519 = 1;
/** Ed25519 over a time and the text: a cosignature. */
export const TYPE_COSIGNATURE_ED25519 = 4;
/** ML-DSA-44 over a time, names and the tree: a cosignature, and a log's own second line. */
export const TYPE_COSIGNATURE_ML_DSA_44 = 6;

const ALGORITHMS = {
  [TYPE_ED25519]: ED25519,
  [TYPE_COSIGNATURE_ED25519]: ED25519,
  [TYPE_COSIGNATURE_ML_DSA_44]: ML_DSA_44,
} as const;

/** A key that verifies lines of notes: C2SP's verifier key, or vkey. */
export interface NoteKey {
  /** 1 to 255 bytes of UTF-8 without white space and `+`; by convention a URL without its scheme. */
  readonly name: string;
  /** 1: Ed25519 over a note; 4 and 6: a witness's cosignature by Ed25519 or ML-DSA-44. */
  readonly type: 1 | 4 | 6;
  /** 32 bytes, or 1,312 for type 6. */
  readonly publicKey: Uint8Array;
}

/** One signature line: whose it says it is, and what it holds behind the key id. */
export interface NoteLine {
  readonly name: string;
  readonly keyId: Uint8Array;
  readonly signature: Uint8Array;
}

/** A note taken apart; nothing of it is verified. */
export interface Note {
  /** With its last newline. */
  readonly text: string;
  readonly lines: readonly NoteLine[];
}

/** A note that at least one known key signed. */
export interface OpenedNote extends Note {
  /** The key of each verified line, in the lines' order. */
  readonly by: readonly NoteKey[];
}

const KEY_ID_LENGTH = 4;
const DASH = '\u2014 ';
// eslint-disable-next-line no-control-regex -- a note holds no control character but the newline
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;
const NAME = /^[^\p{White_Space}+]+$/u;
const LINE = /^\u2014 ([^ ]+) ([A-Za-z0-9+/]+={0,2})$/;
const VERIFIER_KEY = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/;

/**
 * Takes a note apart.
 *
 * @throws `MunimentError` `RECORD_CHECKPOINT`
 */
export function parseNote(note: string): Note {
  if (note.length > NOTE_LIMIT) return refuse();
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n') || CONTROL.test(note)) return refuse();
  const lines = note.slice(end + 2, -1).split('\n');
  if (lines.length > NOTE_LINES_LIMIT) return refuse();
  return { text: note.slice(0, end + 1), lines: lines.map(parseNoteLine) };
}

/** Reads one signature line, without its newline, or throws `RECORD_CHECKPOINT`. */
export function parseNoteLine(line: string): NoteLine {
  const [, name = '', base64 = ''] = LINE.exec(line) ?? refuse();
  const bytes = strict(() => fromBase64(base64));
  if (!isName(name) || bytes.length <= KEY_ID_LENGTH) return refuse();
  return { name, keyId: bytes.subarray(0, KEY_ID_LENGTH), signature: bytes.subarray(KEY_ID_LENGTH) };
}

/** Writes the line of a key's signature, without its newline. */
export function formatNoteLine(key: NoteKey, signature: Uint8Array): string {
  return `${DASH}${key.name} ${toBase64(concat(noteKeyId(key), signature))}`;
}

/**
 * Signs a text as a note, with an Ed25519 key.
 *
 * @param text - ends with a newline; no control characters but newlines
 * @param name - the key's name: 1 to 255 bytes of UTF-8 without white space and `+`
 * @param signer - an Ed25519 key
 * @throws `MunimentError` `KEY_ALGORITHM`; `RangeError` for a text or name that no note has
 */
export async function signNote(text: string, name: string, signer: Signer): Promise<string> {
  if (signer.algorithm !== ED25519) throw new MunimentError('KEY_ALGORITHM');
  const key: NoteKey = { name, type: TYPE_ED25519, publicKey: signer.publicKey };
  checkNoteKey(key);
  if (!text.endsWith('\n') || CONTROL.test(text) || text.length > NOTE_LIMIT / 2)
    throw new RangeError('a note is lines of text');
  return `${text}\n${formatNoteLine(key, await signer.sign(utf8(text)))}\n`;
}

/**
 * Verifies a note under Ed25519 keys: at least one of them signed it, and no line of theirs is wrong.
 *
 * @param note - at most {@link NOTE_LIMIT} code units and {@link NOTE_LINES_LIMIT} lines of signatures
 * @param keys - of type 1; lines of other keys are passed over
 * @returns the text, every line, and the key of each verified line
 * @throws `MunimentError` `RECORD_CHECKPOINT`; `RangeError` for a key of another type
 * @example
 * ```ts
 * import { openNote, parseNoteKey } from 'muniment/record';
 * const key = parseNoteKey('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k');
 * const note =
 *   'This is an example message.\n\n\u2014 example.com/foo ' +
 *   'Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';
 * console.log(openNote(note, [key]).text.trimEnd()); // This is an example message.
 * ```
 */
export function openNote(note: string, keys: readonly NoteKey[]): OpenedNote {
  if (keys.some(({ type }) => type !== TYPE_ED25519)) throw new RangeError('a cosigner signs no note alone');
  const parsed = parseNote(note);
  const signed = knownLines(parsed, keys);
  if (signed.length === 0) return refuse();
  const text = strict(() => utf8(parsed.text));
  for (const { key, signature } of signed) verifyUnder(key, text, signature);
  return { ...parsed, by: signed.map(({ key }) => key) };
}

/** The lines that these keys claim to have made, each with its key; lines of others are passed over. */
export function knownLines<Key extends NoteKey>(
  note: Note,
  keys: readonly Key[],
): { key: Key; signature: Uint8Array }[] {
  const known = keys.map((key) => ({ key, id: noteKeyId(key) }));
  return note.lines.flatMap(({ name, keyId, signature }) => {
    const [match, another] = known.filter(({ key, id }) => key.name === name && equalBytes(id, keyId));
    // Two keys of one name and id: whose line this is cannot be said.
    if (another !== undefined) return refuse();
    return match === undefined ? [] : [{ key: match.key, signature }];
  });
}

/** Verifies a signature under a key, whatever its type, or throws `RECORD_CHECKPOINT`. */
export function verifyUnder({ type, publicKey }: NoteKey, message: Uint8Array, signature: Uint8Array): void {
  strict(() => verifySignature({ algorithm: ALGORITHMS[type], publicKey }, message, signature));
}

/**
 * Reads a verifier key: `name+id+key`, the id in hexadecimal, type and public key in base64.
 *
 * @param vkey - as C2SP writes it, at most 255 bytes of name
 * @returns the key; its id was the one that name, type and public key make
 * @throws `MunimentError` `RECORD_CHECKPOINT` for another form, another id, a type other than 1, 4 and 6, or a public key of another length
 * @example
 * ```ts
 * import { parseNoteKey } from 'muniment/record';
 * const key = parseNoteKey('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k');
 * console.log(key.name, key.type); // example.com/foo 1
 * ```
 */
export function parseNoteKey(vkey: string): NoteKey {
  if (vkey.length > NOTE_LIMIT) return noKey();
  const [, name = '', id = '', base64 = ''] = VERIFIER_KEY.exec(vkey) ?? noKey();
  const bytes = strict(() => fromBase64(base64));
  const type = bytes[0];
  if (!isType(type)) return noKey();
  const key = { name, type, publicKey: bytes.slice(1) };
  if (!isName(name) || key.publicKey.length !== keyLength(type) || toHex(noteKeyId(key)) !== id)
    return noKey();
  return key;
}

/**
 * Writes a verifier key as C2SP does, for the lists of witnesses and monitors.
 *
 * @throws `RangeError` for a name, type or length that no key has
 */
export function formatNoteKey(key: NoteKey): string {
  checkNoteKey(key);
  return `${key.name}+${toHex(noteKeyId(key))}+${toBase64(concat(Uint8Array.of(key.type), key.publicKey))}`;
}

/** Refuses a caller's key that none can be, by `RangeError`. */
export function checkNoteKey({ name, type, publicKey }: NoteKey): void {
  if (!isName(name)) throw new RangeError('a key has a name without white space and +');
  if (!isType(type) || publicKey.length !== keyLength(type))
    throw new RangeError('a key has a type and its length');
}

/** `SHA-256(name ‖ 0x0A ‖ type ‖ public key)`, its first four bytes. */
export function noteKeyId({ name, type, publicKey }: NoteKey): Uint8Array {
  return sha256(concat(utf8(`${name}\n`), Uint8Array.of(type), publicKey)).slice(0, KEY_ID_LENGTH);
}

function isName(name: string): boolean {
  if (!NAME.test(name) || CONTROL.test(name)) return false;
  try {
    return utf8(name).length <= NOTE_NAME_LIMIT;
  } catch {
    return false; // a lone surrogate
  }
}

function isType(type: number | undefined): type is NoteKey['type'] {
  return type !== undefined && Object.hasOwn(ALGORITHMS, type);
}

function keyLength(type: NoteKey['type']): number {
  return signatureAlgorithm(ALGORITHMS[type]).publicKeyLength;
}

function strict<Value>(run: () => Value): Value {
  try {
    return run();
  } catch (cause) {
    throw new MunimentError('RECORD_CHECKPOINT', undefined, { cause });
  }
}

function noKey(): never {
  throw new MunimentError('RECORD_CHECKPOINT', 'this is no verifier key, or not with its own id');
}

function refuse(): never {
  throw new MunimentError('RECORD_CHECKPOINT');
}
