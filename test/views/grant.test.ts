/** Grants: one compartment, to one grantee, of one record, for a time. */

import { beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/crypto/index.ts';
import { compartmentNode, signStatement, type Identity } from '../../src/keys/index.ts';
import {
  grant,
  openGrant,
  verifyGrant,
  type GrantTerms,
  type SealedDocument,
  type SignedGrant,
} from '../../src/views/index.ts';
import { encodeItems, toHex, tuple } from '../../src/wire/index.ts';
import { flipped } from '../mutation.ts';
import { refusal, refusalOf } from '../refusal.ts';
import { createWorld, DOCUMENT, keyOf, openIn, sealIn, type World } from './fixture.ts';

let world: World;
let sealed: SealedDocument;
let terms: GrantTerms;
let signed: SignedGrant;

const grantIn = (changes: Partial<GrantTerms> = {}, by?: Identity): Promise<SignedGrant> => {
  const all = { ...terms, ...changes };
  const node = {
    name: all.scope,
    epoch: 0,
    kem: world.patient.sealing.kem,
    node: compartmentNode(world.root, all.scope, 0),
  };
  return grant(by ?? world.patient, world.colleague.credential, { terms: all, node }, world.random);
};

beforeAll(async () => {
  world = await createWorld();
  sealed = await sealIn(world, DOCUMENT);
  const { recordId } = world.compartments;
  terms = { recordId, scope: 'clinical', purpose: 'second opinion', from: 100, until: 200, mayPassOn: false };
  signed = await grantIn();
});

const expected = (
  at = 150,
  recordId = terms.recordId,
  grantor = world.patient,
): Parameters<typeof openGrant>[2] => ({
  grantor: grantor.credential,
  recordId,
  at,
});

describe('a grant', () => {
  it('opens what lies in its compartment, and no more', async () => {
    const reader = await openGrant(world.colleague, signed, expected());
    expect(toHex(reader.reader.id)).toBe(toHex(keyOf(world, 'clinical').reader.id));
    const { recordId } = world.compartments;
    const view = await openIn(world, sealed, [], { recordId, as: [reader] });
    expect(view?.value).toMatchObject({ clinical: [{ dose: 1 }, { note: '𝄞' }, [], {}], name: 'Núria' });
    expect(view?.value).not.toHaveProperty('cost');
    expect(view?.complete).toBe(false);
  });

  it('says what was granted', () => {
    expect(verifyGrant(signed.statement, world.patient.credential)).toEqual({
      ...terms,
      grantor: world.patient.credential.id,
      grantee: world.colleague.credential.id,
      wrapHash: sha256(signed.wrap),
    });
  });

  it('holds on its first and last millisecond', async () => {
    for (const at of [100, 200]) await openGrant(world.colleague, signed, expected(at));
    for (const at of [99, 201, NaN]) {
      expect(await refusalOf(() => openGrant(world.colleague, signed, expected(at)))).toBe('VIEW_GRANT');
    }
  });

  it('hands the whole tree over at the root', async () => {
    const whole = await grantIn({ scope: '' });
    const reader = await openGrant(world.colleague, whole, expected());
    expect((await openIn(world, sealed, [], { as: [reader] }))?.text).toBe(DOCUMENT);
  });

  it('names the node that it hands over', async () => {
    const node = { name: 'financial', epoch: 0, kem: world.patient.sealing.kem, node: world.root };
    await expect(grant(world.patient, world.colleague.credential, { terms, node })).rejects.toThrow(
      RangeError,
    );
  });
});

describe('a grant is refused', () => {
  const refused = async (one: SignedGrant, as = world.colleague, wanted = expected()): Promise<void> => {
    expect(await refusalOf(() => openGrant(as, one, wanted))).toBe('VIEW_GRANT');
  };

  it('to another grantee', () => refused(signed, world.clinician));
  it('of another record', () => refused(signed, world.colleague, expected(150, new Uint8Array(16))));
  it('of another grantor', () =>
    refused(signed, world.colleague, expected(150, terms.recordId, world.doctor)));

  it('with another grant’s wrap', async () => {
    await refused({ ...signed, wrap: (await grantIn()).wrap });
    await refused({ ...signed, wrap: (await grantIn({ scope: 'financial' })).wrap });
  });

  it('with a byte changed, every third one', async () => {
    for (let at = 0; at < signed.statement.length; at += 3)
      await refused({ ...signed, statement: flipped(signed.statement, at) });
    for (let at = 0; at < signed.wrap.length; at += 3)
      await refused({ ...signed, wrap: flipped(signed.wrap, at) });
    await refused({ ...signed, statement: signed.statement.subarray(1) });
    await refused({ ...signed, wrap: new Uint8Array(0) });
  });

  const aadOf = (changes: Partial<GrantTerms>, grantor = world.patient.credential.id): Uint8Array => {
    const { recordId, scope, purpose, from, until, mayPassOn } = { ...terms, ...changes };
    return tuple('grant aad', recordId, grantor, scope, purpose, from, until, mayPassOn ? 1 : 0);
  };

  it.each<[string, Partial<GrantTerms>]>([
    ['scope', { scope: 'financial' }],
    ['purpose', { purpose: 'curiosity' }],
    ['beginning', { from: 0 }],
    ['end', { until: 4e12 }],
    ['leave to pass on', { mayPassOn: true }],
  ])('where the grantor signed an altered %s over the same wrap', async (_, changes) => {
    const body = tuple('grant', world.colleague.credential.id, sha256(signed.wrap), aadOf(changes));
    await refused({ ...signed, statement: await signStatement(world.patient, body) });
  });

  it('where somebody signs in another grantor’s name', async () => {
    const body = tuple('grant', world.colleague.credential.id, sha256(signed.wrap), aadOf({}));
    const statement = await signStatement(world.doctor, body);
    expect(refusal(() => verifyGrant(statement, world.doctor.credential))).toBe('VIEW_GRANT');
    expect(refusal(() => verifyGrant(statement, world.patient.credential))).toBe('VIEW_GRANT');
  });

  it('where the statement is another, or malformed', async () => {
    const { id } = world.colleague.credential;
    const hash = sha256(signed.wrap);
    const bodies = [
      tuple('emergency', id, hash, aadOf({})),
      tuple('grant', id, hash, aadOf({}), ''),
      tuple('grant', id, hash.subarray(1), aadOf({})),
      tuple(
        'grant',
        id,
        hash,
        tuple('grant aad', terms.recordId, world.patient.credential.id, 's', 'p', 0, 1, 2),
      ),
      tuple('grant', id, hash, aadOf({ purpose: 'x'.repeat(513) })),
      tuple('grant', id, hash, aadOf({ recordId: new Uint8Array(15) })),
      encodeItems([]),
    ];
    for (const body of bodies) {
      const statement = await signStatement(world.patient, body);
      expect(refusal(() => verifyGrant(statement, world.patient.credential))).toBe('VIEW_GRANT');
    }
  });

  it('where the wrap holds another node than the scope', async () => {
    // The grantor seals `financial` under terms that say `clinical`: caught by the node's own name.
    const { hpkeSeal } = await import('../../src/crypto/index.ts');
    const { exposeSecret, suite } = await import('../../src/keys/index.ts');
    const { colleague, patient, root } = world;
    const info = tuple('grant wrap', suite(colleague.sealing.kem), colleague.credential.id);
    const node = exposeSecret(compartmentNode(root, 'financial', 0));
    const plaintext = tuple('grant node', 'financial', 0, patient.sealing.kem, node);
    const { encapsulation, ciphertext } = hpkeSeal(
      colleague.sealing,
      info,
      aadOf({}),
      plaintext,
      world.random,
    );
    const wrap = encodeItems([encapsulation, ciphertext]);
    const body = tuple('grant', colleague.credential.id, sha256(wrap), aadOf({}));
    await refused({ statement: await signStatement(patient, body), wrap });
  });
});
