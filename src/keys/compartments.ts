/**
 * The owner's signed list of compartments: to which public key of the key tree each part of the record is sealed.
 * The root travels in it too, sealed to the owner's own key, so that a card is all the owner needs.
 * spec/keys.md, "Compartments".
 */

import {
  TAG_LENGTH,
  hpkeSeal,
  kem,
  systemRandom,
  type HpkeSealed,
  type KemId,
  type Random,
} from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { equalBytes, tuple, TupleReader } from '../wire/index.ts';
import { NAME_LIMIT, readKemPublicKey, type Credential } from './credential.ts';
import type { Identity } from './identity.ts';
import { hpkeOpenWith, suite, type KemPublicKey } from './ports.ts';
import { exposeSecret, Secret } from './secret.ts';
import { signStatement, verifyStatement } from './statement.ts';
import { beginsRightly, NO_PREDECESSOR, statementDigest } from './succession.ts';
import { deriveNode, nodeKey, type NodeSecret } from './tree.ts';

/** Where whatever no rule gives a compartment goes. */
export const INBOX = 'inbox';
/** The name of the root's own compartment. */
export const ROOT = '';
/** Most compartments of one record. */
export const COMPARTMENTS_LIMIT = 256;

/** Bytes of the root's ciphertext. */
const SEALED_ROOT_LENGTH = tuple('root', new Uint8Array(32)).length + TAG_LENGTH;

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
    change.names.includes(one.name) ? nextEpoch(root, one) : ofRoot(root, one),
  );
  const added = change.added.map((name) => compartmentAt(root, name, 0, kem));
  return signList(owner, root, { ...after(previous), list: [...list, ...added] }, random);
}

/**
 * Takes a record's list of compartments over under another Id of its owner, after a succession or a recovery: every
 * compartment stays as it is, signed by the new Id, with the root sealed to it. One whose key is not the root's, which somebody
 * else has put there, goes on with the root's in the next epoch. That this Id is the owner's is what the record's chain
 * says, and not this list.
 *
 * @param owner - the owner under its new Id
 * @param root - the record's root, from the Id before or from guardians
 * @param previous - the newest list, verified
 * @param random - randomness for sealing the root
 * @returns the signed list: number one higher, all compartments of the one before
 * @throws `MunimentError` `KEY_CHANGE` if the root is not the one of that list
 * @example
 * ```ts
 * import { systemRandom } from 'muniment/crypto';
 * import {
 *   createAnchor, createRoot, inheritCompartments, publishCompartments, verifyCompartments, verifyNextCompartments,
 * } from 'muniment/keys';
 * const profile = { subject: 'Bob', roles: ['patient'], notBefore: 0, notAfter: 4e12 };
 * const [before, after] = [await createAnchor(profile), await createAnchor(profile)];
 * const [root, record] = [createRoot(), { recordId: systemRandom(16), names: ['urgent'] }];
 * const first = verifyCompartments(await publishCompartments(before, root, record), before.credential);
 * const signed = await inheritCompartments(after, root, first);
 * verifyNextCompartments(signed, after.credential, first).number; // 1
 * ```
 */
export async function inheritCompartments(
  owner: Identity,
  root: NodeSecret,
  previous: Compartments,
  random: Random = systemRandom,
): Promise<Uint8Array> {
  if (!isRootOf(root, previous)) refuseChange();
  const list = previous.list.map((one) => ofRoot(root, one));
  return signList(owner, root, { ...after(previous), list }, random);
}

/**
 * Verifies a list of compartments. Whether it is the newest, and follows the one before, is for
 * `verifyNextCompartments`, `verifyCompartmentsHistory` and `checkSeen` to tell.
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
    // Each list moves a compartment by one epoch at most.
    statement.list.every(({ epoch }) => epoch <= statement.number) &&
    statement.sealedRoot.encapsulation.length === kem(owner.sealing.kem).encapsulationLength &&
    statement.sealedRoot.ciphertext.length === SEALED_ROOT_LENGTH &&
    beginsRightly(statement);
  if (!wellFormed || !equalBytes(statement.owner, owner.id)) throw new MunimentError('WIRE_TUPLE');
  return statement;
}

/**
 * Opens the root that the owner sealed to itself.
 *
 * @throws `MunimentError` `KEY_OPEN`, also for a root that is not the one of the list
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
    const secret = new Secret('tree node', root);
    if (!isRootOf(secret, compartments)) refuseChange();
    return secret;
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

// A compartment as the owner may sign for it: whoever has signed the list before may have put a key of its own there.
function ofRoot(root: NodeSecret, one: Compartment): Compartment {
  const { publicKey } = compartmentAt(root, one.name, one.epoch, one.kem);
  return equalBytes(publicKey, one.publicKey) ? one : nextEpoch(root, one);
}

function nextEpoch(root: NodeSecret, { name, epoch, kem }: Compartment): Compartment {
  return compartmentAt(root, name, epoch + 1, kem);
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
  const fits =
    equalBytes(signer, owner.credential.id) &&
    isRootOf(root, { list }) &&
    names.every((name) => name !== ROOT && known.has(name)) &&
    added.every((name) => !known.has(name)) &&
    [names, added].every((some) => new Set(some).size === some.length) &&
    list.length + added.length <= COMPARTMENTS_LIMIT;
  if (!fits) refuseChange();
}

// What every list that follows another has of it.
function after({
  recordId,
  number,
  digest,
}: Compartments): Pick<Compartments, 'recordId' | 'number' | 'previous'> {
  return { recordId, number: number + 1, previous: digest };
}

function isRootOf(root: NodeSecret, { list: [first] }: Pick<Compartments, 'list'>): boolean {
  return first !== undefined && equalBytes(nodeKey(root, first.kem).publicKey, first.publicKey);
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
