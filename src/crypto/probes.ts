/**
 * What a platform's primitive must answer before it is used: one known answer each, and for Ed25519 the cases in
 * which libraries differ. A platform that throws, or answers otherwise, is passed over. spec/crypto.md, "Backends".
 */

import { concat, equalBytes, toHex } from '../wire/index.ts';
import { portable } from './portable.ts';
import type { LatticeSignature, Operation, Primitives } from './primitives.ts';
import { unhex } from './unhex.ts';

/** An Ed25519 signature and whether the cofactorless equation holds for it. */
export interface EdgeCase {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  readonly holds: boolean;
}

/**
 * Made from the keys a·B and a·B + T, T of order 8, and R chosen so that k·T cancels or stays: where libraries part that
 * `ed25519.ts` has not settled before it asks them.
 */
export const ED25519_EDGES: readonly EdgeCase[] = [
  // R and key have parts of small order that cancel.
  edge(
    '6a84d583f06569edb3f5ed77df65544b27d6948b4f0b2cb76f33dd8413b20719',
    0,
    true,
    'e9c6aa47f2c1dc30d08679feb45162ca38dfa1e557af575b803e03f30110eff5' +
      '9dacc48f9c22de24da0a03e9d0bf8334605b347babc471795bb661e808466300',
  ),
  // The equation holds only when it is multiplied by the cofactor.
  edge(
    '7767a3242dc9b58bbc68488c1265cc6cc5f26c6f3c88a5d55e901b0734dca572',
    0,
    false,
    'e9c6aa47f2c1dc30d08679feb45162ca38dfa1e557af575b803e03f30110eff5' +
      '20d0067f5f5755517fb1eee52ac562c62f7c7b16306dfb3528cecb2bfd6edb06',
  ),
];

/** X25519 between the secret keys 01…01 and 02…02. */
export const X25519_KNOWN = agreement(
  'a4e09292b651c278b9772c569f5fa9bb13d906b46ab68c9df9dc2b4409f8a209',
  'ce8d3ad1ccb633ec7b70c17814a5c76ecd029685050d344745ba05870e587d59',
  '2ed76ab549b1e73c031eb49c9448f0798aea81b698279a0c3dc3e49fbfc4b953',
);

const P256_PUBLIC_KEY =
  '046ff03b949241ce1dadd43519e6960e0a85b41a69a05c328103aa2bce1594ca16' +
  '3c4f753a55bf01dc53f6c0b0c7eee78b40c6ff7d25a96e2282b989cef71c144a';

/** P-256 between the secret keys 01…01 and 02…02. */
export const P256_KNOWN = agreement(
  P256_PUBLIC_KEY,
  '04550f471003f3df97c3df506ac797f6721fb1a1fb7b8f6f83d224498a65c88e24' +
    '136093d7012e509a73715cbd0b00a3cc0ff4b5c01b3ffa196ab1fb327036b8e6',
  'eb459a6b30d70eb4c0ddcd34ea96ed59e8f8d1843c22dd895ab603aa13d9a81d',
);

/** No points of P-256, in its spelling: off the curve, and a point whose x is not reduced. */
export const P256_NO_POINTS: readonly Uint8Array[] = [
  unhex(P256_PUBLIC_KEY.slice(0, -2) + '4b'),
  unhex(
    '04ffffffff00000001000000000000000000000001000000000000000000000004' +
      '459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc',
  ),
];

/** Ed25519 by the seed 01…01 over 32 bytes 02. */
export const ED25519_KNOWN = {
  publicKey: unhex('8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c'),
  signature: unhex(
    '23c6a658950372e3fa22a44762002cf7ee4c4ee092f351103fa016f3d13de9ac' +
      '95b1ec77a718a395353fbe102151696571d21f76bdb019cadf9e82766f2f2a0f',
  ),
};

/** ECDSA by the scalar 01…01 over 32 bytes 02, with the k of RFC 6979. */
export const ES256_KNOWN = {
  publicKey: unhex(P256_PUBLIC_KEY),
  signature: unhex(
    '4e2ce688e4ae81e1dcb5d0ba8b17cc186a9a456bcc7b45f5cbd10ecc84dd0d7d' +
      '3e11415a32af818f655f05d78ad6d42a27e8a5559638f50c3956cfb8c5f393d1',
  ),
};

const [ONES, TWOS, THREES] = [bytesOf(32, 1), bytesOf(32, 2), bytesOf(32, 3)];
const NONCE = bytesOf(12, 0);

/** A secret key and a message of 32 bytes each, under which the known answers were made. */
export const PROBE = { secretKey: ONES, message: TWOS };

/** Whether a platform's primitive gives the answers that it must give. */
export function answersRightly(native: Partial<Primitives>, name: Operation): boolean {
  try {
    return PROBES[name](native as Primitives); // each probe asks for the one primitive that was found there
  } catch {
    return false;
  }
}

const PROBES: Record<Operation, (native: Primitives) => boolean> = {
  sha256: ({ sha256 }) =>
    is(sha256(ONES), '72cd6e8422c407fb6d098690f1130b7ded7ec2f7f5e1d30bd9d521f015363793') &&
    [ONES, bytesOf(2048, 1)].every((part) =>
      equalBytes(sha256(TWOS, part, THREES), portable.sha256(concat(TWOS, part, THREES))),
    ),
  hmacSha256: ({ hmacSha256 }) =>
    is(hmacSha256(ONES, TWOS), '7321406e0c880fd92597898beb393af2aebed51ab5cdf1d52e5991f9afadd2de'),
  aeadSeal: ({ aeadSeal }) => is(aeadSeal(ONES, NONCE, TWOS, THREES), SEALED),
  aeadOpen: ({ aeadOpen }) =>
    equalBytes(aeadOpen(ONES, NONCE, TWOS, unhex(SEALED)), THREES) &&
    throws(() => aeadOpen(ONES, NONCE, THREES, unhex(SEALED))),
  chacha20: ({ chacha20 }) =>
    is(chacha20(ONES, 32), '023f37203a2476c42566a61cc55c3ca875dbb4cc41c0deb789f8e7bf88183638'),
  scrypt: () => true, // it answers later; a wrong answer opens no key file and closes none that another could open
  x25519: ({ x25519 }) =>
    agrees(x25519, X25519_KNOWN) &&
    throws(() => x25519(ONES).agree(new Uint8Array(32))) &&
    agreesAfresh(x25519),
  p256: ({ p256 }) =>
    agrees(p256, P256_KNOWN) &&
    throws(() => p256(new Uint8Array(32))) &&
    P256_NO_POINTS.every((point) => throws(() => p256(ONES).agree(point))),
  ed25519({ ed25519 }) {
    const key = ed25519.secretKey(ONES);
    return (
      equalBytes(key.publicKey, ED25519_KNOWN.publicKey) &&
      equalBytes(key.sign(TWOS), ED25519_KNOWN.signature) &&
      ED25519_EDGES.every(
        (edge) => ed25519.holds(edge.publicKey, edge.message, edge.signature) === edge.holds,
      )
    );
  },
  es256({ es256 }) {
    const { publicKey, signature } = ES256_KNOWN;
    const key = es256.secretKey(ONES);
    return (
      equalBytes(key.publicKey, publicKey) &&
      es256.holds(publicKey, TWOS, signature) &&
      es256.holds(publicKey, TWOS, key.sign(TWOS)) &&
      !es256.holds(publicKey, ONES, signature) &&
      P256_NO_POINTS.every((point) => refuses(() => es256.holds(point, TWOS, signature)))
    );
  },
  mlDsa44: ({ mlDsa44, sha256 }) =>
    signsInContext(mlDsa44, portable.mlDsa44) &&
    is(
      sha256(mlDsa44.secretKey(ONES).publicKey),
      'bc7f72c940225e3998067ebef1d7cd2cad938de8f70b34c515a81d9efacac204',
    ),
  mlDsa65: ({ mlDsa65, sha256 }) =>
    signsInContext(mlDsa65, portable.mlDsa65) &&
    is(
      sha256(mlDsa65.secretKey(ONES).publicKey),
      '83ee80fcbcaf4872ed023e55cb10d7a2b4f1336a182115ea9c000f7449a7a9b0',
    ),
  mlKem768({ mlKem768, sha256 }) {
    const key = mlKem768.secretKey(bytesOf(64, 1));
    const { sharedSecret, ciphertext } = mlKem768.encapsulate(key.publicKey);
    return (
      is(sha256(key.publicKey), 'e68d60857f9cb41f88c278ca430e472c6df5679fd5bac3ce872334293c5d0c42') &&
      equalBytes(key.decapsulate(ciphertext), sharedSecret) &&
      equalBytes(portable.mlKem768.secretKey(bytesOf(64, 1)).decapsulate(ciphertext), sharedSecret) &&
      // What an altered ciphertext gives is fixed too (FIPS 203, implicit rejection).
      is(
        key.decapsulate(bytesOf(1088, 2)),
        '4a1ab4c16192741e32e67f42f759807a2f796071c754859a15175ef0bd02dbd6',
      ) &&
      throws(() => mlKem768.encapsulate(bytesOf(1184, 0xff)))
    );
  },
};

const SEALED =
  '02244ed2ed5115c107f86a8eada75851ea886c0cde076ecf3985b8049d35f3278e317ba4c4cfe8713e4d80979b374ea0';

function agreesAfresh(importKey: Primitives['x25519']): boolean {
  const [fresh, other, known] = [importKey(null), importKey(null), importKey(ONES)];
  return (
    !equalBytes(fresh.publicKey, other.publicKey) &&
    equalBytes(fresh.agree(known.publicKey), known.agree(fresh.publicKey))
  );
}

function agrees(importKey: Primitives['p256'], known: Agreement): boolean {
  const key = importKey(ONES);
  return equalBytes(key.publicKey, known.publicKey) && equalBytes(key.agree(known.peer), known.shared);
}

// Hedged signatures are never the same twice, so the portable code says whether one is right, context and all.
function signsInContext(algorithm: LatticeSignature, judge: LatticeSignature): boolean {
  const { publicKey, sign } = algorithm.secretKey(ONES);
  const signature = sign(TWOS, ONES);
  return (
    judge.holds(publicKey, TWOS, signature, ONES) &&
    algorithm.holds(publicKey, TWOS, signature, ONES) &&
    refuses(() => algorithm.holds(publicKey, TWOS, signature, TWOS))
  );
}

/** A public key, a peer's public key and what they share. */
interface Agreement {
  readonly publicKey: Uint8Array;
  readonly peer: Uint8Array;
  readonly shared: Uint8Array;
}

function agreement(publicKey: string, peer: string, shared: string): Agreement {
  return { publicKey: unhex(publicKey), peer: unhex(peer), shared: unhex(shared) };
}

function edge(publicKey: string, message: number, holds: boolean, signature: string): EdgeCase {
  return {
    publicKey: unhex(publicKey),
    message: Uint8Array.of(message),
    signature: unhex(signature),
    holds,
  };
}

function is(bytes: Uint8Array, expected: string): boolean {
  return toHex(bytes) === expected;
}

function throws(operation: () => unknown): boolean {
  try {
    operation();
    return false;
  } catch {
    return true;
  }
}

function refuses(verdict: () => boolean): boolean {
  try {
    return !verdict();
  } catch {
    return true;
  }
}

function bytesOf(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}
