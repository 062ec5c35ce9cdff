/** Guardians: two of three bring the root back; fewer, others, late ones and replayed ones do not. */

import { beforeAll, describe, expect, it } from 'vitest';
import { KEM_X25519 } from '../../src/crypto/index.ts';
import {
  appointGuardians,
  approveRecovery,
  createAnchor,
  createRoot,
  enrol,
  exposeSecret,
  GUARDIANS_LIMIT,
  recoverRoot,
  RECOVERY_TERM,
  requestRecovery,
  signStatement,
  verifyAppointment,
  verifyApproval,
  verifyRecoveryRequest,
  verifyStatement,
  type Appointment,
  type Approval,
  type Holding,
  type Identity,
  type RecoveryRequest,
} from '../../src/keys/index.ts';
import { fuzz, FUZZ_TIMEOUT, mutants } from '../fuzz.ts';
import { flipped } from '../mutation.ts';
import { refusal, refusalOf } from '../refusal.ts';
import { seededRandom } from '../vectors/generators/seed.ts';

const random = seededRandom('guardians');
const recordId = new Uint8Array(16).fill(3);
const root = createRoot(random);
const UNTIL = 2000;
let owner: Identity, fresh: Identity, old: Identity, three: Identity[];
let thief: Identity, other: Identity;
let signed: Uint8Array, appointment: Appointment, request: RecoveryRequest, asked: Uint8Array;
let holding: Holding;
const since = new Uint8Array(32).fill(5);

beforeAll(async () => {
  const valid = { notBefore: 0, notAfter: 4e12 };
  const options = { kem: KEM_X25519, random };
  const anchor = await createAnchor({ subject: 'admin', roles: ['administrator'], ...valid }, options);
  const make = (subject: string, notBefore = 0): Promise<Identity> =>
    enrol(anchor, { subject, roles: ['patient'], ...valid, notBefore }, options);
  [old, owner, fresh] = [await make('Ana'), await make('Ana', 1), await make('Ana', 1)];
  [thief, other] = [await make('Mallory'), await make('Mallory')];
  three = [await make('Eva'), await make('Bob'), await make('Lea')];
  signed = await appoint(owner);
  appointment = verifyAppointment(signed, owner.credential);
  holding = { owner: owner.credential, appointment: appointment.digest, since, spent: [] };
  asked = await requestRecovery(fresh, { appointment, owner: owner.credential.id, since, until: UNTIL });
  request = verifyRecoveryRequest(asked, fresh.credential);
});

const appoint = (by: Identity, changes: object = {}): Promise<Uint8Array> =>
  appointGuardians(
    by,
    root,
    { recordId, threshold: 2, guardians: three.map((one) => one.credential), previous: null, ...changes },
    random,
  );

async function approval(guardian: Identity, about = { appointment, request }): Promise<Approval> {
  const made = await approveRecovery(guardian, about.appointment, about.request, {
    holding,
    at: UNTIL,
    random,
  });
  if (made === null) throw new Error('no guardian');
  return verifyApproval(made, guardian.credential, about);
}

describe('a recovery', () => {
  it('gives the root back to any two of three, and to all three', async () => {
    const all = await Promise.all(three.map((one) => approval(one)));
    for (const some of [
      [0, 1],
      [1, 2],
      [2, 0],
      [0, 1, 2],
    ]) {
      const { root: back, wrong } = await recoverRoot(
        fresh,
        { appointment, request },
        some.map((i) => all[i]!),
      );
      expect(exposeSecret(back)).toEqual(exposeSecret(root));
      expect(wrong).toEqual([]);
    }
  });

  it('needs two, and two different ones', async () => {
    const one = await approval(three[0]!);
    for (const some of [[], [one], [one, one]])
      expect(await refusalOf(() => recoverRoot(fresh, { appointment, request }, some))).toBe('KEY_RECOVERY');
  });

  it('names the guardian whose share is wrong, and does without it', async () => {
    const [first, second, third] = await Promise.all(three.map((one) => approval(one)));
    const spoilt = { ...first!, ciphertext: flipped(first!.ciphertext, 0) };
    const moved = { ...first!, encapsulation: second!.encapsulation, ciphertext: second!.ciphertext };
    for (const bad of [spoilt, moved]) {
      const { root: back, wrong } = await recoverRoot(fresh, { appointment, request }, [
        bad,
        second!,
        third!,
      ]);
      expect(exposeSecret(back)).toEqual(exposeSecret(root));
      expect(wrong).toEqual([three[0]!.credential.id]);
      const few = () => recoverRoot(fresh, { appointment, request }, [bad, second!]);
      expect(await refusalOf(few)).toBe('KEY_RECOVERY');
    }
  });

  it('blames no guardian for what was approved for another request', async () => {
    const again = await requestRecovery(fresh, {
      appointment,
      owner: owner.credential.id,
      since,
      until: UNTIL + 1,
    });
    const other = verifyRecoveryRequest(again, fresh.credential);
    const some = [await approval(three[0]!), await approval(three[1]!, { appointment, request: other })];
    expect(await refusalOf(() => recoverRoot(fresh, { appointment, request }, some))).toBe('KEY_RECOVERY');
  });

  it('opens for nobody but the claimant', async () => {
    const some = [await approval(three[0]!), await approval(three[1]!)];
    for (const other of [owner, thief, three[0]!])
      expect(await refusalOf(() => recoverRoot(other, { appointment, request }, some))).toBe('KEY_RECOVERY');
  });
});

describe('a guardian', () => {
  it('approves nothing late, of another appointment or for another subject', async () => {
    const at = (time: number, about = appointment, what = request): Promise<unknown> =>
      approveRecovery(three[0]!, about, what, { holding, at: time, random });
    for (const time of [UNTIL + 1, NaN]) expect(await refusalOf(() => at(time))).toBe('KEY_RECOVERY');
    const next = verifyAppointment(await appoint(owner, { previous: appointment }), owner.credential);
    expect(next).toMatchObject({ number: 1, previous: appointment.digest });
    expect(await refusalOf(() => at(1, next))).toBe('KEY_RECOVERY');
    // Past the credential of whoever asks: the keys of long ago open nothing more.
    const far = await requestRecovery(fresh, { appointment, owner: owner.credential.id, since, until: 5e12 });
    const late = verifyRecoveryRequest(far, fresh.credential);
    expect(await refusalOf(() => at(4e12 + 1, appointment, late))).toBe('KEY_RECOVERY');
    const theirs = await requestRecovery(thief, {
      appointment,
      owner: owner.credential.id,
      since,
      until: UNTIL,
    });
    const byThief = verifyRecoveryRequest(theirs, thief.credential);
    expect(await refusalOf(() => at(1, appointment, byThief))).toBe('KEY_RECOVERY');
  });

  it('opens no share that was copied into another owner’s appointment', async () => {
    const { guardians, sealedRoot } = appointment;
    const { tuple } = await import('../../src/wire/index.ts');
    const items = guardians.map((g) => [g.id, g.commitment, g.encapsulation, g.ciphertext]);
    const { id } = thief.credential;
    const body = tuple('guardian appointment', recordId, id, 0, new Uint8Array(32), 2, sealedRoot, items);
    const copied = verifyAppointment(await signStatement(thief, body), thief.credential);
    const about = { appointment: copied, owner: id, since, until: UNTIL };
    const what = verifyRecoveryRequest(await requestRecovery(other, about), other.credential);
    const theirs = { holding: { ...holding, owner: thief.credential, appointment: copied.digest }, at: 1 };
    expect(await refusalOf(() => approveRecovery(three[0]!, copied, what, theirs))).toBe('KEY_OPEN');
  });

  it('goes by the record as it stands, whatever old key of the owner’s asks', async () => {
    const run = (changes: Partial<Holding>, about = appointment, what = request): Promise<unknown> =>
      refusalOf(() =>
        approveRecovery(three[0]!, about, what, { holding: { ...holding, ...changes }, at: 1 }),
      );
    // The record has another owner by now; or new guardians; or was never as the claimant says.
    expect(await run({ owner: fresh.credential })).toBe('KEY_RECOVERY');
    expect(await run({ owner: old.credential })).toBe('KEY_RECOVERY');
    expect(await run({ appointment: new Uint8Array(32) })).toBe('KEY_RECOVERY');
    expect(await run({ since: new Uint8Array(32) })).toBe('KEY_RECOVERY');
    // The claimant owned it before, or its key was lost; or it is older than the owner's.
    expect(await run({ spent: [thief.credential.id, fresh.credential.id] })).toBe('KEY_RECOVERY');
    const by = { appointment, owner: owner.credential.id, since, until: UNTIL };
    const found = verifyRecoveryRequest(await requestRecovery(old, by), old.credential);
    expect(await run({}, appointment, found)).toBe('KEY_RECOVERY');
    // An earlier appointment, rightly signed, and a request that fits it.
    const next = verifyAppointment(await appoint(owner, { previous: appointment }), owner.credential);
    expect(await run({ appointment: next.digest })).toBe('KEY_RECOVERY');
    const good = { holding: { ...holding, spent: [thief.credential.id] }, at: 1 };
    expect(await approveRecovery(three[0]!, appointment, request, good)).not.toBe(null);
  });

  it('approves for 30 days at most', async () => {
    const approve = async (until: number): Promise<unknown> => {
      const about = { appointment, owner: owner.credential.id, since, until };
      const what = verifyRecoveryRequest(await requestRecovery(fresh, about), fresh.credential);
      return approveRecovery(three[0]!, appointment, what, { holding, at: 10 });
    };
    expect(await approve(RECOVERY_TERM + 10)).not.toBe(null);
    expect(await refusalOf(() => approve(RECOVERY_TERM + 11))).toBe('KEY_RECOVERY');
  });

  it('that is none is told so', async () => {
    expect(await approveRecovery(thief, appointment, request, { holding, at: 1 })).toBe(null);
  });
});

describe('an approval', () => {
  it('is for one request, from a guardian of that appointment, and whole', async () => {
    const made = (await approveRecovery(three[0]!, appointment, request, { holding, at: 1, random }))!;
    const later = { appointment, owner: owner.credential.id, since, until: UNTIL + 1 };
    const other = verifyRecoveryRequest(await requestRecovery(fresh, later), fresh.credential);
    const by = three[0]!.credential;
    expect(refusal(() => verifyApproval(made, by, { appointment, request: other }))).toBe('KEY_RECOVERY');
    expect(refusal(() => verifyApproval(made, three[1]!.credential, { appointment, request }))).toBe(
      'KEY_SIGNATURE',
    );
    const outside = await signStatement(thief, verifyStatement(made, by));
    const run = () => verifyApproval(outside, thief.credential, { appointment, request });
    expect(refusal(run)).toBe('KEY_RECOVERY');
    for (let i = 0; i < made.length; i++)
      expect(() => verifyApproval(flipped(made, i), by, { appointment, request })).toThrow();
  });
});

describe('an appointment', () => {
  it('names two to sixteen others, and no fewer than two of them', async () => {
    const credentials = three.map((one) => one.credential);
    for (const changes of [
      { threshold: 1 },
      { threshold: 4 },
      { threshold: 2.5 },
      { guardians: credentials.slice(0, 1) },
      { guardians: [credentials[0], credentials[0], credentials[1]] },
      { guardians: [...credentials, fresh.credential] },
      { guardians: Array.from({ length: GUARDIANS_LIMIT + 1 }, () => credentials[0]) },
      { previous: { ...appointment, recordId: new Uint8Array(16) } },
    ])
      expect(await refusalOf(() => appoint(owner, changes))).toBe('KEY_CHANGE');
  });

  it('leaves no secret behind, whether it is signed or not', async () => {
    const drawn: Uint8Array[] = [];
    const remember = (length: number): Uint8Array => {
      const bytes = random(length);
      drawn.push(bytes);
      return bytes;
    };
    const fail = { sign: () => Promise.reject(new Error('card')), algorithm: owner.signer.algorithm };
    for (const signer of [owner.signer, fail as unknown as Identity['signer']]) {
      drawn.length = 0;
      const guardians = three.map((one) => one.credential);
      const terms = { recordId, threshold: 3, guardians, previous: null };
      await appointGuardians({ ...owner, signer }, root, terms, remember).catch(() => undefined);
      // The recovery key, and the two coefficients that share it.
      expect(drawn.slice(0, 3)).toEqual([0, 1, 2].map(() => new Uint8Array(32)));
    }
    expect(exposeSecret(root)).not.toEqual(new Uint8Array(32));
  });

  it('is its owner’s, to the bit', () => {
    expect(refusal(() => verifyAppointment(signed, thief.credential))).toBe('KEY_SIGNATURE');
    for (let i = 0; i < signed.length; i++)
      expect(() => verifyAppointment(flipped(signed, i), owner.credential)).toThrow();
  });
});

it('no reader of these statements breaks', { timeout: FUZZ_TIMEOUT }, async () => {
  const codes = ['KEY_SIGNATURE', 'WIRE_TUPLE', 'WIRE_LIMIT', 'WIRE_UTF8'] as const;
  await fuzz(mutants([signed, asked]), codes, (bytes) => verifyAppointment(bytes, owner.credential));
  await fuzz(mutants([signed, asked]), codes, (bytes) => verifyRecoveryRequest(bytes, fresh.credential));
  const [eva, about] = [three[0]!, { appointment, request }];
  const made = (await approveRecovery(eva, appointment, request, { holding, at: 1 }))!;
  await fuzz(mutants([made, asked]), [...codes, 'KEY_RECOVERY'], (bytes) =>
    verifyApproval(bytes, eva.credential, about),
  );
  // What lies under a good signature is the attacker's to choose as well.
  const bodies = mutants([verifyStatement(signed, owner.credential)]);
  await fuzz(bodies, codes, async (body) =>
    verifyAppointment(await signStatement(owner, body), owner.credential),
  );
  const requests = mutants([verifyStatement(asked, fresh.credential)]);
  await fuzz(requests, codes, async (body) =>
    verifyRecoveryRequest(await signStatement(fresh, body), fresh.credential),
  );
  const words = mutants([verifyStatement(made, eva.credential)]);
  await fuzz(words, [...codes, 'KEY_RECOVERY'], async (body) =>
    verifyApproval(await signStatement(eva, body), eva.credential, about),
  );
});
