/** What a source hands out beside entries: refused in its turn, never passed over, never waited for without end. */

import { beforeAll, describe, expect, it } from 'vitest';
import {
  EMPTY_CHAIN,
  headAfter,
  innerHash,
  verifyChain,
  type ChainItem,
  type ChainRules,
  type OpaqueEntry,
  type SignedEntry,
  type VerifiedItem,
} from '../../src/record/index.ts';
import { verifySignatureAhead, type SigningPublicKey } from '../../src/keys/index.ts';
import { Bank } from './fixture.ts';

let bank: Bank;
beforeAll(async () => (bank = await (await Bank.open()).fill()));

async function* later(items: readonly ChainItem[]): AsyncGenerator<ChainItem> {
  for (const item of items) yield await Promise.resolve(item);
}

async function take(
  items: Iterable<ChainItem> | AsyncIterable<ChainItem>,
  seen: VerifiedItem[],
  rules: ChainRules<true> = bank.rules(),
): Promise<void> {
  for await (const item of verifyChain(items, rules, bank.at(EMPTY_CHAIN))) seen.push(item);
}

describe('an item that is none', () => {
  const nothings = [null, undefined, 7, 'inner', {}, { entry: null }] as unknown as ChainItem[];
  const malformed = ({ seq, prev, inner }: OpaqueEntry): ChainItem[] =>
    [
      { seq: '1', prev, inner },
      { seq: NaN, prev, inner },
      { seq, prev: null, inner },
      { seq, prev: 2 ** 40, inner },
      { seq, prev: prev.subarray(1), inner },
      { seq, prev, inner: undefined },
      { seq, prev, inner: 32 },
      { seq, prev, inner: inner.subarray(1) },
    ] as unknown as ChainItem[];

  it('is refused where it stands, and what stands before it is given out', async () => {
    const [a, b] = bank.items() as [SignedEntry, SignedEntry];
    const opaque = { seq: 1, prev: b.entry.prev, inner: innerHash(b) };
    await expect(take([a, opaque], [])).resolves.toBeUndefined();
    for (const wrong of [...nothings, ...malformed(opaque)])
      for (const items of [[a, wrong, b], [a, wrong], [wrong]])
        for (const source of [items, later(items)]) {
          const seen: VerifiedItem[] = [];
          const [seq, head] = items[0] === a ? [1, headAfter(a)] : [0, EMPTY_CHAIN];
          await expect(take(source, seen)).rejects.toMatchObject({ code: 'RECORD_ENTRY', seq, head });
          expect(seen).toHaveLength(seq);
        }
  });
});

describe('a credential that breaks the platform', () => {
  const broken = { algorithm: 'Ed25519', publicKey: undefined } as unknown as SigningPublicKey;

  it('is not judged ahead', () => {
    for (const key of [broken, undefined as unknown as SigningPublicKey]) {
      const answers: unknown[] = [];
      verifySignatureAhead(key, new Uint8Array(1), new Uint8Array(64), (answer) => answers.push(answer));
      expect(answers).toEqual([null]);
    }
  });

  it('is thrown in the turn of its entry, as it is: no verdict on the entry', async () => {
    const authors: ChainRules<true>['authors'] = (id, { seq }) => {
      const credential = bank.authors(id);
      if (credential === null) return null;
      return {
        credential: seq < 2 ? credential : { ...credential, signing: broken },
        standing: 'valid',
      };
    };
    const seen: VerifiedItem[] = [];
    await expect(take(bank.items(), seen, bank.rules({ authors }))).rejects.toThrow(TypeError);
    expect(seen).toHaveLength(2);
  });
});
