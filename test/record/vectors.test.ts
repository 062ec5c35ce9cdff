/** test/vectors/record.json, read back by the library. */

import { describe, expect, it } from 'vitest';
import { ED25519, sha256 } from '../../src/crypto/index.ts';
import {
  readAnchor,
  Secret,
  SoftwareSigner,
  verifyCredential,
  type Credential,
} from '../../src/keys/index.ts';
import {
  appendEntry,
  byRole,
  decodeSignedEntry,
  encodeCreation,
  encodeSignedEntry,
  encodeStatement,
  hashEntry,
  innerHash,
  issueReceipt,
  logLeaf,
  readStatement,
  statementDigest,
  verifyChain,
  verifyConsistency,
  verifyInclusion,
  verifyReceipt,
  withoutRevocations,
  type ChainName,
  type ChainRules,
  type ChainState,
  type Entry,
  type EntryKind,
  type Head,
  type LeafOpening,
  type WriteRule,
} from '../../src/record/index.ts';
import { equalBytes, TupleReader } from '../../src/wire/index.ts';
import { refusal, refusalOf } from '../refusal.ts';
import { casesOf, readVectors } from '../vectors/file.ts';
import type { EntryJson, HeadJson, LeafJson, RecordCase, RightJson } from '../vectors/generators/record.ts';
import { hex, unhex } from '../vectors/hex.ts';

const file = readVectors<RecordCase>('record');

it('holds as many cases as it should', () => {
  const counts: Record<string, number> = {};
  for (const { operation } of file.cases) counts[operation] = (counts[operation] ?? 0) + 1;
  expect(counts).toEqual({
    entry: 6,
    'decode entry': 14,
    'verify chain': 21,
    append: 8,
    statement: 1,
    'read statement': 10,
    creation: 1,
    leaf: 6,
    'verify inclusion': 17,
    'verify consistency': 11,
    receipt: 1,
    'verify receipt': 10,
  });
});

it('has every code of a record', () => {
  const codes = new Set(file.cases.flatMap(({ error }) => error ?? []));
  expect([...codes].sort()).toEqual([
    'RECORD_AUTHOR',
    'RECORD_CONSISTENCY',
    'RECORD_ENTRY',
    'RECORD_INCLUSION',
    'RECORD_LINK',
    'RECORD_PAYLOAD',
    'RECORD_RECEIPT',
    'RECORD_RIGHT',
    'RECORD_STALE',
  ]);
});

const anchorOf = (encoded: string): Credential => {
  const bytes = unhex(encoded);
  return readAnchor(bytes, sha256(TupleReader.labelled(bytes, 'signed credential').bytes()));
};
const credentialsOf = ([first = '', ...others]: readonly string[]): Credential[] => {
  const anchor = anchorOf(first);
  return [anchor, ...others.map((one) => verifyCredential(unhex(one), anchor, 'ever'))];
};
const ruleOf = (rights: readonly RightJson[]): WriteRule<true> =>
  byRole(({ chain, kind }, author) =>
    rights.some((one) => one.chain === chain && one.kinds.includes(kind) && author.roles.includes(one.role)),
  );
const atOf = (head: HeadJson): ChainState<true> => ({ head: headOf(head), state: true });
const headOf = ({ size, hash }: HeadJson): Head => ({ size, hash: unhex(hash) });
const headJson = ({ size, hash }: Head): HeadJson => ({ size, hash: hex(hash) });
const treeOf = ({ size, root }: { size: number; root: string }): { size: number; root: Uint8Array } => ({
  size,
  root: unhex(root),
});
const rulesOf = (one: {
  readonly origin: string;
  readonly recordId: string;
  readonly chain: string;
  readonly credentials: readonly string[];
  readonly rights: readonly RightJson[];
}): ChainRules<true> => {
  const known = credentialsOf(one.credentials);
  return {
    origin: one.origin,
    recordId: unhex(one.recordId),
    chain: one.chain as ChainName,
    authors: withoutRevocations((id) => known.find((one) => equalBytes(one.id, id)) ?? null),
    rule: ruleOf(one.rights),
  };
};
const entryOf = (one: EntryJson): Entry => ({
  ...one,
  recordId: unhex(one.recordId),
  chain: one.chain as ChainName,
  prev: unhex(one.prev),
  author: unhex(one.author),
  kind: one.kind as EntryKind,
  seenRoot: unhex(one.seenRoot),
  payloadDigest: unhex(one.payloadDigest),
});
const leafOf = (one: LeafJson): LeafOpening => ({
  recordId: unhex(one.recordId),
  tagSalt: unhex(one.tagSalt),
  chain: one.chain as ChainName,
  seq: one.seq,
  time: one.time,
  entryHash: unhex(one.entryHash),
});
const signerOf = (seed: string): SoftwareSigner =>
  new SoftwareSigner(ED25519, new Secret('signing key', unhex(seed)));

describe('entries', () => {
  it.each(casesOf(file, 'entry'))('$name', async (one) => {
    const entry = entryOf(one.entry);
    const signature = await signerOf(one.signingSecret).sign(unhex(one.signatureInput));
    const signed = { entry, signature };
    expect(hex(encodeSignedEntry(signed))).toBe(one.signed);
    expect(decodeSignedEntry(unhex(one.signed))).toEqual(signed);
    expect([hex(innerHash(signed)), hex(hashEntry(signed))]).toEqual([one.inner, one.entryHash]);
  });

  it.each(casesOf(file, 'decode entry'))('$name', (one) => {
    expect(refusal(() => decodeSignedEntry(unhex(one.signed)))).toBe(one.error);
  });
});

describe('chains', () => {
  it.each(casesOf(file, 'verify chain'))('$name', async (one) => {
    const items = one.items.map((item) =>
      'signed' in item
        ? decodeSignedEntry(unhex(item.signed))
        : { seq: item.seq, prev: unhex(item.prev), inner: unhex(item.inner) },
    );
    const hashes: string[] = [];
    const run = async (): Promise<Head> => {
      const chain = verifyChain(items, rulesOf(one), atOf(one.from));
      for (;;) {
        const next = await chain.next();
        if (next.done === true) return next.value.head;
        hashes.push(hex(next.value.hash));
      }
    };
    if (one.error !== undefined) {
      expect(await refusalOf(run)).toBe(one.error);
      return;
    }
    expect(headJson(await run())).toEqual(one.head);
    expect(hashes).toEqual(one.hashes);
  });

  it.each(casesOf(file, 'append'))('$name', (one) => {
    const run = (): Head =>
      appendEntry(decodeSignedEntry(unhex(one.signed)), rulesOf(one), atOf(one.at)).after.head;
    if (one.error !== undefined) expect(refusal(run)).toBe(one.error);
    else expect(headJson(run())).toEqual(one.head);
  });
});

describe('statements', () => {
  it.each(casesOf(file, 'statement'))('$name', (one) => {
    const payload = encodeStatement({ kind: one.kind, content: unhex(one.content) }, () => unhex(one.salt));
    expect([hex(payload), hex(statementDigest(payload))]).toEqual([one.payload, one.digest]);
  });

  it.each(casesOf(file, 'read statement'))('$name', (one) => {
    const [base] = casesOf(file, 'entry');
    const { payloadType, payloadDigest } = one;
    const entry = entryOf({ ...base!.entry, payloadType, payloadDigest });
    const run = (): Uint8Array => readStatement(entry, unhex(one.payload), one.kind);
    if (one.error !== undefined) expect(refusal(run)).toBe(one.error);
    else expect(hex(run())).toBe(one.content);
  });

  it.each(casesOf(file, 'creation'))('$name', (one) => {
    expect(hex(encodeCreation({ owner: unhex(one.owner), tagSalt: unhex(one.tagSalt) }))).toBe(one.content);
  });
});

describe('the log', () => {
  it.each(casesOf(file, 'leaf'))('$name', (one) => {
    expect(hex(logLeaf(leafOf(one)))).toBe(one.leaf);
  });

  it.each(casesOf(file, 'verify inclusion'))('$name', (one) => {
    const place = { index: one.index, proof: one.proof.map(unhex) };
    const run = (): void => {
      verifyInclusion(leafOf(one), place, treeOf(one));
    };
    if (one.error !== undefined) expect(refusal(run)).toBe(one.error);
    else run();
  });

  it.each(casesOf(file, 'verify consistency'))('$name', (one) => {
    const run = (): unknown => verifyConsistency(treeOf(one.older), treeOf(one.newer), one.proof.map(unhex));
    if (one.error !== undefined) expect(refusal(run)).toBe(one.error);
    else expect(run()).toEqual(treeOf(one.newer));
  });
});

describe('receipts', () => {
  it.each(casesOf(file, 'receipt'))('$name', async (one) => {
    const { receipt } = one;
    const signed = await issueReceipt(signerOf(one.signingSecret), {
      ...receipt,
      recordId: unhex(receipt.recordId),
      chain: receipt.chain as ChainName,
      request: { data: unhex(receipt.request.data), signature: unhex(receipt.request.signature) },
      entryHash: unhex(receipt.entryHash),
      prev: unhex(receipt.prev),
      tree: treeOf(receipt.tree),
      head: headOf(receipt.head),
    });
    expect(hex(signed)).toBe(one.signed);
  });

  it.each(casesOf(file, 'verify receipt'))('$name', (one) => {
    const bank = verifyCredential(unhex(one.bank), anchorOf(one.anchor), 'ever');
    const about = { origin: one.origin, entryHash: unhex(one.entryHash) };
    const run = (): unknown => verifyReceipt(unhex(one.signed), bank, about);
    if (one.error !== undefined) expect(refusal(run)).toBe(one.error);
    else expect(run()).toMatchObject(about);
  });
});
