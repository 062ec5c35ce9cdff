/** Vectors of spec/record.md: entries, chains, statements, leaves, receipts. */

import { hashTuple, sha256 } from '../../../src/crypto/index.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import { exposeSecret, type Identity, type SoftwareKeys } from '../../../src/keys/index.ts';
import { entrySignatureInput } from '../../../src/record/entry.ts';
import {
  encodeCreation,
  encodeSignedEntry,
  encodeStatement,
  hashEntry,
  headAfter,
  innerHash,
  issueReceipt,
  logLeaf,
  signEntry,
  statementDigest,
  verifyReceipt,
  type Head,
  type Receipt,
  type SignedEntry,
} from '../../../src/record/index.ts';
import { TupleReader, tuple, utf8 } from '../../../src/wire/index.ts';
import { flipped } from '../../mutation.ts';
import { Bank, BODY, ORIGIN, timeOf } from '../../record/fixture.ts';
import type { VectorCase, VectorFile } from '../file.ts';
import { hex } from '../hex.ts';
import { seededRandom } from './seed.ts';

/** A chain's end. */
export interface HeadJson {
  readonly size: number;
  readonly hash: string;
}

/** Who may write what: a role, a chain, and kinds. */
export interface RightJson {
  readonly role: string;
  readonly chain: string;
  readonly kinds: readonly string[];
}

/** What an entry says. */
export interface EntryJson {
  readonly origin: string;
  readonly recordId: string;
  readonly chain: string;
  readonly seq: number;
  readonly prev: string;
  readonly author: string;
  readonly kind: string;
  readonly time: number;
  readonly seenSize: number;
  readonly seenRoot: string;
  readonly payloadType: string;
  readonly payloadDigest: string;
}

/** What a receipt says. */
export interface ReceiptJson {
  readonly origin: string;
  readonly recordId: string;
  readonly chain: string;
  readonly request: { readonly data: string; readonly signature: string };
  readonly outcome: string;
  readonly entryHash: string;
  readonly seq: number;
  readonly prev: string;
  readonly leafIndex: number;
  readonly tree: { readonly size: number; readonly root: string };
  readonly time: number;
  readonly head: HeadJson;
}

/** What opens a leaf. */
export interface LeafJson {
  readonly recordId: string;
  readonly tagSalt: string;
  readonly chain: string;
  readonly seq: number;
  readonly time: number;
  readonly entryHash: string;
}

/** An entry in full, or as it stands before a reader who may not see it. */
export type ItemJson =
  { readonly signed: string } | { readonly seq: number; readonly prev: string; readonly inner: string };

interface ChainJson {
  readonly origin: string;
  readonly recordId: string;
  readonly chain: string;
  /** Credentials, the anchor's first. */
  readonly credentials: readonly string[];
  readonly rights: readonly RightJson[];
}

export type RecordCase = VectorCase &
  (
    | {
        readonly operation: 'entry';
        readonly signingSecret: string;
        readonly entry: EntryJson;
        readonly encoded: string;
        readonly signatureInput: string;
        readonly signature: string;
        readonly signed: string;
        readonly inner: string;
        readonly entryHash: string;
      }
    | { readonly operation: 'decode entry'; readonly signed: string }
    | ({
        readonly operation: 'verify chain';
        readonly from: HeadJson;
        readonly items: readonly ItemJson[];
        readonly hashes?: readonly string[];
        readonly head?: HeadJson;
      } & ChainJson)
    | ({
        readonly operation: 'append';
        readonly at: HeadJson;
        readonly signed: string;
        readonly head?: HeadJson;
      } & ChainJson)
    | {
        readonly operation: 'statement';
        readonly kind: string;
        readonly salt: string;
        readonly content: string;
        readonly payload: string;
        readonly digest: string;
      }
    | {
        readonly operation: 'read statement';
        readonly payload: string;
        readonly payloadType: string;
        readonly payloadDigest: string;
        readonly kind: string;
        readonly content?: string;
      }
    | {
        readonly operation: 'creation';
        readonly owner: string;
        readonly tagSalt: string;
        readonly content: string;
      }
    | ({ readonly operation: 'leaf'; readonly tag: string; readonly leaf: string } & LeafJson)
    | ({
        readonly operation: 'verify inclusion';
        readonly index: number;
        readonly size: number;
        readonly root: string;
        readonly proof: readonly string[];
      } & LeafJson)
    | {
        readonly operation: 'verify consistency';
        readonly older: { readonly size: number; readonly root: string };
        readonly newer: { readonly size: number; readonly root: string };
        readonly proof: readonly string[];
      }
    | {
        readonly operation: 'receipt';
        readonly signingSecret: string;
        readonly receipt: ReceiptJson;
        readonly body: string;
        readonly signature: string;
        readonly signed: string;
      }
    | {
        readonly operation: 'verify receipt';
        readonly signed: string;
        readonly anchor: string;
        readonly bank: string;
        readonly origin: string;
        readonly entryHash: string;
      }
  );

/** The rights of these vectors. */
export const RIGHTS: readonly RightJson[] = [
  { role: 'doctor', chain: 'content', kinds: ['create', 'insert'] },
  { role: 'patient', chain: 'content', kinds: ['grant'] },
  { role: 'bank', chain: 'access', kinds: ['access'] },
];

/** The file. */
export async function generate(): Promise<VectorFile<RecordCase>> {
  const bank = await (await Bank.open()).fill();
  return {
    description: 'Entries, chains, statements, log leaves and receipts, made and refused.',
    spec: 'spec/record.md',
    cases: [
      ...bank.taken.map((one) => entryCase(bank, one.signed)),
      ...decodeCases(bank),
      ...(await chainCases(bank)),
      ...(await appendCases(bank)),
      ...statementCases(bank),
      ...logCases(bank),
      ...(await receiptCases(bank)),
    ],
  };
}

const headJson = ({ size, hash }: Head): HeadJson => ({ size, hash: hex(hash) });
const treeJson = (tree: { size: number; root: Uint8Array }): { size: number; root: string } => ({
  size: tree.size,
  root: hex(tree.root),
});

function seedOf(identity: Identity): Uint8Array {
  return exposeSecret((identity as unknown as SoftwareKeys).signer.secret);
}

function entryCase(bank: Bank, signed: SignedEntry): RecordCase {
  const { entry } = signed;
  const author = bank.people.find(({ credential }) => hex(credential.id) === hex(entry.author)) ?? bank.bank;
  const encoded = TupleReader.labelled(encodeSignedEntry(signed), 'signed entry').bytes();
  return {
    name: `entry: ${entry.chain} ${entry.seq}, ${entry.kind}`,
    operation: 'entry',
    signingSecret: hex(seedOf(author)),
    entry: {
      origin: entry.origin,
      recordId: hex(entry.recordId),
      chain: entry.chain,
      seq: entry.seq,
      prev: hex(entry.prev),
      author: hex(entry.author),
      kind: entry.kind,
      time: entry.time,
      seenSize: entry.seenSize,
      seenRoot: hex(entry.seenRoot),
      payloadType: entry.payloadType,
      payloadDigest: hex(entry.payloadDigest),
    },
    encoded: hex(encoded),
    signatureInput: hex(entrySignatureInput(entry)),
    signature: hex(signed.signature),
    signed: hex(encodeSignedEntry(signed)),
    inner: hex(innerHash(signed)),
    entryHash: hex(hashEntry(signed)),
  };
}

function decodeCases(bank: Bank): RecordCase[] {
  const [first] = bank.items() as [SignedEntry];
  const e = first.entry;
  const items = [
    ...[e.origin, e.recordId, e.chain, e.seq, e.prev, e.author, e.kind, e.time, e.seenSize, e.seenRoot],
    ...[e.payloadType, e.payloadDigest],
  ];
  const encoded = (changes: object, label = 'entry'): Uint8Array =>
    tuple('signed entry', tuple(label, ...Object.assign([...items], changes)), first.signature);
  const bytes = encodeSignedEntry(first);
  const cases: [string, Uint8Array][] = [
    ['nothing', new Uint8Array(0)],
    ['a byte short', bytes.subarray(0, -1)],
    ['a byte more', new Uint8Array([...bytes, 0])],
    ['another label', encoded({}, 'entri')],
    ['an origin of 129 bytes', encoded({ 0: 'x'.repeat(129) })],
    ['a record id of 15 bytes', encoded({ 1: e.recordId.subarray(1) })],
    ['an unknown chain', encoded({ 2: 'contents' })],
    ['a sequence number past 2^53', encoded({ 3: new Uint8Array(8).fill(255) })],
    ['a predecessor of 31 bytes', encoded({ 4: e.prev.subarray(1) })],
    ['an unknown kind', encoded({ 6: 'delete' })],
    ['a thirteenth item', encoded({ 12: '' })],
    ['a signature of 63 bytes', tuple('signed entry', tuple('entry', ...items), first.signature.subarray(1))],
    ['a third part', tuple('signed entry', tuple('entry', ...items), first.signature, '')],
    ['more than 5376 bytes', tuple('signed entry', new Uint8Array(5376), first.signature)],
  ];
  return cases.map(([name, signed]) => ({
    name: `decode entry: ${name}`,
    operation: 'decode entry',
    signed: hex(signed),
    error: 'RECORD_ENTRY',
  }));
}

function chainJson(bank: Bank, changes: Partial<ChainJson> = {}): ChainJson {
  return {
    origin: ORIGIN,
    recordId: hex(bank.recordId),
    chain: 'content',
    credentials: bank.people.map(({ credential }) => hex(credential.encoded)),
    rights: RIGHTS,
    ...changes,
  };
}

const shown = (signed: SignedEntry): ItemJson => ({ signed: hex(encodeSignedEntry(signed)) });
const hidden = (signed: SignedEntry): ItemJson => ({
  seq: signed.entry.seq,
  prev: hex(signed.entry.prev),
  inner: hex(innerHash(signed)),
});
const EMPTY: HeadJson = { size: 0, hash: '00'.repeat(32) };

async function chainCases(bank: Bank): Promise<RecordCase[]> {
  const items = bank.items();
  const [a, b, c, d] = items as [SignedEntry, SignedEntry, SignedEntry, SignedEntry];
  const good = (name: string, list: readonly ItemJson[], from = EMPTY, skip = 0): RecordCase => ({
    name: `verify chain: ${name}`,
    operation: 'verify chain',
    ...chainJson(bank),
    from,
    items: list,
    hashes: items.slice(skip).map((one) => hex(hashEntry(one))),
    head: headJson(bank.heads.content),
  });
  const bad = (
    name: string,
    error: ErrorCode,
    list: readonly ItemJson[],
    changes: Partial<ChainJson> & { from?: HeadJson } = {},
  ): RecordCase => ({
    name: `verify chain: ${name}`,
    operation: 'verify chain',
    ...chainJson(bank),
    from: EMPTY,
    ...changes,
    items: list,
    error,
  });
  const all = items.map(shown);
  const access: RecordCase = {
    ...good('the access chain', bank.items('access').map(shown)),
    ...chainJson(bank, { chain: 'access' }),
    hashes: bank.items('access').map((one) => hex(hashEntry(one))),
    head: headJson(bank.heads.access),
  } as RecordCase;
  const forged = await signEntry(bank.doctor, headAfter(d), bank.draft('grant', utf8('')));
  const late = await signEntry(
    bank.doctor,
    headAfter(d),
    bank.draft('insert', utf8(''), { time: bank.doctor.credential.notAfter + 1 }),
  );
  const posing = { ...d, entry: { ...d.entry, author: bank.patient.credential.id } };
  return [
    good('from its start', all),
    good('with two entries hidden', [shown(a), hidden(b), shown(c), hidden(d)]),
    good('all hidden', items.map(hidden)),
    good('from a head verified before', [shown(c), shown(d)], headJson(headAfter(b)), 2),
    access,
    bad('another origin', 'RECORD_ENTRY', all, { origin: 'other.example/log' }),
    bad('another record', 'RECORD_ENTRY', all, { recordId: '00'.repeat(16) }),
    bad('another chain', 'RECORD_ENTRY', all, { chain: 'access' }),
    bad('an entry dropped', 'RECORD_LINK', [shown(a), shown(c), shown(d)]),
    bad('the first entry dropped', 'RECORD_LINK', [shown(b), shown(c), shown(d)]),
    bad('two entries exchanged', 'RECORD_LINK', [shown(a), shown(c), shown(b), shown(d)]),
    bad('an entry twice', 'RECORD_LINK', [shown(a), shown(b), shown(b)]),
    bad('from another head', 'RECORD_LINK', [shown(c), shown(d)], { from: headJson(headAfter(a)) }),
    bad('a hidden entry of another content', 'RECORD_LINK', [
      shown(a),
      { ...hidden(b), inner: hex(innerHash(c)) },
      shown(c),
    ]),
    bad('a hidden entry of another place', 'RECORD_LINK', [shown(a), { ...hidden(b), seq: 2 }]),
    bad('an unknown author', 'RECORD_AUTHOR', all, { credentials: chainJson(bank).credentials.slice(0, 2) }),
    bad('a signature changed', 'RECORD_AUTHOR', [shown({ ...a, signature: flipped(a.signature, 0) })]),
    bad('an entry changed', 'RECORD_AUTHOR', [
      shown({ ...a, entry: { ...a.entry, time: a.entry.time + 1 } }),
    ]),
    bad('another author named', 'RECORD_AUTHOR', [shown(a), shown(b), shown(c), shown(posing)]),
    bad('an author after its credential ended', 'RECORD_AUTHOR', [...all, shown(late)]),
    bad('an author without the right', 'RECORD_RIGHT', [...all, shown(forged)]),
  ];
}

async function appendCases(bank: Bank): Promise<RecordCase[]> {
  const draft = bank.draft('insert', utf8('x'), { payloadType: BODY });
  const at = bank.heads.content;
  const next = await signEntry(bank.doctor, at, draft);
  const after = headAfter(next);
  const append = (name: string, signed: SignedEntry, head: Head, error?: ErrorCode): RecordCase => ({
    name: `append: ${name}`,
    operation: 'append',
    ...chainJson(bank),
    at: headJson(head),
    signed: hex(encodeSignedEntry(signed)),
    ...(error === undefined ? { head: headJson(headAfter(signed)) } : { error }),
  });
  const second = await signEntry(bank.doctor, at, { ...draft, time: draft.time + 1 });
  const forked = await signEntry(bank.doctor, { ...after, hash: new Uint8Array(32) }, draft);
  const ahead = await signEntry(bank.doctor, { ...after, size: after.size + 1 }, draft);
  const elsewhere = await signEntry(bank.doctor, at, { ...draft, origin: 'other.example/log' });
  const foreign = await signEntry(bank.patient, at, draft);
  return [
    append('at the head', next, at),
    append('over the head before', second, after, 'RECORD_STALE'),
    append('a second time', next, after, 'RECORD_STALE'),
    append('over another head of this length', forked, after, 'RECORD_STALE'),
    append('over a head not reached', ahead, after, 'RECORD_LINK'),
    append('of another bank', elsewhere, at, 'RECORD_ENTRY'),
    append('signature changed', { ...next, signature: flipped(next.signature, 63) }, at, 'RECORD_AUTHOR'),
    append('without the right', foreign, at, 'RECORD_RIGHT'),
  ];
}

function statementCases(bank: Bank): RecordCase[] {
  const random = seededRandom('record statement');
  const salt = random(32);
  const content = utf8('treated until 2026-03');
  const payload = encodeStatement({ kind: 'note', content }, () => salt);
  const digest = statementDigest(payload);
  const read = (
    name: string,
    bytes: Uint8Array,
    other: { type?: string; digest?: Uint8Array; kind?: string } = {},
  ): RecordCase => ({
    name: `read statement: ${name}`,
    operation: 'read statement',
    payload: hex(bytes),
    payloadType: other.type ?? 'statement',
    payloadDigest: hex(other.digest ?? digest),
    kind: other.kind ?? 'note',
    error: 'RECORD_PAYLOAD',
  });
  const malformed = [
    ['a salt of 31 bytes', tuple('statement', 'note', salt.subarray(1), content)],
    ['a fourth part', tuple('statement', 'note', salt, content, '')],
    ['another label', tuple('statment', 'note', salt, content)],
    ['a kind of 129 bytes', tuple('statement', 'x'.repeat(129), salt, content)],
  ] as const;
  const owner = bank.patient.credential.id;
  return [
    {
      name: 'statement: under its salt',
      operation: 'statement',
      kind: 'note',
      salt: hex(salt),
      content: hex(content),
      payload: hex(payload),
      digest: hex(digest),
    },
    {
      name: 'read statement: as signed',
      operation: 'read statement',
      payload: hex(payload),
      payloadType: 'statement',
      payloadDigest: hex(digest),
      kind: 'note',
      content: hex(content),
    },
    read('another digest', payload, { digest: new Uint8Array(32) }),
    read('another kind', payload, { kind: 'other' }),
    read('another type', payload, { type: BODY }),
    read('a type that languages know', payload, { type: 'constructor' }),
    read('content changed', flipped(payload, payload.length - 1)),
    ...malformed.map(([name, bytes]) => read(name, bytes, { digest: sha256(bytes) })),
    {
      name: 'creation: owner and salt',
      operation: 'creation',
      owner: hex(owner),
      tagSalt: hex(bank.tagSalt),
      content: hex(encodeCreation({ owner, tagSalt: bank.tagSalt })),
    },
  ];
}

function logCases(bank: Bank): RecordCase[] {
  const size = bank.log.size;
  const root = bank.log.root();
  const leafOf = (index: number): { opening: Parameters<typeof logLeaf>[0]; json: LeafJson } => {
    const opening = bank.opening((bank.taken[index] ?? bank.taken[0])!.signed, timeOf(index));
    const { recordId, tagSalt, chain, seq, time, entryHash } = opening;
    const json = {
      recordId: hex(recordId),
      tagSalt: hex(tagSalt),
      chain,
      seq,
      time,
      entryHash: hex(entryHash),
    };
    return { opening, json };
  };
  const leaves = bank.taken.map((_, index): RecordCase => {
    const { opening, json } = leafOf(index);
    const { recordId, tagSalt, chain, seq } = opening;
    return {
      name: `leaf: ${index}`,
      operation: 'leaf',
      ...json,
      tag: hex(hashTuple('log tag', recordId, tagSalt, chain, seq)),
      leaf: hex(logLeaf(opening)),
    };
  });
  const inclusion = (
    name: string,
    changes: Partial<LeafJson & { index: number; size: number; root: string; proof: readonly string[] }> = {},
    error: ErrorCode | null = 'RECORD_INCLUSION',
    index = 2,
  ): RecordCase => ({
    name: `verify inclusion: ${name}`,
    operation: 'verify inclusion',
    ...leafOf(index).json,
    index,
    size,
    root: hex(root),
    proof: bank.log.inclusion(index).map(hex),
    ...changes,
    ...(error === null ? {} : { error }),
  });
  const proof = bank.log.inclusion(2).map(hex);
  const consistency = (
    name: string,
    sizes: readonly [number, number],
    changes: object = {},
    error?: ErrorCode,
  ): RecordCase => ({
    name: `verify consistency: ${name}`,
    operation: 'verify consistency',
    older: { size: sizes[0], root: hex(bank.log.root(sizes[0])) },
    newer: { size: sizes[1], root: hex(bank.log.root(sizes[1])) },
    proof: (sizes[0] <= sizes[1] ? bank.log.consistency(...sizes) : []).map(hex),
    ...changes,
    ...(error === undefined ? {} : { error }),
  });
  const refused = 'RECORD_CONSISTENCY';
  return [
    ...leaves,
    ...bank.taken.map((_, index) => inclusion(`leaf ${index} of ${size}`, {}, null, index)),
    inclusion('another index', { index: 3 }),
    inclusion('an index outside', { index: 6 }),
    inclusion('a size with a longer path', { size: 9 }),
    inclusion('another root', { root: '00'.repeat(32) }),
    inclusion('a hash too few', { proof: proof.slice(1) }),
    inclusion('a hash too many', { proof: [...proof, '00'.repeat(32)] }),
    inclusion('a hash of 31 bytes', { proof: [proof[0]!.slice(2), ...proof.slice(1)] }),
    inclusion('hashes in another order', { proof: [...proof].reverse() }),
    inclusion('another time', { time: 0 }),
    inclusion('another tag salt', { tagSalt: '00'.repeat(32) }),
    inclusion('another entry', { entryHash: '00'.repeat(32) }),
    consistency('3 to 6', [3, 6]),
    consistency('4 to 6', [4, 6]),
    consistency('0 to 6', [0, 6]),
    consistency('6 to 6', [6, 6]),
    consistency(
      'another root of the same size',
      [6, 6],
      { older: { size: 6, root: '00'.repeat(32) } },
      refused,
    ),
    consistency('an older root changed', [3, 6], { older: { size: 3, root: '00'.repeat(32) } }, refused),
    consistency('a newer root changed', [3, 6], { newer: { size: 6, root: '00'.repeat(32) } }, refused),
    consistency('without a proof', [3, 6], { proof: [] }, refused),
    consistency('from newer to older', [6, 3], {}, refused),
    consistency('a proof too many', [6, 6], { proof: ['00'.repeat(32)] }, refused),
    consistency(
      'an empty log of another root',
      [0, 6],
      { older: { size: 0, root: '00'.repeat(32) } },
      refused,
    ),
  ];
}

async function receiptCases(bank: Bank): Promise<RecordCase[]> {
  const [, taken] = bank.taken as [unknown, Bank['taken'][0]];
  const { entryHash } = bank.opening(taken.signed, 0);
  const receipt = verifyReceipt(taken.receipt, bank.bank.credential, { origin: ORIGIN, entryHash });
  const outer = TupleReader.labelled(taken.receipt, 'signed receipt');
  const [body, signature] = [outer.bytes(), outer.bytes()];
  const verify = (name: string, signed: Uint8Array, changes: object = {}, error?: ErrorCode): RecordCase => ({
    name: `verify receipt: ${name}`,
    operation: 'verify receipt',
    signed: hex(signed),
    anchor: hex(bank.anchor.credential.encoded),
    bank: hex(bank.bank.credential.encoded),
    origin: ORIGIN,
    entryHash: hex(entryHash),
    ...changes,
    ...(error === undefined ? {} : { error }),
  });
  const refused = 'RECORD_RECEIPT';
  const unsigned = (label: string, bytes: Uint8Array): Promise<Uint8Array> =>
    bank.bank.signer.sign(bytes).then((own) => tuple(label, bytes, own));
  return [
    {
      name: 'receipt: of an insertion',
      operation: 'receipt',
      signingSecret: hex(seedOf(bank.bank)),
      receipt: receiptJson(receipt),
      body: hex(body),
      signature: hex(signature),
      signed: hex(taken.receipt),
    },
    verify('as signed', taken.receipt),
    verify('of another bank', taken.receipt, { bank: hex(bank.doctor.credential.encoded) }, refused),
    verify('of another origin', taken.receipt, { origin: 'other.example/log' }, refused),
    verify('of another entry', taken.receipt, { entryHash: '00'.repeat(32) }, refused),
    verify('changed', flipped(taken.receipt, 40), {}, refused),
    verify('a byte short', taken.receipt.subarray(0, -1), {}, refused),
    verify('another outer label', await unsigned('signed recipt', body), {}, refused),
    verify('another label', await unsigned('signed receipt', tuple('entry', body)), {}, refused),
    verify(
      'an unknown chain',
      await issueReceipt(bank.bank.signer, { ...receipt, chain: 'contents' as 'content' }),
      {},
      refused,
    ),
    verify(
      'a record id of 15 bytes',
      await issueReceipt(bank.bank.signer, { ...receipt, recordId: new Uint8Array(15) }),
      {},
      refused,
    ),
  ];
}

function receiptJson(receipt: Receipt): ReceiptJson {
  return {
    origin: receipt.origin,
    recordId: hex(receipt.recordId),
    chain: receipt.chain,
    request: { data: hex(receipt.request.data), signature: hex(receipt.request.signature) },
    outcome: receipt.outcome,
    entryHash: hex(receipt.entryHash),
    seq: receipt.seq,
    prev: hex(receipt.prev),
    leafIndex: receipt.leafIndex,
    tree: treeJson(receipt.tree),
    time: receipt.time,
    head: headJson(receipt.head),
  };
}
