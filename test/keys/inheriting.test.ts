/** A list of compartments that goes on under another Id of its owner. */

import { describe, expect, it } from 'vitest';
import { KEM_X25519 } from '../../src/crypto/index.ts';
import {
  createAnchor,
  createRoot,
  exposeSecret,
  inheritCompartments,
  openRoot,
  publishCompartments,
  rotate,
  verifyCompartments,
  verifyCompartmentsHistory,
  signStatement,
  verifyNextCompartments,
  type Compartments,
  type Identity,
} from '../../src/keys/index.ts';
import { tuple } from '../../src/wire/index.ts';
import { refusal, refusalOf } from '../refusal.ts';

const root = createRoot();
const recordId = new Uint8Array(16).fill(7);
const make = (): Promise<Identity> =>
  createAnchor({ subject: 'Bob', roles: ['patient'], notBefore: 0, notAfter: 4e12 }, { kem: KEM_X25519 });
const [before, after, stranger] = [await make(), await make(), await make()];
const owners = [before, after].map(({ credential }) => credential);

const first = await publishCompartments(before, root, { recordId, names: ['urgent'] });
const list = verifyCompartments(first, before.credential);
const second = await rotate(before, root, list, { names: ['urgent'], added: [] });
const rotated = verifyNextCompartments(second, before.credential, list);
const third = await inheritCompartments(after, root, rotated);

/** A list that an owner signs, whatever is in it. */
function signed(
  owner: Identity,
  list: Compartments['list'],
  root_: Compartments['sealedRoot'],
): Promise<Uint8Array> {
  const items = list.map(({ name, epoch, kem, publicKey }) => [name, epoch, kem, publicKey]);
  const { id } = owner.credential;
  const of = [recordId, id, rotated.number + 1, rotated.digest, items] as const;
  return signStatement(owner, tuple('compartments', ...of, root_.encapsulation, root_.ciphertext));
}

describe('a list that is taken over', () => {
  it('stays as it is, and opens for the new Id', async () => {
    const taken = verifyNextCompartments(third, after.credential, rotated);
    expect(taken).toMatchObject({ number: 2, previous: rotated.digest, owner: after.credential.id });
    expect(taken.list).toEqual(rotated.list);
    expect(exposeSecret(await openRoot(after, taken))).toEqual(exposeSecret(root));
    expect(await refusalOf(() => openRoot(before, taken))).toBe('KEY_OPEN');
    const fourth = await rotate(after, root, taken, { names: ['urgent'], added: [] });
    const history = verifyCompartmentsHistory([first, second, third, fourth], owners, null);
    expect(history.map(({ number }) => number)).toEqual([0, 1, 2, 3]);
  });

  it('takes the root of the list before', async () => {
    expect(await refusalOf(() => inheritCompartments(after, createRoot(), rotated))).toBe('KEY_CHANGE');
  });

  it('goes on with the root’s keys where somebody has put another one', async () => {
    const planted = rotated.list.map((one) =>
      one.name === 'urgent' ? { ...one, publicKey: stranger.credential.sealing.publicKey } : one,
    );
    const false_ = verifyCompartments(await signed(before, planted, rotated.sealedRoot), before.credential);
    for (const next of [
      verifyCompartments(await inheritCompartments(after, root, false_), after.credential),
      verifyCompartments(await rotate(before, root, false_, { names: [], added: [] }), before.credential),
    ]) {
      const [urgent, right] = [
        next,
        await rotate(before, root, rotated, { names: ['urgent'], added: [] }),
      ].map((one) =>
        (one instanceof Uint8Array ? verifyCompartments(one, before.credential) : one).list.find(
          ({ name }) => name === 'urgent',
        ),
      );
      expect(urgent).toEqual(right);
      expect(next.list.filter(({ name }) => name !== 'urgent')).toEqual(
        rotated.list.filter(({ name }) => name !== 'urgent'),
      );
    }
  });

  it('opens for no root but its own', async () => {
    const other = await publishCompartments(before, createRoot(), { recordId, names: [] });
    const { sealedRoot } = verifyCompartments(other, before.credential);
    const false_ = verifyCompartments(await signed(before, rotated.list, sealedRoot), before.credential);
    expect(await refusalOf(() => openRoot(before, false_))).toBe('KEY_OPEN');
  });

  it('goes on behind whatever a thief of the signing key could put there', async () => {
    const last = (epoch: number): Compartments['list'] =>
      rotated.list.map((one) => (one.name === 'urgent' ? { ...one, epoch, publicKey: thief } : one));
    const thief = stranger.credential.sealing.publicKey;
    const planted = await signed(before, last(2), rotated.sealedRoot);
    const list_ = verifyNextCompartments(planted, before.credential, rotated);
    const next = verifyNextCompartments(
      await inheritCompartments(after, root, list_),
      after.credential,
      list_,
    );
    expect(next.list.find(({ name }) => name === 'urgent')).toMatchObject({ epoch: 3 });
    const [leap, beyond] = [await signed(before, last(3), rotated.sealedRoot), Number.MAX_SAFE_INTEGER];
    expect(refusal(() => verifyCompartments(leap, before.credential))).toBe('WIRE_TUPLE');
    const end = await signed(before, last(beyond), rotated.sealedRoot);
    expect(refusal(() => verifyCompartments(end, before.credential))).toBe('WIRE_TUPLE');
    const junk = { ...rotated.sealedRoot, encapsulation: new Uint8Array(1_000_000) };
    const large = await signed(before, rotated.list, junk);
    expect(refusal(() => verifyCompartments(large, before.credential))).toBe('WIRE_TUPLE');
  });

  it('is of nobody else, and never goes back to who has left', async () => {
    const run = [first, second, third];
    expect(refusal(() => verifyCompartmentsHistory(run, [before.credential], null))).toBe('KEY_SIGNATURE');
    const others = [before.credential, stranger.credential];
    expect(refusal(() => verifyCompartmentsHistory(run, others, null))).toBe('KEY_SIGNATURE');
    const taken = verifyNextCompartments(third, after.credential, rotated);
    const back = await inheritCompartments(before, root, taken);
    expect(refusal(() => verifyCompartmentsHistory([...run, back], owners, null))).toBe('KEY_SUCCESSION');
  });
});
