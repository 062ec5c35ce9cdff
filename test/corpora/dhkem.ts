/** ExtractAndExpand of RFC 9180 section 4.1, apart from the library: a KEM's secret from a stated Diffie–Hellman result. */

import { hkdfSync } from 'node:crypto';
import { hex } from '../vectors/hex.ts';

/** The shared secret of DHKEM(…, HKDF-SHA256), in hexadecimal. */
export function dhkemSecret(
  kemId: number,
  shared: Uint8Array,
  encapsulation: Uint8Array,
  publicKey: Uint8Array,
): string {
  const version = Buffer.from('HPKE-v1');
  const suite = Buffer.from([...Buffer.from('KEM'), kemId >>> 8, kemId & 0xff]);
  const ikm = Buffer.concat([version, suite, Buffer.from('eae_prk'), shared]);
  const label = Buffer.concat([version, suite, Buffer.from('shared_secret')]);
  const info = Buffer.concat([Buffer.from([0, 32]), label, encapsulation, publicKey]);
  return hex(new Uint8Array(hkdfSync('sha256', ikm, new Uint8Array(0), info, 32)));
}
