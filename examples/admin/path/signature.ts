/** Signatures of certificates and CRLs: which algorithms are accepted, and who signed. */

import type { X509Certificate, X509Crl } from '@peculiar/x509';
import { createPublicKey } from 'node:crypto';
import { PathError } from './error.ts';

const HASHED = new Set(['RSASSA-PKCS1-v1_5', 'RSA-PSS', 'ECDSA']);
/** SHA-1 and MD5 are left out: collisions are made for them. */
const HASHES = new Set(['SHA-256', 'SHA-384', 'SHA-512']);
const RSA_BITS = 2048;

/**
 * Refuses a certificate or CRL that the issuer's key did not sign.
 *
 * @throws `PathError` `PATH_ALGORITHM`, `PATH_SIGNATURE`, `PATH_FORM`
 */
export async function requireSignature(
  signed: X509Certificate | X509Crl,
  { publicKey }: X509Certificate,
): Promise<void> {
  const { name, hash } = signed.signatureAlgorithm as { name: string; hash?: { name: string } };
  const isKnown = name === 'Ed25519' || (HASHED.has(name) && HASHES.has(hash?.name ?? ''));
  if (!isKnown || isShort(publicKey.rawData))
    throw new PathError('PATH_ALGORITHM', 'a signature of an algorithm or key size that is not accepted');
  let isGenuine: boolean;
  try {
    // The key itself and not its certificate: a CRL would be verified by the algorithm that signed the certificate.
    isGenuine = await signed.verify({ publicKey, signatureOnly: true });
  } catch (cause) {
    throw new PathError('PATH_FORM', 'a signature that is none', { cause });
  }
  if (!isGenuine) throw new PathError('PATH_SIGNATURE', "a signature does not verify under the issuer's key");
}

function isShort(spki: ArrayBuffer): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    const { modulusLength = RSA_BITS } = key.asymmetricKeyDetails ?? {};
    return modulusLength < RSA_BITS;
  } catch (cause) {
    throw new PathError('PATH_FORM', 'a public key that is none', { cause });
  }
}
