/** How a record is taken over, filled up, put back in time or emptied before its time, and why it is not. */

import { beforeAll, describe, expect, it } from 'vitest';
import { verifyAppointment, type Credential, type Identity } from '../../src/keys/index.ts';
import {
  appendEntry,
  capacityOf,
  CLOCK_TOLERANCE,
  holdingOf,
  LOSSES_LIMIT,
  NO_AUTHORITY,
  OWN_LOSSES_LIMIT,
  recordRule,
  RUNS_LIMIT,
  startOf,
  TEN_YEARS_AFTER_DEATH,
  verifyChain,
  type AuthoritySaid,
  type ChainRules,
} from '../../src/record/index.ts';
import { yearsAfter } from '../../src/record/retention.ts';
import { holdsPosition, withPosition, type Run } from '../../src/record/runs.ts';
import { equalBytes } from '../../src/wire/index.ts';
import { refusal, refusalOf } from '../refusal.ts';
import { id, Life, people, type People } from './authority-fixture.ts';

let all: People;
beforeAll(async () => void (all = await people()));

const YEAR = 31_557_600_000;
const proxy = (who: Identity, role: 'carer' | 'parent' | 'executor', until: number): AuthoritySaid => ({
  ...{ kind: 'proxy', proxy: id(who), role, until },
});
const loss = (lost: Uint8Array, since = 0): AuthoritySaid => ({ kind: 'loss', lost, since });
const death = (at: number): AuthoritySaid => ({ kind: 'closing', ground: 'death', at });
const refused = async (run: () => Promise<unknown>): Promise<void> =>
  expect(await refusalOf(run)).toBe('RECORD_RIGHT');

async function guarded(): Promise<{ life: Life; appointment: Uint8Array }> {
  const life = await Life.created(all);
  const appointment = await life.appointed(all.owner);
  await life.say(all.owner, { kind: 'guardians', appointment });
  return { life, appointment };
}
const from = (more: object = {}) => ({
  ...{ appointer: all.owner, replaces: all.owner, by: [all.eva, all.bob], ...more },
});

describe('a recovery', () => {
  it('is of the record as it stood for the guardians, and not as it stood before', async () => {
    const { life, appointment } = await guarded();
    const before = life.states[1]!.state.since;
    await refused(async () =>
      life.say(all.second, await life.recovery(all.second, appointment, from({ since: before }))),
    );
    // Nothing but a new owner or new guardians makes an approval void: nobody spoils it by writing.
    const good = await life.recovery(all.second, appointment, from());
    await life.say(all.admin, loss(id(all.owner), life.now));
    await life.write(all.doctor, 'insert');
    await life.say(all.second, good);
    expect(life.state.since).toEqual(life.at.head.hash);
  });

  it('is not by an older key of the owner’s than the present one', async () => {
    const { life, appointment } = await guarded();
    const good = await life.recovery(all.old, appointment, {
      ...from(),
      replaces: { ...all.owner, credential: { ...all.owner.credential, notBefore: 0 } },
    });
    await refused(() => life.say(all.old, good));
  });

  it('is not by approvals that were kept: 30 days, whatever time is claimed', async () => {
    const { life, appointment } = await guarded();
    const until = life.now + 30 * 86_400_000 + 5000;
    const kept = await life.recovery(all.second, appointment, from({ until }));
    await refused(() => life.say(all.second, kept, until + 1));
    await refused(() => life.say(all.second, kept, life.now + 4999));
    await life.say(all.admin, loss(id(all.mallory)), until + 1);
    await refused(() => life.say(all.second, kept, until));
  });

  it('holds for guardians what the chain says, or nothing', async () => {
    const { life, appointment } = await guarded();
    const known = (wanted: Uint8Array): Credential | null =>
      Object.values(all).find((one) => equalBytes(id(one), wanted))?.credential ?? null;
    await life.say(all.admin, loss(id(all.lea)));
    const holding = holdingOf(life.state, known);
    expect(holding).toEqual({
      owner: all.owner.credential,
      appointment: verifyAppointment(appointment, all.owner.credential).digest,
      since: life.states[2]!.head.hash,
      spent: [id(all.lea)],
    });
    expect(refusal(() => holdingOf(NO_AUTHORITY, known))).toBe('RECORD_RIGHT');
    expect(refusal(() => holdingOf(life.state, () => null))).toBe('RECORD_RIGHT');
    expect(refusal(() => holdingOf(life.states[1]!.state, known))).toBe('RECORD_RIGHT');
  });
});

describe('a key in doubt', () => {
  /** The rules of a verifier for whom one key is in doubt. */
  const doubting = (life: Life, doubted: Identity): ChainRules<Life['state']> => {
    const authors: ChainRules<Life['state']>['authors'] = (wanted, entry) => {
      const found = life.rules.authors(wanted, entry);
      return found !== null && equalBytes(wanted, id(doubted)) ? { ...found, standing: 'doubtful' } : found;
    };
    const known = (wanted: Uint8Array): Credential | null =>
      life.rules.authors(wanted, life.items[0]!.entry)?.credential ?? null;
    const rule = recordRule({
      ...{ mayWrite: () => true, retention: TEN_YEARS_AFTER_DEATH, now: () => 9e12, authors, known },
    });
    return { ...life.rules, authors, rule };
  };

  it('is named in nothing new, and breaks nothing that stands', async () => {
    const { life, appointment } = await guarded();
    const good = await life.recovery(all.second, appointment, from());
    const until = life.now + YEAR;
    for (const [author, said, doubted] of [
      [all.second, good, all.bob],
      [all.owner, proxy(all.carer, 'carer', until), all.carer],
      [all.owner, { kind: 'succession', owner: id(all.second) }, all.second],
    ] as const) {
      const at = life.at;
      await life.say(author, said);
      const item = life.items.pop()!;
      life.states.pop();
      const rules = doubting(life, doubted);
      expect(refusal(() => appendEntry(item, rules, at))).toBe('RECORD_RIGHT');
      const items = [...life.items, item];
      for await (const one of verifyChain(items, rules, startOf(rules.rule))) expect(one).toBeDefined();
    }
    const next = await life.appointed(all.owner, {
      previous: verifyAppointment(appointment, all.owner.credential),
    });
    const at = life.at;
    await life.say(all.owner, { kind: 'guardians', appointment: next });
    expect(refusal(() => appendEntry(life.items.at(-1)!, doubting(life, all.lea), at))).toBe('RECORD_RIGHT');
  });
});

describe('guardians', () => {
  it('are as many people as keys', async () => {
    const life = await Life.created(all);
    // The same keys under another name.
    const guardians = [all.eva.credential, all.eva2.credential];
    const appointment = await life.appointed(all.owner, { guardians });
    await refused(() => life.say(all.owner, { kind: 'guardians', appointment }));
  });
});

describe('time', () => {
  it('never goes back from one statement to the next', async () => {
    const life = await Life.created(all);
    const created = life.now;
    await refused(() => life.say(all.admin, loss(id(all.mallory)), created - 1));
    await life.say(all.admin, loss(id(all.mallory)), created);
    await life.say(all.admin, loss(id(all.bob)), created + 500);
    await refused(() => life.say(all.admin, loss(id(all.eva)), created + 499));
  });

  it('that is over for a proxy does not come back with an earlier date', async () => {
    const life = await Life.created(all);
    const until = life.now + 10_000;
    await life.say(all.admin, proxy(all.mother, 'parent', until));
    await life.write(all.mother, 'grant', undefined, until - 1);
    // She is of age, and the record has seen it: by what she wrote, or by any statement.
    await life.write(all.owner, 'annotate', undefined, until);
    await refused(() => life.write(all.mother, 'grant', undefined, until - 1));
    expect(capacityOf(life.state, id(all.mother), until - 1)).toBe(null);
    await life.say(all.owner, proxy(all.carer, 'carer', until + 2000));
    await life.say(all.admin, loss(id(all.mallory)), until + 2500);
    await refused(() => life.write(all.carer, 'grant', undefined, until + 1500));
  });

  it('that has not come yet is claimed by nobody', async () => {
    const life = await Life.created(all);
    const now = life.now;
    life.clock = () => now;
    await refused(() => life.write(all.owner, 'grant', undefined, now + CLOCK_TOLERANCE + 1));
    await life.write(all.owner, 'grant', undefined, now + CLOCK_TOLERANCE);
    life.clock = () => NaN;
    await refused(() => life.write(all.owner, 'grant', undefined, now));
  });
});

describe('nothing is destroyed early', () => {
  it('by a death that is dated back', async () => {
    const life = await Life.created(all);
    await life.write(all.doctor, 'insert');
    // The owner never wrote, so that no date contradicts anything it did.
    await life.say(all.admin, death(0));
    const stated = life.now;
    const early = yearsAfter(stated, 10) - 1;
    expect(await refusalOf(() => life.erase(all.admin, [1]))).toBe('RECORD_RETENTION');
    expect(await refusalOf(() => life.erase(all.admin, [1], early))).toBe('RECORD_RETENTION');
    // Saying it anew begins the term anew.
    await life.say(all.admin, { kind: 'reopening' });
    await life.say(all.admin, death(0), stated + YEAR);
    expect(await refusalOf(() => life.erase(all.admin, [1], early + 1))).toBe('RECORD_RETENTION');
    await life.erase(all.admin, [1], yearsAfter(stated + YEAR, 10));
  });

  it('by an entry that is dated ahead', async () => {
    const life = await Life.created(all);
    await life.write(all.doctor, 'insert');
    await life.say(all.admin, death(life.now));
    const over = yearsAfter(life.now, 10);
    life.clock = () => over - 1;
    // Within the tolerance of clocks, and yet not over.
    expect(await refusalOf(() => life.erase(all.admin, [1], over))).toBe('RECORD_RETENTION');
    life.clock = () => over;
    await life.erase(all.admin, [1], over);
  });
});

describe('a record is never full', () => {
  it('of erasures and statements: the owner still comes back', async () => {
    const { life, appointment } = await guarded();
    let runs: readonly Run[] = [];
    for (let i = 0; i < RUNS_LIMIT; i++) runs = withPosition(runs, 3 * i);
    expect(runs).toHaveLength(RUNS_LIMIT);
    const head = { size: 5000, hash: life.at.head.hash };
    life.states.push({ head, state: { ...life.state, statements: runs } });
    await life.say(all.second, await life.recovery(all.second, appointment, from()));
    expect(life.state.owner).toEqual(id(all.second));
    expect(life.state.statements).toHaveLength(RUNS_LIMIT);
    expect(holdsPosition(life.state.statements, 5000)).toBe(true);
  });

  it('of lost keys: an owner’s loss is always taken, and a thief leaves room', async () => {
    const { life, appointment } = await guarded();
    const { head, state } = life.at;
    const losses = (count: number): Life['state']['losses'] =>
      Array.from({ length: count }, (_, i) => ({ id: new Uint8Array(32).fill(i + 1), since: 0 }));
    const carer = { id: id(all.carer), role: 'carer', from: 0, until: 9e12 } as const;
    life.states.push({ head, state: { ...state, proxies: [carer], losses: losses(OWN_LOSSES_LIMIT) } });
    await refused(() => life.say(all.owner, loss(id(all.carer))));
    await life.say(all.admin, loss(id(all.carer)));
    life.states.push({ head, state: { ...state, losses: losses(LOSSES_LIMIT) } });
    await refused(() => life.say(all.admin, loss(id(all.mallory))));
    life.items.splice(2);
    await life.say(all.admin, loss(id(all.owner)));
    await life.say(all.second, await life.recovery(all.second, appointment, from()));
    await life.say(all.second, loss(id(all.second)));
    expect(life.state.losses).toHaveLength(LOSSES_LIMIT + 2);
  });
});

it('lets nobody be a parent for more than a childhood', async () => {
  const life = await Life.created(all);
  const most = yearsAfter(life.now + 1000, 21);
  await refused(() => life.say(all.admin, proxy(all.mother, 'parent', most + 1)));
  await life.say(all.admin, proxy(all.mother, 'parent', most));
});

it('hides no defect of the rules that were given', async () => {
  const life = await Life.created(all);
  const rule = recordRule({
    ...{ mayWrite: () => true, retention: TEN_YEARS_AFTER_DEATH, now: () => 9e12, known: () => null },
    authors: (wanted, entry) => {
      if (equalBytes(wanted, id(all.second))) throw new TypeError('a defect');
      return life.rules.authors(wanted, entry);
    },
  });
  await life.say(all.owner, { kind: 'succession', owner: id(all.second) });
  const run = () => appendEntry(life.items[1]!, { ...life.rules, rule }, life.states[1]!);
  expect(run).toThrow(TypeError);
});

describe('runs of positions', () => {
  it('join where they touch, and where they lie nearest once there are too many', () => {
    let runs: readonly Run[] = [];
    for (const seq of [1, 2, 4, 5, 9]) runs = withPosition(runs, seq);
    expect(runs).toEqual([
      { first: 1, last: 2 },
      { first: 4, last: 5 },
      { first: 9, last: 9 },
    ]);
    for (const [seq, held] of [
      [0, false],
      [1, true],
      [2, true],
      [3, false],
      [9, true],
      [10, false],
    ] as const)
      expect(holdsPosition(runs, seq)).toBe(held);
    // Gaps of 3 but one of 2, and as many as there may be.
    runs = [];
    const seqs = Array.from({ length: RUNS_LIMIT }, (_, i) => (i < 100 ? 3 * i : 3 * i - 1));
    for (const seq of seqs) runs = withPosition(runs, seq);
    expect(runs).toHaveLength(RUNS_LIMIT);
    runs = withPosition(runs, 10_000);
    expect(runs).toHaveLength(RUNS_LIMIT);
    expect(runs[99]).toEqual({ first: 297, last: 299 });
    // Of gaps that are as small, the first.
    runs = withPosition(runs, 20_000);
    expect(runs[0]).toEqual({ first: 0, last: 3 });
    for (const seq of [...seqs, 10_000, 20_000]) expect(holdsPosition(runs, seq)).toBe(true);
  });
});
