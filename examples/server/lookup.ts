/** What the bank tells of its directory: people, groups, and the entries by which keys ended. */

import type { Credential } from 'muniment/keys';
import { directoryId } from 'muniment/record';
import { toHex } from 'muniment/wire';
import type { ReplyOf, RequestOf } from './api.ts';
import type { Directory } from './directory.ts';
import type { Ledger } from './ledger.ts';
import type { Records } from './records.ts';
import { BankRefusal } from './refusal.ts';
import { plain, type Store } from './store.ts';

/** A reply, and the documents beside it. */
interface Told<Type extends 'lookup' | 'revocations'> {
  readonly reply: ReplyOf<Type>;
  readonly documents: readonly Uint8Array[];
}

/** Who is who: credentials with what was said against them, compartments, groups. */
export function lookUp(directory: Directory, request: RequestOf<'lookup'>): Told<'lookup'> {
  const documents: Uint8Array[] = [];
  const add = (bytes: Uint8Array): number => documents.push(bytes) - 1;
  const bySubject = request.subjects.map((subject) => directory.findSubject(subject));
  const byId = request.ids.map((id) => directory.find(id));
  const found = [...bySubject, ...byId].filter((credential) => credential !== null);
  const groups = request.groups.flatMap((name) => directory.groups(name));
  const keepers = groups.map(({ keeper }) => keeper);
  // A keeper signs every epoch of its group, and is handed out once.
  const credentials = distinct([...found, ...keepers]);
  const reply = {
    credentials: credentials.map(({ encoded }) => add(encoded)),
    revocations: credentials.flatMap((credential) =>
      directory
        .revocations(credential)
        .map(({ author, statement }) => ({ author, statement: add(statement) })),
    ),
    compartments: found.flatMap((owner) =>
      directory.compartments(owner).map(({ statement }) => ({ owner: owner.id, statement: add(statement) })),
    ),
    groups: groups.map(({ keeper, statement, verified }) => ({
      name: verified.name,
      keeper: keeper.id,
      statement: add(statement),
    })),
  };
  return { reply, documents };
}

/** The directory's entries that ended these credentials' keys, each with its place in the log of a size. */
export function tellRevocations(
  bank: {
    readonly store: Store;
    readonly directory: Directory;
    readonly records: Records;
    readonly ledger: Ledger;
  },
  { ids, size }: RequestOf<'revocations'>,
): Told<'revocations'> {
  const { store, directory, records, ledger } = bank;
  const documents: Uint8Array[] = [];
  const add = (bytes: Uint8Array): number => documents.push(plain(bytes)) - 1;
  const recordId = directoryId(ledger.origin);
  const kept = records.find(recordId);
  if (kept === null) throw new BankRefusal('RECORD_UNKNOWN');
  if (size > ledger.size) throw new BankRefusal('RECORD_CONSISTENCY');
  const credentials = distinct(ids.map((id) => directory.find(id)).filter((one) => one !== null));
  const positions = new Set(credentials.flatMap((one) => directory.revocations(one)).map(({ seq }) => seq));
  const items = [...positions]
    .sort((a, b) => a - b)
    .flatMap((seq) => {
      const row = store.get<{ entry: Uint8Array; bytes: Uint8Array; receipt: Uint8Array; leaf: number }>(
        "SELECT e.entry, p.bytes, e.receipt, e.leaf FROM entries e JOIN payloads p USING (record, chain, seq) WHERE record = ? AND chain = 'content' AND seq = ? AND leaf < ?",
        recordId,
        seq,
        size,
      );
      if (row === undefined) return [];
      const { entry, bytes, receipt, leaf } = row;
      const proof = ledger.inclusion(leaf, size);
      return [{ entry: add(entry), payload: add(bytes), receipt: add(receipt), proof }];
    });
  return { reply: { tagSalt: kept.tagSalt, items }, documents };
}

function distinct(credentials: readonly Credential[]): Credential[] {
  return [...new Map(credentials.map((one) => [toHex(one.id), one])).values()];
}
