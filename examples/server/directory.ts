/** The bank's directory: who is registered, and which groups there are. */

import { MunimentError } from 'muniment';
import {
  createKeyHistory,
  credentialAsOf,
  hasRole,
  verifyCredential,
  verifyGroup,
  verifyGroupHistory,
  verifyNextEpoch,
  verifyRenunciation,
  verifyRevocation,
  type Credential,
  type GroupEpoch,
  type Revocation,
  readAnchor,
} from 'muniment/keys';
import { decodeStatement, readStatement, type VerifiedEntry } from 'muniment/record';
import { groupReader, partyReader } from 'muniment/views';
import { equalBytes, toHex } from 'muniment/wire';
import { publishCompartments } from './compartments.ts';
import { BankRefusal } from './refusal.ts';
import { plain } from './store/bytes.ts';
import type { Change, Database } from './store/tables.ts';
import { NO_EFFECT, type Effect } from './turn.ts';

/** Statement kinds in the directory. */
export const DIRECTORY_KINDS = {
  credential: 'credential',
  compartments: 'compartments',
  group: 'group',
  revocation: 'revocation',
  renunciation: 'renunciation',
} as const;

/** What was said against a credential. */
export interface Heard {
  /** The position of its entry in the directory's chain. */
  readonly seq: number;
  readonly author: Uint8Array;
  readonly statement: Uint8Array;
  readonly verified: Revocation;
}

/** Looks up and checks in what the directory's chain says. */
export class Directory {
  readonly #anchor: Credential;
  readonly #bank: Credential;
  // What is registered stays as it is, whatever process registered it.
  readonly #known = new Map<string, Credential>();
  /** Ids that a transaction has registered of which it is not known yet whether it happened. */
  readonly #registering = new Set<string>();

  constructor(anchor: Credential, bank: Credential) {
    this.#anchor = anchor;
    this.#bank = bank;
    for (const own of [anchor, bank]) this.#known.set(toHex(own.id), own);
  }

  /** The credential behind an Id: anchor, bank or a registered user. */
  async find(database: Database, id: Uint8Array): Promise<Credential | null> {
    const known = this.known(id);
    if (known !== null) return known;
    const row = await database
      .selectFrom('users')
      .select('credential')
      .where('id', '=', id)
      .executeTakeFirst();
    if (row === undefined) return null;
    const credential = verifyCredential(plain(row.credential), this.#anchor, 'ever');
    this.#known.set(toHex(id), credential);
    return credential;
  }

  /** Hears whether what was registered since the last time is durable; else it is known no more. */
  settled = (durable: boolean): void => {
    if (!durable) for (const id of this.#registering) this.#known.delete(id);
    this.#registering.clear();
  };

  /** The credential behind an Id that was found before, for verifiers, which do not wait. */
  known = (id: Uint8Array): Credential | null => this.#known.get(toHex(id)) ?? null;

  /** Judges a caller: the administrator, or a registered user whose credential is valid now and not revoked. Throws otherwise. */
  async judge(database: Database, encoded: Uint8Array, now: number): Promise<Credential> {
    const credential = equalBytes(encoded, this.#anchor.encoded)
      ? readAnchor(encoded, this.#anchor.id)
      : verifyCredential(encoded, this.#anchor, now);
    if ((await this.find(database, credential.id)) === null || equalBytes(credential.id, this.#bank.id))
      throw new BankRefusal('FORBIDDEN');
    await this.checkStanding(database, credential, now);
    return credential;
  }

  /** Refuses an author whose credential is not valid at a time, or was revoked by then, or is in doubt. What is written stays. */
  async checkStanding(database: Database, author: Credential, time: number): Promise<void> {
    if (time < author.notBefore || time > author.notAfter) throw new MunimentError('KEY_CREDENTIAL');
    const known = await this.revocations(database, author);
    if (known.length === 0) return; // always so for the anchor, which cannot be revoked
    const revocations = known.map(({ verified }) => verified);
    const history = createKeyHistory(this.#anchor, { credentials: [author], revocations });
    if (credentialAsOf(history, author.id, time).standing === 'doubtful')
      throw new MunimentError('KEY_REVOKED');
  }

  /** What was said against a credential, by whom, and where in the directory. */
  async revocations(database: Database, { id }: Credential): Promise<Heard[]> {
    const rows = await database
      .selectFrom('revocations')
      .select(['author', 'statement', 'heard', 'seq'])
      .where('credential', '=', id)
      .execute();
    const found = [];
    for (const row of rows) {
      const [author, statement] = [plain(row.author), plain(row.statement)];
      const verified = await this.#verifyRevocation(database, { author, statement, heardAt: row.heard });
      found.push({ seq: row.seq, author, statement, verified });
    }
    return found;
  }

  /** A registered subject's credential: the newest, if it was given more than one. */
  async findSubject(database: Database, subject: string): Promise<Credential | null> {
    if (subject === this.#bank.subject) return this.#bank;
    if (subject === this.#anchor.subject) return this.#anchor;
    const row = await database
      .selectFrom('users')
      .select('id')
      .where('subject', '=', subject)
      .orderBy('number', 'desc')
      .limit(1)
      .executeTakeFirst();
    return row === undefined ? null : this.find(database, plain(row.id));
  }

  /** All credentials of a registered subject, oldest first. */
  async credentialsOf(database: Database, subject: string): Promise<Credential[]> {
    const rows = await database
      .selectFrom('users')
      .select('id')
      .where('subject', '=', subject)
      .orderBy('number')
      .execute();
    const found = [];
    for (const { id } of rows) found.push(await this.find(database, plain(id)));
    return found.filter((credential) => credential !== null);
  }

  /** Every epoch of a group, or of all groups, oldest first. */
  async groups(
    database: Database,
    name: string | null,
  ): Promise<{ keeper: Credential; statement: Uint8Array; verified: GroupEpoch }[]> {
    let query = database
      .selectFrom('groups')
      .select(['keeper', 'statement'])
      .orderBy('name')
      .orderBy('epoch');
    if (name !== null) query = query.where('name', '=', name);
    const found = [];
    for (const row of await query.execute()) {
      const keeper = await this.find(database, plain(row.keeper));
      if (keeper === null) continue;
      const statement = plain(row.statement);
      found.push({ keeper, statement, verified: verifyGroup(statement, keeper) });
    }
    return found;
  }

  /** As which readers a user may be handed wraps, apart from compartments: itself, and the epochs of groups that it reaches. */
  async readersOf(database: Database, user: Credential): Promise<Uint8Array[]> {
    const readers = [partyReader(user).id];
    let laddered: string | null = null; // whose ladder leads from the epoch that it reaches to the one before
    for (const { verified: group } of (await this.groups(database, null)).reverse()) {
      const member = group.members.some(({ id }) => equalBytes(id, user.id));
      const reached: boolean = member || laddered === group.name;
      if (reached) readers.push(groupReader(group).id);
      laddered = reached && group.ladder !== null ? group.name : null;
    }
    return readers;
  }

  /** Checks what a directory entry states, and returns how to write it once the entry is accepted. */
  async prepare(change: Change, entry: VerifiedEntry, payload: Uint8Array): Promise<Effect> {
    const { kind } = entry.entry;
    if (kind === 'create') return NO_EFFECT;
    if (kind === 'register')
      return this.#register(readStatement(entry.entry, payload, DIRECTORY_KINDS.credential));
    if (kind === 'revoke') return this.#revoke(change, entry, payload);
    if (kind !== 'key') throw new BankRefusal('MALFORMED');
    // Who is an owner may keep a group as well: which of the two it speaks as, its statement says.
    const listed = decodeStatement(payload).kind === DIRECTORY_KINDS.compartments;
    return listed && hasRole(entry.author, 'patient')
      ? publishCompartments(this, change, {
          author: entry.author,
          statement: readStatement(entry.entry, payload, DIRECTORY_KINDS.compartments),
        })
      : this.#publishGroup(change, entry, readStatement(entry.entry, payload, DIRECTORY_KINDS.group));
  }

  #register(encoded: Uint8Array): Effect {
    const credential = verifyCredential(encoded, this.#anchor, 'ever');
    const { id, subject } = credential;
    return async (within) => {
      const { length: number } = await this.#checkRenewal(within, credential);
      this.#registering.add(toHex(id));
      await within.insertInto('users').values({ id, subject, credential: encoded, number }).execute();
    };
  }

  // Another credential of the same subject begins later than the one before, since everybody takes the one that began
  // last. What older ones signed stays theirs; whoever must not act under one any more is to be revoked under it.
  async #checkRenewal(within: Change, credential: Credential): Promise<readonly Credential[]> {
    const { id, subject } = credential;
    if ([this.#anchor, this.#bank].some((own) => own.subject === subject))
      throw new BankRefusal('RECORD_EXISTS');
    if ((await this.find(within, id)) !== null) throw new BankRefusal('RECORD_EXISTS');
    const before = await this.credentialsOf(within, subject);
    const last = before.at(-1);
    if (last !== undefined && credential.notBefore <= last.notBefore)
      throw new MunimentError('KEY_SUCCESSION');
    return before;
  }

  async #revoke(change: Change, { author, entry }: VerifiedEntry, payload: Uint8Array): Promise<Effect> {
    const byIssuer = hasRole(author, 'administrator');
    const signer = byIssuer ? this.#anchor.id : author.id;
    const { revocation, renunciation } = DIRECTORY_KINDS;
    const statement = readStatement(entry, payload, byIssuer ? revocation : renunciation);
    const said = { author: signer, statement };
    const { credential } = await this.#verifyRevocation(change, { ...said, heardAt: entry.time });
    if ((await this.find(change, credential)) === null) throw new BankRefusal('FORBIDDEN');
    return (within, heard) =>
      // The same statement once more was heard before.
      within
        .insertInto('revocations')
        .values({ credential, ...said, heard, seq: entry.seq })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
  }

  async #verifyRevocation(
    database: Database,
    { author, statement, heardAt }: { author: Uint8Array; statement: Uint8Array; heardAt: number },
  ): Promise<Revocation> {
    if (equalBytes(author, this.#anchor.id)) return verifyRevocation(statement, this.#anchor, heardAt);
    const subject = await this.find(database, author);
    if (subject === null) throw new BankRefusal('FORBIDDEN');
    return verifyRenunciation(statement, subject, heardAt);
  }

  async #publishGroup(change: Change, { author }: VerifiedEntry, statement: Uint8Array): Promise<Effect> {
    const { name, epoch } = verifyGroup(statement, author);
    const newest = (await this.groups(change, name)).at(-1)?.verified;
    if (epoch <= (newest?.epoch ?? -1)) throw new BankRefusal('RECORD_EXISTS');
    // Nothing is taken that does not follow what is there: a gap or a fork would stop every verifier.
    if (newest === undefined) verifyGroupHistory([statement], [author], null);
    else verifyNextEpoch(statement, author, newest);
    const row = { name, epoch, keeper: author.id, statement };
    return (within) => within.insertInto('groups').values(row).execute();
  }
}
