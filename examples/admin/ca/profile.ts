/** What an authority's certificates say: RFC 5280 certificates for TLS, signed with ECDSA over P-256 and SHA-256. */

import 'reflect-metadata'; // @peculiar/x509 refuses to load before it
import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  type PublicKeyType,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
} from '@peculiar/x509';

/** The keys of authorities, for WebCrypto. */
export const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' };
/** How they sign. */
export const SIGNATURE_ALGORITHM = { name: 'ECDSA', hash: 'SHA-256' };
/** What a server's certificate names unless told otherwise: this machine. */
export const LOOPBACK_HOSTS: readonly string[] = ['localhost', '127.0.0.1', '::1'];

/** `ub-common-name` of RFC 5280 appendix A.1, in characters. */
const COMMON_NAME_MAX = 64;
const HOST_NAME_MAX = 253;
const HOST_NAME = /^[a-z\d_]([a-z\d_-]{0,61}[a-z\d_])?(\.[a-z\d_]([a-z\d_-]{0,61}[a-z\d_])?)*$/i;
const SERIAL_LENGTH = 16;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** Validity starts in the past, so that a peer whose clock is a little behind accepts what it is shown. */
const BACKDATE = 5 * MINUTE;

/** The one use that a certificate is good for. */
export type Kind = 'server' | 'client';

/** The extensions of an authority that has no other below it. */
export async function rootExtensions(publicKey: PublicKeyType): Promise<Extension[]> {
  return [
    new BasicConstraintsExtension(true, 0, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    await SubjectKeyIdentifierExtension.create(publicKey),
  ];
}

/**
 * The extensions of a server's or client's certificate.
 *
 * @throws `RangeError` for a host that is neither a DNS name nor an address, or a server without any
 */
export async function leafExtensions(
  { kind, hosts }: { readonly kind: Kind; readonly hosts: readonly string[] },
  keys: { readonly own: PublicKeyType; readonly issuer: PublicKeyType },
): Promise<Extension[]> {
  return [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    ...(kind === 'client' ? [usage('clientAuth')] : [usage('serverAuth'), alternativeNames(hosts)]),
    await SubjectKeyIdentifierExtension.create(keys.own),
    await AuthorityKeyIdentifierExtension.create(keys.issuer),
  ];
}

function usage(purpose: 'clientAuth' | 'serverAuth'): Extension {
  return new ExtendedKeyUsageExtension([ExtendedKeyUsage[purpose]]);
}

function alternativeNames(hosts: readonly string[]): Extension {
  if (hosts.length === 0) throw new RangeError('a server needs a host');
  return new SubjectAlternativeNameExtension(
    hosts.map((value): { readonly type: 'dns' | 'ip'; readonly value: string } => {
      if (isIP(value) !== 0) return { type: 'ip', value };
      if (value.length > HOST_NAME_MAX || !HOST_NAME.test(value))
        throw new RangeError('host is neither a DNS name nor an address');
      return { type: 'dns', value };
    }),
  );
}

/**
 * A name of one attribute. It goes in as an object marked `utf8String`: @peculiar/x509 would parse a name given as a
 * string ("x,CN=admin" is two names there) and take a bare attribute value that begins with "#" for DER.
 *
 * @throws `RangeError` for a text of none or more than 64 characters, or with a control character
 */
export function nameOf(commonName: string): Name {
  const length = Array.from(commonName).length;
  if (length === 0 || length > COMMON_NAME_MAX) throw new RangeError('common name is empty or too long');
  // A NUL ends the name for some readers and not for others.
  if (/\p{Cc}/u.test(commonName)) throw new RangeError('common name has a control character');
  return new Name([{ CN: [{ utf8String: commonName }] }]);
}

/** Exactly 16 bytes with the first bit clear, so positive, and the second one set, so no shorter. RFC 5280 section 4.1.2.2. */
export function randomSerial(): string {
  const serial = randomBytes(SERIAL_LENGTH);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial.toString('hex');
}

/** From a little before now until so many days from now. Throws a `RangeError` unless they are more than zero. */
export function validFor(days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  if (!(days > 0)) throw new RangeError('days must be more than zero');
  const now = Date.now();
  return { notBefore: new Date(now - BACKDATE), notAfter: new Date(now + days * DAY) };
}
