/**
 * Documents made to hurt whoever reads XML: the corpus beside this repository, and what is generated because nobody
 * wants to store it, each as large as is asked for, since a smaller one costs less.
 */

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  encodeEnvelope,
  ENVELOPE_LIMIT,
  SignedEnvelope,
  type Header,
  type SignedType,
} from 'muniment/envelope';

export interface Attack {
  readonly name: string;
  /** Made when it is its turn, so that they do not all lie in memory; of nearly `length` bytes if it is generated. */
  readonly document: (length: number) => Uint8Array;
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

/** Repeats a unit over a part of the document, all of it unless said. */
type Fill = (unit: string, part?: number) => string;

function filler(length: number): Fill {
  return (unit, part = 1) => unit.repeat(Math.floor(((length - MARGIN) * part) / unit.length));
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

/** The same, but of what another tool may write instead of letters; markup not so often. */
const SPELLINGS = [
  ['references', '&amp;', 'by both'],
  ['references between letters', 'a&lt;', 'by both'],
  ['references to characters', '&#65;', 'by the lenient'],
  ['long references', '&#x00041;', 'by the lenient'],
  ['empty CDATA', '<![CDATA[]]>', 'by none'],
  ['CDATA', '<![CDATA[a]]>', 'by none'],
  ['CDATA between letters', 'a<![CDATA[a]]>', 'by none'],
  ['empty comments', '<!---->', 'by none'],
  ['comments between letters', 'a<!-- -->', 'by none'],
  ['carriage returns', '\r', 'by the lenient'],
  ['lines', 'a\r\n', 'by the lenient'],
  ['greater-than signs', '>', 'by the lenient'],
] as const;

const LAUGHS = numbered(10, (level) => `<!ENTITY e${level + 1} "${`&e${level};`.repeat(10)}">`);

function generated(): Attack[] {
  return [
    ...UNITS.flatMap(([name, unit]) => [
      bad(`${name} in dades`, (fill) => around(fill(unit))),
      bad(`${name} alone`, (fill) => fill(unit)),
      bad(`${name} in behc`, (fill) => `<behc>${fill(unit)}</behc>`),
    ]),
    ...SPELLINGS.flatMap(([name, unit, taken]) => [
      odd(`${name} in dades`, (fill) => around(fill(unit)), taken),
      bad(`${name} in dades, then a bad reference`, (fill) => around(`${fill(unit)}&`)),
      bad(`${name} alone`, (fill) => fill(unit)),
    ]),

    bad('a million elements deep', () => '<a>'.repeat(1e6)),
    bad('half a million elements deep, closed', () => '<a>'.repeat(5e5) + '</a>'.repeat(5e5)),
    bad('dades deep, closed', () => around('<dades>'.repeat(275_000) + '</dades>'.repeat(275_000))),
    bad('many dades', (fill) => good.replace('</cos>', `${fill('<dades></dades>')}</cos>`)),
    bad('many signatures', (fill) => good.replace('</cos>', `${fill('<signatura></signatura>')}</cos>`)),
    bad('many headers', (fill) => good.replace('<cos>', `${fill('<capcalera></capcalera>')}<cos>`)),
    bad('a hundred thousand attributes', () => `<behc ${numbered(1e5, (i) => `a${i}="b"`)}></behc>`),
    bad('a hundred thousand namespaces', () => `<behc ${numbered(1e5, (i) => `xmlns:a${i}="b"`)}></behc>`),
    bad('a hundred thousand names', () => `<behc>${numbered(1e5, (i) => `<a${i}></a${i}>`)}</behc>`),

    bad('a long name', (fill) => `<${fill('a')}>`),
    bad('a long name, closed', (fill) => `<${fill('a', 0.5)}></${fill('a', 0.5)}>`),
    bad('a long attribute', (fill) => `<behc a="${fill('a')}">`),
    bad('a long reference', (fill) => around(`&${fill('a')};`)),
    bad('a reference of many digits', (fill) => around(`&#${fill('9')};`)),
    bad('a long instruction', (fill) => `<?a ${fill('a')}?>${good}`),
    odd('a long comment', (fill) => good.replace('<cos>', `<!--${fill('a')}--><cos>`), 'by the lenient'),
    odd('a long comment in dades', (fill) => around(`<!--${fill('a')}-->`), 'by the lenient'),
    odd('a long CDATA section', (fill) => around(`<![CDATA[${fill('a')}]]>`), 'by the lenient'),
    odd('a CDATA section of ampersands', (fill) => around(`<![CDATA[${fill('&')}]]>`), 'by the lenient'),
    odd('a long declaration', (fill) => `<?xml version="1.0"${fill(' ')}?>${good}`, 'by the lenient'),
    bad('a long declaration, unfinished', (fill) => `<?xml version="1.0"${fill(' ')}`),
    odd('some comments', (fill) => around(`a<!--${fill('a', 1 / 1000)}-->`.repeat(900)), 'by the lenient'),
    odd('some CDATA', (fill) => around(`a<![CDATA[${fill('a', 1 / 1000)}]]>`.repeat(900)), 'by the lenient'),
    odd('white space in front', (fill) => fill(' ') + good, 'by the lenient'),
    odd('white space behind', (fill) => good + fill('\n'), 'by the lenient'),
    odd('white space between', (fill) => good.replace('<cos>', `${fill(' \n')}<cos>`), 'by the lenient'),
    odd(
      'white space in a closing tag',
      (fill) => good.replace('</cos>', `</cos${fill(' ')}>`),
      'by the lenient',
    ),
    bad('white space in a tag, unfinished', (fill) => good.replace('<cos>', `<cos${fill(' ')}`)),
    bad('white space alone', (fill) => fill(' ')),

    odd('a long text', (fill) => around(fill('a')), 'by both'),
    odd('a long text of accents', (fill) => around(fill('é', 0.5)), 'by both'),
    odd('a long text of emoji', (fill) => around(fill('😀', 0.25)), 'by both'),
    odd('a long text and one character of another script', (fill) => around(`${fill('a')}ж`), 'by both'),
    bad('a long text before a wrong end', (fill) => around(fill('a')) + 'a'),
    bad('a long text before an unknown reference', (fill) => around(`${fill('a')}&a;`)),
    bad('a long text before a control character', (fill) => around(`${fill('a')}\0`)),
    bad('a long timestamp', (fill) => good.replace('1970-', `${fill('1')}-`)),
    bad('a long handle', (fill) => good.replace('<n1>', `<n1>${fill('A')}`)),
    bad('a long signature', (fill) => good.replace('<signatura>', `<signatura>${fill('A')}`)),
    bad('a long type of message', (fill) => good.replace('request', fill('a'))),

    bad('billion laughs', () => `<!DOCTYPE behc [<!ENTITY e0 "ha">${LAUGHS}]>${around('&e10;')}`),
    bad('quadratic blow-up', () => {
      const entity = `<!DOCTYPE behc [<!ENTITY e "${'a'.repeat(1e5)}">]>`;
      return entity + around('&e;'.repeat(1e4));
    }),
    bad('a long document type', (fill) => `<!DOCTYPE behc [${fill('<!ENTITY a "b">')}]>${good}`),

    bytes('zeros', (length) => new Uint8Array(length)),
    bytes('no UTF-8', (length) => new Uint8Array(length).fill(0xff)),
    bytes('UTF-8 but for its end', (length) =>
      Buffer.concat([Buffer.alloc(length - 1, 'a'), Buffer.of(0xe2)]),
    ),
    bytes('48 MiB of zeros', () => new Uint8Array(ENVELOPE_LIMIT)),
    bad('48 MiB of elements', () => huge('<a>')),
    bad('48 MiB of text in a header', () => good.replace('request', huge('a'))),
    bad('48 MiB of text before a wrong end', () => around(huge('a')) + 'a'),
    bad('48 MiB and a little', () => around('a'.repeat(ENVELOPE_LIMIT))),
  ];
}

function bad(name: string, text: (fill: Fill) => string): Attack {
  return odd(name, text, 'by none');
}

function odd(name: string, text: (fill: Fill) => string, taken: Attack['taken']): Attack {
  return { name, document: (length) => Buffer.from(text(filler(length))), taken };
}

function bytes(name: string, document: (length: number) => Uint8Array): Attack {
  return { name, document, taken: 'by none' };
}

/** Nearly as long as an envelope may be. */
const huge = filler(ENVELOPE_LIMIT);
