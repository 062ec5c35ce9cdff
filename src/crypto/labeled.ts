/** LabeledExtract and LabeledExpand of RFC 9180 section 4, and the suite ids that go into them. */

import { concat, utf8 } from '../wire/index.ts';
import { primitive } from './backend.ts';
import { hkdfExpandOf } from './hash.ts';

const VERSION = utf8('HPKE-v1');

/** An integer as two bytes, big-endian. */
export function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value & 0xff);
}

/** `"KEM" ‖ kem_id`. */
export function kemSuite(kemId: number): Uint8Array {
  return concat(utf8('KEM'), uint16(kemId));
}

/** `HKDF-Extract(salt, "HPKE-v1" ‖ suite ‖ label ‖ ikm)`. */
export function labeledExtract(
  suite: Uint8Array,
  salt: Uint8Array,
  label: string,
  ikm: Uint8Array,
): Uint8Array {
  return primitive('hmacSha256')(salt, VERSION, suite, utf8(label), ikm);
}

/** `HKDF-Expand(prk, length ‖ "HPKE-v1" ‖ suite ‖ label ‖ info)`. */
export function labeledExpand(
  suite: Uint8Array,
  prk: Uint8Array,
  label: string,
  info: Uint8Array,
  length: number,
): Uint8Array {
  return hkdfExpandOf(prk, [uint16(length), VERSION, suite, utf8(label), info], length);
}
