/**
 * Other tools' spellings of an envelope, brought to the one form: indentation, CDATA, character references, an XML
 * declaration. Never a DTD. And what is wrong with a document that was refused. The only file that knows
 * `fast-xml-parser`. spec/envelope.md, "Other spellings".
 */

import { XMLParser } from 'fast-xml-parser';
import { MunimentError } from '../errors.ts';
import { fromUtf8 } from '../wire/index.ts';
import { decodeEnvelope, encodeEnvelope, envelopeFromTexts, NOT_XML, type EnvelopeTexts } from './codec.ts';

/** Longest foreign document in bytes; smaller than an envelope may be, since a general parser reads it. */
export const FOREIGN_LIMIT = 1024 * 1024;
/** Most tags, comments and CDATA sections: the form has at most 28 tags. */
const MARKUP_LIMIT = 1024;

/**
 * Reads any well-formed spelling of an envelope and writes its one form. Nothing is verified by this; a signature
 * inside covers the model, so it verifies after normalisation if it did before.
 *
 * @param document - XML 1.0 in UTF-8, at most 1 MiB, without document type declaration, attributes, processing instructions
 * @returns the bytes that `decodeEnvelope` accepts
 * @throws `MunimentError` `ENVELOPE_LIMIT`, `ENVELOPE_GRAMMAR`, `ENVELOPE_TEXT`
 * @example
 * ```ts
 * import { decodeEnvelope, encodeEnvelope, normalizeEnvelope } from 'muniment/envelope';
 * import { fromUtf8, utf8 } from 'muniment/wire';
 * const n1 = new Uint8Array(16);
 * const header = { type: 'nsl-1', sender: n1, timestamp: 0, n1, timestamp1: 0, n2: null, timestamp2: null } as const;
 * const form = encodeEnvelope({ header, ciphertext: new Uint8Array(3) });
 * const indented = utf8(fromUtf8(form).replaceAll('><c', '>\n  <c'));
 * decodeEnvelope(normalizeEnvelope(indented)).header.type; // 'nsl-1'
 * ```
 */
export function normalizeEnvelope(document: Uint8Array): Uint8Array {
  if (document.length > FOREIGN_LIMIT) throw new MunimentError('ENVELOPE_LIMIT');
  try {
    const text = fromUtf8(withLineFeeds(document));
    const xml = text.replace(DECLARATION, (declaration) => declaration.replace(/[^\n]/g, ' '));
    const outline = outlineOf(xml);
    const roots = parser.parse(outline.xml) as Ordered[];
    return encodeEnvelope(envelopeFromTexts(new Texts(outline.texts).read(roots)));
  } catch (cause) {
    if (cause instanceof MunimentError && cause.code.startsWith('ENVELOPE_')) throw cause;
    const detail = cause instanceof MunimentError && cause.code === 'WIRE_UTF8' ? 'not UTF-8' : undefined;
    throw new MunimentError('ENVELOPE_GRAMMAR', detail, { cause });
  }
}

/** CR LF and CR as LF, which XML 1.0 section 2.11 demands of every reader. No other character of UTF-8 has such a byte. */
function withLineFeeds(document: Uint8Array): Uint8Array {
  if (!document.includes(CR)) return document;
  const out = new Uint8Array(document.length);
  let length = 0;
  for (let at = 0; at < document.length; at++) {
    const byte = document[at] ?? 0;
    if (byte === CR && document[at + 1] === LF) continue;
    out[length++] = byte === CR ? LF : byte;
  }
  return out.subarray(0, length);
}

const [CR, LF] = [0x0d, 0x0a];

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
 * const document = utf8('<behc>\n  <!DOCTYPE x></behc>');
 * console.log(diagnoseEnvelope(document)); // ENVELOPE_GRAMMAR: a document type at line 2, column 3
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
const SPACE = '[ \\t\\n]{1,64}';
const EQUALS = '[ \\t\\n]{0,64}=[ \\t\\n]{0,64}';
const DECLARATION = new RegExp(
  `^\\ufeff?(?:<\\?xml${SPACE}version${EQUALS}(?:"1\\.0"|'1\\.0')` +
    `(?:${SPACE}encoding${EQUALS}(?:"[uU][tT][fF]-8"|'[uU][tT][fF]-8'))?` +
    `(?:${SPACE}standalone${EQUALS}(?:"(?:yes|no)"|'(?:yes|no)'))?[ \\t\\n]{0,64}\\?>)?`,
);
const NAME = '(behc|capcalera|tipus-msg|id-remitent|timestamp[12]?|contexte|pas|n[12]|cos|dades|signatura)';
const TAG = new RegExp(`<(?:/${NAME}[ \\t\\n]*|${NAME}[ \\t\\n]*(/?))>`, 'y');
const BAD_REFERENCE = /&(?!(?:amp|lt|gt|quot|apos|#x[0-9a-fA-F]{1,6}|#[0-9]{1,7});)/; // to anything else

/** A document's tags and where it has text, for the general parser; and the texts, which it need not see. */
interface Outline {
  readonly xml: string;
  /** In the outline each is its index and a semicolon, in a CDATA section if it was in one. */
  readonly texts: readonly string[];
}

/**
 * Lets through only the tags of an envelope, CDATA sections and comments, each as XML 1.0 spells it, well nested and
 * not many of them. The general parser is laxer: it passes over `]]>` in text, `--` in comments, declarations in the
 * middle, `</dades/>`, end tags of other elements, a second byte order mark and references that a comment cuts. And it
 * takes half a second over a megabyte of text, so that it is given an outline.
 */
function outlineOf(xml: string): Outline {
  const texts: string[] = [];
  const opened: string[] = [];
  let outline = '';
  let at = 0;
  for (let count = 0; count <= MARKUP_LIMIT; count++) {
    const open = xml.indexOf('<', at);
    const text = open < 0 ? xml.slice(at) : xml.slice(at, open);
    checkText(text, opened.length === 0, xml, at);
    if (opened.length > 0 && text !== '') outline += `${String(texts.push(text) - 1)};`;
    if (open < 0) {
      if (opened.length > 0) fail('an element without end', xml, xml.length);
      return { xml: outline, texts };
    }
    const end = sectionEnd(xml, open);
    at = end ?? tagEnd(xml, open, opened);
    if (end === null) outline += xml.slice(open, at).replace(/[ \t\n]+/, '');
    else if (xml.startsWith('<![', open))
      outline += `<![CDATA[${String(texts.push(xml.slice(open + 9, end - 3)) - 1)};]]>`;
  }
  return fail('more tags, comments and CDATA sections than an envelope needs', xml, at);
}

function checkText(text: string, outside: boolean, xml: string, at: number): void {
  const stray = outside ? text.search(/[^ \t\n]/) : -1;
  if (stray >= 0) fail('text outside behc', xml, at + stray);
  const close = text.indexOf(']]>');
  if (close >= 0) fail('the end of a CDATA section that did not begin', xml, at + close);
  const bare = text.search(BAD_REFERENCE);
  if (bare >= 0) fail('a reference that is none, or to no known entity', xml, at + bare);
}

/** Where the CDATA section or comment ends that begins here, if one does. */
function sectionEnd(xml: string, open: number): number | null {
  if (xml.startsWith('<![CDATA[', open)) {
    const end = xml.indexOf(']]>', open + 9);
    return end < 0 ? fail('a CDATA section without end', xml, open) : end + 3;
  }
  if (!xml.startsWith('<!--', open)) return null;
  const end = xml.indexOf('--', open + 4);
  if (end < 0 || xml[end + 2] !== '>') fail('a comment that does not end well', xml, open);
  // In text the form refuses it; a comment vanishes.
  if (NOT_XML.test(xml.slice(open, end))) fail('a character that XML does not have, in a comment', xml, open);
  return end + 3;
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
  return fail('a tag that is not one of an envelope’s, or has attributes', xml, open);
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

/** Finds the texts of the elements in what the general parser made of an outline. */
class Texts {
  readonly #texts: readonly string[];

  constructor(texts: readonly string[]) {
    this.#texts = texts;
  }

  read(roots: Ordered[]): EnvelopeTexts {
    const [behc] = this.#children('the document', roots, ['behc']);
    const [capcalera, cos] = this.#children('behc', behc, ['capcalera', 'cos']);
    const headers = ['tipus-msg', 'id-remitent', 'timestamp', 'contexte'];
    const [type, sender, timestamp, contexte] = this.#children('capcalera', capcalera, headers);
    const context = ['pas', 'n1', 'timestamp1', 'n2', 'timestamp2'];
    const [pas, n1, timestamp1, n2, timestamp2] = this.#children('contexte', contexte, context);
    const signed = this.#elements('cos', cos).length === 2;
    const [dades, signatura] = this.#children('cos', cos, signed ? ['dades', 'signatura'] : ['dades']);
    return {
      'tipus-msg': this.#leaf(type),
      'id-remitent': this.#leaf(sender),
      timestamp: this.#leaf(timestamp),
      pas: this.#leaf(pas),
      n1: this.#leaf(n1),
      timestamp1: this.#leaf(timestamp1),
      n2: this.#leaf(n2),
      timestamp2: this.#leaf(timestamp2),
      dades: this.#leaf(dades),
      signatura: signed ? this.#leaf(signatura) : null,
    };
  }

  // The contents of exactly these child elements, in this order, without attributes; only white space around them.
  #children(parent: string, nodes: Ordered[] | undefined, names: readonly string[]): Ordered[][] {
    const found = this.#elements(parent, nodes);
    return names.map((name, i) => {
      const content = found[i]?.[name];
      const alone = found.length === names.length && Object.keys(found[i] ?? {}).length === 1;
      if (!alone || !Array.isArray(content))
        refuse(`${parent} does not hold ${names.join(', ')} and nothing else`);
      return content as Ordered[];
    });
  }

  #elements(parent: string, nodes: Ordered[] | undefined): Ordered[] {
    return (nodes ?? []).filter((node) => {
      const plain = node[TEXT];
      if (typeof plain !== 'string') return true;
      if (/[^ \t\n]/.test(this.#behind(plain).join(''))) refuse(`${parent} holds text between elements`);
      return false;
    });
  }

  #leaf(nodes: Ordered[] | undefined): string {
    return (nodes ?? []).map((node) => this.#piece(node)).join('');
  }

  #piece(node: Ordered): string {
    const plain = node[TEXT];
    const sections = node[CDATA];
    if (typeof plain === 'string') return this.#behind(plain).map(resolve).join('');
    if (ATTRIBUTES in node || !Array.isArray(sections)) refuse('an element where only text may be');
    return sections.flatMap((part: Ordered) => this.#behind(String(part[TEXT]))).join('');
  }

  // Of each run of text alone, for a comment between two of them ends a reference too.
  #behind(indices: string): string[] {
    return indices
      .split(';')
      .slice(0, -1)
      .map((index) => this.#texts[Number(index)] ?? refuse('text that nobody wrote'));
  }
}

const NUMBERED = /&#(?:x([0-9a-fA-F]+)|([0-9]+));/g;

// Every reference here is of a kind that there is; `checkText` saw to it.
function resolve(text: string): string {
  if (!text.includes('&')) return text;
  const pieces: string[] = [];
  let from = 0;
  // One by one, so that the first bad one ends it. What `replace` calls back for, it has gathered before.
  for (const { 0: reference, 1: hex, 2: decimal, index } of text.matchAll(NUMBERED)) {
    pieces.push(text.slice(from, index), character(hex, decimal));
    from = index + reference.length;
  }
  return [...pieces, text.slice(from)]
    .join('')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&'); // last, since it makes what the others look for
}

function character(hex: string | undefined, decimal: string | undefined): string {
  const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
  // Two references to surrogates must not come together as one character.
  const surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code === 0 || surrogate || code > 0x10ffff) refuse('a reference to no character');
  return code === 0x26 ? '&amp;' : String.fromCodePoint(code);
}

function fail(what: string, xml: string, at: number): never {
  let line = 1;
  for (let i = 0; i < at; i++) if (xml.charCodeAt(i) === LF) line++;
  const column = at - (at === 0 ? -1 : xml.lastIndexOf('\n', at - 1));
  return refuse(`${what} at line ${String(line)}, column ${String(column)}`);
}

function refuse(what: string): never {
  throw new MunimentError('ENVELOPE_GRAMMAR', what);
}
