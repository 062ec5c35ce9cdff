/**
 * One model, one byte string. The encoder writes exactly one XML form; the decoder is its exact inverse: a reader
 * of this one grammar that knows no DTD, attribute, comment, CDATA, processing instruction, namespace or white
 * space between elements, so that none of them can be an attack. spec/envelope.md, "Form".
 */

import { SIGNATURE_LENGTHS } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { fromBase64url, fromUtf8, toBase64url, utf8 } from '../wire/index.ts';
import { HANDLE_LENGTH, MESSAGE_TYPES, stepOf, type Envelope } from './model.ts';

/** Longest envelope in bytes. */
export const ENVELOPE_LIMIT = 48 * 1024 * 1024;
const SENDER_LENGTHS = [HANDLE_LENGTH, 32];

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
 * const bytes = encodeEnvelope({ header, data: 'AAAA', signature: null });
 * decodeEnvelope(bytes).header.type; // 'nsl-1'
 * ```
 */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  checkModel(envelope);
  if (envelope.data.length > ENVELOPE_LIMIT) throw new MunimentError('ENVELOPE_LIMIT');
  const bytes = utf8(writeXml(envelope));
  if (bytes.length > ENVELOPE_LIMIT) throw new MunimentError('ENVELOPE_LIMIT');
  return bytes;
}

/**
 * Reads an envelope's one XML form and nothing else. What it returns is not verified: see `verifyEnvelope`.
 *
 * @param bytes - at most {@link ENVELOPE_LIMIT}
 * @returns the model; encoding it again gives the same bytes
 * @throws `MunimentError` `ENVELOPE_LIMIT`, `ENVELOPE_GRAMMAR`
 */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length > ENVELOPE_LIMIT) throw new MunimentError('ENVELOPE_LIMIT');
  try {
    const xml = fromUtf8(bytes);
    const envelope = envelopeFromTexts(new Scanner(xml).texts());
    // The scanner is strict already; this makes "exact inverse" a fact that does not rest on it.
    if (writeXml(envelope) !== xml) throw new MunimentError('ENVELOPE_GRAMMAR');
    return envelope;
  } catch (cause) {
    throw new MunimentError('ENVELOPE_GRAMMAR', undefined, { cause });
  }
}

/** The texts of the document's leaf elements, entities resolved; `signatura` may be absent. */
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
  const type = MESSAGE_TYPES.find((known) => known === texts['tipus-msg']) ?? fail();
  if (texts.pas !== String(stepOf(type))) fail();
  const first = type === 'nsl-1';
  if (first !== (texts.n2 === '') || first !== (texts.timestamp2 === '')) fail();
  return {
    header: {
      type,
      sender: bytesOf(texts['id-remitent'], SENDER_LENGTHS),
      timestamp: timeOf(texts.timestamp),
      n1: bytesOf(texts.n1, [HANDLE_LENGTH]),
      timestamp1: timeOf(texts.timestamp1),
      n2: first ? null : bytesOf(texts.n2, [HANDLE_LENGTH]),
      timestamp2: first ? null : timeOf(texts.timestamp2),
    },
    data: texts.dades,
    signature: texts.signatura === null ? null : bytesOf(texts.signatura, SIGNATURE_LENGTHS),
  };
}

// What the decoder would refuse is not written either.
function checkModel({ header, signature }: Envelope): void {
  const { type, sender, n1, n2, timestamp2 } = header;
  const first = type === 'nsl-1';
  if (!SENDER_LENGTHS.includes(sender.length)) throw new RangeError('sender is 16 or 32 bytes');
  if (n1.length !== HANDLE_LENGTH) throw new RangeError('n1 is 16 bytes');
  if (first !== (n2 === null) || first !== (timestamp2 === null))
    throw new RangeError('n2 and timestamp2 are null in the first message and only there');
  if (n2 !== null && n2.length !== HANDLE_LENGTH) throw new RangeError('n2 is 16 bytes');
  if (signature !== null && !SIGNATURE_LENGTHS.includes(signature.length))
    throw new RangeError('a signature has a length that no algorithm gives');
}

function writeXml({ header, data, signature }: Envelope): string {
  const context =
    element('pas', String(stepOf(header.type))) +
    element('n1', toBase64url(header.n1)) +
    element('timestamp1', timeText(header.timestamp1)) +
    element('n2', header.n2 === null ? '' : toBase64url(header.n2)) +
    element('timestamp2', header.timestamp2 === null ? '' : timeText(header.timestamp2));
  const head =
    element('tipus-msg', header.type) +
    element('id-remitent', toBase64url(header.sender)) +
    element('timestamp', timeText(header.timestamp)) +
    element('contexte', context);
  const body =
    element('dades', escapeText(data)) +
    (signature === null ? '' : element('signatura', toBase64url(signature)));
  return element('behc', element('capcalera', head) + element('cos', body));
}

function element(name: string, content: string): string {
  return `<${name}>${content}</${name}>`;
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

// XML 1.0 cannot carry most control characters, and a reader turns a carriage return into a line feed.
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const NOT_XML = /[\0-\x08\x0b-\x1f\ufffe\uffff]|\p{Surrogate}/u;

function escapeText(text: string): string {
  if (NOT_XML.test(text)) throw new MunimentError('ENVELOPE_TEXT');
  return text.replace(/[&<>]/g, (character) => ESCAPES[character] ?? character);
}

function timeText(time: number): string {
  if (!Number.isSafeInteger(time) || time < 0 || time > MAX_TIME)
    throw new RangeError('time outside 1970 to 9999');
  return new Date(time).toISOString();
}

const MAX_TIME = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

function timeOf(text: string): number {
  if (!TIME.test(text)) fail();
  const time = Date.parse(text);
  if (Number.isNaN(time) || time < 0 || timeText(time) !== text) fail();
  return time;
}

function bytesOf(text: string, lengths: readonly number[]): Uint8Array {
  const bytes = fromBase64url(text);
  if (!lengths.includes(bytes.length)) fail();
  return bytes;
}

class Scanner {
  readonly #xml: string;
  #at = 0;

  constructor(xml: string) {
    this.#xml = xml;
  }

  texts(): EnvelopeTexts {
    this.#literal('<behc><capcalera>');
    const head = {
      'tipus-msg': this.#leaf('tipus-msg'),
      'id-remitent': this.#leaf('id-remitent'),
      timestamp: this.#leaf('timestamp'),
    };
    this.#literal('<contexte>');
    const context = {
      pas: this.#leaf('pas'),
      n1: this.#leaf('n1'),
      timestamp1: this.#leaf('timestamp1'),
      n2: this.#leaf('n2'),
      timestamp2: this.#leaf('timestamp2'),
    };
    this.#literal('</contexte></capcalera><cos>');
    const dades = this.#leaf('dades');
    const signatura = this.#xml.startsWith('<signatura>', this.#at) ? this.#leaf('signatura') : null;
    this.#literal('</cos></behc>');
    if (this.#at !== this.#xml.length) fail();
    return { ...head, ...context, dades, signatura };
  }

  #leaf(name: string): string {
    this.#literal(`<${name}>`);
    const end = this.#xml.indexOf('<', this.#at);
    if (end < 0) fail();
    const escaped = this.#xml.slice(this.#at, end);
    this.#at = end;
    this.#literal(`</${name}>`);
    return unescapeText(escaped);
  }

  #literal(expected: string): void {
    if (!this.#xml.startsWith(expected, this.#at)) fail();
    this.#at += expected.length;
  }
}

function unescapeText(escaped: string): string {
  if (!escaped.includes('&')) return escaped;
  return escaped.replace(/&([a-z]*;)?/g, (_, name: string | undefined) => UNESCAPES[name ?? ''] ?? fail());
}

const UNESCAPES: Readonly<Record<string, string>> = { 'amp;': '&', 'lt;': '<', 'gt;': '>' };

function fail(): never {
  throw new MunimentError('ENVELOPE_GRAMMAR');
}
