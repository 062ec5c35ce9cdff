/** Vectors of spec/crypto.md: hashes and derived keys, AEAD constructions, KEMs, HPKE, signatures, Merkle trees. */

import { p256 } from '@noble/curves/nist.js';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import type { ErrorCode } from '../../../src/errors.ts';
import {
  aeadSeal,
  chunkSeal,
  ED25519,
  ES256,
  hkdfExpand,
  hpkeSeal,
  kem,
  KEM_MLKEM768_P256,
  KEM_P256,
  KEM_X25519,
  KEM_XWING,
  keyStream,
  leafHash,
  ML_DSA_44,
  ML_DSA_65_ED25519,
  nodeHash,
  RootFolder,
  sealOnce,
  sha256,
  stretch,
  type KemId,
} from '../../../src/crypto/index.ts';
import { labeledExpand, labeledExtract, uint16 } from '../../../src/crypto/labeled.ts';
import { concat, pad, tuple, utf8 } from '../../../src/wire/index.ts';
import { changed, flipped } from '../../mutation.ts';
import {
  compositeRepresentative,
  decapsulate,
  deterministicSigner,
  ed25519PublicKey,
  ed25519Sign,
  kemPublicKey,
} from '../../noble.ts';
import type { VectorCase, VectorFile } from '../file.ts';
import { hex, unhex } from '../hex.ts';
import { recordedRandom, seededRandom } from './seed.ts';
import { tupleItem, type Item } from './wire.ts';

export type CryptoCase = VectorCase &
  (
    | {
        readonly operation: 'hash tuple';
        readonly label: string;
        readonly items: readonly Item[];
        readonly encoded: string;
        readonly digest: string;
      }
    | {
        readonly operation: 'derive';
        readonly key: string;
        readonly label: string;
        readonly items: readonly Item[];
        readonly info: string;
        readonly derivedKey: string;
      }
    | {
        readonly operation: 'seal once';
        readonly key: string;
        readonly context: string;
        readonly salt?: string;
        readonly info?: string;
        readonly derivedKey?: string;
        readonly padded?: string;
        readonly plaintext?: string;
        readonly sealed: string;
      }
    | {
        readonly operation: 'stream chunk';
        readonly key: string;
        readonly index: number;
        readonly final: boolean;
        readonly nonce?: string;
        readonly plaintext?: string;
        readonly ciphertext: string;
      }
    | { readonly operation: 'key stream'; readonly key: string; readonly keyStream: string }
    | {
        readonly operation: 'kem key pair';
        readonly kem: number;
        readonly ikm: string;
        readonly secretKey?: string;
        readonly publicKey?: string;
      }
    | {
        readonly operation: 'encapsulate';
        readonly kem: number;
        readonly publicKey: string;
        readonly randomness: string;
        readonly encapsulation?: string;
        readonly sharedSecret?: string;
      }
    | {
        readonly operation: 'decapsulate';
        readonly kem: number;
        readonly secretKey: string;
        readonly encapsulation: string;
        readonly sharedSecret?: string;
      }
    | {
        readonly operation: 'hpke';
        readonly kem: number;
        readonly secretKey: string;
        readonly publicKey: string;
        readonly randomness?: string;
        readonly info: string;
        readonly aad: string;
        readonly plaintext?: string;
        readonly encapsulation: string;
        readonly sharedSecret?: string;
        readonly key?: string;
        readonly baseNonce?: string;
        readonly exporterSecret?: string;
        readonly ciphertext: string;
        readonly exports?: readonly {
          readonly context: string;
          readonly length: number;
          readonly value: string;
        }[];
      }
    | {
        readonly operation: 'sign';
        readonly algorithm: string;
        readonly secretKey: string;
        readonly publicKey: string;
        readonly message: string;
        readonly signature: string;
      }
    | {
        readonly operation: 'verify';
        readonly algorithm: string;
        readonly publicKey: string;
        readonly message: string;
        readonly signature: string;
      }
    | {
        readonly operation: 'stretch';
        readonly passphrase: string;
        readonly salt: string;
        readonly n: number;
        readonly r: number;
        readonly p: number;
        readonly key?: string;
      }
    | {
        readonly operation: 'tree root';
        readonly leaves: readonly string[];
        readonly leafHashes: readonly string[];
        readonly root: string;
      }
    | {
        readonly operation: 'inclusion';
        readonly leafHash: string;
        readonly index: number;
        readonly size: number;
        readonly proof: readonly string[];
        readonly root: string | null;
      }
    | {
        readonly operation: 'consistency';
        readonly older: number;
        readonly newer: number;
        readonly olderRoot: string;
        readonly proof: readonly string[];
        readonly roots: { readonly older: string; readonly newer: string } | null;
      }
  );

/** The file. */
export async function generate(): Promise<VectorFile<CryptoCase>> {
  return {
    description:
      'Constructions over the primitives: tuple hashes, derived keys, sealOnce, stream chunks, key streams, KEMs, HPKE, strict Ed25519, scrypt bounds and RFC 6962 trees.',
    spec: 'spec/crypto.md',
    cases: [
      ...hashCases(),
      ...sealOnceCases(),
      ...streamCases(),
      ...kemCases(),
      ...hpkeCases(),
      ...signatureCases(),
      ...es256Cases(),
      ...latticeCases(),
      ...(await stretchCases()),
      ...treeCases(),
    ],
  };
}

function hashCases(): CryptoCase[] {
  const key = seededRandom('crypto derive')(32);
  const tuples: readonly (readonly [string, readonly Item[]])[] = [
    ['example', []],
    ['example', [{ text: 'text' }, { integer: 7 }, { bytes: '0102' }]],
    ['example', [{ list: [{ text: 'a' }, { text: 'b' }] }]],
  ];
  return tuples.flatMap(([label, items], i): CryptoCase[] => {
    const encoded = tuple(label, ...items.map(tupleItem));
    const n = String(i);
    return [
      {
        name: `hash tuple: ${n}`,
        operation: 'hash tuple',
        label,
        items,
        encoded: hex(encoded),
        digest: hex(sha256(encoded)),
      },
      {
        name: `derive: ${n}`,
        operation: 'derive',
        key: hex(key),
        label,
        items,
        info: hex(encoded),
        derivedKey: hex(hkdfExpand(key, encoded, 32)),
      },
    ];
  });
}

function sealOnceCases(): CryptoCase[] {
  const good = { nothing: '', 'a short text': 'a short text', 'more than the floor': 'x'.repeat(300) };
  const random = seededRandom('crypto seal once');
  const key = random(32);
  const context = tuple('example context', 'somewhere');
  const sealed = (name: string, text: string, bound: Uint8Array): CryptoCase & { salt: string } => {
    const { random: salted, taken } = recordedRandom(`crypto seal once ${name}`);
    const out = sealOnce(key, bound, utf8(text), salted);
    const salt = unhex(taken());
    const info = tuple('once', salt, bound);
    return {
      name: `seal once: ${name}`,
      operation: 'seal once',
      key: hex(key),
      context: hex(bound),
      salt: hex(salt),
      info: hex(info),
      derivedKey: hex(hkdfExpand(key, info, 32)),
      padded: hex(pad(utf8(text))),
      plaintext: hex(utf8(text)),
      sealed: hex(out),
    };
  };
  const whole = sealOnce(key, context, utf8('secret'), random);
  const unpadded = (padded: Uint8Array): Uint8Array => {
    // What a sender that does not pad, or pads otherwise, would make: the key is right, the padding is not.
    const salt = random(32);
    const derived = hkdfExpand(key, tuple('once', salt, context), 32);
    return concat(salt, aeadSeal(derived, context, padded));
  };
  const refused = (name: string, out: Uint8Array, other: { key?: Uint8Array; context?: Uint8Array } = {}) =>
    ({
      name: `seal once: ${name}`,
      operation: 'seal once',
      key: hex(other.key ?? key),
      context: hex(other.context ?? context),
      sealed: hex(out),
      error: 'KEY_OPEN',
    }) satisfies CryptoCase;
  return [
    ...Object.entries(good).map(([name, text]) => sealed(name, text, context)),
    sealed('an empty context', 'text', new Uint8Array(0)),
    refused('the salt altered', flipped(whole, 31)),
    refused('the ciphertext altered', flipped(whole, 32)),
    refused('the tag altered', flipped(whole, whole.length - 1, 0x80)),
    refused('another key', whole, { key: flipped(key, 0) }),
    refused('another context', whole, { context: tuple('example context', 'elsewhere') }),
    refused('cut off by a byte', whole.subarray(0, -1)),
    refused('a salt and nothing else', whole.subarray(0, 32)),
    refused('part of a salt', whole.subarray(0, 31)),
    refused('no bytes at all', new Uint8Array(0)),
    refused('a plaintext that was not padded', unpadded(utf8('secret'))),
    refused('padding that is not zeros', unpadded(changed(pad(utf8('secret')), 255, 1))),
  ];
}

function streamCases(): CryptoCase[] {
  const random = seededRandom('crypto stream');
  const key = random(32);
  const nonce = (index: number, final: boolean): string =>
    index.toString(16).padStart(22, '0') + (final ? '01' : '00');
  const chunks: readonly (readonly [number, boolean, number])[] = [
    [0, false, 16],
    [0, true, 0],
    [1, true, 5],
    [256, false, 64],
    [4294967296, true, 3],
    [9007199254740991, true, 1],
  ];
  const chunk = chunkSeal(key, 3, false, utf8('chunk three'));
  const refused = (name: string, index: number, final: boolean, ciphertext: Uint8Array): CryptoCase => ({
    name: `stream chunk: ${name}`,
    operation: 'stream chunk',
    key: hex(key),
    index,
    final,
    ciphertext: hex(ciphertext),
    error: 'KEY_OPEN',
  });
  return [
    ...chunks.map(([index, final, length]): CryptoCase => {
      const plaintext = random(length);
      return {
        name: `stream chunk: ${String(index)}${final ? ', the last' : ''}`,
        operation: 'stream chunk',
        key: hex(key),
        index,
        final,
        nonce: nonce(index, final),
        plaintext: hex(plaintext),
        ciphertext: hex(chunkSeal(key, index, final, plaintext)),
      };
    }),
    refused('at another place', 4, false, chunk),
    refused('passed off as the last', 3, true, chunk),
    refused('altered', 3, false, flipped(chunk, 0)),
    refused('shorter than a tag', 3, false, chunk.subarray(0, 15)),
    {
      name: 'key stream: three blocks and a bit',
      operation: 'key stream',
      key: hex(key),
      keyStream: hex(keyStream(key, 200)),
    },
    {
      name: 'key stream: the key of RFC 8439, appendix A.1, vector 1',
      operation: 'key stream',
      key: '00'.repeat(32),
      keyStream: hex(keyStream(new Uint8Array(32), 64)),
    },
  ];
}

function kemCases(): CryptoCase[] {
  const every = ([KEM_X25519, KEM_P256, KEM_XWING, KEM_MLKEM768_P256] as const).flatMap(
    (id): CryptoCase[] => {
      const algorithm = kem(id);
      const ikm = seededRandom(`crypto kem ${algorithm.name}`)(32);
      const secretKey = algorithm.deriveSecretKey(ikm);
      const publicKey = kemPublicKey(id, secretKey);
      const { random, taken } = recordedRandom(`crypto encapsulate ${algorithm.name}`);
      const { encapsulation, sharedSecret } = algorithm.encapsulate(publicKey, random);
      const altered = id === KEM_P256 ? null : flipped(encapsulation, 0);
      const common = { kem: id, secretKey: hex(secretKey) };
      return [
        {
          name: `kem key pair: ${algorithm.name}`,
          operation: 'kem key pair',
          kem: id,
          ikm: hex(ikm),
          secretKey: hex(secretKey),
          publicKey: hex(publicKey),
        },
        {
          name: `encapsulate: ${algorithm.name}`,
          operation: 'encapsulate',
          kem: id,
          publicKey: hex(publicKey),
          randomness: taken(),
          encapsulation: hex(encapsulation),
          sharedSecret: hex(sharedSecret),
        },
        {
          name: `decapsulate: ${algorithm.name}`,
          operation: 'decapsulate',
          ...common,
          encapsulation: hex(encapsulation),
          sharedSecret: hex(sharedSecret),
        },
        // A P-256 point that is altered is none: see below.
        ...(altered === null
          ? []
          : [
              {
                name: `decapsulate: ${algorithm.name}, altered, gives another secret`,
                operation: 'decapsulate',
                ...common,
                encapsulation: hex(altered),
                sharedSecret: hex(decapsulate(id, altered, secretKey)),
              } as const,
            ]),
        {
          name: `decapsulate: ${algorithm.name}, one byte short`,
          operation: 'decapsulate',
          ...common,
          encapsulation: hex(encapsulation.subarray(0, -1)),
          error: 'KEY_OPEN',
        },
        {
          name: `encapsulate: ${algorithm.name}, a public key one byte short`,
          operation: 'encapsulate',
          kem: id,
          publicKey: hex(publicKey.subarray(0, -1)),
          randomness: taken(),
          error: 'KEY_PUBLIC',
        },
      ];
    },
  );
  const x25519 = pairOf(KEM_X25519);
  const xwing = pairOf(KEM_XWING);
  const { random, taken } = recordedRandom('crypto encapsulate X-Wing');
  const honest = kem(KEM_XWING).encapsulate(xwing.publicKey, random).encapsulation;
  const randomness = taken();
  const noPoint = '00'.repeat(32);
  return [
    ...every,
    ...p256Cases(),
    {
      name: 'kem key pair: an id that is not supported (X448)',
      operation: 'kem key pair',
      kem: 0x0021,
      ikm: '00'.repeat(32),
      error: 'KEY_ALGORITHM',
    },
    ...SMALL_ORDER_X25519.map((publicKey, i): CryptoCase => ({
      name: `encapsulate: X25519, small-order public key ${String(i)}`,
      operation: 'encapsulate',
      kem: KEM_X25519,
      publicKey,
      randomness: randomness.slice(0, 64),
      error: 'KEY_PUBLIC',
    })),
    {
      name: 'decapsulate: X25519, a small-order share',
      operation: 'decapsulate',
      kem: KEM_X25519,
      secretKey: hex(x25519.secretKey),
      encapsulation: noPoint,
      error: 'KEY_OPEN',
    },
    {
      name: 'encapsulate: X-Wing, a small-order X25519 half',
      operation: 'encapsulate',
      kem: KEM_XWING,
      publicKey: hex(xwing.publicKey.subarray(0, 1184)) + noPoint,
      randomness,
      error: 'KEY_PUBLIC',
    },
    {
      name: 'encapsulate: X-Wing, an ML-KEM coefficient that is not reduced',
      operation: 'encapsulate',
      kem: KEM_XWING,
      publicKey: 'ffff' + hex(xwing.publicKey.subarray(2)),
      randomness,
      error: 'KEY_PUBLIC',
    },
    {
      name: 'decapsulate: X-Wing, a small-order X25519 half',
      operation: 'decapsulate',
      kem: KEM_XWING,
      secretKey: hex(xwing.secretKey),
      encapsulation: hex(honest.subarray(0, 1088)) + noPoint,
      error: 'KEY_OPEN',
    },
  ];
}

// What only a P-256 point can be: compressed, off the curve, at infinity.
function p256Cases(): CryptoCase[] {
  const { secretKey, publicKey } = pairOf(KEM_P256);
  const hybrid = pairOf(KEM_MLKEM768_P256);
  const randomness = hex(seededRandom('crypto P-256 refusals')(160));
  const compressed = Uint8Array.of(2 + ((publicKey[64] ?? 0) & 1), ...publicKey.subarray(1, 33));
  const spellings = [
    ['off the curve', flipped(publicKey, 64)],
    ['compressed', compressed],
    ['in the hybrid spelling', changed(publicKey, 0, 6 + ((publicKey[64] ?? 0) & 1))],
    ['the point at infinity', new Uint8Array(65)],
    ['a coordinate that is not reduced', concat(Uint8Array.of(4), new Uint8Array(64).fill(0xff))],
  ] as const;
  const points = spellings.flatMap(([name, point]): CryptoCase[] => [
    {
      name: `encapsulate: P-256, a public key ${name}`,
      operation: 'encapsulate',
      kem: KEM_P256,
      publicKey: hex(point),
      randomness: randomness.slice(0, 64),
      error: 'KEY_PUBLIC',
    },
    {
      name: `decapsulate: P-256, an encapsulation ${name}`,
      operation: 'decapsulate',
      kem: KEM_P256,
      secretKey: hex(secretKey),
      encapsulation: hex(point),
      error: 'KEY_OPEN',
    },
  ]);
  return [
    ...points,
    {
      name: 'encapsulate: MLKEM768-P256, a P-256 half off the curve',
      operation: 'encapsulate',
      kem: KEM_MLKEM768_P256,
      publicKey: hex(flipped(hybrid.publicKey, hybrid.publicKey.length - 1)),
      randomness,
      error: 'KEY_PUBLIC',
    },
    {
      name: 'decapsulate: MLKEM768-P256, a P-256 half off the curve',
      operation: 'decapsulate',
      kem: KEM_MLKEM768_P256,
      secretKey: hex(hybrid.secretKey),
      encapsulation: '00'.repeat(1088) + hex(flipped(publicKey, 64)),
      error: 'KEY_OPEN',
    },
  ];
}

function pairOf(id: KemId): { secretKey: Uint8Array; publicKey: Uint8Array } {
  const secretKey = kem(id).deriveSecretKey(seededRandom(`crypto kem ${kem(id).name}`)(32));
  return { secretKey, publicKey: kemPublicKey(id, secretKey) };
}

function hpkeCases(): CryptoCase[] {
  const texts: readonly (readonly [KemId, string, string, string, string])[] = [
    [KEM_X25519, 'X25519', 'info', 'associated data', 'a message'],
    [KEM_X25519, 'X25519, everything empty', '', '', ''],
    [KEM_P256, 'P-256', 'info', 'associated data', 'a message'],
    [KEM_XWING, 'X-Wing', 'info', 'associated data', 'a message'],
    [KEM_MLKEM768_P256, 'MLKEM768-P256', 'info', 'associated data', 'a message'],
  ];
  return texts.flatMap(([id, name, info, aad, plaintext]): CryptoCase[] => {
    const secretKey = kem(id).deriveSecretKey(seededRandom(`crypto hpke ${name}`)(32));
    const publicKey = kemPublicKey(id, secretKey);
    const { random, taken } = recordedRandom(`crypto hpke encapsulation ${name}`);
    const sealed = hpkeSeal({ kem: id, publicKey }, utf8(info), utf8(aad), utf8(plaintext), random);
    const sharedSecret = decapsulate(id, sealed.encapsulation, secretKey);
    const whole = {
      operation: 'hpke',
      kem: id,
      secretKey: hex(secretKey),
      publicKey: hex(publicKey),
      info: hex(utf8(info)),
      aad: hex(utf8(aad)),
      encapsulation: hex(sealed.encapsulation),
      ciphertext: hex(sealed.ciphertext),
    } as const;
    const done: CryptoCase = {
      name: `hpke: ${name}`,
      ...whole,
      randomness: taken(),
      plaintext: hex(utf8(plaintext)),
      sharedSecret: hex(sharedSecret),
      ...schedule(id, sharedSecret, utf8(info)),
      exports: [
        { context: '', length: 32, value: hex(sealed.exporter(new Uint8Array(0), 32)) },
        { context: hex(tuple('x')), length: 32, value: hex(sealed.exporter(tuple('x'), 32)) },
        { context: '00', length: 65, value: hex(sealed.exporter(Uint8Array.of(0), 65)) },
      ],
    };
    if (name !== 'X25519') return [done];
    const refused = (what: string, other: Partial<typeof whole>): CryptoCase => ({
      name: `hpke: ${what}`,
      ...whole,
      ...other,
      error: 'KEY_OPEN',
    });
    return [
      done,
      refused('another info', { info: hex(utf8('Info')) }),
      refused('other associated data', { aad: '' }),
      refused('the encapsulation altered', { encapsulation: hex(flipped(sealed.encapsulation, 0)) }),
      refused('the top bit of the encapsulation set, which X25519 ignores', {
        encapsulation: hex(flipped(sealed.encapsulation, 31, 0x80)),
      }),
      refused('the ciphertext altered', { ciphertext: hex(flipped(sealed.ciphertext, 0)) }),
      refused('the ciphertext cut off', { ciphertext: hex(sealed.ciphertext.subarray(0, -1)) }),
      refused('less than a tag', { ciphertext: hex(sealed.ciphertext.subarray(0, 15)) }),
      refused('another key', { secretKey: hex(flipped(secretKey, 1)) }),
    ];
  });
}

// The key schedule's intermediate values, which the library keeps to itself.
function schedule(id: KemId, sharedSecret: Uint8Array, info: Uint8Array) {
  const none = new Uint8Array(0);
  const suite = concat(utf8('HPKE'), uint16(id), uint16(1), uint16(3));
  const context = concat(
    Uint8Array.of(0),
    labeledExtract(suite, none, 'psk_id_hash', none),
    labeledExtract(suite, none, 'info_hash', info),
  );
  const secret = labeledExtract(suite, sharedSecret, 'secret', none);
  return {
    key: hex(labeledExpand(suite, secret, 'key', context, 32)),
    baseNonce: hex(labeledExpand(suite, secret, 'base_nonce', context, 12)),
    exporterSecret: hex(labeledExpand(suite, secret, 'exp', context, 32)),
  };
}

function signatureCases(): CryptoCase[] {
  const seed = seededRandom('crypto sign')(32);
  const publicKey = ed25519PublicKey(seed);
  const message = tuple('example signature', 'text');
  const signature = ed25519Sign(seed, message);
  const sign = (name: string, signed: Uint8Array): CryptoCase =>
    signCase(name, ED25519, {
      secretKey: seed,
      publicKey,
      message: signed,
      signature: ed25519Sign(seed, signed),
    });
  const verify = refusedSignature({
    algorithm: ED25519,
    publicKey: hex(publicKey),
    message: hex(message),
    signature: hex(signature),
  });
  const r = hex(signature.subarray(0, 32));
  const s = littleEndian(signature.subarray(32));
  return [
    sign('a tuple', message),
    sign('nothing', new Uint8Array(0)),
    verify('another message', 'KEY_SIGNATURE', { message: hex(message) + '00' }),
    verify('R altered', 'KEY_SIGNATURE', { signature: hex(flipped(signature, 0)) }),
    verify('S altered', 'KEY_SIGNATURE', { signature: hex(flipped(signature, 32)) }),
    verify('S plus the group order', 'KEY_SIGNATURE', { signature: r + thirtyTwoBytes(s + ORDER) }),
    verify('S equal to the group order', 'KEY_SIGNATURE', { signature: r + thirtyTwoBytes(ORDER) }),
    verify('S with its top bit set', 'KEY_SIGNATURE', { signature: hex(flipped(signature, 63, 0x80)) }),
    verify('63 bytes', 'KEY_SIGNATURE', { signature: hex(signature.subarray(0, 63)) }),
    verify('65 bytes', 'KEY_SIGNATURE', { signature: hex(signature) + '00' }),
    verify('no signature', 'KEY_SIGNATURE', { signature: '' }),
    verify('all zeros under a good key', 'KEY_SIGNATURE', { signature: '00'.repeat(64) }),
    verify('the neutral element as R, S zero', 'KEY_SIGNATURE', {
      signature: '01' + '00'.repeat(63),
    }),
    verify('a key that is no point', 'KEY_PUBLIC', { publicKey: '02' + '00'.repeat(31) }),
    verify('a key one byte short', 'KEY_PUBLIC', { publicKey: hex(publicKey.subarray(0, 31)) }),
    verify('a key one byte long', 'KEY_PUBLIC', { publicKey: hex(publicKey) + '00' }),
    verify('a key that is not canonical: y = p + 3', 'KEY_PUBLIC', {
      publicKey: 'f0' + 'ff'.repeat(30) + '7f',
    }),
    ...SMALL_ORDER_ED25519.map((key, i) =>
      verify(`small-order key ${String(i)}, all zeros`, 'KEY_PUBLIC', {
        publicKey: key,
        signature: '00'.repeat(64),
      }),
    ),
  ];
}

function es256Cases(): CryptoCase[] {
  const { publicKey, message, signature, made, verify } = signed(ES256, 32);
  const [r, s] = [hex(signature.subarray(0, 32)), BigInt(`0x${hex(signature.subarray(32))}`)];
  const sign = (publicKey[64] ?? 0) & 1;
  const compressed = concat(Uint8Array.of(2 + sign), publicKey.subarray(1, 33));
  return [
    made,
    verify('another message', 'KEY_SIGNATURE', { message: hex(message) + '00' }),
    verify('r altered', 'KEY_SIGNATURE', { signature: hex(flipped(signature, 0)) }),
    verify('s altered', 'KEY_SIGNATURE', { signature: hex(flipped(signature, 63)) }),
    verify('the high s', 'KEY_SIGNATURE', { signature: r + scalar(P256_ORDER - s) }),
    verify('r zero', 'KEY_SIGNATURE', { signature: scalar(0n) + scalar(s) }),
    verify('s zero', 'KEY_SIGNATURE', { signature: r + scalar(0n) }),
    verify('r equal to the group order', 'KEY_SIGNATURE', { signature: scalar(P256_ORDER) + scalar(s) }),
    verify('63 bytes', 'KEY_SIGNATURE', { signature: hex(signature.subarray(0, 63)) }),
    verify('65 bytes', 'KEY_SIGNATURE', { signature: hex(signature) + '00' }),
    verify('a key off the curve', 'KEY_PUBLIC', { publicKey: hex(flipped(publicKey, 64)) }),
    verify('a compressed key', 'KEY_PUBLIC', { publicKey: hex(compressed) }),
    verify('a key in the hybrid spelling', 'KEY_PUBLIC', { publicKey: hex(changed(publicKey, 0, 6 + sign)) }),
    verify('the point at infinity', 'KEY_PUBLIC', { publicKey: '00'.repeat(65) }),
  ];
}

function latticeCases(): CryptoCase[] {
  const lines = signed(ML_DSA_44, 32);
  const both = signed(ML_DSA_65_ED25519, 64);
  const { message, signature, publicKey, secretKey, verify } = both;
  const [latticeHalf, half] = [signature.subarray(0, 3309), signature.subarray(3309)];
  const lattice = ml_dsa65.keygen(secretKey.slice(0, 32));
  const representative = compositeRepresentative(message);
  const withoutContext = ml_dsa65.sign(representative, lattice.secretKey, { extraEntropy: false });
  return [
    lines.made,
    lines.verify('another message', 'KEY_SIGNATURE', { message: hex(message) + '00' }),
    lines.verify('altered', 'KEY_SIGNATURE', { signature: hex(flipped(lines.signature, 0)) }),
    lines.verify('a byte short', 'KEY_SIGNATURE', { signature: hex(lines.signature.subarray(0, -1)) }),
    lines.verify('a key a byte short', 'KEY_PUBLIC', { publicKey: hex(lines.publicKey.subarray(0, -1)) }),
    both.made,
    verify('another message', 'KEY_SIGNATURE', { message: hex(message) + '00' }),
    verify('the ML-DSA half altered', 'KEY_SIGNATURE', { signature: hex(flipped(signature, 0)) }),
    verify('the Ed25519 half altered', 'KEY_SIGNATURE', { signature: hex(flipped(signature, 3309)) }),
    verify('an ML-DSA half without its context', 'KEY_SIGNATURE', {
      signature: hex(concat(withoutContext, half)),
    }),
    verify('an Ed25519 half over the bare message', 'KEY_SIGNATURE', {
      signature: hex(concat(latticeHalf, ed25519Sign(secretKey.slice(32), message))),
    }),
    verify('the halves exchanged', 'KEY_SIGNATURE', { signature: hex(concat(half, latticeHalf)) }),
    verify('a byte short', 'KEY_SIGNATURE', { signature: hex(signature.subarray(0, -1)) }),
    verify('a key a byte short', 'KEY_PUBLIC', { publicKey: hex(publicKey.subarray(0, -1)) }),
    verify('an Ed25519 half of the key of small order', 'KEY_PUBLIC', {
      publicKey: hex(publicKey.subarray(0, 1952)) + '00'.repeat(32),
    }),
  ];
}

// One signature, and the maker of those that are refused. ECDSA and ML-DSA sign deterministically here, so that the
// vectors are the same each time; an implementation need not.
function signed(algorithm: string, length: number) {
  const secretKey = seededRandom(`crypto sign ${algorithm}`)(length);
  const { publicKey, sign } = deterministicSigner(algorithm, secretKey);
  const message = tuple('example signature', 'text');
  const signature = sign(message);
  const made = signCase('a tuple', algorithm, { secretKey, publicKey, message, signature });
  const verify = refusedSignature({
    algorithm,
    publicKey: hex(publicKey),
    message: hex(message),
    signature: hex(signature),
  });
  return { secretKey, publicKey, message, signature, made, verify };
}

function signCase(
  name: string,
  algorithm: string,
  one: Record<'secretKey' | 'publicKey' | 'message' | 'signature', Uint8Array>,
): CryptoCase {
  return {
    name: `sign: ${algorithm}, ${name}`,
    operation: 'sign',
    algorithm,
    secretKey: hex(one.secretKey),
    publicKey: hex(one.publicKey),
    message: hex(one.message),
    signature: hex(one.signature),
  };
}

type Signed = Record<'algorithm' | 'publicKey' | 'message' | 'signature', string>;

function refusedSignature(good: Signed) {
  return (name: string, error: ErrorCode, other: Partial<Signed>): CryptoCase => ({
    name: `verify: ${good.algorithm}, ${name}`,
    operation: 'verify',
    ...good,
    ...other,
    error,
  });
}

const P256_ORDER = p256.Point.Fn.ORDER;

function scalar(value: bigint): string {
  return value.toString(16).padStart(64, '0');
}

async function stretchCases(): Promise<CryptoCase[]> {
  const salt = seededRandom('crypto stretch')(32);
  const cost = { n: 2 ** 14, r: 8, p: 1 };
  const base = { operation: 'stretch', salt: hex(salt) } as const;
  const good = async (name: string, passphrase: string): Promise<CryptoCase> => ({
    name: `stretch: ${name}`,
    ...base,
    passphrase,
    ...cost,
    key: hex(await stretch(passphrase, salt, cost)),
  });
  const refused = (name: string, other: Partial<typeof cost>): CryptoCase => ({
    name: `stretch: ${name}`,
    ...base,
    passphrase: 'passphrase',
    ...cost,
    ...other,
    error: 'KEY_FILE',
  });
  return [
    await good('a passphrase', 'correct horse battery staple'),
    await good('é in one code point', 'caf\u00e9'),
    await good('é in two code points, the same key', 'cafe\u0301'),
    await good('a full-width letter, the key of the plain one', '\uff41'),
    await good('a plain letter', 'a'),
    refused('n too small', { n: 2 ** 13 }),
    refused('n too large', { n: 2 ** 21 }),
    refused('n that is no power of two', { n: 2 ** 14 + 1 }),
    refused('n zero', { n: 0 }),
    refused('n below zero', { n: -16384 }),
    refused('another r', { r: 16 }),
    refused('another p', { p: 2 }),
    refused('a p that is no integer', { p: 1.5 }),
  ];
}

function treeCases(): CryptoCase[] {
  const random = seededRandom('crypto tree');
  const leaves = Array.from({ length: 13 }, (_, i) => random(i));
  const hashes = leaves.map(leafHash);
  const sizes = [0, 1, 2, 3, 4, 7, 8, 13];
  const roots = sizes.map((size): CryptoCase => {
    const folder = new RootFolder();
    for (const hash of hashes.slice(0, size)) folder.add(hash);
    return {
      name: `tree root: ${String(size)} leaves`,
      operation: 'tree root',
      leaves: leaves.slice(0, size).map(hex),
      leafHashes: hashes.slice(0, size).map(hex),
      root: hex(folder.root()),
    };
  });
  const inclusion = (name: string, index: number, size: number, proof: readonly Uint8Array[], ok: boolean) =>
    ({
      name: `inclusion: ${name}`,
      operation: 'inclusion',
      leafHash: hex(hashes[index] ?? new Uint8Array(32)),
      index,
      size,
      proof: proof.map(hex),
      root: ok ? hex(treeHash(hashes.slice(0, size))) : null,
    }) satisfies CryptoCase;
  const consistency = (
    name: string,
    older: number,
    newer: number,
    proof: readonly Uint8Array[],
    ok: boolean,
  ) => {
    const root = (size: number): string => hex(treeHash(hashes.slice(0, size)));
    return {
      name: `consistency: ${name}`,
      operation: 'consistency',
      older,
      newer,
      olderRoot: root(older),
      proof: proof.map(hex),
      roots: ok ? { older: root(older), newer: root(newer) } : null,
    } satisfies CryptoCase;
  };
  const places = [
    [0, 1],
    [0, 2],
    [1, 2],
    [2, 3],
    [0, 8],
    [5, 8],
    [6, 7],
    [12, 13],
    [4, 13],
  ] as const;
  const growths = [
    [1, 2],
    [1, 13],
    [2, 3],
    [3, 4],
    [4, 7],
    [6, 8],
    [7, 13],
    [8, 13],
    [12, 13],
  ] as const;
  const path = inclusionProof(5, hashes.slice(0, 8));
  const growth = consistencyProof(6, hashes.slice(0, 8));
  return [
    ...roots,
    ...places.map(([index, size]) =>
      inclusion(
        `leaf ${String(index)} of ${String(size)}`,
        index,
        size,
        inclusionProof(index, hashes.slice(0, size)),
        true,
      ),
    ),
    inclusion('a proof too short', 5, 8, path.slice(1), false),
    inclusion('a proof too long', 5, 8, [...path, random(32)], false),
    inclusion('an index past the end', 8, 8, path, false),
    inclusion('a hash of 31 bytes', 5, 8, [path[0] ?? random(32), random(31), random(32)], false),
    inclusion('an empty tree', 0, 0, [], false),
    ...growths.map(([older, newer]) =>
      consistency(
        `from ${String(older)} to ${String(newer)} leaves`,
        older,
        newer,
        consistencyProof(older, hashes.slice(0, newer)),
        true,
      ),
    ),
    consistency('a proof too short', 6, 8, growth.slice(0, -1), false),
    consistency('a proof too long', 6, 8, [...growth, random(32)], false),
    consistency('an empty proof', 6, 8, [], false),
    consistency('equal sizes', 6, 6, growth, false),
    consistency('a tree that shrinks', 8, 6, growth, false),
    consistency('from nothing', 0, 6, growth, false),
  ];
}

/** MTH of RFC 6962 section 2.1, as it is written there. */
export function treeHash(hashes: readonly Uint8Array[]): Uint8Array {
  const [only] = hashes;
  if (only === undefined) return sha256(new Uint8Array(0));
  if (hashes.length === 1) return only;
  const k = split(hashes.length);
  return nodeHash(treeHash(hashes.slice(0, k)), treeHash(hashes.slice(k)));
}

/** PATH(m, D[n]) of RFC 6962 section 2.1.1. */
export function inclusionProof(m: number, hashes: readonly Uint8Array[]): Uint8Array[] {
  if (hashes.length <= 1) return [];
  const k = split(hashes.length);
  const [left, right] = [hashes.slice(0, k), hashes.slice(k)];
  return m < k
    ? [...inclusionProof(m, left), treeHash(right)]
    : [...inclusionProof(m - k, right), treeHash(left)];
}

/** PROOF(m, D[n]) of RFC 6962 section 2.1.2. */
export function consistencyProof(m: number, hashes: readonly Uint8Array[], whole = true): Uint8Array[] {
  if (m === hashes.length) return whole ? [] : [treeHash(hashes)];
  const k = split(hashes.length);
  const [left, right] = [hashes.slice(0, k), hashes.slice(k)];
  return m <= k
    ? [...consistencyProof(m, left, whole), treeHash(right)]
    : [...consistencyProof(m - k, right, false), treeHash(left)];
}

// The largest power of two below n.
function split(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${hex(new Uint8Array(bytes).reverse())}`);
}

function thirtyTwoBytes(value: bigint): string {
  return hex(unhex(value.toString(16).padStart(64, '0')).reverse());
}

/** The points of order 1, 2, 4 and 8 on Curve25519, and spellings that X25519 reduces to them. */
const SMALL_ORDER_X25519 = [
  '00'.repeat(32),
  '01' + '00'.repeat(31),
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ec' + 'ff'.repeat(30) + '7f',
  'ed' + 'ff'.repeat(30) + '7f',
  'ee' + 'ff'.repeat(30) + '7f',
];

/** The eight points of small order on edwards25519, in their canonical spellings. */
const SMALL_ORDER_ED25519 = [
  '01' + '00'.repeat(31),
  'ec' + 'ff'.repeat(30) + '7f',
  '00'.repeat(32),
  '00'.repeat(31) + '80',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
];
