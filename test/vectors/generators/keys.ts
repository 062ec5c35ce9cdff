/** Vectors of spec/keys.md: credentials, proof of possession, revocations, key history, key trees, compartments, groups, statements, key files. */

import {
  deriveTuple,
  ED25519,
  ES256,
  hashTuple,
  hpkeSeal,
  kem as kemOf,
  KEM_MLKEM768_P256,
  KEM_P256,
  KEM_X25519,
  KEM_XWING,
  ML_DSA_44,
  ML_DSA_65_ED25519,
  sealOnce,
  sha256,
  stretch,
  type KemId,
} from '../../../src/crypto/index.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import { encodePublicKeys } from '../../../src/keys/credential.ts';
import {
  answerChallenge,
  challengePossession,
  compartmentNode,
  createAnchor,
  createIdentity,
  createKeys,
  createRoot,
  deriveNode,
  enrol,
  exportKeys,
  exposeSecret,
  issueCredential,
  nodeKey,
  openGroup,
  publishCompartments,
  publishGroup,
  publishNextEpoch,
  readAnchor,
  renounceCredential,
  requestCredential,
  revokeCredential,
  rotate,
  Secret,
  signStatement,
  SoftwareDecapsulator,
  SoftwareSigner,
  suite,
  verifyCompartments,
  verifyGroup,
  type Compartment,
  type GroupChange,
  type GroupEpoch,
  type Identity,
  type IdentityKeys,
  type NodeSecret,
  type Profile,
  type RevocationTerms,
  type SoftwareKeys,
  type TreeStep,
} from '../../../src/keys/index.ts';
import {
  encodeItems,
  fromUtf8,
  toBase64url,
  tuple,
  TupleReader,
  utf8,
  type TupleItem,
} from '../../../src/wire/index.ts';
import { flipped } from '../../mutation.ts';
import { deterministicSigner, ed25519Sign } from '../../noble.ts';
import type { VectorCase, VectorFile } from '../file.ts';
import { hex, unhex } from '../hex.ts';
import { recordedRandom, seededRandom } from './seed.ts';

/** The secret keys of a party's three key pairs. */
export interface Seeds {
  readonly kem: number;
  readonly algorithm: string;
  readonly signingSecret: string;
  readonly handshakeSecret: string;
  readonly sealingSecret: string;
}

/** A party whose private keys a vector needs, with its self-issued credential. */
export interface Party extends Seeds {
  readonly credential: string;
}

/** What a credential says, in JSON. */
export interface FieldsJson {
  readonly subject: string;
  readonly roles: readonly string[];
  readonly signing: { readonly algorithm: string; readonly publicKey: string };
  readonly handshake: { readonly kem: number; readonly publicKey: string };
  readonly sealing: { readonly kem: number; readonly publicKey: string };
  readonly notBefore: number;
  readonly notAfter: number;
  readonly serial: string;
  readonly issuer: string;
}

/** A revocation or renunciation in a history: who signed it (the issuer's credential, or the one that it is about), and when it was heard. */
export interface HeardJson {
  readonly kind: 'revocation' | 'renunciation';
  readonly author: string;
  readonly signed: string;
  readonly heardAt: number;
}

/** What a history is made of. */
/** What changes from one epoch of a group to the next: signed statement, credentials, Ids, and the old key or null. */
export interface ChangeJson {
  readonly previous: string;
  readonly kem: number;
  readonly staying: readonly string[];
  readonly joining: readonly string[];
  readonly leaving: readonly string[];
  readonly history: string | null;
}

/** What was seen of a succession. */
export interface SeenJson {
  readonly number: number;
  readonly digest: string;
}

interface HistoryJson {
  readonly issuer: string;
  readonly credentials: readonly string[];
  readonly revocations: readonly HeardJson[];
}

export type KeysCase = VectorCase &
  (
    | {
        readonly operation: 'credential';
        readonly issuerSeed: string;
        readonly fields: FieldsJson;
        readonly publicKeys: string;
        readonly body: string;
        readonly id: string;
        readonly signatureInput: string;
        readonly signature: string;
        readonly encoded: string;
      }
    | {
        readonly operation: 'read anchor';
        readonly encoded: string;
        readonly pinnedId: string;
      }
    | {
        readonly operation: 'verify credential';
        readonly encoded: string;
        readonly issuer: string;
        readonly at: number | 'ever';
        readonly id?: string;
      }
    | {
        readonly operation: 'credential request';
        readonly keys: Seeds;
        readonly subject: string;
        readonly roles: readonly string[];
        readonly body: string;
        readonly signatureInput: string;
        readonly signature: string;
        readonly request: string;
      }
    | { readonly operation: 'read credential request'; readonly request: string }
    | {
        readonly operation: 'possession challenge';
        readonly request: string;
        readonly issuer: string;
        readonly randomness: string;
        readonly requestDigest: string;
        readonly info: { readonly handshake: string; readonly sealing: string };
        readonly aad: { readonly handshake: string; readonly sealing: string };
        readonly expected: string;
        readonly challenge: string;
      }
    | {
        readonly operation: 'answer challenge';
        readonly keys: Seeds;
        readonly request: string;
        readonly challenge: string;
        readonly issuer: string;
        readonly answer?: string;
      }
    | {
        readonly operation: 'issue credential';
        readonly issuer: Party;
        readonly request: string;
        readonly expected: string;
        readonly answer: string;
        readonly roles: readonly string[];
        readonly notBefore: number;
        readonly notAfter: number;
        readonly serial: string;
        readonly encoded?: string;
      }
    | {
        readonly operation: 'tree node';
        readonly root: string;
        readonly path: readonly TreeStep[];
        readonly infos: readonly string[];
        readonly node: string;
      }
    | {
        readonly operation: 'compartment node';
        readonly root: string;
        readonly compartment: string;
        readonly epoch: number;
        readonly path: readonly TreeStep[];
        readonly node: string;
      }
    | {
        readonly operation: 'node key';
        readonly node: string;
        readonly kem: number;
        readonly info: string;
        readonly ikm: string;
        readonly secretKey: string;
        readonly publicKey: string;
      }
    | {
        readonly operation: 'statement';
        readonly author: Party;
        readonly body: string;
        readonly signatureInput: string;
        readonly signed: string;
      }
    | {
        readonly operation: 'verify statement';
        readonly author: string;
        readonly signed: string;
        readonly body?: string;
      }
    | {
        readonly operation: 'revocation';
        readonly issuer: Party;
        readonly credential: string;
        readonly terms: RevocationTerms;
        readonly body: string;
        readonly signed: string;
      }
    | {
        readonly operation: 'verify revocation';
        readonly issuer: string;
        readonly signed: string;
        readonly heardAt: number;
        readonly credential?: string;
        readonly reason?: string;
        readonly doubtfulFrom?: number;
        readonly revokedFrom?: number;
      }
    | {
        readonly operation: 'renunciation';
        readonly issuer: string;
        readonly subject: Party;
        readonly body: string;
        readonly signed: string;
      }
    | {
        readonly operation: 'verify renunciation';
        readonly issuer: string;
        readonly subject: string;
        readonly signed: string;
        readonly heardAt: number;
        readonly revokedFrom?: number;
      }
    | (HistoryJson & {
        readonly operation: 'credential as of';
        readonly id: string;
        readonly at: number;
        readonly standing?: 'valid' | 'doubtful';
      })
    | (HistoryJson & {
        readonly operation: 'current credential';
        readonly subject: string;
        readonly at: number;
        readonly id?: string;
      })
    | {
        readonly operation: 'compartments';
        readonly owner: Party;
        readonly root: string;
        readonly recordId: string;
        readonly names: readonly string[];
        readonly randomness: string;
        readonly list: readonly {
          readonly name: string;
          readonly epoch: number;
          readonly kem: number;
          readonly publicKey: string;
        }[];
        readonly rootInfo: string;
        readonly rootAad: string;
        readonly rootPlaintext: string;
        readonly signed: string;
        readonly digest: string;
      }
    | {
        readonly operation: 'rotate';
        readonly owner: Party;
        readonly root: string;
        readonly previous: string;
        /** The credential of who signed that, where it is not the owner's. */
        readonly previousOwner?: string;
        readonly names: readonly string[];
        readonly added: readonly string[];
        readonly randomness?: string;
        readonly list?: readonly {
          readonly name: string;
          readonly epoch: number;
          readonly kem: number;
          readonly publicKey: string;
        }[];
        readonly signed?: string;
      }
    | {
        readonly operation: 'verify compartments history';
        readonly owner: string;
        readonly signed: readonly string[];
        readonly seen: SeenJson | null;
      }
    | { readonly operation: 'verify compartments'; readonly owner: string; readonly signed: string }
    | {
        readonly operation: 'open root';
        readonly owner: Party;
        readonly signed: string;
        readonly root?: string;
      }
    | {
        readonly operation: 'group';
        readonly keeper: Party;
        readonly group: { readonly name: string; readonly kem: number };
        readonly members: readonly string[];
        readonly randomness: string;
        readonly seed: string;
        readonly publicKey: string;
        readonly wrapInfos: readonly string[];
        readonly wrapAad: string;
        readonly wrapPlaintext: string;
        readonly signed: string;
        readonly digest: string;
      }
    | (ChangeJson & {
        readonly operation: 'next group';
        readonly keeper: Party;
        readonly randomness?: string;
        readonly seed?: string;
        readonly publicKey?: string;
        readonly ladder?: { readonly info: string; readonly aad: string; readonly plaintext: string } | null;
        readonly signed?: string;
      })
    | {
        readonly operation: 'verify group history';
        readonly keepers: readonly string[];
        readonly signed: readonly string[];
        readonly seen: SeenJson | null;
      }
    | {
        readonly operation: 'open group history';
        readonly keepers: readonly string[];
        readonly member: Party;
        readonly signed: readonly string[];
        readonly keys?: readonly { readonly epoch: number; readonly seed: string }[];
      }
    | {
        readonly operation: 'check seen';
        readonly current: SeenJson & { readonly previous: string };
        readonly seen: SeenJson | null;
      }
    | { readonly operation: 'verify group'; readonly keeper: string; readonly signed: string }
    | {
        readonly operation: 'open group';
        readonly keeper: string;
        readonly member: Party;
        readonly signed: string;
        readonly seed?: string | null;
      }
    | {
        readonly operation: 'key file';
        readonly keys: Seeds;
        readonly passphrase: string;
        readonly salt: string;
        readonly sealSalt: string;
        readonly stretchedKey: string;
        readonly context: string;
        readonly content: string;
        readonly file: string;
      }
    | {
        readonly operation: 'open key file';
        readonly passphrase: string;
        readonly file: string;
        readonly keys?: Seeds;
      }
  );

/** The key pairs that secret keys give. */
export function keysOf(seeds: Seeds): SoftwareKeys {
  const key = (seed: string): SoftwareDecapsulator =>
    new SoftwareDecapsulator(seeds.kem as KemId, new Secret('kem key', unhex(seed)));
  return {
    signer: new SoftwareSigner(seeds.algorithm, new Secret('signing key', unhex(seeds.signingSecret))),
    handshake: key(seeds.handshakeSecret),
    sealing: key(seeds.sealingSecret),
  };
}

/** The secret keys of key pairs. */
export function seedsOf(keys: SoftwareKeys): Seeds {
  return {
    kem: keys.sealing.kem,
    algorithm: keys.signer.algorithm,
    signingSecret: hex(exposeSecret(keys.signer.secret)),
    handshakeSecret: hex(exposeSecret(keys.handshake.secret)),
    sealingSecret: hex(exposeSecret(keys.sealing.secret)),
  };
}

/** The credential of a party of these vectors: self-issued, and taken as pinned. */
export function anchorOf(encoded: string): Identity['credential'] {
  const bytes = unhex(encoded);
  const reader = TupleReader.labelled(bytes, 'signed credential');
  const body = reader.bytes();
  return readAnchor(bytes, sha256(body));
}

/** A party with its keys. */
export function identityOf(party: Party): Identity {
  return createIdentity(keysOf(party), anchorOf(party.credential));
}

/** The file. */
export async function generate(): Promise<VectorFile<KeysCase>> {
  const parties = await createParties();
  return {
    description:
      'Credentials, proof of possession, revocations, key history, key trees, compartments, groups, signed statements and key files, made and refused.',
    spec: 'spec/keys.md',
    cases: [
      ...(await credentialCases(parties)),
      ...(await possessionCases(parties)),
      ...treeCases(),
      ...(await statementCases(parties)),
      ...(await revocationCases(parties)),
      ...(await historyCases(parties)),
      ...(await compartmentsCases(parties)),
      ...(await rotationCases(parties)),
      ...(await groupCases(parties)),
      ...(await groupHistoryCases(parties)),
      ...(await keyFileCases()),
    ],
  };
}

const FROM = 1_700_000_000_000;
const UNTIL = 1_800_000_000_000;
const LABEL_AT = 4;

interface Parties {
  readonly hospital: Identity;
  readonly stranger: Identity;
  readonly patient: Identity;
  readonly hybrid: Identity;
  readonly keeper: Identity;
  readonly doctor: Identity;
}

async function createParties(): Promise<Parties> {
  const make = (subject: string, roles: readonly string[], kem: KemId = KEM_X25519): Promise<Identity> =>
    createAnchor(
      { subject, roles, notBefore: FROM, notAfter: UNTIL },
      { kem, random: seededRandom(`keys party ${subject}`) },
    );
  return {
    hospital: await make('Hospital', ['administrator']),
    stranger: await make('Stranger', ['administrator']),
    patient: await make('Núria', ['patient']),
    hybrid: await make('Pol', ['patient'], KEM_XWING),
    keeper: await make('Keeper', ['keeper:speciality:cardiology']),
    doctor: await make('Dr. Ruiz', ['doctor', 'speciality:cardiology']),
  };
}

function partyOf(identity: Identity): Party {
  return { ...seedsOf(inMemory(identity)), credential: hex(identity.credential.encoded) };
}

function signingSecret(identity: IdentityKeys): Uint8Array {
  return exposeSecret(inMemory(identity).signer.secret);
}

// All keys of the vectors live in memory; the type of an identity leaves that open.
function inMemory(identity: IdentityKeys): SoftwareKeys {
  return identity as SoftwareKeys;
}

function credentialVector(name: string, identity: Identity, issuerSeed: Uint8Array): KeysCase {
  const { credential } = identity;
  const { subject, roles, signing, handshake, sealing, notBefore, notAfter, serial, issuer } = credential;
  const publicKeys = encodePublicKeys(credential);
  const body = tuple('credential', subject, roles, publicKeys, notBefore, notAfter, serial, issuer);
  const signatureInput = tuple('credential signature', body);
  return {
    name: `credential: ${name}`,
    operation: 'credential',
    issuerSeed: hex(issuerSeed),
    fields: {
      subject,
      roles,
      signing: { algorithm: signing.algorithm, publicKey: hex(signing.publicKey) },
      handshake: { kem: handshake.kem, publicKey: hex(handshake.publicKey) },
      sealing: { kem: sealing.kem, publicKey: hex(sealing.publicKey) },
      notBefore,
      notAfter,
      serial: hex(serial),
      issuer: hex(issuer),
    },
    publicKeys: hex(publicKeys),
    body: hex(body),
    id: hex(credential.id),
    signatureInput: hex(signatureInput),
    signature: hex(ed25519Sign(issuerSeed, signatureInput)),
    encoded: hex(credential.encoded),
  };
}

async function credentialCases({ hospital, stranger, patient, hybrid }: Parties): Promise<KeysCase[]> {
  const issued = await enrolled(hospital);
  const { credential } = issued;
  const encoded = credential.encoded;
  const other = (kem: KemId, algorithm: string): Promise<Identity> =>
    enrol(
      hospital,
      { subject: 'Dr. Ruiz', roles: ['doctor'], notBefore: FROM, notAfter: UNTIL },
      { kem, algorithm, random: seededRandom(`keys other ${algorithm}`) },
    );
  const verify = (
    name: string,
    bytes: Uint8Array,
    other: { at?: number | 'ever'; issuer?: Identity } = {},
    error: ErrorCode | null = 'KEY_CREDENTIAL',
  ): KeysCase => {
    const base = {
      name: `verify credential: ${name}`,
      operation: 'verify credential',
      encoded: hex(bytes),
      issuer: hex((other.issuer ?? hospital).credential.encoded),
      at: other.at ?? FROM,
    } as const;
    return error === null ? { ...base, id: hex(credential.id) } : { ...base, error };
  };
  const keys: TupleItem[] = [
    credential.signing.algorithm,
    credential.signing.publicKey,
    credential.handshake.kem,
    credential.handshake.publicKey,
    credential.sealing.kem,
    credential.sealing.publicKey,
  ];
  const parts = (changes: Readonly<Record<number, TupleItem>> = {}): TupleItem[] =>
    Object.assign(
      [
        credential.subject,
        credential.roles,
        encodeItems(keys),
        credential.notBefore,
        credential.notAfter,
        credential.serial,
        credential.issuer,
      ],
      changes,
    );
  // A credential that its issuer did sign, and that is malformed in one place.
  const signed = (body: Uint8Array, signer: Identity = hospital): Uint8Array =>
    tuple('signed credential', body, ed25519Sign(signingSecret(signer), tuple('credential signature', body)));
  const malformed = (name: string, changes: Readonly<Record<number, TupleItem>>): KeysCase =>
    verify(name, signed(tuple('credential', ...parts(changes))));
  const otherKeys = (changes: Readonly<Record<number, TupleItem>>): Record<number, TupleItem> => ({
    2: encodeItems(Object.assign([...keys], changes)),
  });
  const anchor = hospital.credential;
  const readCase = (name: string, bytes: Uint8Array, pinned: Uint8Array, error?: ErrorCode): KeysCase => ({
    name: `read anchor: ${name}`,
    operation: 'read anchor',
    encoded: hex(bytes),
    pinnedId: hex(pinned),
    ...(error === undefined ? {} : { error }),
  });
  const body = tuple('credential', ...parts());
  const signature = ed25519Sign(signingSecret(hospital), tuple('credential signature', body));
  return [
    credentialVector('self-issued, X25519', hospital, signingSecret(hospital)),
    credentialVector('self-issued, X-Wing', hybrid, signingSecret(hybrid)),
    credentialVector('issued', issued, signingSecret(hospital)),
    credentialVector('issued over P-256 keys', await other(KEM_P256, ES256), signingSecret(hospital)),
    credentialVector(
      'issued over post-quantum keys',
      await other(KEM_MLKEM768_P256, ML_DSA_65_ED25519),
      signingSecret(hospital),
    ),
    ...(await Promise.all([ES256, ML_DSA_65_ED25519].map((algorithm) => issuedWith(algorithm)))).flat(),
    readCase('as it should be', anchor.encoded, anchor.id),
    readCase('another pinned Id', anchor.encoded, flipped(anchor.id, 0), 'KEY_CREDENTIAL'),
    readCase(
      'the signature altered',
      flipped(anchor.encoded, anchor.encoded.length - 1),
      anchor.id,
      'KEY_CREDENTIAL',
    ),
    readCase('a credential that somebody issued', encoded, credential.id, 'KEY_CREDENTIAL'),
    readCase('part of it', anchor.encoded.subarray(0, 100), anchor.id, 'KEY_CREDENTIAL'),
    verify('as it should be, at its first millisecond', encoded, {}, null),
    verify('as it should be, at its last millisecond', encoded, { at: UNTIL }, null),
    verify('as it should be, whatever the time', encoded, { at: 'ever' }, null),
    verify('a millisecond too early', encoded, { at: FROM - 1 }),
    verify('a millisecond too late', encoded, { at: UNTIL + 1 }),
    verify('another issuer', encoded, { issuer: stranger }),
    verify('another issuer, whatever the time', encoded, { issuer: stranger, at: 'ever' }),
    verify('signed by somebody else in the name of the issuer', signed(body, stranger)),
    verify('self-issued', patient.credential.encoded),
    verify('its signature altered', flipped(encoded, encoded.length - 1)),
    verify('its subject altered', flipped(encoded, encoded.indexOf('D'.charCodeAt(0), 60))),
    verify(
      'signed without the label of credential signatures',
      tuple('signed credential', body, ed25519Sign(signingSecret(hospital), body)),
    ),
    verify('another outer label', tuple('signed statement', body, signature)),
    verify('another inner label', signed(tuple('statement', ...parts()))),
    verify('a signature of 63 bytes', tuple('signed credential', body, signature.subarray(1))),
    verify('a further outer part', tuple('signed credential', body, signature, '')),
    verify('a byte after its end', unhex(hex(encoded) + '00')),
    verify('cut off by a byte', encoded.subarray(0, -1)),
    verify('nothing', new Uint8Array(0)),
    verify('more than 10,752 bytes', tuple('signed credential', new Uint8Array(10_752), signature)),
    malformed('an empty subject', { 0: '' }),
    malformed('a subject of 129 bytes', { 0: 'x'.repeat(129) }),
    malformed('a subject that is not UTF-8', { 0: Uint8Array.of(0xff) }),
    malformed('no role', { 1: [] }),
    malformed('seventeen roles', { 1: Array.from({ length: 17 }, (_, i) => `role ${String(i)}`) }),
    malformed('a role of 129 bytes', { 1: ['x'.repeat(129)] }),
    malformed('an unknown signature algorithm', otherKeys({ 0: 'Ed448' })),
    malformed(
      'an algorithm that is for checkpoints alone',
      otherKeys({ 0: ML_DSA_44, 1: new Uint8Array(1312) }),
    ),
    malformed('a signing key of 31 bytes', otherKeys({ 1: new Uint8Array(31) })),
    malformed('an unknown KEM', otherKeys({ 2: 0x0021 })),
    malformed('a key of another KEM', otherKeys({ 2: KEM_XWING })),
    malformed('a sealing key of 33 bytes', otherKeys({ 5: new Uint8Array(33) })),
    malformed('a seventh part among the keys', otherKeys({ 6: '' })),
    malformed('a time of four bytes', { 3: new Uint8Array(4) }),
    malformed('a time of 2^53', { 4: unhex('0020000000000000') }),
    malformed('a serial of 15 bytes', { 5: new Uint8Array(15) }),
    malformed('an issuer of 31 bytes', { 6: new Uint8Array(31) }),
    malformed('an eighth part', { 7: '' }),
    verify('a part too few', signed(tuple('credential', ...parts().slice(0, -1)))),
    malformed('validity that ends before it begins', { 3: UNTIL, 4: FROM }),
  ];
}

// A credential whose issuer signs with another algorithm, as it should be and altered. Signed without the library,
// which need not sign the same each time.
async function issuedWith(algorithm: string): Promise<KeysCase[]> {
  const random = seededRandom(`keys issued with ${algorithm}`);
  const { signer, handshake, sealing } = createKeys({ kem: KEM_X25519, algorithm, random });
  const { sign } = deterministicSigner(algorithm, exposeSecret(signer.secret));
  const serial = new Uint8Array(16);
  const bodyOf = (subject: string, issuer: Uint8Array): Uint8Array => {
    const keys = encodePublicKeys({ signing: signer, handshake, sealing });
    return tuple('credential', subject, ['administrator'], keys, FROM, UNTIL, serial, issuer);
  };
  const signedBody = (body: Uint8Array): Uint8Array =>
    tuple('signed credential', body, sign(tuple('credential signature', body)));
  const anchorBody = bodyOf('Hospital', new Uint8Array(32));
  const issuer = hex(signedBody(anchorBody));
  const body = bodyOf('Dr. Ruiz', sha256(anchorBody));
  const encoded = signedBody(body);
  const base = { operation: 'verify credential', issuer, at: FROM } as const;
  return [
    {
      name: `verify credential: issued with ${algorithm}`,
      ...base,
      encoded: hex(encoded),
      id: hex(sha256(body)),
    },
    {
      name: `verify credential: issued with ${algorithm}, its signature altered`,
      ...base,
      encoded: hex(flipped(encoded, encoded.length - 1)),
      error: 'KEY_CREDENTIAL',
    },
  ];
}

// Plays both sides of an issuance with fixed randomness.
async function enrolled(issuer: Identity): Promise<Identity> {
  const keys = createKeys({ kem: KEM_X25519, random: seededRandom('keys enrolled') });
  const request = await requestCredential(keys, { subject: 'Dr. Ruiz', roles: ['doctor'] });
  const { challenge, expected } = challengePossession(
    request,
    issuer.credential,
    seededRandom('keys challenge'),
  );
  const answer = await answerChallenge(keys, request, challenge, issuer.credential);
  const terms = {
    roles: ['doctor'],
    notBefore: FROM,
    notAfter: UNTIL,
    serial: seededRandom('keys serial')(16),
  };
  return createIdentity(keys, await issueCredential(issuer, request, { expected, answer }, terms));
}

async function possessionCases({ hospital, stranger }: Parties): Promise<KeysCase[]> {
  const keys = createKeys({ kem: KEM_X25519, random: seededRandom('keys enrolled') });
  const others = createKeys({ kem: KEM_X25519, random: seededRandom('keys others') });
  const claim = { subject: 'Dr. Ruiz', roles: ['doctor', 'speciality:cardiology'] };
  const request = await requestCredential(keys, claim);
  const publicKeys = encodePublicKeys({
    signing: keys.signer,
    handshake: keys.handshake,
    sealing: keys.sealing,
  });
  const body = tuple('credential request', claim.subject, claim.roles, publicKeys);
  const signatureInput = tuple('credential request signature', body);
  const signature = ed25519Sign(signingSecret(keys), signatureInput);
  const { random, taken } = recordedRandom('keys possession');
  const { challenge, expected } = challengePossession(request, hospital.credential, random);
  const answer = await answerChallenge(keys, request, challenge, hospital.credential);
  const sameSubject = await requestCredential(keys, { ...claim, roles: ['administrator'] });
  const info = tuple('possession', suite(KEM_X25519), sha256(request));
  const aad = (purpose: string): string => hex(tuple('possession aad', purpose, hospital.credential.id));

  const refusedRequest = (name: string, bytes: Uint8Array): KeysCase => ({
    name: `read credential request: ${name}`,
    operation: 'read credential request',
    request: hex(bytes),
    error: 'KEY_POSSESSION',
  });
  const resigned = (text: Uint8Array, seed = signingSecret(keys)): Uint8Array =>
    tuple('signed credential request', text, ed25519Sign(seed, tuple('credential request signature', text)));
  const answering = (
    name: string,
    other: { keys?: SoftwareKeys; request?: Uint8Array; challenge?: Uint8Array; issuer?: Identity },
    error: ErrorCode | null = 'KEY_POSSESSION',
  ): KeysCase => ({
    name: `answer challenge: ${name}`,
    operation: 'answer challenge',
    keys: seedsOf(other.keys ?? keys),
    request: hex(other.request ?? request),
    challenge: hex(other.challenge ?? challenge),
    issuer: hex((other.issuer ?? hospital).credential.encoded),
    ...(error === null ? { answer: hex(answer) } : { error }),
  });
  const serial = seededRandom('keys serial')(16);
  const terms = { roles: ['doctor'], notBefore: FROM, notAfter: UNTIL, serial };
  const issued = await issueCredential(hospital, request, { expected, answer }, terms);
  const issuing = (name: string, other: object, error: ErrorCode | null): KeysCase => ({
    name: `issue credential: ${name}`,
    operation: 'issue credential',
    issuer: partyOf(hospital),
    request: hex(request),
    expected: hex(exposeSecret(expected)),
    answer: hex(answer),
    ...terms,
    serial: hex(serial),
    ...other,
    ...(error === null ? { encoded: hex(issued.encoded) } : { error }),
  });
  // The two sealed values of the challenge, exchanged.
  const half = (challenge.length - LABEL_AT - utf8('muniment/1 possession challenge').length) / 2;
  const start = challenge.length - 2 * half;
  const swapped = new Uint8Array(challenge);
  swapped.set(challenge.subarray(start + half), start);
  swapped.set(challenge.subarray(start, start + half), start + half);
  return [
    {
      name: 'credential request: a doctor',
      operation: 'credential request',
      keys: seedsOf(keys),
      ...claim,
      body: hex(body),
      signatureInput: hex(signatureInput),
      signature: hex(signature),
      request: hex(request),
    },
    refusedRequest('its signature altered', flipped(request, request.length - 1)),
    refusedRequest('signed with another key', resigned(body, signingSecret(others))),
    refusedRequest('a further part', resigned(unhex(hex(body) + '00000000'))),
    refusedRequest(
      'seventeen roles',
      resigned(
        tuple(
          'credential request',
          'x',
          Array.from({ length: 17 }, () => 'r'),
          publicKeys,
        ),
      ),
    ),
    refusedRequest(
      'a subject of 129 bytes',
      resigned(tuple('credential request', 'x'.repeat(129), [], publicKeys)),
    ),
    refusedRequest('another label', resigned(tuple('credential', claim.subject, claim.roles, publicKeys))),
    refusedRequest('more than 6144 bytes', resigned(new Uint8Array(6144))),
    refusedRequest('nothing', new Uint8Array(0)),
    {
      name: 'possession challenge: X25519',
      operation: 'possession challenge',
      request: hex(request),
      issuer: hex(hospital.credential.encoded),
      randomness: taken(),
      requestDigest: hex(sha256(request)),
      info: { handshake: hex(info), sealing: hex(info) },
      aad: { handshake: aad('handshake'), sealing: aad('sealing') },
      expected: hex(exposeSecret(expected)),
      challenge: hex(challenge),
    },
    answering('as it should be', {}, null),
    answering('other keys', { keys: others }),
    answering('handshake and sealing key exchanged', {
      keys: { signer: keys.signer, handshake: keys.sealing, sealing: keys.handshake },
    }),
    answering('another request of the same keys', { request: sameSubject }),
    answering('another issuer', { issuer: stranger }),
    answering('the two sealed values exchanged', { challenge: swapped }),
    answering('altered', { challenge: flipped(challenge, challenge.length - 1) }),
    answering('a byte after its end', { challenge: unhex(hex(challenge) + '00') }),
    answering('cut off by a byte', { challenge: challenge.subarray(0, -1) }),
    issuing('as it should be, with fewer roles than were asked for', {}, null),
    issuing('a wrong answer', { answer: hex(flipped(answer, 10)) }, 'KEY_POSSESSION'),
    issuing('no answer', { answer: '' }, 'KEY_POSSESSION'),
    issuing('a role that was not asked for', { roles: ['administrator'] }, 'KEY_POSSESSION'),
    issuing('no role', { roles: [] }, 'KEY_CREDENTIAL'),
    issuing('validity that ends before it begins', { notBefore: UNTIL, notAfter: FROM }, 'KEY_CREDENTIAL'),
    issuing('a serial of 15 bytes', { serial: '00'.repeat(15) }, 'KEY_CREDENTIAL'),
    issuing('an altered request', { request: hex(flipped(request, request.length - 1)) }, 'KEY_POSSESSION'),
  ];
}

function treeRoot(): NodeSecret {
  return new Secret('tree node', seededRandom('keys tree')(32));
}

function treeCases(): KeysCase[] {
  const root = treeRoot();
  const paths: Record<string, readonly TreeStep[]> = {
    'the root itself': [],
    'a child': [{ name: 'treatments', epoch: 0 }],
    'the child, rotated once': [{ name: 'treatments', epoch: 1 }],
    'a grandchild': [
      { name: 'treatments', epoch: 0 },
      { name: 'cardiology', epoch: 2 },
    ],
    'an empty name': [{ name: '', epoch: 0 }],
    'a name beyond ASCII, the greatest epoch': [{ name: 'història', epoch: 9007199254740991 }],
  };
  const compartments: readonly (readonly [string, number, readonly TreeStep[]])[] = [
    ['', 0, []],
    ['inbox', 0, [{ name: 'inbox', epoch: 0 }]],
    ['treatments', 3, [{ name: 'treatments', epoch: 3 }]],
    ['treatments/cardiology', 3, [{ name: 'treatments/cardiology', epoch: 3 }]],
  ];
  const child = deriveNode(root, [{ name: 'treatments', epoch: 0 }]);
  return [
    ...Object.entries(paths).map(([name, path]): KeysCase => ({
      name: `tree node: ${name}`,
      operation: 'tree node',
      root: hex(exposeSecret(root)),
      path,
      infos: path.map((step) => hex(tuple('node', step.name, step.epoch))),
      node: hex(exposeSecret(deriveNode(root, path))),
    })),
    ...compartments.map(([compartment, epoch, path]): KeysCase => ({
      name: `compartment node: '${compartment}' at epoch ${String(epoch)}`,
      operation: 'compartment node',
      root: hex(exposeSecret(root)),
      compartment,
      epoch,
      path,
      node: hex(exposeSecret(compartmentNode(root, compartment, epoch))),
    })),
    ...([KEM_X25519, KEM_P256, KEM_XWING, KEM_MLKEM768_P256] as const).map((kem): KeysCase => {
      const key = nodeKey(child, kem);
      return {
        name: `node key: ${kemOf(kem).name}`,
        operation: 'node key',
        node: hex(exposeSecret(child)),
        kem,
        info: hex(tuple('node kem', kem)),
        ikm: hex(deriveTuple(exposeSecret(child), 'node kem', kem)),
        secretKey: hex(exposeSecret(key.secret)),
        publicKey: hex(key.publicKey),
      };
    }),
  ];
}

// A statement of this author over any body, well-formed or not.
function statementOver(author: Identity, body: Uint8Array): Uint8Array {
  const { id } = author.credential;
  return tuple(
    'signed statement',
    id,
    body,
    ed25519Sign(signingSecret(author), tuple('statement signature', id, body)),
  );
}

async function statementCases({ hospital, stranger }: Parties): Promise<KeysCase[]> {
  const { id } = hospital.credential;
  const body = tuple('example statement', 'text');
  const signed = await signStatement(hospital, body);
  const signature = signed.subarray(-64);
  const verify = (name: string, bytes: Uint8Array, error: ErrorCode | null): KeysCase => ({
    name: `verify statement: ${name}`,
    operation: 'verify statement',
    author: hex(hospital.credential.encoded),
    signed: hex(bytes),
    ...(error === null ? { body: hex(body) } : { error }),
  });
  const asStranger = tuple(
    'signed statement',
    id,
    body,
    ed25519Sign(signingSecret(stranger), tuple('statement signature', id, body)),
  );
  return [
    {
      name: 'statement: a text',
      operation: 'statement',
      author: partyOf(hospital),
      body: hex(body),
      signatureInput: hex(tuple('statement signature', id, body)),
      signed: hex(signed),
    },
    verify('as it should be', signed, null),
    verify('of another author', statementOver(stranger, body), 'KEY_SIGNATURE'),
    verify('signed by somebody else in the name of the author', asStranger, 'KEY_SIGNATURE'),
    verify('its signature altered', flipped(signed, signed.length - 1), 'KEY_SIGNATURE'),
    verify('its body altered', flipped(signed, signed.length - 69), 'KEY_SIGNATURE'),
    verify(
      'signed without the label of statement signatures',
      tuple('signed statement', id, body, ed25519Sign(signingSecret(hospital), body)),
      'KEY_SIGNATURE',
    ),
    verify('another label', tuple('signed credential', id, body, signature), 'WIRE_TUPLE'),
    verify('an Id of 31 bytes', tuple('signed statement', id.subarray(1), body, signature), 'WIRE_TUPLE'),
    verify(
      'a signature of 63 bytes',
      tuple('signed statement', id, body, signature.subarray(1)),
      'WIRE_TUPLE',
    ),
    verify('a further part', tuple('signed statement', id, body, signature, ''), 'WIRE_TUPLE'),
    verify('cut off by a byte', signed.subarray(0, -1), 'WIRE_TUPLE'),
    verify('nothing', new Uint8Array(0), 'WIRE_TUPLE'),
  ];
}

// A party whose credential the issuer gave.
function issuedTo(
  issuer: Identity,
  profile: Partial<Profile> & { readonly label: string },
): Promise<Identity> {
  const { label, ...given } = profile;
  return enrol(
    issuer,
    { subject: 'Dr. Ruiz', roles: ['doctor'], notBefore: FROM, notAfter: UNTIL, ...given },
    { kem: KEM_X25519, random: seededRandom(`keys issued ${label}`) },
  );
}

async function revocationCases({ hospital, stranger, patient }: Parties): Promise<KeysCase[]> {
  const doctor = await issuedTo(hospital, { label: 'revoked' });
  const { id } = doctor.credential;
  const [since, end] = [FROM + 1000, FROM + 2000];
  const compromised: RevocationTerms = { reason: 'compromised', revokedAt: end, doubtfulFrom: since };
  const made = async (terms: RevocationTerms): Promise<KeysCase> => {
    const doubtfulFrom = terms.reason === 'compromised' ? terms.doubtfulFrom : terms.revokedAt;
    return {
      name: `revocation: ${terms.reason}`,
      operation: 'revocation',
      issuer: partyOf(hospital),
      credential: hex(doctor.credential.encoded),
      terms,
      body: hex(tuple('revocation', id, terms.reason, terms.revokedAt, doubtfulFrom)),
      signed: hex(await revokeCredential(hospital, doctor.credential, terms)),
    };
  };
  const verify = (
    name: string,
    signed: Uint8Array,
    outcome: { reason: string; doubtfulFrom: number; revokedFrom: number } | ErrorCode,
    heardAt = FROM,
  ): KeysCase => ({
    name: `verify revocation: ${name}`,
    operation: 'verify revocation',
    issuer: hex(hospital.credential.encoded),
    signed: hex(signed),
    heardAt,
    ...(typeof outcome === 'string' ? { error: outcome } : { credential: hex(id), ...outcome }),
  });
  const stated = (changes: Readonly<Record<number, TupleItem>>, author = hospital): Uint8Array =>
    statementOver(
      author,
      tuple('revocation', ...Object.assign([id, 'compromised', end, since] as TupleItem[], changes)),
    );
  const good = await revokeCredential(hospital, doctor.credential, compromised);
  const ceased = await revokeCredential(hospital, doctor.credential, { reason: 'ceased', revokedAt: end });
  const renunciation = await renounceCredential(doctor);
  const verifyOwn = (name: string, signed: Uint8Array, error?: ErrorCode, subject = doctor): KeysCase => ({
    name: `verify renunciation: ${name}`,
    operation: 'verify renunciation',
    issuer: hex(hospital.credential.encoded),
    subject: hex(subject.credential.encoded),
    signed: hex(signed),
    heardAt: end,
    ...(error === undefined ? { revokedFrom: end } : { error }),
  });
  const own = (...items: TupleItem[]): Uint8Array => statementOver(doctor, tuple('renunciation', ...items));
  return [
    await made({ reason: 'superseded', revokedAt: end }),
    await made({ reason: 'ceased', revokedAt: end }),
    await made(compromised),
    verify('compromised, heard before it holds', good, {
      reason: 'compromised',
      doubtfulFrom: since,
      revokedFrom: end,
    }),
    verify(
      'compromised, heard later: it is not put back',
      good,
      { reason: 'compromised', doubtfulFrom: since, revokedFrom: end + 500 },
      end + 500,
    ),
    verify(
      'ceased, heard later: doubtful in between',
      ceased,
      { reason: 'ceased', doubtfulFrom: end, revokedFrom: end + 500 },
      end + 500,
    ),
    verify('doubt from the end on and not before', stated({ 3: end }), {
      reason: 'compromised',
      doubtfulFrom: end,
      revokedFrom: end,
    }),
    verify('signed by somebody else', stated({}, stranger), 'KEY_SIGNATURE'),
    verify('signed by its own subject', stated({}, doctor), 'KEY_SIGNATURE'),
    verify('its signature altered', flipped(good, good.length - 1), 'KEY_SIGNATURE'),
    verify('a statement of another kind', statementOver(hospital, tuple('group', 'x')), 'WIRE_TUPLE'),
    verify('an Id of 31 bytes', stated({ 0: id.subarray(1) }), 'WIRE_TUPLE'),
    verify('an unknown reason', stated({ 1: 'expired' }), 'WIRE_TUPLE'),
    verify('the reason that no issuer gives', stated({ 1: 'renounced' }), 'WIRE_TUPLE'),
    verify('a reason of 129 bytes', stated({ 1: 'x'.repeat(129) }), 'WIRE_LIMIT'),
    verify('a reason that is not UTF-8', stated({ 1: Uint8Array.of(0xff) }), 'WIRE_UTF8'),
    verify('a time of four bytes', stated({ 2: new Uint8Array(4) }), 'WIRE_TUPLE'),
    verify('doubt that begins after the end', stated({ 3: end + 1 }), 'WIRE_TUPLE'),
    verify('superseded, with doubt before', stated({ 1: 'superseded' }), 'WIRE_TUPLE'),
    verify('ceased, with doubt before', stated({ 1: 'ceased' }), 'WIRE_TUPLE'),
    verify('a part too few', statementOver(hospital, tuple('revocation', id, 'ceased', end)), 'WIRE_TUPLE'),
    verify('a further part', stated({ 4: '' }), 'WIRE_TUPLE'),
    verify('of the issuer itself', stated({ 0: hospital.credential.id }), 'KEY_CREDENTIAL'),
    {
      name: 'renunciation: an issued credential',
      operation: 'renunciation',
      issuer: hex(hospital.credential.encoded),
      subject: partyOf(doctor),
      body: hex(tuple('renunciation', id)),
      signed: hex(renunciation),
    },
    verifyOwn('as it should be', renunciation),
    verifyOwn('signed by the issuer', statementOver(hospital, tuple('renunciation', id)), 'KEY_SIGNATURE'),
    verifyOwn('its signature altered', flipped(renunciation, renunciation.length - 1), 'KEY_SIGNATURE'),
    verifyOwn('a revocation in its place', stated({}, doctor), 'WIRE_TUPLE'),
    verifyOwn('of somebody else’s credential', own(hospital.credential.id), 'WIRE_TUPLE'),
    verifyOwn('an Id of 33 bytes', own(new Uint8Array(33)), 'WIRE_TUPLE'),
    verifyOwn('a further part', own(id, ''), 'WIRE_TUPLE'),
    verifyOwn(
      'of a self-issued credential',
      statementOver(patient, tuple('renunciation', patient.credential.id)),
      'KEY_CREDENTIAL',
      patient,
    ),
  ];
}

async function historyCases({ hospital, stranger }: Parties): Promise<KeysCase[]> {
  const first = await issuedTo(hospital, { label: 'first' });
  const second = await issuedTo(hospital, { label: 'second', notBefore: FROM + 5000, notAfter: FROM + 9000 });
  const other = await issuedTo(hospital, { label: 'other', subject: 'Dr. Vila' });
  const foreign = await issuedTo(stranger, { label: 'foreign' });
  const all = [first, second, other];
  const revoke = async (
    subject: Identity,
    terms: RevocationTerms,
    heardAt: number,
    issuer = hospital,
  ): Promise<HeardJson> => ({
    kind: 'revocation',
    author: hex(issuer.credential.encoded),
    signed: hex(await revokeCredential(issuer, subject.credential, terms)),
    heardAt,
  });
  const renounce = async (subject: Identity, heardAt: number): Promise<HeardJson> => ({
    kind: 'renunciation',
    author: hex(subject.credential.encoded),
    signed: hex(await renounceCredential(subject)),
    heardAt,
  });
  const history = (
    revocations: readonly HeardJson[],
    credentials: readonly Identity[],
  ): Pick<
    Extract<KeysCase, { operation: 'credential as of' }>,
    'issuer' | 'credentials' | 'revocations'
  > => ({
    issuer: hex(hospital.credential.encoded),
    credentials: credentials.map(({ credential }) => hex(credential.encoded)),
    revocations,
  });
  const asOf = (
    name: string,
    revocations: readonly HeardJson[],
    after: number,
    outcome: 'valid' | 'doubtful' | ErrorCode,
    asked = first,
    credentials: readonly Identity[] = all,
  ): KeysCase => ({
    name: `credential as of: ${name}`,
    operation: 'credential as of',
    ...history(revocations, credentials),
    id: hex(asked.credential.id),
    at: FROM + after,
    ...(outcome === 'valid' || outcome === 'doubtful' ? { standing: outcome } : { error: outcome }),
  });
  const current = (
    name: string,
    revocations: readonly HeardJson[],
    after: number,
    outcome: Identity | ErrorCode,
    subject = 'Dr. Ruiz',
    credentials: readonly Identity[] = all,
  ): KeysCase => ({
    name: `current credential: ${name}`,
    operation: 'current credential',
    ...history(revocations, credentials),
    subject,
    at: FROM + after,
    ...(typeof outcome === 'string' ? { error: outcome } : { id: hex(outcome.credential.id) }),
  });
  const stolen = { reason: 'compromised', doubtfulFrom: FROM + 1000, revokedAt: FROM + 2000 } as const;
  const theft = await revoke(first, stolen, FROM);
  const left = await revoke(first, { reason: 'ceased', revokedAt: FROM + 1500 }, FROM);
  const late = await revoke(first, { reason: 'ceased', revokedAt: FROM + 1500 }, FROM + 3000);
  const past = await revoke(first, { reason: 'ceased', revokedAt: 0 }, FROM + 3000);
  const drawer = await renounce(first, FROM + 4000);
  const superseded = await revoke(first, { reason: 'superseded', revokedAt: FROM + 6000 }, FROM);
  const secondStolen = await revoke(
    second,
    { reason: 'compromised', doubtfulFrom: FROM + 7000, revokedAt: FROM + 8000 },
    FROM,
  );
  const byStranger = await revoke(foreign, { reason: 'ceased', revokedAt: FROM }, FROM, stranger);
  // Two that begin together: the one with the greater Id is the current one.
  const twin = await issuedTo(hospital, { label: 'twin' });
  const greater = hex(twin.credential.id) > hex(first.credential.id) ? twin : first;
  return [
    asOf('never revoked, its first millisecond', [], 0, 'valid'),
    asOf('never revoked, its last millisecond', [], UNTIL - FROM, 'valid'),
    asOf('a millisecond too early', [], -1, 'KEY_CREDENTIAL'),
    asOf('a millisecond too late', [], UNTIL - FROM + 1, 'KEY_CREDENTIAL'),
    asOf('not known', [], 0, 'KEY_CREDENTIAL', first, [second, other]),
    asOf('in a history of nothing', [], 0, 'KEY_CREDENTIAL', first, []),
    asOf('issued by somebody else', [], 0, 'KEY_CREDENTIAL', foreign, [...all, foreign]),
    asOf('stolen: before the doubt', [theft], 999, 'valid'),
    asOf('stolen: where doubt begins', [theft], 1000, 'doubtful'),
    asOf('stolen: the last millisecond of doubt', [theft], 1999, 'doubtful'),
    asOf('stolen: where it ends', [theft], 2000, 'KEY_REVOKED'),
    asOf('stolen: at the last millisecond of validity', [theft], UNTIL - FROM, 'KEY_REVOKED'),
    asOf('stolen: after its validity', [theft], UNTIL - FROM + 1, 'KEY_CREDENTIAL'),
    asOf('stolen: somebody else’s is not', [theft], 2000, 'valid', other),
    asOf('ceased: until its end', [left], 1499, 'valid'),
    asOf('ceased: from its end on', [left], 1500, 'KEY_REVOKED'),
    asOf('heard late: until its end', [late], 1499, 'valid'),
    asOf('heard late: doubtful while nobody knew', [late], 1500, 'doubtful'),
    asOf('heard late: just before it was heard', [late], 2999, 'doubtful'),
    asOf('heard late: from then on', [late], 3000, 'KEY_REVOKED'),
    asOf('put back to before its validity: doubtful', [past], 0, 'doubtful'),
    asOf('put back to before its validity: from when it was heard', [past], 3000, 'KEY_REVOKED'),
    asOf('renounced: until it was heard', [drawer], 3999, 'valid'),
    asOf('renounced: from then on', [drawer], 4000, 'KEY_REVOKED'),
    asOf('the same heard twice: the first time counts', [late, left], 1500, 'KEY_REVOKED'),
    asOf('stolen and ceased: the earlier doubt', [theft, left], 1499, 'doubtful'),
    asOf('stolen and ceased: the earlier end', [theft, left], 1500, 'KEY_REVOKED'),
    asOf('ceased and stolen: the earlier doubt', [left, theft], 1499, 'doubtful'),
    asOf('ceased and stolen: the earlier end', [left, theft], 1500, 'KEY_REVOKED'),
    asOf('ceased late and renounced: the earlier end', [drawer, late], 3000, 'KEY_REVOKED'),
    asOf('a revocation by somebody else’s issuer', [byStranger], 0, 'KEY_CREDENTIAL'),
    asOf('a predecessor, not revoked', [], 6000, 'valid', first),
    asOf('a predecessor, superseded', [superseded], 6000, 'KEY_REVOKED', first),
    asOf('its successor', [superseded], 6000, 'valid', second),
    current('before there is a successor', [], 4999, first),
    current('from the first millisecond of the successor on', [], 5000, second),
    current('whatever the order', [], 5000, second, 'Dr. Ruiz', [other, second, first]),
    current('listed twice', [], 5000, second, 'Dr. Ruiz', [second, first, second]),
    current('of two that begin together', [], 0, greater, 'Dr. Ruiz', [first, twin]),
    current('of two that begin together, the other way round', [], 0, greater, 'Dr. Ruiz', [twin, first]),
    current('the predecessor is superseded', [superseded], 6000, second),
    current('the successor has ended: the predecessor does not come back', [], 9001, 'KEY_CREDENTIAL'),
    current('the successor is doubtful', [secondStolen], 7000, 'KEY_REVOKED'),
    current(
      'the successor is revoked: the predecessor does not come back',
      [secondStolen],
      8000,
      'KEY_REVOKED',
    ),
    current('before any began', [], -1, 'KEY_CREDENTIAL'),
    current('an unknown subject', [], 0, 'KEY_CREDENTIAL', 'Dr. ruiz'),
    current('another subject', [theft], 2000, other, 'Dr. Vila'),
  ];
}

async function compartmentsCases(parties: Parties): Promise<KeysCase[]> {
  const { patient, hybrid, stranger } = parties;
  const root = treeRoot();
  const recordId = seededRandom('keys record')(16);
  const names = ['treatments', 'treatments/cardiology'];
  const made = async (name: string, owner: Identity): Promise<{ vector: KeysCase; signed: Uint8Array }> => {
    const { random, taken } = recordedRandom(`keys compartments ${name}`);
    const signed = await publishCompartments(owner, root, { recordId, names }, random);
    const kem = owner.sealing.kem;
    const list = ['', 'inbox', ...names].map((compartment): Compartment => {
      const { publicKey } = nodeKey(compartmentNode(root, compartment, 0), kem);
      return { name: compartment, epoch: 0, kem, publicKey };
    });
    const vector: KeysCase = {
      name: `compartments: ${name}`,
      operation: 'compartments',
      owner: partyOf(owner),
      root: hex(exposeSecret(root)),
      recordId: hex(recordId),
      names,
      randomness: taken(),
      list: list.map((one) => ({ ...one, publicKey: hex(one.publicKey) })),
      rootInfo: hex(tuple('root wrap', suite(kem), owner.credential.id)),
      rootAad: hex(tuple('root wrap aad', recordId)),
      rootPlaintext: hex(tuple('root', exposeSecret(root))),
      signed: hex(signed),
      digest: hex(hashTuple('statement digest', signed)),
    };
    return { vector, signed };
  };
  const classical = await made('X25519', patient);
  const verify = (name: string, signed: Uint8Array, error?: ErrorCode): KeysCase => ({
    name: `verify compartments: ${name}`,
    operation: 'verify compartments',
    owner: hex(patient.credential.encoded),
    signed: hex(signed),
    ...(error === undefined ? {} : { error }),
  });
  const key = nodeKey(root, KEM_X25519).publicKey;
  const item = (name: string, kem: number = KEM_X25519, publicKey = key): TupleItem => [
    name,
    0,
    kem,
    publicKey,
  ];
  const encapsulation = new Uint8Array(32);
  const zeros = new Uint8Array(32);
  const stated = (list: TupleItem, changes: Readonly<Record<number, TupleItem>> = {}): Uint8Array => {
    const { id } = patient.credential;
    const sealed = [encapsulation, new Uint8Array(SEALED_ROOT)];
    const first: TupleItem[] = [recordId, id, 0, zeros, list, ...sealed];
    return statementOver(patient, tuple('compartments', ...Object.assign(first, changes)));
  };
  const good = [item(''), item('inbox')];
  const open = (name: string, signed: Uint8Array, found: boolean): KeysCase => ({
    name: `open root: ${name}`,
    operation: 'open root',
    owner: partyOf(patient),
    signed: hex(signed),
    ...(found ? { root: hex(exposeSecret(root)) } : { error: 'KEY_OPEN' }),
  });
  const elsewhere = await publishCompartments(
    patient,
    root,
    { recordId: flipped(recordId, 0), names: [] },
    seededRandom('keys compartments elsewhere'),
  );
  const badRoot = (plaintext: Uint8Array): Uint8Array => {
    const { encapsulation: sealedTo, ciphertext } = hpkeSeal(
      patient.credential.sealing,
      tuple('root wrap', suite(KEM_X25519), patient.credential.id),
      tuple('root wrap aad', recordId),
      plaintext,
      seededRandom('keys compartments bad root'),
    );
    return stated(good, { 5: sealedTo, 6: ciphertext });
  };
  // The sealed root of another record, put into the statement about this one.
  const [foreignEncapsulation, foreignCiphertext] = lastTwoParts(elsewhere);
  return [
    classical.vector,
    (await made('X-Wing', hybrid)).vector,
    verify('as it should be', classical.signed),
    verify('the least that there may be', stated(good)),
    verify(
      'of another owner',
      await publishCompartments(
        stranger,
        root,
        { recordId, names: [] },
        seededRandom('keys compartments stranger'),
      ),
      'KEY_SIGNATURE',
    ),
    verify('a statement of another kind', statementOver(patient, tuple('group', 'x')), 'WIRE_TUPLE'),
    verify('a list without the root', stated([item('inbox')]), 'WIRE_TUPLE'),
    verify('the root not first', stated([item('inbox'), item('')]), 'WIRE_TUPLE'),
    verify('a list without the inbox', stated([item(''), item('treatments')]), 'WIRE_TUPLE'),
    verify('an empty list', stated([]), 'WIRE_TUPLE'),
    verify('a name twice', stated([...good, item('x'), item('x')]), 'WIRE_TUPLE'),
    verify('another owner inside', stated(good, { 1: stranger.credential.id }), 'WIRE_TUPLE'),
    verify('a record id of 15 bytes', stated(good, { 0: new Uint8Array(15) }), 'WIRE_TUPLE'),
    verify('number 0 after another', stated(good, { 3: zeros.slice().fill(7) }), 'WIRE_TUPLE'),
    verify('number 1 after nothing', stated(good, { 2: 1 }), 'WIRE_TUPLE'),
    verify('a digest of 31 bytes', stated(good, { 2: 1, 3: new Uint8Array(31).fill(7) }), 'WIRE_TUPLE'),
    verify('an unknown KEM', stated([item(''), item('inbox', 0x0021)]), 'KEY_ALGORITHM'),
    verify(
      'a public key of 31 bytes',
      stated([item(''), item('inbox', KEM_X25519, key.subarray(1))]),
      'WIRE_TUPLE',
    ),
    verify('a name of 129 bytes', stated([...good, item('x'.repeat(129))]), 'WIRE_LIMIT'),
    verify(
      '257 compartments',
      stated([...good, ...Array.from({ length: 255 }, (_, i) => item(String(i)))]),
      'WIRE_LIMIT',
    ),
    verify('a further part', stated(good, { 7: '' }), 'WIRE_TUPLE'),
    verify('an epoch beyond the number', stated([...good, ['x', 1, KEM_X25519, key]]), 'WIRE_TUPLE'),
    verify('an encapsulation of 31 bytes', stated(good, { 5: new Uint8Array(31) }), 'WIRE_TUPLE'),
    verify('an encapsulation of 33 bytes', stated(good, { 5: new Uint8Array(33) }), 'WIRE_TUPLE'),
    verify('a root of 31 bytes', badRoot(tuple('root', new Uint8Array(31))), 'WIRE_TUPLE'),
    verify('a root of 33 bytes', badRoot(tuple('root', new Uint8Array(33))), 'WIRE_TUPLE'),
    verify('an empty ciphertext', stated(good, { 6: '' }), 'WIRE_TUPLE'),
    open('as it should be', classical.signed, true),
    open('nothing that was sealed', stated(good), false),
    open(
      'the sealed root of another record',
      stated(good, { 5: foreignEncapsulation, 6: foreignCiphertext }),
      false,
    ),
    open('something else than a root', badRoot(tuple('leaf', new Uint8Array(32))), false),
  ];
}

// Bytes of a sealed root.
const SEALED_ROOT = tuple('root', new Uint8Array(32)).length + 16;

// The sealed root of a list of compartments: the last two parts of its body.
function lastTwoParts(signed: Uint8Array): [Uint8Array, Uint8Array] {
  const body = signed.subarray(0, -68);
  const ciphertext = body.subarray(-SEALED_ROOT);
  const encapsulation = body.subarray(
    body.length - ciphertext.length - 4 - 32,
    body.length - ciphertext.length - 4,
  );
  return [encapsulation, ciphertext];
}

// Three lists that follow each other: the first, one in which `treatments` was rotated, one to which `dental` was added.
async function rotationCases({ patient, stranger }: Parties): Promise<KeysCase[]> {
  const root = treeRoot();
  const recordId = seededRandom('keys rotation record')(16);
  const owner = patient.credential;
  const founding = { recordId, names: ['treatments', 'lab'] };
  const first = await publishCompartments(patient, root, founding, seededRandom('keys rotation first'));
  const made = async (
    title: string,
    before: Uint8Array,
    change: { names: readonly string[]; added: readonly string[] },
  ): Promise<{ vector: KeysCase; signed: Uint8Array }> => {
    const { random, taken } = recordedRandom(`keys rotation ${title}`);
    const signed = await rotate(patient, root, verifyCompartments(before, owner), change, random);
    const { list } = verifyCompartments(signed, owner);
    const vector: KeysCase = {
      name: `rotate: ${title}`,
      operation: 'rotate',
      owner: partyOf(patient),
      root: hex(exposeSecret(root)),
      previous: hex(before),
      ...change,
      randomness: taken(),
      list: list.map((one) => ({ ...one, publicKey: hex(one.publicKey) })),
      signed: hex(signed),
    };
    return { vector, signed };
  };
  const second = await made('one compartment', first, { names: ['treatments'], added: [] });
  const third = await made('one again, and one added', second.signed, {
    names: ['treatments'],
    added: ['dental'],
  });
  const fork = await made('nothing but the number', first, { names: [], added: [] });
  const refused = (
    title: string,
    names: readonly string[],
    added: readonly string[] = [],
    changes: { root?: NodeSecret; owner?: Identity } = {},
  ): KeysCase => ({
    name: `rotate: ${title}`,
    operation: 'rotate',
    owner: partyOf(changes.owner ?? patient),
    root: hex(exposeSecret(changes.root ?? root)),
    previous: hex(first),
    previousOwner: hex(owner.encoded),
    names,
    added,
    error: 'KEY_CHANGE',
  });
  const seenOf = (signed: Uint8Array): { number: number; digest: string } => {
    const { number, digest } = verifyCompartments(signed, owner);
    return { number, digest: hex(digest) };
  };
  const verify = (
    title: string,
    signed: readonly Uint8Array[],
    seen: Uint8Array | null,
    error?: ErrorCode,
  ): KeysCase => ({
    name: `verify compartments history: ${title}`,
    operation: 'verify compartments history',
    owner: hex(owner.encoded),
    signed: signed.map(hex),
    seen: seen === null ? null : seenOf(seen),
    ...(error === undefined ? {} : { error }),
  });
  // What an owner's own hand could sign, against the rules.
  const { list, digest } = verifyCompartments(first, owner);
  const successor = (
    items: readonly Compartment[],
    changes: Readonly<Record<number, TupleItem>> = {},
  ): Uint8Array[] => {
    const sealed = [new Uint8Array(32), new Uint8Array(SEALED_ROOT)];
    const encoded = items.map((one) => [one.name, one.epoch, one.kem, one.publicKey]);
    const body: TupleItem[] = [recordId, owner.id, 1, digest, encoded, ...sealed];
    return [first, statementOver(patient, tuple('compartments', ...Object.assign(body, changes)))];
  };
  const [top, inbox, treatments, lab] = list;
  if (top === undefined || inbox === undefined || treatments === undefined || lab === undefined)
    throw new Error('four compartments were published');
  const { publicKey } = nodeKey(compartmentNode(root, 'x', 0), KEM_X25519);
  const whole = [first, second.signed, third.signed];
  const aside = (): string[] => Array.from({ length: 253 }, (_, i) => String(i));
  return [
    second.vector,
    third.vector,
    fork.vector,
    refused('the root', ['']),
    refused('an unknown name', ['dental']),
    refused('a name twice', ['lab', 'lab']),
    refused('a known name added', [], ['lab']),
    refused('the root added', [], ['']),
    refused('a name added twice', [], ['dental', 'dental']),
    refused('more than 256 compartments', [], aside()),
    refused('another root', ['lab'], [], { root: createRoot(seededRandom('keys rotation other root')) }),
    refused('another owner', ['lab'], [], { owner: stranger }),
    verify('from the beginning', whole, null),
    verify('the one seen is the newest', whole, third.signed),
    verify('the one seen is among them', whole, first),
    verify('from its successor', [third.signed], second.signed),
    verify(
      'an epoch beyond the number',
      successor([top, inbox, { ...treatments, epoch: 2, publicKey }, lab]),
      null,
      'WIRE_TUPLE',
    ),
    verify(
      'an epoch left out',
      [
        ...whole,
        after(patient, third.signed, (one) =>
          one.epoch === 0 && one.name !== '' ? { ...one, epoch: 2, publicKey } : one,
        ),
      ],
      null,
      'KEY_SUCCESSION',
    ),
    verify(
      'a new compartment that has rotated already',
      successor([...list, { ...lab, name: 'dental', epoch: 1 }]),
      null,
      'KEY_SUCCESSION',
    ),
    verify('none', [], null, 'KEY_SUCCESSION'),
    verify('not from the beginning', [second.signed], null, 'KEY_SUCCESSION'),
    verify('a gap', [first, third.signed], null, 'KEY_SUCCESSION'),
    verify('a fork inside', [first, fork.signed, third.signed], null, 'KEY_SUCCESSION'),
    verify('a fork of the one seen', [first, fork.signed], second.signed, 'KEY_SUCCESSION'),
    verify('older than the one seen', [first, second.signed], third.signed, 'KEY_SUCCESSION'),
    verify('beginning behind the one seen', [third.signed], first, 'KEY_SUCCESSION'),
    verify('another record', successor(list, { 0: flipped(recordId, 0) }), null, 'KEY_SUCCESSION'),
    verify('a compartment gone', successor([top, inbox, treatments]), null, 'KEY_SUCCESSION'),
    verify(
      'another key in the same epoch',
      successor([top, inbox, { ...treatments, publicKey }, lab]),
      null,
      'KEY_SUCCESSION',
    ),
    verify(
      'the same key in another epoch',
      successor([top, inbox, { ...treatments, epoch: 1 }, lab]),
      null,
      'KEY_SUCCESSION',
    ),
    verify(
      'the root rotated',
      successor([{ ...top, epoch: 1, publicKey }, inbox, treatments, lab]),
      null,
      'KEY_SUCCESSION',
    ),
    verify(
      'an epoch going back',
      [
        first,
        second.signed,
        after(
          patient,
          second.signed,
          ({ name, ...rest }) => list.find((one) => one.name === name) ?? { name, ...rest },
        ),
      ],
      null,
      'KEY_SUCCESSION',
    ),
    verify(
      'signed by another',
      [await publishCompartments(stranger, root, founding, seededRandom('keys rotation stranger'))],
      null,
      'KEY_SIGNATURE',
    ),
  ];
}

// The list in the right place behind one, with what an owner's own hand makes of that one's compartments.
function after(owner: Identity, signed: Uint8Array, change: (one: Compartment) => Compartment): Uint8Array {
  const { recordId, number, digest, list } = verifyCompartments(signed, owner.credential);
  const items = list.map(change).map((one) => [one.name, one.epoch, one.kem, one.publicKey]);
  const sealed = [new Uint8Array(32), new Uint8Array(SEALED_ROOT)];
  const body = [recordId, owner.credential.id, number + 1, digest, items, ...sealed] as const;
  return statementOver(owner, tuple('compartments', ...body));
}

async function groupCases({ keeper, doctor, patient, hybrid, stranger }: Parties): Promise<KeysCase[]> {
  const name = 'speciality:cardiology';
  const made = async (
    title: string,
    group: { name: string; kem: KemId },
    members: readonly Identity[],
  ): Promise<{ vector: KeysCase; signed: Uint8Array; seed: Uint8Array; publicKey: Uint8Array }> => {
    const { random, taken } = recordedRandom(`keys group ${title}`);
    const credentials = members.map((member) => member.credential);
    const signed = await publishGroup(keeper, { ...group, members: credentials }, random);
    const seed = unhex(taken().slice(0, 64));
    const { publicKey } = new SoftwareDecapsulator(group.kem, new Secret('kem key', new Uint8Array(seed)));
    const vector: KeysCase = {
      name: `group: ${title}`,
      operation: 'group',
      keeper: partyOf(keeper),
      group,
      members: credentials.map((member) => hex(member.encoded)),
      randomness: taken(),
      seed: hex(seed),
      publicKey: hex(publicKey),
      wrapInfos: credentials.map((member) => hex(tuple('group wrap', suite(member.sealing.kem), member.id))),
      wrapAad: hex(tuple('group wrap aad', group.name, 0, group.kem, publicKey)),
      wrapPlaintext: hex(tuple('group key', seed)),
      signed: hex(signed),
      digest: hex(hashTuple('statement digest', signed)),
    };
    return { vector, signed, seed, publicKey };
  };
  const first = await made('two members', { name, kem: KEM_X25519 }, [doctor, patient]);
  const none = await made('no members', { name, kem: KEM_X25519 }, []);
  const large = await made('X-Wing, one member', { name, kem: KEM_XWING }, [hybrid]);
  const other = await made('another group', { name: 'insurer', kem: KEM_X25519 }, [doctor]);
  const verify = (title: string, signed: Uint8Array, error?: ErrorCode): KeysCase => ({
    name: `verify group: ${title}`,
    operation: 'verify group',
    keeper: hex(keeper.credential.encoded),
    signed: hex(signed),
    ...(error === undefined ? {} : { error }),
  });
  const [zeros, sevens] = [new Uint8Array(32), new Uint8Array(32).fill(7)];
  const stated = (changes: Readonly<Record<number, TupleItem>>): Uint8Array => {
    const founding: TupleItem[] = [name, 0, KEM_X25519, first.publicKey, zeros, [], []];
    return statementOver(keeper, tuple('group', ...Object.assign(founding, changes)));
  };
  const open = (
    title: string,
    member: Identity,
    signed: Uint8Array,
    found: Uint8Array | null | ErrorCode,
  ): KeysCase => ({
    name: `open group: ${title}`,
    operation: 'open group',
    keeper: hex(keeper.credential.encoded),
    member: partyOf(member),
    signed: hex(signed),
    ...(typeof found === 'string' ? { error: found } : { seed: found === null ? null : hex(found) }),
  });
  // A keeper that wraps something else than the group's key to a member.
  const badWrap = (plaintext: Uint8Array): Uint8Array => {
    const { encapsulation, ciphertext } = hpkeSeal(
      doctor.credential.sealing,
      tuple('group wrap', suite(KEM_X25519), doctor.credential.id),
      tuple('group wrap aad', name, 0, KEM_X25519, first.publicKey),
      plaintext,
      seededRandom('keys group bad wrap'),
    );
    return stated({ 6: [[doctor.credential.id, encapsulation, ciphertext]] });
  };
  const wrapped = (encapsulation: Uint8Array): TupleItem => [
    [doctor.credential.id, encapsulation, new Uint8Array(80)],
  ];
  // Epoch 0's wraps under the name of epoch 1: bound by the wrap's associated data.
  const { members } = verifyGroup(first.signed, keeper.credential);
  const wraps = members.map(({ id, encapsulation, ciphertext }) => [id, encapsulation, ciphertext]);
  const moved = stated({ 1: 1, 4: sevens, 6: wraps });
  return [
    first.vector,
    none.vector,
    large.vector,
    verify('as it should be', first.signed),
    verify('no members', none.signed),
    verify('a group that the signer does not keep', other.signed, 'KEY_CREDENTIAL'),
    verify(
      'signed by somebody else',
      await publishGroup(
        stranger,
        { name, kem: KEM_X25519, members: [] },
        seededRandom('keys group stranger'),
      ),
      'KEY_SIGNATURE',
    ),
    verify('a name of 129 bytes', stated({ 0: 'x'.repeat(129) }), 'WIRE_LIMIT'),
    verify('an unknown KEM', stated({ 2: 0x0021 }), 'KEY_ALGORITHM'),
    verify('a public key of 31 bytes', stated({ 3: new Uint8Array(31) }), 'WIRE_TUPLE'),
    verify('a digest of 31 bytes', stated({ 1: 1, 4: sevens.subarray(1) }), 'WIRE_TUPLE'),
    verify('epoch 0 after another', stated({ 4: sevens }), 'WIRE_TUPLE'),
    verify('epoch 1 after nothing', stated({ 1: 1 }), 'WIRE_TUPLE'),
    verify('epoch 0 with a ladder', stated({ 5: [zeros, zeros] }), 'WIRE_TUPLE'),
    verify('a ladder of one part', stated({ 1: 1, 4: sevens, 5: [zeros] }), 'WIRE_TUPLE'),
    verify('a ladder of three parts', stated({ 1: 1, 4: sevens, 5: [zeros, zeros, ''] }), 'WIRE_TUPLE'),
    verify('a member Id of 31 bytes', stated({ 6: [[new Uint8Array(31), '', '']] }), 'WIRE_TUPLE'),
    verify('a member with a part too many', stated({ 6: [[zeros, '', '', '']] }), 'WIRE_TUPLE'),
    verify('a member twice', stated({ 6: [1, 2].map(() => [zeros, '', '']) }), 'WIRE_TUPLE'),
    verify('257 members', stated({ 6: Array.from({ length: 257 }, () => [zeros, '', '']) }), 'WIRE_LIMIT'),
    verify('a further part', stated({ 7: '' }), 'WIRE_TUPLE'),
    open('the first member', doctor, first.signed, first.seed),
    open('the second member', patient, first.signed, first.seed),
    open('X-Wing', hybrid, large.signed, large.seed),
    open('nobody of the group', stranger, first.signed, null),
    open('a wrap of no group', doctor, stated({ 6: wrapped(new Uint8Array(32).fill(9)) }), 'KEY_OPEN'),
    open('a wrap with nothing in it', doctor, badWrap(tuple('group key')), 'KEY_OPEN'),
    open('a wrap of something else', doctor, badWrap(tuple('root', first.seed)), 'KEY_OPEN'),
    open('a wrap of another key', doctor, badWrap(tuple('group key', flipped(first.seed, 1))), 'KEY_OPEN'),
    open('a wrap with a further part', doctor, badWrap(tuple('group key', first.seed, '')), 'KEY_OPEN'),
    open(
      'an encapsulation of another length',
      doctor,
      stated({ 6: wrapped(new Uint8Array(31)) }),
      'KEY_OPEN',
    ),
    open('wraps of another epoch', doctor, moved, 'KEY_OPEN'),
  ];
}

// Epochs that follow each other: doctor and patient; the doctor and a newcomer; the newcomer alone, without history.
async function groupHistoryCases(parties: Parties): Promise<KeysCase[]> {
  const { keeper, doctor, patient, hybrid, stranger } = parties;
  const { founding, first, firstKey, change, second, third, fork, other } = await epochsOf(parties);
  const refused = (title: string, changes: Partial<GroupChange>): KeysCase => ({
    name: `next group: ${title}`,
    operation: 'next group',
    keeper: partyOf(keeper),
    ...changeJson(founding, { ...change, ...changes }),
    error: 'KEY_CHANGE',
  });
  const verify = (
    title: string,
    signed: readonly Uint8Array[],
    seen: GroupEpoch | null,
    error?: ErrorCode,
    keepers: readonly Identity[] = [keeper],
  ): KeysCase => ({
    name: `verify group history: ${title}`,
    operation: 'verify group history',
    keepers: keepers.map(({ credential }) => hex(credential.encoded)),
    signed: signed.map(hex),
    seen: seen === null ? null : { number: seen.epoch, digest: hex(seen.digest) },
    ...(error === undefined ? {} : { error }),
  });
  const open = (
    title: string,
    member: Identity,
    signed: readonly Uint8Array[],
    found: readonly Uint8Array[] | ErrorCode,
    from = 0,
  ): KeysCase => ({
    name: `open group history: ${title}`,
    operation: 'open group history',
    keepers: [hex(keeper.credential.encoded)],
    member: partyOf(member),
    signed: signed.map(hex),
    ...(typeof found === 'string'
      ? { error: found }
      : { keys: found.map((seed, i) => ({ epoch: from + i, seed: hex(seed) })) }),
  });
  // A keeper whose ladder leads elsewhere.
  const name = first.name;
  const badLadder = (plaintext: Uint8Array, epoch = 0): Uint8Array => {
    const { kem, publicKey, members } = second.group;
    const { encapsulation, ciphertext } = hpkeSeal(
      second.group,
      tuple('group ladder', suite(kem), name),
      tuple('group ladder aad', name, epoch, first.kem, first.publicKey, 1, kem, publicKey),
      plaintext,
      seededRandom('keys group bad ladder'),
    );
    const wraps = members.map((one) => [one.id, one.encapsulation, one.ciphertext]);
    return statementOver(
      keeper,
      tuple('group', name, 1, kem, publicKey, first.digest, [encapsulation, ciphertext], wraps),
    );
  };
  const firstSeed = exposeSecret(firstKey.secret);
  const rightRung = tuple('group ladder key', firstSeed);
  const wrongRung = tuple('group key', firstSeed);
  const thirdKey = new SoftwareDecapsulator(KEM_X25519, new Secret('kem key', new Uint8Array(third.seed)));
  const whole = [founding, second.signed, third.signed];
  return [
    second.vector,
    third.vector,
    fork.vector,
    refused('who joins is a member', { joining: [doctor.credential] }),
    refused('who joins has just left', { joining: [patient.credential] }),
    refused('one joins twice', { joining: [hybrid.credential, hybrid.credential] }),
    refused('who leaves is no member', { leaving: [patient.credential.id, stranger.credential.id] }),
    refused('who leaves stays', { leaving: [patient.credential.id, doctor.credential.id] }),
    refused('one leaves twice', { leaving: [patient.credential.id, patient.credential.id], staying: [] }),
    refused('who stays was no member', { staying: [doctor.credential, stranger.credential] }),
    refused('one is left out', { leaving: [] }),
    refused('the key of another epoch as history', { history: thirdKey }),
    verify('from the beginning', whole, null),
    verify('the one seen is the newest', whole, third.group),
    verify('the one seen is among them', whole, first),
    verify('from the one seen', [second.signed, third.signed], second.group),
    verify('from its successor', [third.signed], second.group),
    verify('none', [], null, 'KEY_SUCCESSION'),
    verify('not from the beginning', [second.signed, third.signed], null, 'KEY_SUCCESSION'),
    verify('a gap', [founding, third.signed], null, 'KEY_SUCCESSION'),
    verify('backwards', [second.signed, founding], second.group, 'KEY_SUCCESSION'),
    verify('one twice', [founding, founding], null, 'KEY_SUCCESSION'),
    verify('a fork inside', [founding, fork.signed, third.signed], null, 'KEY_SUCCESSION'),
    verify('a fork of the one seen', [founding, fork.signed], second.group, 'KEY_SUCCESSION'),
    verify('the successor of a fork of the one seen', [third.signed], fork.group, 'KEY_SUCCESSION'),
    verify('older than the one seen', [founding, second.signed], third.group, 'KEY_SUCCESSION'),
    verify('beginning behind the one seen', [third.signed], first, 'KEY_SUCCESSION'),
    verify('another founding than the one seen', whole, other, 'KEY_SUCCESSION'),
    verify('signed by none of the keepers', whole, null, 'KEY_SIGNATURE', [stranger]),
    verify('no statement', [new Uint8Array(0)], null, 'WIRE_TUPLE'),
    open('who was there from the beginning, and left', doctor, whole, [firstSeed, second.seed]),
    open('who left at once', patient, whole, [firstSeed]),
    open('a newcomer, down the ladder', hybrid, whole, [firstSeed, second.seed, third.seed]),
    open('nobody of the group', stranger, whole, []),
    open('a newcomer without history', hybrid, [founding, fork.signed], [fork.seed], 1),
    open('a ladder as it should be', hybrid, [founding, badLadder(rightRung)], [firstSeed, second.seed]),
    open(
      'a ladder to another key',
      hybrid,
      [founding, badLadder(tuple('group ladder key', third.seed))],
      'KEY_OPEN',
    ),
    open('a ladder to something else', hybrid, [founding, badLadder(wrongRung)], 'KEY_OPEN'),
    open('a ladder with nothing', hybrid, [founding, badLadder(tuple('group ladder key'))], 'KEY_OPEN'),
    open('a ladder to another epoch', hybrid, [founding, badLadder(rightRung, 4)], 'KEY_OPEN'),
    open(
      'a broken ladder that is not needed',
      doctor,
      [founding, badLadder(wrongRung)],
      [firstSeed, second.seed],
    ),
    ...seenCases({ number: 3, digest: new Uint8Array(32).fill(3) }),
  ];
}

async function epochsOf({ keeper, doctor, patient, hybrid }: Parties): Promise<{
  founding: Uint8Array;
  first: GroupEpoch;
  firstKey: SoftwareDecapsulator;
  change: GroupChange;
  second: NextEpoch;
  third: NextEpoch;
  fork: NextEpoch;
  /** Of a founding that never was. */
  other: GroupEpoch;
}> {
  const group = {
    name: 'speciality:cardiology',
    kem: KEM_X25519,
    members: [doctor.credential, patient.credential],
  };
  const founding = await publishGroup(keeper, group, seededRandom('keys group history founding'));
  const another = await publishGroup(keeper, group, seededRandom('keys group other founding'));
  const first = verifyGroup(founding, keeper.credential);
  const firstKey = await openGroup(doctor, first);
  if (firstKey === null) throw new Error('the doctor is a member');
  const change: GroupChange = {
    kem: KEM_XWING,
    staying: [doctor.credential],
    joining: [hybrid.credential],
    leaving: [patient.credential.id],
    history: firstKey,
  };
  const second = await nextEpoch(keeper, 'one joins, one leaves, with history', founding, change);
  const third = await nextEpoch(keeper, 'one leaves, without history', second.signed, {
    kem: KEM_X25519,
    staying: [hybrid.credential],
    joining: [],
    leaving: [doctor.credential.id],
    history: 'no history',
  });
  const forked: GroupChange = { ...change, kem: KEM_X25519, history: 'no history' };
  const fork = await nextEpoch(keeper, 'another in the same place', founding, forked);
  const other = verifyGroup(another, keeper.credential);
  return { founding, first, firstKey, change, second, third, fork, other };
}

interface NextEpoch {
  readonly vector: KeysCase;
  readonly signed: Uint8Array;
  readonly group: GroupEpoch;
  readonly seed: Uint8Array;
}

async function nextEpoch(
  keeper: Identity,
  title: string,
  before: Uint8Array,
  change: GroupChange,
): Promise<NextEpoch> {
  const previous = verifyGroup(before, keeper.credential);
  const { random, taken } = recordedRandom(`keys group history ${title}`);
  const signed = await publishNextEpoch(keeper, previous, change, random);
  const group = verifyGroup(signed, keeper.credential);
  const seed = unhex(taken().slice(0, 64));
  const { name } = group;
  const rung = [previous.epoch, previous.kem, previous.publicKey, group.epoch, group.kem, group.publicKey];
  const vector: KeysCase = {
    name: `next group: ${title}`,
    operation: 'next group',
    keeper: partyOf(keeper),
    ...changeJson(before, change),
    randomness: taken(),
    seed: hex(seed),
    publicKey: hex(group.publicKey),
    ladder:
      change.history === 'no history'
        ? null
        : {
            info: hex(tuple('group ladder', suite(group.kem), name)),
            aad: hex(tuple('group ladder aad', name, ...rung)),
            plaintext: hex(tuple('group ladder key', exposeSecret(change.history.secret))),
          },
    signed: hex(signed),
  };
  return { vector, signed, group, seed };
}

function changeJson(previous: Uint8Array, change: GroupChange): ChangeJson {
  return {
    previous: hex(previous),
    kem: change.kem,
    staying: change.staying.map(({ encoded }) => hex(encoded)),
    joining: change.joining.map(({ encoded }) => hex(encoded)),
    leaving: change.leaving.map(hex),
    history: change.history === 'no history' ? null : hex(exposeSecret(change.history.secret)),
  };
}

function seenCases(seen: { number: number; digest: Uint8Array }): KeysCase[] {
  const other = new Uint8Array(32).fill(9);
  const check = (
    title: string,
    current: { number: number; previous: Uint8Array; digest: Uint8Array },
    against: typeof seen | null,
    error?: ErrorCode,
  ): KeysCase => ({
    name: `check seen: ${title}`,
    operation: 'check seen',
    current: { number: current.number, previous: hex(current.previous), digest: hex(current.digest) },
    seen: against === null ? null : { number: against.number, digest: hex(against.digest) },
    ...(error === undefined ? {} : { error }),
  });
  const same = { ...seen, previous: other };
  const next = { number: 4, previous: seen.digest, digest: other };
  return [
    check('nothing was seen', same, null),
    check('the one seen', same, seen),
    check('its successor', next, seen),
    check('an older one', { ...same, number: 2, digest: other }, seen, 'KEY_SUCCESSION'),
    check('another in its place', { ...same, digest: other }, seen, 'KEY_SUCCESSION'),
    check('the successor of another', { ...next, previous: other }, seen, 'KEY_SUCCESSION'),
    check('further than its successor', { ...next, number: 5 }, seen, 'KEY_SUCCESSION'),
  ];
}

async function keyFileCases(): Promise<KeysCase[]> {
  const made = async (
    name: string,
    kem: KemId,
    passphrase: string,
    algorithm: string = ED25519,
  ): Promise<KeysCase> => {
    const keys = createKeys({ kem, algorithm, random: seededRandom(`keys file ${name}`) });
    const { random, taken } = recordedRandom(`keys file salts ${name}`);
    const file = await exportKeys(keys, passphrase, random);
    const salt = unhex(taken().slice(0, 64));
    return {
      name: `key file: ${name}`,
      operation: 'key file',
      keys: seedsOf(keys),
      passphrase,
      salt: hex(salt),
      sealSalt: taken().slice(64),
      stretchedKey: hex(await stretch(passphrase, salt, { n: 2 ** 15, r: 8, p: 1 })),
      context: hex(tuple('key file context', 2 ** 15, 8, 1, salt)),
      content: hex(contentOf(keys)),
      file,
    };
  };
  const keys = createKeys({ kem: KEM_X25519, random: seededRandom('keys file small') });
  const passphrase = 'correct horse battery staple';
  const salt = seededRandom('keys file small salt')(32);
  const cost = { n: 2 ** 14, r: 8, p: 1 };
  const written = async (content: Uint8Array, other = salt): Promise<string> => {
    const key = await stretch(passphrase, other, cost);
    const context = tuple('key file context', cost.n, cost.r, cost.p, other);
    const sealed = sealOnce(key, context, content, seededRandom('keys file seal salt'));
    return fileText({
      format: 'muniment key file 2',
      ...cost,
      salt: toBase64url(other),
      sealed: toBase64url(sealed),
    });
  };
  const small = await written(contentOf(keys));
  const members = JSON.parse(small) as Record<string, unknown>;
  const without = (name: string): Record<string, unknown> =>
    Object.fromEntries(Object.entries(members).filter(([other]) => other !== name));
  const open = (name: string, file: string, error: ErrorCode | null, other = passphrase): KeysCase => ({
    name: `open key file: ${name}`,
    operation: 'open key file',
    passphrase: other,
    file,
    ...(error === null ? { keys: seedsOf(keys) } : { error }),
  });
  const altered = (name: string, at: number): string => {
    const text = String(members[name]);
    const letter = text[at] === 'A' ? 'B' : 'A';
    return fileText({ ...members, [name]: text.slice(0, at) + letter + text.slice(at + 1) });
  };
  return [
    await made('X-Wing', KEM_XWING, 'correct horse battery staple'),
    await made('X25519, a passphrase in compatibility forms', KEM_X25519, '\uff41 ﬁne cafe\u0301'),
    await made('P-256 and ES256', KEM_P256, 'correct horse battery staple', ES256),
    await made('post-quantum', KEM_MLKEM768_P256, 'correct horse battery staple', ML_DSA_65_ED25519),
    open('as it should be, at the least cost', small, null),
    open('another passphrase', small, 'KEY_PASSPHRASE', 'Correct horse battery staple'),
    open('no passphrase', small, 'KEY_PASSPHRASE', ''),
    open('altered salt', altered('salt', 3), 'KEY_PASSPHRASE'),
    open('altered salt of the sealed keys', altered('sealed', 3), 'KEY_PASSPHRASE'),
    open('altered sealed keys', altered('sealed', 100), 'KEY_PASSPHRASE'),
    open('nothing sealed', fileText({ ...members, sealed: '' }), 'KEY_PASSPHRASE'),
    open('another cost than was used', fileText({ ...members, n: 2 ** 15 }), 'KEY_PASSPHRASE'),
    open('nothing', '', 'KEY_FILE'),
    open('not JSON', 'muniment', 'KEY_FILE'),
    open('an array', '[1,2,3,4,5,6]', 'KEY_FILE'),
    open('null', 'null', 'KEY_FILE'),
    open('the first format', fileText({ ...members, format: 'muniment key file 1' }), 'KEY_FILE'),
    ...Object.keys(members).map((name) => open(`without ${name}`, fileText(without(name)), 'KEY_FILE')),
    open('a further member', fileText({ ...members, note: '' }), 'KEY_FILE'),
    open('a member twice', small.replace('{', '{"p":1,'), 'KEY_FILE'),
    open('a cost as text', fileText({ ...members, n: '16384' }), 'KEY_FILE'),
    open('a salt as a list', fileText({ ...members, salt: [] }), 'KEY_FILE'),
    open('n under the least', fileText({ ...members, n: 2 ** 13 }), 'KEY_FILE'),
    open('n over the most', fileText({ ...members, n: 2 ** 21 }), 'KEY_FILE'),
    open('n that is no power of two', fileText({ ...members, n: 16385 }), 'KEY_FILE'),
    open('another r', fileText({ ...members, r: 9 }), 'KEY_FILE'),
    open('another p', fileText({ ...members, p: 16 }), 'KEY_FILE'),
    open('a padded salt', fileText({ ...members, salt: `${String(members['salt'])}=` }), 'KEY_FILE'),
    open('a salt of 31 bytes', await written(contentOf(keys), salt.subarray(1)), 'KEY_FILE'),
    open('keys that are malformed inside', await written(tuple('key file')), 'KEY_FILE'),
    open('keys of an unknown KEM inside', await written(contentOf(keys, 0x0021)), 'KEY_FILE'),
    open(
      'keys of an unknown algorithm inside',
      await written(contentOf(keys, keys.sealing.kem, 'Ed448')),
      'KEY_FILE',
    ),
    open(
      'a key of another algorithm inside',
      await written(contentOf(keys, keys.sealing.kem, ML_DSA_65_ED25519)),
      'KEY_FILE',
    ),
    open('a key of P-256 that is zero inside', await written(zeroScalar(keys)), 'KEY_FILE'),
    open('a further part inside', await written(unhex(hex(contentOf(keys)) + '00000000')), 'KEY_FILE'),
  ];
}

function contentOf(
  keys: SoftwareKeys,
  kem: number = keys.handshake.kem,
  algorithm: string = keys.signer.algorithm,
): Uint8Array {
  const seeds = seedsOf(keys);
  return tuple(
    'key file',
    algorithm,
    unhex(seeds.signingSecret),
    kem,
    unhex(seeds.handshakeSecret),
    kem,
    unhex(seeds.sealingSecret),
  );
}

// A scalar of P-256 is neither zero nor beyond the order.
function zeroScalar(keys: SoftwareKeys): Uint8Array {
  const zero = new Uint8Array(32);
  return tuple('key file', ED25519, signingSecret(keys), KEM_P256, zero, KEM_P256, zero);
}

function fileText(members: object): string {
  return fromUtf8(utf8(JSON.stringify(members))) + '\n';
}
