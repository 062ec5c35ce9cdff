/**
 * PEM of one key: the strict form of RFC 7468 section 3, with the labels of its sections 10 and 13. Left out: text
 * around the key, several keys in one text, headers inside, and encrypted keys, which are refused with the remedy.
 * spec/keys.md, "Encodings".
 */

import { MunimentError } from '../errors.ts';
import { fromBase64, fromUtf8, toBase64, utf8 } from '../wire/index.ts';
import { exposeSecret, Secret } from './secret.ts';

/** Longest PEM text, in characters. */
export const PEM_LIMIT = 16 * 1024;

const PRIVATE = 'PRIVATE KEY';
const PUBLIC = 'PUBLIC KEY';
const LINE = 64;

/**
 * Writes a private key as PEM, as `openssl pkey` does.
 *
 * @param pkcs8 - what `encodePkcs8` wrote
 * @returns ASCII text, to be exposed where it is stored and nowhere else
 * @example
 * ```ts
 * import { createKeys, decodePkcs8Signer, decodePrivatePem, encodePkcs8, encodePrivatePem, exposeSecret } from 'muniment/keys';
 * const { signer } = createKeys();
 * const pem = encodePrivatePem(encodePkcs8(signer)); // exposeSecret(pem) is what goes into the file
 * decodePkcs8Signer(decodePrivatePem(pem)).publicKey; // the same key
 * ```
 */
export function encodePrivatePem(pkcs8: Secret<'pkcs8'>): Secret<'pem'> {
  return new Secret('pem', utf8(write(PRIVATE, exposeSecret(pkcs8))));
}

/**
 * Reads a private key from PEM: one key and nothing around it; CR LF and a missing last line end are taken too.
 *
 * @param pem - at most 16,384 characters
 * @throws `MunimentError` `KEY_FILE` for anything else, an encrypted key included
 */
export function decodePrivatePem(pem: string | Uint8Array | Secret<'pem'>): Secret<'pkcs8'> {
  return new Secret('pkcs8', read(PRIVATE, pem instanceof Secret ? exposeSecret(pem) : pem));
}

/** Writes a public key, as `encodeSpki` gave it, as PEM. */
export function encodePublicPem(spki: Uint8Array): string {
  return write(PUBLIC, spki);
}

/**
 * Reads a public key from PEM for `decodeSpkiSigning` or `decodeSpkiKem`.
 *
 * @param pem - at most 16,384 characters
 * @throws `MunimentError` `KEY_FILE` for anything but one public key in strict PEM
 */
export function decodePublicPem(pem: string | Uint8Array): Uint8Array {
  return read(PUBLIC, pem);
}

function write(label: string, bytes: Uint8Array): string {
  const base64 = toBase64(bytes);
  const lines = Array.from({ length: Math.ceil(base64.length / LINE) }, (_, i) =>
    base64.slice(i * LINE, (i + 1) * LINE),
  );
  return [begin(label), ...lines, end(label), ''].join('\n');
}

function read(label: string, pem: string | Uint8Array): Uint8Array {
  if (pem.length > PEM_LIMIT) throw new MunimentError('KEY_FILE');
  const text = oneForm(pem);
  if (text.startsWith(begin('ENCRYPTED PRIVATE KEY'))) throw new MunimentError('KEY_FILE', ENCRYPTED);
  const bytes = decode(text.slice(begin(label).length, -(end(label).length + 1)));
  // Whatever the slices took for granted, only the text that this key is written as survives the comparison.
  if (write(label, bytes) !== text) throw new MunimentError('KEY_FILE');
  return bytes;
}

/** What is said of an encrypted key. */
export const ENCRYPTED = 'the key is encrypted; decrypt it first, or keep it in a PKCS#12 or key file';

function oneForm(pem: string | Uint8Array): string {
  const text = typeof pem === 'string' ? pem : keyFile(() => fromUtf8(pem));
  const lines = text.replaceAll('\r\n', '\n');
  return lines.endsWith('\n') ? lines : lines + '\n';
}

function decode(base64: string): Uint8Array {
  return keyFile(() => fromBase64(base64.replaceAll('\n', '')));
}

function begin(label: string): string {
  return `-----BEGIN ${label}-----`;
}

function end(label: string): string {
  return `-----END ${label}-----`;
}

function keyFile<Result>(run: () => Result): Result {
  try {
    return run();
  } catch (cause) {
    throw new MunimentError('KEY_FILE', undefined, { cause });
  }
}
