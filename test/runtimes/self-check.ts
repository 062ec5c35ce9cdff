/**
 * The program that checks the library in a runtime, from what is published alone: every vector of spec/crypto.md, the
 * Ed25519 edge cases, and people's use, on the backend that the library chooses there and on each that it can be told.
 */

import { MunimentError } from 'muniment';
import * as crypto from 'muniment/crypto';
import { createAnchor, enrol, type Identity, type KeyOptions } from 'muniment/keys';
import { concat, toHex } from 'muniment/wire';
import type { CryptoCase } from '../vectors/generators/crypto.ts';
import type { EdgeCase } from './edges.ts';
import { sealAndOpen, talk } from './scenario.ts';

/** What the program found. */
export interface Report {
  /** How many answers were held against what they must be. */
  readonly checks: number;
  /** The answers that were others. */
  readonly failures: readonly string[];
  /** Which implementation each operation runs on, by the library's own choice. */
  readonly backends: Readonly<Record<string, string>>;
}

/** What is asked of the library, and what it must answer. */
export interface Questions {
  readonly cases: readonly CryptoCase[];
  readonly edges: readonly EdgeCase[];
}

/** Null is the library's choice. `node` is not among them: the choice is `node` wherever that gives right answers. */
const BACKENDS = [null, 'portable', 'webcrypto'] as const;

const KINDS: readonly KeyOptions[] = [
  {},
  { kem: crypto.KEM_P256, algorithm: crypto.ES256 },
  { kem: crypto.KEM_X25519, algorithm: crypto.ML_DSA_65_ED25519 },
  { kem: crypto.KEM_MLKEM768_P256 },
];

/** Checks everything. Nothing is thrown: what goes wrong is in the report. */
export async function selfCheck({ cases, edges }: Questions): Promise<Report> {
  const failures: string[] = [];
  let checks = 0;
  const check = async (name: string, expected: unknown, work: () => unknown): Promise<void> => {
    checks += 1;
    const [found, wanted] = [await told(work), JSON.stringify(expected)];
    if (found !== wanted) failures.push(`${name}: ${found} instead of ${wanted}`);
  };

  for (const backend of BACKENDS) {
    crypto.forceBackend(backend);
    const where = backend ?? 'automatic';
    for (const one of cases)
      await check(`${where}, ${one.name}`, one.error ?? expected(one), () => answer(one));
    for (const edge of edges) {
      const verdict = edge.verdict === 'accepted' ? edge.message : edge.verdict;
      const [key, message, signature] = [edge.publicKey, edge.message, edge.signature].map(unhex) as Three;
      const ed25519 = crypto.signatureAlgorithm(crypto.ED25519);
      await check(`${where}, ${edge.name}`, verdict, () => toHex(ed25519.verify(key, message, signature)));
      await check(`${where}, ${edge.name}, waiting`, verdict, async () =>
        toHex(await ed25519.verifyAsync(key, message, signature)),
      );
    }
    for (const kind of KINDS) await check(`${where}, ${JSON.stringify(kind)}`, LIFE, () => live(kind));
  }
  crypto.forceBackend(null);
  return { checks, failures, backends: { ...(await crypto.backendReport()) } };
}

type Three = [Uint8Array, Uint8Array, Uint8Array];

// A library's refusal by its code; anything else that is thrown is a failure, under whatever name it has.
async function told(work: () => unknown): Promise<string> {
  try {
    return JSON.stringify(await work());
  } catch (error) {
    return error instanceof MunimentError ? JSON.stringify(error.code) : `thrown: ${String(error)}`;
  }
}

/** The members of a case that {@link answer} gives, in its order. */
function expected(one: CryptoCase): unknown {
  switch (one.operation) {
    case 'hash tuple':
      return one.digest;
    case 'derive':
      return one.derivedKey;
    case 'seal once':
      return [one.plaintext, one.sealed];
    case 'stream chunk':
      return [one.plaintext, one.ciphertext];
    case 'key stream':
      return one.keyStream;
    case 'kem key pair':
      return [one.secretKey, one.publicKey];
    case 'encapsulate':
      return [one.encapsulation, one.sharedSecret];
    case 'decapsulate':
      return one.sharedSecret;
    case 'hpke':
      return [one.sharedSecret, one.plaintext, one.encapsulation, one.ciphertext, one.exports?.[1]?.value];
    case 'sign':
      return [one.publicKey, one.message, one.message];
    case 'verify':
      return one.message;
    case 'stretch':
      return one.key;
    case 'tree root':
      return one.root;
    case 'inclusion':
      return one.root;
    case 'consistency':
      return one.roots;
  }
}

/** What the library says to a case's question. */
async function answer(one: CryptoCase): Promise<unknown> {
  switch (one.operation) {
    case 'hash tuple':
      return toHex(crypto.sha256(unhex(one.encoded)));
    case 'derive':
      return toHex(crypto.hkdfExpand(unhex(one.key), unhex(one.info), 32));
    case 'seal once': {
      const [key, context, sealed] = [one.key, one.context, one.sealed].map(unhex) as Three;
      const plaintext = crypto.openOnce(key, context, sealed);
      return [toHex(plaintext), toHex(crypto.sealOnce(key, context, plaintext, given(one.salt)))];
    }
    case 'stream chunk': {
      const { index, final } = one;
      const key = unhex(one.key);
      const plaintext = crypto.chunkOpen(key, index, final, unhex(one.ciphertext));
      return [toHex(plaintext), toHex(crypto.chunkSeal(key, index, final, plaintext))];
    }
    case 'key stream':
      return toHex(crypto.keyStream(unhex(one.key), one.keyStream.length / 2));
    case 'kem key pair': {
      const secretKey = crypto.kem(one.kem).deriveSecretKey(unhex(one.ikm));
      return [toHex(secretKey), toHex(crypto.kem(one.kem).secretKey(secretKey).publicKey)];
    }
    case 'encapsulate': {
      const made = crypto.kem(one.kem).encapsulate(unhex(one.publicKey), given(one.randomness));
      return [toHex(made.encapsulation), toHex(made.sharedSecret)];
    }
    case 'decapsulate':
      return toHex(await decapsulate(one));
    case 'hpke':
      return answerHpke(one);
    case 'sign': {
      const algorithm = crypto.signatureAlgorithm(one.algorithm);
      const [key, message] = [algorithm.secretKey(unhex(one.secretKey)), unhex(one.message)];
      const own = await key.sign(message);
      // Where signing is not deterministic the two signatures differ; both must verify.
      if (one.algorithm === crypto.ED25519 && toHex(own) !== one.signature) return 'another signature';
      return [
        toHex(key.publicKey),
        toHex(algorithm.verify(key.publicKey, message, own)),
        toHex(await algorithm.verifyAsync(key.publicKey, message, unhex(one.signature))),
      ];
    }
    case 'verify': {
      const [key, message, signature] = [one.publicKey, one.message, one.signature].map(unhex) as Three;
      const algorithm = crypto.signatureAlgorithm(one.algorithm);
      const verdicts = [
        await told(() => toHex(algorithm.verify(key, message, signature))),
        await told(async () => toHex(await algorithm.verifyAsync(key, message, signature))),
      ];
      if (verdicts[0] !== verdicts[1]) return verdicts;
      return toHex(algorithm.verify(key, message, signature));
    }
    case 'stretch':
      return toHex(await crypto.stretch(one.passphrase, unhex(one.salt), one));
    case 'tree root': {
      const folder = new crypto.RootFolder();
      for (const leaf of one.leaves) folder.add(crypto.leafHash(unhex(leaf)));
      return toHex(folder.root());
    }
    case 'inclusion': {
      const { index, size, proof } = one;
      const root = crypto.rootFromInclusion(unhex(one.leafHash), index, size, proof.map(unhex));
      return root === null ? null : toHex(root);
    }
    case 'consistency': {
      const { older, newer, olderRoot, proof } = one;
      const roots = crypto.rootsFromConsistency(older, newer, unhex(olderRoot), proof.map(unhex));
      return roots === null ? null : { older: toHex(roots.older), newer: toHex(roots.newer) };
    }
  }
}

async function answerHpke(one: Extract<CryptoCase, { operation: 'hpke' }>): Promise<unknown> {
  const [publicKey, info, aad] = [one.publicKey, one.info, one.aad].map(unhex) as Three;
  const { id } = crypto.kem(one.kem);
  const shared = await decapsulate(one);
  const { plaintext, exporter } = crypto.hpkeOpen(id, shared, info, aad, unhex(one.ciphertext));
  const recipient = { kem: id, publicKey };
  const sealed = crypto.hpkeSeal(recipient, info, aad, plaintext, given(one.randomness));
  const asked = one.exports?.[1];
  const exported = asked === undefined ? '' : toHex(exporter(unhex(asked.context), asked.length));
  const { encapsulation, ciphertext } = sealed;
  return [toHex(shared), toHex(plaintext), toHex(encapsulation), toHex(ciphertext), exported];
}

function decapsulate(one: { kem: number; secretKey: string; encapsulation: string }): Promise<Uint8Array> {
  return crypto.kem(one.kem).secretKey(unhex(one.secretKey)).decapsulate(unhex(one.encapsulation));
}

// Randomness that was written down, in the order in which it is asked for.
function given(randomness = ''): crypto.Random {
  let rest = unhex(randomness);
  return (length) => {
    if (rest.length < length) throw new RangeError('more randomness than was written down');
    const taken = concat(rest.subarray(0, length));
    rest = rest.subarray(length);
    return taken;
  };
}

const LIFE = ['{"cost":15.00}', '{"heard":"{\\"ping\\":1}"}'];

async function live(kind: KeyOptions): Promise<unknown> {
  const valid = { notBefore: 0, notAfter: 4e12 };
  const anchor = await createAnchor({ subject: 'Hospital', roles: ['administrator'], ...valid }, kind);
  const party = (subject: string): Promise<Identity> =>
    enrol(anchor, { subject, roles: ['doctor'], ...valid }, kind);
  const [doctor, patient, other] = [await party('doctor'), await party('patient'), await party('other')];
  return [await sealAndOpen(doctor, other, patient), await talk(doctor, other, anchor.credential)];
}

function unhex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => parseInt(byte, 16));
}
