/** Disclosures: single fields with their author's signature, and nothing else. */

import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  disclose,
  verifyDisclosure,
  type Disclosure,
  type SealedDocument,
  type View,
} from '../../src/views/index.ts';
import { MunimentError } from '../../src/errors.ts';
import { exposeSecret } from '../../src/keys/index.ts';
import { jsonValue, readJson, tuple, TupleReader, type TupleItem } from '../../src/wire/index.ts';
import { flipped } from '../mutation.ts';
import { PROPERTY, SLOW } from '../property.ts';
import { refusal } from '../refusal.ts';
import {
  createWorld,
  DOCUMENT,
  fieldsOf,
  forge,
  keyOf,
  sealIn,
  TIME,
  viewIn,
  type World,
} from './fixture.ts';

let world: World;
let sealed: SealedDocument;
let view: View;

beforeAll(async () => {
  world = await createWorld();
  sealed = await sealIn(world, DOCUMENT);
  view = await viewIn(world, sealed, 'root');
});

const verifying = (bytes: Uint8Array, changes: object = {}): Disclosure =>
  verifyDisclosure(bytes, { recordId: world.compartments.recordId, authors: world.authors, ...changes });
const pathOf = (pattern: RegExp, from = view): string =>
  from.fields.find(({ path }) => pattern.test(path))!.path;

/** A disclosure taken apart. */
interface Parts {
  manifest: Uint8Array;
  signature: Uint8Array;
  groups: TupleItem[][];
}
const partsOf = (bytes: Uint8Array): Parts => {
  const reader = TupleReader.labelled(bytes, 'disclosure');
  return {
    manifest: reader.bytes(),
    signature: reader.bytes(),
    groups: reader.list(16, (item) =>
      item.group((part) => [
        ...[part.integer(), part.bytes(32), part.bytes(32), part.bytes(32), part.integer()],
        part.list(1000, (leaf) => leaf.bytes(32)),
        part.list(1000, (one) =>
          one.group((field) => [field.integer(), field.bytes(32), field.text(), field.text()]),
        ),
      ]),
    ),
  };
};
const joined = ({ manifest, signature, groups }: Parts): Uint8Array =>
  tuple('disclosure', manifest, signature, groups);

describe('a disclosure', () => {
  it('shows a field, who wrote it and when', () => {
    const shown = verifying(disclose(sealed, view, ['/cost']));
    expect(shown).toMatchObject({
      text: '{"cost":12.50e0}',
      author: world.doctor.credential,
      time: TIME,
      type: 'test',
      docId: view.docId,
      bodyHash: view.bodyHash,
      supersedes: view.supersedes,
    });
    expect(shown.fields).toEqual(view.fields.filter(({ path }) => path === '/cost'));
  });

  it('shows fields of several classes, and what they are in', () => {
    const paths = [pathOf(/dose/), '/cost', '/name'];
    const shown = verifying(disclose(sealed, view, paths));
    expect(shown.value).toEqual({ name: 'Núria', cost: 12.5, clinical: [{ dose: 1 }] });
    expect(shown.text).toContain('1.00');
  });

  it('can be made by whoever opened the field, of what it opened', async () => {
    const insurer = await viewIn(world, sealed, 'insurer');
    expect(verifying(disclose(sealed, insurer, ['/cost'])).text).toBe('{"cost":12.50e0}');
    expect(refusal(() => disclose(sealed, insurer, [pathOf(/dose/)]))).toBe('VIEW_DISCLOSURE');
  });

  it('holds nothing of the other fields', () => {
    const bytes = Buffer.from(disclose(sealed, view, [pathOf(/dose/)]));
    for (const text of ['note', '\\u00e9', '𝄞', 'cost', '12.50', 'a/b', '__proto__'])
      expect(bytes.includes(text)).toBe(false);
    for (const { key } of view.keys) expect(bytes.includes(Buffer.from(exposeSecret(key)))).toBe(false);
  });

  it('is not made of no field, an unknown one, the skeleton, or another document’s', async () => {
    const other = await sealIn(world, DOCUMENT);
    for (const paths of [[], ['/nothing'], ['/cost', '/nothing'], ['skeleton']])
      expect(refusal(() => disclose(sealed, view, paths))).toBe('VIEW_DISCLOSURE');
    expect(refusal(() => disclose(other, view, ['/cost']))).toBe('VIEW_DISCLOSURE');
    expect(refusal(() => disclose({ ...sealed, classes: [] }, view, ['/cost']))).toBe('VIEW_INCOMPLETE');
  });

  it('shows of any document exactly the fields that were chosen', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json({ maxDepth: 3 }), fc.infiniteStream(fc.boolean()), async (text, coin) => {
        const one = await sealIn(world, text);
        const whole = await viewIn(world, one, 'root');
        const chosen = whole.fields.filter(() => coin.next().value);
        const paths = (chosen.length === 0 ? whole.fields : chosen).map(({ path }) => path);
        const shown = verifying(disclose(one, whole, paths));
        expect(shown.fields.map(({ path }) => path).sort()).toEqual([...paths].sort());
        expect(shown.value).toEqual(jsonValue(readJson(shown.text)));
      }),
      { ...PROPERTY, numRuns: SLOW ? 1000 : 50 },
    );
  });
});

describe('a disclosure is refused', () => {
  it('with any bit changed', () => {
    const bytes = disclose(sealed, view, ['/cost']);
    const codes = new Set<string>();
    for (let at = 0; at < bytes.length; at++) {
      try {
        verifying(flipped(bytes, at, 1 << (at & 7)));
        codes.add('accepted');
      } catch (error) {
        if (!(error instanceof MunimentError)) throw error;
        codes.add(error.code);
      }
    }
    expect([...codes].sort()).toEqual(['VIEW_AUTHOR', 'VIEW_DISCLOSURE']);
  });

  it('of another record, or of an author who is not known or did not sign', () => {
    const bytes = disclose(sealed, view, ['/cost']);
    expect(refusal(() => verifying(bytes, { recordId: new Uint8Array(16) }))).toBe('VIEW_DISCLOSURE');
    expect(refusal(() => verifying(bytes, { authors: () => null }))).toBe('VIEW_AUTHOR');
    expect(refusal(() => verifying(bytes, { authors: () => world.colleague.credential }))).toBe(
      'VIEW_AUTHOR',
    );
  });

  it('by its author first: no leaf is read that nobody signed for', () => {
    const parts = partsOf(disclose(sealed, view, ['/cost']));
    const unsigned = { ...parts, signature: flipped(parts.signature, 10), groups: [] };
    expect(refusal(() => verifying(joined(unsigned)))).toBe('VIEW_AUTHOR');
    expect(refusal(() => verifying(joined({ ...parts, groups: [] })))).toBe('VIEW_DISCLOSURE');
  });

  it('malformed', () => {
    const bytes = disclose(sealed, view, ['/cost', '/name']);
    const parts = partsOf(bytes);
    const [first, second] = parts.groups as [TupleItem[], TupleItem[]];
    const shown = (fields: readonly TupleItem[]): Uint8Array =>
      joined({ ...parts, groups: [[...first.slice(0, 6), fields], second] });
    const [field] = first[6] as TupleItem[];
    for (const other of [
      new Uint8Array(0),
      bytes.subarray(1),
      new Uint8Array([...bytes, 0]),
      joined({ ...parts, groups: [] }),
      joined({ ...parts, groups: [second, first] }),
      joined({ ...parts, groups: [first, first] }),
      joined({ ...parts, groups: [[16, ...first.slice(1)]] }),
      joined({ ...parts, manifest: parts.manifest.subarray(1) }),
      shown([]),
      shown([field!, field!]),
      new Uint8Array(40 * 1024 * 1024 + 1),
    ])
      expect(refusal(() => verifying(other))).toBe('VIEW_DISCLOSURE');
  });

  it('that shows a field in another place, of another class, or another document', async () => {
    const two = disclose(sealed, view, [pathOf(/dose/), '/cost']);
    const parts = partsOf(two);
    const [first, second] = parts.groups as [TupleItem[], TupleItem[]];
    const moved = { ...parts, groups: [[...first.slice(0, 6), second[6]!], second] };
    expect(refusal(() => verifying(joined(moved)))).toBe('VIEW_DISCLOSURE');
    const exchanged = [
      [first[0]!, ...second.slice(1)],
      [second[0]!, ...first.slice(1)],
    ];
    expect(refusal(() => verifying(joined({ ...parts, groups: exchanged })))).toBe('VIEW_DISCLOSURE');
    const other = await sealIn(world, DOCUMENT);
    const theirs = partsOf(disclose(other, await viewIn(world, other, 'root'), ['/cost']));
    const mixed = { ...theirs, groups: partsOf(disclose(sealed, view, ['/cost'])).groups };
    expect(refusal(() => verifying(joined(mixed)))).toBe('VIEW_DISCLOSURE');
  });

  it('whose fields are no document, which is their author’s doing', async () => {
    const root = keyOf(world, 'root').reader;
    const insurer = keyOf(world, 'insurer').reader;
    const [x] = fieldsOf(world, '{"x":1}').fields;
    const forged = await forge(world, [
      { readers: [root, insurer], fields: [x!] },
      { readers: [root], fields: [{ ...x!, text: '2' }] },
    ]);
    const half = await viewIn(world, forged, 'insurer');
    const parts = partsOf(disclose(forged, half, ['/x']));
    expect(verifying(joined(parts)).text).toBe('{"x":1}');
    const both = { ...half, keys: [...half.keys, ...half.keys] };
    expect(refusal(() => verifying(disclose(forged, both, ['/x'])))).toBe('VIEW_DISCLOSURE');
  });
});
