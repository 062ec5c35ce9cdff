/** What readers, the owner and an auditor can tell about what is missing, and what a view does not tell. spec/views.md, "Completeness". */

import { beforeAll, describe, expect, it } from 'vitest';
import { inspect } from 'node:util';
import { exposeSecret } from '../../src/keys/index.ts';
import {
  account,
  decodeOpening,
  encodeOpening,
  encodeSealed,
  selectFor,
  verifySealed,
  type PolicyDefinition,
  type SealedDocument,
  type VerifiedSealed,
} from '../../src/views/index.ts';
import { toHex } from '../../src/wire/index.ts';
import { flipped } from '../mutation.ts';
import { refusal, refusalOf } from '../refusal.ts';
import { createWorld, DOCUMENT, keyOf, openIn, POLICY, sealIn, viewIn, type World } from './fixture.ts';

let world: World;
let sealed: SealedDocument;

beforeAll(async () => {
  world = await createWorld();
  sealed = await sealIn(world, DOCUMENT, POLICY, { breakGlass: world.breakGlass });
});

const verified = (one: SealedDocument): VerifiedSealed =>
  verifySealed(one, { recordId: world.compartments.recordId, authors: world.authors });
const idOf = (name: string): Uint8Array => keyOf(world, name).reader.id;
const without = (one: SealedDocument, name: string): SealedDocument => {
  const others = ({ readerId }: { readonly readerId: Uint8Array }): boolean =>
    toHex(readerId) !== toHex(idOf(name));
  return { ...one, wraps: one.wraps.filter(others), deliveries: one.deliveries.filter(others) };
};

describe('an auditor with the owner’s opening', () => {
  it('accounts for everything and opens nothing', async () => {
    const { opening, account: own } = await viewIn(world, sealed, 'root');
    const handed = decodeOpening(encodeOpening(opening!));
    expect(account(verified(sealed), handed)).toEqual(own);
    expect(own!.policy.name).toBe('test/1');
    // With what it holds besides, which is nothing, it sees no more than anybody.
    expect((await viewIn(world, sealed, [])).text).toBe('{"name":"Núria","speciality":"cardiology"}');
  });

  it('misses whatever is withheld from it', async () => {
    const opening = (await viewIn(world, sealed, 'root')).opening!;
    for (const name of ['insurer', 'emergency', 'custodian', 'clinical'])
      expect(refusal(() => account(verified(without(sealed, name)), opening))).toBe('VIEW_INCOMPLETE');
    for (const { index } of sealed.classes) {
      const classes = sealed.classes.filter((one) => one.index !== index);
      const publicKeys = sealed.publicKeys.filter((one) => one.index !== index);
      const deliveries = sealed.deliveries.map((one) => ({
        ...one,
        classes: one.classes.filter((line) => line !== index),
      }));
      const fewer = { ...sealed, classes, deliveries, publicKeys };
      expect(refusal(() => account(verified(fewer), opening))).toBe('VIEW_INCOMPLETE');
    }
  });

  it('is not served by another document’s opening, or a false one', async () => {
    const other = await sealIn(world, DOCUMENT, POLICY, { breakGlass: world.breakGlass });
    const opening = (await viewIn(world, other, 'root')).opening!;
    expect(refusal(() => account(verified(sealed), opening))).toBe('VIEW_INCOMPLETE');
    const bytes = encodeOpening((await viewIn(world, sealed, 'root')).opening!);
    for (let at = 0; at < bytes.length; at++)
      expect(refusal(() => account(verified(sealed), decodeOpening(flipped(bytes, at))))).toMatch(
        /^VIEW_(MANIFEST|INCOMPLETE)$/,
      );
  });

  it('gets D in no printout', async () => {
    const view = await viewIn(world, sealed, 'root');
    const D = exposeSecret(view.opening!.ownerKey);
    const printed = inspect(view, { depth: 10 }) + JSON.stringify(view.opening);
    for (const form of [toHex(D), [...D].join(', '), [...D].join(',')]) expect(printed).not.toContain(form);
  });
});

describe('a reader whose wrap is withheld', () => {
  it('sees nothing of it, which the owner and the auditor can tell', async () => {
    const part = selectFor(without(sealed, 'insurer'), [idOf('insurer')], false);
    expect((await viewIn(world, part, 'insurer')).text).toBe('{"name":"Núria","speciality":"cardiology"}');
    expect(await refusalOf(() => openIn(world, without(sealed, 'insurer'), 'root'))).toBe('VIEW_INCOMPLETE');
    // The slot that the author signed names the reader, to who has D.
    const { readers } = (await viewIn(world, sealed, 'root')).account!;
    const own = [...readers.values()].filter(
      (ids) => ids !== 'public' && ids.some((id) => toHex(id) === toHex(idOf('insurer'))),
    );
    expect(own).toHaveLength(1);
  });
});

describe('a restriction', () => {
  // The patient keeps what cardiology wrote from the insurer, from the emergency team, from everybody.
  const OPEN: PolicyDefinition = {
    name: 'shape/1',
    rules: [
      { fields: ['/name'], readers: 'public' },
      { fields: ['/note'], readers: ['speciality:cardiology', 'insurer', 'emergency'] },
      { fields: ['/dose'], readers: ['speciality:cardiology', 'emergency'] },
      { fields: ['/cost'], readers: ['insurer', 'emergency'] },
    ],
    otherwise: [],
  };
  const restricted = (readers: readonly string[]): PolicyDefinition => ({
    ...OPEN,
    rules: OPEN.rules.map((rule) => (rule.fields[0] === '/dose' ? { ...rule, readers } : rule)),
  });
  const FULL = '{"name":"N","note":"x","dose":1,"cost":2}';

  /** Everything of a part that does not depend on keys and randomness. */
  const shapeOf = (one: SealedDocument): unknown => ({
    size: encodeSealed(one).length,
    manifest: one.manifest.length,
    deliveries: one.deliveries.map(({ kind, threshold, classes }) => [kind, threshold, classes.length]),
    wraps: one.wraps.map(({ encapsulation, ciphertext }) => [encapsulation.length, ciphertext.length]),
    classes: one.classes.map(({ ciphertext }) => ciphertext.length).sort(),
    publicKeys: one.publicKeys.length,
  });
  const partOf = async (policy: PolicyDefinition, name: string, text = FULL): Promise<SealedDocument> =>
    selectFor(await sealIn(world, text, policy), [idOf(name)], false);

  it.each([['speciality:cardiology'], ['emergency'], []])(
    'to %s on one field does not show to the insurer',
    async (...readers) => {
      const [before, after] = [await partOf(OPEN, 'insurer'), await partOf(restricted(readers), 'insurer')];
      expect(shapeOf(after)).toEqual(shapeOf(before));
      const [was, is] = [await viewIn(world, before, 'insurer'), await viewIn(world, after, 'insurer')];
      expect([is.text, is.complete, is.locked, is.account, is.opening]).toEqual([
        ...[was.text, was.complete, was.locked, was.account, was.opening],
      ]);
    },
  );

  it('looks to the one it is made against as if there were no such field', async () => {
    const kept = await partOf(restricted(['speciality:cardiology']), 'emergency');
    const never = await partOf(OPEN, 'emergency', '{"name":"N","note":"x","cost":2}');
    expect(shapeOf(kept)).toEqual(shapeOf(never));
    expect((await viewIn(world, kept, 'emergency')).text).toBe(
      (await viewIn(world, never, 'emergency')).text,
    );
  });

  it('does not make the team that reads everything else look shorter of anything', async () => {
    // Who reads every field is told so no more than who does not: there is no mark of completeness but the owner's.
    const all = await viewIn(world, await partOf(OPEN, 'emergency'), 'emergency');
    const less = await viewIn(world, await partOf(restricted([]), 'emergency'), 'emergency');
    expect([all.complete, less.complete]).toEqual([false, false]);
  });
});

describe('lengths', () => {
  it('of classes are padded: within a bucket every document has one size', async () => {
    const sizes = new Set<number>();
    for (let length = 0; length < 100; length++)
      sizes.add(encodeSealed(await sealIn(world, JSON.stringify({ cost: 'x'.repeat(length) }))).length);
    expect(sizes.size).toBe(1);
  });

  it('of arrays do not show to those who read some of their elements', async () => {
    const policy = {
      name: 'shape/1',
      rules: [{ fields: ['/a/0'], readers: ['insurer'] }],
      otherwise: [],
    };
    for (const count of [1, 9]) {
      const one = await sealIn(world, JSON.stringify({ a: Array.from({ length: count }, () => 1) }), policy);
      const view = await viewIn(world, one, 'insurer');
      expect(view.value).toEqual({ a: [1] });
      expect(view.fields.map(({ path }) => path.replace(/[0-9a-f]{16}/, ''))).toEqual(['/a/~n']);
    }
  });

  it('and names of members do not stand anywhere in clear', async () => {
    const bytes = Buffer.from(encodeSealed(await sealIn(world, '{"HIVstatus":{"viralLoad":"positive"}}')));
    for (const text of ['HIVstatus', 'viralLoad', 'positive']) expect(bytes.includes(text)).toBe(false);
  });
});
