/** DHKEM over X25519 and over P-256, with HKDF-SHA256 (RFC 9180 section 4.1). spec/crypto.md, "KEM". */

import { concat, copyBytes } from '../wire/index.ts';
import {
  agreeFresh,
  agreeWith,
  guardDhKey,
  importDhKey,
  importDhKeyAsync,
  P256_GROUP,
  X25519_GROUP,
  type DhGroup,
} from './dh-group.ts';
import { KEM_P256, KEM_SECRET_LENGTH, KEM_X25519, type Kem, type KemSecretKey } from './kem-algorithm.ts';
import { kemSuite, labeledExpand, labeledExtract } from './labeled.ts';
import type { DhKey } from './primitives.ts';
import { systemRandom } from './random.ts';

type DhKemId = typeof KEM_X25519 | typeof KEM_P256;

/** DHKEM(X25519, HKDF-SHA256). */
export const dhkemX25519 = dhkem(KEM_X25519, 'X25519', X25519_GROUP);
/** DHKEM(P-256, HKDF-SHA256). */
export const dhkemP256 = dhkem(KEM_P256, 'P-256', P256_GROUP);

/**
 * A DHKEM private key whose Diffie–Hellman is done elsewhere: in a token, or by a WebCrypto key that cannot be
 * extracted. Points are checked before they go there.
 *
 * @param id - `KEM_X25519` or `KEM_P256`
 * @param dh - the public key, and the agreement
 * @throws `RangeError` for a public key of another length
 */
export function dhKem(id: DhKemId, dh: DhKey): KemSecretKey {
  const group = id === KEM_X25519 ? X25519_GROUP : P256_GROUP;
  return decapsulator(id, group, guardDhKey(group, dh));
}

function dhkem(id: DhKemId, name: string, group: DhGroup): Kem {
  const suite = kemSuite(id);
  return {
    id,
    name,
    postQuantum: false,
    secretKeyLength: KEM_SECRET_LENGTH,
    publicKeyLength: group.publicKeyLength,
    encapsulationLength: group.publicKeyLength,
    generateSecretKey: group.generateSecretKey,
    deriveSecretKey: (ikm) => group.deriveSecretKey(suite, ikm),
    secretKey(bytes) {
      if (bytes.length !== KEM_SECRET_LENGTH) throw new RangeError('a KEM secret key here is 32 bytes');
      const own = copyBytes(bytes);
      return decapsulator(id, group, importDhKeyAsync(group, own), () => own.fill(0));
    },
    encapsulate(publicKey, random = systemRandom) {
      // RFC 9180 makes the ephemeral key at random; only vectors need it again, and derive it.
      const ephemeral =
        random === systemRandom
          ? group.fresh()
          : importDhKey(group, group.deriveSecretKey(suite, random(32)));
      const shared = agreeFresh(group, ephemeral, publicKey);
      const encapsulation = ephemeral.publicKey;
      return { sharedSecret: extractAndExpand(id, shared, encapsulation, publicKey), encapsulation };
    },
  };
}

function decapsulator(id: DhKemId, group: DhGroup, dh: DhKey, erase?: () => void): KemSecretKey {
  let key: DhKey | null = dh;
  const live = (): DhKey => {
    if (key === null) throw new TypeError('the key was erased');
    return key;
  };
  const publicKey = copyBytes(dh.publicKey); // what is handed out, anybody may write to
  return {
    publicKey: dh.publicKey,
    async decapsulate(encapsulation) {
      const peer = copyBytes(encapsulation); // the caller's array may change while a token works
      const shared = await agreeWith(group, live(), peer);
      live(); // whoever erased the key meanwhile may have made it agree with zeros
      return extractAndExpand(id, shared, peer, publicKey);
    },
    erase() {
      key = null;
      erase?.();
    },
  };
}

function extractAndExpand(
  id: DhKemId,
  shared: Uint8Array,
  encapsulation: Uint8Array,
  publicKey: Uint8Array,
): Uint8Array {
  const suite = kemSuite(id);
  const prk = labeledExtract(suite, new Uint8Array(0), 'eae_prk', shared);
  return labeledExpand(suite, prk, 'shared_secret', concat(encapsulation, publicKey), KEM_SECRET_LENGTH);
}
