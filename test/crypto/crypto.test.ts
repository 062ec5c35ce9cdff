/** Properties of src/crypto, every byte altered, and what the vectors cannot say. */

import fc from 'fast-check';
import { createHmac, createPrivateKey, hkdfSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  aeadOpen,
  aeadSeal,
  chunkOpen,
  chunkSeal,
  ED25519,
  emptyRoot,
  equalSecrets,
  hashTuple,
  hkdfExpand,
  hkdfExtract,
  hmac,
  hpkeOpen,
  hpkeSeal,
  hpkeReceiver,
  hpkeSender,
  kem,
  KEM_MLKEM768_P256,
  KEM_P256,
  KEM_X25519,
  KEM_XWING,
  keyStream,
  leafHash,
  nodeHash,
  openOnce,
  RootFolder,
  rootFromInclusion,
  rootsFromConsistency,
  sealOnce,
  sha256,
  shuffle,
  signatureAlgorithm,
  systemRandom,
  type KemId,
} from '../../src/crypto/index.ts';
import { tuple, utf8 } from '../../src/wire/index.ts';
import { flipped } from '../mutation.ts';
import { PROPERTY, SLOW } from '../property.ts';
import { refusal, refusalOf } from '../refusal.ts';
import { consistencyProof, inclusionProof, treeHash } from '../vectors/generators/crypto.ts';
import { seededRandom } from '../vectors/generators/seed.ts';
import { hex } from '../vectors/hex.ts';

const bytes = fc.uint8Array({ maxLength: 200 });
const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
const KEMS: readonly (readonly [string, KemId])[] = [
  ['X25519', KEM_X25519],
  ['P-256', KEM_P256],
  ['X-Wing', KEM_XWING],
  ['MLKEM768-P256', KEM_MLKEM768_P256],
];

describe('hash and KDF', () => {
  it('agree with Node', () => {
    fc.assert(
      fc.property(key, bytes, bytes, fc.integer({ min: 1, max: 300 }), (salt, input, info, length) => {
        const derived = hkdfExpand(hkdfExtract(salt, input), info, length);
        expect(hex(derived)).toBe(hex(new Uint8Array(hkdfSync('sha256', input, salt, info, length))));
        expect(hex(hmac(salt, input))).toBe(createHmac('sha256', salt).update(input).digest('hex'));
      }),
      PROPERTY,
    );
  });

  it('hash a tuple as what it is encoded to, short or long, and while another is hashed', () => {
    for (let length = 900; length < 1100; length++) {
      const parts = [new Uint8Array(length).fill(length), 'é'];
      expect(hashTuple('example', ...parts)).toEqual(sha256(tuple('example', ...parts)));
    }
    const list: string[] = [];
    Object.defineProperty(list, 0, { enumerable: true, get: () => hex(hashTuple('inner', 'é'.repeat(300))) });
    const plain = [hex(sha256(tuple('inner', 'é'.repeat(300))))];
    expect(hashTuple('example', 'before', list, 'after')).toEqual(
      sha256(tuple('example', 'before', plain, 'after')),
    );
  });

  it('compare secrets', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(equalSecrets(a, b)).toBe(Buffer.from(a).equals(b));
        expect(equalSecrets(a, new Uint8Array(a))).toBe(true);
      }),
      PROPERTY,
    );
    expect(equalSecrets(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
  });
});

describe('AEAD', () => {
  it('opens what it sealed', () => {
    fc.assert(
      fc.property(key, bytes, bytes, fc.nat(), fc.boolean(), (secret, context, plaintext, index, final) => {
        expect(aeadOpen(secret, context, aeadSeal(secret, context, plaintext))).toEqual(plaintext);
        expect(openOnce(secret, context, sealOnce(secret, context, plaintext))).toEqual(plaintext);
        expect(chunkOpen(secret, index, final, chunkSeal(secret, index, final, plaintext))).toEqual(
          plaintext,
        );
      }),
      PROPERTY,
    );
  });

  it('refuses sealOnce with any byte altered, added or taken', () => {
    const [secret, context] = [systemRandom(32), utf8('context')];
    const sealed = sealOnce(secret, context, utf8('plaintext'));
    expect(sealed.length).toBe(32 + 256 + 16);
    let refused = 0;
    for (let at = 0; at < sealed.length; at++)
      for (const mask of [1, 0x80]) {
        expect(refusal(() => openOnce(secret, context, flipped(sealed, at, mask)))).toBe('KEY_OPEN');
        refused++;
      }
    for (let length = 0; length < sealed.length; length++, refused++)
      expect(refusal(() => openOnce(secret, context, sealed.subarray(0, length)))).toBe('KEY_OPEN');
    expect(refusal(() => openOnce(secret, context, Uint8Array.of(...sealed, 0)))).toBe('KEY_OPEN');
    expect(refused).toBe(3 * sealed.length);
  });

  it('refuses every altered byte of key and context', () => {
    const [secret, context] = [systemRandom(32), utf8('context')];
    const sealed = sealOnce(secret, context, utf8('plaintext'));
    for (let at = 0; at < 32; at++)
      expect(refusal(() => openOnce(flipped(secret, at), context, sealed))).toBe('KEY_OPEN');
    for (let at = 0; at < context.length; at++)
      expect(refusal(() => openOnce(secret, flipped(context, at), sealed))).toBe('KEY_OPEN');
  });

  it('never seals twice alike', () => {
    const [secret, context] = [systemRandom(32), utf8('context')];
    expect(sealOnce(secret, context, context)).not.toEqual(sealOnce(secret, context, context));
  });

  it('refuses a chunk with any byte altered, and at any other place', () => {
    const secret = systemRandom(32);
    const chunk = chunkSeal(secret, 7, false, utf8('chunk'));
    for (let at = 0; at < chunk.length; at++)
      expect(refusal(() => chunkOpen(secret, 7, false, flipped(chunk, at)))).toBe('KEY_OPEN');
    for (const index of [0, 6, 8, 7 + 2 ** 32, 7 * 256])
      expect(refusal(() => chunkOpen(secret, index, false, chunk))).toBe('KEY_OPEN');
    expect(refusal(() => chunkOpen(secret, 7, true, chunk))).toBe('KEY_OPEN');
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 53])('has no chunk %s', (index) => {
    expect(() => chunkSeal(systemRandom(32), index, false, utf8('chunk'))).toThrow(RangeError);
    expect(() => chunkOpen(systemRandom(32), index, false, new Uint8Array(16))).toThrow(RangeError);
  });

  it('gives the key stream of RFC 8439, appendix A.1', () => {
    expect(hex(keyStream(new Uint8Array(32), 64))).toBe(
      '76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7' +
        'da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586',
    );
    const stream = keyStream(new Uint8Array(32).fill(1), 500);
    expect(keyStream(new Uint8Array(32).fill(1), 33)).toEqual(stream.subarray(0, 33));
    expect(keyStream(new Uint8Array(32), 0)).toEqual(new Uint8Array(0));
  });
});

describe.each(KEMS)('HPKE with %s', (_, id) => {
  const secretKey = kem(id).deriveSecretKey(seededRandom('crypto test')(32));
  const { publicKey, decapsulate } = kem(id).secretKey(secretKey);
  const [info, aad, plaintext] = [utf8('info'), utf8('aad'), utf8('plaintext')];
  const open = async (encapsulation: Uint8Array, ciphertext: Uint8Array) =>
    hpkeOpen(id, await decapsulate(encapsulation), info, aad, ciphertext);

  it('opens what it sealed, and both sides export alike', async () => {
    const sealed = hpkeSeal({ kem: id, publicKey }, info, aad, plaintext);
    const opened = await open(sealed.encapsulation, sealed.ciphertext);
    expect(opened.plaintext).toEqual(plaintext);
    expect(opened.exporter(info, 40)).toEqual(sealed.exporter(info, 40));
    expect(opened.exporter(aad, 40)).not.toEqual(sealed.exporter(info, 40));
    expect(sealed.encapsulation.length).toBe(kem(id).encapsulationLength);
    expect(publicKey.length).toBe(kem(id).publicKeyLength);
  });

  it('refuses every altered byte', async () => {
    const sealed = hpkeSeal({ kem: id, publicKey }, info, aad, plaintext);
    // X-Wing takes milliseconds a byte: in a short run every 16th byte of its encapsulation, and each of its X25519 share.
    const places = [...sealed.encapsulation.keys()].filter(
      (at) => SLOW || !kem(id).postQuantum || at % 16 === 0 || at >= 1088 + 24,
    );
    for (const at of places) {
      const mask = at === sealed.encapsulation.length - 1 ? 0x80 : 1;
      expect(await refusalOf(() => open(flipped(sealed.encapsulation, at, mask), sealed.ciphertext))).toBe(
        'KEY_OPEN',
      );
    }
    const shared = await decapsulate(sealed.encapsulation);
    for (let at = 0; at < sealed.ciphertext.length; at++)
      expect(refusal(() => hpkeOpen(id, shared, info, aad, flipped(sealed.ciphertext, at)))).toBe('KEY_OPEN');
    for (let at = 0; at < info.length; at++)
      expect(refusal(() => hpkeOpen(id, shared, flipped(info, at), aad, sealed.ciphertext))).toBe('KEY_OPEN');
    for (let at = 0; at < aad.length; at++)
      expect(refusal(() => hpkeOpen(id, shared, info, flipped(aad, at), sealed.ciphertext))).toBe('KEY_OPEN');
    expect(refusal(() => hpkeOpen(id, shared, info, aad, new Uint8Array(0)))).toBe('KEY_OPEN');
    expect(places.length).toBeGreaterThanOrEqual(32);
  });

  it('separates the suites: the same secret under the other KEM id opens nothing', async () => {
    const sealed = hpkeSeal({ kem: id, publicKey }, info, aad, plaintext);
    const shared = await decapsulate(sealed.encapsulation);
    const other = id === KEM_X25519 ? KEM_XWING : KEM_X25519;
    expect(refusal(() => hpkeOpen(other, shared, info, aad, sealed.ciphertext))).toBe('KEY_OPEN');
  });

  it('opens the messages of a context in their order, and waits for one that was altered', async () => {
    const sender = hpkeSender({ kem: id, publicKey }, info);
    const messages = [0, 1, 2].map((n) => sender.seal(aad, Uint8Array.of(n)));
    const receiver = hpkeReceiver(id, await decapsulate(sender.encapsulation), info);
    expect(refusal(() => receiver.open(aad, messages[1]!))).toBe('KEY_OPEN');
    for (const [n, message] of messages.entries()) {
      expect(refusal(() => receiver.open(aad, flipped(message, 0)))).toBe('KEY_OPEN');
      expect(receiver.open(aad, message)).toEqual(Uint8Array.of(n));
    }
    expect(refusal(() => receiver.open(aad, messages[2]!))).toBe('KEY_OPEN');
    expect(new Set(messages.map(hex)).size).toBe(3);
  });

  it('refuses lengths that the KEM does not have', async () => {
    for (const length of [0, publicKey.length - 1, publicKey.length + 1])
      expect(refusal(() => kem(id).encapsulate(new Uint8Array(length).fill(1), systemRandom))).toBe(
        'KEY_PUBLIC',
      );
    for (const length of [0, kem(id).encapsulationLength - 1, kem(id).encapsulationLength + 1])
      expect(await refusalOf(() => decapsulate(new Uint8Array(length).fill(1)))).toBe('KEY_OPEN');
  });
});

describe('KEM ids', () => {
  it.each([0, 0x0011, 0x0021, 0x0042, 0xffff, -1, Number.NaN])('refuses %s', (id) => {
    expect(refusal(() => kem(id))).toBe('KEY_ALGORITHM');
  });
});

describe('Ed25519', () => {
  const seed = seededRandom('crypto ed25519')(32);
  const { secretKey, verify } = signatureAlgorithm(ED25519);
  const { publicKey, sign: ed25519Sign } = secretKey(seed);

  it('signs as Node signs, and returns the message that it verified', async () => {
    const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
    const node = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    await fc.assert(
      fc.asyncProperty(bytes, async (message) => {
        const signature = await ed25519Sign(message);
        expect(hex(signature)).toBe(sign(null, message, node).toString('hex'));
        expect(verify(publicKey, message, signature)).toBe(message);
      }),
      { ...PROPERTY, numRuns: 50 },
    );
  });

  it('refuses every altered byte of signature, message and key', async () => {
    const message = utf8('muniment');
    const signature = await ed25519Sign(message);
    for (let at = 0; at < 64; at++)
      expect(refusal(() => verify(publicKey, message, flipped(signature, at)))).toBe('KEY_SIGNATURE');
    for (let at = 0; at < message.length; at++)
      expect(refusal(() => verify(publicKey, flipped(message, at), signature))).toBe('KEY_SIGNATURE');
    const codes = Array.from({ length: 32 }, (_, at) =>
      refusal(() => verify(flipped(publicKey, at), message, signature)),
    );
    // About half of all strings are points.
    expect(new Set(codes)).toEqual(new Set(['KEY_PUBLIC', 'KEY_SIGNATURE']));
  });

  it('has no signature that verifies under every message', () => {
    // Under ZIP-215 rules the zero signature with a small-order key does.
    for (const key of ['00'.repeat(32), '01' + '00'.repeat(31)])
      expect(
        refusal(() => verify(new Uint8Array(Buffer.from(key, 'hex')), utf8('any'), new Uint8Array(64))),
      ).toBe('KEY_PUBLIC');
  });
});

describe('trees', () => {
  const hashes = Array.from({ length: 33 }, (_, i) => leafHash(Uint8Array.of(i)));

  it('have the roots and proofs of RFC 6962, for every size and place', () => {
    expect(hex(emptyRoot())).toBe(hex(treeHash([])));
    const folder = new RootFolder();
    let checked = 0;
    for (let size = 0; size <= hashes.length; size++) {
      const tree = hashes.slice(0, size);
      const root = hex(treeHash(tree));
      expect(hex(folder.root())).toBe(root);
      for (let index = 0; index < size; index++, checked++) {
        const found = rootFromInclusion(hashes[index]!, index, size, inclusionProof(index, tree));
        expect(hex(found!)).toBe(root);
      }
      for (let older = 1; older < size; older++, checked++) {
        const olderRoot = treeHash(tree.slice(0, older));
        const found = rootsFromConsistency(older, size, olderRoot, consistencyProof(older, tree));
        expect([hex(found!.older), hex(found!.newer)]).toEqual([hex(olderRoot), root]);
      }
      if (size < hashes.length) folder.add(hashes[size]!);
    }
    expect(checked).toBe((33 * 34) / 2 + (32 * 33) / 2);
  });

  it('lead an altered, cut or prolonged proof elsewhere', () => {
    const root = hex(treeHash(hashes));
    for (const index of [0, 1, 16, 31, 32]) {
      const proof = inclusionProof(index, hashes);
      const lead = (other: readonly Uint8Array[], at = index) => {
        const found = rootFromInclusion(hashes[index]!, at, hashes.length, other);
        return found === null ? null : hex(found);
      };
      expect(lead(proof)).toBe(root);
      for (const i of proof.keys())
        expect(lead(proof.map((one, j) => (i === j ? flipped(one, 0) : one)))).not.toBe(root);
      expect(lead(proof.slice(0, -1))).toBeNull();
      expect(lead([...proof, leafHash(Uint8Array.of(0))])).toBeNull();
      for (let other = 0; other < hashes.length; other++)
        if (other !== index) expect(lead(proof, other)).not.toBe(root);
    }
  });

  it.each([-1, 0.5, 1.5, Number.NaN, Infinity, 2 ** 53])('have no place or size %s', (number) => {
    const proof = inclusionProof(0, hashes.slice(0, 2));
    expect(rootFromInclusion(hashes[0]!, number, 2, proof)).toBeNull();
    expect(rootFromInclusion(hashes[0]!, 0, number, proof)).toBeNull();
    expect(rootsFromConsistency(number, 2, hashes[0]!, [hashes[1]!])).toBeNull();
    expect(rootsFromConsistency(1, number, hashes[0]!, [hashes[1]!])).toBeNull();
  });

  it.each([32, 48, 49, 52])('may have 2^%i leaves', (height) => {
    // All leaves alike, so that a perfect tree of any height is one hash a level.
    const perfect = [leafHash(Uint8Array.of(1))];
    for (let level = 0; level < height; level++) perfect.push(nodeHash(perfect[level]!, perfect[level]!));
    const [older, newer] = [2 ** height - 1, 2 ** height];
    const olderRoot = perfect
      .slice(0, height)
      .reduce((right, left, i) => (i === 0 ? left : nodeHash(left, right)));
    const found = rootsFromConsistency(older, newer, olderRoot, [perfect[0]!, ...perfect.slice(0, height)]);
    expect(hex(found!.older)).toBe(hex(olderRoot));
    expect(hex(found!.newer)).toBe(hex(perfect[height]!));
    expect(hex(rootFromInclusion(perfect[0]!, newer - 2, newer, perfect.slice(0, height))!)).toBe(
      hex(perfect[height]!),
    );
  });
});

describe('randomness', () => {
  it('gives fresh bytes', () => {
    for (const length of [0, 1, 32, 65_536]) expect(systemRandom(length).length).toBe(length);
    expect(systemRandom(32)).not.toEqual(systemRandom(32));
  });

  it('shuffles into every order equally often', () => {
    const random = seededRandom('shuffle');
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const items = ['a', 'b', 'c'];
      shuffle(items, random);
      counts.set(items.join(''), (counts.get(items.join('')) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual(['abc', 'acb', 'bac', 'bca', 'cab', 'cba']);
    // Five standard deviations of a fair count.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(145);
  });

  it('draws from the bytes that it was given, wherever they lie in memory', () => {
    const pool = new Uint8Array(1024);
    const stream = seededRandom('shuffle pool');
    let at = 0;
    const pooled = (length: number): Uint8Array => {
      pool.set(stream(length), at);
      at += length;
      return pool.subarray(at - length, at);
    };
    const [fresh, inPool] = [
      Array.from({ length: 20 }, (_, i) => i),
      Array.from({ length: 20 }, (_, i) => i),
    ];
    shuffle(fresh, seededRandom('shuffle pool'));
    shuffle(inPool, pooled);
    expect(inPool).toEqual(fresh);
  });
});
