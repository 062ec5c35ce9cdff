/** Who acts in a record: a whole life of it, what each statement demands, and how it is attacked. */

import { beforeAll, describe, expect, it } from 'vitest';
import {
  requestRecovery,
  signStatement,
  verifyAppointment,
  verifyRecoveryRequest,
  verifyStatement,
  type Identity,
} from '../../src/keys/index.ts';
import {
  AUTHORITY_STATEMENT_LIMIT,
  capacityOf,
  decodeAuthority,
  encodeAuthority,
  encodeAuthorityStatement,
  encodeStatement,
  FORMER_OWNERS_LIMIT,
  NO_AUTHORITY,
  PROXIES_LIMIT,
  readAuthorityStatement,
  STATEMENT,
  statementDigest,
  verifyChain,
  type Authority,
  type AuthoritySaid,
  type ChainItem,
  type ChainState,
  type Entry,
  type Run,
} from '../../src/record/index.ts';
import { innerHash } from '../../src/record/entry.ts';
import { yearsAfter } from '../../src/record/retention.ts';
import { tuple } from '../../src/wire/index.ts';
import { fuzz, FUZZ_TIMEOUT, mutants } from '../fuzz.ts';
import { refusal, refusalOf } from '../refusal.ts';
import { id, Life, people, type People } from './authority-fixture.ts';

let all: People;
beforeAll(async () => void (all = await people()));
const one = (name: string): Identity => {
  if (!Object.hasOwn(all, name)) throw new Error(name);
  return all[name as keyof People];
};
const FAR = 1.5e12; // fifteen years
const run = (first: number, last: number): Run => ({ first, last });

const proxy = (name: string, role: 'carer' | 'parent' | 'executor', until = FAR): AuthoritySaid => ({
  ...{ kind: 'proxy', proxy: id(one(name)), role, until },
});
const loss = (name: string, since: number): AuthoritySaid => ({ kind: 'loss', lost: id(one(name)), since });
const succession = (name: string): AuthoritySaid => ({ kind: 'succession', owner: id(one(name)) });
const end = (name: string): AuthoritySaid => ({ kind: 'end of proxy', proxy: id(one(name)) });

async function verified(
  life: Life,
  items: readonly ChainItem[],
  from: ChainState<Authority>,
): Promise<ChainState<Authority>> {
  const chain = verifyChain(items, life.rules, from);
  for (;;) {
    const step = await chain.next();
    if (step.done === true) return step.value;
  }
}

/** A record whose owner has guardians. */
async function guarded(): Promise<{ life: Life; appointment: Uint8Array }> {
  const life = await Life.created(all);
  const appointment = await life.appointed(one('owner'));
  await life.say(one('owner'), { kind: 'guardians', appointment });
  return { life, appointment };
}

it('lives a whole life, which verifies from the start and from wherever it was verified to', async () => {
  const life = await Life.created(all);
  const majority = life.now + 100_000;
  const capacity = (name: string): unknown => capacityOf(life.state, id(one(name)), life.now);
  // A child, for whom its mother acts until it comes of age.
  await life.say(one('admin'), proxy('mother', 'parent', majority));
  await life.write(one('mother'), 'grant');
  expect(capacity('mother')).toBe('parent');
  life.now = majority;
  expect(capacity('mother')).toBe(null);
  expect(await refusalOf(() => life.write(one('mother'), 'grant'))).toBe('RECORD_RIGHT');
  await life.write(one('owner'), 'grant');
  await life.say(one('admin'), end('mother'));
  // Guardians, new keys, and those lost.
  const appointment = await life.appointed(one('owner'));
  await life.say(one('owner'), { kind: 'guardians', appointment });
  await life.say(one('owner'), succession('second'));
  await life.say(one('second'), loss('second', life.now));
  expect(await refusalOf(() => life.write(one('second'), 'grant'))).toBe('RECORD_RIGHT');
  const by = [one('bob'), one('lea')];
  const from = { appointer: one('owner'), replaces: one('second'), by };
  await life.say(one('third'), await life.recovery(one('third'), appointment, from));
  expect(capacity('third')).toBe('owner');
  // Somebody cares for her; then she dies, and that ends.
  await life.say(one('third'), proxy('carer', 'carer'));
  await life.write(one('carer'), 'grant');
  await life.write(one('carer'), 'annotate');
  await life.write(one('doctor'), 'insert');
  const insert = life.items.length - 1;
  const died = life.now + 500;
  await life.say(one('admin'), { kind: 'closing', ground: 'death', at: died });
  for (const [name, kind] of [
    ['carer', 'grant'],
    ['third', 'grant'],
    ['doctor', 'insert'],
  ] as const)
    expect(await refusalOf(() => life.write(one(name), kind))).toBe('RECORD_RIGHT');
  await life.say(one('admin'), proxy('heir', 'executor'));
  await life.write(one('heir'), 'grant');
  await life.write(one('doctor'), 'amend');
  // Ten years after it was said, and not a millisecond before.
  const over = yearsAfter(life.state.closure!.stated, 10);
  expect(await refusalOf(() => life.erase(one('heir'), [insert], yearsAfter(died, 10)))).toBe(
    'RECORD_RETENTION',
  );
  expect(await refusalOf(() => life.erase(one('heir'), [insert], over - 1))).toBe('RECORD_RETENTION');
  await life.erase(one('heir'), [insert], over);

  const items = life.items.map((item, seq) => (seq === insert ? { ...item, payload: null } : item));
  for (const [seq, { head, state }] of life.states.entries()) {
    const kept = { head, state: decodeAuthority(encodeAuthority(state)) };
    expect(kept.state).toEqual(state);
    expect(await verified(life, items.slice(seq), kept)).toEqual(life.at);
  }
  // Kinds that say nothing about who acts may stay hidden.
  const hidden = items.map((item): ChainItem => {
    const { seq, prev, kind } = item.entry;
    return ['grant', 'insert', 'annotate', 'amend'].includes(kind)
      ? { seq, prev, inner: innerHash(item) }
      : item;
  });
  const end_ = await verified(life, hidden, life.states[0]!);
  expect({ ...end_.state, ownerWrote: 0 }).toEqual({ ...life.state, ownerWrote: 0 });
});

describe('a recovery', () => {
  const from = (by: readonly string[], more: object = {}) => ({
    ...{ appointer: one('owner'), replaces: one('owner'), by: by.map(one) },
    ...more,
  });
  const refused = async (life: Life, claimant: string, said: AuthoritySaid, time?: number): Promise<void> => {
    const before = life.at;
    expect(await refusalOf(() => life.say(one(claimant), said, time))).toBe('RECORD_RIGHT');
    expect(life.at).toBe(before);
  };

  it('needs enough guardians, each once, in time, and whole', async () => {
    const { life, appointment } = await guarded();
    const make = (by: readonly string[], more = {}) =>
      life.recovery(one('second'), appointment, from(by, more));
    const good = await make(['eva', 'bob']);
    const [eva, bob] = good.approvals;
    await refused(life, 'second', await make(['eva']));
    await refused(life, 'second', { ...good, approvals: [] });
    await refused(life, 'second', { ...good, approvals: [eva!, eva!] });
    await refused(life, 'second', { ...good, approvals: [eva!, { ...bob!, signed: eva!.signed }] });
    await refused(life, 'second', { ...good, approvals: [eva!, { ...bob!, guardian: id(one('lea')) }] });
    await refused(life, 'second', { ...good, approvals: [eva!, bob!, eva!] });
    const forged = await signStatement(one('mallory'), verifyStatement(bob!.signed, one('bob').credential));
    await refused(life, 'second', {
      ...good,
      approvals: [eva!, { guardian: id(one('mallory')), signed: forged }],
    });
    const short = await make(['eva', 'bob'], { until: life.now + 10 });
    await refused(life, 'second', short, life.now + 11);
    await life.say(one('second'), short, life.now + 10);
    expect(life.state.owner).toEqual(id(one('second')));
  });

  it('is for one Id, one request, one record and one owner’s key, and never twice', async () => {
    const { life, appointment } = await guarded();
    const good = await life.recovery(one('second'), appointment, from(['eva', 'bob']));
    await refused(life, 'third', good);
    await refused(life, 'mallory', good);
    const other = await life.recovery(one('second'), appointment, from([], { until: life.now + 5000 }));
    await refused(life, 'second', { ...good, request: other.request });
    const elsewhere = await Life.created(all, new Uint8Array(16).fill(4));
    const theirs = await elsewhere.appointed(one('owner'));
    await elsewhere.say(one('owner'), { kind: 'guardians', appointment: theirs });
    await refused(elsewhere, 'second', good);
    await refused(elsewhere, 'second', { ...good, appointment: theirs });
    // A request for another record, whatever its appointment says.
    const previous = verifyAppointment(appointment, one('owner').credential);
    const astray = { ...previous, recordId: elsewhere.recordId };
    const request = await requestRecovery(one('second'), {
      ...{ appointment: astray, owner: id(one('owner')) },
      ...{ since: life.state.since, until: life.now + 1e6 },
    });
    const asked = verifyRecoveryRequest(request, one('second').credential);
    const approvals = [];
    for (const name of ['eva', 'bob']) {
      const body = tuple('recovery approval', asked.digest, new Uint8Array(1), new Uint8Array(1));
      approvals.push({ guardian: id(one(name)), signed: await signStatement(one(name), body) });
    }
    await refused(life, 'second', { kind: 'recovery', appointment, request, approvals });
    await life.say(one('second'), good);
    await refused(life, 'second', good);
    // The next loss needs approvals of its own: these name an Id that is the owner's no more.
    await refused(life, 'third', await life.recovery(one('third'), appointment, from(['eva', 'bob'])));
    const again = from(['eva', 'lea'], { replaces: one('second') });
    await life.say(one('third'), await life.recovery(one('third'), appointment, again));
  });

  it('goes by the newest guardians, and not by one whose key is lost', async () => {
    const { life, appointment } = await guarded();
    const previous = verifyAppointment(appointment, one('owner').credential);
    const next = await life.appointed(one('owner'), { previous });
    await life.say(one('owner'), { kind: 'guardians', appointment: next });
    await refused(life, 'second', await life.recovery(one('second'), appointment, from(['eva', 'bob'])));
    await life.say(one('admin'), loss('bob', 0));
    await refused(life, 'second', await life.recovery(one('second'), next, from(['eva', 'bob'])));
    await life.say(one('second'), await life.recovery(one('second'), next, from(['eva', 'lea'])));
  });

  it('is none where no guardians are', async () => {
    const life = await Life.created(all);
    const appointment = await life.appointed(one('owner'));
    await refused(life, 'second', await life.recovery(one('second'), appointment, from(['eva', 'bob'])));
  });
});

describe('the administrator alone', () => {
  it('takes no record over', async () => {
    const { life } = await guarded();
    const admin = one('admin');
    // It gives itself a credential of the owner's name, and with that appoints guardians and has them approve.
    const own = await life.appointed(one('third'));
    const forged = await life.recovery(one('second'), own, {
      ...{ appointer: one('third'), replaces: one('owner'), by: [one('eva'), one('bob')] },
    });
    for (const [author, said] of [
      ['admin', succession('third')],
      ['third', succession('third')],
      ['third', { kind: 'guardians', appointment: own }],
      ['second', forged],
      ['admin', proxy('mallory', 'carer')],
      ['admin', proxy('mallory', 'executor')],
      // The owner has written already: it is no child for whom nobody spoke yet.
      ['admin', proxy('mallory', 'parent')],
      ['admin', proxy('admin', 'parent')],
      // After what the owner wrote, and in the future.
      ['admin', { kind: 'closing', ground: 'death', at: life.now - 1 }],
      ['admin', { kind: 'closing', ground: 'death', at: life.now + 5000 }],
    ] as const)
      expect(await refusalOf(() => life.say(one(author), said))).toBe('RECORD_RIGHT');
    expect(await refusalOf(() => life.write(admin, 'grant'))).toBe('RECORD_RIGHT');
  });
});

describe('an owner’s key', () => {
  it('does nothing more once the owner took leave of it, or it is lost', async () => {
    const life = await Life.created(all);
    await life.say(one('owner'), succession('second'));
    // An Id that neither owns nor acts for the owner is not the owner's to call lost.
    expect(await refusalOf(() => life.say(one('second'), loss('third', 0)))).toBe('RECORD_RIGHT');
    for (const said of [succession('third'), proxy('mallory', 'carer'), loss('second', 0)])
      expect(await refusalOf(() => life.say(one('owner'), said))).toBe('RECORD_RIGHT');
    for (const kind of ['grant', 'annotate'] as const)
      expect(await refusalOf(() => life.write(one('owner'), kind))).toBe('RECORD_RIGHT');
    for (const name of ['owner', 'second', 'mallory'])
      expect(await refusalOf(() => life.say(one('second'), succession(name)))).toBe('RECORD_RIGHT');
    await life.say(one('admin'), loss('third', 500));
    expect(await refusalOf(() => life.say(one('second'), succession('third')))).toBe('RECORD_RIGHT');
  });

  it('is lost since the earliest time that was said', async () => {
    const life = await Life.created(all);
    for (const since of [700, 500, 900]) await life.say(one('admin'), loss('mallory', since));
    expect(life.state.losses).toEqual([{ id: id(one('mallory')), since: 500 }]);
    const future = loss('mallory', life.now + 5000);
    expect(await refusalOf(() => life.say(one('admin'), future))).toBe('RECORD_RIGHT');
    expect(await refusalOf(() => life.say(one('eva'), loss('eva', 0)))).toBe('RECORD_RIGHT');
  });
});

describe('guardians', () => {
  it('are known, of different people, and neither administrator nor bank', async () => {
    const { life, appointment } = await guarded();
    const previous = verifyAppointment(appointment, one('owner').credential);
    const appoint = async (owner: string, changes: object): Promise<unknown> =>
      refusalOf(async () =>
        life.say(one(owner), {
          kind: 'guardians',
          appointment: await life.appointed(one(owner), { previous, ...changes }),
        }),
      );
    const with_ = (name: string) => ({ guardians: [one('eva').credential, one(name).credential] });
    for (const name of ['admin', 'bank']) expect(await appoint('owner', with_(name))).toBe('RECORD_RIGHT');
    const unknown = { ...one('bob').credential, id: new Uint8Array(32).fill(9) };
    expect(await appoint('owner', { guardians: [one('eva').credential, unknown] })).toBe('RECORD_RIGHT');
    const twice = { ...one('lea2').credential, subject: 'another' };
    expect(await appoint('owner', { guardians: [one('lea').credential, twice] })).toBe('RECORD_RIGHT');
    const self = { ...one('third').credential, subject: 'another' };
    expect(await appoint('owner', { guardians: [one('lea').credential, self] })).toBe('RECORD_RIGHT');
    expect(await appoint('mallory', {})).toBe('RECORD_RIGHT');
    expect(await appoint('owner', { previous: null })).toBe('RECORD_RIGHT');
    const elsewhere = {
      previous: { ...previous, recordId: new Uint8Array(16) },
      recordId: new Uint8Array(16),
    };
    expect(await appoint('owner', elsewhere)).toBe('RECORD_RIGHT');
    const skipped = { previous: { ...previous, number: 1 } };
    expect(await appoint('owner', skipped)).toBe('RECORD_RIGHT');
    const forked = { previous: { ...previous, digest: new Uint8Array(32).fill(1) } };
    expect(await appoint('owner', forked)).toBe('RECORD_RIGHT');
    await life.say(one('owner'), {
      kind: 'guardians',
      appointment: await life.appointed(one('owner'), { previous }),
    });
  });
});

describe('a proxy', () => {
  it('acts from its appointment to its end, and names nobody', async () => {
    const life = await Life.created(all);
    const until = life.now + 10_000;
    expect(await refusalOf(() => life.say(one('carer'), proxy('carer', 'carer')))).toBe('RECORD_RIGHT');
    for (const name of ['admin', 'bank', 'third'])
      expect(await refusalOf(() => life.say(one('owner'), proxy(name, 'carer')))).toBe('RECORD_RIGHT');
    await life.say(one('owner'), proxy('carer', 'carer', until));
    const appointed = life.now;
    expect(await refusalOf(() => life.write(one('carer'), 'grant', undefined, appointed - 1))).toBe(
      'RECORD_RIGHT',
    );
    expect(await refusalOf(() => life.write(one('carer'), 'grant', undefined, until))).toBe('RECORD_RIGHT');
    await life.write(one('carer'), 'grant', undefined, until - 1);
    life.now = appointed;
    const appointment = await life.appointed(one('carer'));
    for (const said of [
      proxy('mallory', 'carer'),
      succession('third'),
      { kind: 'guardians', appointment } as const,
    ])
      expect(await refusalOf(() => life.say(one('carer'), said))).toBe('RECORD_RIGHT');
    for (const name of ['admin', 'mallory'])
      expect(await refusalOf(() => life.say(one(name), end('carer')))).toBe('RECORD_RIGHT');
    await life.say(one('owner'), end('carer'));
    expect(await refusalOf(() => life.write(one('carer'), 'grant'))).toBe('RECORD_RIGHT');
    await life.say(one('owner'), proxy('carer', 'carer'));
    await life.say(one('carer'), end('carer'));
    expect(await refusalOf(() => life.say(one('carer'), end('carer')))).toBe('RECORD_RIGHT');
  });

  it('calls no key lost but its own: it would be rid of whom it acts for', async () => {
    const life = await Life.created(all);
    for (const name of ['carer', 'eva', 'bob']) await life.say(one('owner'), proxy(name, 'carer'));
    for (const [author, lost] of [
      ['carer', 'owner'],
      ['carer', 'eva'],
      ['mallory', 'owner'],
      ['mallory', 'mallory'],
    ] as const)
      expect(await refusalOf(() => life.say(one(author), loss(lost, 0)))).toBe('RECORD_RIGHT');
    await life.say(one('owner'), loss('eva', 0));
    await life.say(one('carer'), loss('carer', 0));
    expect(life.state.proxies.map((one_) => one_.id)).toEqual([id(one('bob'))]);
    for (const name of ['eva', 'carer'])
      expect(await refusalOf(() => life.write(one(name), 'grant'))).toBe('RECORD_RIGHT');
    await life.write(one('owner'), 'grant');
  });

  it('that is a parent ends when the child comes of age, whoever the parent is', async () => {
    const life = await Life.created(all);
    const majority = life.now + 50_000;
    await life.say(one('admin'), proxy('mother', 'parent', majority));
    expect(await refusalOf(() => life.say(one('owner'), end('mother')))).toBe('RECORD_RIGHT');
    await life.write(one('owner'), 'annotate');
    const later = proxy('eva', 'parent', majority + 1);
    expect(await refusalOf(() => life.say(one('admin'), later))).toBe('RECORD_RIGHT');
    await life.say(one('admin'), proxy('eva', 'parent', majority));
    const asCarer = proxy('eva', 'carer', majority);
    expect(await refusalOf(() => life.say(one('owner'), asCarer))).toBe('RECORD_RIGHT');
    const after = proxy('eva', 'parent', majority);
    expect(await refusalOf(() => life.say(one('admin'), after, majority))).toBe('RECORD_RIGHT');
    await life.say(one('admin'), { kind: 'closing', ground: 'death', at: life.now });
    expect(await refusalOf(() => life.say(one('admin'), after))).toBe('RECORD_RIGHT');
  });

  it('is one of so many at once, those not counted whose time is over', async () => {
    const life = await Life.created(all);
    const { head, state } = life.at;
    const fill = (until: number): Authority['proxies'] =>
      Array.from({ length: PROXIES_LIMIT }, () => ({
        ...{ id: new Uint8Array(32), role: 'carer', from: 0, until },
      }));
    life.states.push({ head, state: { ...state, proxies: fill(FAR) } });
    expect(await refusalOf(() => life.say(one('owner'), proxy('carer', 'carer')))).toBe('RECORD_RIGHT');
    life.states.push({ head, state: { ...state, proxies: fill(life.now) } });
    await life.say(one('owner'), proxy('carer', 'carer'));
    expect(life.state.proxies).toHaveLength(1);
  });
});

it('has an end of owners', async () => {
  const life = await Life.created(all);
  const formerOwners = Array.from({ length: FORMER_OWNERS_LIMIT }, () => new Uint8Array(32));
  life.states.push({ head: life.at.head, state: { ...life.state, formerOwners } });
  expect(await refusalOf(() => life.say(one('owner'), succession('second')))).toBe('RECORD_RIGHT');
});

describe('a closing', () => {
  it('that was wrong is taken back by the owner, and its executor with it', async () => {
    const life = await Life.created(all);
    await life.say(one('admin'), { kind: 'closing', ground: 'death', at: life.now });
    await life.say(one('admin'), proxy('mallory', 'executor'));
    const again = { kind: 'closing', ground: 'death', at: life.now } as const;
    expect(await refusalOf(() => life.say(one('admin'), again))).toBe('RECORD_RIGHT');
    expect(await refusalOf(() => life.say(one('mallory'), { kind: 'reopening' }))).toBe('RECORD_RIGHT');
    await life.say(one('owner'), { kind: 'reopening' });
    expect(await refusalOf(() => life.write(one('mallory'), 'grant'))).toBe('RECORD_RIGHT');
    expect(await refusalOf(() => life.say(one('owner'), { kind: 'reopening' }))).toBe('RECORD_RIGHT');
    const before = { kind: 'closing', ground: 'death', at: life.now - 1 } as const;
    expect(await refusalOf(() => life.say(one('admin'), before))).toBe('RECORD_RIGHT');
    await life.write(one('doctor'), 'insert');
  });

  it('for a move leaves the owner its grants, and a death may follow it', async () => {
    const life = await Life.created(all);
    const moved = { kind: 'closing', ground: 'moved', at: life.now } as const;
    for (const name of ['owner', 'doctor'])
      expect(await refusalOf(() => life.say(one(name), moved))).toBe('RECORD_RIGHT');
    await life.say(one('admin'), moved);
    await life.write(one('owner'), 'revoke');
    expect(await refusalOf(() => life.write(one('doctor'), 'insert'))).toBe('RECORD_RIGHT');
    expect(await refusalOf(() => life.say(one('admin'), moved))).toBe('RECORD_RIGHT');
    await life.say(one('admin'), { kind: 'closing', ground: 'death', at: life.now });
    expect(life.state.closure?.ground).toBe('death');
  });
});

it('erases no creation and no statement that others are judged by, and goes by its own rule', async () => {
  const life = await Life.created(all);
  await life.write(one('doctor'), 'insert');
  await life.say(one('owner'), succession('second'));
  const late = yearsAfter(life.now, 30);
  expect(await refusalOf(() => life.erase(one('admin'), [1], late))).toBe('RECORD_RETENTION');
  await life.say(one('admin'), { kind: 'closing', ground: 'death', at: life.now });
  expect(await refusalOf(() => life.erase(one('admin'), [0], late))).toBe('RECORD_PAYLOAD');
  for (const seqs of [[2], [1, 3]])
    expect(await refusalOf(() => life.erase(one('admin'), seqs, late))).toBe('RECORD_RIGHT');
  for (const name of ['second', 'doctor'])
    expect(await refusalOf(() => life.erase(one(name), [1], late))).toBe('RECORD_RIGHT');
  for (const changes of [{ ruleVersion: 'another' }, { ground: 'order' }, { ground: 'request' }])
    expect(await refusalOf(() => life.erase(one('admin'), [1], late, changes))).toBe('RECORD_RETENTION');
  await life.erase(one('admin'), [1], late);
  expect(await refusalOf(() => life.erase(one('admin'), [4], late))).toBe('RECORD_RIGHT');
});

it('misses a statement that is not shown, at the next one that is', async () => {
  const { life } = await guarded();
  await life.say(one('owner'), succession('second'));
  const [creation, hidden, shown] = life.items;
  const { seq, prev } = hidden!.entry;
  const run = (items: readonly ChainItem[]) => () => verified(life, items, life.states[0]!);
  expect(await refusalOf(run([creation!, { seq, prev, inner: innerHash(hidden!) }, shown!]))).toBe(
    'RECORD_RIGHT',
  );
  expect(await refusalOf(run([creation!, { ...hidden!, payload: null }]))).toBe('RECORD_PAYLOAD');
  expect(await refusalOf(run([{ ...creation!, payload: null }]))).toBe('RECORD_PAYLOAD');
});

it('begins with a creation, which stands once', async () => {
  const life = new Life(all);
  expect(await refusalOf(() => life.write(one('doctor'), 'insert'))).toBe('RECORD_RIGHT');
  const created = await Life.created(all);
  expect(await refusalOf(() => created.write(one('doctor'), 'create'))).toBe('RECORD_RIGHT');
});

describe('readers', () => {
  const bytes = new Uint8Array(32).fill(1);
  const said: readonly AuthoritySaid[] = [
    { kind: 'succession', owner: bytes },
    { kind: 'guardians', appointment: bytes },
    {
      ...{ kind: 'recovery', appointment: bytes, request: bytes },
      approvals: [{ guardian: bytes, signed: bytes }],
    },
    { kind: 'proxy', proxy: bytes, role: 'parent', until: 7 },
    { kind: 'end of proxy', proxy: bytes },
    { kind: 'loss', lost: bytes, since: 7 },
    { kind: 'closing', ground: 'moved', at: 7 },
    { kind: 'reopening' },
  ];
  const entryOf = (payload: Uint8Array, kind: Entry['kind']): Entry =>
    ({ chain: 'content', kind, payloadType: STATEMENT, payloadDigest: statementDigest(payload) }) as Entry;

  it.each(said)('read back $kind, and from the right kind of entry only', (one_) => {
    const statement = { ...one_, number: 5 };
    const payload = encodeStatement(encodeAuthorityStatement(statement));
    const closes = ['closing', 'reopening'].includes(one_.kind);
    expect(readAuthorityStatement(entryOf(payload, closes ? 'close' : 'key'), payload)).toEqual(statement);
    const wrong = entryOf(payload, closes ? 'key' : 'close');
    expect(refusal(() => readAuthorityStatement(wrong, payload))).toBe('RECORD_PAYLOAD');
  });

  it('take no endless statement', () => {
    const appointment = new Uint8Array(AUTHORITY_STATEMENT_LIMIT);
    const payload = encodeStatement(encodeAuthorityStatement({ kind: 'guardians', number: 0, appointment }));
    expect(refusal(() => readAuthorityStatement(entryOf(payload, 'key'), payload))).toBe('RECORD_PAYLOAD');
  });

  it('break over nothing', { timeout: FUZZ_TIMEOUT }, async () => {
    const payloads = said.map((one_) => encodeStatement(encodeAuthorityStatement({ ...one_, number: 5 })));
    const read = (payload: Uint8Array) => readAuthorityStatement(entryOf(payload, 'key'), payload);
    await fuzz(mutants(payloads), ['RECORD_PAYLOAD'], read);
    const full: Authority = {
      ...{ owner: bytes, subject: 'Ana', formerOwners: [bytes], since: bytes, number: 3 },
      ...{ statements: [run(1, 4), run(6, 6)], latest: 8 },
      ...{ ownerWrote: 5, majority: 9, closure: { ground: 'death', at: 6, stated: 7 } },
      proxies: [{ id: bytes, role: 'executor', from: 1, until: 2 }],
      losses: [{ id: bytes, since: 4 }],
      appointment: { digest: bytes, number: 0, owner: bytes },
    };
    const samples = [full, NO_AUTHORITY].map(encodeAuthority);
    await fuzz(mutants(samples), ['WIRE_TUPLE', 'WIRE_LIMIT', 'WIRE_UTF8'], (encoded) => {
      expect(encodeAuthority(decodeAuthority(encoded))).toEqual(encoded);
    });
    for (const statements of [
      [run(6, 1)],
      [run(4, 4), run(4, 4)],
      [run(6, 6), run(1, 1)],
      [run(1, 2), run(3, 3)],
    ])
      expect(refusal(() => decodeAuthority(encodeAuthority({ ...full, statements })))).toBe('WIRE_TUPLE');
  });
});
