/** A small bank and one record in it, for the record's tests. */

import { KEM_X25519, sha256 } from '../../src/crypto/index.ts';
import { createAnchor, enrol, type Credential, type Identity } from '../../src/keys/index.ts';
import {
  byRole,
  directoryId,
  EMPTY_CHAIN,
  encodeCreation,
  encodeStatement,
  headAfter,
  hashEntry,
  issueReceipt,
  Log,
  logKeysOf,
  logLeaf,
  signCharter,
  signCheckpoint,
  signEntry,
  STATEMENT,
  statementDigest,
  withoutRevocations,
  type ChainName,
  type ChainRules,
  type ChainState,
  type Draft,
  type EntryKind,
  type ExportedEntry,
  type Head,
  type LeafOpening,
  type LogSigner,
  type MayWrite,
  type RecordExport,
  type SignedEntry,
  type TreeHead,
} from '../../src/record/index.ts';
import { equalBytes, utf8 } from '../../src/wire/index.ts';
import { seededRandom } from '../vectors/generators/seed.ts';

export const ORIGIN = 'bank.example/log';
/** A payload type that is no statement. */
export const BODY = 'test body';
export const DIGESTS = { [BODY]: sha256 };
/** When the bank took entry i of the log. */
export const timeOf = (index: number): number => 1_700_000_000_000 + index;

/** An entry of the fixture with all that the bank knows of it. */
export interface Taken {
  readonly chain: ChainName;
  readonly signed: SignedEntry;
  readonly payload: Uint8Array;
  readonly index: number;
  readonly receipt: Uint8Array;
}

/** A bank with one record. */
export class Bank {
  readonly anchor: Identity;
  readonly bank: Identity;
  readonly doctor: Identity;
  readonly patient: Identity;
  readonly random = seededRandom('record fixture');
  readonly recordId = new Uint8Array(16).fill(3);
  readonly tagSalt = new Uint8Array(32).fill(4);
  readonly log = new Log();
  readonly heads: Record<ChainName, Head> = { content: EMPTY_CHAIN, access: EMPTY_CHAIN };
  readonly taken: Taken[] = [];

  private constructor(anchor: Identity, bank: Identity, doctor: Identity, patient: Identity) {
    [this.anchor, this.bank, this.doctor, this.patient] = [anchor, bank, doctor, patient];
  }

  static async open(): Promise<Bank> {
    const random = seededRandom('record people');
    const options = { kem: KEM_X25519, random };
    const validity = { notBefore: 1_000_000_000_000, notAfter: 2_000_000_000_000 };
    const anchor = await createAnchor({ subject: 'admin', roles: ['administrator'], ...validity }, options);
    const make = (subject: string): Promise<Identity> =>
      enrol(anchor, { subject, roles: [subject], ...validity }, options);
    return new Bank(anchor, await make('bank'), await make('doctor'), await make('patient'));
  }

  /** When this bank takes entry i of its log. */
  timeOf = timeOf;
  /** The bank's directory: another record, of which only revocations are kept here. */
  readonly directory = { recordId: directoryId(ORIGIN), tagSalt: new Uint8Array(32).fill(6) };
  readonly heard: Taken[] = [];
  /** Whoever else wrote. */
  readonly others: Identity[] = [];

  get people(): readonly Identity[] {
    return [this.anchor, this.bank, this.doctor, this.patient, ...this.others];
  }

  readonly authors = (id: Uint8Array): Credential | null =>
    this.people.find(({ credential }) => equalBytes(credential.id, id))?.credential ?? null;

  rules(changes: Partial<ChainRules<true>> = {}): ChainRules<true> {
    return {
      origin: ORIGIN,
      recordId: this.recordId,
      chain: 'content',
      authors: withoutRevocations(this.authors),
      rule: RULE,
      ...changes,
    };
  }

  /** The chain as it stands, for whoever goes on from here. */
  at(head = this.heads.content): ChainState<true> {
    return { head, state: true };
  }

  draft(kind: EntryKind, payload: Uint8Array, changes: Partial<Draft> = {}): Draft {
    const statement = changes.payloadType !== BODY;
    return {
      origin: ORIGIN,
      recordId: this.recordId,
      chain: 'content',
      kind,
      time: timeOf(0),
      payloadType: STATEMENT,
      payloadDigest: statement ? statementDigest(payload) : sha256(payload),
      seen: null,
      ...changes,
    };
  }

  /** Takes an entry: signs it as its author over the head, logs it, issues the receipt. */
  async take(
    author: Identity,
    kind: EntryKind,
    payload: Uint8Array,
    changes: Partial<Draft> = {},
  ): Promise<Taken> {
    const draft = this.draft(kind, payload, changes);
    const signed = await signEntry(author, this.heads[draft.chain], draft);
    this.heads[draft.chain] = headAfter(signed);
    const taken = {
      ...(await this.logged(signed, this, this.heads[draft.chain])),
      chain: draft.chain,
      payload,
    };
    this.taken.push(taken);
    return taken;
  }

  /** Takes a revocation into the directory, whose chain is this long already. */
  async hear(
    author: Identity,
    payload: Uint8Array,
    before: Head = { size: 7, hash: sha256(utf8('x')) },
    kind: EntryKind = 'revoke',
  ): Promise<void> {
    const { recordId } = this.directory;
    const signed = await signEntry(author, before, this.draft(kind, payload, { recordId }));
    const taken = await this.logged(signed, this.directory, headAfter(signed));
    this.heard.push({ ...taken, chain: 'content', payload });
  }

  private async logged(
    signed: SignedEntry,
    { recordId, tagSalt }: { recordId: Uint8Array; tagSalt: Uint8Array },
    head: Head,
  ): Promise<Pick<Taken, 'signed' | 'index' | 'receipt'>> {
    const time = this.timeOf(this.log.size);
    const { chain, seq, prev } = signed.entry;
    const entryHash = hashEntry(signed);
    const index = this.log.append(logLeaf({ recordId, tagSalt, chain, seq, time, entryHash }));
    const receipt = await issueReceipt(this.bank.signer, {
      ...{
        origin: ORIGIN,
        recordId,
        chain,
        outcome: 'accepted',
        entryHash,
        seq,
        prev,
        leafIndex: index,
        time,
        head,
      },
      request: { data: sha256(utf8(`request ${index}`)), signature: sha256(utf8(`signature ${index}`)) },
      tree: { size: this.log.size, root: this.log.root() },
    });
    return { signed, index, receipt };
  }

  opening(signed: SignedEntry, time: number): LeafOpening {
    const { chain, seq } = signed.entry;
    return { recordId: this.recordId, tagSalt: this.tagSalt, chain, seq, time, entryHash: hashEntry(signed) };
  }

  statement(kind: string, content: string): Uint8Array {
    return encodeStatement({ kind, content: utf8(content) }, this.random);
  }

  /** The statement that opens the record. */
  creation(): Uint8Array {
    const content = encodeCreation({ owner: this.patient.credential.id, tagSalt: this.tagSalt });
    return encodeStatement({ kind: 'create', content }, this.random);
  }

  /** Create, insert, an access, a grant, another insert, another access. */
  async fill(): Promise<this> {
    await this.take(this.doctor, 'create', this.creation());
    await this.take(this.doctor, 'insert', utf8('first body'), { payloadType: BODY, time: timeOf(1) });
    await this.take(this.bank, 'access', this.statement('access', 'patient read'), { chain: 'access' });
    const seen = { size: this.log.size, root: this.log.root() };
    await this.take(this.patient, 'grant', this.statement('grant', 'to a colleague'), {
      seen,
      time: timeOf(3),
    });
    await this.take(this.doctor, 'insert', utf8('second body'), { payloadType: BODY, seen, time: timeOf(4) });
    await this.take(this.bank, 'access', this.statement('access', 'doctor read'), { chain: 'access' });
    return this;
  }

  /** What signs the log's checkpoints: the bank's own key. */
  get logSigner(): LogSigner {
    return { origin: ORIGIN, ed25519: this.bank.signer, mlDsa44: null };
  }

  /** The anchor's word on which bank keeps this log. */
  charter(): Promise<Uint8Array> {
    const log = logKeysOf(this.logSigner);
    return signCharter(this.anchor, { origin: ORIGIN, bank: this.bank.credential.id, log });
  }

  get tree(): TreeHead {
    return { size: this.log.size, root: this.log.root() };
  }

  items(chain: ChainName = 'content'): SignedEntry[] {
    return this.taken.filter((one) => one.chain === chain).map(({ signed }) => signed);
  }

  async parts(): Promise<RecordExport> {
    const entries = (chain: ChainName, from = this.taken): ExportedEntry[] =>
      from
        .filter((one) => one.chain === chain)
        .map(({ signed, payload, receipt, index }) => ({
          ...{ signed, payload, digests: [], opened: null, receipt, proof: this.log.inclusion(index) },
        }));
    return {
      origin: ORIGIN,
      recordId: this.recordId,
      charters: [await this.charter()],
      credentials: this.people.map(({ credential }) => credential.encoded),
      content: entries('content'),
      access: entries('access'),
      directory:
        this.heard.length === 0 ? null : { ...this.directory, entries: entries('content', this.heard) },
      renewals: [],
      checkpoint: await signCheckpoint(this.logSigner, this.tree, timeOf(this.log.size)),
    };
  }
}

/** Doctors write, the patient grants, the bank keeps the accesses. */
export const mayWrite: MayWrite = ({ chain, kind }, author) => {
  if (chain === 'access') return kind === 'access' && author.roles.includes('bank');
  if (kind === 'grant') return author.roles.includes('patient');
  return ['create', 'insert'].includes(kind) && author.roles.includes('doctor');
};
export const RULE = byRole(mayWrite);
