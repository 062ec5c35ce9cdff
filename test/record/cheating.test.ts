/** Cheating banks, each convicted by one file; and honest ones, whose words convict nobody. */

import { beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/crypto/index.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { enrol, renounceCredential, revokeCredential, type Identity } from '../../src/keys/index.ts';
import { signCharter } from '../../src/record/charter.ts';
import { openReceipt } from '../../src/record/receipt.ts';
import {
  directoryId,
  EMPTY_CHAIN,
  encodeCreation,
  encodeSignedEntry,
  encodeStatement,
  hashEntry,
  headAfter,
  issueReceipt,
  judge,
  Log,
  logLeaf,
  proveFraud,
  signCheckpoint,
  signEntry,
  signHead,
  verifyHead,
  type Accused,
  type Conviction,
  type FraudKind,
  type Head,
  type HeadStatement,
  type Piece,
  type Receipt,
  type SignedEntry,
} from '../../src/record/index.ts';
import { utf8 } from '../../src/wire/index.ts';
import { flipped } from '../mutation.ts';
import { refusal, refusalOf } from '../refusal.ts';
import { Bank, ORIGIN, timeOf, type Taken } from './fixture.ts';

let bank: Bank;
let accused: Accused;
let trust: { anchorId: Uint8Array; origin: string };
let told: readonly Receipt[];

beforeAll(async () => {
  bank = await (await Bank.open()).fill();
  const { credential, signer } = bank.bank;
  const log = { origin: ORIGIN, ed25519: signer.publicKey, mlDsa44: null };
  const charter = await signCharter(bank.anchor, { origin: ORIGIN, bank: credential.id, log });
  accused = { origin: ORIGIN, anchor: bank.anchor.credential, bank: credential, charter };
  trust = { anchorId: bank.anchor.credential.id, origin: ORIGIN };
  told = bank.taken.map(({ receipt }) => openReceipt(receipt, credential));
});

const lie = (i: number, changes: Partial<Receipt>): Promise<Uint8Array> =>
  issueReceipt(bank.bank.signer, { ...told[i]!, ...changes });
const tree = (log: Log = bank.log, size = log.size): { size: number; root: Uint8Array } => ({
  ...{ size, root: log.root(size) },
});
const headOf = (changes: Partial<HeadStatement> = {}): Promise<Uint8Array> =>
  signHead(bank.bank.signer, {
    ...{ origin: ORIGIN, recordId: bank.recordId, chain: 'content', head: bank.heads.content },
    ...{ tree: tree(), time: timeOf(9), ...changes },
  });
const receiptOf = (i: number): Uint8Array => bank.taken[i]!.receipt;
const prove = (kind: FraudKind, evidence: Record<string, Piece>): string =>
  proveFraud(kind, accused, evidence as never);
const convicts = (kind: FraudKind, evidence: Record<string, Piece>): Conviction => {
  const conviction = judge(prove(kind, evidence), trust);
  expect(conviction.kind).toBe(kind);
  expect(conviction.bank.subject).toBe('bank');
  return conviction;
};
const clears = (kind: FraudKind, evidence: Record<string, Piece>): void => {
  expect(refusal(() => prove(kind, evidence))).toBe('RECORD_FRAUD');
};

/** The same log with another leaf at an index. */
const forged = (at: number, size = bank.log.size): Log => {
  const log = new Log();
  for (let i = 0; i < size; i++) log.append(i === at ? sha256(utf8('another')) : leafAt(i));
  return log;
};
const leafAt = (i: number): Uint8Array => logLeaf(bank.opening(bank.taken[i]!.signed, timeOf(i)));
const creation = (): Record<string, Piece> => ({
  ...{ creation: encodeSignedEntry(bank.taken[0]!.signed), creationPayload: bank.taken[0]!.payload },
  creationReceipt: receiptOf(0),
});
const forkOf = async (i: number): Promise<Taken['signed']> => {
  const { entry } = bank.taken[i]!.signed;
  return signEntry(bank.doctor, { size: entry.seq, hash: entry.prev }, { ...entry, seen: null, time: 5 });
};

describe('a head statement', () => {
  it('comes back as it was signed, and is refused of another bank, about another chain, or changed', async () => {
    const about = { origin: ORIGIN, recordId: bank.recordId, chain: 'content' } as const;
    const signed = await headOf();
    expect(verifyHead(signed, accused.bank, about)).toEqual({
      ...{ ...about, head: bank.heads.content, tree: tree(), time: timeOf(9) },
    });
    const code = (bytes: Uint8Array, changes = {}, by: Identity = bank.bank): ErrorCode =>
      refusal(() => verifyHead(bytes, by.credential, { ...about, ...changes }));
    expect(code(signed, { origin: 'x' })).toBe('RECORD_HEAD');
    expect(code(signed, { chain: 'access' })).toBe('RECORD_HEAD');
    expect(code(signed, { recordId: new Uint8Array(16) })).toBe('RECORD_HEAD');
    expect(code(signed, {}, bank.doctor)).toBe('RECORD_HEAD');
    expect(code(receiptOf(1))).toBe('RECORD_HEAD');
    for (let at = 0; at < signed.length; at++) expect(code(flipped(signed, at))).toBe('RECORD_HEAD');
    expect(code(await headOf({ chain: 'other' as 'access' }))).toBe('RECORD_HEAD');
  });
});

describe('a cheating bank', () => {
  it('forks a tail', async () => {
    const other = await forkOf(4);
    const lied = await lie(4, { entryHash: hashEntry(other), head: headAfter(other), leafIndex: 6 });
    convicts('two places', { first: receiptOf(4), second: lied });
    convicts('two places', { first: receiptOf(4), second: await headOf({ head: headAfter(other) }) });
  });

  it('shows two heads to two clients', async () => {
    const second = await headOf({ head: { ...bank.heads.content, hash: new Uint8Array(32) } });
    convicts('two places', { first: await headOf(), second });
  });

  it('re-signs history under an entry that a receipt links to', async () => {
    const other = await forkOf(3);
    convicts('two places', {
      first: receiptOf(4),
      second: await lie(3, { entryHash: hashEntry(other), head: headAfter(other) }),
    });
  });

  it('re-orders: one leaf for two entries, and one entry at two leaves', async () => {
    convicts('two places', { first: receiptOf(1), second: await lie(2, { leafIndex: 1 }) });
    convicts('two places', { first: receiptOf(1), second: await lie(1, { leafIndex: 2 }) });
  });

  it('cuts a tail', async () => {
    const head: Head = { size: 2, hash: hashEntry(bank.taken[1]!.signed) };
    convicts('cut tail', { first: receiptOf(3), second: await headOf({ head }) });
    convicts('cut tail', { first: await headOf(), second: await headOf({ head }) });
    convicts('cut tail', { first: receiptOf(0), second: await headOf({ head: EMPTY_CHAIN }) });
  });

  it('hides an entry: its leaf is not where the receipt says', () => {
    const log = forged(3);
    const leaf = sha256(utf8('another'));
    return signCheckpoint(bank.logSigner, tree(log), 0).then((checkpoint) => {
      const evidence = { receipt: receiptOf(3), ...creation(), leaf, proof: log.inclusion(3) };
      convicts('other leaf', { ...evidence, tree: checkpoint });
    });
  });

  it('states a root in a receipt over a log without its entry', async () => {
    const log = forged(3, 4);
    const receipt = await lie(3, { tree: tree(log) });
    const leaf = sha256(utf8('another'));
    convicts('other leaf', { receipt, tree: receipt, ...creation(), leaf, proof: log.inclusion(3) });
  });

  it('splits the view: two roots of one size, or one leaf with two hashes', async () => {
    const checkpoint = await signCheckpoint(bank.logSigner, tree(), 0);
    convicts('two roots', { first: checkpoint, second: await headOf({ tree: tree(forged(3)) }) });
    const shorter = forged(3, 5);
    convicts('two leaves', {
      ...{ first: checkpoint, firstLeaf: leafAt(3), firstProof: bank.log.inclusion(3), index: 3 },
      second: await headOf({ tree: tree(shorter) }),
      ...{ secondLeaf: sha256(utf8('another')), secondProof: shorter.inclusion(3) },
    });
  });

  it('back-dates an entry', async () => {
    convicts('out of order', { first: receiptOf(3), second: await lie(4, { time: timeOf(2) }) });
    convicts('out of order', {
      first: await headOf({ time: timeOf(9) }),
      second: await lie(4, { leafIndex: 6 }),
    });
  });

  it('takes an entry late: after its successor, or after a head that counts it', async () => {
    convicts('out of order', {
      first: receiptOf(3),
      second: await lie(1, { leafIndex: 4, time: timeOf(4) }),
    });
    const early = await headOf({ tree: tree(bank.log, 4), time: timeOf(3) });
    convicts('out of order', { first: receiptOf(4), second: early });
  });

  it('takes an entry that its author did not sign, or whose key was exchanged', async () => {
    const author = bank.doctor.credential.encoded;
    const { entry } = bank.taken[4]!.signed;
    const signature = await bank.bank.signer.sign(utf8('anything'));
    const forgery: SignedEntry = { entry, signature };
    const receipt = await lie(4, { entryHash: hashEntry(forgery) });
    convicts('bad entry', { receipt, entry: encodeSignedEntry(forgery), author });
  });

  it('takes an entry under a credential that had ended, or says that it stands elsewhere', async () => {
    const entry = encodeSignedEntry(bank.taken[4]!.signed);
    const author = bank.doctor.credential.encoded;
    convicts('bad entry', { receipt: await lie(4, { time: 2_000_000_000_001 }), entry, author });
    convicts('bad entry', { receipt: await lie(4, { seq: 7 }), entry, author });
  });
});

describe('a revoked key', () => {
  const revocation = async (
    content: Uint8Array,
    kind: string,
    by: Identity,
    changes: Partial<Receipt> = {},
    recordId = directoryId(ORIGIN),
  ): Promise<Record<string, Piece>> => {
    const payload = encodeStatement({ kind, content }, bank.random);
    const draft = bank.draft('revoke', payload, { recordId });
    const signed = await signEntry(by, { size: 4, hash: new Uint8Array(32).fill(1) }, draft);
    const { seq, prev } = signed.entry;
    const place = { recordId, seq, prev, entryHash: hashEntry(signed), head: headAfter(signed) };
    const receipt = await lie(2, { chain: 'content', ...place, ...changes });
    return {
      ...{ revocation: encodeSignedEntry(signed), revocationPayload: payload },
      revocationReceipt: receipt,
    };
  };
  const taken = (): Record<string, Piece> => ({
    ...{ receipt: receiptOf(4), entry: encodeSignedEntry(bank.taken[4]!.signed) },
    author: bank.doctor.credential.encoded,
  });

  it('is used after the directory heard of it', async () => {
    const { anchor, doctor, patient } = bank;
    const terms = { reason: 'superseded', revokedAt: 0 } as const;
    const statement = await revokeCredential(anchor, doctor.credential, terms);
    convicts('after revocation', { ...taken(), ...(await revocation(statement, 'revocation', anchor)) });
    const renounced = await renounceCredential(doctor);
    convicts('after revocation', { ...taken(), ...(await revocation(renounced, 'renunciation', doctor)) });
    const clear = async (...more: Parameters<typeof revocation>): Promise<void> =>
      clears('after revocation', { ...taken(), ...(await revocation(...more)) });
    // Heard later; to take effect later; in another record; of somebody else; of another kind.
    await clear(statement, 'revocation', anchor, { leafIndex: 5 });
    await clear(statement, 'revocation', anchor, { time: timeOf(5) });
    const later = await revokeCredential(anchor, doctor.credential, { ...terms, revokedAt: timeOf(5) });
    await clear(later, 'revocation', anchor);
    await clear(statement, 'revocation', anchor, {}, bank.recordId);
    await clear(renounced, 'renunciation', doctor, {}, bank.recordId);
    await clear(await revokeCredential(anchor, patient.credential, terms), 'revocation', anchor);
    await clear(statement, 'note', anchor);
    // Stolen keys are in doubt before they end: that convicts nobody.
    const theft = { reason: 'compromised', doubtfulFrom: 0, revokedAt: timeOf(5) } as const;
    await clear(await revokeCredential(anchor, doctor.credential, theft), 'revocation', anchor);
  });
});

describe('an honest bank', () => {
  it('is not convicted by any pair of its words, of whatever kind', async () => {
    const { signer } = bank.bank;
    const words: Piece[] = bank.taken.map(({ receipt }) => receipt);
    for (let size = 0; size <= 6; size++) {
      for (const chain of ['content', 'access'] as const) {
        const last = bank.taken
          .slice(0, size)
          .filter((one) => one.chain === chain)
          .at(-1);
        const head = last === undefined ? EMPTY_CHAIN : headAfter(last.signed);
        words.push(await headOf({ chain, head, tree: tree(bank.log, size), time: timeOf(size) - 1 }));
      }
      words.push(
        await signCheckpoint({ origin: ORIGIN, ed25519: signer, mlDsa44: null }, tree(bank.log, size), 0),
      );
    }
    for (const first of words)
      for (const second of words)
        for (const kind of ['two places', 'two roots', 'cut tail', 'out of order'] as const)
          clears(kind, { first, second });
  });

  it('is not convicted by leaves and entries that are what they should be, or by the accuser’s salt', async () => {
    const checkpoint = await signCheckpoint(bank.logSigner, tree(), 0);
    for (const i of [0, 1, 2, 3, 4, 5]) {
      const proof = { leaf: leafAt(i), proof: bank.log.inclusion(i), tree: checkpoint };
      clears('other leaf', { receipt: receiptOf(i), ...creation(), ...proof });
      const { signed } = bank.taken[i]!;
      for (const { credential } of bank.people) {
        const entry = encodeSignedEntry(signed);
        clears('bad entry', { receipt: receiptOf(i), entry, author: credential.encoded });
      }
    }
    const payload = encodeStatement({
      kind: 'create',
      content: encodeCreation({ owner: bank.patient.credential.id, tagSalt: new Uint8Array(32) }),
    });
    const salt = { ...creation(), creationPayload: payload };
    const proof = { leaf: leafAt(1), proof: bank.log.inclusion(1), tree: checkpoint };
    clears('other leaf', { receipt: receiptOf(1), ...salt, ...proof });
  });

  it('is not convicted by what it did not take, by another origin, anchor or bank', async () => {
    const refused = await lie(4, { outcome: 'refused', entryHash: new Uint8Array(32) });
    clears('two places', { first: receiptOf(4), second: refused });
    clears('two places', { first: receiptOf(4), second: await lie(4, { origin: 'x', leafIndex: 0 }) });
    const text = prove('two places', { first: receiptOf(1), second: await lie(1, { leafIndex: 2 }) });
    const code = (changes: Partial<typeof trust>): ErrorCode =>
      refusal(() => judge(text, { ...trust, ...changes }));
    expect(code({ origin: 'x' })).toBe('RECORD_FRAUD');
    expect(code({ anchorId: bank.bank.credential.id })).toBe('RECORD_FRAUD');
    const validity = { notBefore: 0, notAfter: 4e12 };
    const stranger = await enrol(bank.anchor, { subject: 'stranger', roles: ['bank'], ...validity });
    const other = { ...accused, bank: stranger.credential };
    expect(
      await refusalOf(async () =>
        proveFraud('two places', other, { first: receiptOf(1), second: await lie(1, { leafIndex: 2 }) }),
      ),
    ).toBe('RECORD_FRAUD');
  });
});

describe('a fraud file', () => {
  it('has one spelling, and convicts nobody once a character of it is changed', async () => {
    const text = prove('two places', { first: receiptOf(1), second: await lie(1, { leafIndex: 2 }) });
    const code = (one: string): ErrorCode => refusal(() => judge(one, trust));
    for (let at = 0; at < text.length; at++) {
      const character = text[at] === 'A' ? 'B' : 'A';
      expect(code(text.slice(0, at) + character + text.slice(at + 1)), `at ${at}`).toBe('RECORD_FRAUD');
    }
    for (const one of [
      '',
      ' ' + text,
      text + '\n',
      '[]',
      'null',
      text.replace('{', '{"more":1,'),
      text.slice(1),
    ])
      expect(code(one)).toBe('RECORD_FRAUD');
  });
});
