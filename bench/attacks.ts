/**
 * Documents made to hurt whoever reads XML: the corpus beside this repository, and what is generated because nobody
 * wants to store it, each as large as the readers of envelopes take it, since a smaller one costs less.
 */

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  encodeEnvelope,
  ENVELOPE_LIMIT,
  FOREIGN_LIMIT,
  SignedEnvelope,
  type Header,
  type SignedType,
} from 'muniment/envelope';

export interface Attack {
  readonly name: string;
  /** Made when it is its turn, so that they do not all lie in memory. */
  readonly document: () => Uint8Array;
  /** Who takes it for an envelope, as it is one: `decodeEnvelope` takes the one form, `normalizeEnvelope` every spelling. */
  readonly taken: 'by none' | 'by the lenient' | 'by both';
}

const CORPUS = new URL('../../shared/corpora/xml-attacks/', import.meta.url);

export function attacks(): Attack[] {
  return [...corpus(), ...generated()];
}

/** Nothing where the corpus is absent, unless the environment says that it must be there. */
function corpus(): Attack[] {
  if (!existsSync(CORPUS)) {
    const { MUNIMENT_REQUIRE_CORPORA: required } = process.env;
    if (required === undefined || required === '') return [];
    throw new Error(`${fileURLToPath(CORPUS)} is absent`);
  }
  const { files } = JSON.parse(readFileSync(new URL('index.json', CORPUS), 'utf8')) as {
    files: { file: string }[];
  };
  return files.map(({ file }) => ({
    name: file,
    document: () => new Uint8Array(readFileSync(new URL(file, CORPUS))),
    taken: 'by none',
  }));
}

const DATA = 'DATA';
const good = new TextDecoder().decode(encodeEnvelope(unsigned(DATA)));
const [head = '', tail = ''] = good.split(DATA);
/** A request in form; what stands for its signature is none. */
export function unsigned(data: string): SignedEnvelope {
  const handle = new Uint8Array(16);
  const times = { timestamp: 0, timestamp1: 0, timestamp2: 0 };
  const sender = new Uint8Array(32);
  const header: Header<SignedType> = { type: 'request', sender, n1: handle, n2: handle, ...times };
  return new SignedEnvelope(header, data, new Uint8Array(64));
}

/** Room for what stands around a filling. */
const MARGIN = 1024;

/** A whole envelope with this in its `dades`. */
function around(data: string): string {
  return head + data + tail;
}

/** The unit as often as the readers' limit allows. */
function filled(unit: string, limit = FOREIGN_LIMIT): string {
  return unit.repeat(Math.floor((limit - MARGIN) / unit.length));
}

function numbered(count: number, make: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => make(index)).join(' ');
}

/** Units that open something, or are something small: each over and over again in `dades`, and alone. */
const UNITS = [
  ['elements', '<a></a>'],
  ['empty elements', '<a/>'],
  ['opened elements', '<a>'],
  ['closed elements', '</a>'],
  ['nested dades', '<dades>'],
  ['opened tags', '<a '],
  ['less-than signs', '<'],
  ['attributes', '<a b="c">'],
  ['half an attribute', '<a b="'],
  ['namespaces', '<a xmlns:b="c">'],
  ['opened comments', '<!--'],
  ['half comments', '<!-'],
  ['bad comments', '<!-- -- -->'],
  ['opened CDATA', '<![CDATA['],
  ['closed CDATA', ']]>'],
  ['opened types', '<!DOCTYPE '],
  ['opened instructions', '<?'],
  ['instructions', '<?a?>'],
  ['ampersands', '&'],
  ['unknown references', '&a;'],
  ['references to nothing', '&#0;'],
  ['references to surrogates', '&#xD800;'],
  ['unfinished references', '&#x'],
] as const;

/** The same, but of what another tool may write instead of letters. */
const SPELLINGS = [
  ['references', '&amp;', 'by both'],
  ['references between letters', 'a&lt;', 'by both'],
  ['references to characters', '&#65;', 'by the lenient'],
  ['long references', '&#x00041;', 'by the lenient'],
  ['empty CDATA', '<![CDATA[]]>', 'by the lenient'],
  ['CDATA', '<![CDATA[a]]>', 'by the lenient'],
  ['CDATA between letters', 'a<![CDATA[a]]>', 'by the lenient'],
  ['empty comments', '<!---->', 'by the lenient'],
  ['comments between letters', 'a<!-- -->', 'by the lenient'],
  ['carriage returns', '\r', 'by the lenient'],
  ['lines', 'a\r\n', 'by the lenient'],
  ['greater-than signs', '>', 'by the lenient'],
] as const;

const LAUGHS = numbered(10, (level) => `<!ENTITY e${level + 1} "${`&e${level};`.repeat(10)}">`);

function generated(): Attack[] {
  return [
    ...UNITS.flatMap(([name, unit]) => [
      bad(`${name} in dades`, () => around(filled(unit))),
      bad(`${name} alone`, () => filled(unit)),
      bad(`${name} in behc`, () => `<behc>${filled(unit)}</behc>`),
    ]),
    ...SPELLINGS.flatMap(([name, unit, taken]) => [
      odd(`${name} in dades`, () => around(filled(unit)), taken),
      bad(`${name} in dades, then a bad reference`, () => around(`${filled(unit)}&`)),
      bad(`${name} alone`, () => filled(unit)),
    ]),

    bad('a million elements deep', () => '<a>'.repeat(1e6)),
    bad('half a million elements deep, closed', () => '<a>'.repeat(5e5) + '</a>'.repeat(5e5)),
    bad('dades deep, closed', () => around('<dades>'.repeat(275_000) + '</dades>'.repeat(275_000))),
    bad('many dades', () => good.replace('</cos>', `${filled('<dades></dades>')}</cos>`)),
    bad('many signatures', () => good.replace('</cos>', `${filled('<signatura></signatura>')}</cos>`)),
    bad('many headers', () => good.replace('<cos>', `${filled('<capcalera></capcalera>')}<cos>`)),
    bad('a hundred thousand attributes', () => `<behc ${numbered(1e5, (i) => `a${i}="b"`)}></behc>`),
    bad('a hundred thousand namespaces', () => `<behc ${numbered(1e5, (i) => `xmlns:a${i}="b"`)}></behc>`),
    bad('a hundred thousand names', () => `<behc>${numbered(1e5, (i) => `<a${i}></a${i}>`)}</behc>`),

    bad('a long name', () => `<${filled('a')}>`),
    bad(
      'a long name, closed',
      () => `<${filled('a', FOREIGN_LIMIT / 2)}></${filled('a', FOREIGN_LIMIT / 2)}>`,
    ),
    bad('a long attribute', () => `<behc a="${filled('a')}">`),
    bad('a long reference', () => around(`&${filled('a')};`)),
    bad('a reference of many digits', () => around(`&#${filled('9')};`)),
    bad('a long instruction', () => `<?a ${filled('a')}?>${good}`),
    odd('a long comment', () => good.replace('<cos>', `<!--${filled('a')}--><cos>`), 'by the lenient'),
    odd('a long comment in dades', () => around(`<!--${filled('a')}-->`), 'by the lenient'),
    odd('a long CDATA section', () => around(`<![CDATA[${filled('a')}]]>`), 'by the lenient'),
    odd('a CDATA section of ampersands', () => around(`<![CDATA[${filled('&')}]]>`), 'by the lenient'),
    odd('a long declaration', () => `<?xml version="1.0"${filled(' ')}?>${good}`, 'by the lenient'),
    bad('a long declaration, unfinished', () => `<?xml version="1.0"${filled(' ')}`),
    odd('white space in front', () => filled(' ') + good, 'by the lenient'),
    odd('white space behind', () => good + filled('\n'), 'by the lenient'),
    odd('white space between', () => good.replace('<cos>', `${filled(' \n')}<cos>`), 'by the lenient'),
    odd(
      'white space in a closing tag',
      () => good.replace('</cos>', `</cos${filled(' ')}>`),
      'by the lenient',
    ),
    bad('white space in a tag, unfinished', () => good.replace('<cos>', `<cos${filled(' ')}`)),
    bad('white space alone', () => filled(' ')),

    odd('a long text', () => around(filled('a')), 'by both'),
    odd('a long text of accents', () => around(filled('é', FOREIGN_LIMIT / 2)), 'by both'),
    odd('a long text of emoji', () => around(filled('😀', FOREIGN_LIMIT / 2)), 'by both'),
    odd('a long text and one character of another script', () => around(`${filled('a')}ж`), 'by both'),
    bad('a long text before a wrong end', () => around(filled('a')) + 'a'),
    bad('a long text before an unknown reference', () => around(`${filled('a')}&a;`)),
    bad('a long text before a control character', () => around(`${filled('a')}\0`)),
    bad('a long timestamp', () => good.replace('1970-', `${filled('1')}-`)),
    bad('a long handle', () => good.replace('<n1>', `<n1>${filled('A')}`)),
    bad('a long signature', () => good.replace('<signatura>', `<signatura>${filled('A')}`)),
    bad('a long type of message', () => good.replace('request', filled('a'))),

    bad('billion laughs', () => `<!DOCTYPE behc [<!ENTITY e0 "ha">${LAUGHS}]>${around('&e10;')}`),
    bad('quadratic blow-up', () => {
      const entity = `<!DOCTYPE behc [<!ENTITY e "${'a'.repeat(1e5)}">]>`;
      return entity + around('&e;'.repeat(1e4));
    }),
    bad('a long document type', () => `<!DOCTYPE behc [${filled('<!ENTITY a "b">')}]>${good}`),

    bytes('zeros', () => new Uint8Array(FOREIGN_LIMIT)),
    bytes('no UTF-8', () => new Uint8Array(FOREIGN_LIMIT).fill(0xff)),
    bytes('UTF-8 but for its end', () => Buffer.concat([Buffer.from(filled('a')), Buffer.of(0xe2)])),
    bytes('48 MiB of zeros', () => new Uint8Array(ENVELOPE_LIMIT)),
    bad('48 MiB of elements', () => filled('<a>', ENVELOPE_LIMIT)),
    bad('48 MiB of text in a header', () => good.replace('request', filled('a', ENVELOPE_LIMIT))),
    bad('48 MiB of text before a wrong end', () => around(filled('a', ENVELOPE_LIMIT)) + 'a'),
    bad('48 MiB and a little', () => around('a'.repeat(ENVELOPE_LIMIT))),
  ];
}

function bad(name: string, text: () => string): Attack {
  return odd(name, text, 'by none');
}

function odd(name: string, text: () => string, taken: Attack['taken']): Attack {
  return { name, document: () => Buffer.from(text()), taken };
}

function bytes(name: string, document: () => Uint8Array): Attack {
  return { name, document, taken: 'by none' };
}
