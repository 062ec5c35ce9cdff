/** Cheating banks, each convicted by one file; and honest ones, whose words convict nobody. */

import { beforeAll, describe, expect, it } from 'vitest';
import { MunimentError, type ErrorCode } from '../../src/errors.ts';
import { enrol, renounceCredential, revokeCredential, type Identity } from '../../src/keys/index.ts';
import {
  EMPTY_CHAIN,
  encodeCreation,
  encodeSignedEntry,
  encodeStatement,
  FRAUD_EVIDENCE,
  hashEntry,
  headAfter,
  judge,
  proveFraud,
  signCheckpoint,
  verifyHead,
  type Accused,
  type Conviction,
  type FraudKind,
  type Head,
  type Piece,
  type SignedEntry,
} from '../../src/record/index.ts';
import { flipped } from '../mutation.ts';
import { refusal, refusalOf } from '../refusal.ts';
import { ORIGIN, timeOf, type Bank } from './fixture.ts';
import { ANOTHER, Liar, type Evidence } from './liar.ts';

let liar: Liar;
let bank: Bank;
let accused: Accused;
let trust: Liar['trust'];

beforeAll(async () => {
  liar = await Liar.open();
  ({ bank, accused, trust } = liar);
});

const lie: Liar['lie'] = (i, changes) => liar.lie(i, changes);
const tree: Liar['tree'] = (log, size) => liar.tree(log, size);
const headOf: Liar['headOf'] = (changes) => liar.headOf(changes);
const receiptOf = (i: number): Uint8Array => liar.receiptOf(i);
const forged: Liar['forged'] = (at, size) => liar.forged(at, size);
const leafAt = (i: number): Uint8Array => liar.leafAt(i);
const creation = (): Evidence => liar.creation();
const forkOf = (i: number): Promise<SignedEntry> => liar.forkOf(i);
const prove = (kind: FraudKind, evidence: Evidence): string => proveFraud(kind, accused, evidence as never);
const convicts = (kind: FraudKind, evidence: Evidence): Conviction => {
  const conviction = judge(prove(kind, evidence), trust);
  expect(conviction.kind).toBe(kind);
  expect(conviction.bank.subject).toBe('bank');
  return conviction;
};
const clears = (kind: FraudKind, evidence: Evidence): void => {
  expect(refusal(() => prove(kind, evidence))).toBe('RECORD_FRAUD');
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
    const leaf = ANOTHER;
    return signCheckpoint(bank.logSigner, tree(log), 0).then((checkpoint) => {
      const evidence = { receipt: receiptOf(3), ...creation(), leaf, proof: log.inclusion(3) };
      convicts('other leaf', { ...evidence, tree: checkpoint });
    });
  });

  it('states a root in a receipt over a log without its entry', async () => {
    const log = forged(3, 4);
    const receipt = await lie(3, { tree: tree(log) });
    const leaf = ANOTHER;
    convicts('other leaf', { receipt, tree: receipt, ...creation(), leaf, proof: log.inclusion(3) });
  });

  it('splits the view: two roots of one size, or one leaf with two hashes', async () => {
    const checkpoint = await signCheckpoint(bank.logSigner, tree(), 0);
    convicts('two roots', { first: checkpoint, second: await headOf({ tree: tree(forged(3)) }) });
    const shorter = forged(3, 5);
    convicts('two leaves', {
      ...{ first: checkpoint, firstLeaf: leafAt(3), firstProof: bank.log.inclusion(3), index: 3 },
      second: await headOf({ tree: tree(shorter) }),
      ...{ secondLeaf: ANOTHER, secondProof: shorter.inclusion(3) },
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
    const forgery = await liar.forgeryOf(4);
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
  const revocation: Liar['revocation'] = (...said) => liar.revocation(...said);
  const taken = (): Evidence => liar.taken();

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
  const kinds = Object.keys(FRAUD_EVIDENCE) as FraudKind[];

  it.each(kinds)(
    'of kind %s convicts nobody else, and of nothing else, once a character of it is changed',
    async (kind) => {
      const text = prove(kind, (await liar.lies())[kind]);
      const verdict = (one: string): unknown => {
        try {
          const { kind: found, bank: culprit } = judge(one, trust);
          return [found, culprit.id];
        } catch (error) {
          return error instanceof MunimentError ? error.code : error;
        }
      };
      const same = [kind, accused.bank.id];
      expect(verdict(text)).toEqual(same);
      // The bank's papers are the same in all of them.
      const start = kind === 'two places' ? 0 : text.indexOf('"evidence"');
      for (let at = start; at < text.length; at++) {
        const character = text[at] === 'A' ? 'B' : 'A';
        const one = verdict(text.slice(0, at) + character + text.slice(at + 1));
        if (one !== 'RECORD_FRAUD') expect(one, `at ${at}`).toEqual(same);
      }
    },
  );

  it.each(kinds)('of kind %s has one spelling', async (kind) => {
    const text = prove(kind, (await liar.lies())[kind]);
    for (const one of [' ' + text, text + '\n', text.replace('{', '{"more":1,'), text.slice(1), text + '{}'])
      expect(refusal(() => judge(one, trust))).toBe('RECORD_FRAUD');
    // Each piece in the form of each other one: a list, a number, a text of lines, bytes.
    const file = JSON.parse(text) as { evidence: Record<string, unknown> };
    for (const name of Object.keys(file.evidence))
      for (const value of [null, 1, '', 'AA', '\n', [], ['AA'], {}, Array(65).fill('')]) {
        const one = JSON.stringify({ ...file, evidence: { ...file.evidence, [name]: value } });
        expect(refusal(() => judge(one, trust))).toBe('RECORD_FRAUD');
      }
  });

  it('is none if it is no file at all', () => {
    for (const one of ['', '[]', 'null', '{}', '1', '""'])
      expect(refusal(() => judge(one, trust))).toBe('RECORD_FRAUD');
  });
});
