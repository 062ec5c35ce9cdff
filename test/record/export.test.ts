/** Receipts and exports: what holds, and every part of it dropped, exchanged or altered. */

import { beforeAll, describe, expect, it } from 'vitest';
import {
  createAnchor,
  enrol,
  renounceCredential,
  revokeCredential,
  type Identity,
} from '../../src/keys/index.ts';
import { KEM_X25519 } from '../../src/crypto/index.ts';
import type { ErrorCode } from '../../src/errors.ts';
import {
  byRole,
  encodeCreation,
  encodeStatement,
  ExportError,
  exportRecord,
  issueReceipt,
  NO_WITNESSES,
  signCharter,
  logKeysOf,
  signCheckpoint,
  verifyExport,
  verifyReceipt,
  type ExportedEntry,
  type ExportRules,
  type Receipt,
  type RecordExport,
} from '../../src/record/index.ts';
import { tuple, utf8 } from '../../src/wire/index.ts';
import { flipped } from '../mutation.ts';
import { refusal, refusalOf } from '../refusal.ts';
import { Bank, BODY, DIGESTS, ORIGIN, RULE, timeOf } from './fixture.ts';

let bank: Bank;
let parts: RecordExport;
let text: string;
let rules: ExportRules;

beforeAll(async () => {
  bank = await (await Bank.open()).fill();
  parts = await bank.parts();
  text = exportRecord(parts);
  rules = {
    anchorId: bank.anchor.credential.id,
    origin: ORIGIN,
    witnesses: NO_WITNESSES,
    rule: RULE,
    digests: DIGESTS,
    openings: {},
    renewalLogs: [],
  };
});

const codeOf = (one: string, changes: Partial<ExportRules> = {}): Promise<ErrorCode> =>
  refusalOf(() => verifyExport(one, { ...rules, ...changes }));
const codeWith = (changes: Partial<RecordExport>): Promise<ErrorCode> =>
  codeOf(exportRecord({ ...parts, ...changes }));
const codeAt = (
  chain: 'content' | 'access',
  i: number,
  changes: Partial<ExportedEntry>,
): Promise<ErrorCode> =>
  codeWith({ [chain]: parts[chain].map((one, j) => (i === j ? { ...one, ...changes } : one)) });

describe('a receipt', () => {
  const about = (): { origin: string; entryHash: Uint8Array } => {
    const { entryHash } = receiptAt(1);
    return { origin: ORIGIN, entryHash };
  };
  const receiptAt = (i: number): Receipt => {
    const { signed, receipt } = bank.taken[i]!;
    const { entryHash } = verifyAny(receipt);
    expect(signed.entry.seq).toBe(verifyAny(receipt).seq);
    return { ...verifyAny(receipt), entryHash };
  };
  const verifyAny = (receipt: Uint8Array): Receipt => {
    for (const { signed } of bank.taken) {
      const hash = bank.opening(signed, 0).entryHash;
      try {
        return verifyReceipt(receipt, bank.bank.credential, { origin: ORIGIN, entryHash: hash });
      } catch {
        continue;
      }
    }
    throw new Error('about no entry');
  };

  it('comes back as it was issued', async () => {
    const receipt = receiptAt(1);
    const again = await issueReceipt(bank.bank.signer, receipt);
    expect(again).toEqual(bank.taken[1]!.receipt);
    expect(receipt).toMatchObject({ outcome: 'accepted', seq: 1, leafIndex: 1, head: { size: 2 } });
  });

  it('is refused about something else, of another bank, or changed', () => {
    const signed = bank.taken[1]!.receipt;
    const verify = (bytes: Uint8Array, changes = {}, by = bank.bank): ErrorCode =>
      refusal(() => verifyReceipt(bytes, by.credential, { ...about(), ...changes }));
    expect(verify(signed, { origin: 'x' })).toBe('RECORD_RECEIPT');
    expect(verify(signed, { entryHash: new Uint8Array(32) })).toBe('RECORD_RECEIPT');
    expect(verify(signed, {}, bank.doctor)).toBe('RECORD_RECEIPT');
    for (let at = 0; at < signed.length; at++) expect(verify(flipped(signed, at))).toBe('RECORD_RECEIPT');
    expect(verify(signed.subarray(1))).toBe('RECORD_RECEIPT');
  });

  it('is refused malformed even where the bank signed it', async () => {
    const r = receiptAt(1);
    const items = [
      ...[r.origin, r.recordId, r.chain, r.request.data, r.request.signature, r.outcome, r.entryHash, r.seq],
      ...[r.prev, r.leafIndex, r.tree.size, r.tree.root, r.time, r.head.size, r.head.hash],
    ];
    const signed = async (changes: object, label = 'receipt'): Promise<Uint8Array> => {
      const body = tuple(label, ...Object.assign([...items], changes));
      return tuple('signed receipt', body, await bank.bank.signer.sign(body));
    };
    expect(await signed({})).toEqual(bank.taken[1]!.receipt);
    for (const [changes, label] of [
      [{}, 'entry'],
      [{ 1: new Uint8Array(15) }],
      [{ 2: 'contents' }],
      [{ 3: new Uint8Array(0) }],
      [{ 5: 'x'.repeat(129) }],
      [{ 7: '1' }],
      [{ 15: '' }],
    ] as const) {
      const bytes = await signed(changes, label);
      expect(refusal(() => verifyReceipt(bytes, bank.bank.credential, about()))).toBe('RECORD_RECEIPT');
    }
  });
});

describe('an export', () => {
  it('verifies offline from the anchor’s Id alone, and says what it cannot show', async () => {
    const progress: number[] = [];
    const verified = await verifyExport(text, {
      ...rules,
      progress: (done, total) => progress.push(done / total),
    });
    expect(verified).toMatchObject({
      origin: ORIGIN,
      recordId: bank.recordId,
      creation: { owner: bank.patient.credential.id, tagSalt: bank.tagSalt },
      heads: bank.heads,
      tree: { size: 6 },
    });
    expect(verified.anchor.subject).toBe('admin');
    expect(verified.bank.subject).toBe('bank');
    expect(verified.credentials.size).toBe(4);
    expect(verified.content.map(({ entry, payload }) => [entry.author.subject, payload?.length])).toEqual([
      ['doctor', parts.content[0]!.payload!.length],
      ['doctor', 10],
      ['patient', parts.content[2]!.payload!.length],
      ['doctor', 11],
    ]);
    expect(verified.access.map(({ receipt }) => receipt.leafIndex)).toEqual([2, 5]);
    expect(verified.payloads).toEqual({
      content: { given: 4, erased: 0, withheld: 0 },
      access: { given: 2, erased: 0, withheld: 0 },
    });
    expect(verified.notEstablished).toEqual([
      expect.stringMatching(/no witness has seen/),
      expect.stringMatching(/^since when the log stands/),
      expect.stringMatching(/longer chain/),
      expect.stringMatching(/after access 2, where the access chain of this export ends/),
      expect.stringMatching(/no other revocation/),
    ]);
    expect(progress).toEqual([1, 2, 3, 4, 5, 6].map((done) => done / 6));
  });

  it('verifies with payloads withheld, but for the first', async () => {
    const erased = (chain: 'content' | 'access'): readonly ExportedEntry[] =>
      parts[chain].map((one, i) => (chain === 'content' && i === 0 ? one : { ...one, payload: null }));
    const verified = await verifyExport(
      exportRecord({ ...parts, content: erased('content'), access: erased('access') }),
      rules,
    );
    expect(verified.content.map(({ payload }) => payload === null)).toEqual([false, true, true, true]);
    expect(verified.payloads).toEqual({
      content: { given: 1, erased: 0, withheld: 3 },
      access: { given: 0, erased: 0, withheld: 2 },
    });
    expect(verified.notEstablished).toContainEqual(
      expect.stringMatching(/^that payloads withheld .* \(of the record: 3; of its accesses: 2\)$/),
    );
    expect(await codeAt('content', 0, { payload: null })).toBe('RECORD_PAYLOAD');
  });

  it('verifies before anything was read, and not before anything was written', async () => {
    const unread = await verifyExport(exportRecord({ ...parts, access: [] }), rules);
    expect(unread.access).toEqual([]);
    expect(unread.notEstablished[3]).toMatch(/nobody has read the record: the access chain .* is empty/);
    expect(await codeWith({ content: [], access: [] })).toBe('RECORD_EXPORT');
    expect(await codeWith({ content: [] })).toBe('RECORD_PAYLOAD');
  });

  it('cannot show that its end was cut off: that is for heads kept elsewhere', async () => {
    const cut = await verifyExport(exportRecord({ ...parts, content: parts.content.slice(0, 2) }), rules);
    expect(cut.heads.content.size).toBe(2);
    expect(cut.notEstablished[2]).toMatch(/longer chain/);
  });
});

describe('an export is refused', () => {
  it('by naming the entry, and keeping what was good', async () => {
    const content = parts.content.map((one, i) => (i === 2 ? { ...one, proof: [] } : one));
    const error: unknown = await verifyExport(exportRecord({ ...parts, content }), rules).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ExportError);
    expect(error).toMatchObject({ code: 'RECORD_INCLUSION', at: { chain: 'content', seq: 2 } });
    expect((error as ExportError).good.content.map(({ entry }) => entry.entry.seq)).toEqual([0, 1]);
  });

  it('with entries dropped, moved or repeated', async () => {
    const [a, b, c, d] = parts.content as [ExportedEntry, ExportedEntry, ExportedEntry, ExportedEntry];
    for (const content of [
      [b, c, d],
      [a, c, d],
      [a, c, b, d],
      [a, b, b, c, d],
    ])
      expect(await codeWith({ content })).toBe('RECORD_LINK');
    expect(await codeWith({ access: [...parts.access].reverse() })).toBe('RECORD_LINK');
    expect(await codeWith({ access: parts.content })).toBe('RECORD_ENTRY');
    expect(await codeWith({ content: parts.access, access: parts.content })).toBe('RECORD_ENTRY');
  });

  it('with parts of one entry at another', async () => {
    const other = parts.content[3]!;
    expect(await codeAt('content', 1, { signed: other.signed })).toBe('RECORD_LINK');
    expect(await codeAt('content', 1, { payload: other.payload })).toBe('RECORD_PAYLOAD');
    expect(await codeAt('content', 1, { receipt: other.receipt })).toBe('RECORD_RECEIPT');
    expect(await codeAt('content', 1, { proof: other.proof })).toBe('RECORD_INCLUSION');
    expect(await codeAt('access', 1, { receipt: parts.access[0]!.receipt })).toBe('RECORD_RECEIPT');
  });

  it('with any part changed', async () => {
    const one = parts.content[1]!;
    expect(await codeAt('content', 1, { payload: flipped(one.payload!, 0) })).toBe('RECORD_PAYLOAD');
    expect(await codeAt('content', 1, { receipt: flipped(one.receipt, 99) })).toBe('RECORD_RECEIPT');
    expect(await codeAt('content', 1, { proof: [] })).toBe('RECORD_INCLUSION');
    expect(await codeAt('content', 1, { proof: one.proof.map((hash) => flipped(hash, 0)) })).toBe(
      'RECORD_INCLUSION',
    );
    const { entry, signature } = one.signed;
    expect(await codeAt('content', 1, { signed: { entry, signature: flipped(signature, 0) } })).toBe(
      'RECORD_AUTHOR',
    );
    const later = { entry: { ...entry, time: entry.time + 1 }, signature };
    expect(await codeAt('content', 1, { signed: later })).toBe('RECORD_AUTHOR');
    expect(await codeWith({ checkpoint: parts.checkpoint.replace('\n6\n', '\n7\n') })).toBe(
      'RECORD_CHECKPOINT',
    );
    expect(await codeWith({ checkpoint: '' })).toBe('RECORD_CHECKPOINT');
  });

  it('of another origin, record, bank or anchor', async () => {
    const origin = 'other.example/log';
    expect(await codeWith({ origin })).toBe('RECORD_EXPORT');
    expect(await codeOf(text, { origin })).toBe('RECORD_EXPORT');
    expect(await codeOf(exportRecord({ ...parts, origin }), { origin })).toBe('RECORD_CHARTER');
    expect(await codeWith({ recordId: new Uint8Array(16) })).toBe('RECORD_ENTRY');
    for (const id of [bank.doctor.credential.id, new Uint8Array(32)]) {
      const log = logKeysOf(bank.logSigner);
      const charter = await signCharter(bank.anchor, { origin: ORIGIN, bank: id, log });
      expect(await codeWith({ charters: [charter] })).toBe('RECORD_EXPORT');
    }
    expect(await codeOf(text, { anchorId: new Uint8Array(32) })).toBe('KEY_CREDENTIAL');
    expect(await codeOf(text, { anchorId: bank.bank.credential.id })).toBe('KEY_CREDENTIAL');
  });

  it('with credentials missing, changed, out of order or of a stranger', async () => {
    const [anchor, ...others] = parts.credentials as [Uint8Array, ...Uint8Array[]];
    expect(await codeWith({ credentials: [] })).toBe('RECORD_EXPORT');
    expect(await codeWith({ credentials: others })).toBe('KEY_CREDENTIAL');
    expect(await codeWith({ credentials: [...others, anchor] })).toBe('KEY_CREDENTIAL');
    expect(await codeWith({ credentials: [anchor, others[0]!] })).toBe('RECORD_AUTHOR');
    expect(await codeWith({ credentials: [anchor, ...others.slice(1)] })).toBe('RECORD_EXPORT');
    expect(await codeWith({ credentials: [anchor, flipped(others[0]!, 60), ...others.slice(1)] })).toBe(
      'KEY_CREDENTIAL',
    );
    const validity = { notBefore: 0, notAfter: 4e12 };
    const options = { kem: KEM_X25519 };
    const stranger = await createAnchor({ subject: 'x', roles: ['administrator'], ...validity }, options);
    const impostor = await enrol(stranger, { subject: 'doctor', roles: ['doctor'], ...validity }, options);
    const more = [...parts.credentials, impostor.credential.encoded];
    expect(await codeWith({ credentials: more })).toBe('KEY_CREDENTIAL');
  });

  it('under other rights, or digests', async () => {
    expect(await codeOf(text, { rule: byRole(() => false) })).toBe('RECORD_RIGHT');
    expect(await codeOf(text, { digests: {} })).toBe('RECORD_PAYLOAD');
  });

  const reissued = async (i: number, changes: Partial<Receipt>): Promise<ErrorCode> => {
    const one = parts.content[i]!;
    const { entryHash } = bank.opening(one.signed, 0);
    const receipt = verifyReceipt(one.receipt, bank.bank.credential, { origin: ORIGIN, entryHash });
    return codeAt('content', i, {
      receipt: await issueReceipt(bank.bank.signer, { ...receipt, ...changes }),
    });
  };

  it.each<[string, Partial<Receipt>, ErrorCode]>([
    ['another record', { recordId: new Uint8Array(16) }, 'RECORD_RECEIPT'],
    ['another chain', { chain: 'access' }, 'RECORD_RECEIPT'],
    ['another place', { seq: 2 }, 'RECORD_RECEIPT'],
    ['another predecessor', { prev: new Uint8Array(32) }, 'RECORD_RECEIPT'],
    ['a place outside its tree', { leafIndex: 9 }, 'RECORD_RECEIPT'],
    ['a head before the entry', { head: { size: 1, hash: new Uint8Array(32) } }, 'RECORD_RECEIPT'],
    ['another outcome', { outcome: 'refused' }, 'RECORD_RECEIPT'],
    ['the leaf of the entry before', { leafIndex: 0 }, 'RECORD_RECEIPT'],
    ['another time', { time: timeOf(9) }, 'RECORD_INCLUSION'],
    ['a time before all credentials', { time: 0 }, 'RECORD_RECEIPT'],
    ['a time after all credentials', { time: 3e12 }, 'RECORD_RECEIPT'],
    ['a longer chain than is shown', { head: { size: 5, hash: new Uint8Array(32) } }, 'RECORD_CONSISTENCY'],
    ['another chain of that length', { head: { size: 3, hash: new Uint8Array(32) } }, 'RECORD_CONSISTENCY'],
    [
      'a larger log than the checkpoint',
      { tree: { size: 7, root: new Uint8Array(32) } },
      'RECORD_CONSISTENCY',
    ],
    ['another log of that size', { tree: { size: 6, root: new Uint8Array(32) } }, 'RECORD_CONSISTENCY'],
    [
      'another log of a size that another receipt states',
      { tree: { size: 4, root: new Uint8Array(32) } },
      'RECORD_CONSISTENCY',
    ],
  ])('with a receipt that states %s', async (_, changes, code) => {
    expect(await reissued(1, changes)).toBe(code);
  });

  it('with a receipt that states another leaf, after the one before', async () => {
    expect(await reissued(2, { leafIndex: 2 })).toBe('RECORD_INCLUSION');
  });

  it('taken when its author’s credential, or the bank’s, had run out', async () => {
    const short = async (subject: string, until: number): Promise<[Bank, Identity]> => {
      const other = await Bank.open();
      const profile = { subject, roles: [subject], notBefore: 1_000_000_000_000, notAfter: until };
      return [other, await enrol(other.anchor, profile, { kem: KEM_X25519 })];
    };
    const outcome = async (other: Bank, more: Identity): Promise<ErrorCode | 'verified'> => {
      const own = await other.parts();
      const one = exportRecord({ ...own, credentials: [...own.credentials, more.credential.encoded] });
      const trusting = { ...rules, anchorId: other.anchor.credential.id };
      return verifyExport(one, trusting).then(
        () => 'verified' as const,
        (error: unknown) => (error as { code: ErrorCode }).code,
      );
    };
    const creating = (other: Bank): Uint8Array =>
      encodeStatement(
        {
          kind: 'create',
          content: encodeCreation({ owner: other.patient.credential.id, tagSalt: other.tagSalt }),
        },
        other.random,
      );
    for (const [until, code] of [
      [timeOf(1), 'verified'],
      [timeOf(0), 'RECORD_RECEIPT'],
    ] as const) {
      const [byAuthor, author] = await short('doctor', until);
      await byAuthor.take(author, 'create', creating(byAuthor));
      await byAuthor.take(author, 'insert', utf8('x'), { payloadType: BODY });
      expect(await outcome(byAuthor, author)).toBe(code);
      const [byBank, itself] = await short('bank', until);
      Object.assign(byBank, { bank: itself });
      await byBank.take(byBank.doctor, 'create', creating(byBank));
      await byBank.take(byBank.doctor, 'insert', utf8('x'), { payloadType: BODY });
      expect(await outcome(byBank, itself)).toBe(code);
    }
  });

  it('with a checkpoint of a smaller log', async () => {
    const head = { size: 3, root: bank.log.root(3) };
    const checkpoint = await signCheckpoint(bank.logSigner, head, 0);
    expect(await codeWith({ checkpoint })).toBe('RECORD_INCLUSION');
  });

  it('malformed', async () => {
    const value = JSON.parse(text) as Record<string, unknown>;
    const without = Object.keys(value).map((name) => ({ ...value, [name]: undefined }));
    const [first, ...rest] = value['content'] as Record<string, unknown>[];
    const entry = (changes: object): object => ({ ...value, content: [{ ...first, ...changes }, ...rest] });
    const changed = [
      ...without,
      ...Object.keys(first!).map((name) => entry({ [name]: undefined })),
      { ...value, extra: 1 },
      { ...value, format: 'muniment export 2' },
      { ...value, origin: 1 },
      { ...value, recordId: 'AA==' },
      { ...value, credentials: 'AAAA' },
      { ...value, credentials: [1] },
      { ...value, content: {} },
      { ...value, checkpoint: null },
      entry({ extra: 1 }),
      entry({ entry: 1 }),
      entry({ entry: '' }),
      entry({ payload: 1 }),
      entry({ receipt: null }),
      entry({ proof: null }),
      entry({ proof: ['!'] }),
      entry({ proof: Array.from({ length: 65 }, () => '') }),
      { ...value, content: [[]] },
      [],
      null,
      'text',
    ];
    for (const one of changed) expect(await codeOf(JSON.stringify(one))).toBe('RECORD_EXPORT');
    expect(await codeOf('')).toBe('RECORD_EXPORT');
    expect(await codeOf(text.slice(0, -1))).toBe('RECORD_EXPORT');
    expect(await codeOf(`{"format":"x",${text.slice(1)}`)).toBe('RECORD_EXPORT');
  });

  it('with any character of it changed', async () => {
    // Every 53rd: a change in the text of one byte string is like every other in it.
    for (let at = 0; at < text.length; at += 53) {
      const character = text[at] === 'A' ? 'B' : 'A';
      const code = await codeOf(text.slice(0, at) + character + text.slice(at + 1)).catch(
        (error: unknown) => error,
      );
      expect(code, text.slice(at - 20, at + 20)).toMatch(/^(RECORD|KEY)_/);
    }
  });
});

describe('keys that were taken back', () => {
  // The doctor's key, taken back after entry 4 of the log was taken; by the anchor, or by the doctor.
  const heardBy = async (
    how: 'revoked' | 'renounced',
    change: (other: Bank) => Promise<unknown> = () => Promise.resolve(),
    doubtfulFrom = timeOf(4),
  ): Promise<[RecordExport, ExportRules]> => {
    const other = await (await Bank.open()).fill();
    const { anchor, doctor } = other;
    const theft = { reason: 'compromised', doubtfulFrom, revokedAt: timeOf(6) } as const;
    const content =
      how === 'revoked'
        ? await revokeCredential(anchor, doctor.credential, theft)
        : await renounceCredential(doctor);
    const kind = how === 'revoked' ? 'revocation' : 'renunciation';
    await other.hear(how === 'revoked' ? anchor : doctor, encodeStatement({ kind, content }, other.random));
    await change(other);
    const own = await other.parts();
    return [own, { ...rules, anchorId: other.anchor.credential.id }];
  };

  it('leave what was taken before valid, or doubtful', async () => {
    const [own, trusting] = await heardBy('revoked');
    const verified = await verifyExport(exportRecord(own), trusting);
    expect(verified.content.map(({ standing }) => standing)).toEqual(['valid', 'valid', 'valid', 'doubtful']);
    const [renounced, same] = await heardBy('renounced');
    const all = await verifyExport(exportRecord(renounced), same);
    expect(new Set(all.content.map(({ standing }) => standing))).toEqual(new Set(['valid']));
  });

  it('end what is taken afterwards, whatever time its author claims', async () => {
    const late = (other: Bank): Promise<unknown> =>
      other.take(other.doctor, 'insert', utf8('late'), { payloadType: BODY, time: timeOf(1) });
    for (const how of ['revoked', 'renounced'] as const) {
      const [own, trusting] = await heardBy(how, late);
      expect(await refusalOf(() => verifyExport(exportRecord(own), trusting))).toBe('KEY_REVOKED');
      // An export can leave out what the bank heard: that is among what it does not establish.
      const without = await verifyExport(exportRecord({ ...own, directory: null }), trusting);
      expect(without.notEstablished).toContainEqual(expect.stringMatching(/no other revocation/));
    }
  });

  it('end nothing that came into the log before them, were it in the same millisecond', async () => {
    const other = await Bank.open();
    other.timeOf = () => timeOf(0);
    const { doctor } = await other.fill();
    const content = await renounceCredential(doctor);
    await other.hear(doctor, encodeStatement({ kind: 'renunciation', content }, other.random));
    const trusting = { ...rules, anchorId: other.anchor.credential.id };
    const { content: entries } = await verifyExport(exportRecord(await other.parts()), trusting);
    expect(entries.map(({ standing }) => standing)).toEqual(['doubtful', 'doubtful', 'valid', 'doubtful']);
  });

  it('count whoever filed them', async () => {
    const other = await (await Bank.open()).fill();
    const terms = { reason: 'ceased', revokedAt: timeOf(6) } as const;
    const content = await revokeCredential(other.anchor, other.doctor.credential, terms);
    await other.hear(other.bank, encodeStatement({ kind: 'revocation', content }, other.random));
    await other.take(other.doctor, 'insert', utf8('late'), { payloadType: BODY });
    const trusting = { ...rules, anchorId: other.anchor.credential.id };
    const text = exportRecord(await other.parts());
    expect(await refusalOf(() => verifyExport(text, trusting))).toBe('KEY_REVOKED');
  });

  it('are verified like every entry', async () => {
    const [own, trusting] = await heardBy('revoked');
    const directory = own.directory!;
    const [entry] = directory.entries as [ExportedEntry];
    const { signed, receipt } = entry;
    const code = (changes: object): Promise<ErrorCode> =>
      refusalOf(() =>
        verifyExport(exportRecord({ ...own, directory: { ...directory, ...changes } }), trusting),
      );
    const at = (changes: Partial<ExportedEntry>): Promise<ErrorCode> =>
      code({ entries: [{ ...entry, ...changes }] });
    expect(await code({ recordId: new Uint8Array(16) })).toBe('RECORD_EXPORT');
    expect(await code({ tagSalt: new Uint8Array(32) })).toBe('RECORD_INCLUSION');
    expect(await code({ entries: [entry, entry] })).toBe('RECORD_RECEIPT');
    expect(await at({ payload: null })).toBe('RECORD_PAYLOAD');
    expect(await at({ payload: own.content[0]!.payload })).toBe('RECORD_PAYLOAD');
    expect(await at({ proof: [] })).toBe('RECORD_INCLUSION');
    expect(await at({ receipt: flipped(receipt, 99) })).toBe('RECORD_RECEIPT');
    expect(await at({ signed: { ...signed, signature: flipped(signed.signature, 0) } })).toBe(
      'RECORD_AUTHOR',
    );
    expect(await at({ signed: own.content[1]!.signed })).toBe('RECORD_ENTRY');
  });
});

describe('the bank’s times', () => {
  it('must not run against its log, over both chains', async () => {
    const other = await Bank.open();
    other.timeOf = (index) => timeOf(index === 2 ? 0 : index + 3); // the access, at leaf 2
    await other.fill();
    const text = exportRecord(await other.parts());
    const trusting = { ...rules, anchorId: other.anchor.credential.id };
    expect(await refusalOf(() => verifyExport(text, trusting))).toBe('RECORD_CONSISTENCY');
  });
});

describe('what was opened', () => {
  const opened = utf8('shown');
  const withOpened = (): string =>
    exportRecord({ ...parts, content: parts.content.map((one, i) => (i === 1 ? { ...one, opened } : one)) });

  it('is verified by its type, and handed out', async () => {
    const openings: ExportRules['openings'] = {
      [BODY]: (bytes, entry, authors) => {
        expect([bytes, entry.seq]).toEqual([opened, 1]);
        return { text: '"shown"', author: authors(entry.author)! };
      },
    };
    const { content } = await verifyExport(withOpened(), { ...rules, openings });
    expect(content.map((one) => one.opened?.text)).toEqual([undefined, '"shown"', undefined, undefined]);
  });

  it('is refused where nobody can verify it, or its verifier throws', async () => {
    const refuse = (): never => {
      throw new Error('no part of it');
    };
    for (const openings of [{}, { [BODY]: refuse }])
      expect(await codeOf(withOpened(), { openings })).toBe('RECORD_PAYLOAD');
  });
});
