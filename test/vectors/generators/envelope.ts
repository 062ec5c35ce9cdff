/** Vectors of spec/envelope.md: the one form, what is refused, other spellings, signatures and evidence. */

import type { ErrorCode } from '../../../src/errors.ts';
import {
  digestsOf,
  encodeEnvelope,
  encodeEvidence,
  headerTuple,
  readUnverifiedData,
  signEnvelope,
  SignedEnvelope,
  type Envelope,
  type EnvelopeDigests,
  type Header,
  type MessageType,
  type SealedEnvelope,
  type SignedType,
  type SigningContext,
  type TimeWindow,
} from '../../../src/envelope/index.ts';
import { createAnchor, type Identity } from '../../../src/keys/index.ts';
import { concat, fromUtf8, tuple, utf8 } from '../../../src/wire/index.ts';
import { flipped } from '../../mutation.ts';
import type { VectorCase, VectorFile } from '../file.ts';
import { hex } from '../hex.ts';
import { seededRandom } from './seed.ts';

/** An envelope as JSON: bytes in hexadecimal, times in milliseconds since 1970. */
export type ModelVector = SealedVector | SignedVector;

export interface SealedVector extends HeaderVector<MessageType> {
  readonly ciphertext: string;
}

export interface SignedVector extends HeaderVector<SignedType> {
  readonly data: string;
  readonly signature: string;
}

interface HeaderVector<Type extends MessageType> {
  readonly type: Type;
  readonly sender: string;
  readonly timestamp: number;
  readonly n1: string;
  readonly timestamp1: number;
  readonly n2: string | null;
  readonly timestamp2: number | null;
}

/** What a signature is made and verified in. */
export interface ContextVector {
  readonly sessionId: string;
  readonly from: string;
  readonly to: string;
  readonly answers: { readonly data: string; readonly signature: string } | null;
}

/** The self-issued credential of the author, and its Id. */
export interface AuthorVector {
  readonly credential: string;
  readonly id: string;
}

export type EnvelopeCase = VectorCase &
  (
    | {
        readonly operation: 'decode';
        /** The document; `bytes` instead where it is not UTF-8. */
        readonly xml?: string;
        readonly bytes?: string;
        readonly model?: ModelVector;
        readonly header?: string;
      }
    | { readonly operation: 'encode'; readonly model: SignedVector }
    | {
        readonly operation: 'normalize';
        readonly foreign: string;
        readonly xml?: string;
      }
    | {
        readonly operation: 'sign';
        readonly seed: string;
        readonly author: AuthorVector;
        readonly context: ContextVector;
        readonly model: SignedVector;
        readonly header: string;
        readonly signatureInput: string;
        readonly digests: { readonly data: string; readonly signature: string };
        readonly xml: string;
      }
    | {
        readonly operation: 'verify';
        readonly type: SignedType;
        readonly author: AuthorVector;
        readonly context: ContextVector;
        readonly time: TimeWindow;
        readonly xml: string;
        readonly data?: string;
      }
    | {
        readonly operation: 'evidence';
        readonly type: SignedType;
        readonly author: AuthorVector;
        readonly to: string;
        readonly answers: ContextVector['answers'];
        readonly time: TimeWindow;
        readonly evidence: string;
        readonly xml?: string;
      }
  );

/** The file. */
export async function generate(): Promise<VectorFile<EnvelopeCase>> {
  return {
    description:
      'The XML message: its one form with model and header tuple, documents that are refused, other spellings with their normal form, signatures with the signed bytes, and evidence. A case without error has its document under xml; a foreign spelling stands under foreign.',
    spec: 'spec/envelope.md',
    cases: [...formCases(), ...refusedCases(), ...textCases(), ...spellingCases(), ...(await signedCases())],
  };
}

const bytes = seededRandom('envelope');
const n1 = bytes(16);
const n2 = bytes(16);
const sessionId = bytes(32);
const id = bytes(32);
const T1 = Date.UTC(2026, 2, 14, 9, 26, 53, 589);
const T2 = T1 + 41;
const T = T1 + 83;

const FIRST: Header = {
  type: 'nsl-1',
  sender: n1,
  timestamp: T1,
  n1,
  timestamp1: T1,
  n2: null,
  timestamp2: null,
};
const LATER: Header<SignedType> = {
  type: 'request',
  sender: n1,
  timestamp: T,
  n1,
  timestamp1: T1,
  n2,
  timestamp2: T2,
};
const SIGNED: Header<SignedType> = { ...LATER, sender: id };
const CIPHERTEXT = new Uint8Array(3); // AAAA
const SIGNATURE = new Uint8Array(64).fill(0xff);
const DATA = '{"id":"7","read":{"record":"r & <1>"}}';
/** When signed messages may have been made, unless a case is about that. */
const AROUND: TimeWindow = { notBefore: T - 1000, notAfter: T + 1000 };

/** The documents that the refused ones are made from. Nobody has to verify a signature to read its document. */
const GOOD = text(new SignedEnvelope(SIGNED, 'DATA', SIGNATURE));
const SEALED = text({ header: LATER, ciphertext: CIPHERTEXT });
const SEALED_FIRST = text({ header: FIRST, ciphertext: CIPHERTEXT });

function formCases(): EnvelopeCase[] {
  const sealed = (header: Header, ciphertext = CIPHERTEXT): SealedEnvelope => ({ header, ciphertext });
  const signed = (data: string, signature = SIGNATURE): SignedEnvelope =>
    new SignedEnvelope(SIGNED, data, signature);
  const models: readonly (readonly [string, Envelope])[] = [
    ['message 1', sealed(FIRST)],
    ['message 2', sealed({ ...LATER, type: 'nsl-2', sender: n2, timestamp: T2 })],
    ['message 3', sealed({ ...LATER, type: 'nsl-3' })],
    ['request, sealed', sealed(LATER)],
    ['reply, sealed', sealed({ ...LATER, type: 'reply', sender: n2 })],
    ['ciphertext is empty', sealed(LATER, new Uint8Array(0))],
    ['ciphertext of 1 byte', sealed(LATER, Uint8Array.of(0xfb))],
    ['ciphertext of 2 bytes', sealed(LATER, Uint8Array.of(0xfb, 0xff))],
    ['request, signed', signed(DATA)],
    ['reply, signed', new SignedEnvelope({ ...SIGNED, type: 'reply' }, DATA, SIGNATURE)],
    ['signature of a composite algorithm', signed(DATA, new Uint8Array(3373).fill(0xff))],
    ['data is empty', signed('')],
    ['data is white space', signed(' \t\n ')],
    ['data with each escape', signed('&<>"\'&amp;]]>')],
    ['data looks like a number', signed('0x1F')],
    ['data looks like a ciphertext', signed('AAAA')],
    ['data of four UTF-8 lengths', signed('aé€😀\u007f\u0085\u2028\ufeff')],
    ['earliest times', sealed({ ...FIRST, timestamp: 0, timestamp1: 0 })],
    ['latest times', sealed({ ...FIRST, timestamp: 253_402_300_799_999, timestamp1: 253_402_300_799_999 })],
    ['29 February', sealed({ ...FIRST, timestamp: Date.UTC(2024, 1, 29) })],
  ];
  return models.map(([name, envelope]) => ({
    name: `form: ${name}`,
    operation: 'decode',
    xml: text(envelope),
    model: modelVector(envelope),
    header: hex(headerTuple(envelope.header)),
  }));
}

// Every edit must change the document, so that no case says nothing.
function edited(document: string, from: string | RegExp, to: string): string {
  const result = document.replace(from, () => to);
  if (result === document) throw new Error(`no ${String(from)} to edit`);
  return result;
}

function refusedCases(): EnvelopeCase[] {
  const good = (from: string | RegExp, to: string): string => edited(GOOD, from, to);
  const sealed = (from: string | RegExp, to: string): string => edited(SEALED, from, to);
  const first = (from: string | RegExp, to: string): string => edited(SEALED_FIRST, from, to);
  const dataIs = (data: string): string => good('DATA', data);
  const ciphertextIs = (base64url: string): string => sealed('AAAA', base64url);
  const time = (value: string): string => good(/<timestamp>[^<]*/, `<timestamp>${value}`);
  const leaf = (name: string): RegExp => new RegExp(`<${name}>[^<]*</${name}>`);
  const signature = (base64url: string): string =>
    good(leaf('signatura'), `<signatura>${base64url}</signatura>`);
  const typed = (document: string, type: MessageType, step: number): string =>
    edited(edited(document, 'request', type), '<pas>4', `<pas>${step}`);
  const names = [
    'tipus-msg',
    'id-remitent',
    'timestamp',
    'pas',
    'n1',
    'timestamp1',
    'n2',
    'timestamp2',
    'dades',
    'signatura',
  ];
  const documents: readonly (readonly [string, string])[] = [
    ['nothing', ''],
    ['cut off', GOOD.slice(0, -1)],
    ['byte behind the end', GOOD + '\n'],
    ['second document behind the end', GOOD + GOOD],
    ['byte order mark', '\ufeff' + GOOD],
    ['declaration', '<?xml version="1.0" encoding="UTF-8"?>' + GOOD],
    ['processing instruction', good('<cos>', '<?x y?><cos>')],
    ['document type', '<!DOCTYPE behc>' + GOOD],
    ['document type with an entity', '<!DOCTYPE behc [<!ENTITY a "DATA">]>' + dataIs('&a;')],
    ['white space between elements', good('<cos>', '\n<cos>')],
    ['white space in a tag', good('<cos>', '<cos >')],
    ['white space in an end tag', good('</cos>', '</cos >')],
    ['comment between elements', good('<cos>', '<!-- --><cos>')],
    ['comment in data', dataIs('DA<!-- -->TA')],
    ['CDATA', dataIs('<![CDATA[DATA]]>')],
    ['attribute', good('<cos>', '<cos a="b">')],
    ['default namespace', good('<behc>', '<behc xmlns="urn:x">')],
    ['namespace prefix', good('<behc>', '<x:behc>')],
    ['empty-element tag', good('<dades>DATA</dades>', '<dades/>')],
    ['other root', good('<behc>', '<other>')],
    ['name in capitals', good('<cos>', '<COS>')],
    ['element named __proto__', good('<cos>', '<__proto__>x</__proto__><cos>')],
    ['unknown element', good('</cos>', '<x>y</x></cos>')],
    ['element inside data', dataIs('<dades>DATA</dades>')],
    ['text between elements', good('<cos>', 'x<cos>')],
    ['entity of HTML', dataIs('&nbsp;')],
    ['entity named toString', dataIs('&toString;')],
    ['&quot; where the form writes the character', dataIs('&quot;')],
    ['&apos; where the form writes the character', dataIs('&apos;')],
    ['character reference', dataIs('&#65;')],
    ['hexadecimal character reference', dataIs('&#x41;')],
    ['ampersand alone', dataIs('a & b')],
    ['entity without semicolon', dataIs('&amp')],
    ['greater-than unescaped', dataIs('a > b')],
    ['carriage return in data', dataIs('\r')],
    ['NUL in data', dataIs('\0')],
    ['escape character in data', dataIs('\u001b')],
    ['U+FFFE in data', dataIs('\ufffe')],
    ['U+FFFF in data', dataIs('\uffff')],
    ...names.map((name) => [`without ${name}`, good(leaf(name), '')] as const),
    ...names.map((name) => [`two of ${name}`, good(leaf(name), twice(leaf(name), GOOD))] as const),
    ['without contexte', good(/<\/?contexte>/g, '')],
    ['without cos', good(/<cos>.*<\/cos>/, '')],
    ['cos before capcalera', good(/(<capcalera>.*<\/capcalera>)(<cos>.*<\/cos>)/, swapped())],
    ['n2 before n1', good(/<n1>.*<\/timestamp2>/, reordered())],
    ['signature before data', good(/<dades>.*<\/signatura>/, signatureFirst())],
    ['signature of a sealed envelope, before its data', sealed('<dades>', '<signatura></signatura><dades>')],
    ['signed by a handle', sealed('</cos>', leaf('signatura').exec(GOOD)![0] + '</cos>')],
    ['sealed under an Id', edited(good(leaf('signatura'), ''), 'DATA', 'AAAA')],
    ['sealed, with an empty signature', sealed('</cos>', '<signatura></signatura></cos>')],
    ['message 1, signed', first('</cos>', leaf('signatura').exec(GOOD)![0] + '</cos>')],
    [
      'message 1, signed by an Id',
      edited(
        edited(typed(GOOD, 'nsl-1', 1), leaf('n2'), '<n2></n2>'),
        leaf('timestamp2'),
        '<timestamp2></timestamp2>',
      ),
    ],
    ['message 2, signed', typed(GOOD, 'nsl-2', 2)],
    ['message 3, signed', typed(GOOD, 'nsl-3', 3)],
    ['sealed JSON text', ciphertextIs('{"id":"7"}')],
    ['sealed data with unused bits', ciphertextIs('AAB')],
    ['sealed data of 4n + 1 characters', ciphertextIs('AAAAA')],
    ['sealed data with padding', ciphertextIs('AAA=')],
    ['sealed data in the standard alphabet', ciphertextIs('++//')],
    ['sealed data with white space', ciphertextIs('AA AA')],
    ['sealed data with a line feed behind', ciphertextIs('AAAA\n')],
    ['sealed data with an ampersand', ciphertextIs('&')],
    ['sealed data with an escape', ciphertextIs('AAAA&amp;')],
    ['sealed data with a character reference', ciphertextIs('&#65;AAA')],
    ['sealed data with a letter beyond ASCII', ciphertextIs('AAAÁ')],
    ['sealed data with a comment', ciphertextIs('AA<!-- -->AA')],
    ['sealed data in CDATA', ciphertextIs('<![CDATA[AAAA]]>')],
    ['unknown type', good('request', 'nsl-4')],
    ['type in capitals', good('request', 'REQUEST')],
    ['type with white space', good('request', ' request')],
    ['type constructor', good('request', 'constructor')],
    ['step of another type', good('<pas>4', '<pas>5')],
    ['step with a leading zero', good('<pas>4', '<pas>04')],
    ['step with a sign', good('<pas>4', '<pas>+4')],
    ['step 0', good('<pas>4', '<pas>0')],
    ['sender is empty', good(leaf('id-remitent'), '<id-remitent></id-remitent>')],
    ['sender of 15 bytes', good(leaf('id-remitent'), `<id-remitent>${'A'.repeat(20)}</id-remitent>`)],
    ['sender of 31 bytes', good(leaf('id-remitent'), `<id-remitent>${'A'.repeat(42)}</id-remitent>`)],
    ['sender of 64 bytes', good(leaf('id-remitent'), `<id-remitent>${'A'.repeat(86)}</id-remitent>`)],
    ['n1 is empty', good(leaf('n1'), '<n1></n1>')],
    ['n1 of 32 bytes', good(leaf('n1'), `<n1>${'A'.repeat(43)}</n1>`)],
    ['n1 with padding', good('</n1>', '==</n1>')],
    ['n1 in the standard alphabet', good(leaf('n1'), `<n1>${'+'.repeat(21)}A</n1>`)],
    ['n1 with unused bits', good(leaf('n1'), `<n1>${'A'.repeat(21)}B</n1>`)],
    ['n1 with white space', good('<n1>', '<n1> ')],
    ['n2 is empty in a request', good(leaf('n2'), '<n2></n2>')],
    ['timestamp2 is empty in a request', good(leaf('timestamp2'), '<timestamp2></timestamp2>')],
    ['n2 in message 1', first('<n2>', `<n2>${'A'.repeat(22)}`)],
    ['timestamp2 in message 1', first('<timestamp2>', '<timestamp2>2026-03-14T09:26:53.589Z')],
    ['time is empty', time('')],
    ['time in seconds', time('2026-03-14T09:26:53Z')],
    ['time in microseconds', time('2026-03-14T09:26:53.589000Z')],
    ['time with an offset', time('2026-03-14T09:26:53.589+00:00')],
    ['time without zone', time('2026-03-14T09:26:53.589')],
    ['time with a space', time('2026-03-14 09:26:53.589Z')],
    ['time in small letters', time('2026-03-14t09:26:53.589z')],
    ['30 February', time('2026-02-30T09:26:53.589Z')],
    ['month 13', time('2026-13-14T09:26:53.589Z')],
    ['24 o’clock', time('2026-03-14T24:00:00.000Z')],
    ['leap second', time('2016-12-31T23:59:60.000Z')],
    ['time before 1970', time('1969-12-31T23:59:59.999Z')],
    ['year of five digits', time('+010000-01-01T00:00:00.000Z')],
    ['time as a number', time('1773480413589')],
    ['signature is empty', signature('')],
    ['signature of 63 bytes', signature('A'.repeat(84))],
    ['signature of 65 bytes', signature('A'.repeat(87))],
    ['signature of 3372 bytes', signature('A'.repeat(4496))],
    ['signature with unused bits', signature('A'.repeat(85) + 'B')],
    ['signature with padding', signature('A'.repeat(86) + '==')],
    ['signature with white space', signature('A'.repeat(86) + ' ')],
    ['signature with a character reference', signature('&#65;' + 'A'.repeat(85))],
  ];
  const raw: readonly (readonly [string, Uint8Array])[] = [
    ['overlong UTF-8 of two bytes', inData(0xc0, 0x80)],
    ['overlong UTF-8 of three bytes', inData(0xe0, 0x80, 0xaf)],
    ['surrogate in UTF-8', inData(0xed, 0xa0, 0x80)],
    ['UTF-8 above U+10FFFF', inData(0xf4, 0x90, 0x80, 0x80)],
    ['UTF-8 cut off', inData(0xe2, 0x82)],
    ['byte 0xff', inData(0xff)],
    [
      'overlong UTF-8 in sealed data',
      concat(
        utf8(SEALED.slice(0, SEALED.indexOf('AAAA'))),
        Uint8Array.of(0xc1, 0x81),
        utf8(SEALED.slice(SEALED.indexOf('AAAA'))),
      ),
    ],
    ['UTF-16', new Uint8Array(Buffer.from('\ufeff' + GOOD, 'utf16le'))],
  ];
  const error: ErrorCode = 'ENVELOPE_GRAMMAR';
  return [
    ...documents.map(([name, xml]): EnvelopeCase => ({
      name: `refused: ${name}`,
      operation: 'decode',
      xml,
      error,
    })),
    ...raw.map(([name, document]): EnvelopeCase => ({
      name: `refused: ${name}`,
      operation: 'decode',
      bytes: hex(document),
      error,
    })),
  ];
}

function twice(part: RegExp, document: string): string {
  return part.exec(document)![0].repeat(2);
}

function swapped(): string {
  const [, head = '', body = ''] = /(<capcalera>.*<\/capcalera>)(<cos>.*<\/cos>)/.exec(GOOD) ?? [];
  return body + head;
}

function signatureFirst(): string {
  const [, data = '', signature = ''] = /(<dades>.*<\/dades>)(<signatura>.*<\/signatura>)/.exec(GOOD) ?? [];
  return signature + data;
}

function reordered(): string {
  const [, one = '', two = ''] = /(<n1>.*<\/timestamp1>)(<n2>.*<\/timestamp2>)/.exec(GOOD) ?? [];
  return two + one;
}

function inData(...content: readonly number[]): Uint8Array {
  const [before = '', after = ''] = GOOD.split('DATA');
  return concat(utf8(before), Uint8Array.from(content), utf8(after));
}

function textCases(): EnvelopeCase[] {
  const texts: readonly (readonly [string, string])[] = [
    ['NUL', '\0'],
    ['vertical tab', '\v'],
    ['carriage return', 'a\r\nb'],
    ['unit separator', '\u001f'],
    ['U+FFFE', '\ufffe'],
    ['U+FFFF', '\uffff'],
  ];
  return texts.map(([name, data]) => ({
    name: `text: ${name}`,
    operation: 'encode',
    model: signedVector(new SignedEnvelope(SIGNED, data, SIGNATURE)),
    error: 'ENVELOPE_TEXT',
  }));
}

function spellingCases(): EnvelopeCase[] {
  const good = text(new SignedEnvelope(SIGNED, DATA, new Uint8Array(64).fill(7)));
  const raw = '{"id":"7","read":{"record":"r & <1>"}}';
  const escaped = '{"id":"7","read":{"record":"r &amp; &lt;1&gt;"}}';
  const spelled = (data: string): string => edited(good, escaped, data);
  const declared = (declaration: string): string => declaration + good;
  const empty = text({ header: FIRST, ciphertext: new Uint8Array(0) });
  const sealed = (from: string | RegExp, to: string): string => edited(SEALED, from, to);
  // With the 28 tags of a signed envelope, the most that a reader counts.
  const comments = '<!---->'.repeat(1024 - 28);
  const accepted: readonly (readonly [string, string, string])[] = [
    ['the one form', good, good],
    ['sealed', SEALED, SEALED],
    ['indented', indented(good), good],
    ['indented and sealed', indented(SEALED), SEALED],
    ['CRLF', indented(good).replaceAll('\n', '\r\n'), good],
    ['CR', indented(good).replaceAll('\n', '\r'), good],
    ['declaration', declared('<?xml version="1.0"?>'), good],
    ['declaration with encoding', declared('<?xml version="1.0" encoding="UTF-8"?>\n'), good],
    [
      'declaration in single quotes',
      declared("<?xml version='1.0' encoding='utf-8' standalone='yes' ?>"),
      good,
    ],
    ['byte order mark', declared('\ufeff'), good],
    ['byte order mark and declaration', declared('\ufeff<?xml version="1.0"?>'), good],
    ['CDATA', spelled(`<![CDATA[${raw}]]>`), good],
    [
      'two CDATA sections and text',
      spelled('<![CDATA[{"id":"7",]]>"read":{"record":"r <![CDATA[& <1>"}}]]>'),
      good,
    ],
    ['CDATA in the header', edited(good, 'request', '<![CDATA[request]]>'), good],
    [
      'CDATA with a document type inside',
      spelled('<![CDATA[<!DOCTYPE x>]]>'),
      edited(good, escaped, '&lt;!DOCTYPE x&gt;'),
    ],
    ['decimal character references', spelled('{"id":"7","read":{"record":"r &#38; &#60;1&#62;"}}'), good],
    [
      'hexadecimal character references',
      spelled('{&#x22;id":"7","read":{"record":"r &#x26; &#x3c;1&#x00003E;"}}'),
      good,
    ],
    ['character reference above U+FFFF', spelled('&#x1F600;'), edited(good, escaped, '😀')],
    ['character reference in the header', edited(good, 'request', '&#114;equest'), good],
    ['the five entities', spelled('{&quot;id&quot;:"7","read":{"record":"r &amp; &lt;1&gt;"}}'), good],
    ['apostrophe', spelled('&apos;'), edited(good, escaped, "'")],
    ['greater-than unescaped', spelled('{"id":"7","read":{"record":"r &amp; &lt;1>"}}'), good],
    ['comments', `<!-- a -->${edited(good, '<cos>', '<!-- b --><cos>')}<!-- c -->`, good],
    [
      'comment inside data joins its halves',
      spelled('{"id":"7","read":{"record":"r &amp; <!-- x -->&lt;1&gt;"}}'),
      good,
    ],
    ['sealed data in CDATA', sealed('AAAA', '<![CDATA[AA]]>AA'), SEALED],
    ['sealed data with a character reference', sealed('AAAA', '&#65;AA&#x41;'), SEALED],
    ['comment inside sealed data joins its halves', sealed('AAAA', 'AA<!-- -->AA'), SEALED],
    ['1024 tags and comments', good + comments, good],
    ['white space in tags', good.replaceAll('dades>', 'dades \n>'), good],
    [
      'empty-element tags',
      edited(
        edited(edited(empty, '<n2></n2>', '<n2/>'), '<timestamp2></timestamp2>', '<timestamp2 />'),
        '<dades></dades>',
        '<dades/>',
      ),
      empty,
    ],
    ['white space in data stays', spelled(' \t\n x '), edited(good, escaped, ' \t\n x ')],
    ['line ends in data become line feeds', spelled('a\r\nb\rc'), edited(good, escaped, 'a\nb\nc')],
    ['number-like text stays text', spelled('007'), edited(good, escaped, '007')],
  ];
  const bomb = '<!DOCTYPE behc [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;&a;">]>';
  const refused: readonly (readonly [string, string, ErrorCode?])[] = [
    ['document type', declared('<!DOCTYPE behc>')],
    ['document type in small letters', declared('<!doctype behc>')],
    ['external entity', declared('<!DOCTYPE behc [<!ENTITY a SYSTEM "file:///etc/passwd">]>')],
    ['entity expansion', bomb + spelled('&b;')],
    ['document type behind the end', good + '<!DOCTYPE behc>'],
    ['unknown entity', spelled('&nbsp;')],
    ['entity named toString', spelled('&toString;')],
    ['entity named valueOf', spelled('&valueOf;')],
    ['entity named __proto__', spelled('&__proto__;')],
    ['ampersand alone', spelled('a & b')],
    ['reference to NUL', spelled('&#0;')],
    ['reference to two surrogates', spelled('&#xD83D;&#xDE00;')],
    ['reference above U+10FFFF', spelled('&#x110000;')],
    ['reference of too many digits', spelled('&#99999999;')],
    ['reference to a carriage return', spelled('&#13;'), 'ENVELOPE_TEXT'],
    ['control character', spelled('\u0001'), 'ENVELOPE_TEXT'],
    ['U+FFFE', spelled('\ufffe'), 'ENVELOPE_TEXT'],
    ['reference behind the end', good + '&#65;'],
    ['text behind the end', good + 'x'],
    ['text before the root', 'x' + good],
    ['two byte order marks', '\ufeff\ufeff' + good],
    ['two roots', good + good],
    [']]> in text', spelled('a]]>b')],
    ['CDATA not closed', spelled('<![CDATA[x')],
    ['CDATA between elements', edited(good, '<cos>', '<![CDATA[ ]]><cos>')],
    ['comment not closed', good + '<!-- '],
    ['two hyphens in a comment', edited(good, '<cos>', '<!-- -- --><cos>')],
    ['three hyphens end a comment', edited(good, '<cos>', '<!-- x ---><cos>')],
    ['processing instruction', edited(good, '<cos>', '<?x y?><cos>')],
    ['style sheet', declared('<?xml-stylesheet href="http://127.0.0.1/x"?>')],
    ['declaration in the middle', spelled('a<?xml version="1.0"?>b')],
    ['declaration behind white space', declared(' <?xml version="1.0"?>')],
    ['two declarations', declared('<?xml version="1.0"?><?xml version="1.0"?>')],
    ['declaration of XML 1.1', declared('<?xml version="1.1"?>')],
    ['declaration of Latin 1', declared('<?xml version="1.0" encoding="ISO-8859-1"?>')],
    ['declaration of UTF-7', declared('<?xml version="1.0" encoding="UTF-7"?>')],
    ['declaration without version', declared('<?xml encoding="UTF-8"?>')],
    ['attribute', edited(good, '<cos>', '<cos a="b">')],
    ['attribute on a leaf', edited(good, '<dades>', '<dades a="b">')],
    [
      'attribute xsi:schemaLocation',
      edited(good, '<behc>', '<behc xsi:schemaLocation="http://127.0.0.1/x">'),
    ],
    ['default namespace', edited(good, '<behc>', '<behc xmlns="urn:x">')],
    ['namespace prefix', good.replaceAll('behc>', 'x:behc>')],
    ['no-break space in a tag', edited(good, '<dades>', '<dades\u00a0>')],
    ['no-break space between elements', edited(good, '<cos>', '\u00a0<cos>')],
    ['slash at the end of an end tag', edited(good, '</dades>', '</dades/>')],
    ['element inside a leaf', spelled('<dades>x</dades>')],
    ['two data elements', edited(good, '<dades>', '<dades>x</dades><dades>')],
    ['signature before data', edited(good, /<dades>.*<\/signatura>/, signatureFirst())],
    ['two signatures', edited(good, /<signatura>.*<\/signatura>/, twice(/<signatura>.*<\/signatura>/, good))],
    ['signed by a handle', sealed('</cos>', `<signatura>${'A'.repeat(86)}</signatura></cos>`)],
    ['sealed under an Id', edited(edited(good, /<signatura>.*<\/signatura>/, ''), escaped, 'AAAA')],
    ['sealed, with an empty signature', sealed('</cos>', '<signatura/></cos>')],
    ['message 3, signed', edited(edited(good, 'request', 'nsl-3'), '<pas>4', '<pas>3')],
    ['sealed JSON text', sealed('AAAA', '{&quot;id&quot;:7}')],
    ['white space around sealed data', sealed('AAAA', '\n AAAA\n ')],
    ['white space inside sealed data', sealed('AAAA', 'AA\nAA')],
    ['sealed data with unused bits', sealed('AAAA', 'AAB')],
    ['sealed data with padding', sealed('AAAA', 'AAA=')],
    ['1025 tags and comments', `${good}${comments}<!---->`],
    ['1025 tags and CDATA sections', spelled('<![CDATA[]]>'.repeat(1024 - 27))],
    ['CDATA across elements', edited(edited(good, '</dades>', '<![CDATA[</dades>'), '</cos>', ']]></cos>')],
    ['comment across elements', edited(edited(good, '</dades>', '<!--</dades>'), '</cos>', '--></cos>')],
    ['unknown element', edited(good, '</cos>', '<x>y</x></cos>')],
    ['element named __proto__', good.replaceAll('dades>', '__proto__>')],
    ['element named constructor', good.replaceAll('dades>', 'constructor>')],
    ['cos before capcalera', edited(good, /(<capcalera>.*<\/capcalera>)(<cos>.*<\/cos>)/, swapped())],
    ['white space in n1', edited(good, '<n1>', '<n1> ')],
    ['not closed', good.slice(0, -7)],
    ['nested a thousand deep', '<behc>'.repeat(1000) + '</behc>'.repeat(1000)],
    ['nothing', ''],
  ];
  return [
    ...accepted.map(([name, foreign, xml]): EnvelopeCase => ({
      name: `spelling: ${name}`,
      operation: 'normalize',
      foreign,
      xml,
    })),
    ...refused.map(([name, foreign, error = 'ENVELOPE_GRAMMAR']): EnvelopeCase => ({
      name: `spelling refused: ${name}`,
      operation: 'normalize',
      foreign,
      error,
    })),
  ];
}

// As a pretty-printer would: one element a line, leaves whole.
function indented(document: string): string {
  return document
    .replace(/<(behc|capcalera|contexte|cos)>/g, '\n  <$1>\n    ')
    .replace(/(<\/[a-z0-9-]+>)/g, '$1\n\t')
    .trim();
}

async function signedCases(): Promise<EnvelopeCase[]> {
  const seeds = seededRandom('envelope signer');
  const seed = seeds(32);
  const user = await author('Dr. Ruiz', seed);
  const bank = await author('Banc', seeds(32));
  const stranger = await author('Dr. Ruiz', seeds(32));
  const asked = { sessionId, from: user.credential.id, to: bank.credential.id, answers: null };
  const request = await signEnvelope(
    user.signer,
    { header: { ...LATER, sender: asked.from }, data: DATA },
    asked,
  );
  const answers = digestsOf(request);
  const answered = { sessionId, from: bank.credential.id, to: user.credential.id, answers };
  const replyHeader: Header<SignedType> = {
    ...LATER,
    type: 'reply',
    sender: answered.from,
    timestamp: T + 5,
  };
  const reply = await signEnvelope(bank.signer, { header: replyHeader, data: '{"ok":true}' }, answered);
  const bankSeeds = seededRandom('envelope signer');
  bankSeeds(32);

  const sign = (
    name: string,
    by: Identity,
    key: Uint8Array,
    envelope: SignedEnvelope,
    context: SigningContext,
  ): EnvelopeCase => {
    const header = headerTuple(envelope.header);
    const digests = digestsOf(envelope);
    const { from, to } = context;
    const signed =
      context.answers === null
        ? tuple('request', sessionId, from, to, header, digests.data)
        : tuple(
            'reply',
            sessionId,
            from,
            to,
            header,
            context.answers.data,
            context.answers.signature,
            digests.data,
          );
    return {
      name,
      operation: 'sign',
      seed: hex(key),
      author: authorVector(by),
      context: contextVector(context),
      model: signedVector(envelope),
      header: hex(header),
      signatureInput: hex(signed),
      digests: digestsVector(digests),
      xml: text(envelope),
    };
  };
  interface Circumstances {
    readonly type?: SignedType;
    readonly by?: Identity;
    readonly context?: SigningContext;
    readonly time?: TimeWindow;
  }
  const verify = (
    name: string,
    envelope: SignedEnvelope,
    { type = 'request', by = user, context = asked, time = AROUND }: Circumstances,
    outcome: { data: string } | { error: ErrorCode },
  ): EnvelopeCase => ({
    name,
    operation: 'verify',
    type,
    author: authorVector(by),
    context: contextVector(context),
    time,
    xml: text(envelope),
    ...outcome,
  });
  const refuse = (
    name: string,
    envelope: SignedEnvelope,
    circumstances: Circumstances = {},
    error: ErrorCode = 'ENVELOPE_SIGNATURE',
  ): EnvelopeCase => verify(`signature refused: ${name}`, envelope, circumstances, { error });
  const within = (name: string, time: TimeWindow): EnvelopeCase =>
    verify(`signature: made at ${name}`, request, { time }, { data: DATA });
  const without = (name: string, time: TimeWindow): EnvelopeCase =>
    refuse(name, request, { time }, 'ENVELOPE_TIME');

  const { header, signature } = request;
  const changed = (changes: Partial<Header<SignedType>>): SignedEnvelope =>
    new SignedEnvelope({ ...header, ...changes }, DATA, signature);
  const resigned = (bytesOf: Uint8Array): SignedEnvelope => new SignedEnvelope(header, DATA, bytesOf);
  const replyTo = { type: 'reply' as const, by: bank, context: answered };
  const turned = flipped(sessionId, 31);
  const evidence = (
    name: string,
    bytesOf: Uint8Array,
    by: Identity,
    context: SigningContext,
    outcome: { xml: string } | { error: ErrorCode },
    { type = context.answers === null ? 'request' : 'reply', time = AROUND }: Circumstances = {},
  ): EnvelopeCase => ({
    name: `evidence: ${name}`,
    operation: 'evidence',
    type,
    author: authorVector(by),
    to: hex(context.to),
    answers: contextVector(context).answers,
    time,
    evidence: hex(bytesOf),
    ...outcome,
  });
  const kept = encodeEvidence(request, asked);
  const keptAt = (
    name: string,
    time: TimeWindow,
    outcome: { xml: string } | { error: ErrorCode },
  ): EnvelopeCase => evidence(name, kept, user, asked, outcome, { time });
  const forged = { error: 'ENVELOPE_SIGNATURE' } as const;
  const untimely = { error: 'ENVELOPE_TIME' } as const;
  return [
    sign('signature: request', user, seed, request, asked),
    sign('signature: reply', bank, bankSeeds(32), reply, answered),
    within('the first moment allowed', { notBefore: T, notAfter: T + 1000 }),
    within('the last moment allowed', { notBefore: T - 1000, notAfter: T }),
    within('the only moment allowed', { notBefore: T, notAfter: T }),
    without('made before the time allowed', { notBefore: T + 1, notAfter: T + 1000 }),
    without('made after the time allowed', { notBefore: T - 1000, notAfter: T - 1 }),
    without('no time is allowed', { notBefore: T + 1, notAfter: T - 1 }),
    refuse('altered signature and another time', resigned(flipped(signature, 0)), {
      time: { notBefore: 0, notAfter: 0 },
    }),
    refuse('signature of zeros', resigned(new Uint8Array(64))),
    refuse('signature as long as a composite one', resigned(new Uint8Array(3373))),
    refuse('altered signature', resigned(flipped(signature, 0))),
    refuse('other data', new SignedEnvelope(header, DATA + ' ', signature)),
    refuse('other time', changed({ timestamp: T + 1 })),
    refuse('other n1', changed({ n1: flipped(n1, 0) })),
    refuse('other timestamp1', changed({ timestamp1: T1 + 1 })),
    refuse('other n2', changed({ n2: flipped(n2, 0) })),
    refuse('other timestamp2', changed({ timestamp2: T2 + 1 })),
    refuse('other sender', changed({ sender: stranger.credential.id })),
    refuse('type and step of a reply', changed({ type: 'reply' }), {
      type: 'reply',
      context: { ...asked, answers },
    }),
    refuse('a reply is awaited', request, { ...replyTo, by: user }),
    refuse('another session', request, { context: { ...asked, sessionId: turned } }),
    refuse('to somebody else', request, { context: { ...asked, to: stranger.credential.id } }),
    refuse('by somebody else', request, {
      by: stranger,
      context: { ...asked, from: stranger.credential.id },
    }),
    refuse('author and context differ', request, { by: stranger }),
    refuse('reply to other data', reply, {
      ...replyTo,
      context: { ...answered, answers: { ...answers, data: flipped(answers.data, 0) } },
    }),
    refuse('reply to another signature', reply, {
      ...replyTo,
      context: { ...answered, answers: { ...answers, signature: flipped(answers.signature, 0) } },
    }),
    refuse('reply taken for a request', reply, { by: bank, context: { ...answered, answers: null } }),
    evidence('request', kept, user, asked, { xml: text(request) }),
    evidence('reply', encodeEvidence(reply, answered), bank, answered, { xml: text(reply) }),
    keptAt('made at the first moment allowed', { notBefore: T, notAfter: T + 1000 }, { xml: text(request) }),
    keptAt('made at the last moment allowed', { notBefore: T - 1000, notAfter: T }, { xml: text(request) }),
    keptAt('refused: made before the time allowed', { notBefore: T + 1, notAfter: T + 1000 }, untimely),
    keptAt('refused: made after the time allowed', { notBefore: T - 1000, notAfter: T - 1 }, untimely),
    evidence('refused: another receiver', kept, user, { ...asked, to: user.credential.id }, forged),
    evidence('refused: another author', kept, stranger, asked, forged),
    evidence('refused: another kind', kept, user, { ...asked, answers }, forged),
    evidence(
      'refused: another session',
      encodeEvidence(request, { ...asked, sessionId: turned }),
      user,
      asked,
      forged,
    ),
    evidence(
      'refused: sealed envelope',
      tuple('evidence', sessionId, asked.from, asked.to, SEALED),
      user,
      asked,
      forged,
    ),
    evidence('refused: byte behind the end', concat(kept, new Uint8Array(1)), user, asked, {
      error: 'WIRE_TUPLE',
    }),
    evidence('refused: other label', tuple('evidence 2', sessionId), user, asked, { error: 'WIRE_TUPLE' }),
    evidence(
      'refused: envelope in another spelling',
      tuple('evidence', sessionId, asked.from, asked.to, indented(text(request))),
      user,
      asked,
      { error: 'ENVELOPE_GRAMMAR' },
    ),
  ];
}

/** An identity whose signing key is this seed. */
async function author(subject: string, seed: Uint8Array): Promise<Identity> {
  const rest = seededRandom(`envelope ${hex(seed)}`);
  let drawn = 0;
  const random = (length: number): Uint8Array => (drawn++ === 0 ? seed.slice() : rest(length));
  return createAnchor(
    { subject, roles: ['doctor'], notBefore: 0, notAfter: Date.UTC(2100, 0) },
    { kem: 0x0020, random },
  );
}

function text(envelope: Envelope): string {
  return fromUtf8(encodeEnvelope(envelope));
}

/** An envelope as the vectors write it. */
export function modelVector(envelope: Envelope): ModelVector {
  if (envelope instanceof SignedEnvelope) return signedVector(envelope);
  return { ...headerVector(envelope.header), ciphertext: hex(envelope.ciphertext) };
}

function signedVector(envelope: SignedEnvelope): SignedVector {
  const { header, signature } = envelope;
  return { ...headerVector(header), data: readUnverifiedData(envelope), signature: hex(signature) };
}

function headerVector<Type extends MessageType>(header: Header<Type>): HeaderVector<Type> {
  return {
    type: header.type,
    sender: hex(header.sender),
    timestamp: header.timestamp,
    n1: hex(header.n1),
    timestamp1: header.timestamp1,
    n2: header.n2 === null ? null : hex(header.n2),
    timestamp2: header.timestamp2,
  };
}

function digestsVector({ data, signature }: EnvelopeDigests): { data: string; signature: string } {
  return { data: hex(data), signature: hex(signature) };
}

function contextVector({ from, to, answers, ...context }: SigningContext): ContextVector {
  return {
    sessionId: hex(context.sessionId),
    from: hex(from),
    to: hex(to),
    answers: answers === null ? null : digestsVector(answers),
  };
}

function authorVector({ credential }: Identity): AuthorVector {
  return { credential: hex(credential.encoded), id: hex(credential.id) };
}
