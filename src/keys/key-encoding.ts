/**
 * Under which AlgorithmIdentifier each algorithm's keys are encoded, in PKCS#8 and SPKI alike, and what form the
 * private key has inside. An identifier is compared whole, parameters included: those that must be absent (RFC 8410
 * section 3, RFC 9881 section 2) are absent, and those of P-256 name the curve (RFC 5480 section 2.1.1.1).
 * MLKEM768-P256 is not here, since no document gives it an identifier. spec/keys.md, "Encodings".
 */

import {
  ED25519,
  ES256,
  KEM_P256,
  KEM_X25519,
  KEM_XWING,
  ML_DSA_44,
  ML_DSA_65_ED25519,
  type KemId,
} from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { equalBytes } from '../wire/index.ts';
import { der, derObjectIdentifier, TAG } from './der.ts';

/** Most bytes of an encoded key, private or public, in DER. */
export const KEY_ENCODING_LIMIT = 8 * 1024;

/** How the private key stands in its octet string. */
export type PrivateKeyForm =
  | 'octets' // an octet string of its own: CurvePrivateKey, RFC 8410 section 7
  | 'ec' // ECPrivateKey, RFC 5915 section 3
  | 'seed' // ML-DSA-PrivateKey, RFC 9881 section 6
  | 'bare'; // as it is

/** How the keys of one algorithm are encoded. */
export interface KeyEncoding {
  /** The DER of the AlgorithmIdentifier. */
  readonly identifier: Uint8Array;
  readonly form: PrivateKeyForm;
  /** Whether a private key may state its public key beside it. */
  readonly mayStatePublicKey: boolean;
}

const NO_PARAMETERS: Uint8Array = new Uint8Array(0);
/** The DER of P-256's object identifier, which is the parameter of its keys. */
export const P256_CURVE = derObjectIdentifier('1.2.840.10045.3.1.7');

const EC_P256 = encoding('ec', '1.2.840.10045.2.1', P256_CURVE);

const SIGNING: ReadonlyMap<string, KeyEncoding> = new Map([
  [ED25519, encoding('octets', '1.3.101.112')], // RFC 8410
  [ES256, EC_P256],
  [ML_DSA_44, encoding('seed', '2.16.840.1.101.3.4.3.17')], // RFC 9881
  [ML_DSA_65_ED25519, encoding('bare', '1.3.6.1.5.5.7.6.48')], // draft-ietf-lamps-pq-composite-sigs section 6
]);

const KEM: ReadonlyMap<number, KeyEncoding> = new Map<KemId, KeyEncoding>([
  [KEM_X25519, encoding('octets', '1.3.101.110')], // RFC 8410
  [KEM_P256, EC_P256],
  // draft-connolly-cfrg-xwing-kem section 5.8.2: "The publicKey component MUST be absent."
  [KEM_XWING, { ...encoding('bare', '1.3.6.1.4.1.62253.25722'), mayStatePublicKey: false }],
]);

/** How a signature algorithm's keys are encoded; throws `KEY_ALGORITHM` where there is no such encoding. */
export function signingKeyEncoding(algorithm: string): KeyEncoding {
  return SIGNING.get(algorithm) ?? refuse();
}

/** How a KEM's keys are encoded; throws `KEY_ALGORITHM` where there is no such encoding. */
export function kemKeyEncoding(kem: number): KeyEncoding {
  return KEM.get(kem) ?? refuse();
}

/** The signature algorithm with this AlgorithmIdentifier, or `KEY_ALGORITHM`. */
export function signingKeyNamed(identifier: Uint8Array): string {
  return named(SIGNING, identifier);
}

/** The KEM with this AlgorithmIdentifier, or `KEY_ALGORITHM`. */
export function kemKeyNamed(identifier: Uint8Array): KemId {
  return named(KEM, identifier) as KemId; // the map's keys are KEM ids; its type lets a peer's number be looked up
}

function named<Name>(encodings: ReadonlyMap<Name, KeyEncoding>, identifier: Uint8Array): Name {
  for (const [name, candidate] of encodings) if (equalBytes(candidate.identifier, identifier)) return name;
  return refuse();
}

function encoding(form: PrivateKeyForm, algorithm: string, parameters = NO_PARAMETERS): KeyEncoding {
  const identifier = der(TAG.sequence, derObjectIdentifier(algorithm), parameters);
  return { identifier, form, mayStatePublicKey: true };
}

function refuse(): never {
  throw new MunimentError('KEY_ALGORITHM');
}
