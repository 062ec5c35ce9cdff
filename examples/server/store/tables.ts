/** The bank's tables. Bytes come back as `Buffer`, numbers as numbers, from either engine. docs/storage.md. */

import type { ColumnType, Generated, Insertable, Kysely, Selectable, Transaction } from 'kysely';
import type { ChainName } from 'muniment/record';

/** Append-only unless it says otherwise: the database itself refuses to change or delete what is there. */
export interface Tables {
  readonly users: Users;
  readonly revocations: Revocations;
  readonly compartments: CompartmentLists;
  readonly groups: Groups;
  readonly records: Records;
  readonly leaves: Leaves;
  readonly entries: Entries;
  /** Rows may be deleted, which is how a payload is erased. */
  readonly payloads: Payloads;
  /** Rows may be deleted. */
  readonly attachments: Attachments;
  readonly requests: Requests;
  readonly repeats: Repeats;
  readonly outcomes: Outcomes;
  /** What a request brought along, until it is executed. Rows may be deleted. */
  readonly pending: Pending;
  readonly replies: Replies;
  /** Rows may be deleted: those that the clock refuses anyway. */
  readonly first_messages: FirstMessages;
  /** Annexes on their way in, until an entry names them. Rows may be deleted. */
  readonly uploads: Uploads;
  /** What annexes and uploads hold. Rows may be deleted, which is how an annex is erased. */
  readonly annex_chunks: AnnexChunks;
  /** Annexes that are whole and what their name says. Rows may be deleted. */
  readonly annexes: Annexes;
  /** Which entries name an annex or an attachment. Rows may be deleted: those of entries that are erased. */
  readonly uses: Uses;
  /** How records stand, by the entries that changed it. */
  readonly authorities: Authorities;
  /** Who may send or fetch which annexes for how long. Rows may be deleted: those whose time is over. */
  readonly capabilities: Capabilities;
  /** Lines of witnesses under checkpoints. Rows may be deleted: those of older sizes. */
  readonly cosignatures: Cosignatures;
  /** One row, which may be changed: the newest time of a first message that was forgotten. */
  readonly replay_floor: ReplayFloor;
}

/** The database, or a transaction in it. */
export type Database = Kysely<Tables>;
/** A transaction. */
export type Change = Transaction<Tables>;

/** Written once, never changed. */
type Fixed<Value> = ColumnType<Value, Value, never>;
type Bytes = Fixed<Uint8Array>;

interface Users {
  readonly id: Bytes;
  readonly subject: Fixed<string>;
  readonly credential: Bytes;
  /** Which of the subject's credentials this is, from 0; the last one stands for it. */
  readonly number: Fixed<number>;
}

interface Revocations {
  readonly credential: Bytes;
  readonly author: Bytes;
  readonly statement: Bytes;
  /** The time that the log's leaf states, before which a revocation takes nothing away. */
  readonly heard: Fixed<number>;
  /** The position of its entry in the directory's chain. */
  readonly seq: Fixed<number>;
}

interface CompartmentLists {
  readonly owner: Bytes;
  readonly number: Fixed<number>;
  readonly record: Bytes;
  readonly statement: Bytes;
}

interface Groups {
  readonly name: Fixed<string>;
  readonly epoch: Fixed<number>;
  readonly keeper: Bytes;
  readonly statement: Bytes;
}

interface Records {
  readonly id: Bytes;
  readonly owner: Bytes;
  readonly tag_salt: Bytes;
}

interface Leaves {
  readonly position: Fixed<number>;
  readonly leaf: Bytes;
  /** The time that it states. */
  readonly time: Fixed<number>;
}

interface Entries {
  readonly record: Bytes;
  readonly chain: Fixed<ChainName>;
  readonly seq: Fixed<number>;
  readonly entry: Bytes;
  readonly hash: Bytes;
  readonly receipt: Bytes;
  readonly leaf: Fixed<number>;
  /** Names of its annexes, 32 bytes each, joined. */
  readonly annexes: Bytes;
  /** Digests of its attachments, 32 bytes each, joined. */
  readonly attachments: Bytes;
  /** The session in which it was asked for. */
  readonly session: Bytes;
}

interface Payloads {
  readonly record: Bytes;
  readonly chain: Fixed<ChainName>;
  readonly seq: Fixed<number>;
  readonly bytes: Bytes;
}

interface Attachments {
  readonly digest: Bytes;
  readonly bytes: Bytes;
}

interface Requests {
  readonly number: Generated<number>;
  readonly issuer: Bytes;
  readonly subject: Fixed<string>;
  readonly id: Bytes;
  readonly session: Bytes;
  readonly author: Bytes;
  readonly digest: Bytes;
  readonly evidence: Bytes;
  readonly type: Fixed<string>;
}

/** The same request asked again in a later session: archived like the first. */
interface Repeats {
  readonly session: Bytes;
  readonly request: Fixed<number>;
  readonly evidence: Bytes;
}

/** Requests that were executed, once each. */
interface Outcomes {
  readonly request: Fixed<number>;
  /** Empty where the answer is made afresh whenever it is asked. */
  readonly reply: Fixed<string>;
}

interface Pending {
  readonly request: Fixed<number>;
  readonly position: Fixed<number>;
  readonly bytes: Bytes;
}

interface Replies {
  readonly session: Bytes;
  readonly evidence: Bytes;
}

interface FirstMessages {
  readonly digest: Bytes;
  readonly time: Fixed<number>;
}

interface Uploads {
  /** By which its chunks are known: 16 random bytes. */
  readonly upload: Bytes;
  /** Whose it is. */
  readonly subject: Fixed<string>;
  readonly name: Bytes;
  /** Of the whole annex, in bytes. */
  readonly size: Fixed<number>;
  /** When it was announced. */
  readonly time: Fixed<number>;
}

interface AnnexChunks {
  readonly upload: Bytes;
  /** Counted in chunks, from 0: all but the last are of one length. */
  readonly position: Fixed<number>;
  readonly bytes: Bytes;
}

interface Annexes {
  readonly name: Bytes;
  /** As which it came, and by which its chunks are known. */
  readonly upload: Bytes;
  /** In bytes. */
  readonly size: Fixed<number>;
}

interface Uses {
  readonly digest: Bytes;
  readonly record: Bytes;
  readonly chain: Fixed<ChainName>;
  readonly seq: Fixed<number>;
}

interface Authorities {
  readonly record: Bytes;
  /** Of the entry after which it stands so. */
  readonly seq: Fixed<number>;
  /** What the record's statements have said by then: spec/authority.md, "The state". */
  readonly authority: Bytes;
  /** Ids of the guardians, 32 bytes each, joined. */
  readonly guardians: Bytes;
}

interface Capabilities {
  /** Of the capability, which is not here. */
  readonly digest: Bytes;
  /** The Id of whose it is. */
  readonly holder: Bytes;
  readonly deed: Fixed<'fetch' | 'upload'>;
  /** 32 bytes each, joined. */
  readonly names: Bytes;
  readonly until: Fixed<number>;
}

interface Cosignatures {
  /** Of the log. */
  readonly size: Fixed<number>;
  /** The witness's verifier key, as C2SP writes it. */
  readonly witness: Fixed<string>;
  /** A line of a signed note. */
  readonly line: Fixed<string>;
}

interface ReplayFloor {
  readonly one: Fixed<number>;
  readonly time: number;
}

/** A stored request. */
export type StoredRequest = Selectable<Requests>;
/** A stored entry. */
export type StoredEntry = Selectable<Entries>;
/** An entry on its way in. */
export type NewEntry = Insertable<Entries>;
