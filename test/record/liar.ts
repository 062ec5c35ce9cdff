/** The fixture's bank, able to sign what it should not; and one convicting set of evidence of each kind. */

import { sha256 } from '../../src/crypto/index.ts';
import { revokeCredential, type Identity } from '../../src/keys/index.ts';
import { signCharter } from '../../src/record/charter.ts';
import { openReceipt } from '../../src/record/receipt.ts';
import {
  directoryId,
  encodeSignedEntry,
  encodeStatement,
  hashEntry,
  headAfter,
  issueReceipt,
  Log,
  logLeaf,
  signCheckpoint,
  signEntry,
  signHead,
  type Accused,
  type FraudKind,
  type HeadStatement,
  type Piece,
  type Receipt,
  type SignedEntry,
  type TreeHead,
} from '../../src/record/index.ts';
import { utf8 } from '../../src/wire/index.ts';
import { Bank, ORIGIN, timeOf } from './fixture.ts';

export type Evidence = Record<string, Piece>;

/** What a forged leaf holds. */
export const ANOTHER = sha256(utf8('another'));

export class Liar {
  readonly bank: Bank;
  readonly accused: Accused;
  readonly trust: { readonly anchorId: Uint8Array; readonly origin: string };
  /** What the honest receipts say. */
  readonly told: readonly Receipt[];

  private constructor(bank: Bank, charter: Uint8Array) {
    const { anchor, bank: own } = bank;
    this.bank = bank;
    this.accused = { origin: ORIGIN, anchor: anchor.credential, bank: own.credential, charter };
    this.trust = { anchorId: anchor.credential.id, origin: ORIGIN };
    this.told = bank.taken.map(({ receipt }) => openReceipt(receipt, own.credential));
  }

  static async open(): Promise<Liar> {
    const bank = await (await Bank.open()).fill();
    const { credential, signer } = bank.bank;
    const log = { origin: ORIGIN, ed25519: signer.publicKey, mlDsa44: null };
    return new Liar(bank, await signCharter(bank.anchor, { origin: ORIGIN, bank: credential.id, log }));
  }

  /** The receipt of entry i, saying something else. */
  lie(i: number, changes: Partial<Receipt>): Promise<Uint8Array> {
    const { [i]: receipt } = this.told;
    if (receipt === undefined) throw new RangeError('no such entry');
    return issueReceipt(this.bank.bank.signer, { ...receipt, ...changes });
  }

  tree(log: Log = this.bank.log, size = log.size): TreeHead {
    return { size, root: log.root(size) };
  }

  /** A statement on the content chain's head. */
  headOf(changes: Partial<HeadStatement> = {}): Promise<Uint8Array> {
    const { bank, heads, recordId } = this.bank;
    return signHead(bank.signer, {
      ...{ origin: ORIGIN, recordId, chain: 'content', head: heads.content },
      ...{ tree: this.tree(), time: timeOf(9), ...changes },
    });
  }

  checkpoint(tree = this.tree()): Promise<string> {
    return signCheckpoint(this.bank.logSigner, tree, 0);
  }

  receiptOf(i: number): Uint8Array {
    return this.#taken(i).receipt;
  }

  entryOf(i: number): Uint8Array {
    return encodeSignedEntry(this.#taken(i).signed);
  }

  leafAt(i: number): Uint8Array {
    return logLeaf(this.bank.opening(this.#taken(i).signed, timeOf(i)));
  }

  /** The same log with another leaf at an index. */
  forged(at: number, size = this.bank.log.size): Log {
    const log = new Log();
    for (let i = 0; i < size; i++) log.append(i === at ? ANOTHER : this.leafAt(i));
    return log;
  }

  /** What binds the record's salt. */
  creation(): Evidence {
    const [creation, creationPayload] = [this.entryOf(0), this.#taken(0).payload];
    return { creation, creationPayload, creationReceipt: this.receiptOf(0) };
  }

  /** Another entry of the doctor's in the place of entry i. */
  forkOf(i: number): Promise<SignedEntry> {
    const { entry } = this.#taken(i).signed;
    const draft = { ...entry, seen: null, time: entry.time + 1 };
    return signEntry(this.bank.doctor, { size: entry.seq, hash: entry.prev }, draft);
  }

  /** Entry i, which the bank signed in its author's name. */
  async forgeryOf(i: number): Promise<SignedEntry> {
    const { entry } = this.#taken(i).signed;
    return { entry, signature: await this.bank.bank.signer.sign(utf8('anything')) };
  }

  /** The directory hears a revocation at leaf 2. */
  async revocation(
    content: Uint8Array,
    kind: string,
    by: Identity,
    changes: Partial<Receipt> = {},
    recordId = directoryId(ORIGIN),
  ): Promise<Evidence> {
    const payload = encodeStatement({ kind, content }, this.bank.random);
    const draft = this.bank.draft('revoke', payload, { recordId });
    const signed = await signEntry(by, { size: 4, hash: new Uint8Array(32).fill(1) }, draft);
    const { seq, prev } = signed.entry;
    const place = { recordId, seq, prev, entryHash: hashEntry(signed), head: headAfter(signed) };
    const receipt = await this.lie(2, { chain: 'content', ...place, ...changes });
    return {
      ...{ revocation: encodeSignedEntry(signed), revocationPayload: payload },
      revocationReceipt: receipt,
    };
  }

  /** Entry 4 under the doctor's key. */
  taken(): Evidence {
    const author = this.bank.doctor.credential.encoded;
    return { receipt: this.receiptOf(4), entry: this.entryOf(4), author };
  }

  /** One lie of each kind. */
  async lies(): Promise<Record<FraudKind, Evidence>> {
    const { anchor, doctor, log } = this.bank;
    const [checkpoint, cut, forged] = [await this.checkpoint(), this.told[1]?.head, this.forged(3)];
    const other = this.forged(3, 5);
    const forgery = await this.forgeryOf(4);
    const revoked = await revokeCredential(anchor, doctor.credential, { reason: 'superseded', revokedAt: 0 });
    return {
      'two places': { first: this.receiptOf(1), second: await this.lie(1, { leafIndex: 2 }) },
      'two roots': { first: checkpoint, second: await this.checkpoint(this.tree(forged)) },
      'two leaves': {
        ...{ first: checkpoint, firstLeaf: this.leafAt(3), firstProof: log.inclusion(3), index: 3 },
        second: await this.headOf({ tree: this.tree(other) }),
        ...{ secondLeaf: ANOTHER, secondProof: other.inclusion(3) },
      },
      'other leaf': {
        ...{ receipt: this.receiptOf(3), ...this.creation(), leaf: ANOTHER, proof: forged.inclusion(3) },
        tree: await this.checkpoint(this.tree(forged)),
      },
      'cut tail': {
        first: this.receiptOf(3),
        second: await this.headOf(cut === undefined ? {} : { head: cut }),
      },
      'out of order': { first: this.receiptOf(3), second: await this.lie(4, { time: timeOf(2) }) },
      'after revocation': { ...this.taken(), ...(await this.revocation(revoked, 'revocation', anchor)) },
      'bad entry': {
        receipt: await this.lie(4, { entryHash: hashEntry(forgery) }),
        ...{ entry: encodeSignedEntry(forgery), author: doctor.credential.encoded },
      },
    };
  }

  #taken(i: number): Bank['taken'][number] {
    const { [i]: one } = this.bank.taken;
    if (one === undefined) throw new RangeError('no such entry');
    return one;
  }
}
