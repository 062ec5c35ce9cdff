/**
 * The owner's signed list of compartments: to which public key of the key tree each part of the record is sealed.
 * The root travels in it too, sealed to the owner's own key, so that a card is all the owner needs.
 * spec/keys.md, "Compartments".
 */

import { hpkeSeal, systemRandom, type Random } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { equalBytes, tuple, TupleReader } from '../wire/index.ts';
import { NAME_LIMIT, readKemPublicKey, type Credential } from './credential.ts';
import type { Identity } from './identity.ts';
import { hpkeOpenWith, suite, type KemPublicKey } from './ports.ts';
import { exposeSecret, Secret } from './secret.ts';
import { signStatement, verifyStatement } from './statement.ts';
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
  /** The root first, then the others, names distinct. */
  readonly list: readonly Compartment[];
  /** The root, sealed to the owner. */
  readonly sealedRoot: { readonly encapsulation: Uint8Array; readonly ciphertext: Uint8Array };
}

/**
 * Makes and signs the list for a record: the root, the inbox, and one compartment per name, all at epoch 0.
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
  const list = names.map((name) => [name, 0, kem, nodeKey(compartmentNode(root, name, 0), kem).publicKey]);
  const sealed = hpkeSeal(
    owner.sealing,
    rootInfo(owner),
    rootAad(record.recordId),
    tuple('root', exposeSecret(root)),
    random,
  );
  const { encapsulation, ciphertext } = sealed;
  const body = tuple('compartments', record.recordId, owner.credential.id, list, encapsulation, ciphertext);
  return signStatement(owner, body);
}

/**
 * Verifies a list of compartments.
 *
 * @throws `MunimentError` `KEY_SIGNATURE`, `WIRE_TUPLE`, `WIRE_LIMIT`, `KEY_ALGORITHM`
 */
export function verifyCompartments(signed: Uint8Array, owner: Credential): Compartments {
  const reader = TupleReader.labelled(verifyStatement(signed, owner), 'compartments');
  const statement = {
    recordId: reader.bytes(16),
    owner: reader.bytes(32),
    list: reader.list(COMPARTMENTS_LIMIT, (item) =>
      item.group((part) => ({
        name: part.text(NAME_LIMIT),
        epoch: part.integer(),
        ...readKemPublicKey(part),
      })),
    ),
    sealedRoot: { encapsulation: reader.bytes(), ciphertext: reader.bytes() },
  };
  reader.end();
  const names = new Set(statement.list.map((item) => item.name));
  const wellFormed =
    statement.list[0]?.name === ROOT && names.has(INBOX) && names.size === statement.list.length;
  if (!wellFormed || !equalBytes(statement.owner, owner.id)) throw new MunimentError('WIRE_TUPLE');
  return statement;
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

function rootInfo(owner: Identity): Uint8Array {
  return tuple('root wrap', suite(owner.sealing.kem), owner.credential.id);
}

function rootAad(recordId: Uint8Array): Uint8Array {
  return tuple('root wrap aad', recordId);
}
