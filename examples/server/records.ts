/** The chains that a bank keeps: its directory, and one record for each owner. */

import { MunimentError } from 'muniment';
import { hasRole, type Credential } from 'muniment/keys';
import { CLOCK_WINDOW } from 'muniment/protocol';
import {
  appendEntry,
  byRole,
  directoryId,
  readCreation,
  startOf,
  withoutRevocations,
  type Head,
  type MayWrite,
  type SignedEntry,
  type VerifiedEntry,
} from 'muniment/record';
import { equalBytes } from 'muniment/wire';
import type { Directory } from './directory.ts';
import { idsOf } from './record-number.ts';
import { BankRefusal } from './refusal.ts';
import { mayWriteClosed, mayWriteDirectory, mayWriteRecord, scopeOf, type Scope } from './rights.ts';
import { plain } from './store/bytes.ts';
import type { Database } from './store/tables.ts';

/** Something with a content chain: a record, or the directory. */
export interface Kept {
  readonly id: Uint8Array;
  readonly tagSalt: Uint8Array;
  readonly mayWrite: MayWrite;
  /** The record's owner; `null` for the directory. */
  readonly owner: Credential | null;
}

/** A record. */
export interface KeptRecord extends Kept {
  readonly owner: Credential;
}

/** A record that somebody may ask for, and for what. */
export interface AskedRecord extends KeptRecord {
  readonly scope: Scope;
}

/** A creation on its way in. */
export interface Creating {
  readonly signed: SignedEntry;
  readonly payload: Uint8Array;
  readonly author: Credential;
}

interface Row {
  readonly id: Uint8Array;
  readonly owner: Uint8Array;
  readonly tagSalt: Uint8Array;
  readonly closed: boolean;
}

/** Finds and judges what a bank keeps. */
export class Records {
  readonly #directory: Directory;
  readonly origin: string;
  readonly #now: () => number;

  constructor(directory: Directory, origin: string, now: () => number) {
    this.#directory = directory;
    this.origin = origin;
    this.#now = now;
  }

  /** A chain that exists, by its id. */
  async find(database: Database, id: Uint8Array): Promise<Kept | null> {
    const row = await this.#row(database, id, id);
    return row === null ? null : this.#kept(row, await this.#directory.find(database, row.owner));
  }

  /**
   * A record that this user may ask for. "No such record" and "not yours" are one answer, after one and the same look
   * at the database.
   */
  async asked(database: Database, id: Uint8Array, user: Credential): Promise<AskedRecord> {
    return this.#asked(database, await this.#row(database, id, id), user);
  }

  /** The same by its public number. */
  async numbered(database: Database, number: string, user: Credential): Promise<AskedRecord> {
    const { first, last } = idsOf(number);
    return this.#asked(database, await this.#row(database, first, last), user);
  }

  /** The directory's id. */
  get directoryId(): Uint8Array {
    return directoryId(this.origin);
  }

  /** Whether this is the directory's id. */
  isDirectory(id: Uint8Array): boolean {
    return equalBytes(id, this.directoryId);
  }

  /**
   * Judges a creation. The entry's signature and the author's right are checked right after, under the rules that
   * this gives; until then nothing is written.
   */
  async create(
    database: Database,
    id: Uint8Array,
    { signed: { entry }, payload, author }: Creating,
  ): Promise<Kept> {
    const { owner: ownerId, tagSalt } = readCreation(entry, payload);
    // Who may open nothing learns nothing of what is there.
    const role = this.isDirectory(id) ? 'administrator' : 'doctor';
    if (!hasRole(author, role)) throw new BankRefusal('FORBIDDEN');
    if ((await this.find(database, id)) !== null) throw new BankRefusal('RECORD_EXISTS');
    const owner = await this.#directory.find(database, ownerId);
    if (!this.isDirectory(id)) {
      // The owner named the record when it published its compartments: nobody opens one in a patient's name elsewhere.
      const [first] = owner === null ? [] : await this.#directory.compartments(database, owner);
      const published = first?.verified.recordId;
      if (published === undefined || !equalBytes(published, id)) throw new BankRefusal('FORBIDDEN');
    }
    return this.#kept({ id, tagSalt, closed: false }, owner);
  }

  /** Verifies an entry of this author's as the next of a chain. Whether its key still stands is judged where the entry is taken. */
  next(
    kept: Kept,
    signed: SignedEntry,
    { author, head }: { readonly author: Credential; readonly head: Head },
  ): { entry: VerifiedEntry; head: Head } {
    const rule = byRole(kept.mayWrite);
    const rules = {
      origin: this.origin,
      recordId: kept.id,
      chain: 'content',
      authors: withoutRevocations((id) => (equalBytes(id, author.id) ? author : null)),
      rule,
    } as const;
    try {
      const { entry, after } = appendEntry(signed, rules, { ...startOf(rule), head });
      return { entry, head: after.head };
    } catch (error) {
      const stale = error instanceof MunimentError && error.code === 'RECORD_STALE';
      throw stale ? new BankRefusal('RECORD_STALE', head) : error;
    }
  }

  /** An entry's time is the author's word; this bank takes it only near its own clock. */
  checkTime({ entry }: SignedEntry): void {
    if (Math.abs(entry.time - this.#now()) > CLOCK_WINDOW) throw new BankRefusal('CLOCK');
  }

  async #row(database: Database, first: Uint8Array, last: Uint8Array): Promise<Row | null> {
    const row = await database
      .selectFrom('records')
      .select((query) => [
        ...(['id', 'owner', 'tag_salt'] as const),
        query
          .selectFrom('closures')
          .select('closed')
          .whereRef('closures.record', '=', 'records.id')
          .orderBy('seq', 'desc')
          .limit(1)
          .as('closed'),
      ])
      .where('id', '>=', first)
      .where('id', '<=', last)
      .executeTakeFirst();
    return row === undefined
      ? null
      : {
          ...{ id: plain(row.id), owner: plain(row.owner), tagSalt: plain(row.tag_salt) },
          closed: row.closed === 1,
        };
  }

  async #asked(database: Database, row: Row | null, user: Credential): Promise<AskedRecord> {
    const scope = row === null || this.isDirectory(row.id) ? null : scopeOf(user, row.owner);
    if (row === null || scope === null) throw new BankRefusal('FORBIDDEN');
    const kept = this.#kept(row, await this.#directory.find(database, row.owner));
    if (kept.owner === null) throw new BankRefusal('FORBIDDEN');
    return { ...kept, owner: kept.owner, scope };
  }

  #kept({ id, tagSalt, closed }: Omit<Row, 'owner'>, owner: Credential | null): Kept {
    if (this.isDirectory(id)) return { id, tagSalt, mayWrite: mayWriteDirectory, owner: null };
    if (owner === null || !hasRole(owner, 'patient')) throw new BankRefusal('FORBIDDEN');
    return { id, tagSalt, mayWrite: (closed ? mayWriteClosed : mayWriteRecord)(owner.id), owner };
  }
}
