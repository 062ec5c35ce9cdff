/**
 * Documents made to hurt whoever reads XML, for both readers of envelopes: generated, because nobody wants to store
 * them. Each is as large as its reader takes, or as it is asked to be, since a smaller one costs less. The tests count
 * the work that they cause, the benchmark measures its time and memory.
 */

import { encodeEnvelope, FOREIGN_LIMIT, SignedEnvelope } from '../../src/envelope/index.ts';
import { concat, fromUtf8, utf8 } from '../../src/wire/index.ts';

export interface AttackDocument {
  /** What it is, unique. */
  readonly name: string;
  /** Made when asked for, so that they do not all lie in memory. */
  readonly document: () => Uint8Array;
  /** Which readers take it, because it is an envelope; the others refuse it. */
  readonly accepted?: 'normalize' | 'both';
}

const DATA = 'DATA';
const n1 = new Uint8Array(16);
const header = { timestamp: 0, n1, timestamp1: 0, n2: n1, timestamp2: 0 } as const;
const signed = fromUtf8(
  encodeEnvelope(
    new SignedEnvelope({ ...header, type: 'request', sender: new Uint8Array(32) }, DATA, new Uint8Array(64)),
  ),
);
const sealed = fromUtf8(
  encodeEnvelope({ header: { ...header, type: 'request', sender: n1 }, ciphertext: new Uint8Array(0) }),
);

/** A signed envelope with this in its `dades`. */
const around = (data: string): string => signed.replace(DATA, () => data);
/** A sealed one. */
const aroundSealed = (data: string): string => sealed.replace('<dades>', () => `<dades>${data}`);

/** Units that open something, or are something small: each over and over again in `dades`, in `behc`, and alone. */
const UNITS = [
  ['elements', '<a></a>'],
  ['empty elements', '<a/>'],
  ['opened elements', '<a>'],
  ['closed elements', '</a>'],
  ['elements of the form', '<dades></dades>'],
  ['opened elements of the form', '<dades>'],
  ['elements named __proto__', '<__proto__></__proto__>'],
  ['elements named constructor', '<constructor></constructor>'],
  ['opened tags', '<a '],
  ['less-than signs', '<'],
  ['end tags that end nothing', '</'],
  ['attributes', '<a b="c">'],
  ['half an attribute', '<a b="'],
  ['namespaces', '<a xmlns:b="c">'],
  ['opened comments', '<!--'],
  ['half comments', '<!-'],
  ['comments with three hyphens', '<!---'],
  ['bad comments', '<!-- -- -->'],
  ['opened CDATA', '<![CDATA['],
  ['CDATA in comments', '<![CDATA[<!--'],
  ['closed CDATA', ']]>'],
  ['opened document types', '<!DOCTYPE '],
  ['opened instructions', '<?'],
  ['instructions', '<?a?>'],
  ['ampersands', '&'],
  ['unknown references', '&a;'],
  ['references named __proto__', '&__proto__;'],
  ['references to nothing', '&#0;'],
  ['references to surrogates', '&#xD800;'],
  ['unfinished references', '&#x'],
] as const;

/** The same, but of what another tool may write, and of that only so much: the lenient reader takes it. */
const SPELLINGS = [
  ['references', '&amp;'],
  ['references to characters', '&#65;'],
  ['long references', '&#x00041;'],
  ['references between letters', 'a&amp;'],
  ['greater-than signs', '>'],
  ['carriage returns', '\r'],
  ['lines of another system', 'a\r\n'],
] as const;

/** Of these a reader counts how many there are. */
const MARKUP = [
  ['empty CDATA', '<![CDATA[]]>'],
  ['CDATA', '<![CDATA[a]]>'],
  ['CDATA between letters', 'a<![CDATA[a]]>'],
  ['empty comments', '<!---->'],
  ['comments', '<!-- -->'],
  ['comments between letters', 'a<!-- -->'],
] as const;

const LAUGHS = Array.from(
  { length: 10 },
  (_, level) => `<!ENTITY e${level + 1} "${`&e${level};`.repeat(10)}">`,
).join('');

const NUMBERS = ['007', '1e3', '0x1F', '-0', 'NaN', 'Infinity', 'true', 'null', '9'.repeat(400)];

/** All of them, about so many bytes long where their length is what hurts. */
export function attackDocuments(size = FOREIGN_LIMIT): AttackDocument[] {
  const filled = (unit: string, part = 1): string =>
    unit.repeat(Math.max(2, Math.floor(((size - 1024) * part) / Buffer.byteLength(unit))));
  const long = filled('a');
  return [
    ...UNITS.flatMap(([name, unit]) => [
      text(`${name} in dades`, () => around(filled(unit))),
      text(`${name} in sealed dades`, () => aroundSealed(filled(unit))),
      text(`${name} alone`, () => filled(unit)),
      text(`${name} in behc`, () => `<behc>${filled(unit)}</behc>`),
    ]),
    ...SPELLINGS.flatMap(([name, unit]) => [
      text(
        `${name} in dades`,
        () => around(filled(unit)),
        unit === '&amp;' || unit === 'a&amp;' ? 'both' : 'normalize',
      ),
      text(`${name} alone`, () => filled(unit)),
      text(`${name}, and a bad one at the end`, () => around(`${filled(unit)}&`)),
    ]),
    ...MARKUP.flatMap(([name, unit]) => [
      text(`${name} in dades, too many`, () => around(filled(unit))),
      text(`${name} in dades, as many as may be`, () => around(unit.repeat(996)), 'normalize'),
      text(
        `${name} over a long text`,
        () => around(Array.from({ length: 997 }, () => filled('a', 1 / 1100)).join(unit)),
        'normalize',
      ),
      text(`${name} alone`, () => filled(unit)),
    ]),
    ...NUMBERS.map((number) => text(`number-like text ${number.slice(0, 8)}`, () => around(number), 'both')),

    text('10^6 elements deep', () => '<a>'.repeat(1e6)),
    text('10^6 elements deep, all closed', () => '<a>'.repeat(1e6) + '</a>'.repeat(1e6)),
    text('behc deep, closed', () => filled('<behc>', 0.45) + filled('</behc>', 0.45)),
    text('500 elements deep in dades', () => around('<a>'.repeat(490) + '</a>'.repeat(490))),
    text('many dades', () => signed.replace('</cos>', `${filled('<dades></dades>')}</cos>`)),
    text('many signatures', () => signed.replace('</cos>', `${filled('<signatura></signatura>')}</cos>`)),
    text('many capcalera', () => signed.replace('<cos>', `${filled('<capcalera></capcalera>')}<cos>`)),
    text('two of dades', () => signed.replace(/<dades>.*<\/dades>/, (element) => element + element)),
    text('two of signatura', () =>
      signed.replace(/<signatura>.*<\/signatura>/, (element) => element + element),
    ),
    text('two of n1', () => signed.replace(/<n1>.*<\/n1>/, (element) => element + element)),
    text('two envelopes', () => signed + signed),
    text('body before header', () => signed.replace(/(<capcalera>.*<\/capcalera>)(<cos>.*<\/cos>)/, '$2$1')),
    text('n2 before n1', () => signed.replace(/(<n1>.*<\/n1>)(.*)(<n2>.*<\/n2>)/, '$3$2$1')),
    text('signature before data', () =>
      signed.replace(/(<dades>.*<\/dades>)(<signatura>.*<\/signatura>)/, '$2$1'),
    ),
    text('CDATA across elements', () =>
      signed.replace('</dades>', '<![CDATA[</dades>').replace('</cos>', ']]></cos>'),
    ),

    text('many attributes', () => `<behc ${numbered(size / 16, (i) => `a${i}="b"`)}></behc>`),
    text('many namespaces', () => `<behc ${numbered(size / 24, (i) => `xmlns:a${i}="b"`)}></behc>`),
    text('many names', () => `<behc>${numbered(size / 24, (i) => `<a${i}></a${i}>`)}</behc>`),
    text('a long name', () => `<${long}>`),
    text('a long name, opened and closed', () => `<${filled('a', 0.5)}></${filled('a', 0.5)}>`),
    text('a long attribute', () => `<behc a="${long}">`),
    text('a long reference', () => around(`&${long};`)),
    text('a reference of many digits', () => around(`&#${filled('9')};`)),
    text('a long comment', () => signed.replace('<cos>', () => `<!--${long}--><cos>`), 'normalize'),
    text('a long comment in dades', () => around(`<!--${long}-->`), 'normalize'),
    text('a long comment without end', () => around(`<!--${long}`)),
    text('a long CDATA section', () => around(`<![CDATA[${long}]]>`), 'normalize'),
    text('long CDATA of less-than signs', () => around(`<![CDATA[${filled('<')}]]>`), 'normalize'),
    text('a long CDATA section without end', () => around(`<![CDATA[${long}`)),
    text('a long instruction', () => `<?a ${long}?>${signed}`),
    text('a long declaration', () => `<?xml version="1.0"${filled(' ')}?>${signed}`),
    text('a long declaration, unfinished', () => `<?xml version="1.0"${filled(' ')}`),
    text('white space in front', () => filled(' ') + signed, 'normalize'),
    text('white space behind', () => signed + filled('\n'), 'normalize'),
    text('white space between', () => signed.replace('<cos>', `${filled(' \n')}<cos>`), 'normalize'),
    text('white space in a tag', () => signed.replace('<cos>', `<cos${filled(' ')}>`), 'normalize'),
    text('tabs in a tag', () => signed.replace('<cos>', `<cos${filled('\t')}>`), 'normalize'),
    text(
      'white space in an empty-element tag',
      () => sealed.replace('<dades></dades>', `<dades${filled(' ')}/>`),
      'normalize',
    ),
    text('white space in a tag, unfinished', () => signed.replace('<cos>', `<cos${filled(' ')}`)),
    text('white space alone', () => filled(' ')),

    text('a long text', () => around(long), 'both'),
    text('a long ciphertext', () => aroundSealed(filled('AAAA')), 'both'),
    text('a long ciphertext, its last bits wrong', () => aroundSealed(`${filled('AAAA')}AB`)),
    text('a long ciphertext with white space', () => aroundSealed(filled('AAAA\n'))),
    text('a long text in UTF-8 of two bytes', () => around(filled('é')), 'both'),
    text('a long text in UTF-8 of four bytes', () => around(filled('😀')), 'both'),
    text('a long text, one character wide', () => around(`${long}€`), 'both'),
    text('a long text before a wrong end', () => `${around(long)}a`),
    text('a long text before an unknown reference', () => around(`${long}&a;`)),
    text('a long text before a control character', () => around(`${long}\0`)),
    text('a long timestamp', () => signed.replace('1970-', `${filled('1')}-`)),
    text('a long handle', () => signed.replace('<n1>', `<n1>${filled('A')}`)),
    text('a long signature', () => signed.replace('<signatura>', `<signatura>${filled('A')}`)),
    text('a long word for a type', () => signed.replace('request', long)),

    text('billion laughs', () => `<!DOCTYPE behc [<!ENTITY e0 "ha">${LAUGHS}]>${around('&e10;')}`),
    text('quadratic blow-up: a text of 10^8 bytes announced', () => {
      const type = `<!DOCTYPE behc [<!ENTITY e "${'a'.repeat(10_000)}">]>`;
      return type + around('&e;'.repeat(10_000));
    }),
    text('a long document type', () => `<!DOCTYPE behc [${filled('<!ENTITY a "b">')}]>${signed}`),
    text(
      'an external entity',
      () => `<!DOCTYPE behc [<!ENTITY a SYSTEM "file:///etc/passwd">]>${around('&a;')}`,
    ),
    {
      name: 'a text of 10^8 bytes',
      document: () => {
        const bytes = new Uint8Array(1e8).fill(0x61);
        bytes.set(utf8(signed));
        return bytes;
      },
    },
    {
      name: 'a text of 10^8 bytes over CDATA sections',
      document: () => utf8(around('<![CDATA[aaaaaaaa]]>'.repeat(1e8 / 8))),
    },

    { name: 'zeros', document: () => new Uint8Array(size) },
    { name: 'bytes that are no UTF-8', document: () => new Uint8Array(size).fill(0xff) },
    { name: 'overlong UTF-8', document: () => inData(0xc0, 0xbc) },
    { name: 'overlong UTF-8 of three bytes', document: () => inData(0xe0, 0x80, 0xbc) },
    {
      name: 'overlong UTF-8 over and over',
      document: () => new Uint8Array(size).map((_, i) => (i % 2 === 0 ? 0xc0 : 0xbc)),
    },
    { name: 'half of a surrogate pair in UTF-8', document: () => inData(0xed, 0xa0, 0x80) },
    { name: 'UTF-8 cut off', document: () => inData(0xf0, 0x9f, 0x98) },
    { name: 'a text that is UTF-8 but for its end', document: () => concat(utf8(long), Uint8Array.of(0xff)) },
    { name: 'UTF-16', document: () => new Uint8Array(Buffer.from(signed, 'utf16le')) },
  ];
}

function text(name: string, make: () => string, accepted?: AttackDocument['accepted']): AttackDocument {
  const document = (): Uint8Array => utf8(make());
  return accepted === undefined ? { name, document } : { name, document, accepted };
}

function numbered(count: number, make: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => make(i)).join(' ');
}

function inData(...content: readonly number[]): Uint8Array {
  const [before = '', after = ''] = signed.split(DATA);
  return concat(utf8(before), Uint8Array.from(content), utf8(after));
}
