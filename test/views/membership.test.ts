/** Who may read changes: members of a group come and go, compartments are rotated, and what was sealed stays as it is. */

import { beforeAll, describe, expect, it } from 'vitest';
import { KEM_X25519 } from '../../src/crypto/index.ts';
import {
  compartmentNode,
  createAnchor,
  nodeKey,
  openGroup,
  openGroupHistory,
  publishGroup,
  publishNextEpoch,
  rotate,
  verifyGroup,
  verifyGroupHistory,
  verifyNextCompartments,
  type Compartments,
  type GroupChange,
  type GroupHistory,
  type Identity,
} from '../../src/keys/index.ts';
import {
  compartmentReader,
  groupReader,
  type OpeningReader,
  type Reader,
  type SealedDocument,
} from '../../src/views/index.ts';
import { createWorld, keyOf, openIn, sealIn, type World } from './fixture.ts';

const TEXT = '{"note":"only for the team"}';

let world: World;

beforeAll(async () => {
  world = await createWorld();
});

describe('a group', () => {
  let keeper: Identity;
  let leaver: Identity;
  let newcomer: Identity;

  beforeAll(async () => {
    const make = (subject: string, roles: string[]): Promise<Identity> =>
      createAnchor(
        { subject, roles, notBefore: 0, notAfter: 4e12 },
        { kem: KEM_X25519, random: world.random },
      );
    keeper = await make('keeper', ['keeper:team']);
    leaver = await make('leaver', ['nurse']);
    newcomer = await make('newcomer', ['nurse']);
  });

  /** Two epochs: the leaver is in the first, the newcomer in the second. */
  async function epochs(history: 'history' | 'no history'): Promise<GroupHistory> {
    const members = [keeper.credential, leaver.credential];
    const first = await publishGroup(keeper, { name: 'team', kem: KEM_X25519, members }, world.random);
    const before = verifyGroup(first, keeper.credential);
    const key = await openGroup(keeper, before);
    const change: GroupChange = {
      kem: KEM_X25519,
      staying: [keeper.credential],
      joining: [newcomer.credential],
      leaving: [leaver.credential.id],
      history: history === 'history' ? key! : history,
    };
    const second = await publishNextEpoch(keeper, before, change, world.random);
    return verifyGroupHistory([first, second], [keeper.credential], null);
  }

  async function readersOf(member: Identity, history: GroupHistory): Promise<OpeningReader[]> {
    const opened = await openGroupHistory(member, history);
    return opened.map(({ group, key }) => ({ reader: groupReader(group), key }));
  }

  async function reads(member: Identity, history: GroupHistory, sealed: SealedDocument): Promise<boolean> {
    const view = await openIn(world, sealed, [], { as: await readersOf(member, history) });
    if (view !== null) expect(view.value).toEqual(JSON.parse(TEXT));
    return view !== null;
  }

  it.each(['history', 'no history'] as const)(
    'whose members leave and join, %s handed on',
    async (handedOn) => {
      const history = await epochs(handedOn);
      const [first, second] = history.epochs.map((group) => sealTo(groupReader(group)));
      const [before, after] = [await first!, await second!];
      expect([await reads(keeper, history, before), await reads(keeper, history, after)]).toEqual([
        true,
        true,
      ]);
      // Who has left reads on what was sealed to it, and nothing that was sealed after.
      expect([await reads(leaver, history, before), await reads(leaver, history, after)]).toEqual([
        true,
        false,
      ]);
      const older = handedOn === 'history';
      expect([await reads(newcomer, history, before), await reads(newcomer, history, after)]).toEqual([
        older,
        true,
      ]);
    },
  );

  it('whose former member takes the new epoch’s name for its old key gets nothing', async () => {
    const history = await epochs('history');
    const after = await sealTo(groupReader(history.newest));
    const [old] = await readersOf(leaver, history);
    const as = [{ reader: groupReader(history.newest), key: old!.key }];
    await expect(openIn(world, after, [], { as })).rejects.toMatchObject({ code: 'VIEW_WRAP' });
  });
});

describe('a compartment that is rotated', () => {
  const POLICY = { name: 'clinical/1', rules: [], otherwise: [], otherwiseCompartment: 'clinical' };
  const sealIntoIt = (owner: Compartments): Promise<SealedDocument> => sealIn(world, TEXT, POLICY, { owner });

  it('opens no more for a former reader of it, and goes on for everybody else', async () => {
    const before = world.compartments;
    const change = { names: ['clinical'], added: [] };
    const signed = await rotate(world.patient, world.root, before, change, world.random);
    const after = verifyNextCompartments(signed, world.patient.credential, before);
    const [earlier, later] = [await sealIntoIt(before), await sealIntoIt(after)];
    const former = keyOf(world, 'clinical');
    const readsAs = async (as: readonly OpeningReader[], sealed: SealedDocument): Promise<unknown> =>
      (await openIn(world, sealed, [], { as }))?.value ?? null;
    // The former reader keeps what it had, and gets nothing that is sealed after.
    expect(await readsAs([former], earlier)).toEqual(JSON.parse(TEXT));
    expect(await readsAs([former], later)).toBeNull();
    const now = after.list.find(({ name }) => name === 'clinical')!;
    const mistaken = [{ reader: compartmentReader(now), key: former.key }];
    await expect(readsAs(mistaken, later)).rejects.toMatchObject({ code: 'VIEW_WRAP' });
    // The owner derives the node of every epoch, and reads everything as the root.
    const current = nodeKey(compartmentNode(world.root, 'clinical', now.epoch), now.kem);
    expect(await readsAs([{ reader: compartmentReader(now), key: current }], later)).toEqual(
      JSON.parse(TEXT),
    );
    for (const sealed of [earlier, later])
      expect(await readsAs([keyOf(world, 'root')], sealed)).toEqual(JSON.parse(TEXT));
    // Whoever reads another compartment goes on with the same key.
    const untouched = ({ list }: Compartments): unknown => list.filter(({ name }) => name !== 'clinical');
    expect(untouched(after)).toEqual(untouched(before));
  });
});

function sealTo(reader: Reader): Promise<SealedDocument> {
  const policy = { name: 'team/1', rules: [], otherwise: ['team'] };
  return sealIn(world, TEXT, policy, { readers: () => reader });
}
