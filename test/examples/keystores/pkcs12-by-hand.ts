/**
 * PKCS#12 files made by hand, with every part open to change. Shares no code with what it tests: DER from bytes,
 * and the derivations from Node or from the text of RFC 7292.
 */

import { createCipheriv, createHash, createHmac, pbkdf2Sync } from 'node:crypto';

export const PASSPHRASE = 'by hand';

/** A value in DER. */
export function tlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(parts);
  const length = [];
  for (let rest = body.length; rest > 0; rest = Math.floor(rest / 256)) length.unshift(rest % 256);
  const header = body.length < 128 ? [tag, body.length] : [tag, 0x80 | length.length, ...length];
  return new Uint8Array(Buffer.concat([Buffer.from(header), body]));
}

/** The same with an indefinite length. */
export function indefinite(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat([Buffer.of(tag, 0x80), ...parts, Buffer.of(0, 0)]));
}

export const sequence = (...parts: Uint8Array[]): Uint8Array => tlv(0x30, ...parts);
export const set = (...parts: Uint8Array[]): Uint8Array => tlv(0x31, ...parts);
export const octets = (bytes: Uint8Array): Uint8Array => tlv(0x04, bytes);
export const explicit = (...parts: Uint8Array[]): Uint8Array => tlv(0xa0, ...parts);
export const nothing = tlv(0x05);

export function integer(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; rest > 0 || bytes.length === 0; rest = Math.floor(rest / 256))
    bytes.unshift(rest % 256);
  return tlv(0x02, Uint8Array.from((bytes[0] ?? 0) > 127 ? [0, ...bytes] : bytes));
}

export function oid(text: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const base128 = (value: number): number[] => {
    const bytes = [value % 128];
    for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128))
      bytes.unshift(0x80 | (left % 128));
    return bytes;
  };
  return tlv(0x06, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)));
}

export function bmp(text: string): Uint8Array {
  return tlv(0x1e, Buffer.from(text, 'utf16le').swap16());
}

export const OIDS = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  envelopedData: '1.2.840.113549.1.7.3',
  encryptedData: '1.2.840.113549.1.7.6',
  keyBag: '1.2.840.113549.1.12.10.1.1',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certBag: '1.2.840.113549.1.12.10.1.3',
  crlBag: '1.2.840.113549.1.12.10.1.4',
  secretBag: '1.2.840.113549.1.12.10.1.5',
  safeContentsBag: '1.2.840.113549.1.12.10.1.6',
  x509: '1.2.840.113549.1.9.22.1',
  sdsi: '1.2.840.113549.1.9.22.2',
  friendlyName: '1.2.840.113549.1.9.20',
  localKeyId: '1.2.840.113549.1.9.21',
  pbes2: '1.2.840.113549.1.5.13',
  pbkdf2: '1.2.840.113549.1.5.12',
  pbmac1: '1.2.840.113549.1.5.14',
  scrypt: '1.3.6.1.4.1.11591.4.11',
  hmacSha256: '1.2.840.113549.2.9',
  sha256: '2.16.840.1.101.3.4.2.1',
  aes256cbc: '2.16.840.1.101.3.4.1.42',
  aes256gcm: '2.16.840.1.101.3.4.1.46',
  desEde3Cbc: '1.2.840.113549.3.7',
  rc2Cbc: '1.2.840.113549.3.2',
  pbeSha1Rc2: '1.2.840.113549.1.12.1.6',
  pbeSha1TripleDes: '1.2.840.113549.1.12.1.3',
  pbeMd5Des: '1.2.840.113549.1.5.3',
  ed25519: '1.3.101.112',
} as const;

const SALT = Buffer.from('salt of the tests');
const IV = Buffer.from('sixteen bytes iv');

/** What a derivation or cipher says, where a test wants it to say something else. */
export interface Pbes2 {
  readonly iterations?: number;
  readonly keyLength?: Uint8Array;
  readonly prf?: Uint8Array;
  readonly kdf?: Uint8Array;
  readonly scheme?: Uint8Array;
  readonly passphrase?: string;
}

export function kdfPbkdf2({ iterations = 1, keyLength, prf }: Pbes2 = {}): Uint8Array {
  const hmac = prf ?? sequence(oid(OIDS.hmacSha256), nothing);
  const parameters = [octets(SALT), integer(iterations), ...(keyLength ? [keyLength] : []), hmac];
  return sequence(oid(OIDS.pbkdf2), sequence(...parameters));
}

/** The algorithm identifier, and what it makes of a plaintext; always AES-256 and SHA-256, whatever it says. */
export function encrypted(plaintext: Uint8Array, pbes2: Pbes2 = {}): [Uint8Array, Uint8Array] {
  // Where a test only wants to know whether it is refused, the key is not derived.
  const iterations = Math.min(Math.max(pbes2.iterations ?? 1, 1), 1000);
  const key = pbkdf2Sync(pbes2.passphrase ?? PASSPHRASE, SALT, iterations, 32, 'sha256');
  const cipher = createCipheriv('aes-256-cbc', key, IV);
  const scheme = pbes2.scheme ?? sequence(oid(OIDS.aes256cbc), octets(IV));
  const identifier = sequence(oid(OIDS.pbes2), sequence(pbes2.kdf ?? kdfPbkdf2(pbes2), scheme));
  return [identifier, Buffer.concat([cipher.update(plaintext), cipher.final()])];
}

/** A content info that holds its content as it is. */
export function dataInfo(content: Uint8Array): Uint8Array {
  return sequence(oid(OIDS.data), explicit(octets(content)));
}

/** A content info that holds its content encrypted. */
export function encryptedInfo(content: Uint8Array, pbes2?: Pbes2): Uint8Array {
  const [identifier, ciphertext] = encrypted(content, pbes2);
  const info = sequence(oid(OIDS.data), identifier, tlv(0x80, ciphertext));
  return sequence(oid(OIDS.encryptedData), explicit(sequence(integer(0), info)));
}

export function attribute(type: string, ...values: Uint8Array[]): Uint8Array {
  return sequence(oid(type), set(...values));
}

export function bag(kind: string, value: Uint8Array, ...attributes: Uint8Array[]): Uint8Array {
  return sequence(oid(kind), explicit(value), ...(attributes.length > 0 ? [set(...attributes)] : []));
}

/** An Ed25519 key in PKCS#8. */
export function pkcs8(seed = new Uint8Array(32).fill(7)): Uint8Array {
  return sequence(integer(0), sequence(oid(OIDS.ed25519)), octets(octets(seed)));
}

export function keyBag(...attributes: Uint8Array[]): Uint8Array {
  return bag(OIDS.keyBag, pkcs8(), ...attributes);
}

export function shroudedKeyBag(pbes2?: Pbes2, ...attributes: Uint8Array[]): Uint8Array {
  const [identifier, ciphertext] = encrypted(pkcs8(), pbes2);
  return bag(OIDS.shroudedKeyBag, sequence(identifier, octets(ciphertext)), ...attributes);
}

/** Not a certificate, but shaped like one from far away. */
export const CERTIFICATE = sequence(octets(Buffer.from('a certificate')));

export function certBag(der = CERTIFICATE, kind: string = OIDS.x509): Uint8Array {
  return bag(OIDS.certBag, sequence(oid(kind), explicit(octets(der))));
}

/** A MAC, where a test wants another. */
export interface MacOptions {
  readonly iterations?: number;
  readonly hash?: string;
  readonly hashOid?: string;
  readonly passphrase?: Uint8Array;
  /** Written in place of the true number. */
  readonly stated?: Uint8Array;
}

/** Parts of a file's outside. */
export interface Outside {
  readonly version?: Uint8Array;
  readonly info?: Uint8Array;
  readonly mac?: Uint8Array | null;
}

/** A file around the concatenated content infos. */
export function p12(infos: readonly Uint8Array[], outside: Outside = {}): Uint8Array {
  return p12Of(sequence(...infos), outside);
}

/** A file around what may be no authenticated safe at all. */
export function p12Of(content: Uint8Array, outside: Outside = {}): Uint8Array {
  const mac = outside.mac === undefined ? macData(content) : outside.mac;
  const parts = [outside.version ?? integer(3), outside.info ?? dataInfo(content)];
  return sequence(...parts, ...(mac === null ? [] : [mac]));
}

export function macData(content: Uint8Array, options: MacOptions = {}): Uint8Array {
  const { iterations = 1, hash = 'sha256', hashOid = OIDS.sha256 } = options;
  const passphrase = options.passphrase ?? Buffer.from(`${PASSPHRASE}\0`, 'utf16le').swap16();
  const key = pkcs12Key(hash, passphrase, iterations);
  const value = createHmac(hash, key).update(content).digest();
  const stated = options.stated ?? (iterations === 1 ? new Uint8Array(0) : integer(iterations));
  return tlv(0x30, sequence(sequence(oid(hashOid), nothing), octets(value)), octets(SALT), stated);
}

/** PBMAC1 (RFC 9579), with a key of 32 bytes, whatever is stated. */
export function pbmac1Data(content: Uint8Array, kdf: Uint8Array, iterations = 1): Uint8Array {
  const key = pbkdf2Sync(PASSPHRASE, SALT, iterations, 32, 'sha256');
  const value = createHmac('sha256', key).update(content).digest();
  const scheme = sequence(oid(OIDS.hmacSha256), nothing);
  const identifier = sequence(oid(OIDS.pbmac1), sequence(kdf, scheme));
  return sequence(sequence(identifier, octets(value)), octets(Buffer.from('NOT USED')), integer(1));
}

// RFC 7292 appendix B.2, as long as one block of output is enough: u bytes of output, v bytes of input.
function pkcs12Key(hash: string, passphrase: Uint8Array, iterations: number): Uint8Array {
  const v = hash === 'sha384' || hash === 'sha512' ? 128 : 64;
  const repeated = (bytes: Uint8Array): Buffer =>
    bytes.length === 0 ? Buffer.alloc(0) : Buffer.alloc(Math.ceil(bytes.length / v) * v, bytes);
  let a = createHash(hash)
    .update(Buffer.alloc(v, 3))
    .update(repeated(SALT))
    .update(repeated(passphrase))
    .digest();
  for (let i = 1; i < iterations; i++) a = createHash(hash).update(a).digest();
  return a;
}
