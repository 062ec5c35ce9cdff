/** For random documents and policies: a grantee opens exactly the scope of its grant, and nothing else. */

import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { compartmentNode } from '../../src/keys/index.ts';
import {
  disclose,
  grant,
  openGrant,
  verifyDisclosure,
  type Granted,
  type OpenedGrant,
  type SealedDocument,
} from '../../src/views/index.ts';
import { equalBytes } from '../../src/wire/index.ts';
import { PROPERTY } from '../property.ts';
import { anyDocument, anyPolicy } from './any-policy.ts';
import { createWorld, keyOf, openIn, sealIn, viewIn, type World } from './fixture.ts';

let world: World;
beforeAll(async () => (world = await createWorld()));

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
