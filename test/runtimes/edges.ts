/**
 * Edge cases of Ed25519 verification, each with the verdict of spec/crypto.md, "Signatures", by its construction: keys
 * and signatures with parts of small order, where implementations differ, and spellings that are not canonical.
 */

import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';

/** A signature and its verdict: `accepted`, or the error's code. */
export interface EdgeCase {
  readonly name: string;
  readonly publicKey: string;
  readonly message: string;
  readonly signature: string;
  readonly verdict: 'accepted' | 'KEY_PUBLIC' | 'KEY_SIGNATURE';
}

const Point = ed25519.Point;
type Point = InstanceType<typeof Point>;
const ORDER = Point.Fn.ORDER;
const FIELD = Point.Fp.ORDER;

/** A point of order 8; its multiples are all points of small order. */
const TORSION = Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a');
const SECRET = 0x1f2e3d4c5b6a79880123456789abcdefn;
const NONCE = 0x0fedcba9876543211122334455667788n;

/** All of them; the same at every call. */
export function edgeCases(): readonly EdgeCase[] {
  return [...smallOrderParts(), ...smallOrderKeys(), ...spellings()];
}

// Key aB + iT and R = rB + jT, with a nonce and without: the equation without the cofactor holds iff j + k·i is 0
// modulo 8, k being the hash, which messages are tried for. With the cofactor all of these would hold.
function smallOrderParts(): EdgeCase[] {
  const cases: EdgeCase[] = [];
  for (let i = 0; i < 8; i++)
    for (const nonce of [NONCE, 0n])
      for (let j = 0; j < 8; j++)
        for (const verdict of ['accepted', 'KEY_SIGNATURE'] as const) {
          const key = multiple(Point.BASE, SECRET)
            .add(multiple(TORSION, BigInt(i)))
            .toBytes();
          const r = multiple(Point.BASE, nonce)
            .add(multiple(TORSION, BigInt(j)))
            .toBytes();
          const found = messages().find(
            (message) =>
              ((BigInt(j) + hash(r, key, message) * BigInt(i)) % 8n === 0n) === (verdict === 'accepted'),
          );
          if (found === undefined) continue;
          const s = (nonce + hash(r, key, found) * SECRET) % ORDER;
          const name = `key with torsion ${i}, R ${nonce === 0n ? 'of small order' : 'with torsion'} ${j}`;
          cases.push(edge(name, key, found, r, s, verdict));
        }
  return cases;
}

// Under a key of small order anybody can sign: S = 0 and a fitting R.
function smallOrderKeys(): EdgeCase[] {
  const canonical = Array.from({ length: 8 }, (_, i) => multiple(TORSION, BigInt(i)).toBytes());
  const others = [FIELD, FIELD + 1n].flatMap((y) => [encode(y, 0), encode(y, 1)]);
  return [...canonical, ...others, encode(1n, 1), encode(FIELD - 1n, 1)].map((key, i) => {
    const message = Uint8Array.of(i);
    return edge(`key of small order ${i}`, key, message, Point.ZERO.toBytes(), 0n, 'KEY_PUBLIC');
  });
}

function spellings(): EdgeCase[] {
  const [message] = messages() as [Uint8Array];
  const key = multiple(Point.BASE, SECRET).toBytes();
  const r = multiple(Point.BASE, NONCE).toBytes();
  const s = (NONCE + hash(r, key, message) * SECRET) % ORDER;
  const identity = encode(FIELD + 1n, 0);
  const stillborn = (hash(identity, key, message) * SECRET) % ORDER;
  let offCurve = 2n;
  while (isPoint(encode(offCurve, 0))) offCurve += 1n;
  return [
    edge('honest', key, message, r, s, 'accepted'),
    edge('honest, another message', key, Uint8Array.of(9), r, s, 'KEY_SIGNATURE'),
    edge('S plus the order', key, message, r, s + ORDER, 'KEY_SIGNATURE'),
    edge('S as the order', key, message, r, ORDER, 'KEY_SIGNATURE'),
    edge('S with its highest bit', key, message, r, s + (1n << 255n), 'KEY_SIGNATURE'),
    edge('R the identity, not reduced', key, message, identity, stillborn, 'KEY_SIGNATURE'),
    edge('R negative zero', key, message, encode(1n, 1), s, 'KEY_SIGNATURE'),
    edge('R not on the curve', key, message, encode(offCurve, 0), s, 'KEY_SIGNATURE'),
    edge('key not on the curve', encode(offCurve, 0), message, r, s, 'KEY_PUBLIC'),
    edge('key not reduced', encode(FIELD + 3n, 0), message, r, s, 'KEY_PUBLIC'),
    edge('key all ones', encode((1n << 255n) - 1n, 1), message, r, s, 'KEY_PUBLIC'),
  ];
}

function messages(): Uint8Array[] {
  return Array.from({ length: 64 }, (_, i) => Uint8Array.of(i));
}

function multiple(point: Point, factor: bigint): Point {
  return point.multiplyUnsafe(factor);
}

function hash(r: Uint8Array, key: Uint8Array, message: Uint8Array): bigint {
  return fromLittleEndian(sha512(Uint8Array.of(...r, ...key, ...message))) % ORDER;
}

function edge(
  name: string,
  publicKey: Uint8Array,
  message: Uint8Array,
  r: Uint8Array,
  s: bigint,
  verdict: EdgeCase['verdict'],
): EdgeCase {
  const signature = hex(r) + hex(encode(s, 0));
  return { name, publicKey: hex(publicKey), message: hex(message), signature, verdict };
}

// 32 bytes, little-endian, and the sign bit of a point.
function encode(value: bigint, sign: 0 | 1): Uint8Array {
  const bytes = Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
  bytes[31] = (bytes[31] ?? 0) | (sign << 7);
  return bytes;
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function isPoint(encoded: Uint8Array): boolean {
  try {
    Point.fromBytes(encoded);
    return true;
  } catch {
    return false;
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
