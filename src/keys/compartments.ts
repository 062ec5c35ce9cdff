/**
 * The owner's signed list of compartments: to which public key of the key tree each part of the record is sealed.
 * The root travels in it too, sealed to the owner's own key, so that a card is all the owner needs.
 * spec/keys.md, "Compartments".
 */

import { hpkeSeal, systemRandom, type HpkeSealed, type KemId, type Random } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { equalBytes, tuple, TupleReader } from '../wire/index.ts';
import { NAME_LIMIT, readKemPublicKey, type Credential } from './credential.ts';
import type { Identity } from './identity.ts';
import { hpkeOpenWith, suite, type KemPublicKey } from './ports.ts';
import { exposeSecret, Secret } from './secret.ts';
import { signStatement, verifyStatement } from './statement.ts';
import {
  beginsRightly,
  checkFollows,
  checkRun,
  NO_PREDECESSOR,
  statementDigest,
  type Seen,
} from './succession.ts';
import { deriveNode, nodeKey, type NodeSecret } from './tree.ts';

/** Where whatever no rule gives a compartment goes. */
export const INBOX = 'inbox';
/** The name of the root's own compartment. */
export const ROOT = '';
/** Most compartments of one record. */
export const COMPARTMENTS_LIMIT = 256;

/** A compartment: its name (`''` is the root), epoch and public key. */
export interface Compartment extends KemPublicKey {
  readonly name: string;
  readonly epoch: number;
}

/** A verified list of compartments. */
export interface Compartments {
  /** 16 bytes. */
  readonly recordId: Uint8Array;
  /** The owner's Id. */
  readonly owner: Uint8Array;
  /** 0 for a record's first list, one more for each that replaces it. */
  readonly number: number;
  /** Digest of the list before this one; zeros in the first. 32 bytes. */
  readonly previous: Uint8Array;
  /** The root first, then the others, names distinct. */
  readonly list: readonly Compartment[];
  /** The root, sealed to the owner. */
  readonly sealedRoot: HpkeSealed;
  /** Digest of the signed statement, by which the next list names it. 32 bytes. */
  readonly digest: Uint8Array;
}

/**
 * Makes and signs the first list for a record: the root, the inbox, and one compartment per name, all at epoch 0.
 *
 * @param owner - the record's owner
 * @param root - the record's root
 * @param record - the record's id (16 bytes) and the names of its compartments
 * @param random - randomness for sealing the root
 */
export async function publishCompartments(
  owner: Identity,
  root: NodeSecret,
  record: { readonly recordId: Uint8Array; readonly names: readonly string[] },
  random: Random = systemRandom,
): Promise<Uint8Array> {
  const { kem } = owner.sealing;
  const names = [ROOT, ...new Set([INBOX, ...record.names])];
  const list = names.map((name) => compartmentAt(root, name, 0, kem));
  const first = { recordId: record.recordId, number: 0, previous: NO_PREDECESSOR, list };
  return signList(owner, root, first, random);
}

/**
 * Rotates compartments: a fresh epoch, and so a fresh key, for each of those named; the others stay as they are. What
 * is sealed from now on does not open for who was granted the node of an earlier epoch. Nothing is taken back by it:
 * a former reader keeps the node, and with it all that was sealed to that epoch, also what it has never asked for.
 *
 * @param owner - the record's owner, who signed the list before
 * @param root - the record's root, which is never rotated: whoever held it could derive every epoch
 * @param previous - the newest list, verified
 * @param change - names to rotate, and names of compartments to add, at epoch 0; both may be empty
 * @param random - randomness for sealing the root
 * @returns the signed list: number one higher, all compartments of the one before, the added ones last
 * @throws `MunimentError` `KEY_CHANGE` if a name to rotate is the root's, unknown or there twice, a name to add is known
 *   or there twice, there would be more than 256, or the owner or root is not the one of that list
 * @example
 * ```ts
 * import { systemRandom } from 'muniment/crypto';
 * import {
 *   createAnchor, createRoot, publishCompartments, rotate, verifyCompartments, verifyNextCompartments,
 * } from 'muniment/keys';
 * const patient = await createAnchor({ subject: 'Bob', roles: ['patient'], notBefore: 0, notAfter: 4e12 });
 * const [root, record] = [createRoot(), { recordId: systemRandom(16), names: ['urgent'] }];
 * const first = verifyCompartments(await publishCompartments(patient, root, record), patient.credential);
 * const signed = await rotate(patient, root, first, { names: ['urgent'], added: ['dental'] });
 * const next = verifyNextCompartments(signed, patient.credential, first);
 * next.list.map(({ name, epoch }) => `${name} ${epoch}`); // [' 0', 'inbox 0', 'urgent 1', 'dental 0']
 * ```
 */
export async function rotate(
  owner: Identity,
  root: NodeSecret,
  previous: Compartments,
  change: { readonly names: readonly string[]; readonly added: readonly string[] },
  random: Random = systemRandom,
): Promise<Uint8Array> {
  checkRotation(owner, root, previous, change);
  const { kem } = previous.list[0] ?? refuseChange();
  const list = previous.list.map((one) =>
    change.names.includes(one.name) ? compartmentAt(root, one.name, one.epoch + 1, one.kem) : one,
  );
  const next = {
    recordId: previous.recordId,
    number: previous.number + 1,
    previous: previous.digest,
    list: [...list, ...change.added.map((name) => compartmentAt(root, name, 0, kem))],
  };
  return signList(owner, root, next, random);
}

/**
 * Verifies a list of compartments. Whether it is the newest, and follows the one before, is for
 * {@link verifyNextCompartments}, {@link verifyCompartmentsHistory} and `checkSeen` to tell.
 *
 * @throws `MunimentError` `KEY_SIGNATURE`, `WIRE_TUPLE`, `WIRE_LIMIT`, `KEY_ALGORITHM`
 */
export function verifyCompartments(signed: Uint8Array, owner: Credential): Compartments {
  const reader = TupleReader.labelled(verifyStatement(signed, owner), 'compartments');
  const statement = {
    recordId: reader.bytes(16),
    owner: reader.bytes(32),
    number: reader.integer(),
    previous: reader.bytes(32),
    list: reader.list(COMPARTMENTS_LIMIT, (item) =>
      item.group((part) => ({
        name: part.text(NAME_LIMIT),
        epoch: part.integer(),
        ...readKemPublicKey(part),
      })),
    ),
    sealedRoot: { encapsulation: reader.bytes(), ciphertext: reader.bytes() },
    digest: statementDigest(signed),
  };
  reader.end();
  const names = new Set(statement.list.map((item) => item.name));
  const wellFormed =
    statement.list[0]?.name === ROOT &&
    names.has(INBOX) &&
    names.size === statement.list.length &&
    beginsRightly(statement);
  if (!wellFormed || !equalBytes(statement.owner, owner.id)) throw new MunimentError('WIRE_TUPLE');
  return statement;
}

/**
 * Verifies a list that claims to be the next after one that was verified: of the same record and owner, with every
 * compartment of that one, none at an earlier epoch, and a key that is another exactly if its epoch is.
 *
 * @throws `MunimentError` `KEY_SUCCESSION` if it is not; and what {@link verifyCompartments} throws
 */
export function verifyNextCompartments(
  signed: Uint8Array,
  owner: Credential,
  previous: Compartments,
): Compartments {
  const next = verifyCompartments(signed, owner);
  checkNext(previous, next);
  return next;
}

/**
 * Verifies lists of one record, of which each must be the successor of the one before.
 *
 * @param signed - the statements, oldest first: from number 0, from the one seen or from any before it, or from its successor
 * @param owner - the owner's credential
 * @param seen - what `checkSeen` gave to remember; `null` if no list of this owner was ever seen
 * @returns the lists, oldest first; the last is the one to seal to
 * @throws `MunimentError` `KEY_SUCCESSION` for a gap, a fork, a key that changed in its epoch, an older end than the one
 *   seen, a beginning that does not tie in, or no list at all; and what {@link verifyCompartments} throws
 */
export function verifyCompartmentsHistory(
  signed: readonly Uint8Array[],
  owner: Credential,
  seen: Seen | null,
): readonly Compartments[] {
  const lists: Compartments[] = [];
  for (const statement of signed) {
    const next = verifyCompartments(statement, owner);
    const previous = lists.at(-1);
    if (previous !== undefined) checkNext(previous, next);
    lists.push(next);
  }
  checkRun(lists, seen);
  return lists;
}

/**
 * Opens the root that the owner sealed to itself.
 *
 * @throws `MunimentError` `KEY_OPEN`
 */
export async function openRoot(owner: Identity, compartments: Compartments): Promise<NodeSecret> {
  const opened = await hpkeOpenWith(
    owner.sealing,
    rootInfo(owner),
    rootAad(compartments.recordId),
    compartments.sealedRoot,
  );
  try {
    const reader = TupleReader.labelled(opened.plaintext, 'root');
    const root = reader.bytes(32);
    reader.end();
    return new Secret('tree node', root);
  } catch (cause) {
    throw new MunimentError('KEY_OPEN', undefined, { cause });
  }
}

/**
 * The node of a compartment: one step below the root, whatever its name. A slash in it is a character like others;
 * were it a step, whoever was granted the node above could derive every coming epoch of those below.
 */
export function compartmentNode(root: NodeSecret, name: string, epoch: number): NodeSecret {
  return name === ROOT ? root : deriveNode(root, [{ name, epoch }]);
}

function compartmentAt(root: NodeSecret, name: string, epoch: number, kem: KemId): Compartment {
  return { name, epoch, kem, publicKey: nodeKey(compartmentNode(root, name, epoch), kem).publicKey };
}

async function signList(
  owner: Identity,
  root: NodeSecret,
  statement: Pick<Compartments, 'recordId' | 'number' | 'previous' | 'list'>,
  random: Random,
): Promise<Uint8Array> {
  const { recordId, number, previous, list } = statement;
  const plaintext = tuple('root', exposeSecret(root));
  const { encapsulation, ciphertext } = hpkeSeal(
    owner.sealing,
    rootInfo(owner),
    rootAad(recordId),
    plaintext,
    random,
  );
  const items = list.map(({ name, epoch, kem, publicKey }) => [name, epoch, kem, publicKey]);
  const { id } = owner.credential;
  return signStatement(
    owner,
    tuple('compartments', recordId, id, number, previous, items, encapsulation, ciphertext),
  );
}

function checkRotation(
  owner: Identity,
  root: NodeSecret,
  { list, owner: signer }: Compartments,
  { names, added }: { readonly names: readonly string[]; readonly added: readonly string[] },
): void {
  const known = new Set(list.map(({ name }) => name));
  const [first] = list;
  const fits =
    equalBytes(signer, owner.credential.id) &&
    first !== undefined &&
    equalBytes(nodeKey(root, first.kem).publicKey, first.publicKey) &&
    names.every((name) => name !== ROOT && known.has(name)) &&
    added.every((name) => !known.has(name)) &&
    [names, added].every((some) => new Set(some).size === some.length) &&
    list.length + added.length <= COMPARTMENTS_LIMIT;
  if (!fits) refuseChange();
}

function checkNext(previous: Compartments, next: Compartments): void {
  checkFollows(previous, next);
  const after = new Map(next.list.map((one) => [one.name, one]));
  const fits =
    equalBytes(next.recordId, previous.recordId) &&
    equalBytes(next.owner, previous.owner) &&
    // A compartment that could vanish could come back at epoch 0.
    previous.list.every((one) => {
      const now = after.get(one.name);
      return now !== undefined && goesOn(one, now);
    });
  if (!fits) throw new MunimentError('KEY_SUCCESSION');
}

function goesOn(before: Compartment, now: Compartment): boolean {
  const same = now.kem === before.kem && equalBytes(now.publicKey, before.publicKey);
  if (now.epoch === before.epoch) return same;
  return now.epoch > before.epoch && !same && before.name !== ROOT;
}

function refuseChange(): never {
  throw new MunimentError('KEY_CHANGE');
}

function rootInfo(owner: Identity): Uint8Array {
  return tuple('root wrap', suite(owner.sealing.kem), owner.credential.id);
}

function rootAad(recordId: Uint8Array): Uint8Array {
  return tuple('root wrap aad', recordId);
}
