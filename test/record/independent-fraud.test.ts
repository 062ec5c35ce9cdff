/**
 * A checker of test/vectors/fraud.json that shares no code with src: it judges every file again on node:crypto alone,
 * from the words of spec/evidence.md, and finds what they state.
 */

import { createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { H, parts, T, unhexed } from '../tuple.ts';
import { casesOf, readVectors } from '../vectors/file.ts';
import type { FraudCase } from '../vectors/generators/fraud.ts';

const file = readVectors<FraudCase>('fraud');

class ProvesNothing extends Error {}
/** This file proves nothing. */
const no = (): never => {
  throw new ProvesNothing();
};
const demand = (holds: boolean): void => {
  if (!holds) no();
};

function signed(key: Buffer, message: Buffer, signature: Buffer): boolean {
  const der = Buffer.concat([unhexed('302a300506032b6570032100'), key]);
  return verify(null, message, createPublicKey({ key: der, format: 'der', type: 'spki' }), signature);
}

const number = (part: Buffer): number => Number(part.readBigUInt64BE());
/** The parts of a tuple with this label. */
function open(bytes: Buffer, label: string, count: number): Buffer[] {
  const [name, ...rest] = parts(bytes);
  demand(name?.toString() === `muniment/1 ${label}` && rest.length === count);
  return rest;
}

interface Credential {
  id: Buffer;
  issuer: Buffer;
  key: Buffer;
  from: number;
  to: number;
}
function credential(encoded: Buffer, anchor: Credential | null): Credential {
  const [body, signature] = open(encoded, 'signed credential', 2) as [Buffer, Buffer];
  const all = parts(body);
  const [, key] = parts(all[3]!) as [Buffer, Buffer];
  const [from, to] = [number(all[4]!), number(all[5]!)];
  const one = { id: H(body), issuer: all[7]!, key, from, to };
  demand(anchor === null || one.issuer.equals(anchor.id));
  demand(signed((anchor ?? one).key, T('credential signature', body), signature));
  return one;
}

function statement(encoded: Buffer, author: Credential): Buffer {
  const [id, body, signature] = open(encoded, 'signed statement', 3) as [Buffer, Buffer, Buffer];
  demand(id.equals(author.id) && signed(author.key, T('statement signature', id, body), signature));
  return body;
}

interface Word {
  /** Record and chain. */
  chain: string;
  recordId: Buffer;
  size: number;
  head: Buffer;
  tree: { size: number; root: Buffer };
  time: number;
  took: { hash: Buffer; seq: number; prev: Buffer; index: number } | null;
}

/** The judge of one file. */
class Judge {
  readonly anchor: Credential;
  readonly bank: Credential;
  readonly logKey: Buffer;
  readonly origin: string;
  readonly evidence: Record<string, unknown>;
  readonly kind: string;

  constructor(text: string, anchorId: string, origin: string) {
    const value = json(text);
    const { format, kind, anchor, bank, charter, evidence } = value as Record<string, string> & {
      evidence: Record<string, unknown>;
    };
    demand(format === 'muniment fraud 1' && JSON.stringify(value) === text);
    demand(Object.keys(value).join() === 'format,kind,anchor,bank,charter,evidence');
    [this.kind, this.origin, this.evidence] = [kind!, origin, evidence];
    this.anchor = credential(Buffer.from(anchor!, 'base64url'), null);
    demand(this.anchor.id.toString('hex') === anchorId && this.anchor.issuer.equals(Buffer.alloc(32)));
    this.bank = credential(Buffer.from(bank!, 'base64url'), this.anchor);
    const [stated, id, key] = open(statement(Buffer.from(charter!, 'base64url'), this.anchor), 'charter', 4);
    demand(stated!.toString() === origin && id!.equals(this.bank.id));
    this.logKey = key!;
  }

  bytes(name: string): Buffer {
    return Buffer.from(this.evidence[name] as string, 'base64url');
  }

  word(name: string): Word {
    const encoded = this.bytes(name);
    const isHead = parts(encoded)[0]?.toString() === 'muniment/1 signed head';
    const [body, signature] = open(encoded, isHead ? 'signed head' : 'signed receipt', 2) as [Buffer, Buffer];
    demand(signed(this.bank.key, body, signature));
    const p = open(body, isHead ? 'head' : 'receipt', isHead ? 8 : 15);
    demand(p[0]!.toString() === this.origin);
    const of = { chain: `${p[1]!.toString('hex')} ${p[2]!.toString()}`, recordId: p[1]! };
    if (isHead) {
      const tree = { size: number(p[5]!), root: p[6]! };
      return { ...of, size: number(p[3]!), head: p[4]!, tree, time: number(p[7]!), took: null };
    }
    demand(p[5]!.toString() === 'accepted');
    return {
      ...{ ...of, size: number(p[13]!), head: p[14]!, time: number(p[12]!) },
      tree: { size: number(p[10]!), root: p[11]! },
      took: { hash: p[6]!, seq: number(p[7]!), prev: p[8]!, index: number(p[9]!) },
    };
  }

  receipt(name: string): Word & { took: NonNullable<Word['took']> } {
    const word = this.word(name);
    return { ...word, took: word.took ?? no() };
  }

  tree(name: string): Word['tree'] {
    const text = this.evidence[name] as string;
    if (!text.includes('\n')) return this.word(name).tree;
    const [body = '', lines = ''] = text.split('\n\n');
    const [origin, size, root = ''] = body.split('\n');
    const [, , line = ''] = lines.trim().split(' ');
    demand(
      origin === this.origin &&
        signed(this.logKey, Buffer.from(`${body}\n`), Buffer.from(line, 'base64').subarray(4)),
    );
    return { size: Number(size), root: Buffer.from(root, 'base64') };
  }

  leaf(leaf: string, index: number, proof: string, tree: Word['tree']): Buffer {
    const hashes = (this.evidence[proof] as string[]).map((one) => Buffer.from(one, 'base64url'));
    demand(index < tree.size && climb(this.bytes(leaf), index, tree.size, hashes).equals(tree.root));
    return this.bytes(leaf);
  }

  /** An entry: its parts, its hash, the signature. */
  entry(name: string): { p: Buffer[]; hash: Buffer; encoded: Buffer; signature: Buffer } {
    const [encoded, signature] = open(this.bytes(name), 'signed entry', 2) as [Buffer, Buffer];
    const p = open(encoded, 'entry', 12);
    const inner = H(T('entry inner', encoded, signature));
    const hash = H(T('entry hash', p[1]!, p[2]!, p[3]!, p[4]!, inner));
    return { p, hash, encoded, signature };
  }

  /** An entry that a receipt took, where the receipt says that it stands. */
  taken(name: string, receipt: string): { p: Buffer[]; word: ReturnType<Judge['receipt']> } {
    const [{ p, hash }, word] = [this.entry(name), this.receipt(receipt)];
    demand(hash.equals(word.took.hash) && this.stands(p, word));
    return { p, word };
  }

  stands(p: Buffer[], { chain, took }: ReturnType<Judge['receipt']>): boolean {
    const there =
      p[0]!.toString() === this.origin && `${p[1]!.toString('hex')} ${p[2]!.toString()}` === chain;
    return there && number(p[3]!) === took.seq && p[4]!.equals(took.prev);
  }

  /** The content of an entry's statement of this kind. */
  content(p: Buffer[], name: string, kind: string): Buffer {
    demand(p[10]!.toString() === 'statement' && p[11]!.equals(H(this.bytes(name))));
    const [stated, , content] = open(this.bytes(name), 'statement', 3) as [Buffer, Buffer, Buffer];
    demand(stated.toString() === kind);
    return content;
  }

  author(p: Buffer[]): Credential {
    const author = credential(this.bytes('author'), this.anchor);
    demand(author.id.equals(p[5]!));
    return author;
  }
}

function json(text: string): object {
  try {
    return JSON.parse(text) as object;
  } catch {
    return no();
  }
}

function climb(leaf: Buffer, index: number, size: number, proof: readonly Buffer[]): Buffer {
  if (size === 1) return proof.length === 0 ? H(Buffer.of(0), leaf) : no();
  let k = 1;
  while (2 * k < size) k *= 2;
  const [rest, sibling] = [proof.slice(0, -1), proof.at(-1) ?? no()];
  return index < k
    ? H(Buffer.of(1), climb(leaf, index, k, rest), sibling)
    : H(Buffer.of(1), sibling, climb(leaf, index - k, size - k, rest));
}

const places = ({ size, head, took }: Word): [number, Buffer][] =>
  (
    [
      [size - 1, head],
      ...(took
        ? [
            [took.seq, took.hash],
            [took.seq - 1, took.prev],
          ]
        : []),
    ] as [number, Buffer][]
  ).filter(([seq]) => seq >= 0);

const TABLE: Record<string, (judge: Judge) => boolean> = {
  'two places': (judge) => {
    const [a, b] = [judge.word('first'), judge.word('second')];
    const one = a.chain === b.chain;
    const hashes = places(a).some(([seq, hash]) =>
      places(b).some(([at, other]) => at === seq && !hash.equals(other)),
    );
    if (one && hashes) return true;
    if (a.took === null || b.took === null) return false;
    if (one && a.took.seq === b.took.seq && a.took.index !== b.took.index) return true;
    return a.took.index === b.took.index && !a.took.hash.equals(b.took.hash);
  },
  'two roots': (judge) => {
    const [a, b] = [judge.tree('first'), judge.tree('second')];
    return a.size === b.size && !a.root.equals(b.root);
  },
  'two leaves': (judge) => {
    const index = judge.evidence['index'] as number;
    const a = judge.leaf('firstLeaf', index, 'firstProof', judge.tree('first'));
    return !a.equals(judge.leaf('secondLeaf', index, 'secondProof', judge.tree('second')));
  },
  'other leaf': (judge) => {
    const { took, recordId, chain, time } = judge.receipt('receipt');
    const { p } = judge.taken('creation', 'creationReceipt');
    demand(
      p[1]!.equals(recordId) &&
        p[2]!.toString() === 'content' &&
        number(p[3]!) === 0 &&
        p[6]!.toString() === 'create',
    );
    const [, salt] = open(judge.content(p, 'creationPayload', 'create'), 'creation', 2);
    const tag = H(T('log tag', recordId, salt!, chain.split(' ')[1]!, took.seq));
    const leaf = judge.leaf('leaf', took.index, 'proof', judge.tree('tree'));
    return !leaf.equals(H(T('log leaf', tag, time, took.hash)));
  },
  'cut tail': (judge) => {
    const [a, b] = [judge.word('first'), judge.word('second')];
    if (a.chain !== b.chain || b.took !== null) return false;
    if (a.took !== null) return b.tree.size > a.took.index && b.size <= a.took.seq;
    return a.tree.size <= b.tree.size && a.size > b.size;
  },
  'out of order': (judge) => {
    const words = [judge.word('first'), judge.word('second')] as const;
    const backwards = (a: Word, b: Word): boolean => {
      // Leaves that were there at either word, the entry's own not counted.
      const sizeAt = ({ took, tree }: Word): number => (took === null ? tree.size : took.index + 1);
      const earlier = b.took === null && a.took !== null ? a.took.index < b.tree.size : sizeAt(a) < sizeAt(b);
      if (earlier && a.time > b.time) return true;
      if (a.chain !== b.chain || a.took === null) return false;
      if (b.took !== null) return a.took.seq < b.took.seq && a.took.index > b.took.index;
      return b.size > a.took.seq && b.tree.size <= a.took.index;
    };
    return backwards(words[0], words[1]) || backwards(words[1], words[0]);
  },
  'after revocation': (judge) => {
    const word = judge.receipt('receipt');
    const { p, hash } = judge.entry('entry');
    demand(hash.equals(word.took.hash));
    const author = judge.author(p);
    const heard = judge.taken('revocation', 'revocationReceipt');
    demand(heard.p[1]!.equals(H(T('bank directory', judge.origin)).subarray(0, 16)));
    demand(heard.p[2]!.toString() === 'content' && heard.p[6]!.toString() === 'revoke');
    const own = heard.p[5]!.equals(author.id);
    const content = judge.content(heard.p, 'revocationPayload', own ? 'renunciation' : 'revocation');
    const body = statement(content, own ? author : judge.anchor);
    const said = open(body, own ? 'renunciation' : 'revocation', own ? 1 : 4);
    const from = Math.max(heard.word.time, own ? 0 : number(said[2]!));
    return said[0]!.equals(author.id) && heard.word.took.index < word.took.index && word.time >= from;
  },
  'bad entry': (judge) => {
    const word = judge.receipt('receipt');
    const { p, hash, encoded, signature } = judge.entry('entry');
    demand(hash.equals(word.took.hash));
    const { key, from, to } = judge.author(p);
    const valid = word.time >= from && word.time <= to;
    return !judge.stands(p, word) || !valid || !signed(key, T('entry signature', encoded), signature);
  },
};

describe('every file, judged again', () => {
  it.each(casesOf(file, 'judge'))('$name', (one) => {
    const verdict = (): [string, string] | null => {
      try {
        const judge = new Judge(one.file, one.anchorId, one.origin);
        const convicts = TABLE[judge.kind]?.(judge) ?? no();
        return convicts ? [judge.kind, judge.bank.id.toString('hex')] : null;
      } catch (error) {
        if (error instanceof ProvesNothing) return null;
        throw error;
      }
    };
    expect(verdict()).toEqual(one.error === undefined ? [one.kind, one.bank] : null);
  });

  it('has a conviction of each kind', () => {
    const kinds = casesOf(file, 'judge').flatMap(({ kind }) => kind ?? []);
    expect(kinds.sort()).toEqual(Object.keys(TABLE).sort());
  });
});

describe('head statements', () => {
  it.each(casesOf(file, 'head'))('$name', ({ statement: s, ...one }) => {
    const body = T(
      'head',
      ...[s.origin, unhexed(s.recordId), s.chain, s.head.size, unhexed(s.head.hash)],
      ...[s.tree.size, unhexed(s.tree.root), s.time],
    );
    expect(body.toString('hex')).toBe(one.body);
    expect(T('signed head', body, unhexed(one.signature)).toString('hex')).toBe(one.signed);
  });
});
