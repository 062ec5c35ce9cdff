/**
 * How the keys of each algorithm look as JSON Web Keys (RFC 7517), and what else such a key may say of its purpose: OKP
 * of RFC 8037 for Ed25519 and X25519, EC of RFC 7518 section 6.2 for P-256, and AKP of RFC 9964 section 3 for ML-DSA-44
 * and, by draft-ietf-jose-pq-composite-sigs section 4.1, the composite. Left out: the hybrid KEMs. The only names that
 * anybody proposed for their keys (draft-skokan-jose-hpke-pq-pqt) name an HPKE suite with them, and not this library's.
 * spec/keys.md, "Encodings".
 */

import {
  ED25519,
  ES256,
  kem,
  KEM_P256,
  KEM_X25519,
  ML_DSA_44,
  ML_DSA_65_ED25519,
  signatureAlgorithm,
  type KemId,
} from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import type { JsonValue } from '../wire/index.ts';

/** The members of a JWK, unchecked. */
export type JwkMembers = Readonly<Record<string, JsonValue>>;

/** How one algorithm's keys look. */
export interface JwkShape {
  /** The members whose values tell the algorithm. */
  readonly fixed: Readonly<Record<string, string>>;
  /** What the public key begins with and no member holds: the 04 of an uncompressed point. */
  readonly prefix: Uint8Array;
  /** The members that hold the rest of it, an equal share each. */
  readonly publicMembers: readonly string[];
  readonly privateMember: 'd' | 'priv';
  /** What `alg` may say where it is not among the fixed. */
  readonly algorithms: readonly string[];
}

/** The shapes of all keys that serve one purpose, and the names that JWKs have for it. */
export interface JwkFamily<Algorithm> {
  readonly shapes: ReadonlyMap<Algorithm, JwkShape>;
  /** The value of `use`. */
  readonly use: 'sig' | 'enc';
  /** What `key_ops` may list. */
  readonly operations: readonly string[];
  /** Of what it must list one. */
  readonly needed: { readonly private: readonly string[]; readonly public: readonly string[] };
  lengths(algorithm: Algorithm): { readonly secretKeyLength: number; readonly publicKeyLength: number };
}

/** Keys that sign and verify. */
export const JWK_SIGNING: JwkFamily<string> = {
  shapes: new Map([
    [ED25519, okp('Ed25519', ['EdDSA', 'Ed25519'])], // RFC 8037 section 3.1, RFC 9864 section 2.2
    [ES256, ec(['ES256'])],
    [ML_DSA_44, akp('ML-DSA-44')],
    [ML_DSA_65_ED25519, akp('ML-DSA-65-Ed25519')],
  ]),
  use: 'sig',
  operations: ['sign', 'verify'],
  needed: { private: ['sign'], public: ['verify'] },
  lengths: signatureAlgorithm,
};

/** Keys that encapsulate and decapsulate. No `alg` of JOSE is this library's use of them. */
export const JWK_KEM: JwkFamily<KemId> = {
  shapes: new Map<KemId, JwkShape>([
    [KEM_X25519, okp('X25519', [])],
    [KEM_P256, ec([])],
  ]),
  use: 'enc',
  operations: ['deriveKey', 'deriveBits'],
  needed: { private: ['deriveKey', 'deriveBits'], public: [] },
  lengths: kem,
};

/** The shape of an algorithm's keys, or `KEY_ALGORITHM`. */
export function jwkShape<Algorithm>(family: JwkFamily<Algorithm>, algorithm: Algorithm): JwkShape {
  const shape = family.shapes.get(algorithm);
  if (shape === undefined) throw new MunimentError('KEY_ALGORITHM');
  return shape;
}

/**
 * Which algorithm a JWK is of, once its members are the ones that such a key has and its purpose is the family's.
 *
 * @throws `MunimentError` `KEY_ALGORITHM`, `KEY_FILE`
 */
export function recogniseJwk<Algorithm>(
  family: JwkFamily<Algorithm>,
  members: JwkMembers,
  half: 'private' | 'public',
): { readonly algorithm: Algorithm; readonly shape: JwkShape } {
  const found = [...family.shapes].find(([, { fixed }]) =>
    Object.entries(fixed).every(([name, value]) => members[name] === value),
  );
  if (found === undefined)
    throw new MunimentError(typeof members['kty'] === 'string' ? 'KEY_ALGORITHM' : 'KEY_FILE');
  const [algorithm, shape] = found;
  checkNames(members, shape, half);
  checkPurpose(members, shape, family, half);
  return { algorithm, shape };
}

const OPTIONAL = ['alg', 'ext', 'key_ops', 'kid', 'use'];

// RFC 7517 section 4 has unknown members ignored. Not here: one may restrict the key in a way that is not understood,
// and a private member in what should be a public key is a secret that has gone astray.
function checkNames(members: JwkMembers, shape: JwkShape, half: 'private' | 'public'): void {
  const own = half === 'private' ? [shape.privateMember] : [];
  const required = [...Object.keys(shape.fixed), ...shape.publicMembers, ...own];
  const known = new Set([...required, ...OPTIONAL]);
  if (!required.every((name) => name in members)) refuse();
  if (!Object.keys(members).every((name) => known.has(name))) refuse();
}

// What a JWK says of its purpose is optional (RFC 7517 sections 4.2 to 4.4). Where it is said it must be ours: a key
// that was made for something else is not taken into use here.
function checkPurpose(
  members: JwkMembers,
  shape: JwkShape,
  family: JwkFamily<unknown>,
  half: 'private' | 'public',
): void {
  const { use = family.use, alg, key_ops: operations, ext = true, kid = '' } = members;
  if (typeof ext !== 'boolean' || typeof kid !== 'string') refuse();
  const named = alg === undefined || alg === shape.fixed['alg'] || isAmong(alg, shape.algorithms);
  const allowed = operations === undefined || isForUse(operations, family.operations, family.needed[half]);
  if (use !== family.use || !named || !allowed) throw new MunimentError('KEY_ALGORITHM');
}

function isForUse(listed: JsonValue, allowed: readonly string[], needed: readonly string[]): boolean {
  if (!Array.isArray(listed)) return refuse();
  const names = listed as readonly JsonValue[];
  if (new Set(names).size !== names.length) refuse(); // RFC 7517 section 4.3
  const enough = needed.length === 0 || names.some((name) => isAmong(name, needed));
  return enough && names.every((name) => isAmong(name, allowed));
}

function isAmong(value: JsonValue, names: readonly string[]): boolean {
  return typeof value === 'string' && names.includes(value);
}

function okp(crv: string, algorithms: readonly string[]): JwkShape {
  const fixed = { crv, kty: 'OKP' };
  return { fixed, prefix: new Uint8Array(0), publicMembers: ['x'], privateMember: 'd', algorithms };
}

function ec(algorithms: readonly string[]): JwkShape {
  const fixed = { crv: 'P-256', kty: 'EC' };
  return { fixed, prefix: Uint8Array.of(4), publicMembers: ['x', 'y'], privateMember: 'd', algorithms };
}

function akp(alg: string): JwkShape {
  const fixed = { alg, kty: 'AKP' };
  return { fixed, prefix: new Uint8Array(0), publicMembers: ['pub'], privateMember: 'priv', algorithms: [] };
}

function refuse(): never {
  throw new MunimentError('KEY_FILE');
}
