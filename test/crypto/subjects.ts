/**
 * The cases of test/vectors/crypto.json as functions from bytes to bytes, so that each can be run on every backend with
 * any of its inputs altered.
 */

import {
  chunkOpen,
  chunkSeal,
  ED25519,
  ES256,
  hkdfExpand,
  hpkeOpen,
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
  openOnce,
  RootFolder,
  rootFromInclusion,
  rootsFromConsistency,
  sealOnce,
  sha256,
  signatureAlgorithm,
  stretch,
  type BackendName,
  type KemId,
  type Random,
} from '../../src/crypto/index.ts';
import type { Operation } from '../../src/crypto/primitives.ts';
import { concat } from '../../src/wire/index.ts';
import type { CryptoCase } from '../vectors/generators/crypto.ts';
import { unhex } from '../vectors/hex.ts';

/** Inputs by their names in the vector. */
export type Inputs = Readonly<Record<string, Uint8Array>>;

/** A deterministic function of a case. */
export interface Subject {
  readonly name: string;
  /** The primitives it runs on. */
  readonly operations: readonly Operation[];
  readonly inputs: Inputs;
  run(inputs: Inputs, backend: BackendName): Uint8Array | Promise<Uint8Array>;
}

const AEAD: readonly Operation[] = ['aeadSeal', 'aeadOpen', 'hmacSha256'];
/** The primitives that each KEM runs on, by its id. */
export const KEM_OPERATIONS: Record<KemId, readonly Operation[]> = {
  [KEM_X25519]: ['x25519', 'hmacSha256'],
  [KEM_P256]: ['p256', 'hmacSha256'],
  [KEM_XWING]: ['mlKem768', 'x25519'],
  [KEM_MLKEM768_P256]: ['mlKem768', 'p256'],
};
/** The primitives that each signature algorithm runs on, by its name. */
export const SIGNATURE_OPERATIONS: Record<string, readonly Operation[]> = {
  [ED25519]: ['ed25519'],
  [ES256]: ['es256'],
  [ML_DSA_65_ED25519]: ['mlDsa65', 'ed25519'],
  [ML_DSA_44]: ['mlDsa44'],
};

/** What of a case is deterministic, or nothing where it is refused before any primitive is asked. */
export function subjectsOf(one: CryptoCase): Subject[] {
  const { name } = one;
  switch (one.operation) {
    case 'hash tuple':
      return [subject(name, ['sha256'], { encoded: one.encoded }, ({ encoded }) => sha256(encoded!))];
    case 'derive':
      return [
        subject(name, ['hmacSha256'], { key: one.key, info: one.info }, ({ key, info }) =>
          hkdfExpand(key!, info!, 32),
        ),
      ];
    case 'seal once':
      return sealOnceSubjects(one);
    case 'stream chunk':
      return chunkSubjects(one);
    case 'key stream':
      return [
        subject(name, ['chacha20'], { key: one.key }, ({ key }) => keyStream(key!, one.keyStream.length / 2)),
      ];
    case 'kem key pair':
    case 'encapsulate':
    case 'decapsulate':
      return kemSubjects(one);
    case 'hpke':
      return hpkeSubjects(one);
    case 'sign':
      return signSubjects(one);
    case 'verify':
      return [verification(one)];
    case 'stretch':
      return [
        subject(name, ['scrypt'], {}, () => stretch(one.passphrase, unhex(one.salt), one)), // too slow to alter
      ];
    case 'tree root':
    case 'inclusion':
    case 'consistency':
      return [subject(name, ['sha256'], {}, () => treeOutcome(one))];
  }
}

type CaseOf<Name extends CryptoCase['operation']> = Extract<CryptoCase, { readonly operation: Name }>;

function subject(
  name: string,
  operations: readonly Operation[],
  inputs: Readonly<Record<string, string>>,
  run: Subject['run'],
): Subject {
  const bytes = Object.entries(inputs).map(([key, value]) => [key, unhex(value)]);
  return { name, operations, inputs: Object.fromEntries(bytes) as Inputs, run };
}

function sealOnceSubjects({ name, key, context, sealed, salt, plaintext }: CaseOf<'seal once'>): Subject[] {
  const open = subject(name, AEAD, { key, context, sealed }, (bytes) =>
    openOnce(bytes['key']!, bytes['context']!, bytes['sealed']!),
  );
  if (salt === undefined || plaintext === undefined) return [open];
  const seal = subject(`${name}, sealing`, AEAD, { key, context, salt, plaintext }, (bytes) =>
    sealOnce(bytes['key']!, bytes['context']!, bytes['plaintext']!, given(bytes['salt']!)),
  );
  return [open, seal];
}

function chunkSubjects({
  name,
  key,
  index,
  final,
  plaintext,
  ciphertext,
}: CaseOf<'stream chunk'>): Subject[] {
  const open = subject(name, AEAD, { key, ciphertext }, (bytes) =>
    chunkOpen(bytes['key']!, index, final, bytes['ciphertext']!),
  );
  if (plaintext === undefined) return [open];
  const seal = subject(`${name}, sealing`, AEAD, { key, plaintext }, (bytes) =>
    chunkSeal(bytes['key']!, index, final, bytes['plaintext']!),
  );
  return [open, seal];
}

function kemSubjects(one: CaseOf<'kem key pair' | 'encapsulate' | 'decapsulate'>): Subject[] {
  const operations = KEM_OPERATIONS[one.kem as KemId] as readonly Operation[] | undefined;
  if (operations === undefined) return []; // an id that is refused
  const algorithm = kem(one.kem);
  switch (one.operation) {
    case 'kem key pair':
      return [
        subject(one.name, operations, { ikm: one.ikm }, ({ ikm }) => {
          const bytes = algorithm.deriveSecretKey(ikm!);
          return concat(bytes, algorithm.secretKey(bytes).publicKey);
        }),
      ];
    case 'encapsulate':
      return [
        subject(
          one.name,
          operations,
          { publicKey: one.publicKey, randomness: one.randomness },
          ({ publicKey, randomness }) => {
            const made = algorithm.encapsulate(publicKey!, given(randomness!));
            return concat(made.encapsulation, made.sharedSecret);
          },
        ),
      ];
    case 'decapsulate':
      return [
        subject(
          one.name,
          operations,
          { secretKey: one.secretKey, encapsulation: one.encapsulation },
          ({ secretKey, encapsulation }) => algorithm.secretKey(secretKey!).decapsulate(encapsulation!),
        ),
      ];
  }
}

function hpkeSubjects(one: CaseOf<'hpke'>): Subject[] {
  const id = one.kem as KemId;
  const operations = [...KEM_OPERATIONS[id], ...AEAD];
  const { name, secretKey, publicKey, randomness, info, aad, encapsulation, plaintext, ciphertext } = one;
  const open = subject(
    name,
    operations,
    { secretKey, info, aad, encapsulation, ciphertext },
    async (bytes) => {
      const key = kem(id).secretKey(bytes['secretKey']!);
      const shared = await key.decapsulate(bytes['encapsulation']!);
      const opened = hpkeOpen(id, shared, bytes['info']!, bytes['aad']!, bytes['ciphertext']!);
      return concat(opened.plaintext, opened.exporter(bytes['aad']!, 32));
    },
  );
  if (randomness === undefined || plaintext === undefined) return [open];
  const seal = subject(
    `${name}, sealing`,
    operations,
    { publicKey, randomness, info, aad, plaintext },
    (bytes) => {
      const recipient = { kem: id, publicKey: bytes['publicKey']! };
      const [context, data] = [bytes['info']!, bytes['aad']!];
      const sealed = hpkeSeal(recipient, context, data, bytes['plaintext']!, given(bytes['randomness']!));
      return concat(sealed.encapsulation, sealed.ciphertext, sealed.exporter(context, 32));
    },
  );
  return [open, seal];
}

// Of the algorithms Ed25519 alone signs the same each time; of the others the public key is the secret key's.
function signSubjects(one: CaseOf<'sign'>): Subject[] {
  const { name, algorithm, secretKey, message } = one;
  const operations = SIGNATURE_OPERATIONS[algorithm] ?? [];
  const sign = subject(`${name}, signing`, operations, { secretKey, message }, async (bytes) => {
    const key = signatureAlgorithm(algorithm).secretKey(bytes['secretKey']!);
    return algorithm === ED25519 ? concat(key.publicKey, await key.sign(bytes['message']!)) : key.publicKey;
  });
  return [sign, verification(one)];
}

function verification(one: CaseOf<'sign' | 'verify'>): Subject {
  const { name, algorithm, publicKey, message, signature } = one;
  const { verify, verifyAsync } = signatureAlgorithm(algorithm);
  return subject(
    name,
    SIGNATURE_OPERATIONS[algorithm] ?? [],
    { publicKey, message, signature },
    (bytes, backend) =>
      (backend === 'webcrypto' ? verifyAsync : verify)(
        bytes['publicKey']!,
        bytes['message']!,
        bytes['signature']!,
      ),
  );
}

function treeOutcome(one: CaseOf<'tree root' | 'inclusion' | 'consistency'>): Uint8Array {
  switch (one.operation) {
    case 'tree root': {
      const folder = new RootFolder();
      for (const leaf of one.leaves) folder.add(leafHash(unhex(leaf)));
      return folder.root();
    }
    case 'inclusion':
      return (
        rootFromInclusion(unhex(one.leafHash), one.index, one.size, one.proof.map(unhex)) ?? new Uint8Array(0)
      );
    case 'consistency': {
      const { older, newer, olderRoot, proof } = one;
      const found = rootsFromConsistency(older, newer, unhex(olderRoot), proof.map(unhex));
      return found === null ? new Uint8Array(0) : concat(found.older, found.newer);
    }
  }
}

// Randomness that was written down: the next bytes of it, and an error if more is wanted than there is.
function given(randomness: Uint8Array): Random {
  let rest = randomness;
  return (length) => {
    if (rest.length < length) throw new RangeError('more randomness than was written down');
    const taken = rest.slice(0, length);
    rest = rest.slice(length);
    return taken;
  };
}
