/** PKCS#12: round trips, another library, what is refused in writing and in reading, and limits that come first. */

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  webcrypto,
  X509Certificate,
} from 'node:crypto';
import { inspect } from 'node:util';
import type * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { exposeSecret, Secret } from 'muniment/keys';
import { createAuthority } from '../../../examples/demo/authority.ts';
import {
  PKCS12_LIMITS,
  readPkcs12,
  writePkcs12,
  type Pkcs12Contents,
  type Pkcs12Key,
} from '../../../examples/client/keystores/pkcs12.ts';
import { flipped } from '../../mutation.ts';
import { refusalOf } from '../../refusal.ts';
import { seededRandom } from '../../vectors/generators/seed.ts';
import { hex } from '../../vectors/hex.ts';
import * as hand from './pkcs12-by-hand.ts';

// That what is written is dear to guess at is seen in the tests with OpenSSL, where it is written in earnest.
vi.mock('../../../examples/client/keystores/pkcs12/effort.ts', () => ({
  ITERATIONS: 1000,
  MAC_ITERATIONS: 2000,
}));

let pkcs8: Uint8Array;
let der: Uint8Array;

beforeAll(async () => {
  const authority = await createAuthority('Authority of the tests');
  const { key, certificate } = await authority.issue({ commonName: 'doctor', kind: 'client' });
  pkcs8 = new Uint8Array(createPrivateKey(key).export({ format: 'der', type: 'pkcs8' }));
  der = new Uint8Array(new X509Certificate(certificate).raw);
});

const LABEL = { name: 'doctor', localKeyId: Uint8Array.of(1, 2, 3) };
const secret = (bytes: Uint8Array): Secret<'pkcs8'> => new Secret('pkcs8', new Uint8Array(bytes));
const aKey = (): Pkcs12Key => ({ ...LABEL, pkcs8: secret(pkcs8) });
const aCertificate = () => ({ ...LABEL, der });
const write = (contents: Partial<Pkcs12Contents>, passphrase = 'x') =>
  writePkcs12({ keys: [], certificates: [], ...contents }, passphrase);

describe('what was written', () => {
  it('is read: keys, certificates, labels', async () => {
    const file = await write({ keys: [aKey()], certificates: [aCertificate(), aCertificate()] });
    const { keys, certificates } = await readPkcs12(file, 'x');
    expect(certificates).toEqual([aCertificate(), aCertificate()]);
    expect(keys.map(({ name, localKeyId }) => ({ name, localKeyId }))).toEqual([LABEL]);
    expect(keys.map((key) => hex(exposeSecret(key.pkcs8)))).toEqual([hex(pkcs8)]);
  });

  it('may lack labels, or have odd ones', async () => {
    const names = [null, 'a', '☺ 𐐷 \ufeff\u0001', 'x'.repeat(256)];
    const certificates = names.map((name) => ({ name, localKeyId: null, der }));
    expect(await readPkcs12(await write({ certificates }), 'x')).toEqual({ keys: [], certificates });
  });

  it('has a passphrase of any text, exactly as it was given', async () => {
    for (const passphrase of ['a', 'é', 'e\u0301', '☺ 𐐷', '\ufeffx', ' x ', 'x'.repeat(1000)]) {
      const file = await write({ certificates: [aCertificate()] }, passphrase);
      expect((await readPkcs12(file, passphrase)).certificates.length).toBe(1);
      for (const other of [`${passphrase} `, passphrase.slice(1), `${passphrase}\0`])
        expect(await refusalOf(() => readPkcs12(file, other))).toBe('KEY_PASSPHRASE');
    }
  });

  it('is the same from the same randomness, and another from other', async () => {
    const again = (seed: string) =>
      writePkcs12({ keys: [aKey()], certificates: [aCertificate()] }, 'x', seededRandom(seed));
    const [first, second, other] = [await again('a'), await again('a'), await again('b')];
    expect(hex(first)).toBe(hex(second));
    expect(hex(first)).not.toBe(hex(other));
    expect((await readPkcs12(other, 'x')).keys.length).toBe(1);
  });

  it('does not follow buffers that change meanwhile', async () => {
    const [localKeyId, bytes] = [Buffer.from('id'), Buffer.from(der)];
    const key = aKey();
    const writing = write({ keys: [key], certificates: [{ name: null, localKeyId, der: bytes }] });
    localKeyId.fill(0);
    bytes.fill(0);
    key.pkcs8.erase();
    const file = await writing;
    const copy = Buffer.from(file);
    const reading = readPkcs12(copy, 'x');
    copy.fill(0);
    const { keys, certificates } = await reading;
    expect(certificates).toEqual([{ name: null, localKeyId: new Uint8Array(Buffer.from('id')), der }]);
    expect(hex(exposeSecret(keys[0]!.pkcs8))).toBe(hex(pkcs8));
  });

  it('is refused with any bit flipped', async () => {
    const file = await write({ keys: [{ ...aKey(), pkcs8: secret(hand.pkcs8()) }] });
    for (let at = 0; at < file.length; at++)
      expect(await refusalOf(() => readPkcs12(flipped(file, at, 1 << (at % 8)), 'x'))).toMatch(/^KEY_/);
  });

  it('does not print its keys', async () => {
    const contents = await readPkcs12(await write({ keys: [aKey()] }), 'x');
    for (const text of [inspect(contents, { depth: 9, showHidden: true }), JSON.stringify(contents)]) {
      expect(text).toContain('[secret: pkcs8]');
      expect(text).not.toContain(String(pkcs8.subarray(40, 60)).replaceAll(',', ', '));
      expect(text).not.toContain(String(pkcs8.subarray(40, 60)));
    }
  });

  it('holds keys that work', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const bytes = privateKey.export({ format: 'der', type: 'pkcs8' });
    const { keys } = await readPkcs12(await write({ keys: [{ ...LABEL, pkcs8: secret(bytes) }] }), 'x');
    const key = Buffer.from(exposeSecret(keys[0]!.pkcs8));
    expect(createPublicKey(createPrivateKey({ key, format: 'der', type: 'pkcs8' })).equals(publicKey)).toBe(
      true,
    );
  });
});

describe('writing is refused', () => {
  it('without a passphrase, or with one that PKCS#12 cannot tell from others', async () => {
    for (const passphrase of ['', '\0', 'a\0a'])
      await expect(write({ certificates: [aCertificate()] }, passphrase)).rejects.toThrow(RangeError);
  });

  it('of nothing, and of more than readers read', async () => {
    await expect(write({})).rejects.toThrow(RangeError);
    const many = Array.from({ length: PKCS12_LIMITS.bags + 1 }, aCertificate);
    await expect(write({ certificates: many })).rejects.toThrow(RangeError);
    expect(await write({ certificates: many.slice(1) })).toBeInstanceOf(Uint8Array);
    const large = { ...LABEL, der: hand.sequence(hand.octets(new Uint8Array(40_000))) };
    await expect(write({ certificates: [large, large] })).rejects.toThrow(RangeError);
  });

  it('of labels that are empty, too long or no text', async () => {
    const named = (name: string) => write({ certificates: [{ ...aCertificate(), name }] });
    await expect(named('')).rejects.toThrow(RangeError);
    await expect(named('x'.repeat(257))).rejects.toThrow(RangeError);
    expect(await refusalOf(() => named('\ud800'))).toBe('WIRE_UTF8');
    const identified = (localKeyId: Uint8Array) =>
      write({ certificates: [{ ...aCertificate(), localKeyId }] });
    await expect(identified(new Uint8Array(0))).rejects.toThrow(RangeError);
    await expect(identified(new Uint8Array(65))).rejects.toThrow(RangeError);
  });

  it('of what is neither a key nor a certificate', async () => {
    const bytes = [
      new Uint8Array(0),
      Buffer.from('-----BEGIN'),
      Buffer.concat([der, Buffer.of(0)]),
      hand.nothing,
    ];
    for (const item of bytes) {
      expect(await refusalOf(() => write({ certificates: [{ ...LABEL, der: item }] }))).toBe('KEY_FILE');
      expect(await refusalOf(() => write({ keys: [{ ...LABEL, pkcs8: secret(item) }] }))).toBe('KEY_FILE');
    }
    expect(await refusalOf(() => write({ keys: [{ ...LABEL, pkcs8: secret(der) }] }))).toBe('KEY_FILE');
  });

  it('under a passphrase that is no text', async () => {
    expect(await refusalOf(() => write({ certificates: [aCertificate()] }, '\udc00'))).toBe('WIRE_UTF8');
  });
});

const { OIDS } = hand;
const keyInfo = hand.dataInfo(hand.sequence(hand.keyBag()));
const read = (file: Uint8Array, limits = PKCS12_LIMITS) => readPkcs12(file, hand.PASSPHRASE, limits);
const bagsOf = (...bags: Uint8Array[]) => hand.p12([hand.dataInfo(hand.sequence(...bags))]);

describe('reading', () => {
  it('takes every kind of part that is declared', async () => {
    const named = hand.attribute(OIDS.friendlyName, hand.bmp('ç\0'));
    const unknown = hand.attribute('1.3.6.1.4.1.311.17.1', hand.bmp('a provider'), hand.nothing);
    const file = hand.p12([
      hand.dataInfo(hand.sequence(hand.keyBag(named, unknown), hand.shroudedKeyBag())),
      hand.encryptedInfo(
        hand.sequence(
          hand.certBag(),
          hand.keyBag(hand.attribute(OIDS.localKeyId, hand.octets(Uint8Array.of(9)))),
          hand.bag(OIDS.safeContentsBag, hand.sequence(hand.certBag())),
        ),
      ),
    ]);
    const { keys, certificates } = await read(file);
    expect(keys.map((key) => [key.name, key.localKeyId, hex(exposeSecret(key.pkcs8))])).toEqual([
      ['ç', null, hex(hand.pkcs8())],
      [null, null, hex(hand.pkcs8())],
      [null, Uint8Array.of(9), hex(hand.pkcs8())],
    ]);
    const bare = { name: null, localKeyId: null, der: hand.CERTIFICATE };
    expect(certificates).toEqual([bare, bare]);
  });

  it('takes a file without any bag', async () => {
    expect(await read(hand.p12([]))).toEqual({ keys: [], certificates: [] });
  });

  it('takes indefinite lengths and strings in pieces', async () => {
    const content = hand.sequence(keyInfo);
    const pieces = (tag: number, bytes: Uint8Array): Uint8Array =>
      hand.indefinite(
        tag,
        hand.octets(bytes.subarray(0, 9)),
        hand.tlv(
          0x24,
          hand.octets(bytes.subarray(9, 12)),
          hand.indefinite(0x24, hand.octets(bytes.subarray(12))),
        ),
      );
    const info = (body: Uint8Array) =>
      hand.indefinite(0x30, hand.oid(OIDS.data), hand.indefinite(0xa0, body));
    expect((await read(hand.p12Of(content, { info: info(pieces(0x24, content)) }))).keys.length).toBe(1);
    const [identifier, ciphertext] = hand.encrypted(hand.sequence(hand.certBag()));
    const encrypted = hand.sequence(hand.oid(OIDS.data), identifier, pieces(0xa0, ciphertext));
    const safe = hand.sequence(
      hand.oid(OIDS.encryptedData),
      hand.explicit(hand.sequence(hand.integer(0), encrypted)),
    );
    expect((await read(hand.p12([safe]))).certificates.length).toBe(1);
  });

  it('takes both spellings of an empty passphrase', async () => {
    for (const passphrase of [new Uint8Array(0), new Uint8Array(2)]) {
      const content = hand.sequence(keyInfo);
      const file = hand.p12Of(content, { mac: hand.macData(content, { passphrase }) });
      expect((await readPkcs12(file, '')).keys.length).toBe(1);
      expect(await refusalOf(() => readPkcs12(file, '\0'))).toBe('KEY_PASSPHRASE');
    }
  });

  it('takes PBMAC1', async () => {
    const content = hand.sequence(keyInfo);
    const withKey = (length: number | null, iterations = 1000) => {
      const keyLength = length === null ? {} : { keyLength: hand.integer(length) };
      const kdf = hand.kdfPbkdf2({ iterations, ...keyLength });
      return hand.p12Of(content, { mac: hand.pbmac1Data(content, kdf, 1000) });
    };
    expect((await read(withKey(32))).keys.length).toBe(1);
    expect(await refusalOf(() => readPkcs12(withKey(32), 'wrong'))).toBe('KEY_PASSPHRASE');
    expect(await refusalOf(() => read(withKey(32, 999)))).toBe('KEY_PASSPHRASE');
    expect(await refusalOf(() => read(withKey(33)))).toBe('KEY_PASSPHRASE');
    for (const length of [null, 0, 19, 65])
      expect(await refusalOf(() => read(withKey(length)))).toBe('KEY_FILE');
    const scrypt = hand.pbmac1Data(content, hand.sequence(hand.oid(OIDS.scrypt), hand.sequence()));
    expect(await refusalOf(() => read(hand.p12Of(content, { mac: scrypt })))).toBe('KEY_ALGORITHM');
  });

  it('checks the MAC before it looks at the content', async () => {
    const garbage = hand.p12Of(Buffer.from('no safe'));
    expect(await refusalOf(() => readPkcs12(garbage, 'wrong'))).toBe('KEY_PASSPHRASE');
    expect(await refusalOf(() => read(garbage))).toBe('KEY_FILE');
  });

  it('refuses a MAC that is cut short or absent', async () => {
    const content = hand.sequence(keyInfo);
    const short = (length: number) =>
      hand.sequence(
        hand.sequence(
          hand.sequence(hand.oid(OIDS.sha256), hand.nothing),
          hand.octets(new Uint8Array(length)),
        ),
        hand.octets(new Uint8Array(8)),
      );
    for (const length of [0, 1, 31, 32, 33])
      expect(await refusalOf(() => read(hand.p12Of(content, { mac: short(length) })))).toBe('KEY_PASSPHRASE');
    await expect(read(hand.p12Of(content, { mac: null }))).rejects.toThrow(/KEY_FILE: .*no MAC/);
  });

  it('refuses a part under another passphrase than the MAC', async () => {
    const file = hand.p12([hand.encryptedInfo(hand.sequence(hand.certBag()), { passphrase: 'another' })]);
    await expect(read(file)).rejects.toThrow(
      'KEY_FILE: a part of the PKCS#12 file is not under the passphrase',
    );
  });

  const signed = hand.sequence(hand.oid(OIDS.signedData), hand.explicit(hand.sequence()));
  const enveloped = hand.sequence(hand.oid(OIDS.envelopedData), hand.explicit(hand.sequence()));
  it.each([
    ['integrity by signature', hand.p12Of(hand.sequence(), { info: signed })],
    ['encryption to a public key', hand.p12([enveloped])],
    ['neither a key nor a certificate', bagsOf(hand.bag(OIDS.crlBag, hand.sequence()))],
    ['neither a key nor a certificate', bagsOf(hand.keyBag(), hand.bag(OIDS.secretBag, hand.sequence()))],
    ['neither a key nor a certificate', bagsOf(hand.bag('1.2.3.4', hand.sequence()))],
    ['a certificate that is not X.509', bagsOf(hand.certBag(hand.CERTIFICATE, OIDS.sdsi))],
  ])('refuses what is left out: %s', async (what, file) => {
    await expect(read(file)).rejects.toThrow(`KEY_FILE: the PKCS#12 file holds what is not read: ${what}`);
  });

  const scheme = (name: string) => ({
    scheme: hand.sequence(hand.oid(name), hand.octets(new Uint8Array(16))),
  });
  const legacyInfo = (name: string) =>
    hand.sequence(
      hand.oid(OIDS.encryptedData),
      hand.explicit(
        hand.sequence(
          hand.integer(0),
          hand.sequence(hand.oid(OIDS.data), hand.sequence(hand.oid(name), hand.sequence()), hand.tlv(0x80)),
        ),
      ),
    );
  it.each([
    ['RC2 of PKCS#12', hand.p12([legacyInfo(OIDS.pbeSha1Rc2)])],
    ['3DES of PKCS#12', hand.p12([legacyInfo(OIDS.pbeSha1TripleDes)])],
    ['DES of PBES1', hand.p12([legacyInfo(OIDS.pbeMd5Des)])],
    ['3DES of PBES2', hand.p12([hand.encryptedInfo(hand.sequence(), scheme(OIDS.desEde3Cbc))])],
    ['RC2 of PBES2', bagsOf(hand.shroudedKeyBag(scheme(OIDS.rc2Cbc)))],
  ])('refuses with the remedy: %s', async (_, file) => {
    await expect(read(file)).rejects.toThrow(/^KEY_ALGORITHM: legacy encryption .* openssl pkcs12 -legacy /);
  });

  const kdf = hand.sequence(hand.oid(OIDS.scrypt), hand.sequence());
  it.each([
    ['GCM', hand.p12([hand.encryptedInfo(hand.sequence(), scheme(OIDS.aes256gcm))])],
    ['scrypt', bagsOf(hand.shroudedKeyBag({ kdf }))],
    ['an unknown PRF', bagsOf(hand.shroudedKeyBag({ prf: hand.sequence(hand.oid('1.2.840.113549.2.8')) }))],
    ['an unknown scheme', hand.p12([legacyInfo('1.2.3.4.5')])],
    [
      'an unknown MAC',
      hand.p12Of(hand.sequence(), { mac: hand.macData(hand.sequence(), { hashOid: '1.2.3.4.5' }) }),
    ],
  ])('refuses, without quoting it: %s', async (_, file) => {
    const text = await read(file).then(() => 'opened', String);
    expect(text).toBe('MunimentError: KEY_ALGORITHM: the PKCS#12 file uses an algorithm that is not read');
  });

  const key = hand.octets(Uint8Array.of(1));
  const name = hand.bmp('name');
  const shroudedWith = (part: hand.Pbes2) => bagsOf(hand.shroudedKeyBag(part));
  it.each([
    ['another version', hand.p12([keyInfo], { version: hand.integer(2) })],
    ['a negative version', hand.p12([keyInfo], { version: hand.tlv(2, Uint8Array.of(0xff)) })],
    ['a version as an enumeration', hand.p12([keyInfo], { version: hand.tlv(10, Uint8Array.of(3)) })],
    ['an empty version', hand.p12([keyInfo], { version: hand.tlv(2) })],
    ['bytes after the file', Buffer.concat([hand.p12([keyInfo]), Buffer.of(0)])],
    ['bytes after the safe', hand.p12Of(Buffer.concat([hand.sequence(keyInfo), Buffer.of(5, 0)]))],
    ['a member too many', hand.sequence(...[3, 3, 3, 3, 3].map((value) => hand.integer(value)))],
    ['a safe in a primitive', hand.p12Of(hand.tlv(0x10, keyInfo))],
    ['an open end', hand.p12Of(Buffer.concat([Buffer.of(0x30, 0x80), keyInfo]))],
    ['a bag past its parent', hand.p12Of(Buffer.concat([Buffer.of(0x30, 5), keyInfo]))],
    ['a bag without a value', bagsOf(hand.sequence(hand.oid(OIDS.keyBag)))],
    ['a key without anything', bagsOf(hand.bag(OIDS.keyBag, hand.sequence()))],
    ['a key that is none', bagsOf(hand.bag(OIDS.keyBag, key))],
    [
      'two values in a bag',
      bagsOf(hand.sequence(hand.oid(OIDS.keyBag), hand.explicit(hand.pkcs8(), hand.pkcs8()))),
    ],
    ['a certificate that is none', bagsOf(hand.certBag(hand.nothing))],
    ['an empty certificate', bagsOf(hand.certBag(new Uint8Array(0)))],
    ['bytes after a certificate', bagsOf(hand.certBag(Buffer.concat([hand.CERTIFICATE, Buffer.of(0)])))],
    [
      'an attribute twice',
      bagsOf(hand.keyBag(hand.attribute(OIDS.localKeyId, key), hand.attribute(OIDS.localKeyId, key))),
    ],
    ['two names in one', bagsOf(hand.keyBag(hand.attribute(OIDS.friendlyName, name, name)))],
    ['a name that is none', bagsOf(hand.keyBag(hand.attribute(OIDS.friendlyName, key)))],
    [
      'half a character',
      bagsOf(hand.keyBag(hand.attribute(OIDS.friendlyName, hand.tlv(0x1e, Uint8Array.of(0))))),
    ],
    ['half a pair', bagsOf(hand.keyBag(hand.attribute(OIDS.friendlyName, hand.bmp('\ud800'))))],
    ['a long name', bagsOf(hand.keyBag(hand.attribute(OIDS.friendlyName, hand.bmp('x'.repeat(257)))))],
    ['a long id', bagsOf(hand.keyBag(hand.attribute(OIDS.localKeyId, hand.octets(new Uint8Array(65)))))],
    ['a key length that is not the one', shroudedWith({ keyLength: hand.integer(16) })],
    [
      'a short IV',
      shroudedWith({ scheme: hand.sequence(hand.oid(OIDS.aes256cbc), hand.octets(new Uint8Array(15))) }),
    ],
    ['no IV', shroudedWith({ scheme: hand.sequence(hand.oid(OIDS.aes256cbc)) })],
    ['parameters where there are none', shroudedWith({ prf: hand.sequence(hand.oid(OIDS.hmacSha256), key) })],
    ['no iterations', shroudedWith({ iterations: 0 })],
    [
      'negative iterations',
      hand.p12Of(hand.sequence(), {
        mac: hand.macData(hand.sequence(), { stated: hand.tlv(2, Uint8Array.of(0xff)) }),
      }),
    ],
    [
      'no MAC iterations',
      hand.p12Of(hand.sequence(), { mac: hand.macData(hand.sequence(), { stated: hand.integer(0) }) }),
    ],
    ['no file', new Uint8Array(0)],
    ['a PEM file', Buffer.from('-----BEGIN CERTIFICATE-----')],
  ])('refuses what is malformed: %s', async (_, file) => {
    expect(await refusalOf(() => read(new Uint8Array(file)))).toBe('KEY_FILE');
  });
});

describe('limits come before any work', () => {
  /** What comes of it, and in less time than the work would take. */
  async function atOnce(run: () => Promise<unknown>): Promise<string> {
    const before = process.cpuUsage(); // and not a clock: other processes are at work too
    const text = await run().then(
      () => 'opened',
      (error: unknown) => String(error),
    );
    const { user, system } = process.cpuUsage(before);
    expect(user + system).toBeLessThan(2_000_000);
    return text;
  }
  const MORE = 'MunimentError: KEY_FILE: the PKCS#12 file asks for more iterations than are allowed';
  const BAGS = 'MunimentError: KEY_FILE: the PKCS#12 file has more bags than are allowed';
  const { bytes, iterations, bags, depth, work } = PKCS12_LIMITS;

  it('on the size of a file', async () => {
    const file = bagsOf(hand.certBag(hand.sequence(hand.octets(new Uint8Array(bytes - 200)))));
    expect(file.length).toBeLessThanOrEqual(bytes);
    expect((await read(file)).certificates.length).toBe(1);
    const larger = bagsOf(hand.certBag(hand.sequence(hand.octets(new Uint8Array(bytes)))));
    await expect(read(larger)).rejects.toThrow('KEY_FILE: the PKCS#12 file is larger than is allowed');
    expect((await read(larger, { ...PKCS12_LIMITS, bytes: 2 * bytes })).certificates.length).toBe(1);
  });

  it('on the iterations of the MAC', async () => {
    const content = hand.sequence(keyInfo);
    for (const stated of [iterations + 1, 2 ** 31 - 1, 2 ** 40, 2 ** 47 - 1, 2 ** 52]) {
      const mac = hand.macData(content, { stated: hand.integer(stated) });
      const text = await atOnce(() => read(hand.p12Of(content, { mac })));
      expect(text).toMatch(stated < 2 ** 47 ? MORE : 'KEY_FILE');
    }
    const mac = hand.macData(content, { stated: hand.integer(3) });
    const two = { ...PKCS12_LIMITS, iterations: 2 };
    expect(await atOnce(() => read(hand.p12Of(content, { mac }), two))).toBe(MORE);
    const three = { ...PKCS12_LIMITS, iterations: 3 };
    expect(await refusalOf(() => read(hand.p12Of(content, { mac }), three))).toBe('KEY_PASSPHRASE');
    const kdf = hand.kdfPbkdf2({ iterations: iterations + 1, keyLength: hand.integer(32) });
    expect(await atOnce(() => read(hand.p12Of(content, { mac: hand.pbmac1Data(content, kdf) })))).toBe(MORE);
  });

  it('on the iterations of what is encrypted', async () => {
    const dear = { iterations: iterations + 1 };
    expect(await atOnce(() => read(hand.p12([hand.encryptedInfo(hand.sequence(), dear)])))).toBe(MORE);
    expect(await atOnce(() => read(bagsOf(hand.shroudedKeyBag(dear))))).toBe(MORE);
  });

  it('on all iterations together', async () => {
    const file = bagsOf(...Array.from({ length: 4 }, () => hand.shroudedKeyBag({ iterations: 1000 })));
    expect((await read(file, { ...PKCS12_LIMITS, work: 4001 })).keys.length).toBe(4);
    expect(await atOnce(() => read(file, { ...PKCS12_LIMITS, work: 4000 }))).toBe(MORE);
    expect(work).toBe(8_000_000);
  });

  it('on the number of bags', async () => {
    const many = Array.from({ length: bags }, () => hand.certBag());
    expect((await read(bagsOf(...many))).certificates.length).toBe(bags);
    const half = (part: Uint8Array[]) => hand.dataInfo(hand.sequence(...part));
    const file = hand.p12([half(many), half([hand.shroudedKeyBag({ iterations: iterations })])]);
    expect(await atOnce(() => read(file))).toBe(BAGS);
  });

  it('on bags in bags', async () => {
    const nested = (levels: number): Uint8Array =>
      levels === 1 ? hand.certBag() : hand.bag(OIDS.safeContentsBag, hand.sequence(nested(levels - 1)));
    expect((await read(bagsOf(nested(depth)))).certificates.length).toBe(1);
    expect(await atOnce(() => read(bagsOf(nested(depth + 1))))).toBe(BAGS);
  });

  it('on depth and number of values, at every stage', async () => {
    const repeated = (part: Uint8Array, times: number) =>
      Buffer.concat(Array.from({ length: times }, () => part));
    const bombs = [
      repeated(Buffer.of(0x30, 0x80), 30_000),
      repeated(Buffer.of(0x24, 0x80), 30_000),
      Array.from({ length: 2000 }).reduce<Uint8Array>((inner) => hand.sequence(inner), new Uint8Array(0)),
      hand.sequence(repeated(hand.nothing, 30_000)),
      hand.tlv(0x24, repeated(hand.octets(new Uint8Array(0)), 30_000)),
      hand.sequence(hand.tlv(6, new Uint8Array(60_000).fill(1))),
      hand.sequence(hand.tlv(6, new Uint8Array(60_000).fill(0xff))),
      hand.sequence(hand.tlv(2, new Uint8Array(60_000).fill(0x7f))),
    ];
    for (const bomb of bombs) {
      const files = [
        bomb,
        hand.p12Of(bomb),
        hand.p12([hand.dataInfo(bomb)]),
        hand.p12([hand.encryptedInfo(bomb)]),
      ];
      files.push(bagsOf(hand.certBag(bomb)), bagsOf(hand.bag(OIDS.keyBag, bomb)));
      for (const file of files.map((item) => new Uint8Array(item)))
        expect(await atOnce(() => read(file))).toMatch(/^MunimentError: KEY_FILE: |^opened$/);
    }
  });
});

describe('pkijs', () => {
  const engine = new pkijs.CryptoEngine({ name: 'node', crypto: webcrypto as never });
  const password = new TextEncoder().encode('of pkijs').buffer;

  it('opens what we write', async () => {
    const file = await write({ keys: [aKey()], certificates: [aCertificate()] }, 'of pkijs');
    const pfx = pkijs.PFX.fromBER(new Uint8Array(file).buffer);
    await pfx.parseInternalValues({ password, checkIntegrity: true }, engine);
    const safe = pfx.parsedValue!.authenticatedSafe!;
    await safe.parseInternalValues({ safeContents: safe.safeContents.map(() => ({ password })) }, engine);
    const contents = (safe.parsedValue as { safeContents: { value: pkijs.SafeContents }[] }).safeContents;
    const [certificates, keys] = contents.map(({ value }) => value.safeBags[0]!.bagValue);
    const certificate = (certificates as pkijs.CertBag).certValue as asn1js.OctetString;
    expect(hex(new Uint8Array(certificate.getValue()))).toBe(hex(der));
    const shrouded = keys as pkijs.PKCS8ShroudedKeyBag;
    // Public, though the types call it protected.
    await (shrouded as unknown as Shrouded).parseInternalValues({ password }, engine);
    expect(hex(new Uint8Array(shrouded.parsedValue!.toSchema().toBER()))).toBe(hex(pkcs8));
  });

  it('writes what we open', async () => {
    const file = await writtenByPkijs();
    const { keys, certificates } = await readPkcs12(file, 'of pkijs');
    // pkijs parses a key and encodes it again, so it may be spelled anew.
    const made = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
    const found = Buffer.from(exposeSecret(keys[0]!.pkcs8));
    expect(createPrivateKey({ key: found, format: 'der', type: 'pkcs8' }).equals(made)).toBe(true);
    expect(certificates.map((item) => createHash('sha256').update(item.der).digest('hex'))).toEqual([
      createHash('sha256').update(der).digest('hex'),
    ]);
    expect(await refusalOf(() => readPkcs12(file, 'of Pkijs'))).toBe('KEY_PASSPHRASE');
  });

  async function writtenByPkijs(): Promise<Uint8Array> {
    const encryption = {
      password,
      contentEncryptionAlgorithm: { name: 'AES-CBC', length: 128 },
      hmacHashAlgorithm: 'SHA-512',
      iterationCount: 1000,
    };
    const parsedValue = pkijs.PrivateKeyInfo.fromBER(new Uint8Array(pkcs8).buffer);
    const shrouded = new pkijs.PKCS8ShroudedKeyBag({ parsedValue });
    await (shrouded as unknown as Shrouded).makeInternalValues(encryption, engine);
    const certificate = new pkijs.CertBag({
      parsedValue: pkijs.Certificate.fromBER(new Uint8Array(der).buffer),
    });
    const safeBags = [
      new pkijs.SafeBag({ bagId: OIDS.shroudedKeyBag, bagValue: shrouded }),
      new pkijs.SafeBag({ bagId: OIDS.certBag, bagValue: certificate }),
    ];
    const value = new pkijs.SafeContents({ safeBags });
    const safe = new pkijs.AuthenticatedSafe({ parsedValue: { safeContents: [{ privacyMode: 1, value }] } });
    await safe.makeInternalValues({ safeContents: [encryption] }, engine);
    const pfx = new pkijs.PFX({ parsedValue: { integrityMode: 0, authenticatedSafe: safe } });
    const mac = { iterations: 1000, pbkdf2HashAlgorithm: 'SHA-256', hmacHashAlgorithm: 'SHA-384' };
    await pfx.makeInternalValues({ password, ...mac }, engine);
    return new Uint8Array(pfx.toSchema().toBER());
  }
});

interface Shrouded {
  parseInternalValues(parameters: object, engine: pkijs.CryptoEngine): Promise<void>;
  makeInternalValues(parameters: object, engine: pkijs.CryptoEngine): Promise<void>;
}
