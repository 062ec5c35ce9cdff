/**
 * Credentials: who holds which keys, in which roles, said by an issuer. An identity in every protocol is the
 * credential's hash, never a free string. spec/keys.md, "Credentials".
 */

import { kem, partyAlgorithm, sha256 } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { concat, encodeItems, equalBytes, tuple, TupleReader, toHex } from '../wire/index.ts';
import {
  readSignature,
  verifySignature,
  type KemPublicKey,
  type Signer,
  type SigningPublicKey,
} from './ports.ts';

/** Most bytes of a subject or role name. */
export const NAME_LIMIT = 128;
/** Most roles in one credential. */
export const ROLES_LIMIT = 16;
/** Most bytes of a signed credential. */
export const CREDENTIAL_LIMIT = 10_752;
const SERIAL_LENGTH = 16;
const KEY_END_LENGTH = 32;
/** Bytes of an Id. */
export const ID_LENGTH = 32;
/** The issuer field of a credential that its own subject issued. */
export const SELF_ISSUED = new Uint8Array(ID_LENGTH);

declare const verified: unique symbol;

/** What a credential says, before anybody vouched for it. */
export interface CredentialFields {
  /** The subject's name, as its TLS certificate names it too; not empty. */
  readonly subject: string;
  /** Role names, such as `doctor` or `speciality:cardiology`: 1 to 16. */
  readonly roles: readonly string[];
  readonly signing: SigningPublicKey;
  readonly handshake: KemPublicKey;
  readonly sealing: KemPublicKey;
  /** Validity in milliseconds since 1970, both ends included. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** 16 bytes, unique per issuer. */
  readonly serial: Uint8Array;
  /** The issuer's Id, or 32 zeros if self-issued. */
  readonly issuer: Uint8Array;
}

/** A credential whose issuer's signature was verified: made by {@link verifyCredential} and {@link readAnchor} alone. */
export interface Credential extends CredentialFields {
  /** `H(T("muniment/1 credential", …))`: the party's identity, 32 bytes. */
  readonly id: Uint8Array;
  /** The signed credential as it travels. */
  readonly encoded: Uint8Array;
  readonly [verified]: true;
}

/**
 * Verifies a signed credential against its issuer.
 *
 * @param encoded - a signed credential, at most 10,752 bytes
 * @param issuer - the credential of the issuer, already trusted
 * @param at - the time it must be valid at, in milliseconds since 1970; `ever` where the caller judges time itself, entry by entry
 * @returns the credential
 * @throws `MunimentError` `KEY_CREDENTIAL` for every cause
 * @example
 * ```ts
 * import { createAnchor, enrol, verifyCredential } from 'muniment/keys';
 * const validity = { notBefore: 0, notAfter: 4_000_000_000_000 };
 * const hospital = await createAnchor({ subject: 'Hospital', roles: ['administrator'], ...validity });
 * const doctor = await enrol(hospital, { subject: 'Dr. Ruiz', roles: ['doctor'], ...validity });
 * verifyCredential(doctor.credential.encoded, hospital.credential, 1_700_000_000_000).subject; // 'Dr. Ruiz'
 * ```
 */
export function verifyCredential(encoded: Uint8Array, issuer: Credential, at: number | 'ever'): Credential {
  const { body, signature, fields } = decode(encoded);
  if (!equalBytes(fields.issuer, issuer.id)) throw new MunimentError('KEY_CREDENTIAL');
  checkSignature(issuer.signing, body, signature);
  if (at !== 'ever' && !(at >= fields.notBefore && at <= fields.notAfter))
    throw new MunimentError('KEY_CREDENTIAL');
  return vouchedFor(fields, body, encoded);
}

/**
 * Reads a self-issued credential as the anchor of trust. Its signature proves only that it is whole: the caller
 * must know its Id from elsewhere.
 *
 * @param encoded - a signed credential whose issuer field is zeros
 * @param pinnedId - the Id that the caller trusts, 32 bytes
 * @throws `MunimentError` `KEY_CREDENTIAL` for every cause
 */
export function readAnchor(encoded: Uint8Array, pinnedId: Uint8Array): Credential {
  const { body, signature, fields } = decode(encoded);
  if (!equalBytes(fields.issuer, SELF_ISSUED)) throw new MunimentError('KEY_CREDENTIAL');
  if (!equalBytes(sha256(body), pinnedId)) throw new MunimentError('KEY_CREDENTIAL');
  checkSignature(fields.signing, body, signature);
  return vouchedFor(fields, body, encoded);
}

/**
 * Reads what an encoded credential claims, nothing of it verified: for the handshake alone, which must answer a
 * peer before it may tell whether the peer is accepted.
 *
 * @throws `MunimentError` `KEY_CREDENTIAL` if it is malformed
 */
export function readUnverifiedCredential(
  encoded: Uint8Array,
): CredentialFields & { readonly id: Uint8Array } {
  const { body, fields } = decode(encoded);
  return { ...fields, id: sha256(body) };
}

/** Signs a credential as its issuer. Only `issueCredential` and `createAnchor` call it: they hold the proof of possession. */
export async function signCredential(fields: CredentialFields, issuer: Signer): Promise<Uint8Array> {
  const body = encodeCredential(fields);
  const encoded = tuple('signed credential', body, await issuer.sign(tuple('credential signature', body)));
  decode(encoded); // what is issued can be read
  return encoded;
}

/** The identity that a credential's fields have: `H(T("muniment/1 credential", …))`. */
export function credentialId(fields: CredentialFields): Uint8Array {
  return sha256(encodeCredential(fields));
}

/** Whether a credential carries a role. */
export function hasRole(credential: CredentialFields, role: string): boolean {
  return credential.roles.includes(role);
}

function encodeCredential(fields: CredentialFields): Uint8Array {
  return tuple(
    'credential',
    fields.subject,
    fields.roles,
    encodePublicKeys(fields),
    fields.notBefore,
    fields.notAfter,
    fields.serial,
    fields.issuer,
  );
}

/** The three public keys of a party as one list, in credentials and in requests for them. */
export function encodePublicKeys(
  keys: Pick<CredentialFields, 'signing' | 'handshake' | 'sealing'>,
): Uint8Array {
  return encodeItems([
    keys.signing.algorithm,
    keys.signing.publicKey,
    keys.handshake.kem,
    keys.handshake.publicKey,
    keys.sealing.kem,
    keys.sealing.publicKey,
  ]);
}

/** Reads what {@link encodePublicKeys} wrote, and checks algorithms and lengths. */
export function readPublicKeys(
  reader: TupleReader,
): Pick<CredentialFields, 'signing' | 'handshake' | 'sealing'> {
  const { name, publicKeyLength } = partyAlgorithm(reader.text(NAME_LIMIT));
  const signing = { algorithm: name, publicKey: reader.bytes(publicKeyLength) };
  const keys = { signing, handshake: readKemPublicKey(reader), sealing: readKemPublicKey(reader) };
  // A key pair has one purpose. Hybrid keys end in their classical half, and points of P-256 in y: so do keys in disguise.
  const ends = Object.values(keys).map(({ publicKey }) => toHex(publicKey.subarray(-KEY_END_LENGTH)));
  if (new Set(ends).size !== ends.length) throw new MunimentError('KEY_PUBLIC');
  return keys;
}

/** Reads a KEM id and a public key of the length it demands. */
export function readKemPublicKey(reader: TupleReader): KemPublicKey {
  const algorithm = kem(reader.integer());
  return { kem: algorithm.id, publicKey: reader.bytes(algorithm.publicKeyLength) };
}

function decode(encoded: Uint8Array): { body: Uint8Array; signature: Uint8Array; fields: CredentialFields } {
  try {
    if (encoded.length > CREDENTIAL_LIMIT) throw new MunimentError('WIRE_LIMIT');
    const outer = TupleReader.labelled(encoded, 'signed credential');
    const [body, signature] = [outer.bytes(), readSignature(outer)];
    outer.end();
    const fields = decodeFields(body);
    if (fields.roles.length === 0 || fields.subject === '') throw new MunimentError('WIRE_TUPLE');
    return { body, signature, fields };
  } catch (cause) {
    throw new MunimentError('KEY_CREDENTIAL', undefined, { cause });
  }
}

function decodeFields(body: Uint8Array): CredentialFields {
  const reader = TupleReader.labelled(body, 'credential');
  const fields = {
    subject: reader.text(NAME_LIMIT),
    roles: reader.list(ROLES_LIMIT, (role) => role.text(NAME_LIMIT)),
    ...reader.group(readPublicKeys),
    notBefore: reader.integer(),
    notAfter: reader.integer(),
    serial: reader.bytes(SERIAL_LENGTH),
    issuer: reader.bytes(ID_LENGTH),
  };
  reader.end();
  return fields;
}

function checkSignature(issuer: SigningPublicKey, body: Uint8Array, signature: Uint8Array): void {
  try {
    verifySignature(issuer, tuple('credential signature', body), signature);
  } catch (cause) {
    throw new MunimentError('KEY_CREDENTIAL', undefined, { cause });
  }
}

function vouchedFor(fields: CredentialFields, body: Uint8Array, encoded: Uint8Array): Credential {
  // The brand exists only in types; this is the one place that gives it, after the issuer's signature was checked.
  return { ...fields, id: sha256(body), encoded: concat(encoded) } as Credential;
}
