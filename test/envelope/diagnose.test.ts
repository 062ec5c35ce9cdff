/** What is said of a refused document: the rule and the place, and nothing of the document's own text. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeEnvelope,
  diagnoseEnvelope,
  encodeEnvelope,
  ENVELOPE_LIMIT,
  normalizeEnvelope,
} from '../../src/envelope/index.ts';
import { MunimentError } from '../../src/errors.ts';
import { fromUtf8, utf8 } from '../../src/wire/index.ts';
import { PROPERTY } from '../property.ts';
import { sealed, sealedHeader, signed, unsigned } from './fixture.ts';

const good = fromUtf8(encodeEnvelope(unsigned('DATA')));
const goodSealed = fromUtf8(encodeEnvelope(sealed(new Uint8Array(3))));
const first = fromUtf8(
  encodeEnvelope({
    header: { ...sealedHeader, type: 'nsl-1', n2: null, timestamp2: null },
    ciphertext: new Uint8Array(3),
  }),
);

function edited(from: string | RegExp, to: string, document = good): string {
  const result = document.replace(from, () => to);
  if (result === document) throw new Error(`no ${String(from)} to edit`);
  return result;
}

test('nothing is wrong with a document in form', async () => {
  for (const envelope of [await signed('{}'), unsigned(''), sealed(new Uint8Array(0))])
    expect(diagnoseEnvelope(encodeEnvelope(envelope))).toBeNull();
  expect(diagnoseEnvelope(utf8(first))).toBeNull();
});

describe('of a rule that is broken', () => {
  const broken: readonly (readonly [string, string])[] = [
    [edited('request', 'nsl-9'), 'tipus-msg is not one of nsl-1, nsl-2, nsl-3, request, reply'],
    [edited('<pas>4', '<pas>5'), 'pas is not the number of this tipus-msg'],
    [
      edited(/<id-remitent>[^<]*/, '<id-remitent>AA'),
      'id-remitent is not base64url of 32 bytes if there is a signatura, else of 16',
    ],
    [
      edited(/<signatura>.*<\/signatura>/, ''),
      'id-remitent is not base64url of 32 bytes if there is a signatura, else of 16',
    ],
    [
      edited('</cos>', '<signatura></signatura></cos>', goodSealed),
      'id-remitent is not base64url of 32 bytes if there is a signatura, else of 16',
    ],
    [
      edited('<timestamp>2026', '<timestamp>+2026'),
      'timestamp is not a time such as 2026-03-14T09:26:53.589Z',
    ],
    [edited(/<n1>[^<]*/, '<n1>AA'), 'n1 is not base64url of 16 bytes'],
    [edited('<timestamp1>', '<timestamp1> '), 'timestamp1 is not a time such as 2026-03-14T09:26:53.589Z'],
    [edited(/<n2>[^<]*/, '<n2>'), 'n2 is not base64url of 16 bytes, or nothing in nsl-1'],
    [edited('<n2>', '<n2>AA', first), 'n2 is not base64url of 16 bytes, or nothing in nsl-1'],
    [
      edited(/<timestamp2>[^<]*/, '<timestamp2>'),
      'timestamp2 is not a time such as 2026-03-14T09:26:53.589Z, or nothing in nsl-1',
    ],
    [
      edited('AAAA', 'A A', goodSealed),
      'dades is not base64url where there is no signatura, or not text that the form can hold',
    ],
    [
      edited(/<signatura>[^<]*/, '<signatura>AA'),
      'signatura is not base64url of the length of a signature, in a request or a reply',
    ],
    [
      edited('<pas>4', '<pas>3').replace('request', 'nsl-3'),
      'signatura is not base64url of the length of a signature, in a request or a reply',
    ],
    [edited('<dades>DATA</dades>', ''), 'cos does not hold dades and nothing else'],
    [
      edited('<n1>', '<pas></pas><n1>'),
      'contexte does not hold pas, n1, timestamp1, n2, timestamp2 and nothing else',
    ],
    [edited('<cos>', 'x<cos>'), 'behc holds text between elements'],
    [edited('DATA', '<dades>DATA</dades>'), 'an element where only text may be'],
    [edited('DATA', '&#0;'), 'a reference to no character'],
    [good + good, 'the document does not hold behc and nothing else'],
    ['', 'the document does not hold behc and nothing else'],
  ];
  test.for(broken)('%#: %s', ([document, sentence]) => {
    expect(diagnoseEnvelope(utf8(document))).toBe(`ENVELOPE_GRAMMAR: ${sentence}`);
  });

  test('one of each code', () => {
    expect(diagnoseEnvelope(new Uint8Array(ENVELOPE_LIMIT + 1))).toMatch(/^ENVELOPE_LIMIT: /);
    expect(diagnoseEnvelope(utf8(edited('DATA', '\0')))).toMatch(/^ENVELOPE_TEXT: /);
    expect(diagnoseEnvelope(Uint8Array.of(0xc0, 0x80))).toBe('ENVELOPE_GRAMMAR: not UTF-8');
  });
});

describe('of a place', () => {
  const column = good.indexOf('DATA') + 1;
  const places: readonly (readonly [string, string])[] = [
    ['<behc>\n<!DOCTYPE x></behc>', 'a document type at line 2, column 1'],
    ['<!DOCTYPE x>', 'a document type at line 1, column 1'],
    ['\n<!DOCTYPE x>', 'a document type at line 2, column 1'],
    ['x', 'text outside behc at line 1, column 1'],
    ['\nx', 'text outside behc at line 2, column 1'],
    ['\r\n\r\n  x', 'text outside behc at line 3, column 3'],
    [`${good}\n x`, 'text outside behc at line 2, column 2'],
    [
      '\ufeff<?xml version="1.0"?>\n<a b>',
      'a tag that is not one of an envelope’s, or has attributes at line 2, column 1',
    ],
    [
      edited('DATA', '<x y="z"/>'),
      `a tag that is not one of an envelope’s, or has attributes at line 1, column ${column}`,
    ],
    [
      edited('DATA', '<x:y/>'),
      `a tag that is not one of an envelope’s, or has attributes at line 1, column ${column}`,
    ],
    [
      edited('DATA', '<?x?>'),
      `a processing instruction, or a declaration of something else at line 1, column ${column}`,
    ],
    [
      edited('DATA', 'AB & C'),
      `a reference that is none, or to no known entity at line 1, column ${column + 3}`,
    ],
    [edited('DATA', '&nbsp;'), `a reference that is none, or to no known entity at line 1, column ${column}`],
    [
      edited('DATA', 'A\n&am<!-- -->p;'),
      'a reference that is none, or to no known entity at line 2, column 1',
    ],
    [edited('DATA', 'A]]>'), `the end of a CDATA section that did not begin at line 1, column ${column + 1}`],
    [edited('DATA', '<![CDATA[A'), `a CDATA section without end at line 1, column ${column}`],
    [edited('DATA', '<!-- -- -->'), `a comment that does not end well at line 1, column ${column}`],
    [edited('DATA', 'A</cos>'), `an end tag of another element at line 1, column ${column + 1}`],
    ['</behc>', 'an end tag of another element at line 1, column 1'],
    ['<behc>\n<cos>', 'an element without end at line 2, column 6'],
    [
      '<cos>\n'.repeat(1025),
      'more tags, comments and CDATA sections than an envelope needs at line 1025, column 6',
    ],
  ];
  test.for(places)('%#: %s', ([document, sentence]) => {
    expect(diagnoseEnvelope(utf8(document))).toBe(`ENVELOPE_GRAMMAR: ${sentence}`);
  });

  test('where another spelling leaves the one form', () => {
    const said = (document: string): string | null => diagnoseEnvelope(utf8(document));
    const at = (byte: number): string =>
      `ENVELOPE_GRAMMAR: an envelope in another spelling, which leaves the one form at byte ${byte}`;
    expect(said(` ${good}`)).toBe(at(0));
    expect(said(edited('<cos>', '\n<cos>'))).toBe(at(good.indexOf('<cos>')));
    expect(said(`${good}\n`)).toBe(at(good.length));
    expect(said(edited('DATA', 'é&#65;'))).toBe(at(good.indexOf('DATA') + 2));
    expect(said(edited('<n2></n2>', '<n2/>', first))).toBe(at(first.indexOf('<n2>') + 3));
  });
});

describe('nothing of the document is repeated', () => {
  const MARKER = 'planted';
  const around = fc.constantFrom(
    ...[
      MARKER,
      `<${MARKER}>`,
      `</${MARKER}>`,
      `<${MARKER}/>`,
      `<${MARKER}></${MARKER}>`,
      `<${MARKER} a="b">`,
    ],
    ...[
      `<a ${MARKER}="b">`,
      `<a b="${MARKER}">`,
      `&${MARKER};`,
      `&${MARKER}`,
      `&#${MARKER};`,
      `<!--${MARKER}`,
    ],
    ...[
      `<![CDATA[${MARKER}]]>`,
      `<![CDATA[${MARKER}`,
      `<?${MARKER}?>`,
      `<!DOCTYPE ${MARKER}>`,
      `<${MARKER}:a>`,
      `${MARKER}]]>`,
    ],
    ...[`<constructor>${MARKER}</constructor>`, `<__proto__>${MARKER}</__proto__>`, `\0${MARKER}`],
  );

  test('wherever it is planted', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(good, goodSealed, first),
        fc.nat(),
        fc.nat(30),
        around,
        (text, place, gone, piece) => {
          const at = place % (text.length + 1);
          const document = utf8(text.slice(0, at) + piece + text.slice(at + gone));
          const sentence = diagnoseEnvelope(document);
          if (sentence !== null) expect(sentence).not.toContain(MARKER);
          // Nor does an error of the readers, whoever prints all of it.
          for (const read of [decodeEnvelope, normalizeEnvelope])
            expect(printed(read, document)).not.toContain(MARKER);
        },
      ),
      { ...PROPERTY, numRuns: 3000 },
    );
  });

  function printed(read: (document: Uint8Array) => unknown, document: Uint8Array): string {
    try {
      read(document);
    } catch (error) {
      if (error instanceof MunimentError) return messages(error).join('\n');
      throw error;
    }
    return '';
  }

  function messages(error: Error): string[] {
    return [error.message, ...(error.cause instanceof Error ? messages(error.cause) : [])];
  }
});
