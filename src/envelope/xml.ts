/**
 * Other tools' spellings of an envelope, brought to the one form: indentation, CDATA, character references, an XML
 * declaration. Never a DTD. The only file that knows `fast-xml-parser`. spec/envelope.md, "Other spellings".
 */

// The validator's successor is a package of its own; until fast-xml-parser drops this one, a second dependency buys nothing.
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
 * @param document - XML 1.0 in UTF-8, at most 4 MiB, without document type declaration, attributes, processing instructions
 * @returns the bytes that `decodeEnvelope` accepts
 * @throws `MunimentError` `ENVELOPE_LIMIT`, `ENVELOPE_GRAMMAR`, `ENVELOPE_TEXT`
 */
export function normalizeEnvelope(document: Uint8Array): Uint8Array {
  if (document.length > FOREIGN_LIMIT) throw new MunimentError('ENVELOPE_LIMIT');
  try {
    const text = fromUtf8(document).replace(/\r\n?/g, '\n'); // as XML 1.0 section 2.11 demands of every reader
    const xml = text.replace(DECLARATION, '');
    checkMarkup(xml);
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- see the import
    if (XMLValidator.validate(xml) !== true) fail();
    return encodeEnvelope(envelopeFromTexts(readTexts(parser.parse(xml) as Ordered[])));
  } catch (cause) {
    if (cause instanceof MunimentError && cause.code.startsWith('ENVELOPE_')) throw cause;
    throw new MunimentError('ENVELOPE_GRAMMAR', undefined, { cause });
  }
}

// A byte order mark and a declaration of XML 1.0 in UTF-8. Any other declaration stays in place and fails as a
// processing instruction: a document that names another encoding would be read differently by its own sender.
const DECLARATION =
  /^\ufeff?(?:<\?xml[ \t\n]+version[ \t\n]*=[ \t\n]*(?:"1\.0"|'1\.0')(?:[ \t\n]+encoding[ \t\n]*=[ \t\n]*(?:"[uU][tT][fF]-8"|'[uU][tT][fF]-8'))?(?:[ \t\n]+standalone[ \t\n]*=[ \t\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\n]*\?>)?/;
const TAG = /<(?:\/[a-z][a-z0-9-]*[ \t\n]*|[a-z][a-z0-9-]*[ \t\n]*\/?)>/y;

/**
 * Lets through only tags without attributes, CDATA sections and comments, each as XML 1.0 spells it. The general
 * parser and its validator are laxer: they pass over `]]>` in text, `--` in comments,
 * declarations in the middle, `</dades/>`, a second byte order mark and references behind the end.
 */
function checkMarkup(xml: string): void {
  let outside = true;
  for (let at = 0; ;) {
    const open = xml.indexOf('<', at);
    const text = open < 0 ? xml.slice(at) : xml.slice(at, open);
    if (text.includes(']]>') || (outside && /[^ \t\n]/.test(text))) fail();
    if (open < 0) return;
    at = markupEnd(xml, open);
    if (xml.startsWith('<behc', open)) outside = false;
    else if (xml.startsWith('</behc', open)) outside = true;
  }
}

function markupEnd(xml: string, open: number): number {
  if (xml.startsWith('<![CDATA[', open)) {
    const end = xml.indexOf(']]>', open + 9);
    return end < 0 ? fail() : end + 3;
  }
  if (xml.startsWith('<!--', open)) {
    const end = xml.indexOf('--', open + 4);
    return end < 0 || xml[end + 2] !== '>' ? fail() : end + 3;
  }
  TAG.lastIndex = open;
  return TAG.test(xml) ? TAG.lastIndex : fail();
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
  ignoreDeclaration: false, // taken off above; one that is left over is a fault
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

// A map, because an object would also know `toString` and `__proto__`.
const FIVE: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

function resolve(text: string): string {
  return text.replace(/&([^;&]{0,10};)?/g, (_, reference: string | undefined) => {
    const name = reference?.slice(0, -1) ?? fail();
    const digits = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name);
    if (digits === null) return FIVE.get(name) ?? fail();
    const code = digits[1] === undefined ? Number(digits[2]) : Number.parseInt(digits[1], 16);
    // Two references to surrogates must not come together as one character.
    const surrogate = code >= 0xd800 && code <= 0xdfff;
    return code === 0 || surrogate || code > 0x10ffff ? fail() : String.fromCodePoint(code);
  });
}

function fail(): never {
  throw new MunimentError('ENVELOPE_GRAMMAR');
}
