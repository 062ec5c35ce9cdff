/** Vectors of spec/keys.md, "Encodings": keys as PKCS#8, SPKI, JWK and PEM, and everything that is refused as one. */

import { createHash } from 'node:crypto';
import {
  ED25519,
  ES256,
  KEM_MLKEM768_P256,
  KEM_P256,
  KEM_X25519,
  KEM_XWING,
  ML_DSA_44,
  ML_DSA_65_ED25519,
  mlDsa44ExpandedKey,
  signatureAlgorithm,
  type KemId,
} from '../../../src/crypto/index.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import {
  encodeJwk,
  encodePkcs8,
  encodePrivatePem,
  encodePublicJwk,
  encodePublicPem,
  encodeSpki,
  exposeSecret,
  Secret,
  SoftwareDecapsulator,
  SoftwareSigner,
} from '../../../src/keys/index.ts';
import { fromUtf8, toBase64 } from '../../../src/wire/index.ts';
import { flipped } from '../../mutation.ts';
import {
  ALGORITHM,
  ecPrivateKey,
  ecPublicKey,
  oneAsymmetricKey,
  subjectPublicKeyInfo,
  tlv,
} from '../../tlv.ts';
import type { VectorCase, VectorFile } from '../file.ts';
import { hex, unhex } from '../hex.ts';
import { seededRandom } from './seed.ts';

/** Which key it is: a signature algorithm, or a KEM. */
export type KeyName = { readonly algorithm: string } | { readonly kem: number };

/** What a key is read for. */
export type KeyPurpose = 'signing' | 'kem';

export type EncodingsCase = VectorCase &
  (
    | {
        readonly operation: 'encode key';
        readonly key: KeyName;
        readonly secretKey: string;
        readonly publicKey: string;
        readonly pkcs8?: string;
        readonly privatePem?: string;
        readonly spki?: string;
        readonly publicPem?: string;
        /** Null for a key that has no JWK. */
        readonly jwk?: string | null;
        readonly publicJwk?: string | null;
        readonly thumbprint?: string | null;
      }
    | {
        readonly operation: 'read private key';
        readonly format: 'pkcs8' | 'pem' | 'jwk';
        readonly purpose: KeyPurpose;
        /** Hexadecimal for PKCS#8. */
        readonly encoded: string;
        readonly key?: KeyName;
        readonly secretKey?: string;
        /** The one form in which the key is written. */
        readonly pkcs8?: string;
      }
    | {
        readonly operation: 'read public key';
        readonly format: 'spki' | 'pem' | 'jwk';
        readonly purpose: KeyPurpose;
        /** Hexadecimal for SPKI. */
        readonly encoded: string;
        readonly key?: KeyName;
        readonly publicKey?: string;
      }
  );

/** The file. */
export function generate(): VectorFile<EncodingsCase> {
  return {
    description:
      'Keys as PKCS#8, SubjectPublicKeyInfo, JWK and PEM: what is written, which variants are read, what is refused.',
    spec: 'spec/keys.md',
    cases: [
      ...encodeCases(),
      ...pkcs8Cases(),
      ...privatePemCases(),
      ...privateJwkCases(),
      ...spkiCases(),
      ...publicPemCases(),
      ...publicJwkCases(),
    ],
  };
}

/** The key of a vector. */
export function keyOf(name: KeyName, secretKey: string): SoftwareSigner | SoftwareDecapsulator {
  const bytes = unhex(secretKey);
  return 'kem' in name
    ? new SoftwareDecapsulator(name.kem as KemId, new Secret('kem key', bytes))
    : new SoftwareSigner(name.algorithm, new Secret('signing key', bytes));
}

function signer(algorithm: string): SoftwareSigner {
  const random = seededRandom(`encodings ${algorithm}`);
  return new SoftwareSigner(
    algorithm,
    new Secret('signing key', signatureAlgorithm(algorithm).generateSecretKey(random)),
  );
}

function decapsulator(kem: KemId): SoftwareDecapsulator {
  return SoftwareDecapsulator.generate(kem, seededRandom(`encodings ${String(kem)}`));
}

/** Ed25519, and its neighbours, whose parts the cases below put together. */
const ed25519 = partsOf(signer(ED25519));
const es256 = partsOf(signer(ES256));
const mlDsa44 = partsOf(signer(ML_DSA_44));
const composite = partsOf(signer(ML_DSA_65_ED25519));
const x25519 = partsOf(decapsulator(KEM_X25519));
const p256 = partsOf(decapsulator(KEM_P256));
const xwing = partsOf(decapsulator(KEM_XWING));
const mlKem768P256 = partsOf(decapsulator(KEM_MLKEM768_P256));

const P256_CURVE = '06082a8648ce3d030107';
const P384_CURVE = '06052b81040022';
const P256_ORDER = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551';

interface Parts {
  readonly key: SoftwareSigner | SoftwareDecapsulator;
  readonly name: KeyName;
  readonly purpose: KeyPurpose;
  readonly secret: string;
  readonly point: string;
}

function partsOf(key: SoftwareSigner | SoftwareDecapsulator): Parts {
  const isKem = 'kem' in key;
  return {
    key,
    name: isKem ? { kem: key.kem } : { algorithm: key.algorithm },
    purpose: isKem ? 'kem' : 'signing',
    secret: hex(exposeSecret(key.secret)),
    point: hex(key.publicKey),
  };
}

function encodeCases(): EncodingsCase[] {
  const base = (title: string, { name, secret, point }: Parts) =>
    ({
      name: `encode key: ${title}`,
      operation: 'encode key',
      key: name,
      secretKey: secret,
      publicKey: point,
    }) as const;
  const written = (title: string, parts: Parts): EncodingsCase => {
    const pkcs8 = encodePkcs8(parts.key);
    const spki = encodeSpki(parts.key);
    const hasJwk = parts !== xwing;
    const publicJwk = hasJwk ? encodePublicJwk(parts.key) : null;
    return {
      ...base(title, parts),
      pkcs8: hex(exposeSecret(pkcs8)),
      privatePem: fromUtf8(exposeSecret(encodePrivatePem(pkcs8))),
      spki: hex(spki),
      publicPem: encodePublicPem(spki),
      jwk: hasJwk ? fromUtf8(exposeSecret(encodeJwk(parts.key))) : null,
      publicJwk,
      thumbprint: publicJwk === null ? null : createHash('sha256').update(publicJwk).digest('base64url'),
    };
  };
  return [
    written('Ed25519', ed25519),
    written('ES256', es256),
    written('ML-DSA-44', mlDsa44),
    written('ML-DSA-65-Ed25519', composite),
    written('X25519', x25519),
    written('P-256', p256),
    written('X-Wing', xwing),
    { ...base('MLKEM768-P256', mlKem768P256), error: 'KEY_ALGORITHM' },
  ];
}

function pkcs8Cases(): EncodingsCase[] {
  const one = (title: string, encoded: string, parts: Parts, result: ErrorCode | null): EncodingsCase => ({
    name: `read private key: PKCS#8: ${title}`,
    operation: 'read private key',
    format: 'pkcs8',
    purpose: parts.purpose,
    encoded,
    ...(result === null
      ? { key: parts.name, secretKey: parts.secret, pkcs8: hex(exposeSecret(encodePkcs8(parts.key))) }
      : { error: result }),
  });
  const reads = (title: string, encoded: string, parts: Parts): EncodingsCase =>
    one(title, encoded, parts, null);
  const refuses = (
    title: string,
    encoded: string,
    parts = ed25519,
    code: ErrorCode = 'KEY_FILE',
  ): EncodingsCase => one(title, encoded, parts, code);
  const inner = tlv('04', ed25519.secret);
  const good = oneAsymmetricKey(ALGORITHM.ed25519, inner);
  const body = good.slice(4);
  // Version, algorithm and private key as they are, and then whatever follows.
  const followed = (version: string, ...rest: string[]): string =>
    tlv('30', version, tlv('30', ALGORITHM.ed25519), tlv('04', inner), ...rest);
  const attribute = tlv('30', '060355040a', tlv('31', tlv('0c', '78')));
  const stated = (key: string): string => tlv('81', '00', key);
  const ec = (...rest: string[]): string =>
    oneAsymmetricKey(ALGORITHM.p256, ecPrivateKey(es256.secret, ...rest));
  const ecPublic = ecPublicKey(es256.point);
  const ecScalar = (scalar: string): string => oneAsymmetricKey(ALGORITHM.p256, ecPrivateKey(scalar));
  const seedTagged = tlv('80', mlDsa44.secret);
  const expanded = mlDsa44ExpandedKey(unhex(mlDsa44.secret));
  const both = (seed: string, key: Uint8Array): string =>
    oneAsymmetricKey(ALGORITHM.mlDsa44, tlv('30', tlv('04', seed), tlv('04', hex(key))));
  const encrypted = tlv('30', tlv('30', '06092a864886f70d01050d', tlv('30')), tlv('04', '00'.repeat(64)));
  return [
    reads('Ed25519, with its public key', oneAsymmetricKey(ALGORITHM.ed25519, inner, ed25519.point), ed25519),
    reads('Ed25519, with no attributes in their place', followed('020100', tlv('a0')), ed25519),
    reads('Ed25519, with attributes', followed('020100', tlv('a0', attribute, attribute)), ed25519),
    reads(
      'Ed25519, with attributes and its public key',
      followed('020101', tlv('a0', attribute), stated(ed25519.point)),
      ed25519,
    ),
    reads(
      'X25519, with its public key',
      oneAsymmetricKey(ALGORITHM.x25519, tlv('04', x25519.secret), x25519.point),
      x25519,
    ),
    reads('ES256, without curve and public key', ec(), es256),
    reads('ES256, with the curve', ec(tlv('a0', P256_CURVE)), es256),
    reads('ES256, with curve and public key', ec(tlv('a0', P256_CURVE), ecPublic), es256),
    reads(
      'ES256, with its public key outside and inside',
      oneAsymmetricKey(ALGORITHM.p256, ecPrivateKey(es256.secret, ecPublic), es256.point),
      es256,
    ),
    reads(
      'P-256, without curve and public key',
      oneAsymmetricKey(ALGORITHM.p256, ecPrivateKey(p256.secret)),
      p256,
    ),
    reads(
      'ML-DSA-44, with its public key',
      oneAsymmetricKey(ALGORITHM.mlDsa44, seedTagged, mlDsa44.point),
      mlDsa44,
    ),
    reads('ML-DSA-44, seed and expanded key', both(mlDsa44.secret, expanded), mlDsa44),
    reads(
      'ML-DSA-65-Ed25519, with its public key',
      oneAsymmetricKey(ALGORITHM.composite, composite.secret, composite.point),
      composite,
    ),

    refuses('nothing', ''),
    refuses('an empty sequence', '3000'),
    refuses('a set', `31${good.slice(2)}`),
    refuses('cut off by a byte', good.slice(0, -2)),
    refuses('a byte after its end', `${good}00`),
    refuses('a further element inside', followed('020100', '0500')),
    refuses('more than 8192 bytes', tlv('30', body, tlv('04', '00'.repeat(8192)))),
    refuses('a length in the long form that fits the short', `3081${good.slice(2)}`),
    refuses('a length with a leading zero', `308200${good.slice(2)}`),
    refuses('a length of three bytes', `30830000${good.slice(2)}`),
    refuses('an indefinite length', `3080${body}0000`),
    refuses('a length beyond the end', `3084ffffffff${body}`),
    refuses('version 2', followed('020102', stated(ed25519.point))),
    refuses('a version of two bytes', followed('02020000')),
    refuses('a negative version', followed('0201ff')),
    refuses('version 1 without a public key', followed('020101')),
    refuses('version 0 with a public key', followed('020100', stated(ed25519.point))),
    refuses('another public key', followed('020101', stated(hex(flipped(unhex(ed25519.point), 0))))),
    refuses('a public key of 31 bytes', followed('020101', stated(ed25519.point.slice(2)))),
    refuses('a public key with an odd bit', followed('020101', tlv('81', '01', ed25519.point))),
    refuses(
      'a public key that is tagged explicitly',
      followed('020101', tlv('a1', tlv('03', '00', ed25519.point))),
    ),
    refuses(
      'a public key before the attributes',
      followed('020101', stated(ed25519.point), tlv('a0', attribute)),
    ),
    refuses('attributes twice', followed('020100', tlv('a0', attribute), tlv('a0', attribute))),
    refuses('an attribute without a type', followed('020100', tlv('a0', tlv('30', tlv('31'))))),
    refuses('an attribute without values', followed('020100', tlv('a0', tlv('30', '060355040a')))),
    refuses('encrypted', encrypted),
    refuses('no octet string inside', oneAsymmetricKey(ALGORITHM.ed25519, ed25519.secret)),
    refuses('a bit string inside', oneAsymmetricKey(ALGORITHM.ed25519, tlv('03', ed25519.secret))),
    refuses('31 bytes inside', oneAsymmetricKey(ALGORITHM.ed25519, tlv('04', ed25519.secret.slice(2)))),
    refuses('33 bytes inside', oneAsymmetricKey(ALGORITHM.ed25519, tlv('04', `${ed25519.secret}00`))),
    refuses('a byte after the key inside', oneAsymmetricKey(ALGORITHM.ed25519, `${inner}00`)),

    refuses('Ed25519 for a KEM', good, x25519, 'KEY_ALGORITHM'),
    refuses(
      'X25519 for signing',
      oneAsymmetricKey(ALGORITHM.x25519, tlv('04', x25519.secret)),
      ed25519,
      'KEY_ALGORITHM',
    ),
    ...(
      [
        ['RSA', ALGORITHM.rsa],
        ['Ed448', ALGORITHM.ed448],
        ['ML-DSA-65', ALGORITHM.mlDsa65],
        ['P-384', ALGORITHM.p384],
        ['an EC key without a curve', '06072a8648ce3d0201'],
        ['an EC key with an explicit curve', `06072a8648ce3d0201${tlv('30', '020101')}`],
        ['Ed25519 with parameters', `${ALGORITHM.ed25519}0500`],
        ['no algorithm', ''],
      ] as const
    ).map(([title, algorithm]) =>
      refuses(title, oneAsymmetricKey(algorithm, inner), ed25519, 'KEY_ALGORITHM'),
    ),
    refuses(
      'ML-KEM-768',
      oneAsymmetricKey(ALGORITHM.mlKem768, tlv('80', '00'.repeat(64))),
      xwing,
      'KEY_ALGORITHM',
    ),

    refuses(
      'ES256 of version 0 inside',
      oneAsymmetricKey(ALGORITHM.p256, tlv('30', '020100', tlv('04', es256.secret))),
      es256,
    ),
    refuses('ES256 with a scalar of zero', ecScalar('00'.repeat(32)), es256),
    refuses('ES256 with the order as its scalar', ecScalar(P256_ORDER), es256),
    refuses('ES256 with a scalar of 31 bytes', ecScalar(es256.secret.slice(2)), es256),
    refuses('ES256 with a scalar of 33 bytes', ecScalar(`00${es256.secret}`), es256),
    refuses('ES256 with another curve inside', ec(tlv('a0', P384_CURVE)), es256),
    refuses('ES256 with an explicit curve inside', ec(tlv('a0', tlv('30', '020101'))), es256),
    refuses('ES256 with two curves inside', ec(tlv('a0', P256_CURVE, P256_CURVE)), es256),
    refuses('ES256 with the public key before the curve', ec(ecPublic, tlv('a0', P256_CURVE)), es256),
    refuses('ES256 with another public key', ec(ecPublicKey(p256.point)), es256),
    refuses('ES256 with a compressed public key', ec(ecPublicKey(compressed(es256.point))), es256),
    refuses('ES256 with a public key without its frame', ec(tlv('a1', '00', es256.point)), es256),
    refuses('ES256 with a further element inside', ec(ecPublic, '0500'), es256),
    refuses(
      'ES256 with another public key outside',
      oneAsymmetricKey(ALGORITHM.p256, ecPrivateKey(es256.secret, ecPublic), p256.point),
      es256,
    ),

    refuses(
      'ML-DSA-44 with a seed of 31 bytes',
      oneAsymmetricKey(ALGORITHM.mlDsa44, tlv('80', mlDsa44.secret.slice(2))),
      mlDsa44,
    ),
    refuses('ML-DSA-44 with an untagged seed', oneAsymmetricKey(ALGORITHM.mlDsa44, mlDsa44.secret), mlDsa44),
    refuses(
      'ML-DSA-44 with a seed in an octet string',
      oneAsymmetricKey(ALGORITHM.mlDsa44, tlv('04', mlDsa44.secret)),
      mlDsa44,
    ),
    refuses(
      'ML-DSA-44 with a seed that is tagged explicitly',
      oneAsymmetricKey(ALGORITHM.mlDsa44, tlv('a0', tlv('04', mlDsa44.secret))),
      mlDsa44,
    ),
    refuses(
      'ML-DSA-44 with the expanded key alone',
      oneAsymmetricKey(ALGORITHM.mlDsa44, tlv('04', hex(expanded))),
      mlDsa44,
    ),
    refuses(
      'ML-DSA-44 with the expanded key of another seed',
      both(mlDsa44.secret, flipped(expanded, 2559)),
      mlDsa44,
    ),
    refuses(
      'ML-DSA-44 with an expanded key that is cut off',
      both(mlDsa44.secret, expanded.subarray(0, -1)),
      mlDsa44,
    ),
    refuses(
      'ML-DSA-44 with a seed of 31 bytes and an expanded key',
      both(mlDsa44.secret.slice(2), expanded),
      mlDsa44,
    ),

    refuses(
      'ML-DSA-65-Ed25519 with one seed',
      oneAsymmetricKey(ALGORITHM.composite, composite.secret.slice(64)),
      composite,
    ),
    refuses(
      'ML-DSA-65-Ed25519 in an octet string',
      oneAsymmetricKey(ALGORITHM.composite, tlv('04', composite.secret)),
      composite,
    ),
    refuses(
      'ML-DSA-65-Ed25519 with another public key',
      oneAsymmetricKey(ALGORITHM.composite, composite.secret, hex(flipped(unhex(composite.point), 1983))),
      composite,
    ),

    refuses('X-Wing of 31 bytes', oneAsymmetricKey(ALGORITHM.xwing, xwing.secret.slice(2)), xwing),
    refuses('X-Wing in an octet string', oneAsymmetricKey(ALGORITHM.xwing, tlv('04', xwing.secret)), xwing),
    refuses(
      'X-Wing with its public key',
      oneAsymmetricKey(ALGORITHM.xwing, xwing.secret, xwing.point),
      xwing,
    ),
  ];
}

function privatePemCases(): EncodingsCase[] {
  const good = fromUtf8(exposeSecret(encodePrivatePem(encodePkcs8(ed25519.key))));
  const one = (title: string, encoded: string, isRead: boolean): EncodingsCase => ({
    name: `read private key: PEM: ${title}`,
    operation: 'read private key',
    format: 'pem',
    purpose: 'signing',
    encoded,
    ...(isRead
      ? { key: ed25519.name, secretKey: ed25519.secret, pkcs8: hex(exposeSecret(encodePkcs8(ed25519.key))) }
      : { error: 'KEY_FILE' }),
  });
  return [
    one('lines end in CR LF', good.replaceAll('\n', '\r\n'), true),
    one('the last line does not end', good.trimEnd(), true),
    one('nothing', '', false),
    one('text before', `Bag Attributes\n${good}`, false),
    one('text after', `${good}.\n`, false),
    one('two keys', good + good, false),
    one('a public key', good.replaceAll('PRIVATE', 'PUBLIC'), false),
    one('an encrypted key', good.replaceAll('PRIVATE', 'ENCRYPTED PRIVATE'), false),
    one('a SEC 1 key', good.replaceAll('PRIVATE', 'EC PRIVATE'), false),
    one('another label at the end', good.replace('END PRIVATE', 'END PUBLIC'), false),
    one('lines of another length', good.replace('MC4C', 'MC4C\n'), false),
    one('a space at the end of a line', good.replace('\n', ' \n'), false),
    one(
      'base64 without padding',
      `-----BEGIN PRIVATE KEY-----\n${toBase64(unhex('3000')).replaceAll('=', '')}\n-----END PRIVATE KEY-----\n`,
      false,
    ),
    one(
      'longer than 16384 characters',
      encodePublicPem(new Uint8Array(12_200)).replaceAll('PUBLIC', 'PRIVATE'),
      false,
    ),
  ];
}

function privateJwkCases(): EncodingsCase[] {
  const one = (title: string, encoded: string, parts: Parts, result: ErrorCode | null): EncodingsCase => ({
    name: `read private key: JWK: ${title}`,
    operation: 'read private key',
    format: 'jwk',
    purpose: parts.purpose,
    encoded,
    ...(result === null
      ? { key: parts.name, secretKey: parts.secret, pkcs8: hex(exposeSecret(encodePkcs8(parts.key))) }
      : { error: result }),
  });
  const base = membersOf(ed25519);
  const reads = (title: string, members: Members, parts = ed25519): EncodingsCase =>
    one(title, JSON.stringify(members), parts, null);
  const refuses = (
    title: string,
    members: Members,
    code: ErrorCode = 'KEY_FILE',
    parts = ed25519,
  ): EncodingsCase => one(title, JSON.stringify(members), parts, code);
  const text = JSON.stringify(base);
  const ec = membersOf(es256);
  const kem = membersOf(p256);
  const akp = membersOf(mlDsa44);
  const shared = { pub: b64(xwing.point), priv: b64(xwing.secret) };
  return [
    one(
      'white space, another order',
      JSON.stringify({ x: base['x'], kty: 'OKP', crv: 'Ed25519', d: base['d'] }, null, 2),
      ed25519,
      null,
    ),
    reads('all that may be said of an Ed25519 key', {
      ...base,
      use: 'sig',
      alg: 'Ed25519',
      key_ops: ['sign', 'verify'],
      ext: true,
      kid: 'a',
    }),
    reads('the older name of Ed25519', { ...base, alg: 'EdDSA', key_ops: ['sign'], ext: false }),
    reads('ES256 by name', { ...ec, alg: 'ES256', use: 'sig', key_ops: ['sign'] }, es256),
    reads('P-256 for a KEM', { ...kem, use: 'enc', key_ops: ['deriveBits'] }, p256),
    reads(
      'X25519 for a KEM',
      { ...membersOf(x25519), use: 'enc', key_ops: ['deriveKey', 'deriveBits'] },
      x25519,
    ),

    one('nothing', '', ed25519, 'KEY_FILE'),
    one('not JSON', 'Ed25519', ed25519, 'KEY_FILE'),
    one('null', 'null', ed25519, 'KEY_FILE'),
    one('a list', `[${text}]`, ed25519, 'KEY_FILE'),
    one('nested too deep', text.replace('{', '{"key_ops":[["sign"]],'), ed25519, 'KEY_FILE'),
    one('longer than 8192 characters', text.padEnd(8193), ed25519, 'KEY_FILE'),
    one('a member twice', text.replace('{', '{"kty":"OKP",'), ed25519, 'KEY_FILE'),
    one('an empty object', '{}', ed25519, 'KEY_FILE'),
    refuses('a type that is a number', { ...base, kty: 1 }),
    refuses('no curve', { kty: 'OKP', d: base['d'], x: base['x'] }, 'KEY_ALGORITHM'),
    refuses('another type', { ...base, kty: 'EC' }, 'KEY_ALGORITHM'),
    refuses('a symmetric key', { kty: 'oct', k: 'AA' }, 'KEY_ALGORITHM'),
    refuses('an RSA key', { kty: 'RSA', n: 'AA', e: 'AQAB', d: 'AA' }, 'KEY_ALGORITHM'),
    refuses('Ed448', { ...base, crv: 'Ed448' }, 'KEY_ALGORITHM'),
    refuses('P-384', { ...ec, crv: 'P-384' }, 'KEY_ALGORITHM', es256),
    refuses('ML-DSA-65', { ...akp, alg: 'ML-DSA-65' }, 'KEY_ALGORITHM', mlDsa44),
    refuses('X-Wing', { kty: 'AKP', alg: 'HPKE-11', ...shared }, 'KEY_ALGORITHM', xwing),
    refuses('X25519 for signing', membersOf(x25519), 'KEY_ALGORITHM'),
    refuses('Ed25519 for a KEM', base, 'KEY_ALGORITHM', x25519),
    refuses('a public key', publicMembersOf(ed25519)),
    refuses('without its public key', { kty: 'OKP', crv: 'Ed25519', d: base['d'] }),
    refuses(
      'without half of its public key',
      { kty: 'EC', crv: 'P-256', d: ec['d'], x: ec['x'] },
      'KEY_FILE',
      es256,
    ),
    refuses('a further member', { ...base, exp: 1 }),
    refuses('a certificate beside it', { ...base, x5c: [] }),
    refuses('the private member of another type', { ...base, priv: base['d'] }),
    refuses('a private key that is a number', { ...base, d: 1 }),
    refuses('padded base64', { ...base, d: `${String(base['d'])}=` }),
    refuses('an odd bit in base64', {
      ...base,
      d: `${String(base['d']).slice(0, -1)}${oddBit(String(base['d']))}`,
    }),
    refuses('31 bytes', { ...base, d: b64(ed25519.secret.slice(2)) }),
    refuses('33 bytes', { ...base, d: b64(`${ed25519.secret}00`) }),
    refuses('another public key', { ...base, x: b64(hex(flipped(unhex(ed25519.point), 0))) }),
    refuses('a public key of 31 bytes', { ...base, x: b64(ed25519.point.slice(2)) }),
    refuses('another point', { ...ec, x: kem['x'], y: kem['y'] }, 'KEY_FILE', es256),
    refuses(
      'a point cut in another place',
      { ...ec, x: b64(es256.point.slice(2, 64)), y: b64(es256.point.slice(64)) },
      'KEY_FILE',
      es256,
    ),
    refuses('a scalar of zero', { ...ec, d: b64('00'.repeat(32)) }, 'KEY_FILE', es256),
    refuses('the order as scalar', { ...ec, d: b64(P256_ORDER) }, 'KEY_FILE', es256),
    refuses('ML-DSA-44 of two seeds', { ...akp, priv: b64(composite.secret) }, 'KEY_FILE', mlDsa44),
    refuses(
      'the composite of one seed',
      { ...membersOf(composite), priv: b64(mlDsa44.secret) },
      'KEY_FILE',
      composite,
    ),
    refuses('for encryption', { ...base, use: 'enc' }, 'KEY_ALGORITHM'),
    refuses('for a use that is a number', { ...base, use: 1 }, 'KEY_ALGORITHM'),
    refuses('of another algorithm', { ...base, alg: 'ES256' }, 'KEY_ALGORITHM'),
    refuses('of an algorithm that is a number', { ...base, alg: 1 }, 'KEY_ALGORITHM'),
    refuses('P-256 for signing that is to be a KEM', { ...kem, alg: 'ES256' }, 'KEY_ALGORITHM', p256),
    refuses('P-256 for another key agreement', { ...kem, alg: 'ECDH-ES' }, 'KEY_ALGORITHM', p256),
    refuses('for another operation', { ...base, key_ops: ['sign', 'decrypt'] }, 'KEY_ALGORITHM'),
    refuses('for no operation', { ...base, key_ops: [] }, 'KEY_ALGORITHM'),
    refuses('for verifying alone', { ...base, key_ops: ['verify'] }, 'KEY_ALGORITHM'),
    refuses('an operation twice', { ...base, key_ops: ['sign', 'sign'] }),
    refuses('operations that are no list', { ...base, key_ops: 'sign' }),
    refuses('extractability as text', { ...base, ext: 'true' }),
    refuses('a name that is a number', { ...base, kid: 1 }),
  ];
}

function spkiCases(): EncodingsCase[] {
  const one = (title: string, encoded: string, parts: Parts, result: ErrorCode | null): EncodingsCase => ({
    name: `read public key: SPKI: ${title}`,
    operation: 'read public key',
    format: 'spki',
    purpose: parts.purpose,
    encoded,
    ...(result === null ? { key: parts.name, publicKey: parts.point } : { error: result }),
  });
  const refuses = (
    title: string,
    encoded: string,
    code: ErrorCode = 'KEY_FILE',
    parts = ed25519,
  ): EncodingsCase => one(title, encoded, parts, code);
  const good = subjectPublicKeyInfo(ALGORITHM.ed25519, ed25519.point);
  const algorithm = tlv('30', ALGORITHM.ed25519);
  const ed = (point: string): string => subjectPublicKeyInfo(ALGORITHM.ed25519, point);
  const ec = (point: string): string => subjectPublicKeyInfo(ALGORITHM.p256, point);
  // The first coefficient of the ML-KEM half is 4095, which is not below q.
  const notReduced = (key: string): string => `ffff${key.slice(4)}`;
  return [
    one('an EC key for signing', ec(p256.point), { ...es256, point: p256.point }, null),
    one('an EC key for a KEM', ec(es256.point), { ...p256, point: es256.point }, null),

    refuses('nothing', ''),
    refuses('an empty sequence', '3000'),
    refuses('cut off by a byte', good.slice(0, -2)),
    refuses('a byte after its end', `${good}00`),
    refuses('a further element inside', tlv('30', algorithm, tlv('03', '00', ed25519.point), '0500')),
    refuses('more than 8192 bytes', subjectPublicKeyInfo(ALGORITHM.ed25519, '00'.repeat(8192))),
    refuses('a length in the long form that fits the short', `3081${good.slice(2)}`),
    refuses(
      'an octet string in place of the bit string',
      tlv('30', algorithm, tlv('04', '00', ed25519.point)),
    ),
    refuses('an odd bit', tlv('30', algorithm, tlv('03', '01', ed25519.point))),
    refuses('an empty bit string', tlv('30', algorithm, tlv('03'))),
    refuses('a private key', oneAsymmetricKey(ALGORITHM.ed25519, tlv('04', ed25519.secret))),

    refuses('RSA', subjectPublicKeyInfo(ALGORITHM.rsa, ed25519.point), 'KEY_ALGORITHM'),
    refuses('P-384', subjectPublicKeyInfo(ALGORITHM.p384, es256.point), 'KEY_ALGORITHM', es256),
    refuses(
      'Ed25519 with parameters',
      subjectPublicKeyInfo(`${ALGORITHM.ed25519}0500`, ed25519.point),
      'KEY_ALGORITHM',
    ),
    refuses('Ed25519 for a KEM', good, 'KEY_ALGORITHM', x25519),
    refuses('X25519 for signing', subjectPublicKeyInfo(ALGORITHM.x25519, x25519.point), 'KEY_ALGORITHM'),

    refuses('Ed25519 of 31 bytes', ed(ed25519.point.slice(2)), 'KEY_PUBLIC'),
    refuses('Ed25519 of 33 bytes', ed(`${ed25519.point}00`), 'KEY_PUBLIC'),
    refuses('Ed25519 that is no point', ed(`02${'00'.repeat(31)}`), 'KEY_PUBLIC'),
    refuses('Ed25519 of small order', ed(`01${'00'.repeat(31)}`), 'KEY_PUBLIC'),
    refuses('Ed25519 in another spelling', ed(`f0${'ff'.repeat(30)}7f`), 'KEY_PUBLIC'),
    refuses('ES256 off the curve', ec(hex(flipped(unhex(es256.point), 64))), 'KEY_PUBLIC', es256),
    refuses('ES256 compressed', ec(compressed(es256.point)), 'KEY_PUBLIC', es256),
    refuses(
      'ES256 in hybrid form',
      ec(`${parity(es256.point) ? '07' : '06'}${es256.point.slice(2)}`),
      'KEY_PUBLIC',
      es256,
    ),
    refuses('ES256 at infinity', ec('00'), 'KEY_PUBLIC', es256),
    refuses('P-256 off the curve', ec(hex(flipped(unhex(p256.point), 64))), 'KEY_PUBLIC', p256),
    refuses('P-256 compressed', ec(compressed(p256.point)), 'KEY_PUBLIC', p256),
    refuses(
      'X25519 of 31 bytes',
      subjectPublicKeyInfo(ALGORITHM.x25519, x25519.point.slice(2)),
      'KEY_PUBLIC',
      x25519,
    ),
    refuses(
      'X25519 of small order',
      subjectPublicKeyInfo(ALGORITHM.x25519, '00'.repeat(32)),
      'KEY_PUBLIC',
      x25519,
    ),
    refuses(
      'X-Wing of 1215 bytes',
      subjectPublicKeyInfo(ALGORITHM.xwing, xwing.point.slice(2)),
      'KEY_PUBLIC',
      xwing,
    ),
    refuses(
      'X-Wing not reduced',
      subjectPublicKeyInfo(ALGORITHM.xwing, notReduced(xwing.point)),
      'KEY_PUBLIC',
      xwing,
    ),
    refuses(
      'ML-DSA-44 of 1311 bytes',
      subjectPublicKeyInfo(ALGORITHM.mlDsa44, mlDsa44.point.slice(2)),
      'KEY_PUBLIC',
      mlDsa44,
    ),
    refuses(
      'the composite of 1983 bytes',
      subjectPublicKeyInfo(ALGORITHM.composite, composite.point.slice(2)),
      'KEY_PUBLIC',
      composite,
    ),
    refuses(
      'the composite with an Ed25519 half of small order',
      subjectPublicKeyInfo(ALGORITHM.composite, `${composite.point.slice(0, -64)}01${'00'.repeat(31)}`),
      'KEY_PUBLIC',
      composite,
    ),
  ];
}

function publicPemCases(): EncodingsCase[] {
  const good = encodePublicPem(encodeSpki(ed25519.key));
  const one = (title: string, encoded: string, isRead: boolean): EncodingsCase => ({
    name: `read public key: PEM: ${title}`,
    operation: 'read public key',
    format: 'pem',
    purpose: 'signing',
    encoded,
    ...(isRead ? { key: ed25519.name, publicKey: ed25519.point } : { error: 'KEY_FILE' }),
  });
  return [
    one('lines end in CR LF', good.replaceAll('\n', '\r\n'), true),
    one('the last line does not end', good.trimEnd(), true),
    one('text before', `key\n${good}`, false),
    one('a private key', fromUtf8(exposeSecret(encodePrivatePem(encodePkcs8(ed25519.key)))), false),
    one('a certificate', good.replaceAll('PUBLIC KEY', 'CERTIFICATE'), false),
  ];
}

function publicJwkCases(): EncodingsCase[] {
  const one = (title: string, encoded: string, parts: Parts, result: ErrorCode | null): EncodingsCase => ({
    name: `read public key: JWK: ${title}`,
    operation: 'read public key',
    format: 'jwk',
    purpose: parts.purpose,
    encoded,
    ...(result === null ? { key: parts.name, publicKey: parts.point } : { error: result }),
  });
  const reads = (title: string, members: Members, parts = ed25519): EncodingsCase =>
    one(title, JSON.stringify(members), parts, null);
  const refuses = (title: string, members: Members, code: ErrorCode, parts = ed25519): EncodingsCase =>
    one(title, JSON.stringify(members), parts, code);
  const base = publicMembersOf(ed25519);
  const ec = publicMembersOf(es256);
  const kem = publicMembersOf(p256);
  return [
    reads('all that may be said of an Ed25519 key', {
      ...base,
      use: 'sig',
      alg: 'EdDSA',
      key_ops: ['verify'],
      ext: true,
      kid: '',
    }),
    reads('P-256 for a KEM, for no operation', { ...kem, use: 'enc', key_ops: [] }, p256),
    refuses('a private key', membersOf(ed25519), 'KEY_FILE'),
    refuses('a private key of the composite', membersOf(composite), 'KEY_FILE', composite),
    refuses('no key', { kty: 'OKP', crv: 'Ed25519' }, 'KEY_FILE'),
    refuses('a further member', { ...base, nbf: 1 }, 'KEY_FILE'),
    refuses('of 31 bytes', { ...base, x: b64(ed25519.point.slice(2)) }, 'KEY_PUBLIC'),
    refuses('of small order', { ...base, x: b64('00'.repeat(32)) }, 'KEY_PUBLIC'),
    refuses('padded base64', { ...base, x: `${String(base['x'])}=` }, 'KEY_FILE'),
    refuses('off the curve', { ...ec, y: ec['x'] }, 'KEY_PUBLIC', es256),
    refuses(
      'a point cut in another place',
      { ...ec, x: b64(es256.point.slice(2, 64)), y: b64(es256.point.slice(64)) },
      'KEY_PUBLIC',
      es256,
    ),
    refuses('for signing alone', { ...base, key_ops: ['sign'] }, 'KEY_ALGORITHM'),
    refuses('for encryption', { ...base, use: 'enc' }, 'KEY_ALGORITHM'),
    refuses('P-256 for signing that is to be a KEM', { ...kem, use: 'sig' }, 'KEY_ALGORITHM', p256),
    refuses(
      'X25519 of small order',
      { ...publicMembersOf(x25519), x: b64('00'.repeat(32)) },
      'KEY_PUBLIC',
      x25519,
    ),
    refuses('X-Wing', { kty: 'AKP', alg: 'HPKE-11', pub: b64(xwing.point) }, 'KEY_ALGORITHM', xwing),
    refuses(
      'MLKEM768-P256',
      { kty: 'AKP', alg: 'HPKE-9', pub: b64(mlKem768P256.point) },
      'KEY_ALGORITHM',
      xwing,
    ),
  ];
}

type Members = Readonly<Record<string, unknown>>;

function membersOf(parts: Parts): Members {
  return JSON.parse(fromUtf8(exposeSecret(encodeJwk(parts.key)))) as Members;
}

function publicMembersOf(parts: Parts): Members {
  return JSON.parse(encodePublicJwk(parts.key)) as Members;
}

function b64(bytes: string): string {
  return Buffer.from(unhex(bytes)).toString('base64url');
}

// The last character of 32 bytes in base64url stands for four bits; its lowest two are to be zero.
function oddBit(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet[alphabet.indexOf(text.slice(-1)) + 1] ?? '';
}

function parity(point: string): boolean {
  return Number.parseInt(point.slice(-1), 16) % 2 === 1;
}

function compressed(point: string): string {
  return (parity(point) ? '03' : '02') + point.slice(2, 66);
}
