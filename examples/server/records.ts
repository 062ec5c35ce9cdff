/** The chains that a bank keeps: its directory, and one record for each owner. */

import { MunimentError } from 'muniment';
import { hasRole, type Credential } from 'muniment/keys';
import { CLOCK_WINDOW } from 'muniment/protocol';
import {
  appendEntry,
  byRole,
  directoryId,
  readCreation,
  withoutRevocations,
  type ChainRules,
  type Head,
  type SignedEntry,
  type VerifiedEntry,
  type WriteRule,
} from 'muniment/record';
import { equalBytes } from 'muniment/wire';
import { NO_STANDING, noting, readStanding, standingAfter } from './authority.ts';
import { newestFor, recordOf } from './compartments.ts';
import type { Directory } from './directory.ts';
import { namedIn } from './named.ts';
import { idsOf } from './record-number.ts';
import { BankRefusal } from './refusal.ts';
import { mayWriteDirectory, ruleOfRecord, scopeOf, type Scope, type Standing } from './rights.ts';
import { plain } from './store/bytes.ts';
import type { Database } from './store/tables.ts';
import { NO_EFFECT, type Effect } from './turn.ts';

/** Something with a content chain: a record, or the directory. */
export interface Kept {
  readonly id: Uint8Array;
  readonly tagSalt: Uint8Array;
  /** How the record stands; `null` for the directory. */
  readonly standing: Standing | null;
}

/** A record. */
export interface KeptRecord extends Kept {
  readonly standing: Standing;
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

/** An entry on its way in, with what it states. */
export interface Arriving {
  readonly signed: SignedEntry;
  readonly payload: Uint8Array;
  readonly author: Credential;
  readonly head: Head;
}

/** An entry that was verified as the next of its chain. */
export interface Arrived {
  readonly entry: VerifiedEntry;
  readonly head: Head;
  /** What it is in, as that stands with it. */
  readonly kept: Kept;
  /** Notes how it stands. */
  readonly effect: Effect;
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
  find(database: Database, id: Uint8Array): Promise<Kept | null> {
    return this.#kept(database, id, id);
  }

  /**
   * A record that this user may ask for. "No such record" and "not yours" are one answer, after one and the same look
   * at the database.
   */
  async asked(database: Database, id: Uint8Array, user: Credential): Promise<AskedRecord> {
    return this.#asked(await this.#kept(database, id, id), user);
  }

  /** The same by its public number. */
  async numbered(database: Database, number: string, user: Credential): Promise<AskedRecord> {
    const { first, last } = idsOf(number);
    return this.#asked(await this.#kept(database, first, last), user);
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
    if (this.isDirectory(id)) return { id, tagSalt, standing: null };
    // The owner named the record when it published its compartments: nobody opens one in a patient's name elsewhere, nor
    // for a key that has another after it.
    const owner = await this.#directory.find(database, ownerId);
    if (owner === null || !hasRole(owner, 'patient')) throw new BankRefusal('FORBIDDEN');
    const named = await recordOf(database, owner.subject);
    const newest = named === null ? null : await newestFor(this.#directory, database, named);
    if (newest === null || !equalBytes(newest.verified.recordId, id) || !equalBytes(newest.owner.id, ownerId))
      throw new BankRefusal('FORBIDDEN');
    return { id, tagSalt, standing: NO_STANDING };
  }

  /**
   * Verifies an entry as the next of a chain, by what the chain's statements have said so far. Whether its author's key
   * still stands is judged where the entry is taken; that the keys stand which it names, here.
   */
  async next(database: Database, kept: Kept, arriving: Arriving): Promise<Arrived> {
    const { standing } = kept;
    const { entry: said } = arriving.signed;
    if (standing === null) {
      const step = this.#append(kept, arriving, { rule: byRole(mayWriteDirectory), state: true });
      return { entry: step.entry, head: step.after.head, kept, effect: NO_EFFECT };
    }
    const authors = await this.#named(database, standing, arriving);
    const rule = ruleOfRecord({ authors, known: this.#directory.known, now: this.#now });
    const { entry, after } = this.#append(kept, arriving, { rule, state: standing.authority, authors });
    const stands = standingAfter(standing, after.state, { ...arriving, entry: said });
    const effect = noting(said, standing, stands);
    return { entry, head: after.head, kept: { ...kept, standing: stands }, effect };
  }

  /** An entry's time is the author's word; this bank takes it only near its own clock. */
  checkTime({ entry }: SignedEntry): void {
    if (Math.abs(entry.time - this.#now()) > CLOCK_WINDOW) throw new BankRefusal('CLOCK');
  }

  #append<State>(
    kept: Kept,
    { signed, payload, author, head }: Arriving,
    by: { readonly rule: WriteRule<State>; readonly state: State; readonly authors?: Authors },
  ): ReturnType<typeof appendEntry<State>> {
    const { rule, state } = by;
    const authors = by.authors ?? withoutRevocations((id) => (equalBytes(id, author.id) ? author : null));
    const rules = { origin: this.origin, recordId: kept.id, chain: 'content', authors, rule } as const;
    try {
      return appendEntry({ ...signed, payload }, rules, { head, state });
    } catch (error) {
      const stale = error instanceof MunimentError && error.code === 'RECORD_STALE';
      throw stale ? new BankRefusal('RECORD_STALE', head) : error;
    }
  }

  // The author, and whoever a statement names and whose key stands now.
  async #named(
    database: Database,
    { authority: { owner, appointment } }: Standing,
    { signed: { entry }, payload, author }: Arriving,
  ): Promise<Authors> {
    const standing = [author];
    for (const id of namedIn(entry, payload, author)) {
      const credential = await this.#directory.find(database, id);
      if (credential !== null && (await this.#stands(database, credential))) standing.push(credential);
    }
    // Whoever was the owner, or appointed the guardians, is known whatever became of its key.
    for (const id of [owner, appointment?.owner])
      if (entry.kind === 'key' && id) await this.#directory.find(database, id);
    return withoutRevocations((id) => standing.find((one) => equalBytes(one.id, id)) ?? null);
  }

  async #stands(database: Database, credential: Credential): Promise<boolean> {
    try {
      await this.#directory.checkStanding(database, credential, this.#now());
      return true;
    } catch (error) {
      if (error instanceof MunimentError) return false;
      throw error;
    }
  }

  async #kept(database: Database, first: Uint8Array, last: Uint8Array): Promise<Kept | null> {
    const row = await database
      .selectFrom('records')
      .leftJoin('authorities', (join) =>
        join.onRef('authorities.record', '=', 'records.id').on('authorities.seq', '=', (query) =>
          query
            .selectFrom('authorities as later')
            .select(({ fn }) => fn.max<number>('later.seq').as('seq'))
            .whereRef('later.record', '=', 'records.id'),
        ),
      )
      .select(['records.id', 'records.tag_salt', 'authorities.authority', 'authorities.guardians'])
      .where('records.id', '>=', first)
      .where('records.id', '<=', last)
      .executeTakeFirst();
    if (row === undefined) return null;
    const [id, tagSalt] = [plain(row.id), plain(row.tag_salt)];
    if (this.isDirectory(id)) return { id, tagSalt, standing: null };
    const { authority, guardians } = row;
    // A server that starts has noted it for every record; without it nobody's right can be judged.
    if (authority === null || guardians === null) throw new Error('how a record stands is not noted');
    return { id, tagSalt, standing: readStanding({ authority, guardians }) };
  }

  #asked(kept: Kept | null, user: Credential): AskedRecord {
    const standing = kept?.standing ?? null; // the directory is nobody's
    const scope = standing === null ? null : scopeOf(user, standing, this.#now());
    if (kept === null || standing === null || scope === null) throw new BankRefusal('FORBIDDEN');
    return { ...kept, standing, scope };
  }
}

type Authors = ChainRules<unknown>['authors'];
