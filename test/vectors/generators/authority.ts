/** Vectors of spec/authority.md: lives of records, and what is refused in them; guardians, approvals, recoveries; terms. */

import { splitSecret } from '../../../src/crypto/index.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import {
  appointGuardians,
  approveRecovery,
  createRoot,
  exposeSecret,
  RECOVERY_TERM,
  requestRecovery,
  signStatement,
  verifyAppointment,
  verifyApproval,
  verifyRecoveryRequest,
  verifyStatement,
  type Appointment,
  type Credential,
  type Holding,
  type Identity,
  type SoftwareDecapsulator,
  type SoftwareKeys,
} from '../../../src/keys/index.ts';
import {
  CLOCK_TOLERANCE,
  encodeAuthority,
  encodeAuthorityStatement,
  encodeCreation,
  encodeSignedEntry,
  TEN_YEARS_AFTER_DEATH,
  type AuthoritySaid,
  type EntryKind,
  type ErasureGround,
  type ShownEntry,
  type Statement,
} from '../../../src/record/index.ts';
import { yearsAfter } from '../../../src/record/retention.ts';
import { tuple } from '../../../src/wire/index.ts';
import { flipped } from '../../mutation.ts';
import { id, Life, NOTE, people, type People } from '../../record/authority-fixture.ts';
import type { VectorCase, VectorFile } from '../file.ts';
import { hex } from '../hex.ts';
import { recordedRandom, seededRandom } from './seed.ts';

/** An entry as it is handed out; `payload` is null where it is not shown. */
export interface ShownJson {
  readonly entry: string;
  readonly payload: string | null;
}
/** How a record stands for a guardian. */
export interface HoldingJson {
  readonly owner: string;
  readonly appointment: string;
  readonly since: string;
  readonly spent: readonly string[];
}
export type PartyJson = Record<
  'kem' | 'algorithm' | 'signingSecret' | 'handshakeSecret' | 'sealingSecret' | 'credential',
  string | number
>;

export type AuthorityCase = VectorCase &
  (
    | {
        readonly operation: 'life';
        readonly origin: string;
        readonly recordId: string;
        /** The anchor's first. */
        readonly credentials: readonly string[];
        readonly now: number;
        /** With what a verifier keeps after each. */
        readonly entries: readonly (ShownJson & { readonly authority: string })[];
      }
    | ({
        readonly operation: 'refused';
        readonly life: string;
        /** How many entries of that life stand before it. */
        readonly after: number;
        readonly now: number;
      } & ShownJson)
    | {
        readonly operation: 'appoint';
        readonly owner: PartyJson;
        readonly root: string;
        readonly recordId: string;
        readonly threshold: number;
        readonly guardians: readonly string[];
        readonly randomness: string;
        readonly recoveryKey: string;
        readonly shares: readonly string[];
        readonly signed: string;
      }
    | { readonly operation: 'verify appointment'; readonly owner: string; readonly signed: string }
    | {
        readonly operation: 'approve';
        readonly guardian: PartyJson;
        readonly owner: string;
        readonly appointment: string;
        readonly claimant: string;
        readonly request: string;
        readonly holding: HoldingJson;
        readonly at: number;
        readonly randomness?: string;
        /** Null from somebody who is no guardian. */
        readonly signed?: string | null;
      }
    | {
        readonly operation: 'recover';
        readonly claimant: PartyJson;
        readonly owner: string;
        readonly appointment: string;
        readonly request: string;
        readonly approvals: readonly { readonly guardian: string; readonly signed: string }[];
        readonly root?: string;
        readonly wrong?: readonly string[];
      }
    | {
        readonly operation: 'retention';
        readonly ground: ErasureGround;
        readonly death: { readonly at: number; readonly stated: number } | null;
        readonly earliest: number | null;
      }
  );

const NOW = 9e12;
const NOTHING = new Uint8Array(0);

/** The file. */
export async function generate(): Promise<VectorFile<AuthorityCase>> {
  const all = await people();
  return {
    description:
      'Lives of records entry by entry and what is refused in them; guardians, approvals, recoveries; terms of retention.',
    spec: 'spec/authority.md',
    cases: [
      ...(await wholeLife(all)),
      ...(await secondLife(all)),
      ...(await childhood(all)),
      ...(await guardianCases(all)),
      ...terms(),
    ],
  };
}

/** A life that writes down what is refused in it. */
class Told {
  readonly life: Life;
  readonly refusals: AuthorityCase[] = [];
  readonly #name: string;

  constructor(name: string, life: Life) {
    [this.#name, this.life] = [name, life];
    life.clock = () => NOW;
  }

  /** What is refused here. Its code is the spec's, and not what the library answers. */
  refuse(name: string, item: ShownEntry, error: ErrorCode = 'RECORD_RIGHT', now = NOW): void {
    const after = this.life.items.length;
    this.refusals.push({
      ...{ name: `${this.#name}, after ${String(after)}: ${name}`, operation: 'refused' },
      ...{ life: this.#name, after, now, ...shown(item), error },
    });
  }

  /** An entry that is refused. */
  async write(
    name: string,
    author: Identity,
    kind: EntryKind,
    more: { statement?: Statement; time?: number; error?: ErrorCode; now?: number; hide?: boolean } = {},
  ): Promise<void> {
    const { statement = NOTE, time = this.life.now + 1000, error, now, hide } = more;
    const item = await this.life.sign(author, kind, statement, time);
    this.refuse(name, hide === true ? { ...item, payload: null } : item, error, now);
  }

  /** A statement that is refused. */
  async say(name: string, author: Identity, said: AuthoritySaid, time?: number): Promise<void> {
    const kind = said.kind === 'closing' || said.kind === 'reopening' ? 'close' : 'key';
    const statement = encodeAuthorityStatement({ ...said, number: this.life.state.number });
    await this.write(name, author, kind, { statement, ...(time === undefined ? {} : { time }) });
  }

  async erase(
    name: string,
    author: Identity,
    seqs: readonly number[],
    more: { time: number; error?: ErrorCode; now?: number; changes?: object },
  ): Promise<void> {
    await this.write(name, author, 'erase', { statement: this.life.tombstone(seqs, more.changes), ...more });
  }

  cases(): AuthorityCase[] {
    const { life } = this;
    const credentials = Object.values(life.all).map(({ credential }) => hex(credential.encoded));
    const entries = life.items.map((item, i) => ({
      ...shown(item),
      authority: hex(encodeAuthority(life.states[i + 1]?.state ?? life.state)),
    }));
    const { origin, recordId } = life.rules;
    return [
      {
        ...{ name: this.#name, operation: 'life', origin, recordId: hex(recordId), credentials },
        ...{ now: NOW, entries },
      },
      ...this.refusals,
    ];
  }
}

const loss = (who: Identity, since: number): AuthoritySaid => ({ kind: 'loss', lost: id(who), since });
const succession = (who: Identity): AuthoritySaid => ({ kind: 'succession', owner: id(who) });
const end = (who: Identity): AuthoritySaid => ({ kind: 'end of proxy', proxy: id(who) });
const proxy = (who: Identity, role: 'carer' | 'parent' | 'executor', until: number): AuthoritySaid => ({
  ...{ kind: 'proxy', proxy: id(who), role, until },
});
const closing = (ground: 'death' | 'moved' | 'ended', at: number): AuthoritySaid => ({
  ...{ kind: 'closing', ground, at },
});
const creation = (owner: Uint8Array): Statement => ({
  kind: 'create',
  content: encodeCreation({ owner, tagSalt: new Uint8Array(32).fill(7) }),
});

async function wholeLife(all: People): Promise<AuthorityCase[]> {
  const recordId = new Uint8Array(16).fill(3);
  const unborn = new Told('a whole life', new Life(all, recordId));
  const first = { time: unborn.life.now + 1000 };
  await unborn.write('no creation', all.doctor, 'insert', first);
  const created = { statement: creation(id(all.owner)), ...first };
  await unborn.write('a creation that is not shown', all.doctor, 'create', {
    ...{ ...created, hide: true, error: 'RECORD_PAYLOAD' },
  });
  await unborn.write('a creation by whom the rule does not let', all.mallory, 'create', created);
  const nobodys = { ...created, statement: creation(new Uint8Array(32).fill(9)) };
  await unborn.write('a creation for nobody who is known', all.doctor, 'create', nobodys);

  const told = new Told('a whole life', await Life.created(all, recordId));
  told.refusals.push(...unborn.refusals);
  const { life } = told;
  const majority = life.now + 100_000;
  const mother = proxy(all.mother, 'parent', majority);
  const numbered = (said: AuthoritySaid, number: number): Statement =>
    encodeAuthorityStatement({ ...said, number });
  await told.write('another creation', all.doctor, 'create', { statement: creation(id(all.mallory)) });
  await told.write('a number too high', all.admin, 'key', { statement: numbered(mother, 1) });
  await told.write('a statement that is not shown', all.admin, 'key', {
    ...{ statement: numbered(mother, 0), hide: true, error: 'RECORD_PAYLOAD' },
  });
  for (const [name, kind, stated, content] of [
    ['a byte too many', 'key', 'loss', tuple('loss', 0, id(all.eva), 5, 'x')],
    ['an unknown role', 'key', 'proxy', tuple('proxy', 0, id(all.eva), 'friend', 5e12)],
    ['an unknown kind', 'key', 'gift', tuple('gift', 0, id(all.eva))],
    ['another kind than its label', 'key', 'loss', tuple('end of proxy', 0, id(all.eva))],
    ['a closing as a key', 'key', 'closing', tuple('closing', 0, 'death', 5)],
    ['an unknown ground', 'close', 'closing', tuple('closing', 0, 'whim', 5)],
    ['a loss as a close', 'close', 'loss', tuple('loss', 0, id(all.eva), 5)],
  ] as const)
    await told.write(name, all.admin, kind, {
      ...{ statement: { kind: stated, content }, error: 'RECORD_PAYLOAD' },
    });
  await told.say('a parent by who is no administrator', all.doctor, mother);
  await told.say('the administrator as parent', all.admin, proxy(all.admin, 'parent', majority));
  await told.say('the bank as parent', all.admin, proxy(all.bank, 'parent', majority));
  const childhood = yearsAfter(life.now + 1000, 21);
  await told.say('a childhood too long', all.admin, proxy(all.mother, 'parent', childhood + 1));
  await told.say('a statement before the creation', all.admin, mother, life.now - 1);
  await told.write('a time that has not come', all.admin, 'key', {
    ...{ statement: numbered(mother, 0), time: life.now + 1000 },
    now: life.now + 999 - CLOCK_TOLERANCE,
  });
  await life.say(all.admin, mother);

  await told.write('a parent when the child is of age', all.mother, 'grant', { time: majority });
  await told.write('a parent before it was named', all.mother, 'grant', { time: life.now - 1 });
  await told.say('the child ends its parent', all.owner, end(all.mother));
  await told.say('another date', all.admin, proxy(all.mother, 'parent', majority + 1));
  await told.say('a parent names a carer', all.mother, proxy(all.mallory, 'carer', 5e12));
  await told.say('a parent calls the child’s key lost', all.mother, loss(all.owner, life.now));
  await told.say('a parent takes over', all.mother, succession(all.second));
  await life.write(all.mother, 'grant');
  await life.write(all.owner, 'grant', NOTE, majority);
  await told.write('a parent’s entry dated back', all.mother, 'grant', { time: majority - 1 });
  await life.say(all.admin, end(all.mother));
  await told.say('an end of who is no proxy', all.admin, end(all.mother));
  await told.say('a parent once the owner wrote', all.admin, proxy(all.eva, 'parent', majority + 99_000));
  await told.say('a recovery where no guardians are', all.second, {
    ...{ kind: 'recovery', appointment: NOTHING, request: NOTHING, approvals: [] },
  });

  const with_ = (...guardians: Credential[]) => life.appointed(all.owner, { guardians });
  const eva = all.eva.credential;
  const elsewhere = { recordId: new Uint8Array(16).fill(4) };
  for (const [name, appointment] of [
    ['the administrator as guardian', await with_(eva, all.admin.credential)],
    ['the bank as guardian', await with_(eva, all.bank.credential)],
    ['one pair of keys under two names', await with_(eva, all.eva2.credential)],
    ['one person twice', await with_(all.lea.credential, { ...all.lea2.credential, subject: 'another' })],
    ['the owner as guardian', await with_(eva, { ...all.third.credential, subject: 'another' })],
    ['an unknown guardian', await with_(eva, { ...all.bob.credential, id: new Uint8Array(32).fill(9) })],
    ['another record’s appointment', await life.appointed(all.owner, elsewhere)],
    ['another’s appointment', await life.appointed(all.mallory)],
    ['an appointment that does not begin', await later(life, all.owner)],
  ] as const)
    await told.say(name, all.owner, { kind: 'guardians', appointment });
  const appointment = await life.appointed(all.owner);
  await told.say('a stranger’s own guardians', all.mallory, {
    ...{ kind: 'guardians', appointment: await life.appointed(all.mallory) },
  });
  await told.say('guardians named by another', all.mallory, { kind: 'guardians', appointment });
  await life.say(all.owner, { kind: 'guardians', appointment });

  await told.say('guardians without a predecessor', all.owner, {
    ...{ kind: 'guardians', appointment: await life.appointed(all.owner) },
  });
  await recoveries(told, appointment);
  await life.say(all.owner, succession(all.second));
  await told.write('the former owner', all.owner, 'grant');
  await told.say('back to a former Id', all.second, succession(all.owner));
  await told.say('to the same Id', all.second, succession(all.second));
  await told.say('to another person', all.second, succession(all.mallory));
  await told.say('a succession by the administrator', all.admin, succession(all.third));
  await life.say(all.second, loss(all.second, life.now));
  await told.write('a lost key', all.second, 'grant');
  const from = { appointer: all.owner, by: [all.bob, all.lea] };
  const stale = await life.recovery(all.third, appointment, { ...from, replaces: all.owner });
  await told.say('in the place of a former owner', all.third, stale);
  const back = await life.recovery(all.third, appointment, { ...from, replaces: all.second });
  await life.say(all.third, back);
  await told.say('the same recovery again', all.third, back);

  const far = life.now + 1e9;
  await told.say('a carer of the owner’s own name', all.third, proxy(all.old, 'carer', far));
  await told.say('the bank as carer', all.third, proxy(all.bank, 'carer', far));
  const nobody = { ...proxy(all.carer, 'carer', far), proxy: new Uint8Array(32).fill(9) } as AuthoritySaid;
  await told.say('a carer whom nobody knows', all.third, nobody);
  await told.say('a lost Id as carer', all.third, proxy(all.second, 'carer', far));
  await told.say('a carer until before', all.third, proxy(all.carer, 'carer', life.now));
  await told.say('a carer named by the administrator', all.admin, proxy(all.carer, 'carer', far));
  await told.say('an executor of the living', all.admin, proxy(all.heir, 'executor', far));
  await life.say(all.third, proxy(all.carer, 'carer', far));
  await told.say('a carer calls the owner’s key lost', all.carer, loss(all.third, 0));
  await told.say('a carer names another', all.carer, proxy(all.mallory, 'carer', far));
  await told.say('a carer ended by the administrator', all.admin, end(all.carer));
  await told.say('a loss in the future', all.admin, loss(all.mallory, far));
  await told.say('a stranger’s own loss', all.mallory, loss(all.mallory, 0));
  await told.write('a carer after its end', all.carer, 'grant', { time: far });
  await told.write('a grant by a stranger', all.mallory, 'grant');
  await told.write('a revocation by the doctor', all.doctor, 'revoke');
  await life.write(all.carer, 'grant');
  await told.write('content by a stranger', all.mallory, 'insert');
  await told.write('an annotation by a stranger', all.mallory, 'annotate');
  await life.write(all.carer, 'annotate');
  await life.write(all.doctor, 'insert');
  const insert = life.items.length - 1;

  await told.erase('of the living', all.admin, [insert], { time: far, error: 'RECORD_RETENTION' });
  await told.say('a closing by the owner', all.third, closing('death', life.now));
  await told.say('a death before what the owner wrote', all.admin, closing('death', 0));
  await told.say('a death in the future', all.admin, closing('death', life.now + 1001));
  await told.say('a reopening of what is open', all.third, { kind: 'reopening' });
  await life.say(all.admin, closing('death', life.now + 500));
  const over = yearsAfter(life.now, 10);
  await told.write('a carer after the death', all.carer, 'grant');
  await told.write('the dead', all.third, 'grant');
  await told.write('new content', all.doctor, 'insert');
  await told.say('a second death', all.admin, closing('death', life.now));
  await told.say('a move of the dead', all.admin, closing('moved', life.now));
  await told.say('a reopening by a stranger', all.mallory, { kind: 'reopening' });
  await told.say('an executor named by a stranger', all.mallory, proxy(all.mallory, 'executor', NOW));
  await life.say(all.admin, proxy(all.heir, 'executor', over + 1e9));
  await life.write(all.heir, 'grant');
  await life.write(all.doctor, 'amend');

  const time = over;
  await told.erase('a millisecond early', all.heir, [insert], {
    ...{ time: over - 1, error: 'RECORD_RETENTION' },
  });
  await told.erase('ten years after the date of death', all.heir, [insert], {
    ...{ time: over - 500, error: 'RECORD_RETENTION' },
  });
  await told.erase('dated ahead', all.heir, [insert], { time, now: over - 1, error: 'RECORD_RETENTION' });
  await told.erase('by the doctor', all.doctor, [insert], { time });
  await told.erase('the creation', all.heir, [0], { time, error: 'RECORD_PAYLOAD' });
  await told.erase('itself', all.heir, [life.items.length], { time, error: 'RECORD_PAYLOAD' });
  await told.erase('nothing', all.heir, [], { time, error: 'RECORD_PAYLOAD' });
  await told.erase('falling positions', all.heir, [insert, insert - 1], { time, error: 'RECORD_PAYLOAD' });
  await told.erase('a statement', all.heir, [5], { time });
  await told.erase('statements among others', all.heir, [3, 4, insert], { time });
  for (const [name, changes] of [
    ['on an order', { ground: 'order' }],
    ['on a request', { ground: 'request' }],
    ['by another rule', { ruleVersion: 'another' }],
  ] as const)
    await told.erase(name, all.heir, [insert], { time, changes, error: 'RECORD_RETENTION' });
  await life.erase(all.heir, [insert], over);
  await told.erase('the tombstone', all.heir, [life.items.length - 1], { time });
  return told.cases();
}

/** Recoveries that are refused where Eva, Bob and Lea are the guardians of the first owner. */
async function recoveries(told: Told, appointment: Uint8Array): Promise<void> {
  const { life } = told;
  const { all } = life;
  const from = (by: readonly Identity[], more: object = {}) => ({
    ...{ appointer: all.owner, replaces: all.owner, by, ...more },
  });
  const make = (by: readonly Identity[], more: object = {}, claimant = all.second) =>
    life.recovery(claimant, appointment, from(by, more));
  const good = await make([all.eva, all.bob]);
  const [eva, bob] = good.approvals;
  if (eva === undefined || bob === undefined) throw new Error('no approvals');
  const forged = await signStatement(all.mallory, verifyStatement(bob.signed, all.bob.credential));
  const elder = { ...all.owner, credential: { ...all.owner.credential, notBefore: 0 } as Credential };
  const until = life.now + 10;
  for (const [name, said] of [
    ['one guardian of two', { ...good, approvals: [eva] }],
    ['one guardian twice', { ...good, approvals: [eva, eva] }],
    ['a third that is one of the two', { ...good, approvals: [eva, bob, eva] }],
    ['who is no guardian', { ...good, approvals: [eva, { guardian: id(all.mallory), signed: forged }] }],
    ['one for another', { ...good, approvals: [eva, { ...bob, guardian: id(all.lea) }] }],
    ['a request that is past', await make([all.eva, all.bob], { until })],
    ['another request', { ...good, request: (await make([], { until: until + 5000 })).request }],
    ['the record as it stood before', await make([all.eva, all.bob], { since: new Uint8Array(32) })],
  ] as const)
    await told.say(name, all.second, said);
  await told.say('another claimant', all.third, good);
  const known = verifyAppointment(appointment, all.owner.credential);
  for (const [name, changes] of [
    ['a request about another record', { recordId: new Uint8Array(16).fill(4) }],
    ['a request about other guardians', { digest: new Uint8Array(32).fill(1) }],
  ] as const)
    await told.say(name, all.second, { ...good, ...(await astray(life, { ...known, ...changes })) });
  await told.say('an older key of the owner’s', all.old, {
    ...(await make([all.eva, all.bob], { replaces: elder }, all.old)),
  });
  await told.say('approvals that were kept', all.second, {
    ...(await make([all.eva, all.bob], { until: life.now + 1000 + RECOVERY_TERM + 1 })),
  });
}

/** A request that says something else than its appointment, and words of two guardians for it. */
async function astray(
  { all, state, now }: Life,
  appointment: Appointment,
): Promise<Pick<Extract<AuthoritySaid, { kind: 'recovery' }>, 'request' | 'approvals'>> {
  const asked = { appointment, owner: id(all.owner), since: state.since, until: now + 1e6 };
  const request = await requestRecovery(all.second, asked);
  const { digest } = verifyRecoveryRequest(request, all.second.credential);
  const body = tuple('recovery approval', digest, NOTHING, NOTHING);
  const approvals = [];
  for (const guardian of [all.eva, all.bob])
    approvals.push({ guardian: id(guardian), signed: await signStatement(guardian, body) });
  return { request, approvals };
}

/** An appointment that has no beginning. */
async function later(life: Life, owner: Identity): Promise<Uint8Array> {
  const previous = verifyAppointment(await life.appointed(owner), owner.credential);
  return life.appointed(owner, { previous });
}

async function secondLife(all: People): Promise<AuthorityCase[]> {
  const told = new Told('a wrong death', await Life.created(all, new Uint8Array(16).fill(4)));
  const { life } = told;
  const before = await life.appointed(all.owner);
  await life.say(all.owner, { kind: 'guardians', appointment: before });
  const previous = verifyAppointment(before, all.owner.credential);
  const next = await life.appointed(all.owner, { previous });
  await life.say(all.owner, { kind: 'guardians', appointment: next });
  const from = (...by: Identity[]) => ({ appointer: all.owner, replaces: all.owner, by });
  const old = await life.recovery(all.second, before, from(all.eva, all.bob));
  await told.say('guardians of before', all.second, old);
  const held = verifyAppointment(next, all.owner.credential);
  const forked = { previous: { ...held, digest: new Uint8Array(32).fill(1) } };
  await told.say('guardians after others', all.owner, {
    ...{ kind: 'guardians', appointment: await life.appointed(all.owner, forked) },
  });
  const soon = life.now + 1e6;
  await told.say('a parent once the owner wrote', all.admin, proxy(all.mother, 'parent', soon));
  await life.say(all.admin, loss(all.bob, 700));
  await life.say(all.admin, loss(all.bob, 500));
  await told.say('a lost Id as carer', all.owner, proxy(all.bob, 'carer', soon));
  const lost = await life.recovery(all.second, next, from(all.eva, all.bob));
  await told.say('a guardian whose key is lost', all.second, lost);
  await told.say('a lost key as guardian', all.owner, {
    kind: 'guardians',
    appointment: await life.appointed(all.owner, { previous: held }),
  });
  await told.say('a statement dated back', all.admin, loss(all.mallory, 0), life.now - 1);
  await life.say(all.admin, closing('moved', life.now));
  await told.write('content of who moved', all.doctor, 'insert');
  await told.write('an annotation of who moved', all.owner, 'annotate');
  await told.say('a second move', all.admin, closing('moved', life.now));
  await life.write(all.owner, 'revoke');
  await life.say(all.admin, closing('death', life.now));
  await life.say(all.admin, proxy(all.heir, 'executor', NOW));
  await told.say('a death before the owner wrote', all.admin, closing('death', 0));
  await life.say(all.owner, { kind: 'reopening' });
  await told.write('an executor of the living', all.heir, 'grant');
  await told.say('a second reopening', all.owner, { kind: 'reopening' });
  await told.say('a death before the owner reopened', all.admin, closing('death', life.now - 1));
  await life.write(all.doctor, 'insert');
  await life.say(all.owner, proxy(all.carer, 'carer', life.now + 5e8));
  await life.say(all.carer, loss(all.carer, life.now));
  await told.write('a carer whose key is lost', all.carer, 'grant');
  return told.cases();
}

async function childhood(all: People): Promise<AuthorityCase[]> {
  const told = new Told('a child that dies', await Life.created(all, new Uint8Array(16).fill(5)));
  const { life } = told;
  const majority = life.now + 1e6;
  await life.say(all.admin, proxy(all.mother, 'parent', majority));
  await told.say('a parent as carer', all.owner, proxy(all.mother, 'carer', majority));
  await life.say(all.admin, proxy(all.eva, 'parent', majority));
  await life.say(all.admin, closing('death', life.now));
  await told.say('a parent of the dead', all.admin, proxy(all.mother, 'parent', majority));
  await told.write('a parent after the death', all.mother, 'grant');
  return told.cases();
}

async function guardianCases(all: People): Promise<AuthorityCase[]> {
  const [recordId, since] = [new Uint8Array(16).fill(3), new Uint8Array(32).fill(5)];
  const root = createRoot(seededRandom('authority: root'));
  const [one, two] = [all.eva.credential, all.bob.credential];
  const guardians = [one, two, all.lea.credential];
  const { random, taken } = recordedRandom('authority: appoint');
  const terms_ = { recordId, threshold: 2, guardians, previous: null };
  const signed = await appointGuardians(all.owner, root, terms_, random);
  const [recoveryKey, coefficient] = [0, 1].map((i) =>
    Buffer.from(taken(), 'hex').subarray(32 * i, 32 * i + 32),
  );
  if (recoveryKey === undefined || coefficient === undefined) throw new Error('too little was drawn');
  const shares = splitSecret(recoveryKey, { threshold: 2, shares: 3 }, () => new Uint8Array(coefficient));
  const appointment = verifyAppointment(signed, all.owner.credential);
  const owner = hex(all.owner.credential.encoded);
  const body = verifyStatement(signed, all.owner.credential);
  const items = (list: readonly (typeof appointment.guardians)[number][]) =>
    list.map((g) => [g.id, g.commitment, g.encapsulation, g.ciphertext]);
  const [g1, g2] = appointment.guardians;
  if (g1 === undefined || g2 === undefined) throw new Error('no guardians');
  const restated = (threshold: number, list: readonly (typeof g1)[], number = 0, by = all.owner) =>
    signStatement(
      all.owner,
      tuple(
        'guardian appointment',
        ...[recordId, id(by), number, new Uint8Array(32), threshold, appointment.sealedRoot],
        items(list),
      ),
    );
  const refusedAppointments: [string, Uint8Array, ErrorCode][] = [
    ['one guardian is enough', await restated(1, [g1, g2]), 'WIRE_TUPLE'],
    ['more than there are', await restated(3, [g1, g2]), 'WIRE_TUPLE'],
    ['one guardian twice', await restated(2, [g1, g1]), 'WIRE_TUPLE'],
    ['the owner among them', await restated(2, [g1, { ...g2, id: id(all.owner) }]), 'WIRE_TUPLE'],
    ['a second without a first', await restated(2, [g1, g2], 1), 'WIRE_TUPLE'],
    [
      'seventeen',
      await restated(
        2,
        Array.from({ length: 17 }, () => g1),
      ),
      'WIRE_LIMIT',
    ],
    ['another signed it', await signStatement(all.mallory, body), 'KEY_SIGNATURE'],
    ['a signature changed', flipped(signed, signed.length - 1), 'KEY_SIGNATURE'],
    ['another’s Id in it', await restated(2, [g1, g2], 0, all.mallory), 'WIRE_TUPLE'],
    ['a part too many', await signStatement(all.owner, Buffer.concat([body, Buffer.alloc(4)])), 'WIRE_TUPLE'],
    ['a byte too many', await signStatement(all.owner, Buffer.concat([body, Buffer.of(0)])), 'WIRE_TUPLE'],
  ];

  const [at, until] = [2000, 5000];
  const ask = async (claimant: Identity, more: object = {}): Promise<Uint8Array> =>
    requestRecovery(claimant, { appointment, owner: id(all.owner), since, until, ...more });
  const asked = await ask(all.second);
  const request = verifyRecoveryRequest(asked, all.second.credential);
  const holding: Holding = { owner: all.owner.credential, appointment: appointment.digest, since, spent: [] };
  const approve = (name: string, changes: object = {}): AuthorityCase => ({
    ...{ name: `approve: ${name}`, operation: 'approve', guardian: party(all.eva), owner },
    ...{ appointment: hex(signed), claimant: hex(all.second.credential.encoded), request: hex(asked) },
    ...{ holding: holdingJson(holding), at, ...changes },
  });
  const approvals: { guardian: Credential; signed: Uint8Array }[] = [];
  const approved: AuthorityCase[] = [];
  for (const name of ['eva', 'bob', 'lea'] as const) {
    const drawn = recordedRandom(`authority: approve ${name}`);
    const made = await approveRecovery(all[name], appointment, request, {
      holding,
      at,
      random: drawn.random,
    });
    if (made === null) throw new Error('no guardian');
    approvals.push({ guardian: all[name].credential, signed: made });
    approved.push(
      approve(name, { guardian: party(all[name]), randomness: drawn.taken(), signed: hex(made) }),
    );
  }
  const error = 'KEY_RECOVERY' as const;
  const standing = (changes: Partial<Holding>) => ({
    holding: holdingJson({ ...holding, ...changes }),
    error,
  });
  const by = async (claimant: Identity, more: object = {}) => ({
    claimant: hex(claimant.credential.encoded),
    request: hex(await ask(claimant, more)),
    error,
  });
  const recover = (
    name: string,
    some: readonly (typeof approvals)[number][],
    result: { root?: string; wrong?: string[]; error?: ErrorCode },
    changes: object = {},
  ): AuthorityCase => ({
    ...{ name: `recover: ${name}`, operation: 'recover', claimant: party(all.second), owner },
    ...{ appointment: hex(signed), request: hex(asked), ...result, ...changes },
    approvals: some.map(({ guardian, signed: word }) => ({
      guardian: hex(guardian.encoded),
      signed: hex(word),
    })),
  });
  const [a, b, c] = approvals;
  if (a === undefined || b === undefined || c === undefined) throw new Error('no approvals');
  const found = { root: hex(exposeSecret(root)), wrong: [] };
  const verified = verifyApproval(b.signed, b.guardian, { appointment, request });
  const wrong = await signStatement(
    all.eva,
    tuple('recovery approval', request.digest, verified.encapsulation, verified.ciphertext),
  );
  const spoilt = { guardian: a.guardian, signed: wrong };
  return [
    {
      ...{ name: 'appoint: two of three', operation: 'appoint', owner: party(all.owner) },
      ...{ root: hex(exposeSecret(root)), recordId: hex(recordId), threshold: 2 },
      guardians: guardians.map(({ encoded }) => hex(encoded)),
      ...{ randomness: taken(), recoveryKey: hex(recoveryKey), shares: shares.map(hex), signed: hex(signed) },
    },
    ...refusedAppointments.map(([name, bad, code]): AuthorityCase => ({
      ...{ name: `verify appointment: ${name}`, operation: 'verify appointment', owner },
      ...{ signed: hex(bad), error: code },
    })),
    ...approved,
    approve('nobody’s guardian', { guardian: party(all.mallory), signed: null }),
    approve('the record has another owner', standing({ owner: all.third.credential })),
    approve('the owner of before', { ...standing({ owner: all.old.credential }) }),
    approve('the record has other guardians', standing({ appointment: new Uint8Array(32) })),
    approve('the record stands otherwise', standing({ since: new Uint8Array(32) })),
    approve('a claimant that is spent', standing({ spent: [id(all.bob), id(all.second)] })),
    approve('another person', await by(all.mallory)),
    approve('an older key of the owner’s', await by(all.old)),
    approve('of whom the record is not', await by(all.second, { owner: id(all.third) })),
    approve('past', { at: until + 1, error }),
    approve('good for too long', await by(all.second, { until: at + RECOVERY_TERM + 1 })),
    approve('before the claimant’s credential', { at: 0, error }),
    recover('the first two', [a, b], found),
    recover('the last and the first', [c, a], found),
    recover('all three', [a, b, c], found),
    recover('a wrong share beside two right ones', [spoilt, b, c], { ...found, wrong: [hex(one.id)] }),
    recover('a wrong share and a right one', [spoilt, b], { error }),
    recover('one', [a], { error }),
    recover('one twice', [a, a], { error }),
    recover(
      'another claimant’s',
      [a, b],
      { error },
      { claimant: party(all.second), request: hex(await ask(all.second, { until: until + 1 })) },
    ),
  ];
}

function terms(): AuthorityCase[] {
  const day = (text: string): number => Date.parse(`${text}T12:00:00.000Z`);
  const stated = (text: string) => ({ at: 0, stated: day(text) });
  const dated: [string, ErasureGround, { at: number; stated: number } | null, number | null][] = [
    ['ten years', 'retention', stated('2019-12-31'), day('2029-12-31')],
    ['of a leap day', 'retention', stated('2024-02-29'), day('2034-03-01')],
    ['to a leap year', 'retention', stated('2018-02-28'), day('2028-02-28')],
    ['of the living', 'retention', null, null],
    ['an order', 'order', stated('2019-12-31'), null],
    ['a request', 'request', stated('2019-12-31'), null],
  ];
  return dated.map(([name, ground, death, earliest]) => ({
    ...{ name: `retention: ${TEN_YEARS_AFTER_DEATH.version}: ${name}`, operation: 'retention' },
    ...{ ground, death, earliest },
  }));
}

function shown({ payload, ...signed }: ShownEntry): ShownJson {
  return { entry: hex(encodeSignedEntry(signed)), payload: payload ? hex(payload) : null };
}

function holdingJson({ owner, appointment, since, spent }: Holding): HoldingJson {
  return {
    ...{ owner: hex(owner.encoded), appointment: hex(appointment), since: hex(since) },
    spent: spent.map(hex),
  };
}

function party(identity: Identity): PartyJson {
  const keys = identity as unknown as SoftwareKeys;
  const secret = ({ secret: of }: Pick<SoftwareDecapsulator, 'secret'>): string => hex(exposeSecret(of));
  return {
    ...{ kem: keys.sealing.kem, algorithm: 'Ed25519', signingSecret: hex(exposeSecret(keys.signer.secret)) },
    ...{ handshakeSecret: secret(keys.handshake), sealingSecret: secret(keys.sealing) },
    credential: hex(identity.credential.encoded),
  };
}
