/** Whether an authority has revoked a certificate: RFC 5280 section 6.3, over complete CRLs of the authority's own. */

import 'reflect-metadata'; // @peculiar/x509 refuses to load before it
import { KeyUsageFlags, KeyUsagesExtension, type X509Certificate, X509Crl } from '@peculiar/x509';
import { PathError } from './error.ts';
import { sameName } from './names.ts';
import { requireSignature } from './signature.ts';

/**
 * Leaves the check of revocations out. **Whoever has stolen a key goes on using it**: for certificates of which there
 * is no list only.
 */
export const WITHOUT_REVOCATION = Symbol('path without revocation');

/** Lists of revocations in DER, or {@link WITHOUT_REVOCATION}. */
export type RevocationLists = readonly Uint8Array[] | typeof WITHOUT_REVOCATION;

/** Most bytes of all lists together. */
export const CRL_BYTES = 16 * 1024 * 1024;

/** deltaCRLIndicator and issuingDistributionPoint: the list is not of all certificates. */
const PARTIAL = new Set(['2.5.29.27', '2.5.29.28']);

/**
 * Refuses a certificate that its issuer has revoked, or may have.
 *
 * @throws `PathError` `PATH_REVOKED`; `PATH_CRL` if no list is the issuer's, of that time, and of a kind understood
 */
export async function requireNotRevoked(
  certificate: X509Certificate,
  issuer: X509Certificate,
  { crls, at }: { readonly crls: RevocationLists; readonly at: number },
): Promise<void> {
  if (crls === WITHOUT_REVOCATION) return;
  if (crls.reduce((sum, crl) => sum + crl.length, 0) > CRL_BYTES)
    throw new PathError('PATH_FORM', 'the lists of revocations are too large');
  let why: unknown = new PathError('PATH_CRL', 'there is no list of revocations by the issuer');
  let isListed = false;
  for (const der of crls) {
    let crl: X509Crl | null;
    try {
      crl = await openCrl(der, issuer, at);
    } catch (error) {
      why = error; // another list may be good
      continue;
    }
    if (crl === null) continue;
    isListed = true;
    if (crl.entries.some(({ serialNumber }) => serialNumber === certificate.serialNumber))
      throw new PathError('PATH_REVOKED', 'a certificate was revoked');
  }
  if (!isListed)
    throw new PathError('PATH_CRL', 'no list of revocations can be used for a certificate', { cause: why });
}

/**
 * Opens a list that an issuer signed.
 *
 * @returns the list, verified, or `null` for that of another issuer
 * @throws `PathError` for one that is not of that time, not signed, or of a kind not understood
 */
export async function openCrl(der: Uint8Array, issuer: X509Certificate, at: number): Promise<X509Crl | null> {
  const crl = new X509Crl(der);
  if (!sameName(crl.issuerName, issuer.subjectName)) return null;
  const usage = issuer.getExtension(KeyUsagesExtension);
  if (usage !== null && (usage.usages & KeyUsageFlags.cRLSign) === 0)
    throw new PathError('PATH_USAGE', 'the key of an issuer is not for lists of revocations');
  await requireSignature(crl, issuer);
  const until = crl.nextUpdate?.getTime() ?? Number.NEGATIVE_INFINITY;
  if (at < crl.thisUpdate.getTime() || at > until)
    throw new PathError('PATH_TIME', 'a list of revocations is not of this time');
  const all = [...crl.extensions, ...crl.entries.flatMap(({ extensions }) => extensions)];
  if (all.some(({ type, critical }) => critical || PARTIAL.has(type)))
    throw new PathError('PATH_EXTENSION', 'a list of revocations of a kind that is not understood');
  return crl;
}
