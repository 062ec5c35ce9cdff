/**
 * What a backend is made of: each primitive as the least that the rooms above need of it. `portable.ts` and
 * `node.ts` implement it; `backend.ts` chooses. Lengths are checked by the callers, `ed25519.ts`, `dhkem.ts` and
 * the others, which hold every rule that backends might see differently. spec/crypto.md, "Backends".
 */

/** A private key of Diffie–Hellman, wherever it lives: in memory, in a token, in a browser that never hands it out. */
export interface DhKey {
  /** 32 bytes for X25519; for P-256 the 65 bytes of an uncompressed point (SEC 1 section 2.3.3). */
  readonly publicKey: Uint8Array;
  /** The 32 bytes shared with a peer's public key: X25519's output, P-256's x coordinate. Throws or rejects where there are none. */
  agree(peer: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** A Diffie–Hellman key in this process. */
export interface LocalDhKey extends DhKey {
  agree(peer: Uint8Array): Uint8Array;
}

/** A signing key in this process. */
export interface LocalSigningKey {
  readonly publicKey: Uint8Array;
  readonly sign: (message: Uint8Array) => Uint8Array;
}

/** Told that a signature holds (`true`), or nothing (`null`): then it is still to be verified. */
export type Answer = (verified: true | null) => void;

/** A signature algorithm as a backend has it; whether key and signature are well-formed was checked before. */
export interface SignaturePrimitive {
  /** Imports a secret key, once. */
  secretKey(bytes: Uint8Array): LocalSigningKey;
  /** Whether the equation holds. */
  readonly holds: (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;
  /** The same on another thread, where the platform has one to lend. Message and signature are the callee's until it answers. */
  readonly holdsAside?: (
    publicKey: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
    answer: Answer,
  ) => void;
}

/** ML-DSA (FIPS 204), hedged with the platform's randomness. */
export interface LatticeSignature {
  secretKey(seed: Uint8Array): {
    readonly publicKey: Uint8Array;
    readonly sign: (message: Uint8Array, context: Uint8Array) => Uint8Array;
  };
  readonly holds: (
    publicKey: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
    context: Uint8Array,
  ) => boolean;
}

/** An ML-KEM private key in this process. */
export interface MlKemKey {
  readonly publicKey: Uint8Array;
  /** The shared secret; another one, in silence, for a ciphertext that was altered. */
  decapsulate(ciphertext: Uint8Array): Uint8Array;
  /** Overwrites what of the key lies in this process's own memory. */
  erase(): void;
}

/** ML-KEM (FIPS 203). */
export interface MlKemPrimitive {
  /** Imports the 64-byte seed `d ‖ z`, once. */
  secretKey(seed: Uint8Array): MlKemKey;
  /** Encapsulates with randomness of the platform's own. Throws for a public key that is not reduced. */
  encapsulate(publicKey: Uint8Array): { sharedSecret: Uint8Array; ciphertext: Uint8Array };
}

/** Cost parameters of scrypt; memory is 128·n·r bytes. */
export interface ScryptCost {
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

/** Everything that a backend may bring. */
export interface Primitives {
  /** Of one byte string, or of several as if they were joined: what is long is not copied for the sake of a prefix. */
  readonly sha256: (bytes: Uint8Array, ...more: readonly Uint8Array[]) => Uint8Array;
  /** Of the parts joined as they are: whoever has them need not join them first. */
  readonly hmacSha256: (key: Uint8Array, ...parts: readonly Uint8Array[]) => Uint8Array;
  /** ChaCha20-Poly1305, tag behind the ciphertext. */
  readonly aeadSeal: (
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array,
  ) => Uint8Array;
  /** Throws where the tag does not fit. */
  readonly aeadOpen: (
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    ciphertext: Uint8Array,
  ) => Uint8Array;
  /** The key stream under nonce zero, block counter from 0. */
  readonly chacha20: (key: Uint8Array, length: number) => Uint8Array;
  readonly scrypt: (passphrase: Uint8Array, salt: Uint8Array, cost: ScryptCost) => Promise<Uint8Array>;
  /** The key of 32 secret bytes; a fresh one for `null`. */
  readonly x25519: (secretKey: Uint8Array | null) => LocalDhKey;
  /** Throws for a scalar that is zero or not below the order. */
  readonly p256: (secretKey: Uint8Array) => LocalDhKey;
  readonly ed25519: SignaturePrimitive;
  /** ECDSA on P-256 with SHA-256; signatures as r ‖ s, s low or high. */
  readonly es256: SignaturePrimitive;
  readonly mlDsa44: LatticeSignature;
  readonly mlDsa65: LatticeSignature;
  readonly mlKem768: MlKemPrimitive;
}

/** The name of a primitive. */
export type Operation = keyof Primitives;
