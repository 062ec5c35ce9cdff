/** Readers: KEM public keys with a kind, a name and an epoch. spec/views.md, "Readers". */

import { hashTuple } from '../crypto/index.ts';
import {
  ROOT,
  type Compartment,
  type Credential,
  type Decapsulator,
  type GroupEpoch,
  type KemPublicKey,
} from '../keys/index.ts';

/** Somebody to whom fields are sealed. */
export interface Reader extends KemPublicKey {
  /** What the key belongs to: a compartment of the owner's tree, a group's epoch, or one party. */
  readonly kind: 'compartment' | 'group' | 'party';
  readonly name: string;
  readonly epoch: number;
  /** `H(T("muniment/1 reader", kind, name, epoch, KEM id, public key))`, 32 bytes. */
  readonly id: Uint8Array;
}

/** A reader with its private key, wherever that lives. */
export interface OpeningReader {
  readonly reader: Reader;
  readonly key: Decapsulator;
}

/** A compartment as a reader. */
export function compartmentReader(compartment: Compartment): Reader {
  return reader('compartment', compartment.name, compartment.epoch, compartment);
}

/** A group's epoch as a reader. */
export function groupReader(group: Pick<GroupEpoch, 'name' | 'epoch' | 'kem' | 'publicKey'>): Reader {
  return reader('group', group.name, group.epoch, group);
}

/** One party as a reader, by its credential's sealing key; a new credential is a new reader. */
export function partyReader(credential: Credential): Reader {
  return reader('party', credential.subject, 0, credential.sealing);
}

/** What stands for the public among the readers of a class: the id of a reader without a key. */
export function publicId(): Uint8Array {
  return hashTuple('reader', 'public', '', 0, 0, new Uint8Array(0));
}

/** Whether this is the root of the owner's tree, to which every document is sealed. */
export function isRoot({ kind, name }: Reader): boolean {
  return kind === 'compartment' && name === ROOT;
}

function reader(kind: Reader['kind'], name: string, epoch: number, key: KemPublicKey): Reader {
  const { kem, publicKey } = key;
  return { kind, name, epoch, kem, publicKey, id: hashTuple('reader', kind, name, epoch, kem, publicKey) };
}
