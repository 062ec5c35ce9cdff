/**
 * Which backend an operation runs on: forced, or the platform's where it answers rightly; and what becomes of the keys
 * that were imported there.
 */

import { ed25519 as nobleEd25519, x25519 as nobleX25519 } from '@noble/curves/ed25519.js';
import * as nodeCrypto from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  backendReport,
  dhKem,
  ED25519,
  ES256,
  forceBackend,
  hybridKem,
  kem,
  KEM_MLKEM768_P256,
  KEM_P256,
  KEM_X25519,
  KEM_XWING,
  signatureAlgorithm,
  type Kem,
} from '../../src/crypto/index.ts';
import { keep } from '../../src/crypto/keep.ts';
import { portable } from '../../src/crypto/portable.ts';
import type { LatticeSignature, LocalDhKey, Operation, Primitives } from '../../src/crypto/primitives.ts';
import { answersRightly } from '../../src/crypto/probes.ts';
import { systemRandom } from '../../src/crypto/random.ts';
import { flipped } from '../mutation.ts';
import { refusal } from '../refusal.ts';
import { seededRandom } from '../vectors/generators/seed.ts';
import { hex } from '../vectors/hex.ts';
import { onEveryBackend } from './every-backend.ts';
import { KEM_OPERATIONS, SIGNATURE_OPERATIONS } from './subjects.ts';

const OPERATIONS = Object.keys(portable) as Operation[];
const CURVES: readonly Operation[] = ['ed25519', 'es256', 'x25519', 'p256'];
const ONES = new Uint8Array(32).fill(1);

describe('a forced backend', () => {
  afterEach(() => {
    forceBackend(null);
    vi.unstubAllGlobals();
  });

  it('holds until it is taken back', async () => {
    const byItself = await backendReport();
    forceBackend('portable');
    expect(new Set(Object.values(await backendReport()))).toEqual(new Set(['noble']));
    forceBackend('webcrypto');
    const web = Object.entries(await backendReport()).filter(([, where]) => where === 'WebCrypto');
    expect(web.map(([name]) => name).sort()).toEqual([...CURVES].sort());
    forceBackend('node');
    expect(await backendReport()).toEqual(byItself); // in Node the library's own choice
    forceBackend(null);
    expect(await backendReport()).toEqual(byItself);
  });

  it('leaves keys where they were imported', async () => {
    const message = Uint8Array.of(1, 2, 3);
    for (const name of Object.keys(SIGNATURE_OPERATIONS)) {
      const algorithm = signatureAlgorithm(name);
      forceBackend('node');
      const key = algorithm.secretKey(algorithm.generateSecretKey());
      for (const other of ['portable', 'webcrypto', null] as const) {
        forceBackend(other);
        const signature = await key.sign(message);
        expect(hex(await algorithm.verifyAsync(key.publicKey, message, signature))).toBe(hex(message));
      }
    }
  });

  it.each([
    ['a browser, which has no process', undefined],
    ['a Node that cannot hand out modules', { versions: process.versions }],
    ['a host without node:crypto', { getBuiltinModule: () => undefined, versions: {} }],
  ])('is refused as `node` in %s', async (_, host) => {
    const { backend, fresh } = await load();
    vi.stubGlobal('process', host);
    expect(() => backend.forceBackend('node')).toThrow(RangeError);
    for (const name of OPERATIONS) expect(backend.primitive(name)).toBe(fresh[name]);
  });

  it('is the portable code for whatever a platform does wrong, and the platform’s for the rest', async () => {
    const { backend, fresh } = await load();
    const lenient = { ...nodeCrypto, verify: () => true, hash: undefined, createHmac: missing };
    vi.stubGlobal('process', { getBuiltinModule: () => lenient, versions: process.versions });
    for (const name of [null, 'node'] as const) {
      backend.forceBackend(name);
      for (const wrong of ['ed25519', 'es256', 'hmacSha256'] as const) {
        expect(backend.primitive(wrong)).toBe(fresh[wrong]);
        expect(backend.isNative(wrong)).toBe(false);
      }
      for (const right of ['sha256', 'x25519', 'p256', 'aeadSeal', 'aeadOpen'] as const)
        expect(backend.isNative(right)).toBe(true);
    }
  });

  /** The choice as it is made anew, before any platform was looked at. */
  async function load() {
    vi.resetModules();
    const backend = await import('../../src/crypto/backend.ts');
    const { portable: fresh } = await import('../../src/crypto/portable.ts');
    return { backend, fresh };
  }
});

describe('a platform is tried', () => {
  it('and passes with right answers', () => {
    for (const name of OPERATIONS) expect([name, answersRightly(portable, name)]).toEqual([name, true]);
  });

  // scrypt answers later, and so is not tried: where it is missing there is nothing to choose.
  it.each(OPERATIONS.filter((name) => name !== 'scrypt'))('and passed over without %s', (name) => {
    expect(answersRightly({}, name)).toBe(false);
    const throwing = { ...portable, [name]: missing } as Partial<Primitives>;
    expect(answersRightly(throwing, name)).toBe(false);
  });

  const { ed25519, es256, mlKem768 } = portable;
  const faults: readonly (readonly [string, Operation, Partial<Primitives>])[] = [
    ['hashes otherwise', 'sha256', { sha256: (bytes) => flipped(portable.sha256(bytes), 0) }],
    ['makes other MACs', 'hmacSha256', { hmacSha256: (key) => portable.hmacSha256(key, ONES) }],
    ['encrypts without associated data', 'aeadSeal', { aeadSeal: withoutAad(portable.aeadSeal) }],
    ['opens without looking at the tag', 'aeadOpen', { aeadOpen: () => new Uint8Array(32).fill(3) }],
    [
      'counts blocks from 1',
      'chacha20',
      { chacha20: (key, length) => portable.chacha20(key, length + 64).slice(64) },
    ],
    ['agrees with small-order keys', 'x25519', { x25519: lenientX25519 }],
    ['agrees otherwise', 'x25519', { x25519: () => portable.x25519(new Uint8Array(32).fill(2)) }],
    ['makes one key again and again', 'x25519', { x25519: (given) => portable.x25519(given ?? ONES) }],
    ['makes keys that agree on nothing', 'x25519', { x25519: withFresh(() => ({ agree: () => ONES })) }],
    [
      'names other keys than it makes',
      'x25519',
      { x25519: withFresh(() => ({ publicKey: systemRandom(32) })) },
    ],
    ['takes a scalar of zero', 'p256', { p256: () => portable.p256(ONES) }],
    [
      'signs by other rules',
      'ed25519',
      {
        ed25519: {
          ...ed25519,
          secretKey: () => ({ publicKey: ed25519.secretKey(ONES).publicKey, sign: () => new Uint8Array(64) }),
        },
      },
    ],
    ['takes every signature', 'ed25519', { ed25519: { ...ed25519, holds: () => true } }],
    ['takes no signature', 'ed25519', { ed25519: { ...ed25519, holds: () => false } }],
    ['verifies by ZIP-215', 'ed25519', { ed25519: { ...ed25519, holds: noble({ zip215: true }) } }],
    ['multiplies by the cofactor', 'ed25519', { ed25519: { ...ed25519, holds: noble({ zip215: false }) } }],
    ['takes every ECDSA signature', 'es256', { es256: { ...es256, holds: () => true } }],
    ['takes no ECDSA signature', 'es256', { es256: { ...es256, holds: () => false } }],
    [
      'signs with another key',
      'es256',
      {
        es256: {
          ...es256,
          secretKey: () => ({
            publicKey: es256.secretKey(ONES).publicKey,
            sign: es256.secretKey(new Uint8Array(32).fill(2)).sign,
          }),
        },
      },
    ],
    ['has no contexts', 'mlDsa44', { mlDsa44: withoutContext(portable.mlDsa44) }],
    ['has no contexts', 'mlDsa65', { mlDsa65: withoutContext(portable.mlDsa65) }],
    ['is another parameter set', 'mlDsa65', { mlDsa65: portable.mlDsa44 }],
    [
      'rejects loudly',
      'mlKem768',
      {
        mlKem768: {
          ...mlKem768,
          secretKey: (seed) => ({ ...mlKem768.secretKey(seed), decapsulate: missing }),
        },
      },
    ],
    [
      'takes keys that are not reduced',
      'mlKem768',
      {
        mlKem768: {
          ...mlKem768,
          encapsulate: (publicKey) =>
            mlKem768.encapsulate(
              publicKey[0] === 0xff ? mlKem768.secretKey(new Uint8Array(64)).publicKey : publicKey,
            ),
        },
      },
    ],
  ];
  it.each(faults)('and passed over if it %s (%s)', (_, name, fault) => {
    expect(answersRightly({ ...portable, ...fault }, name)).toBe(false);
  });
});

describe('what is kept beside an array', () => {
  it('is derived once, and anew when the bytes change', () => {
    const derive = vi.fn((bytes: Uint8Array) => hex(bytes));
    const kept = keep(derive);
    const bytes = Uint8Array.of(1, 2);
    expect([kept(bytes), kept(bytes)]).toEqual(['0102', '0102']);
    expect(derive).toHaveBeenCalledTimes(1);
    bytes[1] = 3;
    expect([kept(bytes), kept(bytes)]).toEqual(['0103', '0103']);
    expect(derive).toHaveBeenCalledTimes(2);
    bytes[1] = 2;
    expect(kept(bytes)).toBe('0102');
    expect(kept(new Uint8Array(bytes))).toBe('0102');
    expect(derive).toHaveBeenCalledTimes(4);
  });

  it('is derived from a copy, and not kept where that fails', () => {
    const seen: Uint8Array[] = [];
    const kept = keep((bytes) => {
      seen.push(bytes);
      if (bytes[0] === 0) throw new RangeError('nothing to keep');
      return bytes;
    });
    const bytes = Uint8Array.of(0);
    for (let i = 0; i < 2; i++) expect(() => kept(bytes)).toThrow(RangeError);
    bytes[0] = 1;
    expect(kept(bytes)).not.toBe(bytes);
    bytes[0] = 2;
    expect(seen.map(([first]) => first)).toEqual([0, 0, 1]);
  });
});

const SIGNATURES = Object.keys(SIGNATURE_OPERATIONS).map(signatureAlgorithm);
const KEMS: Kem[] = [KEM_X25519, KEM_P256, KEM_XWING, KEM_MLKEM768_P256].map(kem);
const EVERY = [...Object.values(KEM_OPERATIONS), ...Object.values(SIGNATURE_OPERATIONS)].flat();

describe('keys', () => {
  onEveryBackend(EVERY, () => {
    it.each(SIGNATURES)('of $name are what they were when they came in', async (algorithm) => {
      const [message, other] = [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5, 6)];
      const secret = algorithm.generateSecretKey();
      const key = algorithm.secretKey(secret);
      const expected = new Uint8Array(key.publicKey);
      secret.fill(0);
      const signed = new Uint8Array(message);
      const signing = key.sign(signed);
      signed.set(other);
      const signature = await signing;
      expect(algorithm.verify(expected, message, signature)).toBe(message);

      // A caller's arrays may change while a verification waits.
      const arrays = [new Uint8Array(expected), new Uint8Array(signature)] as const;
      const verifying = algorithm.verifyAsync(arrays[0], message, arrays[1]);
      for (const array of arrays) array.fill(0);
      expect(hex(await verifying)).toBe(hex(message));

      // And a public key that is overwritten is not answered with the import of the old one.
      const next = algorithm.secretKey(algorithm.generateSecretKey());
      const array = new Uint8Array(expected);
      expect(algorithm.verify(array, message, signature)).toBe(message);
      array.set(next.publicKey);
      expect(refusal(() => algorithm.verify(array, message, signature))).toBe('KEY_SIGNATURE');
      expect(algorithm.verify(array, other, await next.sign(other))).toBe(other);
    });

    it.each(KEMS)('of $name are what they were when they came in', async (algorithm) => {
      const secret = algorithm.generateSecretKey();
      const key = algorithm.secretKey(secret);
      secret.fill(0);
      const recipient = new Uint8Array(key.publicKey);
      const { sharedSecret, encapsulation } = algorithm.encapsulate(recipient);
      const opening = key.decapsulate(encapsulation);
      const again = new Uint8Array(encapsulation);
      encapsulation.fill(0);
      expect([hex(await opening), hex(await key.decapsulate(again))]).toEqual([
        hex(sharedSecret),
        hex(sharedSecret),
      ]);

      const next = algorithm.secretKey(algorithm.generateSecretKey());
      recipient.set(next.publicKey);
      const made = algorithm.encapsulate(recipient);
      expect(hex(await next.decapsulate(made.encapsulation))).toBe(hex(made.sharedSecret));
    });

    it.each(KEMS)('of $name refuse once they are erased, while they work too', async (algorithm) => {
      const secret = algorithm.generateSecretKey();
      const before = hex(secret);
      const key = algorithm.secretKey(secret);
      const { sharedSecret, encapsulation } = algorithm.encapsulate(key.publicKey);
      expect(hex(await key.decapsulate(encapsulation))).toBe(hex(sharedSecret));
      key.erase();
      key.erase();
      await expect(key.decapsulate(encapsulation)).rejects.toThrow(TypeError);
      expect(hex(secret)).toBe(before); // the caller's array is the caller's to overwrite

      const other = algorithm.secretKey(secret);
      const working = other.decapsulate(encapsulation);
      other.erase();
      await expect(working).rejects.toThrow();
    });
  });

  it('that live elsewhere refuse once they are erased', async () => {
    const elsewhere = vi.fn((peer: Uint8Array) => nobleX25519.getSharedSecret(ONES, peer));
    const dh = { publicKey: nobleX25519.getPublicKey(ONES), agree: elsewhere };
    const seed = seededRandom('choice seed')(64);
    for (const key of [dhKem(KEM_X25519, dh), hybridKem(KEM_XWING, dh, seed)]) {
      const id = key.publicKey.length === 32 ? KEM_X25519 : KEM_XWING;
      const { sharedSecret, encapsulation } = kem(id).encapsulate(key.publicKey);
      expect(hex(await key.decapsulate(encapsulation))).toBe(hex(sharedSecret));
      key.erase();
      await expect(key.decapsulate(encapsulation)).rejects.toThrow(TypeError);
    }
    expect(elsewhere).toHaveBeenCalledTimes(2);
    expect(hex(seed)).toBe(hex(seededRandom('choice seed')(64)));
  });

  it('that live elsewhere are asked about what was checked, though the caller’s buffer changes', async () => {
    const asked: Uint8Array[] = [];
    const dh = {
      publicKey: kem(KEM_P256).secretKey(ONES).publicKey,
      agree: async (peer: Uint8Array) => {
        await Promise.resolve();
        asked.push(new Uint8Array(peer));
        return ONES;
      },
    };
    const key = hybridKem(KEM_MLKEM768_P256, dh, seededRandom('choice buffer')(64));
    const { encapsulation } = kem(KEM_MLKEM768_P256).encapsulate(key.publicKey);
    const buffer = Buffer.from(encapsulation);
    const working = key.decapsulate(buffer);
    buffer.fill(0x41);
    await working;
    expect(asked.map(hex)).toEqual([hex(encapsulation.subarray(1088))]);
  });

  it('sign and agree by their own public key, though somebody wrote over the one handed out', async () => {
    forceBackend('webcrypto');
    try {
      for (const name of [ED25519, ES256]) {
        const { secretKey, verify } = signatureAlgorithm(name);
        const key = secretKey(ONES);
        const honest = new Uint8Array(key.publicKey);
        key.publicKey.fill(4);
        expect(verify(honest, ONES, await key.sign(ONES))).toEqual(ONES);
      }
      for (const id of [KEM_X25519, KEM_P256]) {
        const key = kem(id).secretKey(ONES);
        const { sharedSecret, encapsulation } = kem(id).encapsulate(new Uint8Array(key.publicKey));
        key.publicKey.fill(4);
        expect(hex(await key.decapsulate(encapsulation))).toBe(hex(sharedSecret));
      }
    } finally {
      forceBackend(null);
    }
  });

  it('of ML-KEM lie in zeros once they are erased', () => {
    const key = portable.mlKem768.secretKey(seededRandom('choice erased')(64));
    const { sharedSecret, ciphertext } = portable.mlKem768.encapsulate(key.publicKey);
    expect(hex(key.decapsulate(ciphertext))).toBe(hex(sharedSecret));
    key.erase();
    // Of the key that lay there nothing is left that would fit its own hash.
    expect(() => key.decapsulate(ciphertext)).toThrow();
  });
});

function missing(): never {
  throw new TypeError('not on this platform');
}

function withoutAad(seal: Primitives['aeadSeal']): Primitives['aeadSeal'] {
  return (key, nonce, _, plaintext) => seal(key, nonce, new Uint8Array(0), plaintext);
}

const lenientX25519: Primitives['x25519'] = (secretKey) => {
  const key = portable.x25519(secretKey);
  const isZero = (bytes: Uint8Array) => bytes.every((byte) => byte === 0);
  return { ...key, agree: (peer) => (isZero(peer) ? new Uint8Array(32) : key.agree(peer)) };
};

function withFresh(change: () => Partial<LocalDhKey>): Primitives['x25519'] {
  return (given) => ({ ...portable.x25519(given), ...(given === null && change()) });
}

function noble(rules: { readonly zip215: boolean }): Primitives['ed25519']['holds'] {
  return (publicKey, message, signature) => nobleEd25519.verify(signature, message, publicKey, rules);
}

// As Node 22 and 24.7 do: the option is taken and means nothing.
function withoutContext(algorithm: LatticeSignature): LatticeSignature {
  const none = new Uint8Array(0);
  return {
    secretKey(seed) {
      const key = algorithm.secretKey(seed);
      return { ...key, sign: (message) => key.sign(message, none) };
    },
    holds: (publicKey, message, signature) => algorithm.holds(publicKey, message, signature, none),
  };
}
