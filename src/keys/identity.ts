/** A party: its three key pairs, one purpose each, and the credential that vouches for them. spec/keys.md, "Identities". */

import {
  ED25519,
  kem,
  KEM_XWING,
  partyAlgorithm,
  systemRandom,
  type KemId,
  type Random,
} from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { equalBytes } from '../wire/index.ts';
import {
  credentialId,
  readAnchor,
  SELF_ISSUED,
  signCredential,
  type Credential,
  type CredentialFields,
} from './credential.ts';
import { SoftwareDecapsulator, SoftwareSigner, type Decapsulator, type Signer } from './ports.ts';
import { Secret } from './secret.ts';

/** Three key pairs, each with one purpose. */
export interface IdentityKeys {
  readonly signer: Signer;
  readonly handshake: Decapsulator;
  readonly sealing: Decapsulator;
}

/** Keys that live in memory and so can be written to a file. */
export interface SoftwareKeys extends IdentityKeys {
  readonly signer: SoftwareSigner;
  readonly handshake: SoftwareDecapsulator;
  readonly sealing: SoftwareDecapsulator;
}

/** Keys with the credential that names them. */
export interface Identity extends IdentityKeys {
  readonly credential: Credential;
}

/** Who somebody is to be: name, roles and validity in milliseconds since 1970. */
export type Profile = Pick<CredentialFields, 'subject' | 'roles' | 'notBefore' | 'notAfter'>;

/** Which keys to make. */
export interface KeyOptions {
  /** The KEM of the handshake and sealing keys: X-Wing unless asked otherwise. */
  readonly kem?: KemId;
  /** The signature algorithm: `Ed25519` unless asked otherwise. */
  readonly algorithm?: string;
  /** The source of randomness; for vectors only. */
  readonly random?: Random;
}

/**
 * Makes three fresh key pairs in memory: one for signing, Ed25519 by default, and two of the KEM, X-Wing by default.
 *
 * @throws `MunimentError` `KEY_ALGORITHM` for an algorithm with which no party signs
 * @example
 * ```ts
 * import { createKeys } from 'muniment/keys';
 * createKeys().handshake.publicKey.length; // 1216
 * ```
 */
export function createKeys(options: KeyOptions = {}): SoftwareKeys {
  const random = options.random ?? systemRandom;
  const algorithm = partyAlgorithm(options.algorithm ?? ED25519);
  const id = options.kem ?? KEM_XWING;
  const signing = new Secret('signing key', algorithm.generateSecretKey(random));
  return {
    signer: new SoftwareSigner(algorithm.name, signing),
    handshake: SoftwareDecapsulator.generate(id, random),
    sealing: SoftwareDecapsulator.generate(id, random),
  };
}

/**
 * Makes an identity that vouches for itself: the administrator at whom all trust ends.
 *
 * @param profile - subject, roles, validity
 * @param options - KEM and randomness
 * @example
 * ```ts
 * import { createAnchor } from 'muniment/keys';
 * const hospital = await createAnchor({ subject: 'Hospital', roles: ['administrator'], notBefore: 0, notAfter: 4e12 });
 * hospital.credential.subject; // 'Hospital'
 * ```
 */
export async function createAnchor(
  profile: Profile,
  options: KeyOptions = {},
): Promise<Identity & SoftwareKeys> {
  const keys = createKeys(options);
  const fields: CredentialFields = {
    ...pickProfile(profile),
    signing: keys.signer,
    handshake: keys.handshake,
    sealing: keys.sealing,
    serial: (options.random ?? systemRandom)(16),
    issuer: SELF_ISSUED,
  };
  const encoded = await signCredential(fields, keys.signer);
  return { ...keys, credential: readAnchor(encoded, credentialId(fields)) };
}

/**
 * Joins keys and their credential.
 *
 * @throws `MunimentError` `KEY_CREDENTIAL` if the credential is about other keys
 */
export function createIdentity<Keys extends IdentityKeys>(
  keys: Keys,
  credential: Credential,
): Identity & Pick<Keys, keyof IdentityKeys> {
  const same =
    keys.signer.algorithm === credential.signing.algorithm &&
    equalBytes(keys.signer.publicKey, credential.signing.publicKey) &&
    sameKemKey(keys.handshake, credential.handshake) &&
    sameKemKey(keys.sealing, credential.sealing);
  if (!same) throw new MunimentError('KEY_CREDENTIAL');
  return { signer: keys.signer, handshake: keys.handshake, sealing: keys.sealing, credential };
}

function sameKemKey(
  a: { kem: number; publicKey: Uint8Array },
  b: { kem: number; publicKey: Uint8Array },
): boolean {
  return kem(a.kem) === kem(b.kem) && equalBytes(a.publicKey, b.publicKey);
}

function pickProfile({ subject, roles, notBefore, notAfter }: Profile): Profile {
  return { subject, roles, notBefore, notAfter };
}
