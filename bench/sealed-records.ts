/**
 * A record of fields for several readers in each peer's own format. Everything begins with the record's JSON text and
 * ends in text; what a peer makes of bytes becomes base64url. A reader's part ends in plain values. Readers and fields
 * are sealed all at once, so that what runs on WebCrypto has its threads. None of the encrypting peers says who wrote a
 * record: nothing here is signed but the SD-JWT, which hides nothing from its holder.
 */

import { createHash, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { SDJwtInstance } from '@sd-jwt/core';
import * as age from 'age-encryption';
import * as hpke from 'hpke';
import {
  CompactEncrypt,
  compactDecrypt,
  GeneralEncrypt,
  generalDecrypt,
  generateKeyPair,
  type GeneralJWE,
} from 'jose';
import sodium from 'libsodium-wrappers';

export const READERS = ['owner', 'care', 'insurer', 'team'] as const;
export type ReaderName = (typeof READERS)[number];

/** A record: in each section fields with the same readers. */
export type SectionName = 'billing' | 'common' | 'medical' | 'own';
export type FieldsRecord = Partial<Record<SectionName, Readonly<Record<string, string>>>>;

/** Who reads a section. */
export const READERS_OF: Readonly<Record<SectionName, readonly ReaderName[]>> = {
  billing: ['owner', 'care', 'insurer'],
  common: ['owner', 'care', 'insurer', 'team'],
  medical: ['owner', 'care', 'team'],
  own: ['owner', 'care'],
};
export const SECTIONS = Object.keys(READERS_OF) as SectionName[];

/** One way to seal a record and to have it back. */
export interface SealedRecords {
  /** Everything that is stored. */
  seal(text: string): string | Promise<string>;
  /** What of it one reader is handed; somebody else's work, and in no row. */
  part(stored: string, reader: ReaderName): string | Promise<string>;
  /** The reader's part of the record, or throws. */
  open(part: string, reader: ReaderName): unknown;
  /** How many bytes are stored where bytes can be, or null if it is text by its nature. */
  binaryLength(stored: string): number | null;
}

type Sealed = Record<string, string>;

/** A message for each reader, with all that it may read. */
interface PerReader {
  readonly seal: (plaintext: string, reader: ReaderName) => Promise<Uint8Array | string> | Uint8Array;
  readonly open: (message: string, reader: ReaderName) => Promise<string> | string;
}

function perReader({ seal, open }: PerReader): SealedRecords {
  return {
    async seal(text) {
      const record = JSON.parse(text) as FieldsRecord;
      const messages = READERS.map(async (reader) => {
        const message = await seal(JSON.stringify(visible(record, reader)), reader);
        return [reader, typeof message === 'string' ? message : base64url(message)] as const;
      });
      return JSON.stringify(Object.fromEntries(await Promise.all(messages)));
    },
    part: (stored, reader) => (JSON.parse(stored) as Sealed)[reader] ?? refuse(),
    open: async (part, reader) => JSON.parse(await open(part, reader)) as unknown,
    binaryLength(stored) {
      const messages = Object.values(JSON.parse(stored) as Sealed);
      return messages.some((message) => message.includes('.'))
        ? null
        : messages.reduce((sum, message) => sum + bytesOf(message).length, 0);
    },
  };
}

/** A message for each field and reader, bound to the field's path. */
interface PerField {
  readonly seal: (plaintext: string, path: string, reader: ReaderName) => Promise<Uint8Array>;
  readonly open: (message: Uint8Array, path: string, reader: ReaderName) => Promise<string>;
}

function perField({ seal, open }: PerField): SealedRecords {
  return {
    async seal(text) {
      const record = JSON.parse(text) as FieldsRecord;
      const parts = READERS.map(async (reader) => {
        const part = await mapFields(visible(record, reader), async (value, path) =>
          base64url(await seal(value, path, reader)),
        );
        return [reader, part] as const;
      });
      return JSON.stringify(Object.fromEntries(await Promise.all(parts)));
    },
    part: (stored, reader) => JSON.stringify((JSON.parse(stored) as Record<string, unknown>)[reader]),
    open: (part, reader) =>
      mapFields(JSON.parse(part) as FieldsRecord, (message, path) => open(bytesOf(message), path, reader)),
    binaryLength: () => null, // a table of fields, in whatever form that is
  };
}

/** `jose`: a general JWE (RFC 7516 section 7.2.1) for each field, with a recipient for each of its readers. */
export async function joseGeneral(): Promise<SealedRecords> {
  const keys = await forReaders(() => generateKeyPair('ECDH-ES+A256KW', { crv: 'X25519' }));
  return {
    async seal(text) {
      const sealed = await mapFields(JSON.parse(text) as FieldsRecord, async (value, path) => {
        const jwe = new GeneralEncrypt(utf8(value))
          .setProtectedHeader({ enc: 'A256GCM' })
          .setAdditionalAuthenticatedData(utf8(path));
        for (const reader of READERS_OF[sectionOf(path)])
          jwe
            .addRecipient(keys[reader].publicKey)
            .setUnprotectedHeader({ alg: 'ECDH-ES+A256KW', kid: reader });
        return jwe.encrypt();
      });
      return JSON.stringify(sealed);
    },
    part: (stored, reader) => JSON.stringify(visible(JSON.parse(stored) as FieldsRecord, reader)),
    open: (part, reader) =>
      mapFields(JSON.parse(part) as Record<SectionName, Record<string, GeneralJWE>>, async (jwe, path) => {
        // Its own recipient: the library would try one after the other, which its docs do not recommend.
        const recipients = jwe.recipients.filter(({ header }) => header?.kid === reader);
        const opened = await generalDecrypt({ ...jwe, recipients }, keys[reader].privateKey);
        if (jwe.aad !== base64url(utf8(path))) refuse();
        return textOf(opened.plaintext);
      }),
    binaryLength: () => null,
  };
}

/** `jose`: a compact JWE (RFC 7516 section 7.1) for each reader, direct key agreement. */
export async function joseCompact(): Promise<SealedRecords> {
  const keys = await forReaders(() => generateKeyPair('ECDH-ES', { crv: 'X25519' }));
  return perReader({
    seal: (plaintext, reader) =>
      new CompactEncrypt(utf8(plaintext))
        .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
        .encrypt(keys[reader].publicKey),
    open: async (jwe, reader) => textOf((await compactDecrypt(jwe, keys[reader].privateKey)).plaintext),
  });
}

/** `@hpke/core`, wholly on WebCrypto. */
export async function hpkeCore(): Promise<{ field: SealedRecords; reader: SealedRecords }> {
  const suite = new CipherSuite({
    kem: new DhkemX25519HkdfSha256(),
    kdf: new HkdfSha256(),
    aead: new Aes256Gcm(),
  });
  const keys = await forReaders(() => suite.kem.generateKeyPair());
  const seal = async (plaintext: string, path: string, reader: ReaderName) => {
    const sender = await suite.createSenderContext({ recipientPublicKey: keys[reader].publicKey });
    const ciphertext = await sender.seal(exact(utf8(plaintext)), exact(utf8(path)));
    return Buffer.concat([new Uint8Array(sender.enc), new Uint8Array(ciphertext)]);
  };
  const open = async (message: Uint8Array, path: string, reader: ReaderName) => {
    const [enc, ciphertext] = [exact(message.subarray(0, 32)), exact(message.subarray(32))];
    const receiver = await suite.createRecipientContext({ recipientKey: keys[reader].privateKey, enc });
    return textOf(new Uint8Array(await receiver.open(ciphertext, exact(utf8(path)))));
  };
  return {
    field: perField({ seal, open }),
    reader: perReader({
      seal: (plaintext, reader) => seal(plaintext, '', reader),
      open: (message, reader) => open(bytesOf(message), '', reader),
    }),
  };
}

/** `hpke`, wholly on WebCrypto. */
export async function hpkePanva(): Promise<{ field: SealedRecords; reader: SealedRecords }> {
  const suite = new hpke.CipherSuite(
    hpke.KEM_DHKEM_X25519_HKDF_SHA256,
    hpke.KDF_HKDF_SHA256,
    hpke.AEAD_AES_256_GCM,
  );
  const keys = await forReaders(() => suite.GenerateKeyPair());
  const seal = async (plaintext: string, path: string, reader: ReaderName) => {
    const sealed = await suite.Seal(keys[reader].publicKey, utf8(plaintext), { aad: utf8(path) });
    return Buffer.concat([sealed.encapsulatedSecret, sealed.ciphertext]);
  };
  const open = async (message: Uint8Array, path: string, reader: ReaderName) => {
    const [enc, ciphertext] = [message.subarray(0, 32), message.subarray(32)];
    return textOf(await suite.Open(keys[reader], enc, ciphertext, { aad: utf8(path) }));
  };
  return {
    field: perField({ seal, open }),
    reader: perReader({
      seal: (plaintext, reader) => seal(plaintext, '', reader),
      open: (message, reader) => open(bytesOf(message), '', reader),
    }),
  };
}

/** `age-encryption`: a file for each reader. */
export async function ageFiles(): Promise<SealedRecords> {
  const keys = await forReaders(async () => {
    const identity = await age.generateX25519Identity();
    const [encrypter, decrypter] = [new age.Encrypter(), new age.Decrypter()];
    encrypter.addRecipient(await age.identityToRecipient(identity));
    decrypter.addIdentity(identity);
    return { encrypter, decrypter };
  });
  return perReader({
    seal: (plaintext, reader) => keys[reader].encrypter.encrypt(plaintext),
    open: (file, reader) => keys[reader].decrypter.decrypt(bytesOf(file), 'text'),
  });
}

/** `libsodium-wrappers`: a sealed box for each reader, in WebAssembly. */
export async function sealedBoxes(): Promise<SealedRecords> {
  await sodium.ready;
  const keys = await forReaders(() => sodium.crypto_box_keypair());
  return perReader({
    seal: (plaintext, reader) => sodium.crypto_box_seal(plaintext, keys[reader].publicKey),
    open: (box, reader) => {
      const { publicKey, privateKey } = keys[reader];
      return sodium.to_string(sodium.crypto_box_seal_open(bytesOf(box), publicKey, privateKey));
    },
  });
}

/** `@sd-jwt/core`: signed once, each field a disclosure, a presentation for each reader. Encrypts nothing. */
export function sdJwt(): SealedRecords {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const instance = new SDJwtInstance<Record<string, unknown>>({
    signAlg: 'EdDSA',
    signer: (data) => sign(null, Buffer.from(data), privateKey).toString('base64url'),
    verifier: (data, signature) =>
      verify(null, Buffer.from(data), publicKey, Buffer.from(signature, 'base64url')),
    hashAlg: 'sha-256',
    hasher: (data) =>
      createHash('sha256')
        .update(typeof data === 'string' ? data : new Uint8Array(data))
        .digest(),
    saltGenerator: () => randomBytes(16).toString('base64url'),
  });
  return {
    seal(text) {
      const record = JSON.parse(text) as Record<string, Record<string, string>>;
      const frame = Object.entries(record).map(([name, fields]) => [name, { _sd: Object.keys(fields) }]);
      return instance.issue(record, Object.fromEntries(frame) as DisclosureFrame);
    },
    async part(stored, reader) {
      const record = visible((await instance.getClaims(stored)) as FieldsRecord, reader);
      const frame = Object.entries(record).map(([name, fields]) => [
        name,
        Object.fromEntries(Object.keys(fields).map((field) => [field, true])),
      ]);
      return instance.present(stored, Object.fromEntries(frame) as object);
    },
    open: async (part) => {
      const payload = (await instance.verify(part)).payload as Record<string, unknown>;
      // Sections of which nothing was disclosed are there and empty.
      const shown = SECTIONS.filter((name) => !isEmpty(payload[name])).map((name) => [name, payload[name]]);
      return Object.fromEntries(shown) as unknown;
    },
    binaryLength: () => null,
  };
}

// Its typings know frames of payloads only whose member names they know.
type DisclosureFrame = Record<string, never>;

/** The part of a record that a reader may read. */
export function visible<Fields>(
  record: Partial<Record<SectionName, Fields>>,
  reader: ReaderName,
): Partial<Record<SectionName, Fields>> {
  const entries = Object.entries(record) as [SectionName, Fields][];
  return Object.fromEntries(entries.filter(([section]) => READERS_OF[section].includes(reader)));
}

async function forReaders<Key>(make: () => Key | Promise<Key>): Promise<Record<ReaderName, Key>> {
  return { owner: await make(), care: await make(), insurer: await make(), team: await make() };
}

/** All fields at once, as WebCrypto likes it. */
async function mapFields<Field, Mapped>(
  record: Partial<Record<SectionName, Readonly<Record<string, Field>>>>,
  map: (field: Field, path: string) => Promise<Mapped>,
): Promise<Record<string, Record<string, Mapped>>> {
  const sections = Object.entries(record).map(async ([section, fields]) => {
    const mapped = Object.entries(fields).map(
      async ([name, field]) => [name, await map(field, `/${section}/${name}`)] as const,
    );
    return [section, Object.fromEntries(await Promise.all(mapped))] as const;
  });
  return Object.fromEntries(await Promise.all(sections));
}

function sectionOf(path: string): SectionName {
  return SECTIONS.find((section) => path.startsWith(`/${section}/`)) ?? refuse();
}

function isEmpty(fields: unknown): boolean {
  return Object.keys(fields as object).length === 0;
}

const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];

function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, 'base64url');
}

/** As a buffer of its own: `@hpke/core` takes no views. */
function exact(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

function refuse(): never {
  throw new Error('not for this reader');
}
