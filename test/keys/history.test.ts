/** Properties of revocations and of key history: that order tells nothing, and that nothing is given back or taken twice. */

import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  ED25519,
  ES256,
  KEM_MLKEM768_P256,
  KEM_P256,
  KEM_X25519,
  KEM_XWING,
  ML_DSA_65_ED25519,
} from '../../src/crypto/index.ts';
import {
  createAnchor,
  createKeyHistory,
  credentialAsOf,
  currentCredential,
  enrol,
  HISTORY_CREDENTIALS_LIMIT,
  HISTORY_REVOCATIONS_LIMIT,
  renounceCredential,
  revokeCredential,
  signStatement,
  verifyCredential,
  verifyRenunciation,
  verifyRevocation,
  type Credential,
  type Identity,
  type KeyHistory,
  type Revocation,
} from '../../src/keys/index.ts';
import { tuple, utf8 } from '../../src/wire/index.ts';
import { flipped } from '../mutation.ts';
import { PROPERTY } from '../property.ts';
import { refusal, refusalOf } from '../refusal.ts';
import { seededRandom } from '../vectors/generators/seed.ts';
import { hex } from '../vectors/hex.ts';

const END = 1000;
const options = (label: string) => ({ kem: KEM_X25519, random: seededRandom(`history ${label}`) }) as const;

let hospital: Identity;
let another: Identity;
/** Three credentials of one doctor and one of another, each with its own validity. */
let doctors: Identity[];
/** Statements about them, by their issuer and by themselves, and how each is verified. */
let statements: ((heardAt: number) => Revocation)[];

beforeAll(async () => {
  const anchor = { roles: ['administrator'], notBefore: 0, notAfter: END };
  hospital = await createAnchor({ subject: 'Hospital', ...anchor }, options('hospital'));
  another = await createAnchor({ subject: 'Another', ...anchor }, options('another'));
  const terms = [
    { subject: 'Dr. Ruiz', notBefore: 0, notAfter: END },
    { subject: 'Dr. Ruiz', notBefore: 300, notAfter: 700 },
    { subject: 'Dr. Ruiz', notBefore: 300, notAfter: END },
    { subject: 'Dr. Vila', notBefore: 100, notAfter: 900 },
  ];
  doctors = [];
  for (const [i, term] of terms.entries())
    doctors.push(await enrol(hospital, { roles: ['doctor'], ...term }, options(`doctor ${String(i)}`)));
  statements = [];
  for (const doctor of doctors) {
    for (const term of [
      { reason: 'superseded', revokedAt: 400 },
      { reason: 'ceased', revokedAt: 0 },
      { reason: 'ceased', revokedAt: 800 },
      { reason: 'compromised', doubtfulFrom: 200, revokedAt: 500 },
      { reason: 'compromised', doubtfulFrom: 450, revokedAt: 450 },
    ] as const) {
      const signed = await revokeCredential(hospital, doctor.credential, term);
      statements.push((heardAt) => verifyRevocation(signed, hospital.credential, heardAt));
    }
    const signed = await renounceCredential(doctor);
    statements.push((heardAt) => verifyRenunciation(signed, doctor.credential, heardAt));
  }
});

const moment = fc.integer({ min: 0, max: END + 50 });

/** Some of the statements, each heard at some time, some of them more than once. */
const heard = (): fc.Arbitrary<Revocation[]> =>
  fc.array(
    fc.tuple(fc.nat({ max: 23 }), moment).map(([which, heardAt]) => statements[which]!(heardAt)),
    { maxLength: 8 },
  );

const historyOf = (
  revocations: readonly Revocation[],
  of: readonly Credential[] = credentials(),
): KeyHistory => createKeyHistory(hospital.credential, { credentials: of, revocations });

const credentials = (): Credential[] => doctors.map(({ credential }) => credential);

/** What a history says of a credential at a time, as a number: the less, the more was taken away. */
function verdict(history: KeyHistory, { id }: Credential, at: number): number {
  try {
    return credentialAsOf(history, id, at).standing === 'valid' ? 3 : 2;
  } catch (error) {
    return (error as { code: string }).code === 'KEY_REVOKED' ? 1 : 0;
  }
}

function current(history: KeyHistory, subject: string, at: number): string {
  try {
    return hex(currentCredential(history, subject, at).id);
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('a history', () => {
  it('is the same in whatever order its material comes, and however often', () => {
    const shuffled = heard().chain((revocations) =>
      fc.record({
        revocations: fc.constant(revocations),
        again: fc.shuffledSubarray([...revocations, ...revocations], { minLength: revocations.length * 2 }),
        credentials: fc.shuffledSubarray([...credentials(), ...credentials()], { minLength: 8 }),
        at: moment,
      }),
    );
    fc.assert(
      fc.property(shuffled, (given) => {
        const [one, two] = [historyOf(given.revocations), historyOf(given.again, given.credentials)];
        for (const credential of credentials())
          expect(verdict(two, credential, given.at)).toBe(verdict(one, credential, given.at));
        for (const subject of ['Dr. Ruiz', 'Dr. Vila'])
          expect(current(two, subject, given.at)).toBe(current(one, subject, given.at));
      }),
      PROPERTY,
    );
  });

  it('loses by every further revocation, and never gains', () => {
    fc.assert(
      fc.property(heard(), heard(), moment, (some, more, at) => {
        for (const credential of credentials())
          expect(verdict(historyOf([...some, ...more]), credential, at)).toBeLessThanOrEqual(
            verdict(historyOf(some), credential, at),
          );
      }),
      PROPERTY,
    );
  });

  it('makes nothing invalid that was made before anybody heard: doubtful at most', () => {
    fc.assert(
      fc.property(fc.nat({ max: 23 }), moment, moment, (which, heardAt, at) => {
        fc.pre(at < heardAt);
        const after = historyOf([statements[which]!(heardAt)]);
        for (const credential of credentials())
          if (verdict(historyOf([]), credential, at) === 3)
            expect(verdict(after, credential, at)).toBeGreaterThanOrEqual(2);
      }),
      PROPERTY,
    );
  });

  it('lets a renunciation cast no doubt on what was signed before it was heard', () => {
    const own = historyOf([5, 11, 17, 23].map((which) => statements[which]!(600)));
    for (const credential of credentials()) {
      expect(verdict(own, credential, 599)).toBe(3);
      expect(verdict(own, credential, 600)).toBe(1);
    }
  });

  it('judges as its rules do when they are written down one by one', () => {
    fc.assert(
      fc.property(heard(), moment, (revocations, at) => {
        const history = historyOf(revocations);
        for (const credential of credentials()) {
          const own = revocations.filter((one) => hex(one.credential) === hex(credential.id));
          const outside = at < credential.notBefore || at > credential.notAfter;
          const revoked = own.some(({ revokedFrom }) => revokedFrom <= at);
          const doubted = own.some(({ doubtfulFrom }) => doubtfulFrom <= at);
          expect(verdict(history, credential, at)).toBe(outside ? 0 : revoked ? 1 : doubted ? 2 : 3);
        }
      }),
      PROPERTY,
    );
  });

  it('has no time that is no number', () => {
    const history = historyOf([]);
    for (const at of [Number.NaN, Infinity, -Infinity, -1]) {
      expect(refusal(() => credentialAsOf(history, doctors[0]!.credential.id, at))).toBe('KEY_CREDENTIAL');
      expect(refusal(() => currentCredential(history, 'Dr. Ruiz', at))).toBe('KEY_CREDENTIAL');
    }
  });

  it('knows no subject and no Id but those it was given', () => {
    const history = historyOf([]);
    for (const subject of ['', '__proto__', 'constructor', 'Hospital'])
      expect(refusal(() => currentCredential(history, subject, 1))).toBe('KEY_CREDENTIAL');
    for (const id of [new Uint8Array(0), hospital.credential.id, doctors[0]!.credential.id.subarray(1)])
      expect(refusal(() => credentialAsOf(history, id, 1))).toBe('KEY_CREDENTIAL');
  });

  it('takes the same of two encodings of one credential', async () => {
    // Where the platform signs with ES256 it draws randomness, and where it does not the encodings are equal.
    const profile = { subject: 'Hospital', roles: ['administrator'], notBefore: 0, notAfter: END };
    const issuer = await createAnchor(profile, { ...options('drawing'), algorithm: ES256 });
    const enrolled = async (): Promise<Credential> =>
      (await enrol(issuer, { ...profile, subject: 'Dr. Ruiz' }, options('drawn'))).credential;
    const twice = [await enrolled(), await enrolled()];
    // Any encoding stands for the others; a last one that surely differs.
    const again: Credential = { ...twice[0]!, encoded: flipped(twice[0]!.encoded, 0) };
    expect(new Set([...twice, again].map(({ id }) => hex(id))).size).toBe(1);
    const kept = fc.shuffledSubarray([...twice, again], { minLength: 3 }).map((given) => {
      const history = createKeyHistory(issuer.credential, { credentials: given, revocations: [] });
      return hex(credentialAsOf(history, again.id, 0).credential.encoded);
    });
    const first = [...twice, again].map(({ encoded }) => hex(encoded)).sort()[0];
    fc.assert(
      fc.property(kept, (encoded) => encoded === first),
      { ...PROPERTY, numRuns: 20 },
    );
  });

  it('is of one issuer, who alone takes back', async () => {
    const { credential } = await enrol(
      another,
      { subject: 'Dr. Ruiz', roles: ['doctor'], notBefore: 0, notAfter: END },
      options('foreign'),
    );
    expect(refusal(() => historyOf([], [credential]))).toBe('KEY_CREDENTIAL');
    expect(refusal(() => historyOf([], [hospital.credential]))).toBe('KEY_CREDENTIAL');
    // Another hospital that revokes this one's doctor, and a doctor who revokes a colleague.
    for (const author of [another, doctors[3]!]) {
      const body = tuple('revocation', doctors[0]!.credential.id, 'ceased', 0, 0);
      const revocation = verifyRevocation(await signStatement(author, body), author.credential, 0);
      expect(refusal(() => historyOf([revocation]))).toBe('KEY_CREDENTIAL');
    }
  });

  it('passes over revocations of credentials that it does not hold', () => {
    const history = historyOf([statements[0]!(0), statements[5]!(0)], [doctors[3]!.credential]);
    expect(credentialAsOf(history, doctors[3]!.credential.id, 500).standing).toBe('valid');
  });

  it('has limits, which come first', () => {
    const { credential } = doctors[0]!;
    const revocation = statements[2]!(0);
    const full = historyOf(
      new Array<Revocation>(HISTORY_REVOCATIONS_LIMIT).fill(revocation),
      new Array<Credential>(HISTORY_CREDENTIALS_LIMIT).fill(credential),
    );
    expect(credentialAsOf(full, credential.id, 799).standing).toBe('valid');
    expect(refusal(() => credentialAsOf(full, credential.id, 800))).toBe('KEY_REVOKED');
    const foreign = new Array<Credential>(HISTORY_CREDENTIALS_LIMIT + 1).fill(another.credential);
    expect(refusal(() => historyOf([], foreign))).toBe('WIRE_LIMIT');
    const many = new Array<Revocation>(HISTORY_REVOCATIONS_LIMIT + 1).fill(revocation);
    expect(refusal(() => historyOf(many, [another.credential]))).toBe('WIRE_LIMIT');
  });
});

describe('revocations', () => {
  it('refuse every altered byte, by the code that its place has', async () => {
    const [doctor] = doctors as [Identity];
    const theft = { reason: 'compromised', doubtfulFrom: 1, revokedAt: 2 } as const;
    const revocation = await revokeCredential(hospital, doctor.credential, theft);
    const renunciation = await renounceCredential(doctor);
    const verifiers = [
      [revocation, (signed: Uint8Array) => verifyRevocation(signed, hospital.credential, 0)],
      [renunciation, (signed: Uint8Array) => verifyRenunciation(signed, doctor.credential, 0)],
    ] as const;
    for (const [signed, verify] of verifiers) {
      const label = 4 + utf8('muniment/1 signed statement').length;
      const signature = signed.length - 64;
      const lengths = [label, label + 36, signature - 4];
      for (let at = 0; at < signed.length; at++) {
        const framing = at < label || lengths.some((start) => at >= start && at < start + 4);
        expect(refusal(() => verify(flipped(signed, at)))).toBe(framing ? 'WIRE_TUPLE' : 'KEY_SIGNATURE');
      }
      for (let length = 0; length < signed.length; length++)
        expect(refusal(() => verify(signed.subarray(0, length)))).toBe('WIRE_TUPLE');
    }
  });

  it.each([
    [ED25519, KEM_X25519],
    [ES256, KEM_P256],
    [ML_DSA_65_ED25519, KEM_XWING],
    [ES256, KEM_MLKEM768_P256],
  ] as const)('are signed with %s, and judged, like with any other', async (algorithm, kem) => {
    const profile = { roles: ['any'], notBefore: 0, notAfter: END };
    const issuer = await createAnchor({ subject: 'Hospital', ...profile }, { algorithm, kem });
    const subject = await enrol(issuer, { subject: 'Dr. Ruiz', ...profile }, { algorithm, kem });
    const { credential } = subject;
    const theft = { reason: 'compromised', doubtfulFrom: 100, revokedAt: 200 } as const;
    const revocations = [
      verifyRevocation(await revokeCredential(issuer, credential, theft), issuer.credential, 0),
      verifyRenunciation(await renounceCredential(subject), credential, 150),
    ];
    const history = createKeyHistory(issuer.credential, { credentials: [credential], revocations });
    expect([99, 100, 149, 150].map((at) => verdict(history, credential, at))).toEqual([3, 2, 2, 1]);
  });

  it('are heard at a time, or they would take nothing back', async () => {
    const [doctor] = doctors as [Identity];
    const signed = await revokeCredential(hospital, doctor.credential, { reason: 'ceased', revokedAt: 1 });
    const own = await renounceCredential(doctor);
    for (const heardAt of [Number.NaN, Infinity, -1, 0.5]) {
      expect(() => verifyRevocation(signed, hospital.credential, heardAt)).toThrow(RangeError);
      expect(() => verifyRenunciation(own, doctor.credential, heardAt)).toThrow(RangeError);
    }
  });

  it('are made by the issuer alone, and in order', async () => {
    const [doctor] = doctors as [Identity];
    const ceased = { reason: 'ceased', revokedAt: 1 } as const;
    for (const author of [another, doctor])
      expect(await refusalOf(() => revokeCredential(author, doctor.credential, ceased))).toBe(
        'KEY_CREDENTIAL',
      );
    expect(await refusalOf(() => revokeCredential(hospital, hospital.credential, ceased))).toBe(
      'KEY_CREDENTIAL',
    );
    expect(await refusalOf(() => renounceCredential(hospital))).toBe('KEY_CREDENTIAL');
    const theft = { reason: 'compromised', doubtfulFrom: 2, revokedAt: 1 } as const;
    // As a caller without types may have it: signed, it would be refused by everybody.
    for (const wrong of [
      { reason: 'lost', revokedAt: 2 },
      { reason: 'compromised', revokedAt: 2 },
    ])
      await expect(revokeCredential(hospital, doctor.credential, wrong as never)).rejects.toThrow(RangeError);
    await expect(revokeCredential(hospital, doctor.credential, theft)).rejects.toThrow(RangeError);
    await expect(
      revokeCredential(hospital, doctor.credential, { reason: 'ceased', revokedAt: Number.NaN }),
    ).rejects.toThrow(RangeError);
  });

  it('leave the credential itself as it was: who asks for no history is told of none', async () => {
    const [{ credential }] = doctors as [Identity];
    await revokeCredential(hospital, credential, { reason: 'ceased', revokedAt: 0 });
    expect(verifyCredential(credential.encoded, hospital.credential, 1).id).toEqual(credential.id);
  });
});
