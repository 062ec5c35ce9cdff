/**
 * Every verdict of test/vectors/authority.json derived again by a checker that shares no code with src; and of each of
 * its checks, whether a case of the vectors needs it.
 */

import { describe, expect, it } from 'vitest';
import { combine, expand, opened, openHpke, openSealedOnce } from '../hpke.ts';
import { T, unhexed } from '../tuple.ts';
import { casesOf, readVectors, type CaseOf } from '../vectors/file.ts';
import type { AuthorityCase, PartyJson } from '../vectors/generators/authority.ts';
import {
  appointment,
  card,
  encoded,
  number,
  Refused,
  request,
  seen,
  statement,
  tenYearsAfter,
  Verifier,
  type Card,
  type Without,
} from './independent-authority.ts';

const file = readVectors<AuthorityCase>('authority');
const lives = new Map(casesOf(file, 'life').map((life) => [life.name, stages(life)]));
const anchor = card(unhexed(casesOf(file, 'life')[0]!.credentials[0]!));
const of = (encoded_: string): Card => card(unhexed(encoded_), anchor);

/** The verifier after each entry of a life, and before the first. */
function stages(life: CaseOf<AuthorityCase, 'life'>): Verifier[] {
  const verifier = new Verifier(life);
  return [
    verifier.fork(),
    ...life.entries.map((one) => {
      verifier.take(one);
      return verifier.fork();
    }),
  ];
}

function codeOf(run: () => unknown): string | null {
  try {
    run();
    return null;
  } catch (error) {
    if (error instanceof Refused) return error.code;
    throw error;
  }
}

function refuse(one: CaseOf<AuthorityCase, 'refused'>, off: Without = new Set()): string | null {
  const verifier = lives.get(one.life)![one.after]!.fork();
  [verifier.now, verifier.off] = [one.now, off];
  return codeOf(() => verifier.take(one));
}

describe('lives', () => {
  it.each(casesOf(file, 'life'))('$name', ({ name, entries }) => {
    const states = lives.get(name)!.map(({ state }) => encoded(state).toString('hex'));
    expect(states.slice(1)).toEqual(entries.map(({ authority }) => authority));
  });

  it.each(casesOf(file, 'refused'))('refuse: $name', (one) => {
    expect(refuse(one)).toBe(one.error);
  });

  it('need every check: without it, something of the vectors passes', () => {
    const cases = casesOf(file, 'refused');
    const bad = casesOf(file, 'verify appointment');
    const idle = [...seen].filter((name) => {
      const off = new Set([name]);
      const passes = (run: () => string | null): boolean => {
        try {
          return run() === null;
        } catch {
          return false;
        }
      };
      const asked = codeOfAppointment.bind(null, off);
      return (
        !cases.some((one) => passes(() => refuse(one, off))) && !bad.some((one) => passes(() => asked(one)))
      );
    });
    expect(idle).toEqual([]);
  });
});

function codeOfAppointment(off: Without, one: CaseOf<AuthorityCase, 'verify appointment'>): string | null {
  return codeOf(() => appointment(unhexed(one.signed), of(one.owner), off));
}

const keysOf = (party: PartyJson) => {
  const { id, sealing } = of(String(party.credential));
  return { id, secret: unhexed(String(party.sealingSecret)), publicKey: sealing };
};
const suite = T('suite', 32, 'none');
type Appointment = ReturnType<typeof appointment>;

/** A share that was sealed to somebody, if it is the one that the owner committed to. */
function share(
  about: Appointment,
  place: number,
  to: { secret: Buffer; publicKey: Buffer },
  bound: { info: Buffer; aad: Buffer; sealed: { encapsulation: Buffer; ciphertext: Buffer } },
): Buffer | null {
  let found: Buffer;
  try {
    [found] = opened(openHpke(to, bound.info, bound.aad, bound.sealed), 'guardian share') as [Buffer];
  } catch {
    return null;
  }
  const label = T('guardian share commitment', about.recordId, about.owner, about.number, found[0]!);
  const right = expand(found.subarray(1), label, 32).equals(about.guardians[place - 1]!.commitment);
  return right && found[0] === place ? found : null;
}

/** A guardian's own share. */
function ownShare(about: Appointment, guardian: ReturnType<typeof keysOf>): Buffer | null {
  const place = about.guardians.findIndex(({ id }) => id === guardian.id) + 1;
  const own = about.guardians[place - 1];
  if (own === undefined) return null;
  const { recordId, owner, number: count, threshold } = about;
  const aad = T('guardian wrap aad', recordId, owner, count, threshold, place, own.commitment);
  const info = T('guardian wrap', suite, own.raw);
  return share(about, place, guardian, { info, aad, sealed: own });
}

/** A share that a guardian sealed to the claimant. */
function approvedShare(
  about: Appointment,
  asked: ReturnType<typeof request>,
  guardian: Card,
  claimant: { id: string; secret: Buffer; publicKey: Buffer },
  word: Buffer,
): Buffer | null {
  const [named, encapsulation, ciphertext] = opened(statement(word, guardian), 'recovery approval');
  const place = about.guardians.findIndex(({ id }) => id === guardian.id) + 1;
  if (named!.toString('hex') !== asked.digest || place === 0) throw new Refused('KEY_RECOVERY');
  const info = T('recovery wrap', suite, unhexed(guardian.id), unhexed(claimant.id));
  const aad = T('recovery wrap aad', unhexed(asked.digest));
  const sealed = { encapsulation: encapsulation!, ciphertext: ciphertext! };
  return share(about, place, claimant, { info, aad, sealed });
}

function rootOf(about: Appointment, recoveryKey: Buffer): string {
  const context = T('recovery root context', about.recordId, about.owner, about.number);
  const plaintext = openSealedOnce(recoveryKey, context, about.sealedRoot);
  return opened(plaintext, 'recovery root')[0]!.toString('hex');
}

describe('guardians', () => {
  it.each(casesOf(file, 'appoint'))('$name', (one) => {
    const about = appointment(unhexed(one.signed), of(String(one.owner.credential)));
    expect(about.guardians.map(({ id }) => id)).toEqual(one.guardians.map((encoded_) => of(encoded_).id));
    expect(rootOf(about, unhexed(one.recoveryKey))).toBe(one.root);
    const shares = one.shares.map(unhexed);
    expect(combine(shares.slice(1)).toString('hex')).toBe(one.recoveryKey);
    expect(combine(shares.slice(0, 1)).toString('hex')).not.toBe(one.recoveryKey);
    for (const approval of casesOf(file, 'approve').filter(({ signed }) => signed)) {
      const guardian = keysOf(approval.guardian);
      const place = about.guardians.findIndex(({ id }) => id === guardian.id);
      expect(ownShare(about, guardian)).toEqual(shares[place]);
    }
  });

  it.each(casesOf(file, 'verify appointment'))('$name', (one) => {
    expect(codeOfAppointment(new Set(), one)).toBe(one.error);
  });

  it.each(casesOf(file, 'approve'))('$name', (one) => {
    const about = appointment(unhexed(one.appointment), of(one.owner));
    const claimant = of(one.claimant);
    const asked = request(unhexed(one.request), claimant);
    const { holding, at } = one;
    const present = of(holding.owner);
    const stands =
      asked.appointment === about.digest &&
      about.digest === holding.appointment &&
      asked.recordId.equals(about.recordId) &&
      asked.owner === present.id &&
      asked.since === holding.since &&
      claimant.subject === present.subject &&
      claimant.from >= present.from &&
      !holding.spent.includes(claimant.id);
    const inTime =
      at >= claimant.from && at <= claimant.to && at <= asked.until && asked.until <= at + 30 * 86_400_000;
    expect(stands && inTime ? undefined : 'KEY_RECOVERY').toBe(one.error);
    if (one.error !== undefined) return;
    const own = ownShare(about, keysOf(one.guardian));
    expect(own === null).toBe(one.signed === null);
    if (own === null || !one.signed) return;
    // What the guardian sealed opens for the claimant, and is the share.
    const by = casesOf(file, 'recover').find((other) => other.claimant.credential === one.claimant)!;
    const guardian = of(String(one.guardian.credential));
    const found = approvedShare(about, asked, guardian, keysOf(by.claimant), unhexed(one.signed));
    expect(found).toEqual(own);
  });

  it.each(casesOf(file, 'recover'))('$name', (one) => {
    const about = appointment(unhexed(one.appointment), of(one.owner));
    const claimant = keysOf(one.claimant);
    const asked = request(unhexed(one.request), of(String(one.claimant.credential)));
    const wrong: string[] = [];
    const shares: Buffer[] = [];
    const code = codeOf(() => {
      const by = one.approvals.map(({ guardian }) => of(guardian).id);
      if (new Set(by).size !== by.length) throw new Refused('KEY_RECOVERY');
      for (const { guardian, signed } of one.approvals) {
        const found = approvedShare(about, asked, of(guardian), claimant, unhexed(signed));
        if (found === null) wrong.push(of(guardian).id);
        else shares.push(found);
      }
      if (shares.length < about.threshold) throw new Refused('KEY_RECOVERY');
    });
    expect(code ?? undefined).toBe(one.error);
    if (code !== null) return;
    expect({ wrong, root: rootOf(about, combine(shares.slice(0, about.threshold))) }).toEqual({
      ...{ wrong: one.wrong, root: one.root },
    });
  });
});

it.each(casesOf(file, 'retention'))('$name', ({ ground, death, earliest }) => {
  const counts = ground === 'retention' && death !== null;
  expect(counts ? tenYearsAfter(death.stated) : null).toBe(earliest);
});

it('holds a case of every operation', () => {
  expect(new Set(file.cases.map(({ operation }) => operation)).size).toBe(7);
  expect(number(Buffer.from('00000000000003e8', 'hex'))).toBe(1000);
});
