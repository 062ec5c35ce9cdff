/** Chains: every rule with its code, hidden entries, heads, two writers. And statements. */

import { beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/crypto/index.ts';
import { ERROR_CODES, MunimentError } from '../../src/errors.ts';
import {
  appendEntries,
  appendEntry,
  ChainError,
  decodeSignedEntry,
  EMPTY_CHAIN,
  encodeCreation,
  encodeSignedEntry,
  encodeStatement,
  ENTRY_KINDS,
  ENTRY_LIMIT,
  hashEntry,
  headAfter,
  innerHash,
  readCreation,
  readStatement,
  sameHead,
  signEntry,
  startOf,
  STATEMENT,
  statementDigest,
  verifyChain,
  verifyEntry,
  verifyPayload,
  type ChainItem,
  type ChainRules,
  type Entry,
  type Head,
  type OpaqueEntry,
  type ShownEntry,
  type SignedEntry,
  type VerifiedItem,
  type WriteRule,
} from '../../src/record/index.ts';
import { entrySignatureInput, INPUT_ROOM } from '../../src/record/entry.ts';
import { concat, toHex, tuple, utf8 } from '../../src/wire/index.ts';
import { disguised } from '../disguise.ts';
import { flipped } from '../mutation.ts';
import { refusal, refusalOf } from '../refusal.ts';
import { Bank, BODY, DIGESTS, ORIGIN } from './fixture.ts';

let bank: Bank;
beforeAll(async () => (bank = await (await Bank.open()).fill()));

async function drain(
  items: Iterable<ChainItem> | AsyncIterable<ChainItem>,
  rules: ChainRules<true> = bank.rules(),
  from: Head = EMPTY_CHAIN,
): Promise<{ seen: VerifiedItem[]; head: Head }> {
  const seen: VerifiedItem[] = [];
  const chain = verifyChain(items, rules, bank.at(from));
  for (;;) {
    const next = await chain.next();
    if (next.done === true) return { seen, head: next.value.head };
    seen.push(next.value);
  }
}

const decodeCopy = (signed: SignedEntry): SignedEntry => decodeSignedEntry(encodeSignedEntry(signed));

const opaque = (signed: SignedEntry): OpaqueEntry => ({
  seq: signed.entry.seq,
  prev: signed.entry.prev,
  inner: innerHash(signed),
});

describe('a chain', () => {
  it('is not signed if its format does not take it', async () => {
    const draft = bank.draft('insert', utf8('x'), { payloadType: BODY });
    for (const [part, wrong] of [
      ['recordId', { recordId: new Uint8Array(8) }],
      ['kind', { kind: 'invent' as 'insert' }],
      ['chain', { chain: 'other' as 'content' }],
      ['time', { time: -1 }],
      ['time', { time: 1.5 }],
      ['payloadDigest', { payloadDigest: new Uint8Array(100) }],
      ['payloadType', { payloadType: 'x'.repeat(1000) }],
      ['seen.root', { seen: { size: 1, root: new Uint8Array(31) } }],
    ] as const) {
      const signed = signEntry(bank.doctor, bank.heads.content, { ...draft, ...wrong });
      await expect(signed).rejects.toThrow(RangeError);
      await expect(signed).rejects.toThrow(`${part} is `);
    }
    const lone = signEntry(bank.doctor, bank.heads.content, { ...draft, payloadType: '\ud800' });
    await expect(lone).rejects.toMatchObject({ code: 'WIRE_UTF8' });
  });

  it('verifies to its head, each entry with its author', async () => {
    const { seen, head } = await drain(bank.items());
    expect(head).toEqual(bank.heads.content);
    expect(seen.map((item) => ('hidden' in item ? null : [item.entry.seq, item.author.subject]))).toEqual([
      [0, 'doctor'],
      [1, 'doctor'],
      [2, 'patient'],
      [3, 'doctor'],
    ]);
    expect((await drain([])).head).toEqual(EMPTY_CHAIN);
    expect((await drain(bank.items('access'), bank.rules({ chain: 'access' }))).head).toEqual(
      bank.heads.access,
    );
  });

  it('hands out what was signed, whatever becomes of the caller’s entries meanwhile', async () => {
    const items = bank.items().map(decodeCopy);
    const [first] = items;
    const rules = bank.rules();
    // Asked for an author, the caller changes what is being judged.
    const authors = (id: Uint8Array): ReturnType<ChainRules<true>['authors']> => {
      first!.entry.payloadDigest.fill(0x66);
      first!.signature.fill(0);
      return rules.authors(id, first!.entry);
    };
    const { value } = await verifyChain(items, { ...rules, authors }, bank.at(EMPTY_CHAIN)).next();
    expect(value).toMatchObject({ entry: decodeCopy(bank.items()[0]!).entry });
    expect('hash' in value && value.hash).toEqual(hashEntry(bank.items()[0]!));
  });

  it('verifies from an asynchronous source, and yields what is good before what is not', async () => {
    const items = bank.items();
    items[2] = { ...items[2]!, signature: flipped(items[2]!.signature, 0) };
    const source = (async function* () {
      yield* items;
    })();
    const chain = verifyChain(source, bank.rules(), bank.at(EMPTY_CHAIN));
    expect((await chain.next()).done).toBe(false);
    expect((await chain.next()).done).toBe(false);
    await expect(chain.next()).rejects.toMatchObject({
      code: 'RECORD_AUTHOR',
      message: `RECORD_AUTHOR: at entry 2: ${ERROR_CODES.RECORD_AUTHOR[1]}`,
    });
  });

  it('says at which entry a key history refuses its author, with the code of that', async () => {
    const authors = (): never => {
      throw new MunimentError('KEY_REVOKED');
    };
    const start = bank.at(EMPTY_CHAIN);
    const message = `KEY_REVOKED: at entry 0: ${ERROR_CODES.KEY_REVOKED[1]}`;
    const thrown: unknown = await verifyChain(bank.items(), { ...bank.rules(), authors }, start)
      .next()
      .catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(ChainError);
    expect(thrown).toMatchObject({ code: 'KEY_REVOKED', seq: 0, head: EMPTY_CHAIN, message });
  });

  it('verifies through entries that are not shown, any of them', async () => {
    const items = bank.items();
    for (let mask = 0; mask < 2 ** items.length; mask++) {
      const shown = items.map((item, i) => ((mask >> i) & 1 ? opaque(item) : item));
      const { seen, head } = await drain(shown);
      expect(head).toEqual(bank.heads.content);
      expect(seen.map(({ hash }) => hash)).toEqual(items.map((item) => hashEntry(item)));
      expect(seen.map((item) => 'hidden' in item)).toEqual(items.map((_, i) => ((mask >> i) & 1) === 1));
    }
  });

  it('verifies on from a head, and only from the right one', async () => {
    const [first, second, ...rest] = bank.items() as [SignedEntry, SignedEntry, SignedEntry];
    const { head } = await drain([first, second]);
    expect(sameHead((await drain(rest, bank.rules(), head)).head, bank.heads.content)).toBe(true);
    for (const wrong of [EMPTY_CHAIN, headAfter(first), { ...head, hash: flipped(head.hash, 0) }])
      expect(await refusalOf(() => drain(rest, bank.rules(), wrong))).toBe('RECORD_LINK');
  });

  it('refuses entries dropped, moved, repeated or exchanged', async () => {
    const [a, b, c, d] = bank.items() as [SignedEntry, SignedEntry, SignedEntry, SignedEntry];
    for (const items of [[b], [a, c], [a, c, b], [a, a], [a, b, b], [a, b, d]]) {
      expect(await refusalOf(() => drain(items))).toBe('RECORD_LINK');
      expect(await refusalOf(() => drain(items.map(opaque)))).toBe('RECORD_LINK');
    }
  });

  it('refuses an opaque entry that is not the one in its place', async () => {
    const [a, b, c] = bank.items() as [SignedEntry, SignedEntry, SignedEntry];
    for (const forged of [
      { ...opaque(b), inner: flipped(opaque(b).inner, 0) },
      { ...opaque(b), inner: opaque(c).inner },
    ])
      expect(await refusalOf(() => drain([a, forged, c]))).toBe('RECORD_LINK');
    expect(await refusalOf(() => drain([a, { ...opaque(b), seq: 2 }, c]))).toBe('RECORD_LINK');
    expect(await refusalOf(() => drain([a, { ...opaque(b), prev: new Uint8Array(32) }, c]))).toBe(
      'RECORD_LINK',
    );
    // At the end of a chain nothing vouches for it yet: only the log and a receipt do.
    expect((await drain([a, { ...opaque(b), inner: new Uint8Array(32) }])).seen).toHaveLength(2);
  });
});

describe('an entry', () => {
  const sign = (changes: Partial<Entry>, author = bank.doctor): Promise<SignedEntry> => {
    const payload = utf8('x');
    return signEntry(author, bank.heads.content, {
      ...bank.draft('insert', payload, { payloadType: BODY }),
      ...changes,
    });
  };
  const verify = (signed: ShownEntry, rules: Partial<ChainRules<true>> = {}): string =>
    refusal(() => verifyEntry(signed, bank.rules(rules), bank.at()));

  it('is accepted as the next one', async () => {
    const signed = await sign({});
    const { entry, after } = appendEntry(signed, bank.rules(), bank.at());
    expect(after.head).toEqual({ size: 5, hash: entry.hash });
    expect(entry.hash).toEqual(hashEntry(signed));
  });

  it('of another bank, record or chain', async () => {
    expect(verify(await sign({ origin: 'other.example/log' }))).toBe('RECORD_ENTRY');
    expect(verify(await sign({ recordId: new Uint8Array(16) }))).toBe('RECORD_ENTRY');
    expect(verify(await sign({ chain: 'access' }))).toBe('RECORD_ENTRY');
    for (const rules of [{ origin: 'x' }, { recordId: new Uint8Array(16) }, { chain: 'access' as const }])
      expect(verify(await sign({}), rules)).toBe('RECORD_ENTRY');
  });

  it('by nobody known, by somebody else, or outside the credential’s time', async () => {
    const signed = await sign({});
    expect(verify(signed, { authors: () => null })).toBe('RECORD_AUTHOR');
    expect(verify({ ...signed, signature: new Uint8Array(64) })).toBe('RECORD_AUTHOR');
    expect(verify({ ...signed, entry: { ...signed.entry, author: bank.patient.credential.id } })).toBe(
      'RECORD_AUTHOR',
    );
    // Not even where the caller's look-up answers with whomever it pleases.
    const posed = { ...signed.entry, author: bank.patient.credential.id };
    const signature = await bank.doctor.signer.sign(entrySignatureInput(posed));
    expect(
      verify(
        { entry: posed, signature },
        { authors: () => ({ credential: bank.doctor.credential, standing: 'valid' }) },
      ),
    ).toBe('RECORD_AUTHOR');
    const { notBefore, notAfter } = bank.doctor.credential;
    for (const time of [notBefore - 1, notAfter + 1])
      expect(verify(await sign({ time }))).toBe('RECORD_AUTHOR');
    for (const time of [notBefore, notAfter])
      expect(verifyEntry(await sign({ time }), bank.rules(), bank.at()).entry.entry.time).toBe(time);
  });

  it('with any member changed after signing', async () => {
    const signed = await sign({});
    const changes: Partial<Entry>[] = [
      { kind: 'create' },
      { time: signed.entry.time + 1 },
      { seenSize: 1 },
      { seenRoot: new Uint8Array(32).fill(1) },
      { payloadType: STATEMENT },
      { payloadDigest: new Uint8Array(32) },
    ];
    for (const change of changes)
      expect(verify({ ...signed, entry: { ...signed.entry, ...change } })).toBe('RECORD_AUTHOR');
  });

  it('with bytes that say they have another length than they have, signed or not', async () => {
    const { entry } = await sign({});
    const lying = (length: number, said: number): Uint8Array =>
      Object.defineProperty(new Uint8Array(length), 'length', { value: said });
    for (const name of ['seenRoot', 'payloadDigest'] as const) {
      const signature = await bank.doctor.signer.sign(
        entrySignatureInput({ ...entry, [name]: new Uint8Array(5) }),
      );
      expect(verify({ entry: { ...entry, [name]: lying(5, 32) }, signature })).toBe('RECORD_ENTRY');
    }
    expect(verify({ entry, signature: lying(5, 64) })).toBe('RECORD_ENTRY');
  });

  it.each([false, true])('with memory that poses as bytes (shared: %s)', async (shared) => {
    const signed = await sign({});
    const { entry, signature } = signed;
    for (const name of ['recordId', 'prev', 'author', 'seenRoot', 'payloadDigest'] as const) {
      const { fake } = disguised(entry[name], shared);
      expect(verify({ entry: { ...entry, [name]: fake }, signature })).toBe('RECORD_ENTRY');
    }
    expect(verify({ entry, signature: disguised(signature, shared).fake })).toBe('RECORD_ENTRY');
  });

  it('with a statement that is no bytes, which would change under the rule', async () => {
    const payload = encodeStatement({ kind: 'k', content: utf8('content') }, bank.random);
    const signed = await sign({ payloadType: STATEMENT, payloadDigest: statementDigest(payload) });
    for (const shared of [false, true]) {
      const { fake, memory } = disguised(payload, shared);
      for (const posing of [fake, memory.buffer as unknown as Uint8Array])
        expect(verify({ ...signed, payload: posing })).toBe('RECORD_PAYLOAD');
    }
    expect(verifyEntry({ ...signed, payload }, bank.rules(), bank.at()).entry.entry).toEqual(signed.entry);
  });

  it('that is none, whoever appends it', () => {
    for (const none of [{}, { entry: null }, { entry: { seq: 0 } }, null] as unknown as SignedEntry[]) {
      expect(verify(none)).toBe('RECORD_ENTRY');
      expect(refusal(() => appendEntry(none, bank.rules(), bank.at()))).toBe('RECORD_ENTRY');
    }
  });

  it('without the right to it', async () => {
    expect(verify(await sign({ kind: 'grant' }))).toBe('RECORD_RIGHT');
    expect(verify(await sign({}, bank.patient))).toBe('RECORD_RIGHT');
    expect(verify(await sign({ kind: 'erase' }))).toBe('RECORD_RIGHT');
  });

  it('not at the head', async () => {
    const signed = await sign({});
    const { after } = appendEntry(signed, bank.rules(), bank.at());
    expect(refusal(() => verifyEntry(signed, bank.rules(), after))).toBe('RECORD_LINK');
  });
});

describe('two writers over one head', () => {
  it('the second is told to look again', async () => {
    const draft = bank.draft('insert', utf8('x'), { payloadType: BODY });
    const [one, other] = [
      await signEntry(bank.doctor, bank.heads.content, draft),
      await signEntry(bank.doctor, bank.heads.content, { ...draft, time: draft.time + 1 }),
    ];
    const { after } = appendEntry(one, bank.rules(), bank.at());
    const { head } = after;
    expect(refusal(() => appendEntry(other, bank.rules(), after))).toBe('RECORD_STALE');
    expect(refusal(() => appendEntry(one, bank.rules(), after))).toBe('RECORD_STALE');
    // Over a head of the same length that is another one: stale as well; over a longer one: no chain of ours.
    const forked = await signEntry(bank.doctor, { ...head, hash: new Uint8Array(32) }, draft);
    expect(refusal(() => appendEntry(forked, bank.rules(), after))).toBe('RECORD_STALE');
    const ahead = await signEntry(bank.doctor, { ...head, size: head.size + 1 }, draft);
    expect(refusal(() => appendEntry(ahead, bank.rules(), after))).toBe('RECORD_LINK');
    const again = await signEntry(bank.doctor, head, draft);
    expect(appendEntry(again, bank.rules(), after).after.head.size).toBe(head.size + 1);
  });
});

describe('a rule with a memory', () => {
  // As many entries as there have been, and one more of whatever was not written right before.
  const rule: WriteRule<{ readonly count: number; readonly last: string }> = {
    start: { count: 0, last: '' },
    next: ({ count, last }, { entry, payload }) =>
      entry.kind === last || payload === null ? null : { count: count + 1, last: entry.kind },
  };
  const shown = (at: number): ShownEntry => {
    const { signed, payload } = bank.taken.filter(({ chain }) => chain === 'content')[at]!;
    return { ...signed, payload };
  };

  it('sees statements that were held against their digests, and nothing of other payloads', async () => {
    const steps: unknown[] = [];
    const watching: WriteRule<true> = { start: true, next: (_, { payload }) => (steps.push(payload), true) };
    const rules = { ...bank.rules(), rule: watching };
    const chain = verifyChain([0, 1, 2].map(shown), rules, startOf(watching));
    for (let next = await chain.next(); next.done !== true; next = await chain.next());
    expect(steps).toEqual([shown(0).payload, null, shown(2).payload]);
    const wrong = { ...shown(0), payload: shown(2).payload! };
    const refused = verifyChain([wrong], rules, startOf(watching)).next();
    await expect(refused).rejects.toMatchObject({ code: 'RECORD_PAYLOAD', seq: 0, head: EMPTY_CHAIN });
  });

  it('may verify entries itself, and so may who finds authors', () => {
    const [first, second] = bank.items() as [SignedEntry, SignedEntry];
    const within = (): unknown => verifyEntry(first, bank.rules(), bank.at(EMPTY_CHAIN)).entry.hash;
    const nested: unknown[] = [];
    const rule: WriteRule<true> = { start: true, next: () => (nested.push(within()), true) };
    const { authors } = bank.rules();
    const rules = bank.rules({ rule, authors: (id, entry) => (nested.push(within()), authors(id, entry)) });
    const at = { head: headAfter(first), state: true } as const;
    expect(verifyEntry(second, rules, at).entry.hash).toEqual(hashEntry(second));
    expect(nested).toEqual([hashEntry(first), hashEntry(first)]);
  });

  it('goes on from where it was', async () => {
    const rules = { ...bank.rules(), rule };
    const first = appendEntry(shown(0), rules, startOf(rule));
    expect(first.after).toEqual({ head: headAfter(bank.items()[0]!), state: { count: 1, last: 'create' } });
    // Its memory says no, at the second entry: its payload is not a statement.
    expect(refusal(() => appendEntry(shown(1), rules, first.after))).toBe('RECORD_RIGHT');
  });

  it('refuses where it forgets to answer', () => {
    const [first] = bank.items() as [SignedEntry];
    const rule = { start: true, next: () => undefined } as unknown as WriteRule<true>;
    expect(refusal(() => verifyEntry(first, bank.rules({ rule }), startOf(rule)))).toBe('RECORD_RIGHT');
  });

  it('refuses under its own code where it throws one', () => {
    const strict: WriteRule<true> = {
      start: true,
      next: () => {
        throw new MunimentError('RECORD_PAYLOAD');
      },
    };
    const run = (): unknown => verifyEntry(shown(0), { ...bank.rules(), rule: strict }, startOf(strict));
    expect(run).toThrow(ChainError);
    expect(refusal(run)).toBe('RECORD_PAYLOAD');
  });
});

describe('what was still good', () => {
  it('is in the error, and was given out, however far ahead signatures are verified', async () => {
    const { doctor } = bank;
    const entries: SignedEntry[] = [];
    // Of different lengths, for what is signed of one is written over what was signed of another.
    const types = [BODY, 'x'.repeat(128), 'short'];
    for (let head = EMPTY_CHAIN; head.size < 200; head = headAfter(entries.at(-1)!)) {
      const payloadType = types[head.size % types.length]!;
      entries.push(await signEntry(doctor, head, bank.draft('insert', utf8('x'), { payloadType })));
    }
    expect((await drain(entries)).head.size).toBe(200);
    for (const at of [0, 1, 63, 64, 65, 130, 199]) {
      const damaged = entries.map((one, i) =>
        i < at ? one : { ...one, signature: flipped(one.signature, 0) },
      );
      const seen: VerifiedItem[] = [];
      const run = async (): Promise<void> => {
        for await (const item of verifyChain(damaged, bank.rules(), bank.at(EMPTY_CHAIN))) seen.push(item);
      };
      const head = at === 0 ? EMPTY_CHAIN : headAfter(entries[at - 1]!);
      await expect(run()).rejects.toMatchObject({ code: 'RECORD_AUTHOR', seq: at, head });
      expect(seen).toHaveLength(at);
    }
  });

  it('takes no more entries ahead than it may, and closes its source', async () => {
    const [entry] = bank.items();
    let [pulled, closed] = [0, false];
    const endless = (async function* () {
      try {
        for (;;) yield (pulled++, entry!);
      } finally {
        closed = true;
      }
    })();
    await expect(drain(endless)).rejects.toMatchObject({ code: 'RECORD_LINK', seq: 1 });
    expect(pulled).toBeLessThanOrEqual(66);
    expect(closed).toBe(true);
  });

  it('is given out before an entry that is malformed, and the source’s own failure is thrown in its turn', async () => {
    const [a, b, c] = bank.items().map((one) => ({ ...one })) as [SignedEntry, SignedEntry, SignedEntry];
    const malformed = { ...c, signature: new Uint8Array(5) };
    const seen: VerifiedItem[] = [];
    const run = async (): Promise<void> => {
      for await (const item of verifyChain([a, b, malformed], bank.rules(), bank.at(EMPTY_CHAIN)))
        seen.push(item);
    };
    await expect(run()).rejects.toMatchObject({ code: 'RECORD_ENTRY', seq: 2, head: headAfter(b) });
    expect(seen).toHaveLength(2);
    // A source that fails while nobody waits for it.
    const failing = (async function* () {
      yield opaque(a);
      await Promise.resolve();
      throw new RangeError('connection lost');
    })();
    const chain = verifyChain(failing, bank.rules(), bank.at(EMPTY_CHAIN));
    expect((await chain.next()).done).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await expect(chain.next()).rejects.toThrow('connection lost');
  });

  it('is refused at once, also where the source never answers again', async () => {
    const [, second] = bank.items();
    const stalled = (async function* () {
      yield second!;
      await new Promise(() => undefined);
    })();
    await expect(drain(stalled)).rejects.toMatchObject({ code: 'RECORD_LINK', seq: 0 });
  });

  it('asks again for an author in whom something was learned meanwhile', async () => {
    const known = new Set<string>();
    const authors: ChainRules<true>['authors'] = (id) => {
      const credential = bank.authors(id);
      return credential !== null && known.has(credential.subject) ? { credential, standing: 'valid' } : null;
    };
    known.add('doctor');
    const seen: VerifiedItem[] = [];
    for await (const item of verifyChain(bank.items(), { ...bank.rules(), authors }, bank.at(EMPTY_CHAIN))) {
      seen.push(item);
      if (seen.length === 2) known.add('patient').delete('doctor'); // entry 2 is the patient's, 3 the doctor's
      if (seen.length === 3) known.add('doctor');
    }
    expect(seen).toHaveLength(4);
  });

  it('says of a key in doubt that it is, and takes nothing more from it', async () => {
    const authors: ChainRules<true>['authors'] = (id) => {
      const credential = bank.authors(id);
      return credential && { credential, standing: 'doubtful' };
    };
    const rules = bank.rules({ authors });
    const { seen } = await drain(bank.items(), rules);
    expect(seen.map((item) => 'standing' in item && item.standing)).toEqual(seen.map(() => 'doubtful'));
    const { head, state } = bank.at();
    const next = await signEntry(bank.doctor, head, bank.draft('insert', utf8('x'), { payloadType: BODY }));
    expect(refusal(() => appendEntry(next, rules, { head, state }))).toBe('RECORD_AUTHOR');
  });
});

describe('a batch', () => {
  it('is taken whole or not at all', async () => {
    const draft = bank.draft('insert', utf8('x'), { payloadType: BODY });
    const one = await signEntry(bank.doctor, bank.heads.content, draft);
    const two = await signEntry(bank.doctor, headAfter(one), draft);
    const { entries, after } = appendEntries([one, two], bank.rules(), bank.at());
    expect([entries.length, after.head]).toEqual([2, headAfter(two)]);
    const bad = { ...two, signature: flipped(two.signature, 3) };
    expect(() => appendEntries([one, bad], bank.rules(), bank.at())).toThrow(
      expect.objectContaining({ code: 'RECORD_AUTHOR', seq: 5, head: headAfter(one) }),
    );
  });
});

describe('two writers at once, a thousand times', () => {
  it('one wins each position, the other signs again, and nothing is lost', async () => {
    let at = bank.at(EMPTY_CHAIN);
    const kept: SignedEntry[] = [];
    let stale = 0;
    const write = async (content: string): Promise<void> => {
      let { head } = at;
      for (;;) {
        const payload = utf8(content);
        const draft = {
          ...bank.draft('insert', payload, { payloadType: BODY }),
          payloadDigest: sha256(payload),
        };
        const signed = await signEntry(bank.doctor, head, draft);
        try {
          at = appendEntry(signed, bank.rules(), at).after;
          kept.push(signed);
          return;
        } catch (error) {
          if (!(error instanceof ChainError) || error.code !== 'RECORD_STALE') throw error;
          stale++;
          head = error.head; // looked at, and signed over
        }
      }
    };
    for (let round = 0; round < 1000; round++)
      await Promise.all([write(`one ${String(round)}`), write(`other ${String(round)}`)]);
    expect(stale).toBe(1000);
    expect(new Set(kept.map(({ entry }) => toHex(entry.payloadDigest))).size).toBe(2000);
    expect((await drain(kept)).head).toEqual(at.head);
  });
});

describe('the encoding of an entry', () => {
  it('comes back, and every byte of it matters', async () => {
    const [first] = bank.items() as [SignedEntry];
    const bytes = encodeSignedEntry(first);
    expect(decodeSignedEntry(bytes)).toEqual(first);
    for (let at = 0; at < bytes.length; at++) {
      const changed = flipped(bytes, at);
      const code = refusal(() => verifyEntry(decodeSignedEntry(changed), bank.rules(), bank.at(EMPTY_CHAIN)));
      expect(code).toMatch(/^RECORD_(ENTRY|LINK|AUTHOR)$/);
    }
  });

  it('fits into the memory that is set aside for it, its names as long as they may be', () => {
    const [{ entry }] = bank.items() as [SignedEntry];
    const [origin, payloadType] = ['x'.repeat(128), 'y'.repeat(128)];
    const memory = new Uint8Array(INPUT_ROOM);
    for (const kind of ENTRY_KINDS) {
      const input = entrySignatureInput({ ...entry, origin, payloadType, kind }, memory);
      expect(input.buffer).toBe(memory.buffer);
      expect(input).toEqual(entrySignatureInput({ ...entry, origin, payloadType, kind }));
    }
  });

  it('is refused malformed', () => {
    const [first] = bank.items() as [SignedEntry];
    const bytes = encodeSignedEntry(first);
    const e = first.entry;
    const items = [
      ...[e.origin, e.recordId, e.chain, e.seq, e.prev, e.author, e.kind, e.time, e.seenSize, e.seenRoot],
      ...[e.payloadType, e.payloadDigest],
    ];
    const encoded = (changes: object, label = 'entry'): Uint8Array =>
      tuple('signed entry', tuple(label, ...Object.assign([...items], changes)), first.signature);
    expect(decodeSignedEntry(encoded({}))).toEqual(first);
    for (const bad of [
      new Uint8Array(0),
      bytes.subarray(0, -1),
      concat(bytes, new Uint8Array(1)),
      encoded({}, 'entri'),
      encoded({ 0: 'x'.repeat(129) }),
      encoded({ 1: new Uint8Array(15) }),
      encoded({ 2: 'contents' }),
      encoded({ 3: new Uint8Array(8).fill(255) }),
      encoded({ 4: new Uint8Array(31) }),
      encoded({ 6: 'delete' }),
      encoded({ 6: 'constructor' }),
      encoded({ 10: 'x'.repeat(129) }),
      encoded({ 12: 'more' }),
      tuple('signed entry', tuple('entry', ...items), first.signature.subarray(1)),
      tuple('signed entry', tuple('entry', ...items), first.signature, ''),
      new Uint8Array(ENTRY_LIMIT + 1),
    ])
      expect(refusal(() => decodeSignedEntry(bad))).toBe('RECORD_ENTRY');
    for (const kind of ENTRY_KINDS) expect(decodeSignedEntry(encoded({ 6: kind })).entry.kind).toBe(kind);
  });
});

describe('payloads', () => {
  const entryOf = (payloadType: string, payloadDigest: Uint8Array): Entry => ({
    ...bank.items()[0]!.entry,
    payloadType,
    payloadDigest,
  });

  it('are the ones that the entry was signed over', () => {
    const body = utf8('first body');
    const { entry } = bank.items()[1]!;
    const verified = verifyPayload(entry, body, DIGESTS);
    body.fill(0);
    expect(verified).toEqual(utf8('first body')); // a copy
    body.set(verified);
    expect(refusal(() => verifyPayload(entry, utf8('other body'), DIGESTS))).toBe('RECORD_PAYLOAD');
    expect(refusal(() => verifyPayload(entry, body))).toBe('RECORD_PAYLOAD');
    const failing = {
      [BODY]: () => {
        throw new Error('malformed');
      },
    };
    expect(refusal(() => verifyPayload(entry, body, failing))).toBe('RECORD_PAYLOAD');
  });

  it.each(['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__'])(
    'of the type %s are of no type',
    (type) => {
      const payload = new Uint8Array(32).fill(1);
      expect(refusal(() => verifyPayload(entryOf(type, payload), payload, {}))).toBe('RECORD_PAYLOAD');
      expect(refusal(() => verifyPayload(entryOf(type, sha256(payload)), payload, {}))).toBe(
        'RECORD_PAYLOAD',
      );
    },
  );

  it('that are statements are read by kind', () => {
    const payload = encodeStatement({ kind: 'k', content: utf8('content') }, bank.random);
    const entry = entryOf(STATEMENT, statementDigest(payload));
    expect(readStatement(entry, payload, 'k')).toEqual(utf8('content'));
    expect(verifyPayload(entry, payload)).toEqual(payload);
    expect(refusal(() => readStatement(entry, payload, 'other'))).toBe('RECORD_PAYLOAD');
    expect(refusal(() => readStatement(entryOf(BODY, sha256(payload)), payload, 'k'))).toBe('RECORD_PAYLOAD');
    for (let at = 0; at < payload.length; at++)
      expect(refusal(() => readStatement(entry, flipped(payload, at), 'k'))).toBe('RECORD_PAYLOAD');
    for (const bad of [
      tuple('statement', 'k', new Uint8Array(31), ''),
      tuple('statement', 'k', new Uint8Array(32)),
      utf8(''),
    ])
      expect(refusal(() => readStatement(entryOf(STATEMENT, sha256(bad)), bad, 'k'))).toBe('RECORD_PAYLOAD');
  });

  it('of equal statements differ by their salt', () => {
    const one = (): Uint8Array => statementDigest(encodeStatement({ kind: 'k', content: utf8('A+') }));
    expect(one()).not.toEqual(one());
  });

  it('say whose record it is, in the first entry alone', () => {
    const [first] = bank.taken as [(typeof bank.taken)[0]];
    const { entry } = first.signed;
    expect(readCreation(entry, first.payload)).toEqual({
      owner: bank.patient.credential.id,
      tagSalt: bank.tagSalt,
    });
    for (const changes of [{ seq: 1 }, { kind: 'insert' as const }, { chain: 'access' as const }])
      expect(refusal(() => readCreation({ ...entry, ...changes }, first.payload))).toBe('RECORD_PAYLOAD');
    const creation = encodeCreation({ owner: new Uint8Array(31), tagSalt: bank.tagSalt });
    for (const [kind, content] of [
      ['create', creation],
      ['create', utf8('')],
      ['other', utf8('')],
    ] as const) {
      const payload = encodeStatement({ kind, content }, bank.random);
      const other = { ...entry, payloadDigest: statementDigest(payload) };
      expect(refusal(() => readCreation(other, payload))).toBe('RECORD_PAYLOAD');
    }
    expect(entry.origin).toBe(ORIGIN);
  });
});
