/**
 * A capsule's seal as people read and type it: Crockford's base32 with a checksum, in groups of four. spec/views.md,
 * "Capsules".
 */

import { hashTuple } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { exposeSecret, Secret } from '../keys/index.ts';
import { concat, equalBytes } from '../wire/index.ts';

/** The half of a capsule's key that is printed under its physical seal, 32 bytes. */
export type CapsuleSeal = Secret<'capsule seal'>;

const SEAL_LENGTH = 32;
const CHECK_LENGTH = 3;
/** 280 bits in signs of five: no bit is left over. */
const SIGNS = ((SEAL_LENGTH + CHECK_LENGTH) * 8) / 5;
// Without I, L, O and U, which are taken for other signs or make words.
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * Writes a seal for print: fourteen groups of four signs with hyphens between them.
 *
 * @param seal - from `makeCapsule`; the text is as secret as it is
 */
export function encodeCapsuleSeal(seal: CapsuleSeal): string {
  const half = exposeSecret(seal);
  const signs = toSigns(concat(half, checksum(half)));
  return signs.match(/.{4}/g)?.join('-') ?? '';
}

/**
 * Reads a seal that somebody typed: capitals or not, `I` and `L` for 1, `O` for 0, a hyphen or a space between groups
 * or none. Nothing else is passed over.
 *
 * @param text - as typed
 * @throws `MunimentError` `VIEW_CAPSULE`, which says whether the number of signs is wrong or one of them
 */
export function decodeCapsuleSeal(text: string): CapsuleSeal {
  const groups = /^ *[0-9A-TV-Z]{4}(?:[ -]?[0-9A-TV-Z]{4}){13} *$/i;
  if (!groups.test(text))
    throw new MunimentError('VIEW_CAPSULE', 'a seal is 14 groups of 4 letters or digits');
  const bytes = fromSigns(text.toUpperCase().replace(/[ -]/g, '').replace(/[IL]/g, '1').replace(/O/g, '0'));
  const half = bytes.slice(0, SEAL_LENGTH);
  if (!equalBytes(bytes.subarray(SEAL_LENGTH), checksum(half)))
    throw new MunimentError('VIEW_CAPSULE', 'a letter or digit of the seal is wrong');
  return new Secret('capsule seal', half);
}

// Of 24 bits: one mistyped seal in sixteen million passes, and is then refused by the capsule itself.
function checksum(half: Uint8Array): Uint8Array {
  return hashTuple('capsule seal', half).slice(0, CHECK_LENGTH);
}

function toSigns(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  return Array.from({ length: SIGNS }, (_, i) => ALPHABET[parseInt(bits.slice(5 * i, 5 * i + 5), 2)]).join(
    '',
  );
}

function fromSigns(signs: string): Uint8Array {
  const bits = Array.from(signs, (sign) => ALPHABET.indexOf(sign).toString(2).padStart(5, '0')).join('');
  return Uint8Array.from({ length: bits.length / 8 }, (_, i) => parseInt(bits.slice(8 * i, 8 * i + 8), 2));
}
