/**
 * Grants: the owner hands one node of its tree to somebody, signed, with scope, purpose and time. What was sealed
 * stays as it is; the author's signatures still speak for it. spec/views.md, "Grants".
 */

import { hpkeSeal, kem, sha256, systemRandom, type KemId, type Random } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import {
  exposeSecret,
  hpkeOpenWith,
  NAME_LIMIT,
  nodeKey,
  Secret,
  signStatement,
  suite,
  verifyStatement,
  type Credential,
  type Identity,
  type NodeSecret,
} from '../keys/index.ts';
import { encodeItems, equalBytes, tuple, TupleReader } from '../wire/index.ts';
import { ID_LENGTH } from './constants.ts';
import { compartmentReader, type OpeningReader } from './reader.ts';

/** Longest purpose or reason, in bytes. */
export const REASON_LIMIT = 512;

/** What a grant says. */
export interface GrantTerms {
  readonly recordId: Uint8Array;
  /** The compartment handed over, by name. */
  readonly scope: string;
  /** Why, in words. */
  readonly purpose: string;
  /** From when and until when, in milliseconds since 1970, both included. */
  readonly from: number;
  readonly until: number;
  /** Whether the grantee may hand it on. */
  readonly mayPassOn: boolean;
}

/** A grant whose grantor's signature was verified. */
export interface Grant extends GrantTerms {
  readonly grantor: Uint8Array;
  readonly grantee: Uint8Array;
  readonly wrapHash: Uint8Array;
}

/** A signed grant, and the wrap that travels beside it. */
export interface SignedGrant {
  /** A signed statement: the payload of the grant's entry. */
  readonly statement: Uint8Array;
  /** The node, sealed to the grantee. */
  readonly wrap: Uint8Array;
}

/** A node of the owner's tree with what readers need to know of it. */
export interface GrantedNode {
  readonly name: string;
  readonly epoch: number;
  readonly kem: KemId;
  readonly node: NodeSecret;
}

/**
 * Grants a compartment.
 *
 * @param grantor - the record's owner
 * @param grantee - to whom
 * @param granted - the terms, and the node that the scope names
 * @param random - for vectors only
 * @example
 * ```ts
 * import { KEM_XWING, systemRandom } from 'muniment/crypto';
 * import { compartmentNode, createAnchor, createRoot, enrol } from 'muniment/keys';
 * import { grant, openGrant } from 'muniment/views';
 * const valid = { notBefore: 0, notAfter: 4e12 };
 * const hospital = await createAnchor({ subject: 'Hospital', roles: ['administrator'], ...valid });
 * const doctor = await enrol(hospital, { subject: 'Dr. Ruiz', roles: ['doctor'], ...valid });
 * const patient = await enrol(hospital, { subject: 'Bob', roles: ['patient'], ...valid });
 * const recordId = systemRandom(16);
 * const node = { name: 'urgent', epoch: 0, kem: KEM_XWING, node: compartmentNode(createRoot(), 'urgent', 0) };
 * const terms = { recordId, scope: 'urgent', purpose: 'second opinion', from: 0, until: 2e12, mayPassOn: false };
 * const signed = await grant(patient, doctor.credential, { terms, node });
 * const opened = await openGrant(doctor, signed, { grantor: patient.credential, recordId, at: 1e12 });
 * console.log(opened.reader.name); // urgent
 * ```
 */
export async function grant(
  grantor: Identity,
  grantee: Credential,
  granted: { readonly terms: GrantTerms; readonly node: GrantedNode },
  random: Random = systemRandom,
): Promise<SignedGrant> {
  const { terms, node } = granted;
  if (terms.scope !== node.name) throw new RangeError('the scope names the node');
  const plaintext = tuple('grant node', node.name, node.epoch, node.kem, exposeSecret(node.node));
  const aad = grantAad(terms, grantor.credential.id);
  const { encapsulation, ciphertext } = hpkeSeal(grantee.sealing, grantInfo(grantee), aad, plaintext, random);
  const wrap = encodeItems([encapsulation, ciphertext]);
  const body = tuple('grant', grantee.id, sha256(wrap), aad);
  return { statement: await signStatement(grantor, body), wrap };
}

/**
 * Verifies a grant's signature and reads it.
 *
 * @param statement - the signed statement
 * @param grantor - who must have signed it
 * @throws `MunimentError` `VIEW_GRANT`
 */
export function verifyGrant(statement: Uint8Array, grantor: Credential): Grant {
  return refusing(() => {
    const reader = TupleReader.labelled(verifyStatement(statement, grantor), 'grant');
    const [grantee, wrapHash, aad] = [reader.bytes(32), reader.bytes(32), reader.bytes()];
    reader.end();
    const terms = readTerms(aad);
    if (!equalBytes(terms.grantor, grantor.id)) throw new MunimentError('VIEW_GRANT');
    return { ...terms, grantee, wrapHash };
  });
}

/**
 * Opens the node that a grant hands over, as a reader ready to open documents with.
 *
 * @param grantee - to whom it was granted
 * @param signed - statement and wrap
 * @param expected - who must have granted it, of which record, and the time it must cover
 * @throws `MunimentError` `VIEW_GRANT` for every cause
 */
export async function openGrant(
  grantee: Identity,
  signed: SignedGrant,
  expected: { readonly grantor: Credential; readonly recordId: Uint8Array; readonly at: number },
): Promise<OpeningReader> {
  const terms = verifyGrant(signed.statement, expected.grantor);
  const fits =
    equalBytes(terms.grantee, grantee.credential.id) &&
    equalBytes(terms.recordId, expected.recordId) &&
    equalBytes(terms.wrapHash, sha256(signed.wrap)) &&
    expected.at >= terms.from &&
    expected.at <= terms.until;
  if (!fits) throw new MunimentError('VIEW_GRANT');
  try {
    const parts = new TupleReader(signed.wrap);
    const wrap = { encapsulation: parts.bytes(), ciphertext: parts.bytes() };
    parts.end();
    const aad = grantAad(terms, expected.grantor.id);
    const { plaintext } = await hpkeOpenWith(grantee.sealing, grantInfo(grantee.credential), aad, wrap);
    const { name, epoch, kem: kemId, node } = readNode(plaintext);
    if (name !== terms.scope) throw new MunimentError('VIEW_GRANT');
    const key = nodeKey(node, kemId);
    return { reader: compartmentReader({ name, epoch, kem: kemId, publicKey: key.publicKey }), key };
  } catch (cause) {
    throw new MunimentError('VIEW_GRANT', undefined, { cause });
  }
}

function grantInfo(grantee: Credential): Uint8Array {
  return tuple('grant wrap', suite(grantee.sealing.kem), grantee.id);
}

function grantAad(terms: GrantTerms, grantorId: Uint8Array): Uint8Array {
  const { recordId, scope, purpose, from, until, mayPassOn } = terms;
  return tuple('grant aad', recordId, grantorId, scope, purpose, from, until, mayPassOn ? 1 : 0);
}

function readTerms(aad: Uint8Array): GrantTerms & { readonly grantor: Uint8Array } {
  const reader = TupleReader.labelled(aad, 'grant aad');
  const [recordId, grantor] = [reader.bytes(ID_LENGTH), reader.bytes(32)];
  const [scope, purpose] = [reader.text(NAME_LIMIT), reader.text(REASON_LIMIT)];
  const [from, until, passOn] = [reader.integer(), reader.integer(), reader.integer()];
  reader.end();
  if (passOn > 1) throw new MunimentError('WIRE_TUPLE');
  return { recordId, grantor, scope, purpose, from, until, mayPassOn: passOn === 1 };
}

function readNode(plaintext: Uint8Array): GrantedNode {
  const reader = TupleReader.labelled(plaintext, 'grant node');
  const node = {
    name: reader.text(NAME_LIMIT),
    epoch: reader.integer(),
    kem: kem(reader.integer()).id,
    node: new Secret('tree node', reader.bytes(32)),
  };
  reader.end();
  return node;
}

function refusing(read: () => Grant): Grant {
  try {
    return read();
  } catch (cause) {
    throw new MunimentError('VIEW_GRANT', undefined, { cause });
  }
}
