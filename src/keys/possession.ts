/**
 * Proof of possession at issuance: the signing key signs the request, and each KEM key opens a challenge that the
 * issuer sealed to it. So nobody gets a credential over somebody else's public key. spec/keys.md, "Issuing".
 */

import { equalSecrets, hpkeSeal, sha256, systemRandom, type Random } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { equalBytes, tuple, TupleReader } from '../wire/index.ts';
import {
  CREDENTIAL_LIMIT,
  encodePublicKeys,
  NAME_LIMIT,
  readPublicKeys,
  ROLES_LIMIT,
  signCredential,
  verifyCredential,
  type Credential,
  type CredentialFields,
} from './credential.ts';
import {
  createIdentity,
  createKeys,
  type Identity,
  type IdentityKeys,
  type KeyOptions,
  type Profile,
  type SoftwareKeys,
} from './identity.ts';
import { hpkeOpenWith, readSignature, suite, verifySignature, type KemPublicKey } from './ports.ts';
import { exposeSecret, Secret } from './secret.ts';

/** Most bytes of a challenge: twice the largest encapsulation with 32 sealed bytes, and room. */
const CHALLENGE_LIMIT = 4096;

/** What a request for a credential asks for, its signature checked. */
export type CredentialRequest = Pick<
  CredentialFields,
  'subject' | 'roles' | 'signing' | 'handshake' | 'sealing'
>;

/** Asks for a credential: names, roles and public keys, signed by the new signing key. */
export async function requestCredential(
  keys: IdentityKeys,
  claim: { readonly subject: string; readonly roles: readonly string[] },
): Promise<Uint8Array> {
  const publicKeys = encodePublicKeys({
    signing: keys.signer,
    handshake: keys.handshake,
    sealing: keys.sealing,
  });
  const body = tuple('credential request', claim.subject, claim.roles, publicKeys);
  return tuple(
    'signed credential request',
    body,
    await keys.signer.sign(tuple('credential request signature', body)),
  );
}

/**
 * Reads a request and verifies that its signing key signed it. The issuer decides on subject and roles from this.
 *
 * @throws `MunimentError` `KEY_POSSESSION`
 */
export function readCredentialRequest(request: Uint8Array): CredentialRequest {
  return possession(() => {
    if (request.length > CREDENTIAL_LIMIT) throw new MunimentError('WIRE_LIMIT');
    const outer = TupleReader.labelled(request, 'signed credential request');
    const [body, signature] = [outer.bytes(), readSignature(outer)];
    outer.end();
    const reader = TupleReader.labelled(body, 'credential request');
    const claim = {
      subject: reader.text(NAME_LIMIT),
      roles: reader.list(ROLES_LIMIT, (role) => role.text(NAME_LIMIT)),
      ...reader.group(readPublicKeys),
    };
    reader.end();
    verifySignature(claim.signing, tuple('credential request signature', body), signature);
    return claim;
  });
}

/** The issuer's challenge, and the answer that it expects and must keep to itself. */
export interface PossessionChallenge {
  readonly challenge: Uint8Array;
  readonly expected: Secret<'possession answer'>;
}

/** Seals one random value to each KEM key of a request. */
export function challengePossession(
  request: Uint8Array,
  issuer: Credential,
  random: Random = systemRandom,
): PossessionChallenge {
  const claim = readCredentialRequest(request);
  const nonces = PURPOSES.map(() => random(32));
  const sealed = PURPOSES.map((purpose, i) => {
    const { encapsulation, ciphertext } = hpkeSeal(
      claim[purpose],
      challengeInfo(claim[purpose], request),
      challengeAad(purpose, issuer),
      nonces[i] ?? fail(),
      random,
    );
    return [encapsulation, ciphertext];
  });
  return {
    challenge: tuple('possession challenge', ...sealed),
    expected: new Secret('possession answer', encodeAnswer(request, nonces)),
  };
}

/**
 * Opens a challenge with both KEM keys.
 *
 * @throws `MunimentError` `KEY_POSSESSION` if it is not for these keys, this request and this issuer
 */
export async function answerChallenge(
  keys: IdentityKeys,
  request: Uint8Array,
  challenge: Uint8Array,
  issuer: Credential,
): Promise<Uint8Array> {
  try {
    if (challenge.length > CHALLENGE_LIMIT) throw new MunimentError('WIRE_LIMIT');
    const reader = TupleReader.labelled(challenge, 'possession challenge');
    const nonces: Uint8Array[] = [];
    for (const purpose of PURPOSES) {
      const [encapsulation, ciphertext] = reader.group((part) => [part.bytes(), part.bytes()] as const);
      const info = challengeInfo(keys[purpose], request);
      const sealed = { encapsulation, ciphertext };
      nonces.push((await hpkeOpenWith(keys[purpose], info, challengeAad(purpose, issuer), sealed)).plaintext);
    }
    reader.end();
    return encodeAnswer(request, nonces);
  } catch (cause) {
    throw new MunimentError('KEY_POSSESSION', undefined, { cause });
  }
}

/**
 * Issues a credential for a request whose challenge was answered.
 *
 * @param issuer - the issuing identity
 * @param request - the signed request
 * @param proof - what {@link challengePossession} expected, and what came back
 * @param terms - the roles that the issuer grants (which may be fewer than were asked for), validity, and a serial of 16 bytes
 * @throws `MunimentError` `KEY_POSSESSION` if the answer is wrong or a role is granted that was not asked for
 */
export async function issueCredential(
  issuer: Identity,
  request: Uint8Array,
  proof: { readonly expected: Secret<'possession answer'>; readonly answer: Uint8Array },
  terms: Pick<CredentialFields, 'roles' | 'notBefore' | 'notAfter' | 'serial'>,
): Promise<Credential> {
  const claim = readCredentialRequest(request);
  const expected = exposeSecret(proof.expected);
  // The answer names its request: what was proved for one is no proof for another.
  const named = equalBytes(answeredRequest(expected), sha256(request));
  if (!named || !equalSecrets(expected, proof.answer)) throw new MunimentError('KEY_POSSESSION');
  if (!terms.roles.every((role) => claim.roles.includes(role))) throw new MunimentError('KEY_POSSESSION');
  // One by one: a member too many in `terms` must not replace a key whose possession was proved.
  const { roles, notBefore, notAfter, serial } = terms;
  const fields = { ...claim, roles, notBefore, notAfter, serial, issuer: issuer.credential.id };
  const encoded = await signCredential(fields, issuer.signer);
  return verifyCredential(encoded, issuer.credential, terms.notBefore);
}

/**
 * Makes an identity under an issuer, playing both sides of the proof of possession: for tests, demos and issuers
 * that make keys for others. Where the keys are made elsewhere, `requestCredential` to `issueCredential` are the steps.
 *
 * @param issuer - the anchor: what somebody else issued, exports and fraud files do not take
 */
export async function enrol(
  issuer: Identity,
  profile: Profile,
  options: KeyOptions = {},
): Promise<Identity & SoftwareKeys> {
  const keys = createKeys(options);
  const random = options.random ?? systemRandom;
  const request = await requestCredential(keys, profile);
  const { challenge, expected } = challengePossession(request, issuer.credential, random);
  const answer = await answerChallenge(keys, request, challenge, issuer.credential);
  const terms = {
    roles: profile.roles,
    notBefore: profile.notBefore,
    notAfter: profile.notAfter,
    serial: random(16),
  };
  return createIdentity(keys, await issueCredential(issuer, request, { expected, answer }, terms));
}

const PURPOSES = ['handshake', 'sealing'] as const;

function encodeAnswer(request: Uint8Array, nonces: readonly Uint8Array[]): Uint8Array {
  return tuple('possession answer', sha256(request), ...nonces);
}

function answeredRequest(answer: Uint8Array): Uint8Array {
  return TupleReader.labelled(answer, 'possession answer').bytes(32);
}

function challengeInfo(key: KemPublicKey, request: Uint8Array): Uint8Array {
  return tuple('possession', suite(key.kem), sha256(request));
}

function challengeAad(purpose: string, issuer: Credential): Uint8Array {
  return tuple('possession aad', purpose, issuer.id);
}

function possession<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    throw new MunimentError('KEY_POSSESSION', undefined, { cause });
  }
}

function fail(): never {
  throw new MunimentError('KEY_POSSESSION');
}
