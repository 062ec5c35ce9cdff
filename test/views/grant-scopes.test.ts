/** For random documents and policies: a grantee opens exactly the scope of its grant, and nothing else. */

import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { KEM_XWING, sha256, systemRandom } from '../../src/crypto/index.ts';
import { compartmentNode } from '../../src/keys/index.ts';
import {
  decodeAnnex,
  disclose,
  encodeAnnex,
  encodeSealed,
  grant,
  openAnnex,
  openGrant,
  sealAnnex,
  verifyDisclosure,
  type Granted,
  type OpenedGrant,
  type SealedDocument,
} from '../../src/views/index.ts';
import { equalBytes, toHex } from '../../src/wire/index.ts';
import { PROPERTY } from '../property.ts';
import { anyDocument, anyPolicy } from './any-policy.ts';
import { createWorld, keyOf, openIn, sealIn, viewIn, type World } from './fixture.ts';

let world: World;
beforeEach(async () => (world = await createWorld()));

const RUNS = { ...PROPERTY, numRuns: Math.ceil((PROPERTY.numRuns ?? 100) / 6) };
const coins = fc.infiniteStream(fc.boolean());

const granted = async (what: Granted): Promise<OpenedGrant> => {
  const { recordId } = world.compartments;
  const terms = { recordId, purpose: 'second opinion', from: 100, until: 200, mayPassOn: false };
  const { patient, colleague } = world;
  const signed = await grant(patient, colleague.credential, { terms, granted: what }, world.random);
  return openGrant(colleague, signed, { grantor: patient.credential, recordId, at: 150, under: null });
};
const pathsOf = (fields: readonly { readonly path: string; readonly text: string }[] = []): string[] =>
  fields.map(({ path, text }) => `${path} ${text}`).sort();
// All that is stored of it, and not only what an honest server would hand out; but nobody's own wrap.
const strangers = (one: SealedDocument): SealedDocument => ({ ...one, wraps: [], deliveries: [] });

describe('a grantee opens exactly', () => {
  it('a compartment', async () => {
    const names = fc.constantFrom('inbox', 'clinical', 'financial');
    await fc.assert(
      fc.asyncProperty(anyDocument, anyPolicy, names, async (text, policy, name) => {
        const sealed = await sealIn(world, text, policy);
        const whole = await viewIn(world, sealed, 'root');
        const kem = world.patient.sealing.kem;
        const node = compartmentNode(world.root, name, 0);
        const opened = await granted({ kind: 'compartment', name, epoch: 0, kem, node });
        const as = opened.kind === 'compartment' ? [opened.reader] : [];
        const seen = await openIn(world, sealed, [], { as });
        const { id } = keyOf(world, name).reader;
        const expected = whole.fields.filter(({ classIndex }) => {
          const readers = whole.account?.readers.get(classIndex) ?? [];
          return readers === 'public' || readers.some((reader) => equalBytes(reader, id));
        });
        expect(as).toHaveLength(1);
        expect(pathsOf(seen?.fields)).toEqual(pathsOf(expected));
      }),
      RUNS,
    );
  });

  it('classes', async () => {
    await fc.assert(
      fc.asyncProperty(anyDocument, anyPolicy, coins, async (text, policy, toss) => {
        const sealed = await sealIn(world, text, policy);
        const whole = await viewIn(world, sealed, 'root');
        const keys = whole.keys.filter((_, i) => i === 0 || (toss.next().value as boolean));
        const opened = await granted({ kind: 'classes', bodyHash: whole.bodyHash, keys });
        const own = opened.kind === 'classes' ? opened.keys : [];
        const seen = await openIn(world, strangers(sealed), [], { granted: own });
        const lines = new Set(keys.map(({ index }) => index));
        const expected = whole.fields.filter(
          ({ classIndex }) => lines.has(classIndex) || whole.account?.readers.get(classIndex) === 'public',
        );
        expect(pathsOf(seen?.fields)).toEqual(pathsOf(expected));
      }),
      RUNS,
    );
  });

  it('fields', async () => {
    await fc.assert(
      fc.asyncProperty(anyDocument, anyPolicy, coins, async (text, policy, toss) => {
        const sealed = await sealIn(world, text, policy);
        const whole = await viewIn(world, sealed, 'root');
        const some = whole.fields.filter((_, i) => i === 0 || (toss.next().value as boolean));
        const paths = some.map(({ path }) => path);
        const opened = await granted({ kind: 'fields', disclosure: disclose(sealed, whole, paths) });
        const { recordId } = world.compartments;
        const shown =
          opened.kind === 'fields' &&
          verifyDisclosure(opened.disclosure, { recordId, authors: world.authors });
        expect(pathsOf(shown === false ? [] : shown.fields)).toEqual(pathsOf(some));
      }),
      RUNS,
    );
  });
});

it('writes less than 10 KiB for ten years of cardiology with a gibibyte of annexes, and all of it opens', async () => {
  world = await createWorld(KEM_XWING, 'views ten years');
  const policy = {
    name: 'years/1',
    rules: [{ fields: ['/**'], readers: ['speciality:cardiology'], compartment: 'clinical' }],
    otherwise: [],
  };
  const picture = new TextEncoder().encode('the first echocardiogram');
  const names = { recordId: world.compartments.recordId, docId: systemRandom(16) };
  const made = sealAnnex(new Blob([picture]).stream(), { ...names, mediaType: 'image/png' });
  const ciphertext = new Uint8Array(await new Response(made.ciphertext).arrayBuffer());
  const first = await made.annex;
  // A month each, with a picture of 9 MiB; of all but the first, only what the documents say of it is there.
  const texts = Array.from({ length: 120 }, (_, month) => {
    const other = { ...first, length: 9 * 1024 * 1024, root: systemRandom(32), key: systemRandom(32) };
    return `{"month":${month},"finding":"sinus rhythm","echo":${encodeAnnex(month === 0 ? first : other)}}`;
  });
  const record: SealedDocument[] = [];
  for (const [month, text] of texts.entries())
    record.push(await sealIn(world, text, policy, month === 0 ? { docId: names.docId } : {}));
  const stored = record.map((one) => toHex(sha256(encodeSealed(one))));

  const { recordId } = names;
  const terms = { recordId, purpose: 'second opinion', from: 100, until: 200, mayPassOn: false };
  const { patient, colleague } = world;
  const node = compartmentNode(world.root, 'clinical', 0);
  const what = { kind: 'compartment', name: 'clinical', epoch: 0, kem: KEM_XWING, node } as const;
  const signed = await grant(patient, colleague.credential, { terms, granted: what });
  expect(signed.statement.length + signed.wrap.length).toBeLessThan(10 * 1024);
  expect(record.map((one) => toHex(sha256(encodeSealed(one))))).toEqual(stored);

  const expected = { grantor: patient.credential, recordId, at: 150, under: null };
  const opened = await openGrant(colleague, signed, expected);
  const as = opened.kind === 'compartment' ? [opened.reader] : [];
  const seen: { month: number; echo: object }[] = [];
  for (const one of record)
    seen.push(JSON.parse((await viewIn(world, one, [], { as })).text) as (typeof seen)[number]);
  expect(seen.map(({ month }) => month)).toEqual(texts.map((_, month) => month));
  const found = decodeAnnex(JSON.stringify(seen[0]?.echo));
  const read = openAnnex(new Blob([ciphertext]).stream(), found, names);
  expect(new Uint8Array(await new Response(read).arrayBuffer())).toEqual(picture);
});
