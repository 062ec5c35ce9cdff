/** Vectors of spec/keys.md, "Split custody": a hybrid key whose halves are kept apart. */

import {
  hpkeSeal,
  hybridKem,
  kem,
  KEM_MLKEM768_P256,
  KEM_P256,
  KEM_X25519,
  KEM_XWING,
  type KemId,
} from '../../../src/crypto/index.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import {
  createSplitKey,
  Secret,
  SoftwareDecapsulator,
  suite,
  type HybridKemId,
} from '../../../src/keys/index.ts';
import { concat, tuple } from '../../../src/wire/index.ts';
import { cardKey } from '../../keys/card.ts';
import { flipped } from '../../mutation.ts';
import type { VectorCase, VectorFile } from '../file.ts';
import { hex, unhex } from '../hex.ts';
import { recordedRandom, seededRandom } from './seed.ts';

/** A private key in the group of a DHKEM, or of a KEM. */
interface SecretJson {
  readonly kem: number;
  readonly secretKey: string;
}

export type CustodyCase = VectorCase &
  (
    | {
        readonly operation: 'split key';
        readonly kem: number;
        readonly classical: SecretJson;
        readonly custodian: SecretJson;
        readonly randomness: string;
        readonly seed: string;
        readonly publicKey: string;
        readonly info: string;
        readonly aad: string;
        readonly plaintext: string;
        readonly sealedSeed: string;
      }
    | {
        readonly operation: 'open split key';
        readonly classical: SecretJson;
        readonly custodian: SecretJson;
        readonly sealedSeed: string;
        readonly publicKey?: string;
        readonly encapsulation?: string;
        readonly sharedSecret?: string;
      }
  );

type ClassicalId = typeof KEM_P256 | typeof KEM_X25519;
/** A key of which a vector tells the secret. */
interface Known<Id extends KemId = KemId> {
  readonly kem: Id;
  readonly secretKey: Uint8Array;
}
type SplitCase = Extract<CustodyCase, { operation: 'split key' }>;

/** Writes custody.json. */
export function generate(): VectorFile<CustodyCase> {
  return {
    description: 'Hybrid KEM keys whose classical half is in a card and whose ML-KEM half is sealed to it.',
    spec: 'spec/keys.md',
    cases: [...splitCases(), ...openCases()],
  };
}

function splitCases(): SplitCase[] {
  return [
    split(
      'MLKEM768-P256, a custodian of P-256',
      KEM_MLKEM768_P256,
      known(KEM_P256, 'first'),
      cardOf('first'),
    ),
    split(
      'X-Wing, a custodian of X25519',
      KEM_XWING,
      known(KEM_X25519, 'xwing'),
      known(KEM_X25519, 'keeper'),
    ),
    split('MLKEM768-P256, a custodian of X-Wing', KEM_MLKEM768_P256, known(KEM_P256, 'third'), {
      kem: KEM_XWING,
      secretKey: seededRandom('custody X-Wing')(32),
    }),
  ];
}

function openCases(): CustodyCase[] {
  const [p256, xwing] = splitCases();
  if (p256 === undefined || xwing === undefined) throw new Error('there are two');
  const [classical, custodian] = [known(KEM_P256, 'first'), cardOf('first')];
  const bytes = unhex(p256.sealedSeed);
  const publicKey = unhex(p256.publicKey);
  const at = {
    publicKey: tuple('sealed seed', KEM_MLKEM768_P256).length + 4,
    encapsulation: tuple('sealed seed', KEM_MLKEM768_P256, publicKey).length + 4,
  };
  const open = (
    name: string,
    sealedSeed: Uint8Array,
    error: ErrorCode,
    keys: { classical?: Known; custodian?: Known } = {},
  ): CustodyCase => ({
    name: `open: ${name}`,
    operation: 'open split key',
    classical: json(keys.classical ?? classical),
    custodian: json(keys.custodian ?? custodian),
    sealedSeed: hex(sealedSeed),
    error,
  });
  const stated = (
    kemId: number,
    key: Uint8Array,
    encapsulation: Uint8Array,
    ciphertext: Uint8Array,
  ): Uint8Array => tuple('sealed seed', kemId, key, encapsulation, ciphertext);
  // Sealed as it should be, but for what is inside or stated.
  const resealed = (plaintext: Uint8Array, key = publicKey, aad = tuple('seed wrap aad')): Uint8Array => {
    const info = infoOf(custodian.kem, KEM_MLKEM768_P256, key);
    const random = seededRandom('custody resealed');
    const sealed = hpkeSeal(publicOf(custodian), info, aad, plaintext, random);
    return stated(KEM_MLKEM768_P256, key, sealed.encapsulation, sealed.ciphertext);
  };
  const seed = unhex(p256.seed);
  const otherSeed = flipped(seed, 0);
  const otherKey = hybridKem(KEM_MLKEM768_P256, cardKey(KEM_P256, classical.secretKey), otherSeed).publicKey;
  const [encapsulation, ciphertext] = [
    bytes.slice(at.encapsulation, at.encapsulation + 65),
    bytes.slice(at.encapsulation + 65 + 4),
  ];
  return [
    opened(p256),
    opened(xwing),
    open('altered public key', flipped(bytes, at.publicKey), 'KEY_OPEN'),
    open('altered classical half of the public key', flipped(bytes, at.encapsulation - 5), 'KEY_OPEN'),
    open('altered encapsulation, off the curve', flipped(bytes, at.encapsulation + 1), 'KEY_OPEN'),
    open('altered ciphertext', flipped(bytes, bytes.length - 17), 'KEY_OPEN'),
    open('altered tag', flipped(bytes, bytes.length - 1), 'KEY_OPEN'),
    open('another custodian', bytes, 'KEY_OPEN', { custodian: cardOf('other') }),
    open('another classical half', bytes, 'KEY_OPEN', { classical: known(KEM_P256, 'other') }),
    open('the classical half as custodian', bytes, 'KEY_OPEN', { custodian: classical }),
    open('the seed of another key', resealed(tuple('ml-kem seed', otherSeed)), 'KEY_OPEN'),
    open('the name of another key', resealed(tuple('ml-kem seed', seed), otherKey), 'KEY_OPEN'),
    open(
      'sealed for another use',
      resealed(tuple('ml-kem seed', seed), publicKey, tuple('other')),
      'KEY_OPEN',
    ),
    open('a seed of 63 bytes', resealed(tuple('ml-kem seed', seed.subarray(1))), 'KEY_OPEN'),
    open('something else inside', resealed(tuple('root', seed)), 'KEY_OPEN'),
    open('a further part inside', resealed(tuple('ml-kem seed', seed, '')), 'KEY_OPEN'),
    open(
      'an encapsulation of another length',
      stated(KEM_MLKEM768_P256, publicKey, encapsulation.subarray(1), ciphertext),
      'KEY_OPEN',
    ),
    open(
      'an empty ciphertext',
      stated(KEM_MLKEM768_P256, publicKey, encapsulation, new Uint8Array(0)),
      'KEY_OPEN',
    ),
    open('nothing', new Uint8Array(0), 'KEY_FILE'),
    open('cut off', bytes.subarray(0, -1), 'KEY_FILE'),
    open('a byte too many', concat(bytes, Uint8Array.of(0)), 'KEY_FILE'),
    open('a further part', concat(bytes, new Uint8Array(4)), 'KEY_FILE'),
    open('another label', flipped(bytes, tuple('sealed seed').length - 1), 'KEY_FILE'),
    open('an unknown KEM', stated(0x0051, publicKey, encapsulation, ciphertext), 'KEY_FILE'),
    open(
      'a KEM without a half of ML-KEM',
      stated(KEM_P256, cardKey(KEM_P256, classical.secretKey).publicKey, encapsulation, ciphertext),
      'KEY_FILE',
    ),
    open(
      'a public key of another length',
      stated(KEM_MLKEM768_P256, publicKey.subarray(1), encapsulation, ciphertext),
      'KEY_FILE',
    ),
    open(
      'longer than 4,096 bytes',
      stated(KEM_MLKEM768_P256, publicKey, encapsulation, new Uint8Array(4096)),
      'KEY_FILE',
    ),
  ];
}

function split(name: string, kemId: HybridKemId, classical: Known<ClassicalId>, custodian: Known): SplitCase {
  const { random, taken } = recordedRandom(`custody ${name}`);
  const { key, sealedSeed } = createSplitKey(
    kemId,
    cardKey(classical.kem, classical.secretKey),
    publicOf(custodian),
    random,
  );
  const seed = unhex(taken().slice(0, 128));
  return {
    name: `split: ${name}`,
    operation: 'split key',
    kem: kemId,
    classical: json(classical),
    custodian: json(custodian),
    randomness: taken(),
    seed: hex(seed),
    publicKey: hex(key.publicKey),
    info: hex(infoOf(custodian.kem, kemId, key.publicKey)),
    aad: hex(tuple('seed wrap aad')),
    plaintext: hex(tuple('ml-kem seed', seed)),
    sealedSeed: hex(sealedSeed),
  };
}

// A message to the key, which both halves open.
function opened({ name, kem: kemId, classical, custodian, sealedSeed, publicKey }: SplitCase): CustodyCase {
  const { encapsulation, sharedSecret } = kem(kemId).encapsulate(
    unhex(publicKey),
    seededRandom(`custody message ${name}`),
  );
  return {
    name: name.replace('split', 'open'),
    operation: 'open split key',
    classical,
    custodian,
    sealedSeed,
    publicKey,
    encapsulation: hex(encapsulation),
    sharedSecret: hex(sharedSecret),
  };
}

function known<Id extends ClassicalId>(kemId: Id, name: string): Known<Id> {
  return { kem: kemId, secretKey: seededRandom(`custody ${kemId} ${name}`)(32) };
}

function cardOf(name: string): Known<typeof KEM_P256> {
  return known(KEM_P256, `custodian ${name}`);
}

function publicOf({ kem: kemId, secretKey }: Known): { kem: KemId; publicKey: Uint8Array } {
  const { publicKey } = new SoftwareDecapsulator(kemId, new Secret('kem key', new Uint8Array(secretKey)));
  return { kem: kemId, publicKey };
}

function infoOf(custodian: KemId, kemId: KemId, publicKey: Uint8Array): Uint8Array {
  return tuple('seed wrap', suite(custodian), kemId, publicKey);
}

function json({ kem: kemId, secretKey }: Known): SecretJson {
  return { kem: kemId, secretKey: hex(secretKey) };
}
