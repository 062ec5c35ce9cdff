/**
 * Random operations by fifty people against a model of what each may see: no difference. And banks that are wrong on
 * purpose, of which each is found. The long run is test/faults/model.suite.ts.
 */

import { compartmentReader, groupReader } from 'muniment/views';
import { describe, expect, it, vi } from 'vitest';
import type * as Compartments from '../../examples/server/compartments.ts';
import type * as Rights from '../../examples/server/rights.ts';
import { Turn } from '../../examples/server/turn.ts';
import type { InProcess } from './in-process.ts';
import type { Length } from './model/play.ts';
import { figuresOf, stagePlay } from './model/staged.ts';

/** Which of the bank's rules are loosened now. */
const loosened = vi.hoisted(() => ({ closed: false, strangers: false, epochs: false }));

vi.mock('../../examples/server/rights.ts', async (original) => {
  const rights = await original<typeof Rights>();
  const { ruleOfRecord, scopeOf } = rights;
  return {
    ...rights,
    ruleOfRecord: (...asked: Parameters<typeof ruleOfRecord>): ReturnType<typeof ruleOfRecord> => {
      const rule = ruleOfRecord(...asked);
      const open = (state: typeof rule.start): typeof rule.start =>
        loosened.closed ? { ...state, closure: null } : state;
      return { ...rule, next: (state, step) => rule.next(open(state), step) };
    },
    scopeOf: (...asked: Parameters<typeof scopeOf>) =>
      scopeOf(...asked) ?? (loosened.strangers ? ('part' as const) : null),
  };
});

vi.mock('../../examples/server/compartments.ts', async (original) => {
  const compartments = await original<typeof Compartments>();
  const { listsFor, readersFor } = compartments;
  return {
    ...compartments,
    async readersFor(...asked: Parameters<typeof readersFor>): ReturnType<typeof readersFor> {
      if (!loosened.epochs) return readersFor(...asked);
      const [directory, database, recordId, { name }] = asked;
      const all = (await listsFor(directory, database, recordId)).flatMap(({ verified }) => verified.list);
      return all.filter((one) => one.name === name).map((one) => compartmentReader(one).id);
    },
  };
});

/** Fixed, so that it takes as long each time. */
const SEED = Number(process.env['MUNIMENT_FAULTS_SEED'] ?? 20_260_302);
const SHORT: Length = { seed: SEED, operations: 100, owners: 3, sweeps: 0, share: 0.05 };

it('the bank and the model say the same', async () => {
  const played = await stagePlay('sqlite', SHORT);
  for (const line of figuresOf(played)) console.log(`model: ${line}`);
  expect(played.compared.fields).toBeGreaterThan(100);
  expect(played.compared.refusals).toBeGreaterThan(10);
  expect(played.compared.accesses).toBeGreaterThan(50);
});

describe('finds', () => {
  /** A few operations in which a fault must show. */
  const find = async (
    weights: NonNullable<Length['weights']>,
    spoil: (at: InProcess) => (() => void) | undefined,
  ): Promise<string> => {
    let mend: (() => void) | undefined;
    const length = { seed: 20_260_302, operations: 100, owners: 2, sweeps: 0, share: 0, weights };
    try {
      await stagePlay('sqlite', length, (at) => void (mend = spoil(at)));
    } catch (error) {
      return String(error);
    } finally {
      mend?.();
    }
    return 'nothing';
  };
  const PLACE = /MUNIMENT_FAULTS_SEED=20260302, step \d+ of 100, [a-z ]+: /;

  it('a bank that hands out what is for others', async () => {
    const found = await find({ insert: 1, read: 2 }, ({ bank: { directory } }) => {
      const { groups } = directory;
      directory.readersOf = async (database) =>
        (await groups.call(directory, database, null)).map(({ verified }) => groupReader(verified).id);
      return undefined;
    });
    expect(found).toMatch(PLACE);
    expect(found).toMatch(/entries shown|wraps and classes/);
  });

  it('a bank that hides what is for somebody', async () => {
    const found = await find({ insert: 1, read: 2 }, ({ bank: { directory } }) => {
      directory.readersOf = () => Promise.resolve([]);
      return undefined;
    });
    expect(found).toMatch(PLACE);
    expect(found).toContain('entries shown');
  });

  it('a bank that goes on handing out under grants of an older epoch', async () => {
    loosened.epochs = true;
    const weights = { insert: 2, 'grant a part': 1, 'rotate parts': 1 };
    const found = await find(weights, () => () => void (loosened.epochs = false));
    expect(found).toMatch(PLACE);
    expect(found).toMatch(/entries shown|wraps and classes/);
  });

  it('a release that is in no chain of accesses', async () => {
    const found = await find({ insert: 1, 'break the glass': 2 }, () => {
      const { take } = Turn.prototype;
      Turn.prototype.take = function (accepted, ...how) {
        const logged = accepted.filter(({ signed }) => signed.entry.kind !== 'release');
        return take.call(this, logged, ...how);
      };
      return () => void (Turn.prototype.take = take);
    });
    expect(found).toMatch(PLACE);
    expect(found).toContain('accesses to');
  });

  it('an access that states another time than it was asked at', async () => {
    const found = await find({ read: 1, 'ask who has read': 1 }, () => {
      const { own } = Turn.prototype;
      Turn.prototype.own = function (recordId, stated) {
        return own.call(this, recordId, { ...stated, time: stated.time - 1 });
      };
      return () => void (Turn.prototype.own = own);
    });
    expect(found).toMatch(PLACE);
    expect(found).toContain('ask who has read');
  });

  it('a bank that serves who was revoked', async () => {
    const found = await find({ read: 2, 'another key instead': 1, revoke: 1 }, ({ bank: { directory } }) => {
      directory.checkStanding = () => Promise.resolve();
      return undefined;
    });
    expect(found).toMatch(PLACE);
    expect(found).toContain('the model "SESSION_PEER"');
  });

  it('a bank that lets strangers read', async () => {
    loosened.strangers = true;
    const found = await find({ insert: 1, read: 2 }, () => () => void (loosened.strangers = false));
    expect(found).toMatch(PLACE);
    expect(found).toMatch(/the bank says "(done|RECORD_RIGHT)", the model "FORBIDDEN"/);
  });

  it('a bank that writes into closed records', async () => {
    loosened.closed = true;
    const found = await find({ insert: 2, close: 1 }, () => () => void (loosened.closed = false));
    expect(found).toMatch(PLACE);
    expect(found).toContain('the bank says "done", the model "RECORD_RIGHT"');
  });
});
