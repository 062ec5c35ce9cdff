/** Attacks on XML readers, by kind: each ends with a typed error in both readers. What large ones cost, bounded.test.ts counts. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import {
  decodeEnvelope,
  encodeEnvelope,
  normalizeEnvelope,
  readUnverifiedData,
  SignedEnvelope,
} from '../../src/envelope/index.ts';
import { concat, fromUtf8, utf8 } from '../../src/wire/index.ts';
import { refusal } from '../refusal.ts';
import { unsigned } from './fixture.ts';

const DATA = 'DATA';
const good = fromUtf8(encodeEnvelope(unsigned(DATA)));
const withData = (text: string): string => good.replace(DATA, () => text);

function refused(document: string | Uint8Array): void {
  const bytes = typeof document === 'string' ? utf8(document) : document;
  expect(refusal(() => decodeEnvelope(bytes))).toBe('ENVELOPE_GRAMMAR');
  expect(refusal(() => normalizeEnvelope(bytes))).toBe('ENVELOPE_GRAMMAR');
}

function dataOf(document: Uint8Array): string {
  const envelope = decodeEnvelope(document);
  if (!(envelope instanceof SignedEnvelope)) throw new TypeError('a sealed envelope');
  return readUnverifiedData(envelope);
}

describe('entities and document types', () => {
  const laughs = Array.from({ length: 10 }, (_, i) => `<!ENTITY e${i + 1} "${`&e${i};`.repeat(10)}">`).join(
    '',
  );
  const types: readonly (readonly [string, string])[] = [
    ['billion laughs', `<!DOCTYPE behc [<!ENTITY e0 "ha">${laughs}]>${withData('&e10;')}`],
    ['quadratic', `<!DOCTYPE behc [<!ENTITY e "${'a'.repeat(100_000)}">]>${withData('&e;'.repeat(10_000))}`],
    ['parameter entities', `<!DOCTYPE behc [<!ENTITY % a "b"><!ENTITY % c "%a;%a;">%c;]>${good}`],
    ['recursion', `<!DOCTYPE behc [<!ENTITY a "&b;"><!ENTITY b "&a;">]>${withData('&a;')}`],
    ['attribute default', `<!DOCTYPE behc [<!ATTLIST dades x CDATA "y">]>${good}`],
    ['lt redefined', `<!DOCTYPE behc [<!ENTITY lt "&#38;#60;">]>${withData('&lt;')}`],
    ['amp redefined', `<!DOCTYPE behc [<!ENTITY amp "<x/>">]>${withData('&amp;')}`],
    ['two types', `<!DOCTYPE behc><!DOCTYPE behc>${good}`],
    ['type behind the root', `${good}<!DOCTYPE behc>`],
    ['type inside', good.replace('<cos>', '<!DOCTYPE behc><cos>')],
    ['type with white space first', `\n <!DOCTYPE behc>${good}`],
    ['unclosed', `<!DOCTYPE behc [${good}`],
    ['notation', `<!DOCTYPE behc [<!NOTATION n SYSTEM "x">]>${good}`],
    ['public', `<!DOCTYPE behc PUBLIC "-//W3C//DTD XHTML 1.0//EN" "x">${good}`],
    ['conditional section', `<![INCLUDE[${good}]]>`],
  ];
  test.for(types)('%s', ([, document]) => refused(document));

  const names = [
    'nbsp',
    'eacute',
    'a',
    '.',
    '*',
    '[',
    '$&',
    '__proto__',
    'constructor',
    'toString',
    'valueOf',
    'hasOwnProperty',
    'isPrototypeOf',
    'AMP',
    'Lt',
    ' amp',
    'amp ',
    '',
    '#',
    '#x',
    '#x;',
    '# 65',
    '#65 ',
    '#-65',
    '#x-41',
    '#X41',
    '#0',
    '#x0',
    '#xD800',
    '#xDFFF',
    '#x110000',
    '#99999999999999',
    '#1e3',
    '#0x41',
  ];
  test.for(names)('reference &%s;', (name) => refused(withData(`&${name};`)));
  test.for([
    '&',
    '&amp',
    '&#65',
    '&#x41',
    '&;',
    'a&b',
    '&&amp;',
    '&am<!-- -->p;',
    '&#3<!-- -->8;',
    '&am<![CDATA[p]]>;',
    '&<!---->amp;',
  ])('broken reference %s', (text) => refused(withData(text)));

  test('two references do not make one character of two surrogates', () => {
    refused(withData('&#xD83D;&#xDE00;'));
    refused(withData('&#55357;&#56832;'));
  });

  test('nothing is fetched', async () => {
    let requests = 0;
    const server = createServer((_, response) => {
      requests++;
      response.end('x');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/x`;
    for (const target of [
      url,
      'file:///etc/passwd',
      '\\\\127.0.0.1\\x',
      `jar:${url}!/x`,
      'php://filter/resource=x',
    ]) {
      refused(`<!DOCTYPE behc [<!ENTITY a SYSTEM "${target}">]>${withData('&a;')}`);
      refused(`<!DOCTYPE behc [<!ENTITY % a SYSTEM "${target}">%a;]>${good}`);
      refused(`<!DOCTYPE behc SYSTEM "${target}">${good}`);
      refused(good.replace('<behc>', `<behc xsi:schemaLocation="${target} ${target}">`));
      refused(withData(`<xi:include href="${target}"/>`));
      refused(`<?xml-stylesheet href="${target}"?>${good}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    await new Promise((resolve) => server.close(resolve));
    expect(requests).toBe(0);
  });
});

describe('names', () => {
  test.for([
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    '#text',
    '#cdata',
    ':@',
    '?xml',
    '!ENTITY',
    'dades:',
    ':dades',
    'DADES',
    'dadeѕ',
  ])('element named %s', (name) => {
    refused(good.replaceAll('dades>', `${name}>`));
    refused(good.replace('<cos>', `<${name}></${name}><cos>`));
    refused(withData(`<${name}>x</${name}>`));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test.for([
    'a="b"',
    "a='b'",
    'a',
    'a=b',
    'a="b" a="c"',
    '__proto__="x"',
    'xmlns="urn:x"',
    'xmlns:x="urn:x"',
    'xmlns:xml="urn:x"',
    'xml:space="preserve"',
    'xsi:nil="true"',
    'a="<"',
    'a="&toString;"',
    'a="b"c="d"',
    '=',
  ])('attribute %s', (attribute) => {
    for (const name of ['behc', 'capcalera', 'contexte', 'n1', 'cos', 'dades'])
      refused(good.replace(`<${name}>`, `<${name} ${attribute}>`));
    refused(good.replace('</dades>', `</dades ${attribute}>`));
  });
});

describe('bytes', () => {
  const [before, after] = good.split(DATA).map(utf8) as [Uint8Array, Uint8Array];
  const sequences: readonly (readonly [string, readonly number[]])[] = [
    ['overlong NUL', [0xc0, 0x80]],
    ['overlong less-than', [0xc0, 0xbc]],
    ['overlong slash', [0xe0, 0x80, 0xaf]],
    ['overlong of four', [0xf0, 0x80, 0x80, 0x80]],
    ['surrogate', [0xed, 0xa0, 0x80]],
    ['pair of surrogates (CESU-8)', [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]],
    ['above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['five bytes', [0xf8, 0x88, 0x80, 0x80, 0x80]],
    ['lone continuation', [0x80]],
    ['cut off', [0xe2, 0x82]],
    ['FE', [0xfe]],
    ['FF', [0xff]],
    ['Latin 1', [0xe9]],
  ];
  test.for(sequences)('%s in data', ([, bytes]) => refused(concat(before, Uint8Array.from(bytes), after)));
  test.for(sequences)('%s at the end', ([, bytes]) => refused(concat(utf8(good), Uint8Array.from(bytes))));

  test('other encodings', () => {
    refused(new Uint8Array(Buffer.from('\ufeff' + good, 'utf16le')));
    refused(new Uint8Array(Buffer.from(good, 'utf16le')));
    refused(new Uint8Array(Buffer.from('\ufeff' + good, 'utf16le').swap16()));
    for (const encoding of ['UTF-16', 'UTF-7', 'ISO-8859-1', 'windows-1252', 'US-ASCII', 'UTF8', ''])
      refused(`<?xml version="1.0" encoding="${encoding}"?>${good}`);
  });

  test('characters that XML does not have', () => {
    for (const code of [
      ...Array.from({ length: 32 }, (_, i) => i).filter((i) => ![9, 10, 13].includes(i)),
      0xfffe,
      0xffff,
    ]) {
      const bytes = utf8(withData(String.fromCharCode(code)));
      expect(refusal(() => decodeEnvelope(bytes))).toBe('ENVELOPE_GRAMMAR');
      expect(refusal(() => normalizeEnvelope(bytes))).toBe('ENVELOPE_TEXT');
    }
  });

  test('nor in a comment, although it vanishes', () => {
    for (const code of ['\0', '\x1b', '\ufffe', '\uffff']) refused(withData(`<!-- ${code} -->`));
  });

  test('a byte order mark is a character to the strict reader, and dropped once by the other', () => {
    expect(refusal(() => decodeEnvelope(utf8('\ufeff' + good)))).toBe('ENVELOPE_GRAMMAR');
    expect(fromUtf8(normalizeEnvelope(utf8('\ufeff' + good)))).toBe(good);
    refused('\ufeff\ufeff' + good);
    refused(good + '\ufeff');
    expect(dataOf(utf8(withData('\ufeff')))).toBe('\ufeff');
    expect(fromUtf8(normalizeEnvelope(utf8(withData('\ufeff'))))).toBe(withData('\ufeff'));
  });
});

describe('text', () => {
  test.for([
    '007',
    '1e3',
    '0x1F',
    '-0',
    '+1',
    '1_000',
    'NaN',
    'Infinity',
    'true',
    'null',
    '',
    ' ',
    '1.0',
    '.5',
    '9'.repeat(40),
  ])('text %j stays as it is', (text) => {
    expect(dataOf(utf8(withData(text)))).toBe(text);
    expect(fromUtf8(normalizeEnvelope(utf8(withData(text))))).toBe(withData(text));
  });

  test('a comment inside text does not cut it (the flaw of VU#475445)', () => {
    const cut = utf8(withData('{"user":"admin<!-- -->@evil"}'));
    expect(refusal(() => decodeEnvelope(cut))).toBe('ENVELOPE_GRAMMAR');
    expect(dataOf(normalizeEnvelope(cut))).toBe('{"user":"admin@evil"}');
  });

  test('a second signed part, wrapped or beside, has no place', () => {
    const cos = /<cos>.*<\/cos>/.exec(good)![0];
    const head = /<capcalera>.*<\/capcalera>/.exec(good)![0];
    for (const extra of [cos, head, good, '<signatura></signatura>', '<x></x>', 'x'])
      for (const place of ['<capcalera>', '<contexte>', '<cos>', '<dades>', '</cos>', '</behc>', '<pas>'])
        if (!(place === '<dades>' && extra === 'x'))
          refused(good.replace(place, () => (place === '<dades>' ? place + extra : extra + place)));
  });
});
