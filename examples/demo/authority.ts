/**
 * A throw-away certificate authority for the demo's TLS connections: RFC 5280 certificates over P-256 with SHA-256.
 *
 * It leaves out everything that an authority with a future needs: requests signed by the subject (it makes the keys
 * itself), intermediates, revocation. The authority's own key is not extractable and dies with the process. The
 * authority of a bank is `examples/admin/ca`.
 */

import 'reflect-metadata'; // @peculiar/x509 refuses to load before it
import { createPrivateKey, KeyObject, webcrypto } from 'node:crypto';
import { X509CertificateGenerator, type Name } from '@peculiar/x509';
import {
  KEY_ALGORITHM,
  type Kind,
  leafExtensions,
  LOOPBACK_HOSTS,
  nameOf,
  randomSerial,
  rootExtensions,
  SIGNATURE_ALGORITHM,
  validFor,
} from '../admin/ca/profile.ts';

/** How long an authority is valid. No certificate may outlive its authority. */
export const AUTHORITY_DAYS = 365;
/** How long an issued certificate is valid unless the request says otherwise. */
export const LEAF_DAYS = 30;

/** What {@link Authority.issue} makes a certificate from. */
export interface CertificateRequest {
  /** The subject, one to 64 characters. Any character but control characters; none of them has a meaning. */
  readonly commonName: string;
  /** The one use that the certificate is good for. */
  readonly kind: Kind;
  /** For a server: the DNS names and IP addresses it answers to, instead of {@link LOOPBACK_HOSTS}. */
  readonly hosts?: readonly string[];
  /** Validity in days from now, {@link LEAF_DAYS} unless given. */
  readonly days?: number;
}

/** A certificate and the key that belongs to it. */
export interface IssuedCertificate {
  /** The certificate alone, as PEM. */
  readonly certificate: string;
  /** The private key, as PEM of an unencrypted PKCS#8. */
  readonly key: string;
}

/** A certificate authority that lives in memory. */
export interface Authority {
  /** The self-signed certificate to trust, as PEM. */
  readonly certificate: string;
  /**
   * Makes a key pair and a certificate for it.
   *
   * @throws `RangeError` for a common name or a lifetime outside its bounds; `TypeError` for a client with hosts
   */
  issue(request: CertificateRequest): Promise<IssuedCertificate>;
}

/**
 * Makes a new authority, whose certificates nobody else trusts.
 *
 * @param name - the authority's common name, one to 64 characters
 * @throws `RangeError` for a name outside its bounds
 * @example
 * ```ts
 * const authority = await createAuthority('Demo authority');
 * const { certificate, key } = await authority.issue({ commonName: 'bank', kind: 'server' });
 * tls.createServer({ cert: certificate, key, ca: authority.certificate, requestCert: true });
 * ```
 */
export async function createAuthority(name: string): Promise<Authority> {
  const issuer = nameOf(name);
  const keys = await webcrypto.subtle.generateKey(KEY_ALGORITHM, false, ['sign', 'verify']);
  const validity = validFor(AUTHORITY_DAYS);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: issuer,
    keys,
    signingAlgorithm: SIGNATURE_ALGORITHM,
    serialNumber: randomSerial(),
    ...validity,
    extensions: await rootExtensions(keys.publicKey),
  });
  return {
    certificate: certificate.toString('pem'),
    issue: (request) => issue(request, { issuer, keys, notAfter: validity.notAfter }),
  };
}

/**
 * Puts a private key under a passphrase.
 *
 * For a demo only: OpenSSL stretches the passphrase with 2,048 rounds of PBKDF2, which Node gives no way to raise.
 *
 * @param pem - an unencrypted private key
 * @param passphrase - not empty
 * @returns an encrypted PKCS#8 as PEM (PBES2 of RFC 8018 with AES-256-CBC)
 * @throws `RangeError` for an empty passphrase
 */
export function encryptKey(pem: string, passphrase: string): string {
  if (passphrase === '') throw new RangeError('passphrase is empty');
  const key = createPrivateKey(pem);
  return key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString();
}

interface Signer {
  readonly issuer: Name;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly notAfter: Date;
}

async function issue(request: CertificateRequest, signer: Signer): Promise<IssuedCertificate> {
  const subject = nameOf(request.commonName);
  const validity = validFor(request.days ?? LEAF_DAYS);
  if (validity.notAfter > signer.notAfter) throw new RangeError('days outlast the authority');
  if (request.kind === 'client' && request.hosts !== undefined)
    throw new TypeError('hosts are for servers only');
  const keys = await webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.create({
    subject,
    issuer: signer.issuer,
    publicKey: keys.publicKey,
    signingKey: signer.keys.privateKey,
    signingAlgorithm: SIGNATURE_ALGORITHM,
    serialNumber: randomSerial(),
    ...validity,
    extensions: await leafExtensions(
      { kind: request.kind, hosts: request.hosts ?? LOOPBACK_HOSTS },
      { own: keys.publicKey, issuer: signer.keys.publicKey },
    ),
  });
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' });
  return { certificate: certificate.toString('pem'), key: key.toString() };
}
