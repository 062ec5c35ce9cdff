/**
 * Other tools' spellings of an envelope, brought to the one form: indentation, CDATA, character references, an XML
 * declaration. Never a DTD. And what is wrong with a document that was refused. The only file that knows
 * `fast-xml-parser`. spec/envelope.md, "Other spellings".
 */

import { XMLParser } from 'fast-xml-parser';
import { MunimentError } from '../errors.ts';
import { fromUtf8 } from '../wire/index.ts';
import { decodeEnvelope, encodeEnvelope, envelopeFromTexts, type EnvelopeTexts } from './codec.ts';

/** Longest foreign document in bytes; smaller than an envelope may be, since a general parser reads it. */
export const FOREIGN_LIMIT = 4 * 1024 * 1024;
/** Most tags, comments and CDATA sections: the form has at most 28 tags. */
const MARKUP_LIMIT = 1024;

/**
 * Reads any well-formed spelling of an envelope and writes its one form. Nothing is verified by this; a signature
 * inside covers the model, so it verifies after normalisation if it did before.
 *
 * @param document - XML 1.0 in UTF-8, at most 4 MiB, without document type declaration, attributes, processing instructions
 * @returns the bytes that `decodeEnvelope` accepts
 * @throws `MunimentError` `ENVELOPE_LIMIT`, `ENVELOPE_GRAMMAR`, `ENVELOPE_TEXT`
 * @example
 * ```ts
 * import { decodeEnvelope, encodeEnvelope, normalizeEnvelope } from 'muniment/envelope';
 * import { fromUtf8, utf8 } from 'muniment/wire';
 * const n1 = new Uint8Array(16);
 * const header = { type: 'nsl-1', sender: n1, timestamp: 0, n1, timestamp1: 0, n2: null, timestamp2: null } as const;
 * const form = encodeEnvelope({ header, ciphertext: new Uint8Array(3) });
 * const indented = utf8(fromUtf8(form).replaceAll('><', '>\n<'));
 * decodeEnvelope(normalizeEnvelope(indented)).header.type; // 'nsl-1'
 * ```
 */
export function normalizeEnvelope(document: Uint8Array): Uint8Array {
  if (document.length > FOREIGN_LIMIT) throw new MunimentError('ENVELOPE_LIMIT');
  try {
    const text = fromUtf8(document).replace(/\r\n?/g, '\n'); // as XML 1.0 section 2.11 demands of every reader
    const xml = text.replace(DECLARATION, (declaration) => declaration.replace(/[^\n]/g, ' '));
    checkMarkup(xml);
    return encodeEnvelope(envelopeFromTexts(readTexts(parser.parse(xml) as Ordered[])));
  } catch (cause) {
    if (cause instanceof MunimentError && cause.code.startsWith('ENVELOPE_')) throw cause;
    const detail = cause instanceof MunimentError && cause.code === 'WIRE_UTF8' ? 'not UTF-8' : undefined;
    throw new MunimentError('ENVELOPE_GRAMMAR', detail, { cause });
  }
}

/**
 * Says what is wrong with a document that `decodeEnvelope` refuses: for people, never for a program's decision.
 * Places and rules are named; nothing of the document's own text is repeated.
 *
 * @param document - any bytes
 * @returns a sentence, or `null` if the document is in form
 * @example
 * ```ts
 * import { diagnoseEnvelope } from 'muniment/envelope';
 * import { utf8 } from 'muniment/wire';
 * console.log(diagnoseEnvelope(utf8('<behc>\n<!DOCTYPE x></behc>')));
 * // ENVELOPE_GRAMMAR: a document type at line 2, column 1
 * ```
 */
export function diagnoseEnvelope(document: Uint8Array): string | null {
  const refused = refusalOf(decodeEnvelope, document);
  if (refused === null || document.length > FOREIGN_LIMIT) return refused;
  const wrong = refusalOf(normalizeEnvelope, document);
  if (wrong !== null) return wrong;
  const form = normalizeEnvelope(document);
  const at = document.findIndex((byte, i) => byte !== form[i]);
  return `ENVELOPE_GRAMMAR: an envelope in another spelling, which leaves the one form at byte ${String(at)}`;
}

function refusalOf(read: (document: Uint8Array) => unknown, document: Uint8Array): string | null {
  try {
    read(document);
    return null;
  } catch (error) {
    if (error instanceof MunimentError) return error.message;
    throw error;
  }
}

// A byte order mark and a declaration of XML 1.0 in UTF-8. Any other declaration stays in place and fails as a
// processing instruction: a document that names another encoding would be read differently by its own sender.
const DECLARATION =
  /^\ufeff?(?:<\?xml[ \t\n]+version[ \t\n]*=[ \t\n]*(?:"1\.0"|'1\.0')(?:[ \t\n]+encoding[ \t\n]*=[ \t\n]*(?:"[uU][tT][fF]-8"|'[uU][tT][fF]-8'))?(?:[ \t\n]+standalone[ \t\n]*=[ \t\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\n]*\?>)?/;
const TAG = /<(?:\/([a-z][a-z0-9-]*)[ \t\n]*|([a-z][a-z0-9-]*)[ \t\n]*(\/?))>/y;
// An ampersand that begins no reference. Looked for here, where comments still stand between the pieces of a text.
const BARE_AMPERSAND = /&(?!#?[a-zA-Z0-9]{1,9};)/;

/**
 * Lets through only tags without attributes, CDATA sections and comments, each as XML 1.0 spells it, well nested and
 * not many of them. The general parser is laxer: it passes over `]]>` in text, `--` in comments, declarations in the
 * middle, `</dades/>`, end tags of other elements, a second byte order mark and references that a comment cuts.
 */
function checkMarkup(xml: string): void {
  const opened: string[] = [];
  let at = 0;
  for (let count = 0; count <= MARKUP_LIMIT; count++) {
    const next = xml.indexOf('<', at);
    checkText(xml, at, next < 0 ? xml.length : next, opened.length === 0);
    if (next < 0) {
      if (opened.length > 0) fail('an element without end', xml, xml.length);
      return;
    }
    at = sectionEnd(xml, next) ?? tagEnd(xml, next, opened);
  }
  fail('more tags, comments and CDATA sections than an envelope needs', xml, at);
}

function checkText(xml: string, start: number, end: number, outside: boolean): void {
  const text = xml.slice(start, end);
  const stray = outside ? text.search(/[^ \t\n]/) : -1;
  if (stray >= 0) fail('text outside behc', xml, start + stray);
  const close = text.indexOf(']]>');
  if (close >= 0) fail('the end of a CDATA section that did not begin', xml, start + close);
  const bare = text.search(BARE_AMPERSAND);
  if (bare >= 0) fail('an ampersand that begins no reference', xml, start + bare);
}

/** Where the CDATA section or comment ends that begins here, if one does. */
function sectionEnd(xml: string, open: number): number | null {
  if (xml.startsWith('<![CDATA[', open)) {
    const end = xml.indexOf(']]>', open + 9);
    return end < 0 ? fail('a CDATA section without end', xml, open) : end + 3;
  }
  if (!xml.startsWith('<!--', open)) return null;
  const end = xml.indexOf('--', open + 4);
  return end < 0 || xml[end + 2] !== '>' ? fail('a comment that does not end well', xml, open) : end + 3;
}

/** Where the tag ends that begins here, the names of the open elements brought up to date. */
function tagEnd(xml: string, open: number, opened: string[]): number {
  TAG.lastIndex = open;
  const [tag, ended, begun, empty] = TAG.exec(xml) ?? failTag(xml, open);
  if (ended !== undefined && opened.pop() !== ended) fail('an end tag of another element', xml, open);
  if (begun !== undefined && empty === '') opened.push(begun);
  return open + tag.length;
}

function failTag(xml: string, open: number): never {
  if (xml.startsWith('<?', open))
    fail('a processing instruction, or a declaration of something else', xml, open);
  if (xml.startsWith('<!', open)) fail('a document type', xml, open);
  return fail('a tag that is none, has attributes or a namespace', xml, open);
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
  const [behc] = children('the document', roots, ['behc']);
  const [capcalera, cos] = children('behc', behc, ['capcalera', 'cos']);
  const headers = ['tipus-msg', 'id-remitent', 'timestamp', 'contexte'];
  const [type, sender, timestamp, contexte] = children('capcalera', capcalera, headers);
  const context = ['pas', 'n1', 'timestamp1', 'n2', 'timestamp2'];
  const [pas, n1, timestamp1, n2, timestamp2] = children('contexte', contexte, context);
  const signed = elements('cos', cos).length === 2;
  const [dades, signatura] = children('cos', cos, signed ? ['dades', 'signatura'] : ['dades']);
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

// The contents of exactly these child elements, in this order, without attributes; only white space around them.
function children(parent: string, nodes: Ordered[] | undefined, names: readonly string[]): Ordered[][] {
  const found = elements(parent, nodes);
  return names.map((name, i) => {
    const content = found[i]?.[name];
    const alone = found.length === names.length && Object.keys(found[i] ?? {}).length === 1;
    if (!alone || !Array.isArray(content))
      refuse(`${parent} does not hold ${names.join(', ')} and nothing else`);
    return content as Ordered[];
  });
}

function elements(parent: string, nodes: Ordered[] | undefined): Ordered[] {
  return (nodes ?? []).filter((node) => {
    const text = node[TEXT];
    if (typeof text === 'string' && !/^[ \t\n]*$/.test(text)) refuse(`${parent} holds text between elements`);
    return typeof text !== 'string';
  });
}

function text(nodes: Ordered[] | undefined): string {
  return (nodes ?? []).map(piece).join('');
}

function piece(node: Ordered): string {
  const plain = node[TEXT];
  const sections = node[CDATA];
  if (typeof plain === 'string') return resolve(plain);
  if (ATTRIBUTES in node || !Array.isArray(sections)) refuse('an element where only text may be');
  return sections.map((part: Ordered) => String(part[TEXT])).join('');
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
  return text.replace(/&(?:([^;&]{1,9});)?/g, (_, name: string | undefined) => {
    const digits = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name ?? '');
    if (digits === null)
      return FIVE.get(name ?? '') ?? refuse('a reference that is none, or to no known entity');
    const code = digits[1] === undefined ? Number(digits[2]) : Number.parseInt(digits[1], 16);
    // Two references to surrogates must not come together as one character.
    const surrogate = code >= 0xd800 && code <= 0xdfff;
    if (code === 0 || surrogate || code > 0x10ffff) refuse('a reference to no character');
    return String.fromCodePoint(code);
  });
}

function fail(what: string, xml: string, at: number): never {
  const line = xml.slice(0, at).split('\n').length;
  const column = at - (at === 0 ? -1 : xml.lastIndexOf('\n', at - 1));
  return refuse(`${what} at line ${String(line)}, column ${String(column)}`);
}

function refuse(what: string): never {
  throw new MunimentError('ENVELOPE_GRAMMAR', what);
}
