/** What a PKCS#12 file holds. */

import type { Secret } from 'muniment/keys';
import { Members } from './ber.ts';

/** Most characters of a name. */
export const NAME_LIMIT = 256;
/** Most bytes of a local key id. */
export const LOCAL_KEY_ID_LIMIT = 64;

/** How a file names a key or a certificate. */
export interface Pkcs12Label {
  /** The friendly name, or `null`. Whoever wrote the file chose it. */
  readonly name: string | null;
  /** What a key and its certificate have in common, or `null`. */
  readonly localKeyId: Uint8Array | null;
}

/** A private key. */
export interface Pkcs12Key extends Pkcs12Label {
  /** The PKCS#8 structure that the file holds (RFC 5958), unencrypted, of whatever algorithm. */
  readonly pkcs8: Secret<'pkcs8'>;
}

/** A certificate. */
export interface Pkcs12Certificate extends Pkcs12Label {
  /** X.509 in DER: nothing of it is verified. */
  readonly der: Uint8Array;
}

/** All that a file holds, in its order. */
export interface Pkcs12Contents {
  readonly keys: readonly Pkcs12Key[];
  readonly certificates: readonly Pkcs12Certificate[];
}

/**
 * Holds bytes against the outline of PKCS#8: one whole structure with version, algorithm and key. What the key is,
 * and whether it is one, is for whoever uses it.
 *
 * @throws `MunimentError` `KEY_FILE`
 */
export function checkPkcs8(bytes: Uint8Array): void {
  const info = Members.parse(bytes);
  info.integer();
  info.sequence().oid();
  info.octets();
}
