/**
 * Certification path validation, RFC 5280 section 6, as of a time.
 *
 * Left out, each by refusing more than the RFC does: policies (a critical extension about them is not understood), name
 * constraints other than permitted directory names, version 1 authorities, names that are equal but not written alike,
 * delta and indirect CRLs. Nothing is fetched.
 */

import 'reflect-metadata'; // @peculiar/x509 refuses to load before it
import { AsnConvert } from '@peculiar/asn1-schema';
import { Certificate, Version } from '@peculiar/asn1-x509';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509Certificate,
} from '@peculiar/x509';
import { X509Certificate as OpenSslCertificate } from 'node:crypto';
import { NameConstraint, sameName } from './names.ts';
import { PathError } from './error.ts';
import { requireNotRevoked, type RevocationLists } from './revocation.ts';
import { requireSignature } from './signature.ts';

/** Most certificates of a path, without the anchor. */
export const PATH_MOST = 8;
/** Most bytes of a certificate. */
export const CERTIFICATE_BYTES = 64 * 1024;

/** Extensions that are looked at, so may be critical: basicConstraints, keyUsage, extKeyUsage, subjectAltName, nameConstraints. */
const UNDERSTOOD = new Set(['2.5.29.19', '2.5.29.15', '2.5.29.37', '2.5.29.17', '2.5.29.30']);
const NAME_CONSTRAINTS = '2.5.29.30';
const PURPOSES = { server: ExtendedKeyUsage.serverAuth, client: ExtendedKeyUsage.clientAuth } as const;

/** What a path is judged by. */
export interface PathTerms {
  /** The authority that is trusted: its self-signed certificate, in DER. */
  readonly anchor: Uint8Array;
  /** As of when. */
  readonly at: Date;
  /** The authorities' lists of revocations, in DER and in any order, one at least for each; or no check of them. */
  readonly crls: RevocationLists;
  /** What the last certificate must be good for. */
  readonly purpose: keyof typeof PURPOSES | 'any';
}

/** A path that was verified. */
export interface VerifiedPath {
  /** The certificate that the path is about. */
  readonly certificate: X509Certificate;
  /** The authorities that vouch for it, the nearest first and the anchor last. */
  readonly authorities: readonly X509Certificate[];
}

/**
 * Verifies a path and returns it.
 *
 * @param path - certificates in DER in the order of TLS: the one to be verified first, then whoever certifies it, and
 *   so on up to the one that the anchor certifies; the anchor itself is left out
 * @param terms - whom to trust, as of when, with which CRLs, for what
 * @throws `PathError`, with the code for the first fault from the anchor downwards
 * @example
 * ```ts
 * const { certificate } = await verifyPath([client], { anchor, crls: [crl], at: new Date(), purpose: 'client' });
 * ```
 */
export async function verifyPath(path: readonly Uint8Array[], terms: PathTerms): Promise<VerifiedPath> {
  if (path.length === 0 || path.length > PATH_MOST)
    throw new PathError('PATH_FORM', 'the path is empty or too long');
  if (Number.isNaN(terms.at.getTime())) throw new TypeError('at is not a date');
  try {
    return await walk(path, terms);
  } catch (error) {
    if (error instanceof PathError) throw error;
    // @peculiar/x509 reads late, and throws errors of many kinds.
    throw new PathError('PATH_FORM', 'a part of a certificate cannot be read', { cause: error });
  }
}

/** As of when, in milliseconds, and by which lists of revocations. */
interface When {
  readonly at: number;
  readonly crls: RevocationLists;
}

/** RFC 5280 section 6.1, from the anchor downwards. */
async function walk(path: readonly Uint8Array[], terms: PathTerms): Promise<VerifiedPath> {
  const [certificate, ...intermediates] = path.map(parse);
  if (certificate === undefined) throw new PathError('PATH_FORM', 'the path is empty');
  const anchor = parse(terms.anchor);
  const when: When = { at: terms.at.getTime(), crls: terms.crls };
  requireTime(anchor, when.at);
  let issuer = anchor;
  const constraints = constraintsOf(anchor);
  let left = requireAuthority(anchor, PATH_MOST);
  for (const authority of [...intermediates].reverse()) {
    await requireIssued(authority, issuer, when);
    if (!sameName(authority.subjectName, authority.issuerName)) {
      for (const constraint of constraints) constraint.require(authority);
      if (left-- === 0)
        throw new PathError('PATH_LENGTH', 'more authorities than one of them allows below it');
    }
    requireUnderstood(authority);
    left = requireAuthority(authority, left);
    constraints.push(...constraintsOf(authority));
    issuer = authority;
  }
  await requireIssued(certificate, issuer, when);
  for (const constraint of constraints) constraint.require(certificate);
  requireUnderstood(certificate);
  requirePurpose(certificate, terms.purpose);
  return { certificate, authorities: [...intermediates, anchor] };
}

/** Parses what the signature does not protect from: a form that another reader could read otherwise. */
function parse(der: Uint8Array): X509Certificate {
  if (der.length > CERTIFICATE_BYTES) throw new PathError('PATH_FORM', 'a certificate is too large');
  let certificate: X509Certificate;
  let form: Certificate;
  try {
    // @peculiar/x509 takes a shell around the signed part that is not DER; OpenSSL would write another one.
    if (!new OpenSslCertificate(der).raw.equals(der)) throw new TypeError('not DER');
    form = AsnConvert.parse(der, Certificate);
    certificate = new X509Certificate(der);
  } catch (cause) {
    throw new PathError('PATH_FORM', 'not a certificate', { cause });
  }
  const { tbsCertificate, signatureAlgorithm } = form;
  const hasExtensions = (tbsCertificate.extensions?.length ?? 0) > 0;
  if (tbsCertificate.version > Version.v3 || (hasExtensions && tbsCertificate.version !== Version.v3))
    throw new PathError('PATH_FORM', 'a certificate of no known version');
  if (!signatureAlgorithm.isEqual(tbsCertificate.signature))
    throw new PathError('PATH_FORM', 'a certificate names two algorithms for its signature');
  const types = certificate.extensions.map(({ type }) => type);
  if (new Set(types).size < types.length)
    throw new PathError('PATH_EXTENSION', 'a certificate has an extension twice');
  return certificate;
}

async function requireIssued(
  certificate: X509Certificate,
  issuer: X509Certificate,
  when: When,
): Promise<void> {
  if (!sameName(certificate.issuerName, issuer.subjectName))
    throw new PathError('PATH_CHAIN', 'a certificate is not issued by the one above it');
  await requireSignature(certificate, issuer);
  requireTime(certificate, when.at);
  await requireNotRevoked(certificate, issuer, when);
}

function requireTime({ notBefore, notAfter }: X509Certificate, at: number): void {
  if (at < notBefore.getTime()) throw new PathError('PATH_TIME', 'a certificate is not valid yet');
  if (at > notAfter.getTime()) throw new PathError('PATH_TIME', 'a certificate is no longer valid');
}

/** Refuses what may not issue certificates, and gives how many authorities there may be below. */
function requireAuthority(certificate: X509Certificate, left: number): number {
  const basic = certificate.getExtension(BasicConstraintsExtension);
  if (basic?.ca !== true) throw new PathError('PATH_AUTHORITY', 'an issuer is no authority');
  const usage = certificate.getExtension(KeyUsagesExtension);
  if (usage !== null && (usage.usages & KeyUsageFlags.keyCertSign) === 0)
    throw new PathError('PATH_USAGE', 'the key of an issuer is not for certificates');
  return Math.min(left, basic.pathLength ?? left);
}

function constraintsOf(authority: X509Certificate): NameConstraint[] {
  const extension = authority.getExtension(NAME_CONSTRAINTS);
  return extension === null ? [] : [new NameConstraint(extension.value)];
}

function requireUnderstood({ extensions }: X509Certificate): void {
  if (extensions.some(({ type, critical }) => critical && !UNDERSTOOD.has(type)))
    throw new PathError('PATH_EXTENSION', 'a critical extension is not understood');
}

/** For TLS a key signs the handshake. Whoever says nothing of its use allows all. */
function requirePurpose(certificate: X509Certificate, purpose: PathTerms['purpose']): void {
  if (purpose === 'any') return;
  const extended = certificate.getExtension(ExtendedKeyUsageExtension);
  const usage = certificate.getExtension(KeyUsagesExtension);
  const isFor = extended === null || extended.usages.includes(PURPOSES[purpose]);
  const signs = usage === null || (usage.usages & KeyUsageFlags.digitalSignature) !== 0;
  if (!isFor || !signs) throw new PathError('PATH_USAGE', `the certificate is not for a ${purpose}`);
}
