/** Break-glass: two hands, one reason, one document at a time. */

import { beforeAll, describe, expect, it } from 'vitest';
import { KEM_X25519 } from '../../src/crypto/index.ts';
import { signStatement, type Decapsulator } from '../../src/keys/index.ts';
import type { partyReader } from '../../src/views/index.ts';
import {
  declareEmergency,
  decodeReleases,
  encodeReleases,
  openRelease,
  release,
  selectFor,
  verifyEmergency,
  verifyOwnWrap,
  verifySealed,
  type ClassKey,
  type Emergency,
  type PolicyDefinition,
  type Release,
  type ReleaseContext,
  type SealedDocument,
  type VerifiedSealed,
} from '../../src/views/index.ts';
import { toHex, tuple } from '../../src/wire/index.ts';
import { flipped } from '../mutation.ts';
import { refusal, refusalOf } from '../refusal.ts';
import {
  createWorld,
  DOCUMENT,
  keyOf,
  openIn,
  plainShares,
  POLICY,
  sealIn,
  viewIn,
  type World,
} from './fixture.ts';

let world: World;
let sealed: SealedDocument;
let document: VerifiedSealed;
let declared: { readonly statement: Uint8Array; readonly key: Decapsulator };
let emergency: Emergency;
let context: ReleaseContext;
let released: Release;
const UNTIL = 1000;

const verified = (one: SealedDocument): VerifiedSealed =>
  verifySealed(one, { recordId: world.compartments.recordId, authors: world.authors });

beforeAll(async () => {
  world = await createWorld();
  sealed = await sealIn(world, DOCUMENT, POLICY, { breakGlass: world.breakGlass });
  document = verified(sealed);
  const { recordId } = world.compartments;
  declared = await declareEmergency(
    world.clinician,
    { recordId, reason: 'unconscious', kem: KEM_X25519 },
    world.random,
  );
  emergency = verifyEmergency(declared.statement, world.clinician.credential);
  context = {
    custodian: world.bank.credential.id,
    clinician: world.clinician.credential.id,
    emergencyHash: new Uint8Array(32).fill(5),
  };
  const terms = { context, until: UNTIL, random: world.random };
  released = (await release(keyOf(world, 'custodian'), document, emergency, terms))!;
});

describe('break-glass', () => {
  it('opens everything with both halves', async () => {
    const shares = plainShares(await openRelease(declared.key, released, { context, at: UNTIL }));
    const part = selectFor(sealed, [keyOf(world, 'emergency').reader.id], false);
    const view = await viewIn(world, part, 'emergency', { releases: [shares] });
    expect(view.value).toEqual((await viewIn(world, sealed, 'root')).value);
    expect(view.locked).toEqual([]);
    // Whether anything was kept from the team only the owner can tell.
    expect([view.complete, view.account, view.opening]).toEqual([false, null, null]);
  });

  it('leaves everybody else as they were', async () => {
    expect((await viewIn(world, sealed, 'root')).text).toBe(DOCUMENT);
    expect((await viewIn(world, sealed, 'insurer')).value).toMatchObject({ cost: 12.5 });
    const account = (await viewIn(world, sealed, 'root')).account!;
    const custodian = keyOf(world, 'custodian').reader.id;
    // All but the public's and the skeleton's, which is the owner's alone.
    const sealedClasses = [...account.readers.values()]
      .filter((ids) => ids !== 'public')
      .filter((ids) => ids.length > 1);
    expect(sealedClasses.every((ids) => ids.some((id) => id.join() === custodian.join()))).toBe(true);
  });

  it('shows nothing but what is public without a release', async () => {
    const alone = await sealIn(
      world,
      '{"cost":1}',
      { ...POLICY, rules: [] },
      { breakGlass: world.breakGlass },
    );
    for (const name of ['emergency', 'custodian']) {
      expect((await viewIn(world, sealed, name)).text).toBe('{"name":"Núria","speciality":"cardiology"}');
      expect(await openIn(world, alone, name)).toBeNull();
      expect((await viewIn(world, sealed, [name, 'insurer'])).value).toMatchObject({ cost: 12.5 });
    }
  });

  it('opens nothing with one half', async () => {
    for (const name of ['emergency', 'custodian']) {
      for (const releases of [[], [[]], [[{ index: 0, key: new Uint8Array(33) }]]]) {
        if (name === 'custodian')
          expect((await viewIn(world, sealed, name, { releases })).value).not.toHaveProperty('cost');
        else expect(await refusalOf(() => openIn(world, sealed, name, { releases }))).toBe('VIEW_RELEASE');
      }
    }
    // Neither with the same half twice, nor with a guess.
    const { openOwnWrap } = await import('../../src/views/open.ts');
    const own = (await openOwnWrap(document, keyOf(world, 'emergency')))!.keys;
    const twice = own.map(({ index, key }) => ({ index, key: Uint8Array.of(1, ...key) }));
    expect(await refusalOf(() => openIn(world, sealed, 'emergency', { releases: [twice] }))).toBe(
      'VIEW_RELEASE',
    );
    const guess = own.map(({ index }) => ({ index, key: new Uint8Array(33).fill(1) }));
    expect(await refusalOf(() => openIn(world, sealed, 'emergency', { releases: [guess] }))).toBe(
      'VIEW_RELEASE',
    );
  });

  it('has halves that differ from class to class and add up to the key', async () => {
    const { openOwnWrap } = await import('../../src/views/open.ts');
    const keys = async (name: string): Promise<Map<number, string>> => {
      const content = (await openOwnWrap(document, keyOf(world, name)))!;
      return new Map(content.keys.map(({ index, key }) => [index, key.join()]));
    };
    const [whole, a, b] = [await keys('root'), await keys('emergency'), await keys('custodian')];
    expect([...a.keys()]).toEqual([...b.keys()]);
    for (const [index, half] of a) {
      const [place, ...share] = b.get(index)!.split(',');
      expect(place).toBe('1');
      const sum = half.split(',').map((byte, i) => Number(byte) ^ Number(share[i]));
      expect(sum.join()).toBe(whole.get(index));
    }
    expect(new Set([...whole.values(), ...a.values(), ...b.values()]).size).toBe(whole.size + 2 * a.size);
  });

  it('shows the owner who holds halves, and who does not', async () => {
    const [team, custodian] = ['emergency', 'custodian'].map((name) => toHex(keyOf(world, name).reader.id));
    const custody = async (one: SealedDocument): Promise<unknown> => {
      const { halved, custodians, threshold } = (await viewIn(world, one, 'root')).account!;
      return [halved.map(toHex), custodians.map(toHex), threshold];
    };
    expect(await custody(sealed)).toEqual([[team], [custodian], 1]);
    expect(await custody(await sealIn(world, DOCUMENT))).toEqual([[], [], 0]);
  });

  it('lets a custodian see at the door that its wrap is whole', async () => {
    expect(await verifyOwnWrap(document, keyOf(world, 'custodian'))).toBe('share');
    expect(await verifyOwnWrap(document, keyOf(world, 'emergency'))).toBe('half');
    expect(await verifyOwnWrap(document, keyOf(world, 'insurer'))).toBe('keys');
    expect(await verifyOwnWrap(document, keyOf(world, 'speciality:dermatology'))).toBeNull();
    const { id } = keyOf(world, 'custodian').reader;
    const wraps = sealed.wraps.map((one) =>
      toHex(one.readerId) === toHex(id) ? { ...one, ciphertext: flipped(one.ciphertext, 0) } : one,
    );
    const broken = verified({ ...sealed, wraps });
    expect(await refusalOf(() => verifyOwnWrap(broken, keyOf(world, 'custodian')))).toBe('VIEW_WRAP');
  });

  it('never splits the public class', async () => {
    expect((await viewIn(world, sealed, 'speciality:dermatology')).text).toBe(
      '{"name":"Núria","speciality":"cardiology"}',
    );
    const all = await sealIn(world, '{"name":1}', POLICY, { breakGlass: world.breakGlass });
    expect(all.wraps).toHaveLength(1);
  });
});

describe('two custodians of three', () => {
  const NAMES = ['custodian', 'custodian-2', 'custodian-3'];
  const clinical = { clinical: [{ note: 'é\n', dose: 1 }, { note: '𝄞' }, [], {}] };
  let shared: SealedDocument;
  let shares: readonly (readonly ClassKey[])[];

  beforeAll(async () => {
    const custodians = NAMES.map((name) => keyOf(world, name).reader);
    const breakGlass = { names: ['emergency'], custodians, threshold: 2 };
    shared = await sealIn(world, DOCUMENT, POLICY, { breakGlass });
    shares = await Promise.all(
      NAMES.map(async (name) => {
        const one = (await release(keyOf(world, name), verified(shared), emergency, {
          context,
          until: UNTIL,
        }))!;
        return plainShares(await openRelease(declared.key, one, { context, at: 0 }));
      }),
    );
  });

  it('open, whichever two', async () => {
    const [a, b, c] = shares as [ClassKey[], ClassKey[], ClassKey[]];
    for (const releases of [
      [a, b],
      [a, c],
      [c, b],
      [a, b, c],
      [a, a, c],
    ])
      expect((await viewIn(world, shared, 'emergency', { releases })).value).toMatchObject(clinical);
  });

  it('do not open alone, nor twice the same, nor with a false one', async () => {
    const [a, b, c] = shares as [ClassKey[], ClassKey[], ClassKey[]];
    const wrong = a.map(({ index, key }) => ({ index, key: flipped(key, 8) }));
    for (const releases of [[a], [a, a], [a, wrong], [wrong, b]])
      expect(await refusalOf(() => openIn(world, shared, 'emergency', { releases }))).toBe('VIEW_RELEASE');
    // But a false one does not keep two honest ones from opening.
    const view = await viewIn(world, shared, 'emergency', { releases: [wrong, b, c] });
    expect(view.value).toMatchObject(clinical);
  });

  it('are not crowded out by a release full of false ones', async () => {
    const [a, b] = shares as [ClassKey[], ClassKey[]];
    const crowd = a.flatMap(({ index }) =>
      Array.from({ length: 16 }, (_, i) => ({ index, key: Uint8Array.of(1, ...new Uint8Array(31), i) })),
    );
    for (const releases of [
      [crowd, a, b],
      [a, crowd, b],
    ])
      expect((await viewIn(world, shared, 'emergency', { releases })).value).toMatchObject(clinical);
  });

  it('are told apart by the owner', async () => {
    const { halved, custodians, threshold } = (await viewIn(world, shared, 'root')).account!;
    expect(halved.map(toHex)).toEqual([toHex(keyOf(world, 'emergency').reader.id)]);
    expect(new Set(custodians.map(toHex))).toEqual(
      new Set(NAMES.map((n) => toHex(keyOf(world, n).reader.id))),
    );
    expect(threshold).toBe(2);
  });

  it('are as many as a threshold can be met with, and distinct', async () => {
    const [first, second] = NAMES.map((name) => keyOf(world, name).reader);
    for (const [custodians, threshold] of [
      [[], 1],
      [[first!], 0],
      [[first!], 2],
      [[first!], 0.5],
      [[first!, first!], 1],
      [[first!, second!, first!], 2],
    ] as const) {
      const breakGlass = { names: ['emergency'], custodians, threshold };
      expect(await refusalOf(() => sealIn(world, DOCUMENT, POLICY, { breakGlass }))).toBe('VIEW_POLICY');
    }
  });
});

describe('a policy that would undo the two hands is refused', () => {
  it('where nobody can be called what break-glass says, so that a team would keep whole keys', async () => {
    const breakGlass = { ...world.breakGlass, names: ['emergancy'] };
    expect(await refusalOf(() => sealIn(world, DOCUMENT, POLICY, { breakGlass }))).toBe('VIEW_POLICY');
    const named = { ...world.breakGlass, names: ['emergency', 'speciality:cardiology'] };
    expect((await sealIn(world, DOCUMENT, POLICY, { breakGlass: named })).wraps.length).toBeGreaterThan(0);
  });

  const sealing = (definition: PolicyDefinition, changes: object = {}): Promise<unknown> =>
    sealIn(world, '{"a":1,"b":2}', definition, { breakGlass: world.breakGlass, ...changes });

  it('where the custodian reads what is split', async () => {
    const definition = { name: 'p/1', rules: [], otherwise: ['emergency', 'custodian'] };
    expect(await refusalOf(() => sealing(definition))).toBe('VIEW_POLICY');
  });

  it('where the custodian reads something else', async () => {
    const definition = {
      name: 'p/1',
      rules: [{ fields: ['/a'], readers: ['custodian'] }],
      otherwise: ['emergency'],
    };
    expect(await refusalOf(() => sealing(definition))).toBe('VIEW_POLICY');
  });

  it('where the emergency team stands under a second name', async () => {
    const readers = (name: string): ReturnType<typeof partyReader> | null =>
      world.keys.get(name === 'er' ? 'emergency' : name)?.reader ?? null;
    for (const rules of [
      [{ fields: ['/a'], readers: ['er'] }],
      [{ fields: ['/a'], readers: ['er', 'custodian'] }],
    ]) {
      const definition = { name: 'p/1', rules, otherwise: ['emergency'] };
      expect(await refusalOf(() => sealing(definition, { readers }))).toBe('VIEW_POLICY');
    }
  });
});

describe('an emergency', () => {
  it('says who, what and why', () => {
    expect(emergency).toMatchObject({
      recordId: world.compartments.recordId,
      clinician: world.clinician.credential.id,
      reason: 'unconscious',
      key: { kem: KEM_X25519, publicKey: declared.key.publicKey },
    });
  });

  it('is refused of another clinician, or changed', () => {
    expect(refusal(() => verifyEmergency(declared.statement, world.doctor.credential))).toBe('VIEW_RELEASE');
    for (let at = 0; at < declared.statement.length; at++) {
      const changed = flipped(declared.statement, at);
      expect(refusal(() => verifyEmergency(changed, world.clinician.credential))).toBe('VIEW_RELEASE');
    }
  });

  it('is refused malformed, or without a reason', async () => {
    const { recordId } = world.compartments;
    const { kem, publicKey } = declared.key;
    for (const body of [
      tuple('emergency', recordId, '', kem, publicKey),
      tuple('emergency', recordId, ' \n\t', kem, publicKey),
      tuple('emergency', recordId, 'x'.repeat(513), kem, publicKey),
      tuple('emergency', recordId, 'r', 0x10, publicKey),
      tuple('emergency', recordId, 'r', kem, publicKey.subarray(1)),
      tuple('emergency', recordId.subarray(1), 'r', kem, publicKey),
      tuple('emergency', recordId, 'r', kem, publicKey, 0),
      tuple('grant', recordId, 'r', kem, publicKey),
    ]) {
      const statement = await signStatement(world.clinician, body);
      expect(refusal(() => verifyEmergency(statement, world.clinician.credential))).toBe('VIEW_RELEASE');
    }
  });
});

describe('a release', () => {
  const opening = (
    one: Release,
    changes: Partial<ReleaseContext> = {},
    at = 0,
    key = declared.key,
  ): Promise<unknown> => openRelease(key, one, { context: { ...context, ...changes }, at });

  it('prints no share', async () => {
    const { inspect } = await import('node:util');
    const shares = await openRelease(declared.key, released, { context, at: 0 });
    const printed = inspect(shares) + JSON.stringify(shares);
    expect(printed).toContain('[secret: key share]');
    for (const { key } of plainShares(shares)) {
      expect(printed).not.toContain([...key].join(', '));
      expect(printed).not.toContain([...key].join(','));
    }
  });

  it('is refused with a line twice, or out of order', async () => {
    const { hpkeSeal } = await import('../../src/crypto/index.ts');
    const { suite } = await import('../../src/keys/index.ts');
    const info = tuple('release', suite(KEM_X25519), context.custodian, context.clinician);
    const aad = tuple('release aad', context.emergencyHash, released.bodyHash, UNTIL);
    const share = new Uint8Array(33).fill(1);
    for (const [lines, fits] of [
      [[1, 2], true],
      [[1, 1], false],
      [[2, 1], false],
    ] as const) {
      const plaintext = tuple(
        'release shares',
        lines.map((line) => [line, share]),
      );
      const forged = { ...released, ...hpkeSeal(emergency.key, info, aad, plaintext, world.random) };
      if (fits) expect(await opening(forged)).toHaveLength(2);
      else expect(await refusalOf(() => opening(forged))).toBe('VIEW_RELEASE');
    }
  });

  it('is refused after its time, and with its time altered', async () => {
    expect(await refusalOf(() => opening(released, {}, NaN))).toBe('VIEW_RELEASE');
    expect(await refusalOf(() => opening(released, {}, UNTIL + 1))).toBe('VIEW_RELEASE');
    expect(await refusalOf(() => opening({ ...released, until: UNTIL + 1 }))).toBe('VIEW_RELEASE');
  });

  it.each(['custodian', 'clinician', 'emergencyHash'] as const)(
    'is refused for another %s',
    async (member) => {
      expect(await refusalOf(() => opening(released, { [member]: new Uint8Array(32) }))).toBe('VIEW_RELEASE');
    },
  );

  it('is refused with another emergency’s key', async () => {
    const { recordId } = world.compartments;
    const other = await declareEmergency(world.clinician, { recordId, reason: 'again', kem: KEM_X25519 });
    expect(await refusalOf(() => opening(released, {}, 0, other.key))).toBe('VIEW_RELEASE');
  });

  it('is refused with any byte changed', async () => {
    for (const member of ['bodyHash', 'encapsulation', 'ciphertext'] as const) {
      for (let at = 0; at < released[member].length; at += 3) {
        const changed = { ...released, [member]: flipped(released[member], at) };
        expect(await refusalOf(() => opening(changed))).toBe('VIEW_RELEASE');
      }
    }
  });

  it('does not open another document', async () => {
    const other = await sealIn(world, DOCUMENT, POLICY, { breakGlass: world.breakGlass });
    const shares = plainShares(await openRelease(declared.key, released, { context, at: 0 }));
    expect(await refusalOf(() => openIn(world, other, 'emergency', { releases: [shares] }))).toBe(
      'VIEW_RELEASE',
    );
  });

  it('is not made for another record, clinician or custodian', async () => {
    const terms = { context, until: UNTIL };
    const custodian = keyOf(world, 'custodian');
    const elsewhere = { ...emergency, recordId: new Uint8Array(16) };
    expect(await refusalOf(() => release(custodian, document, elsewhere, terms))).toBe('VIEW_RELEASE');
    const posing = { ...terms, context: { ...context, clinician: world.doctor.credential.id } };
    expect(await refusalOf(() => release(custodian, document, emergency, posing))).toBe('VIEW_RELEASE');
    expect(await release(keyOf(world, 'insurer'), document, emergency, terms)).toBeNull();
    const whole = verified(await sealIn(world, DOCUMENT));
    expect(await release(custodian, whole, emergency, terms)).toBeNull();
  });

  it('travels among others', () => {
    const releases = [released, { ...released, until: 0 }];
    const bytes = encodeReleases(releases);
    expect(decodeReleases(bytes, 2)).toEqual(releases);
    expect(refusal(() => decodeReleases(bytes, 1))).toBe('VIEW_RELEASE');
    expect(refusal(() => decodeReleases(bytes.subarray(1), 2))).toBe('VIEW_RELEASE');
    expect(decodeReleases(encodeReleases([]), 0)).toEqual([]);
  });
});
