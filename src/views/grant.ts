/**
 * Grants: the owner hands a compartment, classes or fields to somebody, signed, with purpose and time; and a grantee who
 * may, hands on what it was given. What was sealed stays as it is; the author's signatures go on speaking for it.
 * spec/views.md, "Grants".
 */

import { hashTuple, hpkeSeal, sha256, systemRandom, type Random } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import {
  hpkeOpenWith,
  nodeKey,
  signStatement,
  suite,
  verifyStatement,
  type Credential,
  type Identity,
} from '../keys/index.ts';
import { encodeItems, equalBytes, pad, tuple, TupleReader, unpad, utf8 } from '../wire/index.ts';
import {
  decodeGranted,
  encodeGranted,
  scopeOf,
  type Granted,
  type GrantedFields,
  type GrantedKeys,
  type GrantedNode,
} from './granted.ts';
import type { Account } from './account.ts';
import type { View } from './open.ts';
import { compartmentReader, type OpeningReader, type Reader } from './reader.ts';
import {
  checkWithin,
  decodeTerms,
  encodeTerms,
  PARENT_NONE,
  PASSING_LIMIT,
  REASON_LIMIT,
  type GrantTerms,
  type StatedTerms,
} from './terms.ts';

/** A grant whose grantor's signature was verified. */
export interface Grant extends StatedTerms {
  /** The grantee's Id. */
  readonly grantee: Uint8Array;
  readonly wrapHash: Uint8Array;
  /** `H(T("muniment/1 grant digest", statement))`, by which a grant that passes it on names it. */
  readonly digest: Uint8Array;
  /** How often it was passed on: 0 for the first grantor's own. */
  readonly passed: number;
}

/** A signed grant, and the wrap that travels beside it. */
export interface SignedGrant {
  /** A signed statement: the payload of the grant's entry. */
  readonly statement: Uint8Array;
  /** What is granted, sealed to the grantee. */
  readonly wrap: Uint8Array;
}

/** Terms and content of a grant that is to be made. */
export interface Granting {
  readonly terms: GrantTerms;
  readonly granted: Granted;
}

/**
 * Grants a compartment, classes or fields.
 *
 * The bytes written do not grow with what the compartment holds. Cryptography sees to it that nobody but the grantee
 * opens the wrap, and only with these terms; that `until` is kept, and that nothing is handed on without leave, honest
 * software sees to. Rotate the compartment to end a grant for what is to come.
 *
 * @param grantor - the record's owner, or whoever else holds what is granted
 * @param grantee - to whom
 * @param granting - terms (purpose at most 512 bytes), and what is handed over, which is the scope
 * @param random - for vectors only
 * @returns the signed statement and the wrap
 * @throws `RangeError` if `until` is before `from`, the purpose is too long or there is nothing to hand over; `MunimentError` `KEY_PUBLIC`, `VIEW_DISCLOSURE`
 * @example
 * ```ts
 * import { KEM_XWING, systemRandom } from 'muniment/crypto';
 * import { compartmentNode, createAnchor, createRoot, enrol } from 'muniment/keys';
 * import { grant, openGrant } from 'muniment/views';
 * const valid = { notBefore: 0, notAfter: 4e12 };
 * const hospital = await createAnchor({ subject: 'Hospital', roles: ['administrator'], ...valid });
 * const patient = await enrol(hospital, { subject: 'Bob', roles: ['patient'], ...valid });
 * const doctor = await enrol(hospital, { subject: 'Dr. Ruiz', roles: ['doctor'], ...valid });
 * const node = compartmentNode(createRoot(), 'urgent', 0);
 * const granted = { kind: 'compartment', name: 'urgent', epoch: 0, kem: KEM_XWING, node } as const;
 * const recordId = systemRandom(16);
 * const terms = { recordId, purpose: 'treatment', from: 0, until: 2e12, mayPassOn: false };
 * const signed = await grant(patient, doctor.credential, { terms, granted });
 * const opened = await openGrant(doctor, signed, { grantor: patient.credential, recordId, at: 1e12, under: null });
 * if (opened.kind === 'compartment') console.log(opened.reader.reader.name); // urgent
 * ```
 */
export async function grant(
  grantor: Identity,
  grantee: Credential,
  granting: Granting,
  random: Random = systemRandom,
): Promise<SignedGrant> {
  return sign(grantor, grantee, { ...granting, parent: PARENT_NONE }, random);
}

/**
 * Passes a grant on, whole or in part.
 *
 * @param grantor - its grantee
 * @param grantee - to whom
 * @param granting - terms within those of the grant, what is handed over (what `openGrant` opened, or a part), and the verified grant that is passed on
 * @param random - for vectors only
 * @throws `MunimentError` `VIEW_GRANT` if that grant does not allow it: to this grantor, with this scope, purpose and time, and not for the eighth time
 */
export async function passOn(
  grantor: Identity,
  grantee: Credential,
  granting: Granting & { readonly under: Grant },
  random: Random = systemRandom,
): Promise<SignedGrant> {
  const { terms, granted, under } = granting;
  const scope = scopeOf(granted);
  const parent = under.digest;
  checkPassing({ ...terms, scope, grantor: grantor.credential.id, parent }, under);
  return sign(grantor, grantee, { terms, granted, parent }, random);
}

/**
 * Seals the keys of a document that a reader holds to that reader's new key: the same content keys, so that no byte of
 * the document changes and its author's signature stays. Whoever held the old key still opens it; to end that,
 * `reseal`. In form it is a grant of classes.
 *
 * The owner, who holds every key, hands out those of the classes that its accounting proves to be the reader's, and none
 * to whoever holds halves or shares. Anybody else hands out all that its view has, which must be its own.
 *
 * @param holder - who opened the document: its owner, or the reader itself
 * @param to - whose sealing key they are sealed to
 * @param wrapping - terms, what `open` gave, and the reader by its old key
 * @param random - for vectors only
 * @returns the grant; `null` if the reader holds no whole key of this document
 * @throws `RangeError` and `MunimentError` as `grant` does
 */
export async function rewrap(
  holder: Identity,
  to: Credential,
  wrapping: {
    readonly terms: GrantTerms;
    readonly view: Pick<View, 'bodyHash' | 'keys' | 'account'>;
    readonly reader: Reader;
  },
  random: Random = systemRandom,
): Promise<SignedGrant | null> {
  const { terms, view, reader } = wrapping;
  const keys = view.keys.filter(({ index }) => readsWhole(view.account, reader, index));
  if (keys.length === 0) return null;
  return grant(holder, to, { terms, granted: { kind: 'classes', bodyHash: view.bodyHash, keys } }, random);
}

/**
 * Verifies a grant's signature and reads it.
 *
 * @param statement - the signed statement
 * @param grantor - who must have signed it
 * @param under - the verified grant that it must pass on; `null` for one that must not pass on any
 * @throws `MunimentError` `VIEW_GRANT`
 */
export function verifyGrant(statement: Uint8Array, grantor: Credential, under: Grant | null): Grant {
  try {
    const reader = TupleReader.labelled(verifyStatement(statement, grantor), 'grant');
    const [grantee, wrapHash, aad] = [reader.bytes(32), reader.bytes(32), reader.bytes()];
    reader.end();
    const terms = decodeTerms(aad);
    if (!equalBytes(terms.grantor, grantor.id)) refuse();
    if (under !== null) checkPassing(terms, under);
    else if (!equalBytes(terms.parent, PARENT_NONE)) refuse();
    const passed = under === null ? 0 : under.passed + 1;
    return { ...terms, grantee, wrapHash, digest: hashTuple('grant digest', statement), passed };
  } catch (cause) {
    throw new MunimentError('VIEW_GRANT', undefined, { cause });
  }
}

/** What a grant opened to: a reader to open documents as, class keys for `open`, or fields for `verifyDisclosure`. */
export type OpenedGrant = { readonly grant: Grant } & (
  (GrantedNode & { readonly reader: OpeningReader }) | GrantedKeys | GrantedFields
);

/**
 * Opens what a grant hands over.
 *
 * @param grantee - to whom it was granted
 * @param signed - statement and wrap
 * @param expected - who must have granted it, of which record, the time it must cover, and the verified grant that it passes on or `null`
 * @throws `MunimentError` `VIEW_GRANT` for every cause
 */
export async function openGrant(
  grantee: Identity,
  signed: SignedGrant,
  expected: {
    readonly grantor: Credential;
    readonly recordId: Uint8Array;
    readonly at: number;
    readonly under: Grant | null;
  },
): Promise<OpenedGrant> {
  const verified = verifyGrant(signed.statement, expected.grantor, expected.under);
  // Its signature is good, and who asks may read the statement: why it does not fit is no secret.
  if (!equalBytes(verified.grantee, grantee.credential.id)) refuse('the grant is to somebody else');
  if (!equalBytes(verified.recordId, expected.recordId)) refuse('the grant is of another record');
  if (!(expected.at >= verified.from && expected.at <= verified.until))
    refuse('the grant does not cover this time');
  if (!equalBytes(verified.wrapHash, sha256(signed.wrap))) refuse('the wrap is not the one of the grant');
  try {
    const parts = new TupleReader(signed.wrap);
    const wrap = { encapsulation: parts.bytes(), ciphertext: parts.bytes() };
    parts.end();
    const info = grantInfo(grantee.credential);
    const { plaintext } = await hpkeOpenWith(grantee.sealing, info, encodeTerms(verified), wrap);
    return withReader(verified, decodeGranted(unpad(plaintext), verified.scope));
  } catch (cause) {
    throw new MunimentError('VIEW_GRANT', undefined, { cause });
  }
}

async function sign(
  grantor: Identity,
  grantee: Credential,
  { terms, granted, parent }: Granting & { readonly parent: Uint8Array },
  random: Random,
): Promise<SignedGrant> {
  if (!(terms.from <= terms.until)) throw new RangeError('a grant ends after it begins');
  if (utf8(terms.purpose).length > REASON_LIMIT) throw new RangeError('a purpose has at most 512 bytes');
  const scope = scopeOf(granted);
  const aad = encodeTerms({ ...terms, scope, grantor: grantor.credential.id, parent });
  const plaintext = pad(encodeGranted(granted));
  const { encapsulation, ciphertext } = hpkeSeal(grantee.sealing, grantInfo(grantee), aad, plaintext, random);
  const wrap = encodeItems([encapsulation, ciphertext]);
  const body = tuple('grant', grantee.id, sha256(wrap), aad);
  return { statement: await signStatement(grantor, body), wrap };
}

function readsWhole(account: Account | null, { id }: Reader, line: number): boolean {
  if (account === null) return true;
  const isReader = (one: Uint8Array): boolean => equalBytes(one, id);
  if ([...account.halved, ...account.custodians].some(isReader)) return false;
  const ids = account.readers.get(line);
  return ids !== undefined && ids !== 'public' && ids.some(isReader);
}

function checkPassing(terms: StatedTerms, under: Grant): void {
  const next = equalBytes(terms.parent, under.digest) && equalBytes(terms.grantor, under.grantee);
  if (!next || under.passed + 1 >= PASSING_LIMIT) refuse();
  checkWithin(terms, under);
}

function withReader(verified: Grant, granted: Granted): OpenedGrant {
  if (granted.kind !== 'compartment') return { grant: verified, ...granted };
  const { name, epoch, kem: kemId } = granted;
  const key = nodeKey(granted.node, kemId);
  const reader = compartmentReader({ name, epoch, kem: kemId, publicKey: key.publicKey });
  return { grant: verified, ...granted, reader: { reader, key } };
}

function grantInfo(grantee: Credential): Uint8Array {
  return tuple('grant wrap', suite(grantee.sealing.kem), grantee.id);
}

function refuse(reason?: string): never {
  throw new MunimentError('VIEW_GRANT', reason);
}
