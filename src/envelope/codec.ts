/**
 * One model, one byte string. The encoder writes exactly one XML form; the decoder is its exact inverse: a reader
 * of this one grammar that knows no DTD, attribute, comment, CDATA, processing instruction, namespace or white
 * space between elements, so that none of them can be an attack. spec/envelope.md, "Form".
 */

import { SIGNATURE_LENGTHS } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { fromBase64url, fromUtf8, toBase64url, utf8 } from '../wire/index.ts';
import {
  checkHeader,
  HANDLE_LENGTH,
  ID_LENGTH,
  isSignedType,
  MESSAGE_TYPES,
  readUnverifiedData,
  SignedEnvelope,
  stepOf,
  type Envelope,
  type Header,
  type SealedEnvelope,
} from './model.ts';
import { timeFromText, timeText } from './time.ts';

/** Longest envelope in bytes. */
export const ENVELOPE_LIMIT = 48 * 1024 * 1024;

/**
 * Writes an envelope as its one XML form.
 *
 * @param envelope - the model
 * @returns UTF-8 bytes without declaration or white space between elements
 * @throws `MunimentError` `ENVELOPE_TEXT` if a text holds a character that XML cannot carry unchanged; `ENVELOPE_LIMIT`; `RangeError`
 * for a model that no document states
 * @example
 * ```ts
 * import { decodeEnvelope, encodeEnvelope } from 'muniment/envelope';
 * const n1 = new Uint8Array(16);
 * const header = { type: 'nsl-1', sender: n1, timestamp: 0, n1, timestamp1: 0, n2: null, timestamp2: null } as const;
 * const bytes = encodeEnvelope({ header, ciphertext: new Uint8Array(3) });
 * decodeEnvelope(bytes).header.type; // 'nsl-1'
 * ```
 */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  const { header } = envelope;
  const signed = envelope instanceof SignedEnvelope;
  if (!signed) checkHeader(header, HANDLE_LENGTH); // a signed envelope was checked when it was made
  const length = signed ? readUnverifiedData(envelope).length : envelope.ciphertext.length;
  if (length > ENVELOPE_LIMIT) throw new MunimentError('ENVELOPE_LIMIT');
  const data = signed ? escapeText(readUnverifiedData(envelope)) : toBase64url(envelope.ciphertext);
  const signature = signed ? `<signatura>${toBase64url(envelope.signature)}</signatura>` : '';
  const bytes = toUtf8(`<behc>${headerXml(header)}<cos><dades>${data}</dades>${signature}</cos></behc>`);
  if (bytes.length > ENVELOPE_LIMIT) throw new MunimentError('ENVELOPE_LIMIT');
  return bytes;
}

/**
 * Reads an envelope's one XML form and nothing else. What it returns is not verified: a sealed envelope has to be
 * opened, a signed one keeps its data to itself until `verifyEnvelope`.
 *
 * @param bytes - at most {@link ENVELOPE_LIMIT}
 * @returns the model; encoding it again gives the same bytes
 * @throws `MunimentError` `ENVELOPE_LIMIT`, `ENVELOPE_GRAMMAR`; what is wrong with a document `diagnoseEnvelope` says
 */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length > ENVELOPE_LIMIT) throw new MunimentError('ENVELOPE_LIMIT');
  // Before anything is decoded: most of what is no envelope at all ends here, however long it is.
  if (!startsAndEnds(bytes)) fail('capcalera');
  try {
    return envelopeFromTexts(readForm(fromUtf8(bytes)));
  } catch (cause) {
    if (cause instanceof MunimentError && cause.code === 'ENVELOPE_GRAMMAR') throw cause;
    throw new MunimentError('ENVELOPE_GRAMMAR', undefined, { cause });
  }
}

/**
 * The same for a sealed envelope alone: what is signed is refused before its text is looked at.
 *
 * @throws `MunimentError` `ENVELOPE_LIMIT`, `ENVELOPE_GRAMMAR`
 */
export function decodeSealed(bytes: Uint8Array): SealedEnvelope {
  if (!endsWith(bytes, SEALED_END)) fail('signatura');
  const envelope = decodeEnvelope(bytes);
  return envelope instanceof SignedEnvelope ? fail('signatura') : envelope;
}

/** The texts of the document's leaf elements, references resolved; `signatura` may be absent. */
export interface EnvelopeTexts {
  'tipus-msg': string;
  'id-remitent': string;
  timestamp: string;
  pas: string;
  n1: string;
  timestamp1: string;
  n2: string;
  timestamp2: string;
  dades: string;
  signatura: string | null;
}

/** Builds the typed model from the document's texts; the second half of both readers. */
export function envelopeFromTexts(texts: EnvelopeTexts): Envelope {
  const type = MESSAGE_TYPES.find((known) => known === texts['tipus-msg']) ?? fail('tipus-msg');
  if (texts.pas !== String(stepOf(type))) fail('pas');
  const first = type === 'nsl-1';
  const header: Header = {
    type,
    sender: bytesOf(texts, 'id-remitent', texts.signatura === null ? [HANDLE_LENGTH] : [ID_LENGTH]),
    timestamp: timeOf(texts, 'timestamp'),
    n1: bytesOf(texts, 'n1', [HANDLE_LENGTH]),
    timestamp1: timeOf(texts, 'timestamp1'),
    n2: first ? nothing(texts, 'n2') : bytesOf(texts, 'n2', [HANDLE_LENGTH]),
    timestamp2: first ? nothing(texts, 'timestamp2') : timeOf(texts, 'timestamp2'),
  };
  if (texts.signatura === null) return { header, ciphertext: bytesOf(texts, 'dades', null) };
  if (!isSignedType(type)) fail('signatura');
  return new SignedEnvelope({ ...header, type }, texts.dades, bytesOf(texts, 'signatura', SIGNATURE_LENGTHS));
}

function headerXml({ type, sender, timestamp, n1, timestamp1, n2, timestamp2 }: Header): string {
  const second = n2 === null ? '' : toBase64url(n2);
  const secondTime = timestamp2 === null ? '' : timeText(timestamp2);
  return (
    `<capcalera><tipus-msg>${type}</tipus-msg><id-remitent>${toBase64url(sender)}</id-remitent>` +
    `<timestamp>${timeText(timestamp)}</timestamp><contexte><pas>${String(stepOf(type))}</pas>` +
    `<n1>${toBase64url(n1)}</n1><timestamp1>${timeText(timestamp1)}</timestamp1>` +
    `<n2>${second}</n2><timestamp2>${secondTime}</timestamp2></contexte></capcalera>`
  );
}

// XML 1.0 cannot carry most control characters, and a reader turns a carriage return into a line feed.
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
export const NOT_XML = /[\0-\x08\x0b-\x1f\ufffe\uffff]/;
const BAD_REFERENCE = /&(?!(?:amp|lt|gt);)/;
// eslint-disable-next-line no-control-regex -- and what else is not written as it is, in one look
const SPECIAL = /[\0-\x08\x0b-\x1f\ufffe\uffff&<>]/;

function escapeText(text: string): string {
  if (!SPECIAL.test(text)) return text;
  if (NOT_XML.test(text)) throw new MunimentError('ENVELOPE_TEXT');
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function toUtf8(xml: string): Uint8Array {
  try {
    return utf8(xml);
  } catch (cause) {
    throw new MunimentError('ENVELOPE_TEXT', undefined, { cause }); // half a surrogate pair
  }
}

/** The exact inverse of {@link escapeText}. */
function unescapeText(escaped: string): string {
  if (!SPECIAL.test(escaped)) return escaped;
  if (NOT_XML.test(escaped) || escaped.includes('>') || BAD_REFERENCE.test(escaped)) fail('dades');
  return escaped.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'); // the ampersand last
}

const LONGEST = 43; // an Id in base64url; the texts of the head are no longer than this
const HEAD = new RegExp(
  `^<behc><capcalera>${leaves('tipus-msg', 'id-remitent', 'timestamp')}` +
    `<contexte>${leaves('pas', 'n1', 'timestamp1', 'n2', 'timestamp2')}</contexte></capcalera><cos><dades>`,
);
const BEFORE_SIGNATURE = '</dades><signatura>';
const AFTER_SIGNATURE = '</signatura></cos></behc>';
const UNSIGNED = '</dades></cos></behc>';

function leaves(...names: readonly (keyof EnvelopeTexts)[]): string {
  return names.map((name) => `<${name}>([^<]{0,${String(LONGEST)}})</${name}>`).join('');
}

const START = utf8('<behc><capcalera><tipus-msg>');
const END = utf8('</cos></behc>');
const SEALED_END = utf8(UNSIGNED);

function startsAndEnds(bytes: Uint8Array): boolean {
  return START.every((byte, i) => bytes[i] === byte) && endsWith(bytes, END);
}

function endsWith(bytes: Uint8Array, end: Uint8Array): boolean {
  return end.every((byte, i) => bytes[bytes.length - end.length + i] === byte);
}

/** The texts of a document in form. */
function readForm(xml: string): EnvelopeTexts {
  const head = HEAD.exec(xml) ?? fail('capcalera');
  const [start = '', type = '', sender = '', timestamp = ''] = head;
  const [pas = '', n1 = '', timestamp1 = '', n2 = '', timestamp2 = ''] = head.slice(4);
  const end = xml.indexOf('<', start.length);
  if (end < 0) fail('cos');
  const escaped = xml.slice(start.length, end);
  const tail = xml.slice(end);
  const signed = tail.startsWith(BEFORE_SIGNATURE) && tail.endsWith(AFTER_SIGNATURE);
  if (!signed && tail !== UNSIGNED) fail('cos');
  return {
    'tipus-msg': type,
    'id-remitent': sender,
    timestamp,
    pas,
    n1,
    timestamp1,
    n2,
    timestamp2,
    dades: signed ? unescapeText(escaped) : escaped,
    signatura: signed ? tail.slice(BEFORE_SIGNATURE.length, -AFTER_SIGNATURE.length) : null,
  };
}

/** The bytes of a leaf, of one of these lengths. */
function bytesOf(
  texts: EnvelopeTexts,
  name: keyof EnvelopeTexts,
  lengths: readonly number[] | null,
): Uint8Array {
  const text = texts[name] ?? '';
  if (lengths !== null && text.length > Math.ceil((Math.max(...lengths) * 4) / 3)) fail(name);
  try {
    const bytes = fromBase64url(text);
    if (lengths === null || lengths.includes(bytes.length)) return bytes;
  } catch {
    // said below, as of a wrong length
  }
  return fail(name);
}

function timeOf(texts: EnvelopeTexts, name: 'timestamp' | 'timestamp1' | 'timestamp2'): number {
  return timeFromText(texts[name]) ?? fail(name);
}

function nothing(texts: EnvelopeTexts, name: 'n2' | 'timestamp2'): null {
  return texts[name] === '' ? null : fail(name);
}

/** What each element must hold, for the message of a refusal; nothing of the document itself is in it. */
const RULES: Readonly<Record<keyof EnvelopeTexts | 'capcalera' | 'cos', string>> = {
  capcalera: 'the document does not begin and end as the one form does',
  'tipus-msg': `tipus-msg is not one of ${MESSAGE_TYPES.join(', ')}`,
  'id-remitent': 'id-remitent is not base64url of 32 bytes if there is a signatura, else of 16',
  timestamp: 'timestamp is not a time such as 2026-03-14T09:26:53.589Z',
  pas: 'pas is not the number of this tipus-msg',
  n1: 'n1 is not base64url of 16 bytes',
  timestamp1: 'timestamp1 is not a time such as 2026-03-14T09:26:53.589Z',
  n2: 'n2 is not base64url of 16 bytes, or nothing in nsl-1',
  timestamp2: 'timestamp2 is not a time such as 2026-03-14T09:26:53.589Z, or nothing in nsl-1',
  cos: 'cos does not hold dades and perhaps signatura as the one form does',
  dades: 'dades is not base64url where there is no signatura, or not text that the form can hold',
  signatura: 'signatura is not base64url of the length of a signature, in a request or a reply',
};

function fail(rule: keyof typeof RULES): never {
  throw new MunimentError('ENVELOPE_GRAMMAR', RULES[rule]);
}
