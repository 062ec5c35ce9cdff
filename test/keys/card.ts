/** Diffie–Hellman keys of Node's own, in the place of a card's. */

import { createECDH, createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';
import { KEM_P256, type DhKey, type KEM_X25519 } from '../../src/crypto/index.ts';
import { unhex } from '../vectors/hex.ts';

/** A key in the group of a DHKEM. */
export function cardKey(kemId: typeof KEM_P256 | typeof KEM_X25519, secretKey: Uint8Array): DhKey {
  return kemId === KEM_P256 ? p256Key(secretKey) : x25519Key(secretKey);
}

function p256Key(secretKey: Uint8Array): DhKey {
  const key = createECDH('prime256v1');
  key.setPrivateKey(secretKey);
  return {
    publicKey: new Uint8Array(key.getPublicKey()),
    agree: (peer) => new Uint8Array(key.computeSecret(peer)),
  };
}

// RFC 8410: a fixed header, then the key.
function x25519Key(secretKey: Uint8Array): DhKey {
  const pkcs8 = Buffer.concat([unhex('302e020100300506032b656e04220420'), secretKey]);
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const header = unhex('302a300506032b656e032100');
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return {
    publicKey: new Uint8Array(spki.subarray(header.length)),
    agree: (peer) => {
      const key = Buffer.concat([header, peer]);
      const publicKey = createPublicKey({ key, format: 'der', type: 'spki' });
      return new Uint8Array(diffieHellman({ privateKey, publicKey }));
    },
  };
}
