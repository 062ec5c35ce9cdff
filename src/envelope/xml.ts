/**
 * Other tools' spellings of an envelope, brought to the one form: indentation, CDATA, character references, an XML
 * declaration. Never a DTD. The only file that knows `fast-xml-parser`. spec/envelope.md, "Other spellings".
 */

import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { MunimentError } from '../errors.ts';
import { fromUtf8 } from '../wire/index.ts';
import { encodeEnvelope, envelopeFromTexts, type EnvelopeTexts } from './codec.ts';

/** Longest foreign document in bytes; smaller than an envelope may be, since a general parser reads it. */
export const FOREIGN_LIMIT = 4 * 1024 * 1024;

/**
 * Reads any well-formed spelling of an envelope and writes its one form. Nothing is verified by this; a signature
 * inside covers the model, so it verifies after normalisation if it did before.
 *
 * @param document - XML in UTF-8, at most 4 MiB, without a document type declaration
 * @returns the bytes that `decodeEnvelope` accepts
 * @throws {@link MunimentError} `ENVELOPE_LIMIT`, `ENVELOPE_GRAMMAR`, `ENVELOPE_TEXT`
 */
export function normalizeEnvelope(document: Uint8Array): Uint8Array {
  if (document.length > FOREIGN_LIMIT) throw new MunimentError('ENVELOPE_LIMIT');
  try {
    const xml = fromUtf8(document).replace(/\r\n?/g, '\n'); // as XML 1.0 section 2.11 demands of every reader
    if (xml.includes('<!DOCTYPE') || XMLValidator.validate(xml) !== true) fail();
    return encodeEnvelope(envelopeFromTexts(readTexts(parser.parse(xml) as Ordered[])));
  } catch (cause) {
    if (cause instanceof MunimentError && cause.code.startsWith('ENVELOPE_')) throw cause;
    throw new MunimentError('ENVELOPE_GRAMMAR', undefined, { cause });
  }
}

const TEXT = '#text';
const CDATA = '#cdata';
const ATTRIBUTES = ':@';

// With preserveOrder every node is an object with one key, its name, and perhaps the key of its attributes.
type Ordered = Record<string, unknown>;

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: false, // resolved below, so that only the five and character references exist
  ignoreDeclaration: true,
  textNodeName: TEXT,
  cdataPropName: CDATA,
});

function readTexts(roots: Ordered[]): EnvelopeTexts {
  const [capcalera, cos] = children(only(roots, 'behc'), ['capcalera', 'cos']);
  const [type, sender, timestamp, contexte] = children(capcalera, [
    'tipus-msg',
    'id-remitent',
    'timestamp',
    'contexte',
  ]);
  const [pas, n1, timestamp1, n2, timestamp2] = children(contexte, [
    'pas',
    'n1',
    'timestamp1',
    'n2',
    'timestamp2',
  ]);
  const body = elements(cos);
  const signed = body.length === 2;
  const [dades, signatura] = children(cos, signed ? ['dades', 'signatura'] : ['dades']);
  return {
    'tipus-msg': text(type),
    'id-remitent': text(sender),
    timestamp: text(timestamp),
    pas: text(pas),
    n1: text(n1),
    timestamp1: text(timestamp1),
    n2: text(n2),
    timestamp2: text(timestamp2),
    dades: text(dades),
    signatura: signed ? text(signatura) : null,
  };
}

function only(nodes: Ordered[], name: string): Ordered[] {
  return children(nodes, [name])[0] ?? fail();
}

// The contents of exactly these child elements, in this order, without attributes; only white space around them.
function children(nodes: Ordered[] | undefined, names: readonly string[]): Ordered[][] {
  const found = elements(nodes);
  if (found.length !== names.length) fail();
  return names.map((name, i) => {
    const node = found[i];
    if (node === undefined || Object.keys(node).length !== 1) fail();
    const content = node[name];
    return Array.isArray(content) ? (content as Ordered[]) : fail();
  });
}

function elements(nodes: Ordered[] | undefined): Ordered[] {
  return (nodes ?? fail()).filter((node) => {
    const text = node[TEXT];
    if (typeof text !== 'string') return true;
    return /^[ \t\n]*$/.test(text) ? false : fail();
  });
}

function text(nodes: Ordered[] | undefined): string {
  return (nodes ?? fail())
    .map((node) => {
      if (ATTRIBUTES in node) fail();
      if (typeof node[TEXT] === 'string') return resolve(node[TEXT]);
      const raw = node[CDATA];
      return Array.isArray(raw) ? raw.map((part: Ordered) => String(part[TEXT])).join('') : fail();
    })
    .join('');
}

const FIVE: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function resolve(text: string): string {
  return text.replace(/&([^;&]{0,10};)?/g, (_, reference: string | undefined) => {
    const name = reference?.slice(0, -1) ?? fail();
    const digits = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name);
    if (digits === null) return FIVE[name] ?? fail();
    const code = digits[1] === undefined ? Number(digits[2]) : Number.parseInt(digits[1], 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : fail();
  });
}

function fail(): never {
  throw new MunimentError('ENVELOPE_GRAMMAR');
}
