/** Certification paths that PKITS has no case of here, over certificates and lists made for the purpose. */

import 'reflect-metadata'; // @peculiar/x509 refuses to load before it
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  Name as AsnName,
  NameConstraints,
} from '@peculiar/asn1-x509';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  X509CrlGenerator,
} from '@peculiar/x509';
import { webcrypto } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { CRL_BYTES, WITHOUT_REVOCATION } from '../../examples/admin/path/revocation.ts';
import {
  CERTIFICATE_BYTES,
  PATH_MOST,
  type PathTerms,
  verifyPath,
} from '../../examples/admin/path/verify.ts';

const SIGNING = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY = 86_400_000;
const NOW = new Date('2026-06-01T00:00:00Z');
const CA = new BasicConstraintsExtension(true, undefined, true);

interface Party {
  readonly name: string;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly der: Uint8Array;
}

let serials = 0;
let root: Party;

beforeAll(async () => {
  root = await make('CN=Root', null, [CA]);
});

function day(offset: number): Date {
  return new Date(NOW.getTime() + offset * DAY);
}

/** A certificate for a name with these extensions, by an issuer or by itself. */
async function make(name: string, issuer: Party | null, extensions: Extension[] = []): Promise<Party> {
  const keys = await webcrypto.subtle.generateKey(SIGNING, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.create({
    subject: name,
    issuer: issuer?.name ?? name,
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: SIGNING,
    serialNumber: (++serials).toString(16).padStart(32, '4'),
    notBefore: day(-10),
    notAfter: day(10),
    extensions,
  });
  return { name, keys, der: new Uint8Array(certificate.rawData) };
}

interface ListTerms {
  readonly thisUpdate?: Date;
  readonly nextUpdate?: Date | null;
  readonly extensions?: Extension[];
  readonly entryExtensions?: Extension[];
}

async function list(issuer: Party, terms: ListTerms = {}): Promise<Uint8Array> {
  const { thisUpdate = day(-1), nextUpdate = day(1), extensions = [], entryExtensions = [] } = terms;
  const crl = await X509CrlGenerator.create({
    issuer: issuer.name,
    thisUpdate,
    ...(nextUpdate && { nextUpdate }),
    extensions,
    entries: [{ serialNumber: '7f', revocationDate: day(-2), extensions: entryExtensions }],
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: SIGNING,
  });
  return new Uint8Array(crl.rawData);
}

function judge(path: readonly Party[], terms: Partial<PathTerms> = {}): Promise<string> {
  const ders = path.map(({ der }) => der);
  return judgeBytes(ders, terms);
}

async function judgeBytes(path: readonly Uint8Array[], terms: Partial<PathTerms> = {}): Promise<string> {
  const all: PathTerms = { anchor: root.der, at: NOW, crls: WITHOUT_REVOCATION, purpose: 'any', ...terms };
  return verifyPath(path, all).then(
    () => 'valid',
    (error: unknown) => (error as { code: string }).code,
  );
}

describe('lists of revocations', () => {
  const critical = (type: string) => new Extension(type, true, Uint8Array.of(5, 0).buffer);
  const noted = (type: string) => new Extension(type, false, Uint8Array.of(5, 0).buffer);

  test.each<[string, ListTerms, string]>([
    ['of now', {}, 'valid'],
    ['that begins now', { thisUpdate: NOW }, 'valid'],
    ['that ends now', { nextUpdate: NOW }, 'valid'],
    ['of yesterday', { thisUpdate: day(-3), nextUpdate: day(-1) }, 'PATH_CRL'],
    ['of tomorrow', { thisUpdate: day(1), nextUpdate: day(2) }, 'PATH_CRL'],
    ['without an end', { nextUpdate: null }, 'PATH_CRL'],
    ['with a note', { extensions: [noted('1.2.3')] }, 'valid'],
    ['with something critical', { extensions: [critical('1.2.3')] }, 'PATH_CRL'],
    ['of some certificates only', { extensions: [noted('2.5.29.28')] }, 'PATH_CRL'],
    ['of changes only', { extensions: [noted('2.5.29.27')] }, 'PATH_CRL'],
    ['with something critical about one', { entryExtensions: [critical('2.5.29.29')] }, 'PATH_CRL'],
  ])('one %s', async (_, terms, expected) => {
    const leaf = await make('CN=leaf', root);
    expect(await judge([leaf], { crls: [await list(root, terms)] })).toBe(expected);
  });

  test('of an issuer whose key is not for lists, of another issuer, or of another of its name', async () => {
    const mute = await make('CN=mute', root, [CA, new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true)]);
    const leaf = await make('CN=leaf', mute);
    const above = await list(root);
    expect(await judge([leaf, mute], { crls: [above, await list(mute)] })).toBe('PATH_CRL');
    expect(await judge([leaf, mute])).toBe('valid');
    const below = await make('CN=below', root);
    const namesake = await make(root.name, null, [CA]);
    expect(await judge([below], { crls: [await list(mute)] })).toBe('PATH_CRL');
    expect(await judge([below], { crls: [await list(namesake)] })).toBe('PATH_CRL');
    expect(await judge([below], { crls: [await list(namesake), above] })).toBe('valid');
  });

  test('that is none, or too large', async () => {
    const leaf = await make('CN=leaf', root);
    expect(await judge([leaf], { crls: [] })).toBe('PATH_CRL');
    expect(await judge([leaf], { crls: [Uint8Array.of(1, 2, 3)] })).toBe('PATH_CRL');
    expect(await judge([leaf], { crls: [new Uint8Array(CRL_BYTES + 1)] })).toBe('PATH_FORM');
  });
});

describe('purposes', () => {
  const usage = (...names: (keyof typeof ExtendedKeyUsage)[]) =>
    new ExtendedKeyUsageExtension(names.map((name) => ExtendedKeyUsage[name]));

  test.each([
    [[], 'valid', 'valid'],
    [[usage('clientAuth')], 'valid', 'PATH_USAGE'],
    [[usage('serverAuth')], 'PATH_USAGE', 'valid'],
    [[usage('clientAuth', 'serverAuth')], 'valid', 'valid'],
    [[new KeyUsagesExtension(KeyUsageFlags.digitalSignature)], 'valid', 'valid'],
    [[new KeyUsagesExtension(KeyUsageFlags.keyEncipherment)], 'PATH_USAGE', 'PATH_USAGE'],
  ])('%#: as a client %s, as a server %s', async (extensions, client, server) => {
    const leaf = await make('CN=leaf', root, extensions);
    expect(await judge([leaf])).toBe('valid');
    expect(await judge([leaf], { purpose: 'client' })).toBe(client);
    expect(await judge([leaf], { purpose: 'server' })).toBe(server);
  });
});

describe('name constraints', () => {
  const directory = (name: string): GeneralSubtrees =>
    new GeneralSubtrees([
      new GeneralSubtree({
        base: new GeneralName({ directoryName: AsnConvert.parse(new Name(name).toArrayBuffer(), AsnName) }),
      }),
    ]);
  const dns = new GeneralSubtrees([new GeneralSubtree({ base: new GeneralName({ dNSName: 'example' }) })]);
  const withMinimum = directory('O=Hospital');
  for (const subtree of withMinimum) subtree.minimum = 1;
  const constrained = (constraints: ConstructorParameters<typeof NameConstraints>[0]) =>
    make('O=Hospital, CN=constrained', root, [
      CA,
      new Extension('2.5.29.30', true, AsnConvert.serialize(new NameConstraints(constraints))),
    ]);

  test.each([
    ['O=Hospital, CN=x', 'valid'],
    ['O=hospital  , CN=x', 'valid'],
    ['O=Hospital', 'valid'],
    ['O=Hospital annexe, CN=x', 'PATH_NAME'],
    ['CN=x, O=Hospital', 'PATH_NAME'],
    ['OU=Hospital, CN=x', 'PATH_NAME'],
    ['CN=O=Hospital', 'PATH_NAME'],
  ])('of a directory name: %s is %s', async (name, expected) => {
    const authority = await constrained({ permittedSubtrees: directory('O=Hospital') });
    expect(await judge([await make(name, authority), authority])).toBe(expected);
  });

  test('an alternative name is one too', async () => {
    const authority = await constrained({ permittedSubtrees: directory('O=Hospital') });
    const leaf = (value: string) =>
      make('O=Hospital', authority, [new SubjectAlternativeNameExtension([{ type: 'dn', value }])]);
    expect(await judge([await leaf('O=Hospital, CN=x'), authority])).toBe('valid');
    expect(await judge([await leaf('O=Elsewhere, CN=x'), authority])).toBe('PATH_NAME');
  });

  test('those of every authority count, the anchor among them', async () => {
    const first = await constrained({ permittedSubtrees: directory('O=Hospital') });
    const second = await make('O=Hospital, OU=ward', first, [CA]);
    const third = await make('O=Elsewhere', first, [CA]);
    expect(await judge([await make('O=Hospital', second), second, first])).toBe('valid');
    expect(await judge([await make('O=Elsewhere', second), second, first])).toBe('PATH_NAME');
    expect(await judge([await make('O=Hospital', third), third, first])).toBe('PATH_NAME');
    expect(await judge([await make('O=Elsewhere', first)], { anchor: first.der })).toBe('PATH_NAME');
  });

  test.each([
    ['of DNS names', { permittedSubtrees: dns }],
    ['with a minimum', { permittedSubtrees: withMinimum }],
    ['that exclude', { excludedSubtrees: directory('O=Elsewhere') }],
    ['that permit and exclude', { permittedSubtrees: directory('O=Hospital'), excludedSubtrees: dns }],
    ['that say nothing', {}],
  ])('%s are refused, whoever is below', async (_, constraints) => {
    const authority = await constrained(constraints);
    expect(await judge([await make('O=Hospital, CN=x', authority), authority])).toBe('PATH_NAME');
  });
});

describe('form', () => {
  test('no path, too long a path, too large a certificate, bytes after one', async () => {
    const leaf = await make('CN=leaf', root);
    expect(await judge([leaf])).toBe('valid');
    expect(await judge([])).toBe('PATH_FORM');
    expect(await judge(Array.from({ length: PATH_MOST + 1 }, () => leaf))).toBe('PATH_FORM');
    expect(await judgeBytes([new Uint8Array(CERTIFICATE_BYTES + 1)])).toBe('PATH_FORM');
    expect(await judgeBytes([Uint8Array.of(...leaf.der, 0)])).toBe('PATH_FORM');
    expect(await judge([leaf], { anchor: leaf.der.subarray(1) })).toBe('PATH_FORM');
    await expect(judge([leaf], { at: new Date(Number.NaN) })).resolves.toBeUndefined(); // a TypeError has no code
  });

  test('the longest path, and one that an authority on it cuts short', async () => {
    const chain = async (length: number, ...extensions: Extension[]): Promise<Party[]> => {
      const path: Party[] = [];
      for (let at = 1; at < length; at++) path.unshift(await make(`CN=${at}`, path[0] ?? root, extensions));
      return [await make('CN=leaf', path[0] ?? root), ...path];
    };
    expect(await judge(await chain(PATH_MOST, CA))).toBe('valid');
    const one = new BasicConstraintsExtension(true, 1, true);
    expect(await judge(await chain(3, one))).toBe('valid');
    expect(await judge(await chain(4, one))).toBe('PATH_LENGTH');
  });

  test('something critical that is not understood, above the last certificate', async () => {
    const note = (critical: boolean) => new Extension('1.2.3', critical, Uint8Array.of(5, 0).buffer);
    const judged = async (critical: boolean) => {
      const authority = await make('CN=noted', root, [CA, note(critical)]);
      return judge([await make('CN=leaf', authority), authority]);
    };
    expect(await judged(false)).toBe('valid');
    expect(await judged(true)).toBe('PATH_EXTENSION');
  });

  test.each([
    [1024, 'SHA-256', 'PATH_ALGORITHM'],
    [2048, 'SHA-1', 'PATH_ALGORITHM'],
    [2048, 'SHA-256', 'valid'],
  ])('signed with RSA of %d bits and %s: %s', async (modulusLength, hash, expected) => {
    const rsa = { name: 'RSASSA-PKCS1-v1_5', hash, publicExponent: Uint8Array.of(1, 0, 1), modulusLength };
    const keys = await webcrypto.subtle.generateKey(rsa, true, ['sign', 'verify']);
    const anchor = await X509CertificateGenerator.createSelfSigned({
      name: 'CN=RSA',
      keys,
      signingAlgorithm: rsa,
      notBefore: day(-1),
      notAfter: day(1),
      extensions: [CA],
    });
    const der = new Uint8Array(anchor.rawData);
    expect(await judgeBytes([der], { anchor: der })).toBe(expected);
  });

  test('an anchor of another time, or that is no authority', async () => {
    const leaf = await make('CN=leaf', root);
    const plain = await make('CN=plain', null);
    expect(await judge([leaf], { at: day(11) })).toBe('PATH_TIME');
    expect(await judge([leaf], { at: day(-11) })).toBe('PATH_TIME');
    expect(await judge([await make('CN=leaf', plain)], { anchor: plain.der })).toBe('PATH_AUTHORITY');
  });
});
