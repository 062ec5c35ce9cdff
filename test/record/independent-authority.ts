/**
 * Who may act in a record, once more and from the words of spec/authority.md alone: on node:crypto, sharing no code with
 * src. Every check has a name and can be left out, so that a test can ask of each whether any case needs it.
 */

import { opened, signed } from '../hpke.ts';
import { H, parts, T, type Item } from '../tuple.ts';

/** A refusal, and under which code. */
export class Refused extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** Names of checks that are left out. */
export type Without = ReadonlySet<string>;

export const number = (part: Buffer): number => Number(part.readBigUInt64BE());
const hex = (part: Buffer): string => part.toString('hex');
const TEN = 10;

/** A credential by its parts. */
export interface Card {
  id: string;
  subject: string;
  roles: string[];
  key: Buffer;
  sealing: Buffer;
  from: number;
  to: number;
}

/** Reads a credential that this key signed; the anchor's own if none is given. */
export function card(encoded: Buffer, issuer?: Card): Card {
  const [body, signature] = opened(encoded, 'signed credential') as [Buffer, Buffer];
  const all = opened(body, 'credential');
  const keys = parts(all[2]!);
  const one = {
    ...{ id: hex(H(body)), subject: all[0]!.toString(), roles: parts(all[1]!).map(String) },
    ...{ key: keys[1]!, sealing: keys[5]!, from: number(all[3]!), to: number(all[4]!) },
  };
  if (!signed((issuer ?? one).key, T('credential signature', body), signature)) throw new Error('forged');
  return one;
}

/** The body of a statement that somebody signed. */
export function statement(encoded: Buffer, by: Card): Buffer {
  const items = opened(encoded, 'signed statement');
  if (items.length !== 3) throw new Refused('WIRE_TUPLE');
  const [id, body, signature] = items as [Buffer, Buffer, Buffer];
  const good = hex(id) === by.id && signed(by.key, T('statement signature', id, body), signature);
  if (!good) throw new Refused('KEY_SIGNATURE');
  return body;
}

/** The digest by which a signed statement is named. */
export const digest = (encoded: Buffer): string => hex(H(T('statement digest', encoded)));

/** An appointment by its parts, if it is well formed. */
export function appointment(encoded: Buffer, owner: Card, off: Without = new Set()) {
  const body = statement(encoded, owner);
  const demand = demander('WIRE_TUPLE', off);
  let items: Buffer[];
  try {
    items = opened(body, 'guardian appointment');
  } catch {
    throw new Refused('WIRE_TUPLE');
  }
  const [recordId, id, count, previous, threshold, sealedRoot, list] = items as [Buffer, ...Buffer[]];
  demand('seven parts', items.length === 7);
  const guardians = parts(list!).map((one) => {
    const [of, commitment, encapsulation, ciphertext] = parts(one) as [Buffer, Buffer, Buffer, Buffer];
    return { id: hex(of), raw: of, commitment, encapsulation, ciphertext };
  });
  if (guardians.length > 16) throw new Refused('WIRE_LIMIT');
  demand('its own owner', hex(id!) === owner.id);
  demand('at least two', number(threshold!) >= 2);
  demand('no more than there are', number(threshold!) <= guardians.length);
  demand('each once', new Set(guardians.map((one) => one.id)).size === guardians.length);
  demand(
    'not the owner',
    guardians.every((one) => one.id !== owner.id),
  );
  demand('a beginning', (number(count!) === 0) === previous!.equals(Buffer.alloc(32)));
  return {
    ...{ recordId, owner: id!, number: number(count!), previous: hex(previous!) },
    ...{ threshold: number(threshold!), sealedRoot: sealedRoot!, guardians, digest: digest(encoded) },
  };
}

/** A request for recovery by its parts. */
export function request(encoded: Buffer, claimant: Card) {
  const [recordId, about, owner, since, until] = opened(statement(encoded, claimant), 'recovery request');
  return {
    ...{ recordId: recordId!, appointment: hex(about!), owner: hex(owner!), since: hex(since!) },
    ...{ until: number(until!), digest: digest(encoded) },
  };
}

export function demander(code: string, off: Without) {
  return (name: string, holds: boolean): void => {
    seen.add(name);
    if (!holds && !off.has(name)) throw new Refused(code);
  };
}
/** Names of all checks that were ever made. */
export const seen = new Set<string>();

interface Proxy {
  id: string;
  role: string;
  from: number;
  until: number;
}
/** What is known of a record. */
export interface State {
  owner: string | null;
  subject: string;
  former: string[];
  since: string;
  number: number;
  runs: [number, number][];
  latest: number;
  ownerWrote: number | null;
  majority: number | null;
  closure: { ground: string; at: number; stated: number } | null;
  proxies: Proxy[];
  losses: { id: string; since: number }[];
  appointed: { digest: string; number: number; owner: string } | null;
}
export const NOTHING_KNOWN: State = {
  ...{ owner: null, subject: '', former: [], since: '00'.repeat(32), number: 0, runs: [], latest: 0 },
  ...{ ownerWrote: null, majority: null, closure: null, proxies: [], losses: [], appointed: null },
};

/** As a verifier keeps it. */
export function encoded(s: State): Buffer {
  const id = (one: string): Buffer => Buffer.from(one, 'hex');
  const some = <X>(one: X | null, items: (one: X) => Item[]): Item[] => (one === null ? [] : items(one));
  return T(
    'authority',
    ...[some(s.owner, (one) => [id(one)]), s.subject, s.former.map(id), id(s.since), s.number],
    ...[s.runs, s.latest, some(s.ownerWrote, (one) => [one]), some(s.majority, (one) => [one])],
    some(s.closure, (one) => [one.ground, one.at, one.stated]),
    s.proxies.map((one) => [id(one.id), one.role, one.from, one.until]),
    s.losses.map((one) => [id(one.id), one.since]),
    some(s.appointed, (one) => [id(one.digest), one.number, id(one.owner)]),
  );
}

/** An entry and what it says, its place and signature verified. */
interface Step {
  author: Card;
  kind: string;
  time: number;
  seq: number;
  hash: string;
  recordId: string;
  said: { kind: string; content: Buffer } | null;
}

/** The verifier of one record. */
export class Verifier {
  readonly cards: Map<string, Card>;
  readonly origin: string;
  readonly recordId: string;
  head = { size: 0, hash: '00'.repeat(32) };
  state = NOTHING_KNOWN;
  now: number;
  off: Without = new Set();

  constructor(of: { credentials: readonly string[]; origin: string; recordId: string; now: number }) {
    const [first, ...others] = of.credentials.map((one) => Buffer.from(one, 'hex'));
    const anchor = card(first!);
    this.cards = new Map([anchor, ...others.map((one) => card(one, anchor))].map((one) => [one.id, one]));
    [this.origin, this.recordId, this.now] = [of.origin, of.recordId, of.now];
  }

  /** The same verifier at the same place. */
  fork(): Verifier {
    return Object.assign(Object.create(Verifier.prototype) as Verifier, this);
  }

  /** Takes the next entry. */
  take({ entry, payload }: { entry: string; payload: string | null }): void {
    const step = this.step(Buffer.from(entry, 'hex'), payload === null ? null : Buffer.from(payload, 'hex'));
    this.state = this.judge(step);
    this.head = { size: step.seq + 1, hash: step.hash };
  }

  private step(bytes: Buffer, payload: Buffer | null): Step {
    const [body, signature] = opened(bytes, 'signed entry') as [Buffer, Buffer];
    const p = opened(body, 'entry');
    const mine =
      p[0]!.toString() === this.origin && hex(p[1]!) === this.recordId && p[2]!.toString() === 'content';
    if (!mine) throw new Refused('RECORD_ENTRY');
    if (number(p[3]!) !== this.head.size || hex(p[4]!) !== this.head.hash) throw new Refused('RECORD_LINK');
    const [author, time] = [this.cards.get(hex(p[5]!)), number(p[7]!)];
    const good = author && time >= author.from && time <= author.to;
    if (!good || !signed(author.key, T('entry signature', body), signature))
      throw new Refused('RECORD_AUTHOR');
    if (payload && !H(payload).equals(p[11]!)) throw new Refused('RECORD_PAYLOAD');
    const [kind, , content] = payload ? opened(payload, 'statement') : [];
    const inner = H(T('entry inner', body, signature));
    return {
      ...{ author, time, kind: p[6]!.toString(), seq: number(p[3]!), recordId: hex(p[1]!) },
      hash: hex(H(T('entry hash', p[1]!, p[2]!, p[3]!, p[4]!, inner))),
      said: payload ? { kind: kind!.toString(), content: content! } : null,
    };
  }

  private right(name: string, holds: boolean): void {
    demander('RECORD_RIGHT', this.off)(name, holds);
  }

  private payload(name: string, holds: boolean): void {
    demander('RECORD_PAYLOAD', this.off)(name, holds);
  }

  private spent(id: string): boolean {
    return this.state.former.includes(id) || this.state.losses.some((one) => one.id === id);
  }

  private judge(step: Step): State {
    const { author, kind, time } = step;
    const s = this.state;
    this.right('no spent Id writes', !this.spent(author.id));
    this.right('not from the future', time <= this.now + 300_000);
    if (s.owner === null) return this.create(step);
    const owns = author.id === s.owner;
    const taken = ['amend', 'grant', 'revoke', 'erase', 'key', 'close'];
    this.right('closed', s.closure === null || taken.includes(kind));
    this.right('dead', !(s.closure?.ground === 'death' && owns) || kind === 'close');
    const after = this.after(step);
    if (!owns && after.owner !== author.id) return after;
    return { ...after, ownerWrote: Math.max(after.ownerWrote ?? 0, time) };
  }

  private create(step: Step): State {
    this.right('a creation first', step.kind === 'create');
    if (step.kind !== 'create') return this.state;
    if (step.said === null) throw new Refused('RECORD_PAYLOAD');
    const [owner] = opened(step.said.content, 'creation');
    const subject = this.cards.get(hex(owner!))?.subject;
    this.right('an owner who is known', subject !== undefined);
    this.right('a creation by the rule', step.author.roles.includes('doctor'));
    return { ...this.state, owner: hex(owner!), subject: subject ?? '', since: step.hash, latest: step.time };
  }

  private capacity(id: string, time: number): string | null {
    const s = this.state;
    if (id === s.owner) return 'owner';
    const proxy = s.proxies.find((one) => one.id === id);
    if (!proxy) return null;
    const seenTime = Math.max(s.latest, s.ownerWrote ?? 0);
    const acts = (name: string, holds: boolean): boolean => {
      seen.add(name);
      return holds || this.off.has(name);
    };
    return acts('a proxy from its naming', time >= proxy.from) &&
      acts('a proxy to its end', time < proxy.until) &&
      acts('a proxy to its end as the record saw it', seenTime < proxy.until)
      ? proxy.role
      : null;
  }

  private after(step: Step): State {
    const { author, kind, time, seq } = step;
    const capacity = this.capacity(author.id, time);
    if (['key', 'close', 'erase'].includes(kind)) {
      if (step.said === null) throw new Refused('RECORD_PAYLOAD');
      const after = kind === 'erase' ? this.erase(step, step.said.content) : this.stated(step, step.said);
      this.right('time does not go back', time >= this.state.latest);
      const last = after.runs.at(-1);
      const runs: [number, number][] =
        last && last[1] + 1 === seq
          ? [...after.runs.slice(0, -1), [last[0], seq]]
          : [...after.runs, [seq, seq]];
      return { ...after, runs, latest: time };
    }
    this.right('one creation', kind !== 'create');
    if (kind === 'grant' || kind === 'revoke')
      this.right('grants by who acts as the owner', capacity !== null);
    else if (kind === 'annotate') this.right('annotations by the rule', capacity !== null);
    else this.right('content by the rule', kind === 'create' || author.roles.includes('doctor'));
    return this.state;
  }

  private erase({ author, time, seq }: Step, content: Buffer): State {
    const { closure, runs } = this.state;
    const admin = author.roles.includes('administrator');
    this.right('erasers', admin || this.capacity(author.id, time) === 'executor');
    const [, ground, version, list] = opened(content, 'erasure');
    const seqs = parts(list!).map((one) => number(parts(one)[0]!));
    this.payload('something is erased', seqs.length > 0);
    this.payload('the creation stays', !seqs.includes(0));
    this.payload(
      'only what stands before',
      seqs.every((one) => one < seq),
    );
    this.payload(
      'positions rise',
      seqs.every((one, i) => i === 0 || one > seqs[i - 1]!),
    );
    const kept = seqs.some((one) => runs.some(([first, last]) => one >= first && one <= last));
    this.right('statements stay', !kept);
    const retention = demander('RECORD_RETENTION', this.off);
    retention('the rule that holds', version!.toString() === 'ten years after death 1');
    retention('its ground', ground!.toString() === 'retention');
    retention('of the dead', closure?.ground === 'death');
    const over = tenYearsAfter(closure?.stated ?? 0);
    retention('a term that is over', time >= over);
    retention('a term that is over by the verifier’s clock', this.now >= over);
    return this.state;
  }

  private stated(step: Step, { kind, content }: { kind: string; content: Buffer }): State {
    const closes = kind === 'closing' || kind === 'reopening';
    this.payload('statements in their kind of entry', step.kind === (closes ? 'close' : 'key'));
    const counts: Record<string, number> = {
      ...{ succession: 2, guardians: 2, recovery: 4, proxy: 4, 'end of proxy': 2, loss: 3, closing: 3 },
      reopening: 1,
    };
    let items: Buffer[];
    try {
      items = opened(content, kind);
    } catch {
      throw new Refused('RECORD_PAYLOAD');
    }
    if (counts[kind] === undefined) throw new Refused('RECORD_PAYLOAD');
    this.payload('nothing more than it says', items.length === counts[kind]);
    const [count, ...rest] = items as [Buffer, ...Buffer[]];
    if (kind === 'proxy')
      this.payload('known roles', ['carer', 'parent', 'executor'].includes(rest[1]!.toString()));
    if (kind === 'closing')
      this.payload('known grounds', ['death', 'moved', 'ended'].includes(rest[0]!.toString()));
    this.right('its number', number(count) === this.state.number);
    const after = this.table[kind]!(step, rest);
    return { ...after, number: number(count) + 1 };
  }

  private independent(who: Card | undefined): void {
    this.right('no administrator', !who?.roles.includes('administrator'));
    this.right('no bank', !who?.roles.includes('bank'));
  }

  private owned({ hash }: Step, next: Card | undefined): State {
    const s = this.state;
    if (next === undefined) throw new Refused('RECORD_RIGHT');
    this.right('of the owner’s subject', next.subject === s.subject);
    this.right('another Id', next.id !== s.owner);
    this.right('an Id that is not spent', !this.spent(next.id));
    return { ...s, owner: next.id, former: [...s.former, s.owner!], since: hash };
  }

  /** What judges each kind of statement. */
  private get table(): Record<string, (step: Step, rest: Buffer[]) => State> {
    return {
      succession: (step, [owner]) => {
        this.right('succession by the owner', step.author.id === this.state.owner);
        return this.owned(step, this.cards.get(hex(owner!)));
      },
      guardians: (step, [bytes]) => this.guardians(step, bytes!),
      recovery: (step, rest) => this.recovery(step, rest as [Buffer, Buffer, Buffer]),
      proxy: (step, rest) => this.proxy(step, rest as [Buffer, Buffer, Buffer]),
      'end of proxy': ({ author }, [id]) => {
        const ended = this.state.proxies.find((one) => one.id === hex(id!));
        this.right('an end of who is one', ended !== undefined);
        const admin = author.roles.includes('administrator');
        const by = ended?.role === 'carer' ? author.id === this.state.owner : admin;
        this.right('an end by whom it takes', by || author.id === ended?.id);
        return { ...this.state, proxies: this.state.proxies.filter((one) => one !== ended) };
      },
      loss: (step, [lost, since]) => this.loss(step, hex(lost!), number(since!)),
      closing: ({ author, time }, [name, when]) => {
        const [ground, at, s] = [name!.toString(), number(when!), this.state];
        this.right('a closing by an administrator', author.roles.includes('administrator'));
        this.right('a closing not in the future', at <= time);
        const anew = s.closure === null || (ground === 'death' && s.closure.ground !== 'death');
        this.right('a closing once', anew);
        const died = ground === 'death';
        this.right('the dead do not write', !died || at >= (s.ownerWrote ?? 0));
        return { ...s, closure: { ground, at, stated: time }, proxies: died ? [] : s.proxies };
      },
      reopening: ({ author }) => {
        const s = this.state;
        this.right('a reopening of what is closed', s.closure !== null);
        const may = author.id === s.owner || author.roles.includes('administrator');
        this.right('a reopening by whom it takes', may);
        return { ...s, closure: null, proxies: s.proxies.filter(({ role }) => role !== 'executor') };
      },
    };
  }

  private carried<Result>(read: () => Result): Result {
    try {
      return read();
    } catch {
      throw new Refused('RECORD_RIGHT');
    }
  }

  private guardians({ author, hash, recordId }: Step, bytes: Buffer): State {
    const s = this.state;
    this.right('guardians by the owner', author.id === s.owner);
    const next = this.carried(() => appointment(bytes, author, this.off));
    const follows = next.number === (s.appointed?.number ?? -1) + 1;
    this.right('the next appointment', follows);
    this.right('after the one that holds', s.appointed === null || next.previous === s.appointed.digest);
    this.right('about this record', hex(next.recordId) === recordId);
    const all = [author];
    for (const { id } of next.guardians) {
      const guardian = this.cards.get(id);
      this.right('a guardian who is known', guardian !== undefined);
      this.right('a guardian who is not spent', !this.spent(id));
      this.independent(guardian);
      if (guardian) all.push(guardian);
    }
    const different = (of: (one: Card) => string): boolean => new Set(all.map(of)).size === all.length;
    this.right(
      'different people',
      different(({ subject }) => subject),
    );
    this.right(
      'different keys',
      different(({ key }) => hex(key)) && different(({ sealing }) => hex(sealing)),
    );
    return { ...s, appointed: { digest: next.digest, number: next.number, owner: author.id }, since: hash };
  }

  private recovery(step: Step, [about, asked, list]: [Buffer, Buffer, Buffer]): State {
    const { author, time, recordId } = step;
    const s = this.state;
    const { appointed } = s;
    if (appointed === null) throw new Refused('RECORD_RIGHT');
    const held = this.carried(() => appointment(about, this.cards.get(appointed.owner)!, this.off));
    const wanted = this.carried(() => request(asked, author));
    this.right('the appointment that holds', held.digest === appointed.digest);
    this.right('a request about it', wanted.appointment === held.digest && hex(wanted.recordId) === recordId);
    this.right('in the place of the owner', wanted.owner === s.owner);
    this.right('of the record as it stands', wanted.since === s.since);
    this.right('no older key', author.from >= this.cards.get(s.owner!)!.from);
    this.right('not past', time <= wanted.until);
    this.right('for 30 days', wanted.until <= time + 30 * 86_400_000);
    const approved = parts(list).map((one) => {
      const [id, word] = parts(one) as [Buffer, Buffer];
      const guardian = this.cards.get(hex(id));
      this.right(
        'an approval by a guardian',
        held.guardians.some((other) => other.id === hex(id)),
      );
      this.right('by a key that is not lost', !this.spent(hex(id)));
      const body = this.carried(() => statement(word, guardian!));
      const [of] = this.carried(() => opened(body, 'recovery approval'));
      this.right('an approval of this request', hex(of!) === wanted.digest);
      return hex(id);
    });
    this.right('each approves once', new Set(approved).size === approved.length);
    this.right('as many as it takes', approved.length >= held.threshold);
    return this.owned(step, author);
  }

  private proxy({ author, time }: Step, [of, as, to]: [Buffer, Buffer, Buffer]): State {
    const s = this.state;
    const [id, role, until] = [hex(of), as.toString(), number(to)];
    const who = this.cards.get(id);
    this.right('a proxy who is known', who !== undefined);
    this.right('a proxy until later', until > time);
    this.right('a proxy of another name', who?.subject !== s.subject);
    this.right('a proxy who is not spent', !this.spent(id));
    this.independent(who);
    const admin = author.roles.includes('administrator');
    const dead = s.closure?.ground === 'death';
    if (role === 'carer') this.right('a carer by the owner', author.id === s.owner);
    if (role === 'parent') {
      this.right('a parent by an administrator', admin);
      this.right('a parent of the living', !dead);
      this.right('a parent for a childhood', until <= years(time, 21));
      this.right('a parent before the owner wrote', s.majority !== null || s.ownerWrote === null);
      this.right('one date for all parents', s.majority === null || until === s.majority);
    }
    if (role === 'executor') {
      this.right('an executor by an administrator', admin);
      this.right('an executor of the dead', dead);
    }
    const acting = s.proxies.filter((one) => one.until > time);
    this.right(
      'one role at a time',
      acting.every((one) => one.id !== id || one.role === role),
    );
    const others = acting.filter((one) => one.id !== id);
    const proxies = [...others, { id, role, from: time, until }];
    return { ...s, proxies, majority: role === 'parent' ? until : s.majority };
  }

  private loss({ author, time }: Step, lost: string, since: number): State {
    const s = this.state;
    this.right('a loss not in the future', since <= time);
    const own = author.id === lost && this.capacity(lost, time) !== null;
    const proxys = author.id === s.owner && s.proxies.some((one) => one.id === lost);
    this.right('a loss by whom it takes', own || proxys || author.roles.includes('administrator'));
    const known = s.losses.find((one) => one.id === lost);
    const losses = s.losses.filter((one) => one !== known);
    const entry = { id: lost, since: Math.min(since, known?.since ?? since) };
    return { ...s, losses: [...losses, entry], proxies: s.proxies.filter((one) => one.id !== lost) };
  }
}

/** The same day ten years later; of a leap day that there is not, the day after. */
export function tenYearsAfter(time: number): number {
  return years(time, TEN);
}

function years(time: number, count: number): number {
  const then = new Date(time);
  const clock = time - Date.UTC(then.getUTCFullYear(), then.getUTCMonth(), then.getUTCDate());
  return Date.UTC(then.getUTCFullYear() + count, then.getUTCMonth(), then.getUTCDate()) + clock;
}
