/**
 * Shamir's secret sharing over GF(2⁸): any t of n shares give the secret, fewer say nothing of it.
 * A. Shamir, How to Share a Secret (1979); the field is AES's (FIPS 197, section 4). spec/crypto.md, "Shares".
 */

import { systemRandom, type Random } from './random.ts';

/** Most shares of one secret. */
export const SHARES_LIMIT = 255;

/**
 * Splits a secret into shares, each `x ‖ y`: one byte of place, 1 to n, then as many bytes as the secret has.
 *
 * @param secret - any bytes
 * @param sharing - how many shares there are (1 to 255), and how many of them are needed (1 to all)
 * @param random - draws threshold − 1 times the secret's length
 * @throws `RangeError` for counts out of range
 * @example
 * ```ts
 * import { combineShares, splitSecret } from 'muniment/crypto';
 * const [first, , third] = splitSecret(Uint8Array.of(1, 2, 3), { threshold: 2, shares: 3 });
 * if (first && third) combineShares([first, third]); // Uint8Array [1, 2, 3]
 * ```
 */
export function splitSecret(
  secret: Uint8Array,
  sharing: { readonly threshold: number; readonly shares: number },
  random: Random = systemRandom,
): Uint8Array[] {
  const { threshold, shares } = sharing;
  const fits = Number.isInteger(shares) && shares <= SHARES_LIMIT && Number.isInteger(threshold);
  if (!fits || threshold < 1 || threshold > shares) throw new RangeError('1 ≤ threshold ≤ shares ≤ 255');
  const higher = Array.from({ length: threshold - 1 }, () => random(secret.length));
  const coefficients = [secret, ...higher];
  const made = Array.from({ length: shares }, (_, i) => {
    const share = new Uint8Array(1 + secret.length);
    share[0] = i + 1;
    for (let at = 0; at < secret.length; at++)
      share[1 + at] = coefficients.reduceRight((sum, part) => multiply(sum, i + 1) ^ (part[at] ?? 0), 0);
    return share;
  });
  for (const coefficient of higher) coefficient.fill(0);
  return made;
}

/**
 * The secret behind exactly as many shares as are needed. Shares that are too few, or of another secret, give
 * other bytes and no error: whoever combines holds the result against a commitment.
 *
 * @param shares - with distinct places from 1, all of one length
 * @throws `RangeError` if two have one place, a place is 0, or lengths differ
 */
export function combineShares(shares: readonly Uint8Array[]): Uint8Array {
  const [first] = shares;
  const places = shares.map((share) => share[0] ?? 0);
  const fits = new Set(places).size === places.length && !places.includes(0);
  if (first === undefined || !fits || shares.some(({ length }) => length !== first.length))
    throw new RangeError('shares are of distinct places and of one length');
  const secret = new Uint8Array(first.length - 1);
  shares.forEach((share, i) => {
    const weight = weightAtZero(places, i);
    for (let at = 0; at < secret.length; at++)
      secret[at] = (secret[at] ?? 0) ^ multiply(weight, share[1 + at] ?? 0);
  });
  return secret;
}

// Lagrange's weight of share i for the polynomial's value at 0: the product of x_j / (x_j − x_i), minus being xor.
function weightAtZero(places: readonly number[], i: number): number {
  const own = places[i] ?? 0;
  return places.reduce((product, place, j) => {
    return i === j ? product : multiply(product, multiply(place, invert(place ^ own)));
  }, 1);
}

// Without tables or branches on what is secret: neither a cache line nor a jump depends on it.
function multiply(a: number, b: number): number {
  let product = 0;
  for (let bit = 0; bit < 8; bit++) {
    product ^= a & -((b >> bit) & 1);
    a = ((a << 1) ^ (0x11b & -(a >> 7))) & 0xff;
  }
  return product;
}

// a²⁵⁴, which is 1/a (and 0 for 0).
function invert(a: number): number {
  let power = a;
  for (let step = 0; step < 6; step++) power = multiply(multiply(power, power), a);
  return multiply(power, power);
}
