/**
 * What a check derives from chains and archive, in a temporary database of its own: a bank may be larger than memory. It
 * is gone when it is closed.
 */

import SQLite from 'better-sqlite3';
import type { Parameter } from './source.ts';

/** The bank's tables that its directory and its creations make, with the place in the log of what made each row. */
const TABLES = `
  CREATE TABLE users (
    id BLOB PRIMARY KEY, subject TEXT, credential BLOB, number INTEGER, leaf INTEGER, found INTEGER DEFAULT 0,
    UNIQUE (subject, number));
  CREATE TABLE revocations (
    credential BLOB, author BLOB, statement BLOB, heard INTEGER, seq INTEGER, leaf INTEGER, found INTEGER DEFAULT 0,
    PRIMARY KEY (credential, statement));
  CREATE TABLE compartments (
    owner BLOB, number INTEGER, record BLOB, statement BLOB, leaf INTEGER, found INTEGER DEFAULT 0,
    PRIMARY KEY (owner, number));
  CREATE INDEX compartments_record ON compartments (record);
  CREATE TABLE groups (
    name TEXT, epoch INTEGER, keeper BLOB, statement BLOB, leaf INTEGER, found INTEGER DEFAULT 0,
    PRIMARY KEY (name, epoch));
  CREATE TABLE records (id BLOB PRIMARY KEY, owner BLOB, tag_salt BLOB, leaf INTEGER, found INTEGER DEFAULT 0);
  CREATE TABLE authorities (
    record BLOB, seq INTEGER, authority BLOB, guardians BLOB, leaf INTEGER, found INTEGER DEFAULT 0,
    PRIMARY KEY (record, seq));`;

/** What is named and looked for later: payloads that are gone or erased, attachments and annexes, what later entries are about, and signed words on the log. */
const NAMED = `
  CREATE TABLE absent (record BLOB, chain TEXT, seq INTEGER, hash BLOB, PRIMARY KEY (record, chain, seq));
  CREATE TABLE erased (record BLOB, chain TEXT, seq INTEGER, hash BLOB, PRIMARY KEY (record, chain, seq));
  CREATE TABLE named (
    digest BLOB, kind TEXT, record BLOB, chain TEXT, seq INTEGER, hash BLOB, erased INTEGER DEFAULT 0,
    found INTEGER DEFAULT 0, used INTEGER DEFAULT 0, PRIMARY KEY (digest, kind, record, chain, seq));
  CREATE TABLE targets (record BLOB, kind TEXT, hash BLOB, PRIMARY KEY (record, kind, hash));
  CREATE TABLE announced (subject TEXT, name BLOB, size INTEGER, PRIMARY KEY (subject, name, size));
  CREATE TABLE claims (size INTEGER, root BLOB, place TEXT, row TEXT);
  CREATE TABLE extensions (older INTEGER, newer INTEGER, root BLOB, proof BLOB, place TEXT, row TEXT);
  CREATE TABLE roots (size INTEGER PRIMARY KEY, root BLOB);`;

/** The temporary database. */
export class Scratch {
  readonly #database = new SQLite(''); // a nameless file, which SQLite removes
  readonly #prepared = new Map<string, SQLite.Statement>();

  constructor() {
    this.#database.pragma('journal_mode = OFF');
    this.#database.pragma('synchronous = OFF');
    this.#database.exec(TABLES + NAMED);
    this.#database.exec('BEGIN');
  }

  /** Adds a row; whether it was not there yet. */
  add(table: string, row: Readonly<Record<string, Parameter | null>>): boolean {
    const columns = Object.keys(row);
    const sql = `INSERT OR IGNORE INTO ${table} (${columns.join()}) VALUES (${columns.map(() => '?').join()})`;
    return this.#prepare(sql).run(...Object.values(row)).changes === 1;
  }

  /** Runs what changes rows. */
  run(sql: string, ...values: Parameter[]): void {
    this.#prepare(sql).run(...values);
  }

  /** The first row. */
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- what a query gives, its caller says
  row<Row extends object>(sql: string, ...values: Parameter[]): Row | undefined {
    return this.#prepare(sql).get(...values) as Row | undefined;
  }

  /** All rows, where they are few. */
  all<Row extends object>(sql: string, ...values: Parameter[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[];
  }

  /** Rows one after another; nothing is written meanwhile. */
  rows<Row extends object>(sql: string, ...values: Parameter[]): Iterable<Row> {
    return this.#database.prepare<Parameter[], Row>(sql).iterate(...values);
  }

  close(): void {
    this.#database.close();
  }

  #prepare(sql: string): SQLite.Statement {
    const known = this.#prepared.get(sql) ?? this.#database.prepare(sql);
    this.#prepared.set(sql, known);
    return known;
  }
}
