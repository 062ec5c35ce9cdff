/**
 * A record's public number: what people say and write down to find it. It is the beginning of the record's id, 48 bits
 * as fifteen digits, and two check digits (ISO 7064, MOD 97-10), which find every wrong digit and almost all swaps.
 * Nothing about the patient is in it. Shared with the client.
 */

const BYTES = 6;
const DIGITS = 15;
const ID_LENGTH = 16;
const FORM = /^[0-9]{17}$/;

/** The number of a record. */
export function recordNumber(recordId: Uint8Array): string {
  const digits = String(recordId.slice(0, BYTES).reduce((sum, byte) => sum * 256 + byte, 0));
  const padded = digits.padStart(DIGITS, '0');
  return `${padded}${checkDigits(padded)}`;
}

/** A number as it is printed, in groups: `281 474 976 710 655 28`. */
export function printNumber(number: string): string {
  return number.replace(/(\d{3})(?=\d)/g, '$1 ');
}

/** A number as somebody wrote it, with spaces or without; `null` for one that was mistyped. */
export function readNumber(text: string): string | null {
  const number = text.replace(/[\s-]/g, '');
  if (!FORM.test(number) || Number(number.slice(0, DIGITS)) >= 256 ** BYTES) return null;
  return checkDigits(number.slice(0, DIGITS)) === number.slice(DIGITS) ? number : null;
}

/** The ids that a number may stand for: from the first to the last of them. */
export function idsOf(number: string): { readonly first: Uint8Array; readonly last: Uint8Array } {
  const [first, last] = [new Uint8Array(ID_LENGTH), new Uint8Array(ID_LENGTH).fill(0xff)];
  let rest = Number(number.slice(0, DIGITS));
  for (let i = BYTES - 1; i >= 0; i--) {
    first[i] = last[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return { first, last };
}

function checkDigits(padded: string): string {
  return String(98n - ((BigInt(padded) * 100n) % 97n)).padStart(2, '0');
}
