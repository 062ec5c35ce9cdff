/** Shares of a secret. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combineShares, SHARES_LIMIT, splitSecret, systemRandom } from '../../src/crypto/index.ts';
import { PROPERTY } from '../property.ts';

const shareOf = (share: Uint8Array): number[] => [...share];

describe('shares', () => {
  it('give the secret, whichever are taken', () => {
    const counts = fc
      .integer({ min: 1, max: 20 })
      .chain((shares) => fc.tuple(fc.constant(shares), fc.integer({ min: 1, max: shares })));
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        counts,
        fc.infiniteStream(fc.nat()),
        (secret, [shares, threshold], order) => {
          const made = splitSecret(secret, { threshold, shares });
          const ranked = made
            .map((share) => ({ share, rank: order.next().value }))
            .sort((a, b) => a.rank - b.rank);
          const taken = ranked.slice(0, threshold).map(({ share }) => share);
          expect(combineShares(taken)).toEqual(secret);
        },
      ),
      PROPERTY,
    );
  });

  it('are points of the polynomial whose coefficients were drawn', () => {
    // f(x) = 0x53 + 0xca·x over AES's field, where 0x53 · 0xca = 1 (FIPS 197, 4.2): f(1) = 0x53 ^ 0xca, f(0x53) = 0x52.
    const made = splitSecret(Uint8Array.of(0x53), { threshold: 2, shares: 0x53 }, () => Uint8Array.of(0xca));
    expect(shareOf(made[0]!)).toEqual([1, 0x53 ^ 0xca]);
    expect(shareOf(made[0x52]!)).toEqual([0x53, 0x53 ^ 1]);
    // FIPS 197, 4.2.1: 0x57 · 0x13 = 0xfe.
    const other = splitSecret(Uint8Array.of(0), { threshold: 2, shares: 0x13 }, () => Uint8Array.of(0x57));
    expect(shareOf(other[0x12]!)).toEqual([0x13, 0xfe]);
  });

  it('that are one too few say nothing: every secret has coefficients that give them', () => {
    // Of two of three, one share is seen; for each of the 256 secrets exactly one coefficient gives that share.
    const seen = 0x7e;
    for (let secret = 0; secret < 256; secret++) {
      const fitting = Array.from({ length: 256 }, (_, coefficient) => coefficient).filter((coefficient) => {
        const draw = (): Uint8Array => Uint8Array.of(coefficient);
        const made = splitSecret(Uint8Array.of(secret), { threshold: 2, shares: 3 }, draw);
        return made[2]![1] === seen;
      });
      expect(fitting).toHaveLength(1);
    }
  });

  it('draw as many random bytes as the threshold needs', () => {
    const draws: number[] = [];
    const random = (length: number): Uint8Array => {
      draws.push(length);
      return systemRandom(length);
    };
    splitSecret(new Uint8Array(32), { threshold: 3, shares: 5 }, random);
    expect(draws).toEqual([32, 32]);
  });

  it('are refused in numbers that cannot be', () => {
    const secret = Uint8Array.of(1);
    for (const [threshold, shares] of [
      [0, 1],
      [2, 1],
      [1, 0],
      [1, SHARES_LIMIT + 1],
      [1.5, 2],
      [NaN, 2],
    ] as const)
      expect(() => splitSecret(secret, { threshold, shares })).toThrow(RangeError);
    const [first] = splitSecret(secret, { threshold: 1, shares: 1 });
    for (const shares of [
      [],
      [first!, first!],
      [Uint8Array.of(0, 1)],
      [Uint8Array.of(1, 1), Uint8Array.of(2)],
    ])
      expect(() => combineShares(shares)).toThrow(RangeError);
    expect(splitSecret(secret, { threshold: 1, shares: SHARES_LIMIT })).toHaveLength(SHARES_LIMIT);
  });
});
