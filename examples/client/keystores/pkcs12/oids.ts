/** The object identifiers that PKCS#12 files are made of, and what of them is read. */

import { MunimentError } from 'muniment';

/** Content types (RFC 5652). */
export const DATA = '1.2.840.113549.1.7.1';
export const ENCRYPTED_DATA = '1.2.840.113549.1.7.6';

/** Kinds of bag (RFC 7292 section 4.2). */
export const KEY_BAG = '1.2.840.113549.1.12.10.1.1';
export const SHROUDED_KEY_BAG = '1.2.840.113549.1.12.10.1.2';
export const CERT_BAG = '1.2.840.113549.1.12.10.1.3';
export const SAFE_CONTENTS_BAG = '1.2.840.113549.1.12.10.1.6';
export const X509_CERTIFICATE = '1.2.840.113549.1.9.22.1';

/** Attributes of a bag. */
export const FRIENDLY_NAME = '1.2.840.113549.1.9.20';
export const LOCAL_KEY_ID = '1.2.840.113549.1.9.21';

/** Password-based cryptography (RFC 8018). */
export const PBES2 = '1.2.840.113549.1.5.13';
export const PBKDF2 = '1.2.840.113549.1.5.12';
export const PBMAC1 = '1.2.840.113549.1.5.14';

/** Hash functions, under the names that Node has for them. */
export type HashName = 'sha1' | 'sha256' | 'sha384' | 'sha512';

export const SHA256 = '2.16.840.1.101.3.4.2.1';
export const HASHES: ReadonlyMap<string, HashName> = new Map([
  ['1.3.14.3.2.26', 'sha1'],
  [SHA256, 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
]);

export const HMAC_SHA1 = '1.2.840.113549.2.7';
export const HMAC_SHA256 = '1.2.840.113549.2.9';
export const HMACS: ReadonlyMap<string, HashName> = new Map([
  [HMAC_SHA1, 'sha1'],
  [HMAC_SHA256, 'sha256'],
  ['1.2.840.113549.2.10', 'sha384'],
  ['1.2.840.113549.2.11', 'sha512'],
]);

/** Ciphers, by key length in bytes; all in CBC mode. */
export const AES_256_CBC = '2.16.840.1.101.3.4.1.42';
export const CIPHERS: ReadonlyMap<string, { readonly name: string; readonly keyLength: number }> = new Map([
  ['2.16.840.1.101.3.4.1.2', { name: 'aes-128-cbc', keyLength: 16 }],
  ['2.16.840.1.101.3.4.1.22', { name: 'aes-192-cbc', keyLength: 24 }],
  [AES_256_CBC, { name: 'aes-256-cbc', keyLength: 32 }],
]);

/** RC2, RC4, DES and 3DES, in whichever of three ways a file asks for them. */
const LEGACY = [
  /^1\.2\.840\.113549\.1\.12\.1\.\d+$/, // PKCS#12's own schemes
  /^1\.2\.840\.113549\.1\.5\.(?:1|3|4|6|10|11)$/, // PBES1
  /^(?:1\.2\.840\.113549\.3\.[247]|1\.3\.14\.3\.2\.7)$/, // as ciphers of PBES2
];

/** The commands that turn a legacy file into one that can be read; the keys stay under a passphrase all the way. */
export const REMEDY =
  'openssl pkcs12 -legacy -in OLD.p12 -aes256 -out KEYS.pem && openssl pkcs12 -export -in KEYS.pem -out NEW.p12';

/** What is thrown for an algorithm that is not read: what it is, never its identifier, which a file chose. */
export function refusedAlgorithm(oid: string): MunimentError {
  return LEGACY.some((pattern) => pattern.test(oid))
    ? new MunimentError(
        'KEY_ALGORITHM',
        `legacy encryption (RC2, RC4, DES or 3DES); convert the file: ${REMEDY}`,
      )
    : new MunimentError('KEY_ALGORITHM', 'the PKCS#12 file uses an algorithm that is not read');
}
