/** Tombstones: what they name, and what they may not. */

import { beforeAll, expect, it } from 'vitest';
import {
  encodeErasure,
  encodeStatement,
  ERASE,
  ERASURE_LIMIT,
  readErasure,
  statementDigest,
  type Entry,
  type Erasure,
} from '../../src/record/index.ts';
import { fuzz, FUZZ_TIMEOUT, mutants } from '../fuzz.ts';
import { refusal } from '../refusal.ts';
import { Bank } from './fixture.ts';

let entry: Entry;
beforeAll(async () => {
  const bank = await Bank.open();
  const { signed } = await bank.take(bank.anchor, 'erase', new Uint8Array(0));
  entry = { ...signed.entry, seq: 9 };
});

const hash = new Uint8Array(32).fill(7);
const good: Erasure = {
  chain: 'content',
  erased: [
    { seq: 1, entryHash: hash },
    { seq: 8, entryHash: hash },
  ],
  ground: 'retention',
  ruleVersion: 'v',
};
const read = (changes: Partial<Erasure>, about: Partial<Entry> = {}): Erasure => {
  const payload = encodeStatement({ kind: ERASE, content: encodeErasure({ ...good, ...changes }) });
  return readErasure({ ...entry, payloadDigest: statementDigest(payload), ...about }, payload);
};

it('reads back what it says, of either chain', () => {
  expect(read({})).toEqual(good);
  const access = { chain: 'access', erased: [{ seq: 0, entryHash: hash }] } as const;
  expect(read(access)).toEqual({ ...good, ...access });
});

it.each([
  ['the creation', { erased: [{ seq: 0, entryHash: hash }] }],
  ['itself', { erased: [{ seq: 9, entryHash: hash }] }],
  ['nothing', { erased: [] }],
  ['one twice', { erased: [good.erased[0]!, good.erased[0]!] }],
  ['falling positions', { erased: [...good.erased].reverse() }],
  ['a short hash', { erased: [{ seq: 1, entryHash: hash.subarray(1) }] }],
  ['another ground', { ground: 'whim' as never }],
  ['another chain', { chain: 'other' as never }],
  [
    'too many',
    {
      chain: 'access',
      erased: Array.from({ length: ERASURE_LIMIT + 1 }, (_, seq) => ({ seq, entryHash: hash })),
    },
  ],
] as [string, Partial<Erasure>][])('refuses %s', (_, changes) => {
  expect(refusal(() => read(changes))).toBe('RECORD_PAYLOAD');
});

it('refuses an entry of another kind or chain, or another payload', () => {
  for (const about of [{ kind: 'insert' }, { chain: 'access' }, { payloadDigest: hash }] as Partial<Entry>[])
    expect(refusal(() => read({}, about))).toBe('RECORD_PAYLOAD');
});

it('breaks over no tombstone', { timeout: FUZZ_TIMEOUT }, async () => {
  const contents = [good, { ...good, chain: 'access' } as const].map(encodeErasure);
  // Whatever a tombstone holds, its entry names it: a signature is no protection against its author.
  await fuzz(mutants(contents), ['RECORD_PAYLOAD'], (content) => {
    const payload = encodeStatement({ kind: ERASE, content });
    const found = readErasure({ ...entry, payloadDigest: statementDigest(payload) }, payload);
    expect(encodeErasure(found)).toEqual(content);
  });
  const payloads = contents.map((content) => encodeStatement({ kind: ERASE, content }));
  await fuzz(mutants(payloads), ['RECORD_PAYLOAD'], (payload) =>
    readErasure({ ...entry, payloadDigest: statementDigest(payload) }, payload),
  );
});
