/** Properties of src/keys: every byte altered, hardware-like keys, and what the vectors cannot say. */

import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  ED25519,
  ES256,
  hybridKem,
  KEM_MLKEM768_P256,
  KEM_P256,
  KEM_X25519,
  KEM_XWING,
  ML_DSA_44,
  ML_DSA_65_ED25519,
  sealOnce,
} from '../../src/crypto/index.ts';
import * as password from '../../src/crypto/password.ts';
import {
  answerChallenge,
  challengePossession,
  checkSeen,
  compartmentNode,
  COMPARTMENTS_LIMIT,
  createAnchor,
  createIdentity,
  createKeys,
  createRoot,
  deriveNode,
  enrol,
  exportKeys,
  exposeSecret,
  hasRole,
  hpkeOpenWith,
  importKeys,
  issueCredential,
  KEY_FILE_LIMIT,
  nodeKey,
  openGroup,
  openRoot,
  publishCompartments,
  publishGroup,
  publishNextEpoch,
  readAnchor,
  readCredentialRequest,
  readUnverifiedCredential,
  requestCredential,
  Secret,
  signStatement,
  SoftwareDecapsulator,
  SoftwareSigner,
  STATEMENT_LIMIT,
  verifyCompartments,
  verifyCredential,
  verifyGroup,
  verifyGroupHistory,
  verifyNextEpoch,
  verifySignature,
  verifySignatureAsync,
  verifyStatement,
  type GroupChange,
  type GroupEpoch,
  type Identity,
  type IdentityKeys,
} from '../../src/keys/index.ts';
import { descendLadder } from '../../src/keys/group.ts';
import { toBase64url, tuple, utf8 } from '../../src/wire/index.ts';
import { flipped } from '../mutation.ts';
import { disguised } from '../disguise.ts';
import { refusal, refusalOf } from '../refusal.ts';
import { seededRandom } from '../vectors/generators/seed.ts';
import { hex } from '../vectors/hex.ts';

// Scrypt is what makes a key file dear to open: its answers are remembered, so that every byte can be altered.
vi.mock('../../src/crypto/password.ts', async (original) => {
  const real = await original<typeof password>();
  const answers = new Map<string, Promise<Uint8Array>>();
  return {
    ...real,
    stretch: async (...asked: Parameters<typeof real.stretch>) => {
      const question = JSON.stringify([asked[0], hex(asked[1]), asked[2]]);
      const answer = answers.get(question) ?? real.stretch(...asked);
      answers.set(question, answer);
      return answer;
    },
  };
});

const VALIDITY = { notBefore: 1_700_000_000_000, notAfter: 1_800_000_000_000 };
const NOW = 1_750_000_000_000;
const options = (label: string) => ({ kem: KEM_X25519, random: seededRandom(`keys test ${label}`) }) as const;

let hospital: Identity;
let doctor: Identity;
let patient: Identity;

beforeAll(async () => {
  hospital = await createAnchor({ subject: 'Hospital', roles: ['administrator'], ...VALIDITY }, options('h'));
  doctor = await enrol(hospital, { subject: 'Dr. Ruiz', roles: ['doctor'], ...VALIDITY }, options('d'));
  patient = await enrol(hospital, { subject: 'Núria', roles: ['patient'], ...VALIDITY }, options('p'));
});

afterEach(() => vi.restoreAllMocks());

describe('credentials', () => {
  it('are made by enrolment, X-Wing unless asked otherwise, and verify', async () => {
    const nurse = await enrol(hospital, { subject: 'Nurse', roles: ['nurse', 'night'], ...VALIDITY });
    expect(nurse.handshake.kem).toBe(KEM_XWING);
    const read = verifyCredential(nurse.credential.encoded, hospital.credential, NOW);
    expect(read.id).toEqual(nurse.credential.id);
    expect([hasRole(read, 'night'), hasRole(read, 'nigh'), hasRole(read, '')]).toEqual([true, false, false]);
    expect(nurse.credential.encoded.length).toBeLessThanOrEqual(6144);
  });

  it('refuse every altered byte, and every shorter length', () => {
    const { encoded } = doctor.credential;
    for (let at = 0; at < encoded.length; at++)
      expect(refusal(() => verifyCredential(flipped(encoded, at), hospital.credential, NOW))).toBe(
        'KEY_CREDENTIAL',
      );
    for (let length = 0; length < encoded.length; length++)
      expect(refusal(() => verifyCredential(encoded.subarray(0, length), hospital.credential, NOW))).toBe(
        'KEY_CREDENTIAL',
      );
    const anchor = hospital.credential;
    for (let at = 0; at < anchor.encoded.length; at++)
      expect(refusal(() => readAnchor(flipped(anchor.encoded, at), anchor.id))).toBe('KEY_CREDENTIAL');
    for (let at = 0; at < 32; at++)
      expect(refusal(() => readAnchor(anchor.encoded, flipped(anchor.id, at)))).toBe('KEY_CREDENTIAL');
  });

  it('have no time that is not a number', () => {
    const { encoded } = doctor.credential;
    expect(refusal(() => verifyCredential(encoded, hospital.credential, Number.NaN))).toBe('KEY_CREDENTIAL');
    expect(verifyCredential(encoded, hospital.credential, 'ever').subject).toBe('Dr. Ruiz');
  });

  it('give each content its own identity, altered or not signed', () => {
    const { encoded, id } = doctor.credential;
    const seen = new Set([hex(id)]);
    const start = encoded.indexOf('D'.charCodeAt(0));
    for (let at = start; at < start + 8; at++)
      seen.add(hex(readUnverifiedCredential(flipped(encoded, at)).id));
    expect(seen.size).toBe(9);
    expect(refusal(() => readUnverifiedCredential(encoded.subarray(1)))).toBe('KEY_CREDENTIAL');
  });

  it('do not follow a buffer that changes after they were verified', () => {
    const buffer = Buffer.from(doctor.credential.encoded);
    const credential = verifyCredential(buffer, hospital.credential, NOW);
    buffer.fill(0);
    expect(credential.encoded).toEqual(doctor.credential.encoded);
    expect(credential.signing.publicKey).toEqual(doctor.credential.signing.publicKey);
    expect(credential.serial).toEqual(doctor.credential.serial);
  });

  it('join no keys but their own', () => {
    const { signer, handshake, sealing, credential } = doctor;
    expect(createIdentity({ signer, handshake, sealing }, credential).credential).toBe(credential);
    const others: IdentityKeys[] = [
      { signer: patient.signer, handshake, sealing },
      { signer, handshake: patient.handshake, sealing },
      { signer, handshake, sealing: patient.sealing },
      { signer, handshake: sealing, sealing: handshake },
    ];
    for (const keys of others) expect(refusal(() => createIdentity(keys, credential))).toBe('KEY_CREDENTIAL');
  });
});

describe('possession', () => {
  const claim = { subject: 'Dr. Vila', roles: ['doctor'] };
  const terms = { roles: ['doctor'], ...VALIDITY, serial: new Uint8Array(16) };

  it('refuses every altered byte of the request', async () => {
    const request = await requestCredential(createKeys(options('request')), claim);
    for (let at = 0; at < request.length; at++)
      expect(refusal(() => readCredentialRequest(flipped(request, at)))).toBe('KEY_POSSESSION');
  });

  it('refuses every altered byte of the challenge and of the answer', async () => {
    const keys = createKeys(options('challenge'));
    const request = await requestCredential(keys, claim);
    const { challenge, expected } = challengePossession(request, hospital.credential);
    for (let at = 0; at < challenge.length; at++)
      expect(
        await refusalOf(() => answerChallenge(keys, request, flipped(challenge, at), hospital.credential)),
      ).toBe('KEY_POSSESSION');
    const answer = await answerChallenge(keys, request, challenge, hospital.credential);
    for (let at = 0; at < answer.length; at++) {
      const proof = { expected, answer: flipped(answer, at) };
      expect(await refusalOf(() => issueCredential(hospital, request, proof, terms))).toBe('KEY_POSSESSION');
    }
  });

  it('cannot be proved for somebody else’s public key', async () => {
    // Mallory puts the patient's sealing key into a request of her own.
    const mallory = { ...createKeys(options('mallory')), sealing: patient.sealing };
    const withoutKey: IdentityKeys = {
      ...mallory,
      sealing: {
        kem: KEM_X25519,
        publicKey: patient.sealing.publicKey,
        decapsulate: (e) => mallory.handshake.decapsulate(e),
      },
    };
    const request = await requestCredential(withoutKey, claim);
    const { challenge } = challengePossession(request, hospital.credential);
    expect(await refusalOf(() => answerChallenge(withoutKey, request, challenge, hospital.credential))).toBe(
      'KEY_POSSESSION',
    );
  });

  it('refuses one key pair for two purposes, in a hybrid key too', async () => {
    const scalar = new Uint8Array(32).fill(7);
    const signer = new SoftwareSigner(ES256, new Secret('signing key', scalar));
    const sameScalar = new SoftwareDecapsulator(KEM_P256, new Secret('kem key', scalar));
    const other = SoftwareDecapsulator.generate(KEM_P256);
    const hybrid = hybridKem(
      KEM_MLKEM768_P256,
      { publicKey: other.publicKey, agree: () => new Uint8Array(32) },
      new Uint8Array(64),
    );
    const inHybrid = { kem: KEM_MLKEM768_P256, publicKey: hybrid.publicKey, decapsulate: hybrid.decapsulate };
    const twice: IdentityKeys[] = [
      { signer, handshake: sameScalar, sealing: other },
      { signer, handshake: other, sealing: other },
      { signer, handshake: other, sealing: inHybrid },
    ];
    for (const keys of twice)
      expect(await refusalOf(async () => readCredentialRequest(await requestCredential(keys, claim)))).toBe(
        'KEY_POSSESSION',
      );
    const honest = { signer, handshake: other, sealing: SoftwareDecapsulator.generate(KEM_P256) };
    expect(readCredentialRequest(await requestCredential(honest, claim)).subject).toBe(claim.subject);
  });

  it('lets the terms replace nothing that was proved', async () => {
    const keys = createKeys(options('terms'));
    const request = await requestCredential(keys, claim);
    const { challenge, expected } = challengePossession(request, hospital.credential);
    const answer = await answerChallenge(keys, request, challenge, hospital.credential);
    const tooMany = { ...terms, subject: 'Hospital', sealing: patient.credential.sealing };
    const credential = await issueCredential(hospital, request, { expected, answer }, tooMany);
    expect(credential.subject).toBe('Dr. Vila');
    expect(credential.sealing.publicKey).toEqual(keys.sealing.publicKey);
  });
});

describe('statements', () => {
  it('refuse every altered byte, by the code that its place has', async () => {
    const body = tuple('example statement', 'text');
    const signed = await signStatement(doctor, body);
    expect(verifyStatement(signed, doctor.credential)).toEqual(body);
    const label = 4 + utf8('muniment/1 signed statement').length;
    const lengths = [label, label + 36, signed.length - 68];
    for (let at = 0; at < signed.length; at++) {
      const framing = at < label || lengths.some((start) => at >= start && at < start + 4);
      expect(refusal(() => verifyStatement(flipped(signed, at), doctor.credential))).toBe(
        framing ? 'WIRE_TUPLE' : 'KEY_SIGNATURE',
      );
    }
    expect(refusal(() => verifyStatement(signed, patient.credential))).toBe('KEY_SIGNATURE');
  });

  it('have a limit, which comes first', () => {
    const long = new Uint8Array(STATEMENT_LIMIT + 1);
    expect(refusal(() => verifyStatement(long, doctor.credential))).toBe('WIRE_LIMIT');
    expect(refusal(() => verifyStatement(long.subarray(1), doctor.credential))).toBe('WIRE_TUPLE');
  });
});

describe('key tree', () => {
  it('derives alike from root and node, and otherwise beside it', () => {
    const root = createRoot();
    const [a, b] = [
      { name: 'a', epoch: 0 },
      { name: 'b', epoch: 1 },
    ];
    const node = deriveNode(root, [a]);
    expect(exposeSecret(deriveNode(node, [b]))).toEqual(exposeSecret(deriveNode(root, [a, b])));
    const nodes = [
      root,
      node,
      deriveNode(root, [b]),
      deriveNode(root, [{ ...a, epoch: 1 }]),
      deriveNode(root, [a, b]),
      deriveNode(root, [b, a]),
      deriveNode(root, [{ name: 'a/b', epoch: 1 }]),
      compartmentNode(root, 'a', 2),
    ].map((one) => hex(exposeSecret(one)));
    expect(new Set(nodes).size).toBe(nodes.length);
  });

  it('has every compartment one step below the root, so that no grant of one leads to another', () => {
    const root = createRoot();
    const below = compartmentNode(root, 'a/b', 2);
    expect(exposeSecret(below)).toEqual(exposeSecret(deriveNode(root, [{ name: 'a/b', epoch: 2 }])));
    const parent = compartmentNode(root, 'a', 0);
    expect(exposeSecret(below)).not.toEqual(exposeSecret(deriveNode(parent, [{ name: 'b', epoch: 2 }])));
  });

  it('gives each KEM a key pair of its own', () => {
    const root = createRoot();
    expect(exposeSecret(nodeKey(root, KEM_X25519).secret)).not.toEqual(
      exposeSecret(nodeKey(root, KEM_XWING).secret),
    );
    expect(() => deriveNode(root, [{ name: 'a', epoch: -1 }])).toThrow(RangeError);
  });
});

describe('compartments', () => {
  it('are published, verified and opened by their owner alone', async () => {
    const root = createRoot();
    const record = { recordId: new Uint8Array(16).fill(7), names: ['treatments', 'treatments', 'inbox'] };
    const signed = await publishCompartments(patient, root, record);
    const compartments = verifyCompartments(signed, patient.credential);
    expect(compartments.list.map((one) => one.name)).toEqual(['', 'inbox', 'treatments']);
    expect(exposeSecret(await openRoot(patient, compartments))).toEqual(exposeSecret(root));
    expect(await refusalOf(() => openRoot(doctor, compartments))).toBe('KEY_OPEN');
    const moved = { ...compartments, recordId: new Uint8Array(16) };
    expect(await refusalOf(() => openRoot(patient, moved))).toBe('KEY_OPEN');
  });

  it('hold as many names as the limit', async () => {
    const names = Array.from({ length: COMPARTMENTS_LIMIT - 2 }, (_, i) => String(i));
    const root = createRoot();
    const record = { recordId: new Uint8Array(16), names };
    const signed = await publishCompartments(patient, root, record);
    expect(verifyCompartments(signed, patient.credential).list.length).toBe(COMPARTMENTS_LIMIT);
  });
});

describe('groups', () => {
  it('are opened by members; to others they are nobody’s; by a broken wrap they are refused', async () => {
    const keeper = await enrol(
      hospital,
      { subject: 'Keeper', roles: ['keeper:insurer'], ...VALIDITY },
      options('keeper'),
    );
    const members = [doctor.credential];
    const group = { name: 'insurer', kem: KEM_X25519, members } as const;
    const verified = verifyGroup(await publishGroup(keeper, group), keeper.credential);
    const key = await openGroup(doctor, verified);
    expect(key?.publicKey).toEqual(verified.publicKey);
    expect(await openGroup(patient, verified)).toBeNull();
    const [wrap] = verified.members;
    for (let at = 0; at < wrap!.ciphertext.length; at++) {
      const broken = { ...verified, members: [{ ...wrap!, ciphertext: flipped(wrap!.ciphertext, at) }] };
      expect(await refusalOf(() => openGroup(doctor, broken))).toBe('KEY_OPEN');
    }
    for (const changed of [{ name: 'insurers' }, { epoch: 1 }, { publicKey: new Uint8Array(32) }])
      expect(await refusalOf(() => openGroup(doctor, { ...verified, ...changed }))).toBe('KEY_OPEN');
    // The group's public key beside another private key.
    const other = createKeys(options('group')).sealing.publicKey;
    expect(await refusalOf(() => openGroup(doctor, { ...verified, publicKey: other }))).toBe('KEY_OPEN');
  });
});

describe('epochs of a group', () => {
  const founded = async (): Promise<GroupEpoch> => {
    const members = [keeper.credential, patient.credential];
    const group = { name: 'insurer', kem: KEM_X25519, members } as const;
    return verifyGroup(await publishGroup(keeper, group), keeper.credential);
  };
  let keeper: Identity;

  beforeAll(async () => {
    const profile = { subject: 'Keeper', roles: ['keeper:insurer'], ...VALIDITY };
    keeper = await enrol(hospital, profile, options('keeper of epochs'));
  });

  const changeOf = (history: GroupChange['history']): GroupChange => ({
    kem: KEM_X25519,
    staying: [keeper.credential],
    joining: [doctor.credential],
    leaving: [patient.credential.id],
    history,
  });

  it('refuse every altered byte of a ladder that is needed', async () => {
    const first = await founded();
    const history = await openGroup(keeper, first);
    const second = verifyGroup(await publishNextEpoch(keeper, first, changeOf(history!)), keeper.credential);
    const key = (await openGroup(doctor, second))!;
    const { encapsulation, ciphertext } = second.ladder!;
    expect((await descendLadder({ group: second, key }, first))?.publicKey).toEqual(first.publicKey);
    for (let at = 0; at < ciphertext.length; at++) {
      const group = { ...second, ladder: { encapsulation, ciphertext: flipped(ciphertext, at) } };
      expect(await refusalOf(() => descendLadder({ group, key }, first))).toBe('KEY_OPEN');
    }
    for (const changed of [{ epoch: 7 }, { publicKey: key.publicKey }, { kem: KEM_P256 }])
      expect(await refusalOf(() => descendLadder({ group: second, key }, { ...first, ...changed }))).toBe(
        'KEY_OPEN',
      );
  });

  it('take up to 256 members, and no more', async () => {
    const { credential } = keeper;
    const members = Array.from({ length: 257 }, (_, i) => ({ ...credential, id: randomId(i) }));
    const most = { name: 'insurer', kem: KEM_X25519, members: members.slice(1) } as const;
    expect(verifyGroup(await publishGroup(keeper, most), credential).members.length).toBe(256);
    expect(await refusalOf(() => publishGroup(keeper, { ...most, members }))).toBe('KEY_CHANGE');
  });

  it('are judged by those who keep the group, after one another', async () => {
    const first = await founded();
    const profile = { subject: 'Keeper', roles: ['keeper:insurer'], ...VALIDITY };
    const renewed = await enrol(hospital, profile, options('renewed keeper'));
    const signed = await publishNextEpoch(renewed, first, changeOf('no history'));
    expect(verifyNextEpoch(signed, renewed.credential, first).epoch).toBe(1);
    expect(refusal(() => verifyNextEpoch(signed, keeper.credential, first))).toBe('KEY_SIGNATURE');
    const both = [keeper.credential, renewed.credential];
    const seen = checkSeen(first, null);
    expect(verifyGroupHistory([signed], both, seen).newest.members.length).toBe(2);
  });

  it('of another group do not follow', async () => {
    const first = await founded();
    const profile = { subject: 'Keeper', roles: ['keeper:insurer', 'keeper:team'], ...VALIDITY };
    const both = await enrol(hospital, profile, options('keeper of two'));
    const renamed = await publishNextEpoch(both, { ...first, name: 'team' }, changeOf('no history'));
    expect(refusal(() => verifyNextEpoch(renamed, both.credential, first))).toBe('KEY_SUCCESSION');
  });
});

const randomId = (number: number): Uint8Array => seededRandom(`keys test id ${number}`)(32);

describe('key files', () => {
  it('refuse every altered character', async () => {
    const keys = createKeys(options('file'));
    const cost = { n: 2 ** 14, r: 8, p: 1 };
    const salt = seededRandom('keys test salt')(32);
    const key = await password.stretch('passphrase', salt, cost);
    const seeds = [keys.signer.secret, keys.handshake.secret, keys.sealing.secret].map(exposeSecret);
    const content = tuple('key file', ED25519, seeds[0]!, KEM_X25519, seeds[1]!, KEM_X25519, seeds[2]!);
    const sealed = sealOnce(key, tuple('key file context', cost.n, 8, 1, salt), content);
    const file = {
      format: 'muniment key file 2',
      ...cost,
      salt: toBase64url(salt),
      sealed: toBase64url(sealed),
    };
    const text = JSON.stringify(file) + '\n';
    expect((await importKeys(text, 'passphrase')).signer.publicKey).toEqual(keys.signer.publicKey);
    const codes: Record<string, number> = {};
    for (let at = 0; at < text.length; at++) {
      const altered = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);
      const code = await refusalOf(() => importKeys(altered, 'passphrase'));
      codes[code] = (codes[code] ?? 0) + 1;
      const inText = [file.salt, file.sealed].some((value) => {
        const start = text.indexOf(value);
        return at >= start && at < start + value.length;
      });
      if (!inText) expect(code).toBe('KEY_FILE');
    }
    expect(Object.keys(codes).sort()).toEqual(['KEY_FILE', 'KEY_PASSPHRASE']);
    expect(codes['KEY_PASSPHRASE']).toBeGreaterThan(300);
  });

  it('have a limit, which comes before the work', async () => {
    const stretched = vi.spyOn(password, 'stretch');
    const text = JSON.stringify({ format: 'muniment key file 2' }).padEnd(KEY_FILE_LIMIT + 1);
    expect(await refusalOf(() => importKeys(text, 'passphrase'))).toBe('KEY_FILE');
    expect(stretched).not.toHaveBeenCalled();
  });

  it('hold keys of every algorithm', async () => {
    const keys = createKeys({ ...options('all'), kem: KEM_P256, algorithm: ML_DSA_65_ED25519 });
    const read = await importKeys(await exportKeys(keys, 'passphrase'), 'passphrase');
    expect([read.signer.algorithm, read.sealing.kem]).toEqual([ML_DSA_65_ED25519, KEM_P256]);
    expect(read.signer.publicKey).toEqual(keys.signer.publicKey);
    expect(read.handshake.publicKey).toEqual(keys.handshake.publicKey);
  });

  it('are made of secrets that are keys', () => {
    for (const length of [0, 31, 33, 64])
      expect(
        () => new SoftwareDecapsulator(KEM_X25519, new Secret('kem key', new Uint8Array(length).fill(1))),
      ).toThrow(RangeError);
    for (const bytes of [new Uint8Array(32), new Uint8Array(32).fill(0xff)]) {
      expect(() => new SoftwareDecapsulator(KEM_P256, new Secret('kem key', bytes))).toThrow(RangeError);
      expect(() => new SoftwareSigner(ES256, new Secret('signing key', bytes))).toThrow(RangeError);
    }
  });
});

describe('ports', () => {
  it('work with keys that never show themselves', async () => {
    const inside = createKeys(options('card'));
    // What a card offers: public keys and two operations.
    const card: IdentityKeys = {
      signer: {
        algorithm: 'Ed25519',
        publicKey: inside.signer.publicKey,
        sign: (message) => inside.signer.sign(message),
      },
      handshake: decapsulator(inside.handshake),
      sealing: decapsulator(inside.sealing),
    };
    const request = await requestCredential(card, { subject: 'Card', roles: ['patient'] });
    const { challenge, expected } = challengePossession(request, hospital.credential);
    const answer = await answerChallenge(card, request, challenge, hospital.credential);
    const terms = { roles: ['patient'], ...VALIDITY, serial: new Uint8Array(16) };
    const credential = await issueCredential(hospital, request, { expected, answer }, terms);
    expect(createIdentity(card, credential).credential.subject).toBe('Card');
  });

  it('reject, and never throw, on a bad encapsulation', async () => {
    const key = createKeys(options('port')).sealing;
    const promise = key.decapsulate(new Uint8Array(31));
    await expect(promise).rejects.toMatchObject({ code: 'KEY_OPEN' });
    const sealed = { encapsulation: new Uint8Array(33), ciphertext: new Uint8Array(16) };
    expect(await refusalOf(() => hpkeOpenWith(key, sealed.ciphertext, sealed.ciphertext, sealed))).toBe(
      'KEY_OPEN',
    );
  });

  it.each([ED25519, ES256, ML_DSA_65_ED25519])(
    'sign with %s, and with nothing that it is not',
    async (name) => {
      const message = utf8('message');
      const { signer } = createKeys({ ...options('signer'), algorithm: name });
      const signature = await signer.sign(message);
      expect(verifySignature(signer, message, signature)).toBe(message);
      expect(await verifySignatureAsync(signer, message, signature)).toEqual(message);
      const { fake, memory } = disguised(message);
      const waiting = verifySignatureAsync(signer, fake, signature);
      memory.fill(0);
      await expect(waiting).rejects.toMatchObject({ code: 'KEY_SIGNATURE' });
      for (const algorithm of [ED25519, ES256, ML_DSA_65_ED25519, name.toLowerCase(), '']) {
        const { publicKey } = signer;
        if (algorithm !== name)
          expect(['KEY_ALGORITHM', 'KEY_PUBLIC']).toContain(
            refusal(() => verifySignature({ algorithm, publicKey }, message, signature)),
          );
      }
    },
  );

  it('keep ML-DSA-44 to checkpoints', () => {
    expect(refusal(() => createKeys({ algorithm: ML_DSA_44 }))).toBe('KEY_ALGORITHM');
  });

  it('erase an ephemeral key', async () => {
    const key = createKeys(options('erase')).sealing;
    key.erase();
    expect(() => exposeSecret(key.secret)).toThrow(TypeError);
  });
});

describe('secrets', () => {
  it('are handed out as copies, of a Buffer too, and can be erased', () => {
    const bytes = Buffer.from([1, 2, 3]);
    const secret = new Secret('nonce', bytes);
    exposeSecret(secret).fill(0);
    expect(exposeSecret(secret)).toEqual(Uint8Array.of(1, 2, 3));
    secret.erase();
    expect([...bytes]).toEqual([0, 0, 0]);
    expect(() => exposeSecret(secret)).toThrow(TypeError);
  });
});

function decapsulator(key: SoftwareDecapsulator): IdentityKeys['sealing'] {
  return {
    kem: key.kem,
    publicKey: key.publicKey,
    decapsulate: (encapsulation) => key.decapsulate(encapsulation),
  };
}
