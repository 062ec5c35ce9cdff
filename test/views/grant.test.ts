/** Grants: a compartment, classes or fields of one record, to one grantee, for a time; and what is passed on. */

import { beforeAll, describe, expect, it } from 'vitest';
import { hashTuple, hpkeSeal, sha256 } from '../../src/crypto/index.ts';
import {
  compartmentNode,
  exposeSecret,
  Secret,
  signStatement,
  suite,
  type Identity,
} from '../../src/keys/index.ts';
import {
  decodeSealed,
  definePolicy,
  disclose,
  encodeSealed,
  grant,
  open,
  openGrant,
  passOn,
  PASSING_LIMIT,
  reseal,
  rewrap,
  selectFor,
  verifyDisclosure,
  verifyGrant,
  type Grant,
  type Granted,
  type GrantTerms,
  type OpenedGrant,
  type OpenedKey,
  type Reader,
  type SealedDocument,
  type SignedGrant,
  type View,
} from '../../src/views/index.ts';
import { disclosureScope } from '../../src/views/disclosure.ts';
import { encodeTerms, PARENT_NONE, type StatedTerms } from '../../src/views/terms.ts';
import { encodeItems, pad, toHex, tuple } from '../../src/wire/index.ts';
import { flipped } from '../mutation.ts';
import { refusal, refusalOf } from '../refusal.ts';
import { createWorld, DOCUMENT, keyOf, openIn, POLICY, sealIn, TIME, viewIn, type World } from './fixture.ts';

let world: World;
let sealed: SealedDocument;
let view: View;
let terms: GrantTerms;
let signed: SignedGrant;

const nodeOf = (name: string, epoch = 0): Granted => ({
  kind: 'compartment',
  name,
  epoch,
  kem: world.patient.sealing.kem,
  node: compartmentNode(world.root, name, epoch),
});
const keysOf = (from: View): Granted => ({ kind: 'classes', bodyHash: from.bodyHash, keys: from.keys });
const fieldsOf = (...paths: string[]): Granted => ({
  kind: 'fields',
  disclosure: disclose(sealed, view, paths),
});
const grantIn = (granted: Granted, changes: Partial<GrantTerms> = {}): Promise<SignedGrant> =>
  grant(
    world.patient,
    world.colleague.credential,
    { terms: { ...terms, ...changes }, granted },
    world.random,
  );

beforeAll(async () => {
  world = await createWorld();
  sealed = await sealIn(world, DOCUMENT);
  view = await viewIn(world, sealed, 'root');
  const { recordId } = world.compartments;
  terms = { recordId, purpose: 'second opinion', from: 100, until: 200, mayPassOn: false };
  signed = await grantIn(nodeOf('clinical'));
});

interface Expected {
  readonly at?: number;
  readonly recordId?: Uint8Array;
  readonly grantor?: Identity;
  readonly under?: Grant | null;
}
const opening = (one: SignedGrant, as = world.colleague, expected: Expected = {}): Promise<OpenedGrant> => {
  const { at = 150, recordId = terms.recordId, grantor = world.patient, under = null } = expected;
  return openGrant(as, one, { grantor: grantor.credential, recordId, at, under });
};
const nothing = (): never => {
  throw new Error('another kind of grant');
};

describe('a grant of a compartment', () => {
  it('opens what lies in it, and no more', async () => {
    const opened = await opening(signed);
    const { reader } = opened.kind === 'compartment' ? opened : nothing();
    expect(toHex(reader.reader.id)).toBe(toHex(keyOf(world, 'clinical').reader.id));
    const seen = await openIn(world, sealed, [], { as: [reader] });
    expect(seen?.value).toMatchObject({ clinical: [{ dose: 1 }, { note: '𝄞' }, [], {}], name: 'Núria' });
    expect(seen?.value).not.toHaveProperty('cost');
    expect(seen?.complete).toBe(false);
  });

  it('says what was granted', () => {
    expect(verifyGrant(signed.statement, world.patient.credential, null)).toEqual({
      ...terms,
      scope: { kind: 'compartment', name: 'clinical', epoch: 0 },
      grantor: world.patient.credential.id,
      grantee: world.colleague.credential.id,
      parent: PARENT_NONE,
      wrapHash: sha256(signed.wrap),
      digest: hashTuple('grant digest', signed.statement),
      passed: 0,
    });
  });

  it('holds on its first and last millisecond', async () => {
    for (const at of [100, 200]) await opening(signed, world.colleague, { at });
    for (const at of [99, 201, NaN])
      expect(await refusalOf(() => opening(signed, world.colleague, { at }))).toBe('VIEW_GRANT');
    await expect(grantIn(nodeOf('clinical'), { from: 201 })).rejects.toThrow(RangeError);
    await expect(grantIn(nodeOf('clinical'), { from: NaN })).rejects.toThrow(RangeError);
    await expect(grantIn(nodeOf('clinical'), { purpose: 'x'.repeat(513) })).rejects.toThrow(RangeError);
  });

  it('hands the whole tree over at the root', async () => {
    const opened = await opening(await grantIn(nodeOf('')));
    const { reader } = opened.kind === 'compartment' ? opened : nothing();
    expect((await openIn(world, sealed, [], { as: [reader] }))?.text).toBe(DOCUMENT);
  });

  it('has one size', async () => {
    const { statement, wrap } = await grantIn(nodeOf('clinical', 9));
    expect([statement.length, wrap.length]).toEqual([signed.statement.length, signed.wrap.length]);
  });
});

describe('a grant of classes', () => {
  it('opens these classes of this document without a wrap, and no more', async () => {
    const insurer = await viewIn(world, sealed, 'insurer');
    const one = await grantIn(keysOf(insurer));
    const opened = await opening(one);
    const { keys, grant: verified } = opened.kind === 'classes' ? opened : nothing();
    const lines = verified.scope.kind === 'classes' ? verified.scope.lines : nothing();
    expect(lines).toEqual(keys.map(({ index }) => index));
    const part = decodeSealed(encodeSealed(selectFor(sealed, [], false, lines)));
    expect(part.wraps).toEqual([]);
    const seen = await viewIn(world, part, [], { granted: keys });
    expect(seen.text).toBe(insurer.text);
    // Nothing of another document, though its lines may have the same numbers.
    const other = await sealIn(world, DOCUMENT);
    const elsewhere = { ...other, deliveries: [], wraps: [] };
    expect(await refusalOf(() => openIn(world, elsewhere, [], { granted: keys }))).toMatch(
      /^VIEW_(GRANT|INCOMPLETE)$/,
    );
    const fewer = { ...part, classes: part.classes.slice(1) };
    expect(await refusalOf(() => openIn(world, fewer, [], { granted: keys }))).toBe('VIEW_INCOMPLETE');
  });

  it('never hands on the skeleton, by which one would know that one sees everything', async () => {
    expect(view.keys).toHaveLength(sealed.classes.length - 1);
    const { keys } = await opening(await grantIn(keysOf(view))).then((one) =>
      one.kind === 'classes' ? one : nothing(),
    );
    const seen = await viewIn(world, { ...sealed, wraps: [], deliveries: [] }, [], { granted: keys });
    expect(seen.fields).toHaveLength(view.fields.length);
    expect(seen.complete).toBe(false);
  });

  it('is found out if a key is not its class’s, and does not stand in for one’s own', async () => {
    const line = view.fields.find(({ path }) => path === '/cost')?.classIndex ?? nothing();
    const granted = [{ index: line, key: new Secret('class key', new Uint8Array(32)) }];
    expect(await refusalOf(() => openIn(world, sealed, [], { granted }))).toBe('VIEW_GRANT');
    expect((await viewIn(world, sealed, 'insurer', { granted })).value).toHaveProperty('cost');
  });

  it('is not made of nothing', async () => {
    await expect(grantIn({ kind: 'classes', bodyHash: view.bodyHash, keys: [] })).rejects.toThrow(RangeError);
  });

  it('prints no key', async () => {
    const { inspect } = await import('node:util');
    const printed = inspect([await opening(await grantIn(keysOf(view))), view], { depth: 10 });
    for (const { key } of view.keys) expect(printed).not.toContain([...exposeSecret(key)].join(', '));
    expect(printed).toContain('[secret: class key]');
  });
});

describe('a grant of fields', () => {
  it('shows these fields, with their author’s signature', async () => {
    const opened = await opening(await grantIn(fieldsOf('/cost')));
    const { disclosure } = opened.kind === 'fields' ? opened : nothing();
    const { recordId } = world.compartments;
    const shown = verifyDisclosure(disclosure, { recordId, authors: world.authors });
    expect([shown.text, shown.author, shown.time]).toEqual([
      '{"cost":12.50e0}',
      world.doctor.credential,
      TIME,
    ]);
  });

  it('states neither path nor value', async () => {
    const { statement, wrap } = await grantIn(fieldsOf('/cost'));
    for (const bytes of [statement, wrap])
      for (const text of ['cost', '12.50e0']) expect(Buffer.from(bytes).includes(text)).toBe(false);
  });
});

describe('rewrapping', () => {
  it('seals the same keys to another key, and changes no byte of the document', async () => {
    const { reader } = keyOf(world, 'insurer');
    const keys = await rewrapped({ view, reader });
    const now = await viewIn(world, { ...sealed, wraps: [], deliveries: [] }, [], { granted: keys });
    // The old key still opens the same; the owner's own view, from which the keys came, holds far more.
    expect(now.text).toBe((await viewIn(world, sealed, 'insurer')).text);
    expect(keys.length).toBeLessThan(view.keys.length);
  });

  const rewrapped = async (
    what: { view: View; reader: Reader },
    by = world.patient,
  ): Promise<OpenedKey[]> => {
    const one = await rewrap(by, world.clinician.credential, { terms, ...what });
    if (one === null) return [];
    const opened = await opening(one, world.clinician, { grantor: by });
    return opened.kind === 'classes' ? [...opened.keys] : nothing();
  };

  it('is done by a reader for itself, of all that it holds', async () => {
    const insurer = await viewIn(
      world,
      selectFor(sealed, [keyOf(world, 'insurer').reader.id], false),
      'insurer',
    );
    const keys = await rewrapped({ view: insurer, reader: keyOf(world, 'insurer').reader }, world.colleague);
    expect(keys.map(({ index }) => index)).toEqual(insurer.keys.map(({ index }) => index));
  });

  it('gives whoever is no reader nothing', async () => {
    expect(await rewrapped({ view, reader: keyOf(world, 'speciality:dermatology').reader })).toEqual([]);
  });

  it.each(['emergency', 'custodian'])('makes no whole key of what %s holds', async (name) => {
    const halved = await sealIn(world, DOCUMENT, POLICY, { breakGlass: world.breakGlass });
    const whole = await viewIn(world, halved, 'root');
    expect(await rewrapped({ view: whole, reader: keyOf(world, name).reader })).toEqual([]);
  });
});

describe('resealing', () => {
  const options = () => ({
    policy: definePolicy(POLICY),
    owner: world.compartments,
    readers: (name: string) => (name === 'insurer' ? null : (world.keys.get(name)?.reader ?? null)),
    breakGlass: null,
    author: world.patient,
    time: TIME + 1,
  });

  it('makes new keys for other readers, and says which document it takes the place of', async () => {
    const anew = await reseal(view, options());
    const own = await viewIn(world, anew, 'root');
    expect([own.text, own.type, own.author]).toEqual([view.text, view.type, world.patient.credential]);
    expect(own.supersedes).toEqual(view.bodyHash);
    expect((await viewIn(world, anew, 'insurer')).text).not.toContain('cost');
    // What was granted of the old document does not open the new one; of the old one it does.
    const insurer = await viewIn(world, sealed, 'insurer');
    const parts = { ...anew, wraps: [], deliveries: [] };
    expect(await refusalOf(() => openIn(world, parts, [], { granted: insurer.keys }))).toMatch(
      /^VIEW_(GRANT|INCOMPLETE)$/,
    );
    expect(insurer.text).toContain('cost');
  });

  it('is for who sees everything', async () => {
    const insurer = await viewIn(world, sealed, 'insurer');
    expect(await refusalOf(() => reseal(insurer, options()))).toBe('VIEW_INCOMPLETE');
  });
});

describe('passing on', () => {
  const may = (granted: Granted = nodeOf('clinical')): Promise<SignedGrant> =>
    grantIn(granted, { mayPassOn: true });
  const verified = (one: SignedGrant, grantor = world.patient, under: Grant | null = null): Grant =>
    verifyGrant(one.statement, grantor.credential, under);
  const pass = (under: Grant, granted: Granted, changes: Partial<GrantTerms> = {}): Promise<SignedGrant> =>
    passOn(
      world.colleague,
      world.clinician.credential,
      { terms: { ...terms, ...changes }, granted, under },
      world.random,
    );

  it('opens for the next grantee, under the grant that allows it', async () => {
    const under = verified(await may());
    const second = await pass(under, nodeOf('clinical'), { from: 120 });
    const expected = { grantor: world.colleague, under };
    const opened = await opening(second, world.clinician, expected);
    expect(opened.kind === 'compartment' && toHex(opened.reader.reader.id)).toBe(
      toHex(keyOf(world, 'clinical').reader.id),
    );
    expect(opened.grant.passed).toBe(1);
    expect(await refusalOf(() => opening(second, world.clinician, { ...expected, at: 119 }))).toBe(
      'VIEW_GRANT',
    );
    // Neither on its own, nor under another grant.
    expect(refusal(() => verified(second, world.colleague))).toBe('VIEW_GRANT');
    const other = verified(await may());
    expect(refusal(() => verified(second, world.colleague, other))).toBe('VIEW_GRANT');
    expect(refusal(() => verified(signed, world.patient, under))).toBe('VIEW_GRANT');
  });

  it('can be of a part: fewer classes, or fields of them', async () => {
    const under = verified(await may(keysOf(view)));
    const insurer = await viewIn(world, sealed, 'insurer');
    for (const granted of [keysOf(insurer), fieldsOf('/cost')]) {
      const second = await pass(under, granted);
      await opening(second, world.clinician, { grantor: world.colleague, under });
    }
  });

  interface Attempt {
    readonly granted?: () => Granted | Promise<Granted>;
    readonly changes?: Partial<GrantTerms>;
    readonly by?: () => Identity;
  }

  it.each<[string, () => Promise<SignedGrant>, Attempt]>([
    ['without leave', () => grantIn(nodeOf('clinical')), {}],
    ['another compartment', () => may(), { granted: () => nodeOf('financial') }],
    ['another epoch', () => may(), { granted: () => nodeOf('clinical', 1) }],
    ['classes of a compartment', () => may(), { granted: () => keysOf(view) }],
    ['a compartment of classes', () => may(keysOf(view)), {}],
    [
      'more classes',
      async () => may(keysOf(await viewIn(world, sealed, 'insurer'))),
      { granted: () => keysOf(view) },
    ],
    [
      'classes of another document',
      () => may(keysOf(view)),
      { granted: async () => keysOf(await viewIn(world, await sealIn(world, DOCUMENT), 'root')) },
    ],
    ['classes of fields', () => may(fieldsOf('/cost')), { granted: () => keysOf(view) }],
    ['other fields', () => may(fieldsOf('/cost')), { granted: () => fieldsOf('/name') }],
    [
      'fields of other classes',
      async () => may(keysOf(await viewIn(world, sealed, 'insurer'))),
      { granted: () => fieldsOf('/a~1b/') },
    ],
    ['an earlier beginning', () => may(), { changes: { from: 99 } }],
    ['a later end', () => may(), { changes: { until: 201 } }],
    ['another purpose', () => may(), { changes: { purpose: 'research' } }],
    ['another record', () => may(), { changes: { recordId: new Uint8Array(16) } }],
    ['by somebody else', () => may(), { by: () => world.doctor }],
  ])('is refused %s, to who makes it and to who is shown it', async (_, first, attempt) => {
    const { granted = () => nodeOf('clinical'), changes = {}, by = () => world.colleague } = attempt;
    const under = verified(await first());
    const granting = { terms: { ...terms, ...changes }, granted: await granted() };
    const pass = (allowed: Grant): Promise<SignedGrant> =>
      passOn(by(), world.clinician.credential, { ...granting, under: allowed });
    expect(await refusalOf(() => pass(under))).toBe('VIEW_GRANT');
    // Software that does not ask signs all the same; whoever verifies what it signed finds what it should have found.
    const { scope } = verified(await grant(world.patient, world.clinician.credential, granting));
    const lenient = { ...under, ...granting.terms, scope, mayPassOn: true, grantee: by().credential.id };
    const forged = await pass(lenient);
    expect(verified(forged, by(), lenient).parent).toEqual(under.digest);
    expect(refusal(() => verified(forged, by(), under))).toBe('VIEW_GRANT');
  });

  it('ends after a number of times', async () => {
    let under = verified(await may());
    let grantor = world.colleague;
    for (let passed = 1; passed < PASSING_LIMIT; passed++) {
      const grantee = passed % 2 === 1 ? world.clinician : world.colleague;
      const granting = { terms: { ...terms, mayPassOn: true }, granted: nodeOf('clinical'), under };
      const next = await passOn(grantor, grantee.credential, granting);
      under = verified(next, grantor, under);
      expect(under.passed).toBe(passed);
      grantor = grantee;
    }
    const granting = { terms, granted: nodeOf('clinical'), under };
    expect(await refusalOf(() => passOn(grantor, world.doctor.credential, granting))).toBe('VIEW_GRANT');
  });
});

describe('a grant is refused', () => {
  const refused = async (one: SignedGrant, as = world.colleague, expected: Expected = {}): Promise<void> => {
    expect(await refusalOf(() => opening(one, as, expected))).toBe('VIEW_GRANT');
  };

  it('for a reason that its reader may know', async () => {
    const reason = (as: Identity, expected: Expected) => expect(opening(signed, as, expected)).rejects;
    await reason(world.clinician, {}).toThrow(/somebody else/);
    await reason(world.colleague, { recordId: new Uint8Array(16) }).toThrow(/another record/);
    await reason(world.colleague, { at: 201 }).toThrow(/this time/);
  });
  it('to another grantee', () => refused(signed, world.clinician));
  it('of another record', () => refused(signed, world.colleague, { recordId: new Uint8Array(16) }));
  it('of another grantor', () => refused(signed, world.colleague, { grantor: world.doctor }));

  it('with another grant’s wrap', async () => {
    for (const granted of [nodeOf('clinical'), nodeOf('financial'), keysOf(view), fieldsOf('/cost')])
      await refused({ ...signed, wrap: (await grantIn(granted)).wrap });
  });

  it('with a bit changed in any byte', async () => {
    for (let at = 0; at < signed.statement.length; at++)
      await refused({ ...signed, statement: flipped(signed.statement, at, 1 << (at & 7)) });
    for (let at = 0; at < signed.wrap.length; at++)
      await refused({ ...signed, wrap: flipped(signed.wrap, at, 1 << (at & 7)) });
    await refused({ ...signed, statement: signed.statement.subarray(1) });
    await refused({ ...signed, wrap: new Uint8Array(0) });
  });

  const aadOf = (changes: Partial<StatedTerms> = {}): Uint8Array =>
    encodeTerms({
      ...terms,
      scope: { kind: 'compartment', name: 'clinical', epoch: 0 },
      grantor: world.patient.credential.id,
      parent: PARENT_NONE,
      ...changes,
    });

  it.each<[string, () => Partial<StatedTerms>]>([
    ['scope', () => ({ scope: { kind: 'compartment', name: 'financial', epoch: 0 } })],
    ['epoch', () => ({ scope: { kind: 'compartment', name: 'clinical', epoch: 1 } })],
    [
      'kind of scope',
      () => ({
        scope: { kind: 'fields', bodyHash: view.bodyHash, lines: [0], digest: new Uint8Array(32) },
      }),
    ],
    ['purpose', () => ({ purpose: 'curiosity' })],
    ['beginning', () => ({ from: 0 })],
    ['end', () => ({ until: 4e12 })],
    ['leave to pass on', () => ({ mayPassOn: true })],
    ['parent', () => ({ parent: new Uint8Array(32).fill(1) })],
  ])('where the grantor signed an altered %s over the same wrap', async (_, changes) => {
    const body = tuple('grant', world.colleague.credential.id, sha256(signed.wrap), aadOf(changes()));
    await refused({ ...signed, statement: await signStatement(world.patient, body) });
  });

  it('where somebody signs in another grantor’s name', async () => {
    const body = tuple('grant', world.colleague.credential.id, sha256(signed.wrap), aadOf());
    const statement = await signStatement(world.doctor, body);
    for (const { credential } of [world.doctor, world.patient])
      expect(refusal(() => verifyGrant(statement, credential, null))).toBe('VIEW_GRANT');
  });

  it('where the statement is another, or malformed', async () => {
    const { id } = world.colleague.credential;
    const hash = sha256(signed.wrap);
    const own = world.patient.credential.id;
    const scoped = (...scope: readonly (string | number | Uint8Array | readonly number[])[]): Uint8Array =>
      tuple('grant aad', terms.recordId, own, scope, 'p', 0, 1, 0, PARENT_NONE);
    const bodies = [
      tuple('emergency', id, hash, aadOf()),
      tuple('grant', id, hash, aadOf(), ''),
      tuple('grant', id, hash.subarray(1), aadOf()),
      tuple('grant', id, hash, tuple('grant aad', terms.recordId, own, ['fields', hash], 'p', 0, 1, 2, hash)),
      tuple('grant', id, hash, scoped('everything')),
      tuple('grant', id, hash, scoped('compartment', 'a', 0, 0)),
      tuple('grant', id, hash, scoped('classes', hash)),
      tuple(
        'grant',
        id,
        hash,
        scoped(
          'classes',
          hash,
          Array.from({ length: 17 }, (_, i) => i),
        ),
      ),
      tuple('grant', id, hash, scoped('classes', hash, [])),
      tuple('grant', id, hash, scoped('classes', hash, [1, 1])),
      tuple('grant', id, hash, scoped('classes', hash, [2, 1])),
      tuple('grant', id, hash, scoped('classes', hash, [16])),
      tuple('grant', id, hash, aadOf({ from: 201 })),
      tuple('grant', id, hash, scoped('fields', hash.subarray(1))),
      tuple('grant', id, hash, aadOf({ purpose: 'x'.repeat(513) })),
      tuple('grant', id, hash, aadOf({ recordId: new Uint8Array(15) })),
      encodeItems([]),
    ];
    for (const body of bodies) {
      const statement = await signStatement(world.patient, body);
      expect(refusal(() => verifyGrant(statement, world.patient.credential, null))).toBe('VIEW_GRANT');
    }
  });

  it('where the wrap holds something else than the scope', async () => {
    const { colleague, patient, root, random } = world;
    const info = tuple('grant wrap', suite(colleague.sealing.kem), colleague.credential.id);
    const node = exposeSecret(compartmentNode(root, 'clinical', 0));
    const [own] = view.keys;
    const compartment = { kind: 'compartment', name: 'clinical', epoch: 0 } as const;
    const { bodyHash } = view;
    const classes = { kind: 'classes', bodyHash, lines: [own!.index] } as const;
    const disclosure = disclose(sealed, view, ['/cost']);
    const shown = { kind: 'fields', ...disclosureScope(disclosure) } as const;
    const key = exposeSecret(own!.key);
    const { kem } = patient.sealing;
    const cases: [StatedTerms['scope'], Uint8Array][] = [
      [compartment, tuple('grant node', 'financial', 0, kem, node)],
      [compartment, tuple('grant node', 'clinical', 1, kem, node)],
      [compartment, tuple('grant node', 'clinical', 0, 0x99, node)],
      [compartment, tuple('grant node', 'clinical', 0, kem, node.subarray(1))],
      [compartment, tuple('grant node', 'clinical', 0, kem, node, '')],
      [compartment, tuple('grant keys', [[own!.index, key]])],
      [classes, tuple('grant keys', [])],
      [classes, tuple('grant keys', [[own!.index + 1, key]])],
      [classes, tuple('grant keys', [[own!.index, key.subarray(1)]])],
      [{ ...shown, bodyHash: sha256(bodyHash) }, tuple('grant fields', disclosure)],
      [{ ...shown, lines: [...shown.lines, 15] }, tuple('grant fields', disclosure)],
      [{ ...shown, digest: sha256(disclosure) }, tuple('grant fields', disclosure)],
      [shown, tuple('grant fields', disclosure.subarray(1))],
      [shown, tuple('grant fields', disclose(sealed, view, ['/name']))],
    ];
    for (const [scope, plaintext] of cases) {
      const aad = aadOf({ scope });
      const { encapsulation, ciphertext } = hpkeSeal(colleague.sealing, info, aad, pad(plaintext), random);
      const wrap = encodeItems([encapsulation, ciphertext]);
      const body = tuple('grant', colleague.credential.id, sha256(wrap), aad);
      await refused({ statement: await signStatement(patient, body), wrap });
    }
  });

  it('and the node that it hands over opens as what it says or not at all', async () => {
    const { recordId } = world.compartments;
    const opened = await opening(await grantIn(nodeOf('clinical', 1)));
    const { reader } = opened.kind === 'compartment' ? opened : nothing();
    // The next epoch's node: nothing of this document is sealed to it.
    const as = [reader];
    expect((await open(sealed, { recordId, authors: world.authors, as, releases: null }))?.text).toBe(
      '{"name":"Núria","speciality":"cardiology"}',
    );
  });
});
