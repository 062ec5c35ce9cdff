/**
 * test/vectors/crypto.json, read back by the library; and, where Node has the primitive, recomputed without it, so
 * that the vectors are more than a portrait of this implementation.
 */

import { createCipheriv, createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  chunkOpen,
  chunkSeal,
  deriveTuple,
  ED25519,
  emptyRoot,
  hashTuple,
  hpkeOpen,
  hpkeSeal,
  kem,
  keyStream,
  leafHash,
  openOnce,
  RootFolder,
  rootFromInclusion,
  rootsFromConsistency,
  sealOnce,
  signatureAlgorithm,
  stretch,
  type KemId,
  type Random,
} from '../../src/crypto/index.ts';
import { tuple } from '../../src/wire/index.ts';
import { refusal, refusalOf } from '../refusal.ts';
import { casesOf, readVectors } from '../vectors/file.ts';
import type { CryptoCase } from '../vectors/generators/crypto.ts';
import { tupleItem } from '../vectors/generators/wire.ts';
import { hex, unhex } from '../vectors/hex.ts';

const file = readVectors<CryptoCase>('crypto');

it('holds as many cases as it should', () => {
  const counts: Record<string, number> = {};
  for (const { operation } of file.cases) counts[operation] = (counts[operation] ?? 0) + 1;
  expect(counts).toEqual({
    'hash tuple': 3,
    derive: 3,
    'seal once': 15,
    'stream chunk': 10,
    'key stream': 2,
    'kem key pair': 5,
    encapsulate: 23,
    decapsulate: 19,
    hpke: 13,
    sign: 5,
    verify: 49,
    stretch: 13,
    'tree root': 8,
    inclusion: 14,
    consistency: 15,
  });
});

describe('hash tuple and derive', () => {
  it.each(casesOf(file, 'hash tuple'))('$name', ({ label, items, encoded, digest }) => {
    expect(hex(tuple(label, ...items.map(tupleItem)))).toBe(encoded);
    expect(hex(hashTuple(label, ...items.map(tupleItem)))).toBe(digest);
    expect(createHash('sha256').update(unhex(encoded)).digest('hex')).toBe(digest);
  });

  it.each(casesOf(file, 'derive'))('$name', ({ key, label, items, info, derivedKey }) => {
    expect(hex(deriveTuple(unhex(key), label, ...items.map(tupleItem)))).toBe(derivedKey);
    expect(hex(nodeExpand(unhex(key), unhex(info)))).toBe(derivedKey);
  });
});

describe('seal once', () => {
  it.each(casesOf(file, 'seal once'))('$name', ({ key, context, sealed, error, ...rest }) => {
    if (error !== undefined) {
      expect(refusal(() => openOnce(unhex(key), unhex(context), unhex(sealed)))).toBe(error);
      return;
    }
    const { plaintext = '', salt = '', info = '', derivedKey = '', padded = '' } = rest;
    expect(hex(openOnce(unhex(key), unhex(context), unhex(sealed)))).toBe(plaintext);
    expect(hex(sealOnce(unhex(key), unhex(context), unhex(plaintext), given(salt)))).toBe(sealed);
    expect(hex(nodeExpand(unhex(key), unhex(info)))).toBe(derivedKey);
    expect(salt + hex(nodeSeal(derivedKey, '00'.repeat(12), context, padded))).toBe(sealed);
  });
});

describe('stream chunk and key stream', () => {
  it.each(casesOf(file, 'stream chunk'))('$name', ({ key, index, final, ciphertext, error, ...rest }) => {
    if (error !== undefined) {
      expect(refusal(() => chunkOpen(unhex(key), index, final, unhex(ciphertext)))).toBe(error);
      return;
    }
    const { plaintext = '', nonce = '' } = rest;
    expect(hex(chunkOpen(unhex(key), index, final, unhex(ciphertext)))).toBe(plaintext);
    expect(hex(chunkSeal(unhex(key), index, final, unhex(plaintext)))).toBe(ciphertext);
    expect(hex(nodeSeal(key, nonce, '', plaintext))).toBe(ciphertext);
  });

  it.each(casesOf(file, 'key stream'))('$name', ({ key, keyStream: stream }) => {
    const length = stream.length / 2;
    expect(hex(keyStream(unhex(key), length))).toBe(stream);
    // Node's ChaCha20 takes the block counter and the nonce as one value of 16 bytes.
    const cipher = createCipheriv('chacha20', unhex(key), new Uint8Array(16));
    expect(cipher.update(new Uint8Array(length)).toString('hex')).toBe(stream);
  });
});

describe('KEM', () => {
  it.each(casesOf(file, 'kem key pair'))('$name', ({ kem: id, ikm, error, ...rest }) => {
    if (error !== undefined) expect(refusal(() => kem(id))).toBe(error);
    else {
      const secretKey = kem(id).deriveSecretKey(unhex(ikm));
      const { publicKey } = kem(id).secretKey(secretKey);
      expect({ secretKey: hex(secretKey), publicKey: hex(publicKey) }).toEqual({
        secretKey: rest.secretKey,
        publicKey: rest.publicKey,
      });
    }
  });

  it.each(casesOf(file, 'encapsulate'))('$name', ({ kem: id, publicKey, randomness, error, ...rest }) => {
    const run = () => kem(id).encapsulate(unhex(publicKey), given(randomness));
    if (error !== undefined) expect(refusal(run)).toBe(error);
    else {
      expect(hex(run().encapsulation)).toBe(rest.encapsulation);
      expect(hex(run().sharedSecret)).toBe(rest.sharedSecret);
    }
  });

  it.each(casesOf(file, 'decapsulate'))('$name', async ({ kem: id, secretKey, encapsulation, ...rest }) => {
    const run = () => kem(id).secretKey(unhex(secretKey)).decapsulate(unhex(encapsulation));
    if (rest.error !== undefined) expect(await refusalOf(run)).toBe(rest.error);
    else expect(hex(await run())).toBe(rest.sharedSecret);
  });

  it('gives a secret of its own to an altered encapsulation', () => {
    const secrets = casesOf(file, 'decapsulate').flatMap((one) => one.sharedSecret ?? []);
    expect(new Set(secrets).size).toBe(secrets.length);
  });
});

describe('HPKE', () => {
  it.each(casesOf(file, 'hpke'))('$name', async (one) => {
    const id = one.kem as KemId;
    const [info, aad] = [unhex(one.info), unhex(one.aad)];
    const open = async () => {
      const sharedSecret = await kem(id)
        .secretKey(unhex(one.secretKey))
        .decapsulate(unhex(one.encapsulation));
      return { sharedSecret, ...hpkeOpen(id, sharedSecret, info, aad, unhex(one.ciphertext)) };
    };
    if (one.error !== undefined) {
      expect(await refusalOf(open)).toBe(one.error);
      return;
    }
    const opened = await open();
    expect(hex(opened.sharedSecret)).toBe(one.sharedSecret);
    expect(hex(opened.plaintext)).toBe(one.plaintext);
    const sealed = hpkeSeal(
      { kem: id, publicKey: unhex(one.publicKey) },
      info,
      aad,
      unhex(one.plaintext ?? ''),
      given(one.randomness ?? ''),
    );
    expect(hex(sealed.encapsulation)).toBe(one.encapsulation);
    expect(hex(sealed.ciphertext)).toBe(one.ciphertext);
    expect(hex(nodeSeal(one.key ?? '', one.baseNonce ?? '', one.aad, one.plaintext ?? ''))).toBe(
      one.ciphertext,
    );
    expect(one.exports?.length).toBe(3);
    for (const { context, length, value } of one.exports ?? []) {
      expect(hex(opened.exporter(unhex(context), length))).toBe(value);
      expect(hex(sealed.exporter(unhex(context), length))).toBe(value);
    }
  });
});

describe('signatures', () => {
  it.each(casesOf(file, 'sign'))('$name', async (one) => {
    const algorithm = signatureAlgorithm(one.algorithm);
    const key = algorithm.secretKey(unhex(one.secretKey));
    const [publicKey, message] = [unhex(one.publicKey), unhex(one.message)];
    expect(hex(key.publicKey)).toBe(one.publicKey);
    expect(hex(algorithm.verify(publicKey, message, unhex(one.signature)))).toBe(one.message);
    expect(hex(await algorithm.verifyAsync(publicKey, message, unhex(one.signature)))).toBe(one.message);
    // The others are hedged, or draw their k.
    if (one.algorithm === ED25519) expect(hex(await key.sign(message))).toBe(one.signature);
    else expect(hex(algorithm.verify(publicKey, message, await key.sign(message)))).toBe(one.message);
  });

  it.each(casesOf(file, 'verify'))('$name', async ({ algorithm, publicKey, message, signature, error }) => {
    const { verify, verifyAsync } = signatureAlgorithm(algorithm);
    const parts = [unhex(publicKey), unhex(message), unhex(signature)] as const;
    expect(refusal(() => verify(...parts))).toBe(error);
    expect(await refusalOf(() => verifyAsync(...parts))).toBe(error);
  });
});

describe('stretch', () => {
  it.each(casesOf(file, 'stretch'))('$name', async ({ passphrase, salt, n, r, p, key, error }) => {
    const run = () => stretch(passphrase, unhex(salt), { n, r, p });
    if (error !== undefined) expect(await refusalOf(run)).toBe(error);
    else expect(hex(await run())).toBe(key);
  });
});

describe('trees', () => {
  it.each(casesOf(file, 'tree root'))('$name', ({ leaves, leafHashes, root }) => {
    expect(leaves.map((leaf) => hex(leafHash(unhex(leaf))))).toEqual(leafHashes);
    const folder = new RootFolder();
    for (const hash of leafHashes) folder.add(unhex(hash));
    expect(hex(folder.root())).toBe(root);
    if (leaves.length === 0) expect(hex(emptyRoot())).toBe(root);
  });

  it.each(casesOf(file, 'inclusion'))('$name', ({ leafHash: leaf, index, size, proof, root }) => {
    const found = rootFromInclusion(unhex(leaf), index, size, proof.map(unhex));
    expect(found === null ? null : hex(found)).toBe(root);
  });

  it.each(casesOf(file, 'consistency'))('$name', ({ older, newer, olderRoot, proof, roots }) => {
    const found = rootsFromConsistency(older, newer, unhex(olderRoot), proof.map(unhex));
    expect(found === null ? null : { older: hex(found.older), newer: hex(found.newer) }).toEqual(roots);
  });
});

// Randomness that was written down: the next bytes of it, and an error if more is wanted than there is.
function given(randomness: string): Random {
  let rest = unhex(randomness);
  return (length) => {
    if (rest.length < length) throw new RangeError('more randomness than was written down');
    const taken = rest.slice(0, length);
    rest = rest.slice(length);
    return taken;
  };
}

function nodeSeal(key: string, nonce: string, aad: string, plaintext: string): Uint8Array {
  const cipher = createCipheriv('chacha20-poly1305', unhex(key), unhex(nonce), { authTagLength: 16 });
  cipher.setAAD(unhex(aad), { plaintextLength: plaintext.length / 2 });
  return Buffer.concat([cipher.update(unhex(plaintext)), cipher.final(), cipher.getAuthTag()]);
}

// HKDF-Expand to 32 bytes is one HMAC; Node's own HKDF cannot be had without its first half.
function nodeExpand(key: Uint8Array, info: Uint8Array): Uint8Array {
  return createHmac('sha256', key).update(info).update(Uint8Array.of(1)).digest();
}
