/** What every key encapsulation mechanism offers, and their ids in the registry of HPKE. spec/crypto.md, "KEM". */

import type { Random } from './random.ts';

/** DHKEM(X25519, HKDF-SHA256) of RFC 9180. */
export const KEM_X25519 = 0x0020 as const;
/** DHKEM(P-256, HKDF-SHA256) of RFC 9180: for cards and HSMs that hold no Curve25519. */
export const KEM_P256 = 0x0010 as const;
/** X-Wing: ML-KEM-768 with X25519. The default for every new identity. */
export const KEM_XWING = 0x647a as const;
/** ML-KEM-768 with P-256: a post-quantum key whose classical half lives in a card that knows only P-256. */
export const KEM_MLKEM768_P256 = 0x0050 as const;
/** A KEM id that this library has. */
export type KemId = typeof KEM_X25519 | typeof KEM_P256 | typeof KEM_XWING | typeof KEM_MLKEM768_P256;

/** Bytes of a secret key of any KEM here, and of a shared secret. */
export const KEM_SECRET_LENGTH = 32;

/** A private key that decapsulates, imported once. */
export interface KemSecretKey {
  readonly publicKey: Uint8Array;
  /** The 32-byte shared secret of an encapsulation. Rejects with `KEY_OPEN` where the KEM can tell that it is bad; else gives another secret. */
  decapsulate(encapsulation: Uint8Array): Promise<Uint8Array>;
  /** Overwrites what of the key lies in this process's own memory; the key is then of no use. A key that the platform holds goes when it is collected. */
  erase(): void;
}

/** One key encapsulation mechanism. Secret keys and shared secrets are 32 bytes. */
export interface Kem {
  readonly id: KemId;
  readonly name: string;
  /** Whether what is sealed to it stays closed to a quantum computer. */
  readonly postQuantum: boolean;
  readonly secretKeyLength: number;
  readonly publicKeyLength: number;
  readonly encapsulationLength: number;
  /** A fresh secret key. */
  readonly generateSecretKey: (random?: Random) => Uint8Array;
  /** The secret key that the KEM's own DeriveKeyPair (RFC 9180 section 4) makes of at least 32 bytes of secret input. */
  readonly deriveSecretKey: (ikm: Uint8Array) => Uint8Array;
  /**
   * Imports a secret key.
   *
   * @throws `RangeError` for another length, or a scalar out of range
   */
  secretKey(bytes: Uint8Array): KemSecretKey;
  /** A fresh shared secret for a public key. Throws `KEY_PUBLIC` for a key that is malformed or of small order. */
  encapsulate(
    publicKey: Uint8Array,
    random?: Random,
  ): { sharedSecret: Uint8Array; encapsulation: Uint8Array };
}
