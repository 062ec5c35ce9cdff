/**
 * A checker of test/vectors/export.json that shares no code with src: it verifies every export again on node:crypto
 * and noble's ML-DSA alone, from the words of spec/export.md; finds what the good ones state, and refuses the others.
 */

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { H, list, parts, T, type Item } from '../tuple.ts';
import { casesOf, readVectors } from '../vectors/file.ts';
import type {
  EstablishedJson,
  ExportCase,
  ExportEntryJson,
  ExportResultJson,
  ExportRulesJson,
} from '../vectors/generators/export.ts';
import type { LogJson } from '../vectors/generators/log.ts';
import {
  bytesOf,
  climb,
  credentialOf,
  demand,
  establish,
  no,
  number,
  open,
  signed,
  statementOf,
  type Credential,
} from './independent-export.ts';

const file = readVectors<ExportCase>('export');
const ZERO = Buffer.alloc(32);
const MEMBERS = 'access,charters,checkpoint,content,credentials,directory,format,origin,recordId,renewals';

interface EntryText {
  entry: string;
  payload: string | null;
  digests: { algorithm: string; digest: string }[];
  opened: string | null;
  receipt: string;
  proof: string[];
}
interface ExportText {
  format: string;
  origin: string;
  recordId: string;
  charters: string[];
  credentials: string[];
  content: EntryText[];
  access: EntryText[];
  directory: { recordId: string; tagSalt: string; entries: EntryText[] } | null;
  checkpoint: string;
  renewals: { algorithm: string; origin: string; index: number; proof: string[]; checkpoint: string }[];
}

interface Receipt {
  bank: Credential;
  index: number;
  time: number;
  tree: { size: number; root: Buffer };
  head: { size: number; hash: Buffer };
}
interface Entry {
  seq: number;
  author: Credential;
  kind: string;
  type: string;
  digest: Buffer;
  hash: Buffer;
  payload: Buffer | null;
  receipt: Receipt;
}
interface Revocation {
  of: string;
  doubtfulFrom: number;
  revokedFrom: number;
  index: number;
}

const sha512 = (bytes: Buffer): Buffer => createHash('sha512').update(bytes).digest();
const keysOf = (value: object): string => Object.keys(value).sort().join();

function read(text: string): ExportText {
  let value: ExportText;
  try {
    value = JSON.parse(text) as ExportText;
  } catch {
    return no();
  }
  // A member twice does not come back.
  demand(JSON.stringify(value) === text && value.format === 'muniment export 3');
  demand(keysOf(value) === MEMBERS && typeof value.checkpoint === 'string');
  for (const one of [...value.content, ...value.access, ...(value.directory?.entries ?? [])]) {
    demand(keysOf(one) === 'digests,entry,opened,payload,proof,receipt' && one.proof.length <= 64);
    const algorithms = one.digests.map(({ algorithm }) => algorithm);
    demand(
      new Set(algorithms).size === algorithms.length && (one.payload === null || algorithms.length === 0),
    );
  }
  return value;
}

/** The verifier of one export. */
class Verifier {
  readonly #text: ExportText;
  readonly #rules: ExportRulesJson;
  readonly #known = new Map<string, Credential>();
  readonly #anchor: Credential;
  readonly #banks: Credential[];
  readonly #tree: EstablishedJson;
  readonly #receipts: Receipt[] = [];
  readonly #revocations: Revocation[] = [];
  #tagSalt: Buffer = ZERO;
  #owner = '';

  constructor(text: string, rules: ExportRulesJson) {
    this.#text = read(text);
    this.#rules = rules;
    demand(this.#text.origin === rules.origin);
    const [first, ...others] = this.#text.credentials.map(bytesOf);
    this.#anchor = credentialOf(first ?? no(), null);
    demand(this.#anchor.id.toString('hex') === rules.anchorId);
    for (const one of [this.#anchor, ...others.map((bytes) => credentialOf(bytes, this.#anchor))])
      this.#known.set(one.id.toString('hex'), one);
    const charters = this.#text.charters.map((one) => this.#charter(bytesOf(one)));
    const last = charters.at(-1) ?? no();
    this.#banks = charters.map(({ bank }) => bank);
    this.#tree = establish(this.#text.checkpoint, last.log, rules.witnesses);
  }

  result(): ExportResultJson {
    const renewals = this.#text.renewals.map((one, i) => ({ origin: one.origin, tree: this.#renewal(i) }));
    this.#directory();
    const [content, access] = [this.#chain('content'), this.#chain('access')];
    demand(content.entries.length > 0);
    const inLog = [...this.#receipts].sort((a, b) => a.index - b.index);
    demand(inLog.every(({ time }, i) => i === 0 || time >= inLog[i - 1]!.time));
    const roots = new Map([[this.#tree.size, this.#tree.root]]);
    for (const { tree } of inLog) {
      const root = tree.root.toString('hex');
      demand(tree.size <= this.#tree.size && (roots.get(tree.size) ?? root) === root);
      roots.set(tree.size, root);
    }
    const erased = erasures(content.entries);
    const say = (chain: 'content' | 'access', entries: Entry[]): ExportEntryJson[] =>
      entries.map((one, i) => this.#entryJson(one, this.#text[chain][i]!, chain, erased));
    return {
      owner: this.#owner,
      bank: this.#banks.at(-1)!.id.toString('hex'),
      heads: { content: content.head, access: access.head },
      tree: this.#tree,
      content: say('content', content.entries),
      access: say('access', access.entries),
      renewals,
    };
  }

  #charter(encoded: Buffer): { bank: Credential; log: LogJson } {
    const [origin, bank, ed25519, mlDsa44] = open(statementOf(encoded, this.#anchor), 'charter', 4) as Four;
    demand(origin.toString() === this.#text.origin);
    const credential = this.#known.get(bank.toString('hex')) ?? no();
    demand(credential.roles.includes('bank'));
    const second = mlDsa44.length === 0 ? null : mlDsa44.toString('hex');
    const log = { origin: this.#text.origin, ed25519: ed25519.toString('hex'), mlDsa44: second };
    return { bank: credential, log };
  }

  #renewal(i: number): EstablishedJson | null {
    const { algorithm, origin, index, proof, checkpoint } = this.#text.renewals[i]!;
    const trusted = this.#rules.renewalLogs.find(({ log }) => log.origin === origin);
    if (trusted === undefined) return null;
    demand(algorithm === 'SHA-512');
    const tree = establish(checkpoint, trusted.log, trusted.witnesses);
    demand(
      climb(renewalLeaf(this.#text, i), index, tree.size, proof.map(bytesOf)).toString('hex') === tree.root,
    );
    return tree;
  }

  #directory(): void {
    const { directory, origin } = this.#text;
    if (directory === null) return;
    const id = bytesOf(directory.recordId);
    demand(id.equals(H(T('bank directory', origin)).subarray(0, 16)));
    let after = -1;
    for (const text of directory.entries) {
      const at = { recordId: id, chain: 'content', seq: null, prev: null } as const;
      const entry = this.#entry(text, at, bytesOf(directory.tagSalt), after);
      after = entry.receipt.index;
      demand(entry.kind === 'revoke' && entry.payload !== null);
      this.#revocations.push(this.#revocation(entry, entry.payload!));
    }
  }

  #revocation({ author, digest, receipt }: Entry, payload: Buffer): Revocation {
    demand(H(payload).equals(digest));
    const [kind, , content] = open(payload, 'statement', 3) as Three;
    const heard = { index: receipt.index };
    if (kind.toString() === 'renunciation') {
      const [of] = open(statementOf(content, author), 'renunciation', 1) as [Buffer];
      demand(of.equals(author.id));
      return { of: of.toString('hex'), doubtfulFrom: receipt.time, revokedFrom: receipt.time, ...heard };
    }
    demand(kind.toString() === 'revocation');
    const [of, , revokedAt, doubtfulFrom] = open(statementOf(content, this.#anchor), 'revocation', 4) as Four;
    // A revocation ends nothing before it was heard.
    const revokedFrom = Math.max(number(revokedAt), receipt.time);
    return { of: of.toString('hex'), doubtfulFrom: number(doubtfulFrom), revokedFrom, ...heard };
  }

  #chain(chain: 'content' | 'access'): { entries: Entry[]; head: { size: number; hash: string } } {
    const recordId = bytesOf(this.#text.recordId);
    const entries: Entry[] = [];
    let prev: Buffer = ZERO;
    for (const [seq, text] of this.#text[chain].entries()) {
      if (chain === 'content' && seq === 0) this.#creation(bytesOf(text.payload ?? no()));
      const after = entries.at(-1)?.receipt.index ?? -1;
      const entry = this.#entry(text, { recordId, chain, seq, prev }, this.#tagSalt, after);
      const { rights, hashedTypes } = this.#rules;
      const { roles } = entry.author;
      demand(rights.some((r) => r.chain === chain && r.kinds.includes(entry.kind) && roles.includes(r.role)));
      if (entry.payload !== null) {
        demand(entry.type === 'statement' || hashedTypes.includes(entry.type));
        demand(H(entry.payload).equals(entry.digest));
      }
      for (const key of [entry.author, entry.receipt.bank]) this.#standing(key, entry.receipt);
      entries.push(entry);
      prev = entry.hash;
    }
    for (const { receipt } of entries) {
      const stated = entries[receipt.head.size - 1] ?? no();
      demand(stated.hash.equals(receipt.head.hash));
    }
    return { entries, head: { size: entries.length, hash: prev.toString('hex') } };
  }

  #creation(payload: Buffer): void {
    const [kind, , content] = open(payload, 'statement', 3) as Three;
    demand(kind.toString() === 'create');
    const [owner, tagSalt] = parts(content).slice(1) as [Buffer, Buffer];
    [this.#owner, this.#tagSalt] = [owner.toString('hex'), tagSalt];
  }

  #entry(
    text: EntryText,
    at: { recordId: Buffer; chain: string; seq: number | null; prev: Buffer | null },
    tagSalt: Buffer,
    after: number,
  ): Entry {
    const [encoded, signature] = open(bytesOf(text.entry), 'signed entry', 2) as [Buffer, Buffer];
    const p = open(encoded, 'entry', 12);
    const [seq, prev] = [number(p[3]!), p[4]!];
    demand(p[0]!.toString() === this.#text.origin && p[1]!.equals(at.recordId));
    demand(p[2]!.toString() === at.chain && (at.seq === null || seq === at.seq));
    demand(at.prev === null || prev.equals(at.prev));
    const author = this.#known.get(p[5]!.toString('hex')) ?? no();
    demand(signed(author.key, T('entry signature', encoded), signature));
    const hash = H(
      T('entry hash', at.recordId, at.chain, seq, prev, H(T('entry inner', encoded, signature))),
    );
    const receipt = this.#receipt(bytesOf(text.receipt), { ...at, seq, prev, hash });
    demand(receipt.index > after && covers(author, receipt) && covers(receipt.bank, receipt));
    const tag = H(T('log tag', at.recordId, tagSalt, at.chain, seq));
    const leaf = H(T('log leaf', tag, receipt.time, hash));
    const root = climb(leaf, receipt.index, this.#tree.size, text.proof.map(bytesOf));
    demand(root.toString('hex') === this.#tree.root);
    const said = { kind: p[6]!.toString(), type: p[10]!.toString(), digest: p[11]! };
    const payload = text.payload === null ? null : bytesOf(text.payload);
    return { seq, author, ...said, hash, payload, receipt };
  }

  #receipt(
    encoded: Buffer,
    about: { recordId: Buffer; chain: string; seq: number; prev: Buffer; hash: Buffer },
  ): Receipt {
    const [body, signature] = open(encoded, 'signed receipt', 2) as [Buffer, Buffer];
    const bank = this.#banks.find(({ key }) => signed(key, body, signature)) ?? no();
    const p = open(body, 'receipt', 15);
    const { recordId, chain, seq, prev, hash } = about;
    const stated = [p[0]!, p[1]!, p[2]!, p[5]!, p[6]!, p[7]!, p[8]!];
    demand(list(stated).equals(list([this.#text.origin, recordId, chain, 'accepted', hash, seq, prev])));
    const receipt = {
      ...{ bank, index: number(p[9]!), time: number(p[12]!) },
      tree: { size: number(p[10]!), root: p[11]! },
      head: { size: number(p[13]!), hash: p[14]! },
    };
    demand(receipt.index < receipt.tree.size && seq < receipt.head.size);
    this.#receipts.push(receipt);
    return receipt;
  }

  #standing(key: Credential, { index, time }: Receipt): 'valid' | 'doubtful' {
    let standing: 'valid' | 'doubtful' = 'valid';
    for (const one of this.#revocations.filter(({ of }) => of === key.id.toString('hex'))) {
      demand(!(one.index < index && time >= one.revokedFrom));
      if (time >= one.doubtfulFrom) standing = 'doubtful';
    }
    return standing;
  }

  #entryJson(
    entry: Entry,
    text: EntryText,
    chain: string,
    erased: ReadonlyMap<string, ExportEntryJson['erasedBy']>,
  ): ExportEntryJson {
    const { author, receipt, payload, hash, seq, type, digest } = entry;
    const erasedBy = erased.get(`${chain} ${seq} ${hash.toString('hex')}`) ?? null;
    if (text.opened !== null) {
      demand(this.#rules.openedTypes.includes(type) && H(H(bytesOf(text.opened))).equals(digest));
    }
    const standings = [author, receipt.bank].map((key) => this.#standing(key, receipt));
    return {
      author: author.id.toString('hex'),
      bank: receipt.bank.id.toString('hex'),
      standing: standings.includes('doubtful') ? 'doubtful' : 'valid',
      state: payload !== null ? 'given' : erasedBy !== null ? 'erased' : 'withheld',
      erasedBy,
      opened: text.opened === null ? null : bytesOf(text.opened).toString(),
    };
  }
}

type Three = [Buffer, Buffer, Buffer];
type Four = [Buffer, Buffer, Buffer, Buffer];

function covers({ from, to }: Credential, { time }: Receipt): boolean {
  return time >= from && time <= to;
}

/** What the tombstones of a content chain name. */
function erasures(entries: readonly Entry[]): ReadonlyMap<string, ExportEntryJson['erasedBy']> {
  const named = new Map<string, ExportEntryJson['erasedBy']>();
  for (const { seq, kind, type, payload } of entries) {
    if (kind !== 'erase' || payload === null) continue;
    const [stated, , content] = open(payload, 'statement', 3) as Three;
    demand(type === 'statement' && stated.toString() === 'erase');
    const [chain, ground, ruleVersion, items] = open(content, 'erasure', 4) as Four;
    for (const [at, hash] of parts(items).map(parts)) {
      const key = `${chain.toString()} ${number(at!)} ${hash!.toString('hex')}`;
      const by = { seq, ground: ground.toString(), ruleVersion: ruleVersion.toString() };
      if (!named.has(key)) named.set(key, by);
    }
  }
  return named;
}

/** The leaf of renewal `i`: over all of the export, and the renewals before it. */
function renewalLeaf(text: ExportText, i: number): Buffer {
  const entry = ({ entry: own, payload, digests, receipt, proof }: EntryText): Buffer => {
    const known = digests.find(({ algorithm }) => algorithm === 'SHA-512');
    const digest = payload !== null ? sha512(bytesOf(payload)) : known && bytesOf(known.digest);
    const digested = digest === undefined ? [] : [digest];
    return sha512(T('exported entry', bytesOf(own), digested, bytesOf(receipt), proof.map(bytesOf)));
  };
  const { directory, origin, recordId, charters, credentials, content, access, checkpoint } = text;
  const heard: Item =
    directory === null
      ? []
      : [bytesOf(directory.recordId), bytesOf(directory.tagSalt), directory.entries.map(entry)];
  const whole = sha512(
    T(
      'exported record',
      ...[origin, bytesOf(recordId), charters.map(bytesOf), credentials.map(bytesOf)],
      ...[content.map(entry), access.map(entry), heard, checkpoint],
    ),
  );
  const before = text.renewals
    .slice(0, i)
    .map((one): Item => [one.algorithm, one.origin, one.index, one.proof.map(bytesOf), one.checkpoint]);
  return H(T('renewal', 'SHA-512', sha512(T('renewed', whole, before))));
}

describe('exports that verify', () => {
  const good = casesOf(file, 'verify export').filter(({ error }) => error === undefined);
  it.each(good)('$name', ({ export: text, rules, result }) => {
    expect(new Verifier(text, rules).result()).toEqual(result);
  });
});

describe('exports that are refused', () => {
  const bad = casesOf(file, 'verify export').filter(({ error }) => error !== undefined);
  it.each(bad)('$name', ({ export: text, rules }) => {
    expect(() => new Verifier(text, rules).result()).toThrow();
  });
});

describe('leaves of renewals', () => {
  const good = casesOf(file, 'renewal leaf').filter(({ error }) => error === undefined);
  it.each(good)('$name', ({ export: text, leaf }) => {
    const value = read(text);
    expect(renewalLeaf(value, value.renewals.length).toString('hex')).toBe(leaf);
  });
});
