/** What sealed things open with, on node:crypto alone and sharing no code with src: HPKE over X25519, `sealOnce`, and Ed25519. */

import {
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  verify,
} from 'node:crypto';
import { parts, T, unhexed } from './tuple.ts';

const SPKI = { x25519: '302a300506032b656e032100', ed25519: '302a300506032b6570032100' } as const;
const PKCS8_X25519 = '302e020100300506032b656e04220420';
const KEM = Buffer.concat([Buffer.from('KEM'), Buffer.of(0, 32)]);
const HPKE = Buffer.concat([Buffer.from('HPKE'), Buffer.of(0, 32, 0, 1, 0, 3)]);
const NONE = Buffer.alloc(0);

// Checkers ask the same again and again.
const verdicts = new Map<string, boolean>();

/** Whether a key signed a message. */
export function signed(key: Buffer, message: Buffer, signature: Buffer): boolean {
  const asked = [key, message, signature].map((one) => one.toString('latin1')).join();
  const known = verdicts.get(asked);
  if (known !== undefined) return known;
  const der = Buffer.concat([unhexed(SPKI.ed25519), key]);
  const verdict = verify(
    null,
    message,
    createPublicKey({ key: der, format: 'der', type: 'spki' }),
    signature,
  );
  verdicts.set(asked, verdict);
  return verdict;
}

/** Opens an HPKE message in base mode (RFC 9180); throws if it does not open. */
export function openHpke(
  keys: { secret: Buffer; publicKey: Buffer },
  info: Buffer,
  aad: Buffer,
  sealed: { encapsulation: Buffer; ciphertext: Buffer },
): Buffer {
  const spki = Buffer.concat([unhexed(SPKI.x25519), sealed.encapsulation]);
  const pkcs8 = Buffer.concat([unhexed(PKCS8_X25519), keys.secret]);
  const dh = diffieHellman({
    privateKey: createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }),
    publicKey: createPublicKey({ key: spki, format: 'der', type: 'spki' }),
  });
  const kemContext = Buffer.concat([sealed.encapsulation, keys.publicKey]);
  const shared = labeledExpand(
    KEM,
    labeledExtract(KEM, NONE, 'eae_prk', dh),
    'shared_secret',
    kemContext,
    32,
  );
  const context = Buffer.concat([
    Buffer.of(0),
    labeledExtract(HPKE, NONE, 'psk_id_hash', NONE),
    labeledExtract(HPKE, NONE, 'info_hash', info),
  ]);
  const secret = labeledExtract(HPKE, shared, 'secret', NONE);
  const nonce = labeledExpand(HPKE, secret, 'base_nonce', context, 12);
  return openAead(labeledExpand(HPKE, secret, 'key', context, 32), nonce, aad, sealed.ciphertext);
}

/** Opens what `sealOnce` sealed. */
export function openSealedOnce(key: Buffer, context: Buffer, sealed: Buffer): Buffer {
  const single = expand(key, T('once', sealed.subarray(0, 32), context), 32);
  const padded = openAead(single, Buffer.alloc(12), context, sealed.subarray(32));
  return padded.subarray(4, 4 + padded.readUInt32BE());
}

/** HKDF-Expand with SHA-256. */
export function expand(key: Buffer, info: Buffer, length: number): Buffer {
  return hmac(key, Buffer.concat([info, Buffer.of(1)])).subarray(0, length);
}

/** A secret from shares that are as many as it takes. */
export function combine(shares: readonly Buffer[]): Buffer {
  const length = (shares[0]?.length ?? 1) - 1;
  return Buffer.from(
    Array.from({ length }, (_, at) =>
      shares.reduce((sum, share) => {
        const others = shares.filter((other) => other !== share);
        const weight = others.reduce((w, o) => times(w, times(o[0]!, inverse(o[0]! ^ share[0]!))), 1);
        return sum ^ times(share[1 + at]!, weight);
      }, 0),
    ),
  );
}

/** The items of a tuple with this label. */
export function opened(bytes: Buffer, label: string): Buffer[] {
  const [name, ...items] = parts(bytes);
  if (name?.toString() !== `muniment/1 ${label}`) throw new Error(`no ${label}`);
  return items;
}

function times(a: number, b: number): number {
  let product = 0;
  for (let x = a, y = b; y > 0; y >>= 1) {
    if (y & 1) product ^= x;
    x = (x << 1) ^ (x & 0x80 ? 0x11b : 0);
  }
  return product;
}

function inverse(a: number): number {
  for (let b = 1; b < 256; b++) if (times(a, b) === 1) return b;
  throw new Error('zero has no inverse');
}

function openAead(key: Buffer, nonce: Buffer, aad: Buffer, sealed: Buffer): Buffer {
  const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
  decipher.setAuthTag(sealed.subarray(-16));
  decipher.setAAD(aad, { plaintextLength: sealed.length - 16 });
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
}

function labeledExtract(suite: Buffer, salt: Buffer, label: string, ikm: Buffer): Buffer {
  const key = salt.length === 0 ? Buffer.alloc(32) : salt;
  return hmac(key, Buffer.concat([Buffer.from('HPKE-v1'), suite, Buffer.from(label), ikm]));
}

function labeledExpand(suite: Buffer, key: Buffer, label: string, info: Buffer, length: number): Buffer {
  const size = Buffer.of(0, length);
  return expand(key, Buffer.concat([size, Buffer.from('HPKE-v1'), suite, Buffer.from(label), info]), length);
}

function hmac(key: Buffer, message: Buffer): Buffer {
  return createHmac('sha256', key).update(message).digest();
}
