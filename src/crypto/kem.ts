/** The key encapsulation mechanisms by id. spec/crypto.md, "KEM". */

import { MunimentError } from '../errors.ts';
import { dhkemP256, dhkemX25519 } from './dhkem.ts';
import { mlKem768P256, xwing } from './hybrid.ts';
import type { Kem } from './kem-algorithm.ts';

const KEMS = new Map<number, Kem>([xwing, dhkemX25519, dhkemP256, mlKem768P256].map((kem) => [kem.id, kem]));

/**
 * The KEM with this id.
 *
 * @param id - an HPKE KEM id, as it came over the wire
 * @throws `MunimentError` `KEY_ALGORITHM` for an id that this library does not have
 * @example
 * ```ts
 * import { kem, KEM_XWING } from 'muniment/crypto';
 * const xwing = kem(KEM_XWING);
 * const key = xwing.secretKey(xwing.generateSecretKey());
 * const { encapsulation, sharedSecret } = xwing.encapsulate(key.publicKey);
 * encapsulation.length; // 1120
 * await key.decapsulate(encapsulation); // sharedSecret
 * ```
 */
export function kem(id: number): Kem {
  const found = KEMS.get(id);
  if (found === undefined) throw new MunimentError('KEY_ALGORITHM');
  return found;
}
