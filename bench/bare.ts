/**
 * The platform's own calls, as a careful user of `node:crypto` would write them: what the library is measured
 * against. Own keys and known peers are imported once; what arrives with a message is imported each time.
 */

import * as crypto from 'node:crypto';

const { createHash, createHmac, createPrivateKey, createPublicKey, hkdfSync } = crypto;

/** A signature algorithm with one key pair. */
export interface BareSignature {
  sign(message: Uint8Array): Uint8Array;
  verify(message: Uint8Array, signature: Uint8Array): boolean;
}

/** A KEM with one key pair. */
export interface BareKem {
  encapsulate(): { sharedSecret: Uint8Array; encapsulation: Uint8Array };
  decapsulate(encapsulation: Uint8Array): Uint8Array;
}

/** A curve for Diffie–Hellman; `Peer` is a public key as the platform wants it. */
export interface BareCurve<Peer> {
  generate(): BareDhKey<Peer>;
  key(secretKey: Uint8Array, publicKey: Uint8Array): BareDhKey<Peer>;
  peer(publicKey: Uint8Array): Peer;
}

export interface BareDhKey<Peer> {
  readonly publicKey: Uint8Array;
  agree(peer: Peer): Uint8Array;
}

/** Whether this platform has ML-KEM, and ML-DSA with its context: Node 24.8 and later. */
export const HAS_LATTICES = 'encapsulate' in crypto && !process.versions.node.startsWith('24.7.');

const IS_NODE_24 = process.versions.node.startsWith('24.');

export function bareEd25519(seed: Uint8Array, publicKey: Uint8Array): BareSignature {
  return bareSignature(null, okpPrivateKey('Ed25519', seed, publicKey));
}

export function bareEs256(secretKey: Uint8Array, publicKey: Uint8Array): BareSignature {
  const x = base64url(publicKey.subarray(1, 33));
  const y = base64url(publicKey.subarray(33));
  const jwk = { kty: 'EC', crv: 'P-256', d: base64url(secretKey), x, y };
  const dsaEncoding = 'ieee-p1363';
  return bareSignature('sha256', createPrivateKey({ key: jwk, format: 'jwk' }), { dsaEncoding });
}

/** ML-DSA-65 and Ed25519 over one representative: draft-ietf-lamps-pq-composite-sigs, section 2.2. */
export function bareComposite(seeds: Uint8Array, publicKey: Uint8Array): BareSignature {
  const label = Buffer.from('COMPSIG-MLDSA65-Ed25519-SHA512');
  const prefix = Buffer.concat([Buffer.from('CompositeAlgorithmSignatures2025'), label, Buffer.of(0)]);
  const representative = (message: Uint8Array) =>
    Buffer.concat([prefix, createHash('sha512').update(message).digest()]);
  const lattice = bareSignature(null, pkcs8Key(PKCS8.mlDsa65, seeds.subarray(0, 32)), { context: label });
  const classical = bareEd25519(seeds.subarray(32), publicKey.subarray(1952));
  return {
    sign(message) {
      const signed = representative(message);
      return Buffer.concat([lattice.sign(signed), classical.sign(signed)]);
    },
    verify(message, signature) {
      const signed = representative(message);
      const halves = [signature.subarray(0, 3309), signature.subarray(3309)] as const;
      return lattice.verify(signed, halves[0]) && classical.verify(signed, halves[1]);
    },
  };
}

function bareSignature(
  digest: 'sha256' | null,
  privateKey: crypto.KeyObject,
  options?: { dsaEncoding?: crypto.DSAEncoding; context?: Uint8Array },
): BareSignature {
  const publicKey = createPublicKey(privateKey);
  // A key without options goes as it is: on Node 24 an object around it costs half an Ed25519 signature.
  const own = options ? { ...options, key: privateKey } : privateKey;
  const known = options ? { ...options, key: publicKey } : publicKey;
  return {
    sign: (message) => crypto.sign(digest, message, own),
    verify: (message, signature) => crypto.verify(digest, message, known, signature),
  };
}

export const bareX25519: BareCurve<crypto.KeyObject> = {
  generate() {
    // Not exported afterwards: should the collector then meet the finished job, Node 20 waits for its own lock forever.
    const { privateKey, publicKey } = crypto.generateKeyPairSync('x25519', {
      publicKeyEncoding: { format: 'jwk' },
    });
    const { x = '' } = publicKey as unknown as crypto.JsonWebKey; // which the typings know for no pair
    return x25519Key(privateKey, Buffer.from(x, 'base64url'));
  },
  key: (secretKey, publicKey) => x25519Key(okpPrivateKey('X25519', secretKey, publicKey), publicKey),
  // As a JWK, which on Node 20 costs a tenth of what DER and PEM cost. Node 24 is the quicker the less of an object a key is.
  peer: (bytes) =>
    IS_NODE_24
      ? createPublicKey(
          `-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEA${base64(bytes)}\n-----END PUBLIC KEY-----`,
        )
      : createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: base64url(bytes) }, format: 'jwk' }),
};

function x25519Key(privateKey: crypto.KeyObject, publicKey: Uint8Array): BareDhKey<crypto.KeyObject> {
  return { publicKey, agree: (peer) => crypto.diffieHellman({ privateKey, publicKey: peer }) };
}

/** Through ECDH objects, which take a peer's point as it is; as a KeyObject it would have to be imported first. */
export const bareP256: BareCurve<Uint8Array> = {
  generate() {
    const ecdh = crypto.createECDH('prime256v1');
    return { publicKey: ecdh.generateKeys(), agree: (peer) => ecdh.computeSecret(peer) };
  },
  key(secretKey, publicKey) {
    const ecdh = crypto.createECDH('prime256v1');
    ecdh.setPrivateKey(secretKey);
    return { publicKey, agree: (peer) => ecdh.computeSecret(peer) };
  },
  peer: (publicKey) => publicKey,
};

/** DHKEM: RFC 9180 section 4.1. */
export function bareDhKem<Peer>(curve: BareCurve<Peer>, kemId: number, own: BareDhKey<Peer>): BareKem {
  const suite = Buffer.from([...Buffer.from('KEM'), kemId >> 8, kemId & 0xff]);
  const version = Buffer.from('HPKE-v1');
  const extractPrefix = Buffer.concat([version, suite, Buffer.from('eae_prk')]);
  const expandPrefix = Buffer.concat([Buffer.of(0, 32), version, suite, Buffer.from('shared_secret')]);
  const extractAndExpand = (dh: Uint8Array, encapsulation: Uint8Array) => {
    const info = Buffer.concat([expandPrefix, encapsulation, own.publicKey]);
    return new Uint8Array(hkdfSync('sha256', Buffer.concat([extractPrefix, dh]), '', info, 32));
  };
  const known = curve.peer(own.publicKey);
  return {
    encapsulate() {
      const fresh = curve.generate();
      const encapsulation = fresh.publicKey;
      return { sharedSecret: extractAndExpand(fresh.agree(known), encapsulation), encapsulation };
    },
    decapsulate: (encapsulation) => extractAndExpand(own.agree(curve.peer(encapsulation)), encapsulation),
  };
}

/** A key of ML-KEM-768 of its seed. */
export function bareMlKem(seed: Uint8Array): crypto.KeyObject {
  return pkcs8Key(PKCS8.mlKem768, seed);
}

/** ML-KEM-768 and a curve, combined as X-Wing and MLKEM768-P256 do it. */
export function bareHybridKem<Peer>(
  curve: BareCurve<Peer>,
  label: string,
  own: BareDhKey<Peer>,
  lattice: crypto.KeyObject,
): BareKem {
  const known = { lattice: createPublicKey(lattice), classical: curve.peer(own.publicKey) };
  const combine = (latticeSecret: Uint8Array, dh: Uint8Array, share: Uint8Array) =>
    createHash('sha3-256')
      .update(Buffer.concat([latticeSecret, dh, share, own.publicKey]))
      .update(label)
      .digest();
  return {
    encapsulate() {
      const { sharedKey, ciphertext } = crypto.encapsulate(known.lattice);
      const fresh = curve.generate();
      const sharedSecret = combine(sharedKey, fresh.agree(known.classical), fresh.publicKey);
      return { sharedSecret, encapsulation: Buffer.concat([ciphertext, fresh.publicKey]) };
    },
    decapsulate(encapsulation) {
      const [ciphertext, share] = [encapsulation.subarray(0, 1088), encapsulation.subarray(1088)];
      return combine(crypto.decapsulate(lattice, ciphertext), own.agree(curve.peer(share)), share);
    },
  };
}

/** DHKEM(X25519) with a key of its own. */
export function freshX25519Kem(): BareKem {
  return bareDhKem(bareX25519, 0x0020, bareX25519.generate());
}

/** X-Wing with a key of its own. */
export function freshXWingKem(): BareKem {
  const algorithm = 'ml-kem-768' as 'x25519'; // which the typings do not know yet
  const { privateKey } = crypto.generateKeyPairSync(algorithm);
  return bareHybridKem(bareX25519, '\\.//^\\', bareX25519.generate(), privateKey);
}

/** A receiver of HPKE messages, each on its own. */
export interface BareHpke {
  seal(info: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): BareHpkeMessage;
  open(info: Uint8Array, aad: Uint8Array, message: BareHpkeMessage): Uint8Array;
}

export interface BareHpkeMessage {
  readonly encapsulation: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** HPKE in base mode with HKDF-SHA256 and ChaCha20-Poly1305: RFC 9180 section 5.1. */
export function bareHpke(kem: BareKem, kemId: number): BareHpke {
  const suite = Buffer.concat([Buffer.from('HPKE-v1HPKE'), Buffer.of(kemId >> 8, kemId & 0xff, 0, 1, 0, 3)]);
  const labeled = (label: string) => Buffer.concat([suite, Buffer.from(label)]);
  const [infoLabel, secretLabel] = [labeled('info_hash'), labeled('secret')];
  const keyLabel = Buffer.concat([Buffer.of(0, 32), labeled('key')]);
  const nonceLabel = Buffer.concat([Buffer.of(0, 12), labeled('base_nonce')]);
  const noPsk = bareHmac(NONE, labeled('psk_id_hash'));
  const schedule = (sharedSecret: Uint8Array, info: Uint8Array) => {
    const context = Buffer.concat([
      Buffer.of(0),
      noPsk,
      bareHmac(NONE, Buffer.concat([infoLabel, info])),
      ONE,
    ]);
    const secret = crypto.createSecretKey(bareHmac(sharedSecret, secretLabel));
    const key = crypto.createSecretKey(bareHmac(secret, Buffer.concat([keyLabel, context])));
    return { key, nonce: bareHmac(secret, Buffer.concat([nonceLabel, context])).subarray(0, 12) };
  };
  return {
    seal(info, aad, plaintext) {
      const { sharedSecret, encapsulation } = kem.encapsulate();
      const { key, nonce } = schedule(sharedSecret, info);
      return { encapsulation, ciphertext: bareSeal(key, aad, plaintext, nonce) };
    },
    open(info, aad, { encapsulation, ciphertext }) {
      const { key, nonce } = schedule(kem.decapsulate(encapsulation), info);
      return bareOpen(key, aad, ciphertext, nonce);
    },
  };
}

/** The counter behind what HKDF expands to one block. */
const ONE = Buffer.of(1);
const NONE = Buffer.alloc(0);

/** ChaCha20-Poly1305, the tag behind the ciphertext. */
export function bareSeal(
  key: crypto.KeyObject,
  aad: Uint8Array,
  plaintext: Uint8Array,
  nonce: Uint8Array = ZERO_NONCE,
): Uint8Array {
  const cipher = crypto.createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG_LENGTH });
  cipher.setAAD(aad, { plaintextLength: plaintext.length });
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

export function bareOpen(
  key: crypto.KeyObject,
  aad: Uint8Array,
  ciphertext: Uint8Array,
  nonce: Uint8Array = ZERO_NONCE,
): Uint8Array {
  const end = ciphertext.length - TAG_LENGTH;
  const options = { authTagLength: TAG_LENGTH };
  const decipher = crypto.createDecipheriv('chacha20-poly1305', key, nonce, options);
  decipher.setAAD(aad, { plaintextLength: end });
  decipher.setAuthTag(ciphertext.subarray(end));
  const plaintext = decipher.update(ciphertext.subarray(0, end));
  decipher.final();
  return plaintext;
}

export function bareSha256(bytes: Uint8Array): Uint8Array {
  return crypto.hash('sha256', bytes, 'buffer');
}

export function bareHmac(key: crypto.KeyObject | Uint8Array, message: Uint8Array): Uint8Array {
  return createHmac('sha256', key).update(message).digest();
}

export function bareHkdf(inputKey: crypto.KeyObject, salt: Uint8Array, info: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', inputKey, salt, info, 32));
}

export function bareScrypt(
  passphrase: string,
  salt: Uint8Array,
  { n, r, p }: { n: number; r: number; p: number },
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    crypto.scrypt(passphrase, salt, 32, { N: n, r, p, maxmem: 2 ** 31 }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

const TAG_LENGTH = 16;
const ZERO_NONCE = new Uint8Array(12);
// The seed form of RFC 9935 and RFC 9881: a fixed prefix, then the seed.
const PKCS8 = {
  mlKem768: Buffer.from('3054020100300b060960864801650304040204428040', 'hex'),
  mlDsa65: Buffer.from('3034020100300b060960864801650304031204228020', 'hex'),
} as const;

function okpPrivateKey(crv: string, secretKey: Uint8Array, publicKey: Uint8Array): crypto.KeyObject {
  const key = { kty: 'OKP', crv, d: base64url(secretKey), x: base64url(publicKey) };
  return createPrivateKey({ key, format: 'jwk' });
}

function pkcs8Key(prefix: Uint8Array, seed: Uint8Array): crypto.KeyObject {
  return createPrivateKey({ key: Buffer.concat([prefix, seed]), format: 'der', type: 'pkcs8' });
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
