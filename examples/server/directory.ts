/** The bank's directory: who is registered, which groups there are, to which compartments an owner's data is sealed. */

import { MunimentError } from 'muniment';
import {
  createKeyHistory,
  credentialAsOf,
  hasRole,
  verifyCompartments,
  verifyCompartmentsHistory,
  verifyCredential,
  verifyGroup,
  verifyGroupHistory,
  verifyNextCompartments,
  verifyNextEpoch,
  verifyRenunciation,
  verifyRevocation,
  type Compartments,
  type Credential,
  type GroupEpoch,
  type Revocation,
  readAnchor,
} from 'muniment/keys';
import { readStatement, type VerifiedEntry } from 'muniment/record';
import { compartmentReader, groupReader, partyReader } from 'muniment/views';
import { equalBytes, toHex } from 'muniment/wire';
import type { Effect } from './ledger.ts';
import { BankRefusal } from './refusal.ts';
import { plain, type Store } from './store.ts';

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
  readonly #store: Store;
  readonly #anchor: Credential;
  readonly #bank: Credential;
  readonly #known = new Map<string, Credential>();

  constructor(store: Store, anchor: Credential, bank: Credential) {
    this.#store = store;
    this.#anchor = anchor;
    this.#bank = bank;
  }

  /** The credential behind an Id: anchor, bank or a registered user. */
  find = (id: Uint8Array): Credential | null => {
    for (const own of [this.#anchor, this.#bank]) if (equalBytes(own.id, id)) return own;
    const known = this.#known.get(toHex(id));
    if (known !== undefined) return known;
    const row = this.#store.get<{ credential: Uint8Array }>('SELECT credential FROM users WHERE id = ?', id);
    if (row === undefined) return null;
    const credential = verifyCredential(plain(row.credential), this.#anchor, 'ever');
    this.#known.set(toHex(id), credential);
    return credential;
  };

  /** Judges a caller: the administrator, or a registered user whose credential is valid now and not revoked. Throws otherwise. */
  judge = (encoded: Uint8Array, now: number): Credential => {
    const credential = equalBytes(encoded, this.#anchor.encoded)
      ? readAnchor(encoded, this.#anchor.id)
      : verifyCredential(encoded, this.#anchor, now);
    if (this.find(credential.id) === null || equalBytes(credential.id, this.#bank.id))
      throw new BankRefusal('FORBIDDEN');
    this.checkStanding(credential, now);
    return credential;
  };

  /** Refuses an author whose credential is not valid at a time, or was revoked by then, or is in doubt. What is written stays. */
  checkStanding = (author: Credential, time: number): void => {
    if (time < author.notBefore || time > author.notAfter) throw new MunimentError('KEY_CREDENTIAL');
    const known = this.revocations(author);
    if (known.length === 0) return; // always so for the anchor, which cannot be revoked
    const revocations = known.map(({ verified }) => verified);
    const history = createKeyHistory(this.#anchor, { credentials: [author], revocations });
    if (credentialAsOf(history, author.id, time).standing === 'doubtful')
      throw new MunimentError('KEY_REVOKED');
  };

  /** What was said against a credential, by whom, and where in the directory. */
  revocations({ id }: Credential): Heard[] {
    const rows = this.#store.all<{ author: Uint8Array; statement: Uint8Array; heard: number; seq: number }>(
      'SELECT author, statement, heard, seq FROM revocations WHERE credential = ?',
      id,
    );
    return rows.map((row) => {
      const [author, statement] = [plain(row.author), plain(row.statement)];
      return {
        seq: row.seq,
        author,
        statement,
        verified: this.#verifyRevocation(author, statement, row.heard),
      };
    });
  }

  /** A registered subject's credential. */
  findSubject(subject: string): Credential | null {
    if (subject === this.#bank.subject) return this.#bank;
    if (subject === this.#anchor.subject) return this.#anchor;
    const row = this.#store.get<{ id: Uint8Array }>('SELECT id FROM users WHERE subject = ?', subject);
    return row === undefined ? null : this.find(plain(row.id));
  }

  /** Every list of an owner's compartments, and the signed statements, oldest first. */
  compartments(owner: Credential): { statement: Uint8Array; verified: Compartments }[] {
    const rows = this.#store.all<{ statement: Uint8Array }>(
      'SELECT statement FROM compartments WHERE owner = ? ORDER BY number',
      owner.id,
    );
    return rows.map((row) => {
      const statement = plain(row.statement);
      return { statement, verified: verifyCompartments(statement, owner) };
    });
  }

  /** Every epoch of a group, or of all groups, oldest first. */
  groups(name: string | null): { keeper: Credential; statement: Uint8Array; verified: GroupEpoch }[] {
    const rows = this.#store.all<{ keeper: Uint8Array; statement: Uint8Array }>(
      name === null
        ? 'SELECT keeper, statement FROM groups ORDER BY name, epoch'
        : 'SELECT keeper, statement FROM groups WHERE name = ? ORDER BY epoch',
      ...(name === null ? [] : [name]),
    );
    return rows.flatMap((row) => {
      const keeper = this.find(plain(row.keeper));
      if (keeper === null) return [];
      const statement = plain(row.statement);
      return [{ keeper, statement, verified: verifyGroup(statement, keeper) }];
    });
  }

  /** As which readers a user may be handed wraps, apart from compartments: itself, and the epochs of groups that it reaches. */
  readersOf(user: Credential): Uint8Array[] {
    const readers = [partyReader(user).id];
    let laddered: string | null = null; // whose ladder leads from the epoch that it reaches to the one before
    for (const { verified: group } of this.groups(null).reverse()) {
      const member = group.members.some(({ id }) => equalBytes(id, user.id));
      const reached: boolean = member || laddered === group.name;
      if (reached) readers.push(groupReader(group).id);
      laddered = reached && group.ladder !== null ? group.name : null;
    }
    return readers;
  }

  /** The reader ids of an owner's compartments, or of the one of that name, in every epoch: what was sealed before a rotation is still read. */
  compartmentsOf(owner: Credential, name: string | null, epoch: number | null = null): Uint8Array[] {
    const all = this.compartments(owner).flatMap(({ verified }) => verified.list);
    const ids = all
      .filter((one) => name === null || one.name === name)
      .filter((one) => epoch === null || one.epoch === epoch)
      .map((one) => compartmentReader(one).id);
    return [...new Map(ids.map((id) => [toHex(id), id])).values()];
  }

  /** Checks what a directory entry states, and returns how to write it once the entry is accepted. */
  prepare(entry: VerifiedEntry, payload: Uint8Array): Effect {
    const { kind } = entry.entry;
    if (kind === 'register')
      return this.#register(readStatement(entry.entry, payload, DIRECTORY_KINDS.credential));
    if (kind === 'revoke') return this.#revoke(entry, payload);
    if (kind !== 'key') throw new BankRefusal('MALFORMED');
    return hasRole(entry.author, 'patient')
      ? this.#publishCompartments(entry, readStatement(entry.entry, payload, DIRECTORY_KINDS.compartments))
      : this.#publishGroup(entry, readStatement(entry.entry, payload, DIRECTORY_KINDS.group));
  }

  #register(encoded: Uint8Array): Effect {
    const { id, subject } = verifyCredential(encoded, this.#anchor, 'ever');
    return () => {
      if (this.findSubject(subject) !== null) throw new BankRefusal('RECORD_EXISTS');
      this.#store.run('INSERT INTO users VALUES (?, ?, ?)', id, subject, encoded);
    };
  }

  #revoke({ author, entry }: VerifiedEntry, payload: Uint8Array): Effect {
    const byIssuer = hasRole(author, 'administrator');
    const signer = byIssuer ? this.#anchor.id : author.id;
    const { revocation, renunciation } = DIRECTORY_KINDS;
    const statement = readStatement(entry, payload, byIssuer ? revocation : renunciation);
    const { credential } = this.#verifyRevocation(signer, statement, entry.time);
    if (this.find(credential) === null) throw new BankRefusal('FORBIDDEN');
    return (time) =>
      // The same statement once more was heard before.
      this.#store.run(
        'INSERT OR IGNORE INTO revocations VALUES (?, ?, ?, ?, ?)',
        credential,
        signer,
        statement,
        time,
        entry.seq,
      );
  }

  #verifyRevocation(author: Uint8Array, statement: Uint8Array, heardAt: number): Revocation {
    if (equalBytes(author, this.#anchor.id)) return verifyRevocation(statement, this.#anchor, heardAt);
    const subject = this.find(author);
    if (subject === null) throw new BankRefusal('FORBIDDEN');
    return verifyRenunciation(statement, subject, heardAt);
  }

  #publishCompartments({ author }: VerifiedEntry, statement: Uint8Array): Effect {
    const { recordId, number } = verifyCompartments(statement, author);
    const newest = this.compartments(author).at(-1)?.verified;
    if (number <= (newest?.number ?? -1)) throw new BankRefusal('RECORD_EXISTS');
    // Nothing is taken that does not follow what is there: a gap or a fork would stop every verifier.
    if (newest === undefined) verifyCompartmentsHistory([statement], author, null);
    else verifyNextCompartments(statement, author, newest);
    // No two owners share a record; checked inside the transaction, where nothing can change.
    return () => {
      const taken = this.#store.get<{ owner: Uint8Array }>(
        'SELECT owner FROM compartments WHERE record = ? LIMIT 1',
        recordId,
      );
      if (taken !== undefined && !equalBytes(taken.owner, author.id)) throw new BankRefusal('RECORD_EXISTS');
      this.#store.run('INSERT INTO compartments VALUES (?, ?, ?, ?)', author.id, number, recordId, statement);
    };
  }

  #publishGroup({ author }: VerifiedEntry, statement: Uint8Array): Effect {
    const { name, epoch } = verifyGroup(statement, author);
    const newest = this.groups(name).at(-1)?.verified;
    if (epoch <= (newest?.epoch ?? -1)) throw new BankRefusal('RECORD_EXISTS');
    // Nothing is taken that does not follow what is there: a gap or a fork would stop every verifier.
    if (newest === undefined) verifyGroupHistory([statement], [author], null);
    else verifyNextEpoch(statement, author, newest);
    return () => this.#store.run('INSERT INTO groups VALUES (?, ?, ?, ?)', name, epoch, author.id, statement);
  }
}
