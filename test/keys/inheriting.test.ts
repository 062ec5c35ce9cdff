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
  verifyNextCompartments,
  type Identity,
} from '../../src/keys/index.ts';
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
