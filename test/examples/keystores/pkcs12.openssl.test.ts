/** PKCS#12: OpenSSL opens what we write, and we open what OpenSSL writes. */

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { exposeSecret, Secret } from 'muniment/keys';
import { createAuthority } from '../../../examples/demo/authority.ts';
import {
  readPkcs12,
  writePkcs12,
  type Pkcs12Contents,
  type Pkcs12Key,
} from '../../../examples/client/keystores/pkcs12.ts';
import { flipped } from '../../mutation.ts';
import { refusalOf } from '../../refusal.ts';
import { hex } from '../../vectors/hex.ts';
import { describeOpenSsl } from '../../openssl.ts';
import { OpenSsl } from './openssl.ts';

const PASSPHRASE = 'Pa$$wörd with ☺ and 𐐷';
const NAMES = ['ed25519', 'x25519', 'p256'] as const;
type Name = (typeof NAMES)[number];

let openssl: OpenSsl;
const pkcs8 = {} as Record<Name, Uint8Array>;
const der = {} as Record<Name, Uint8Array>;

const secret = (bytes: Uint8Array): Secret<'pkcs8'> => new Secret('pkcs8', new Uint8Array(bytes));
const label = (name: Name) => ({ name, localKeyId: Buffer.from(`id of ${name}`) });
const keyOf = (name: Name): Pkcs12Key => ({ ...label(name), pkcs8: secret(pkcs8[name]) });
const everything = (): Pkcs12Contents => ({
  keys: NAMES.map(keyOf),
  certificates: NAMES.map((name) => ({ ...label(name), der: der[name] })),
});

/** The same without secrets and in hexadecimal, to be compared. */
function plainly({ keys, certificates }: Pkcs12Contents): unknown {
  const id = (bytes: Uint8Array | null): string | null => (bytes === null ? null : hex(bytes));
  return {
    keys: keys.map((key) => [key.name, id(key.localKeyId), hex(exposeSecret(key.pkcs8))]),
    certificates: certificates.map((item) => [item.name, id(item.localKeyId), hex(item.der)]),
  };
}

function pemBlocks(text: string, type: string): string[] {
  const pattern = new RegExp(`-----BEGIN ${type}-----[^-]*-----END ${type}-----`, 'g');
  return text.match(pattern) ?? [];
}

const keyHex = (pem: string): string => hex(createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' }));

// The keys and two certificates are OpenSSL's, the third one is of @peculiar/x509.
beforeAll(async () => {
  openssl = new OpenSsl();
  const make = (name: Name, ...parameters: string[]): void => {
    openssl.run('genpkey', '-outform', 'DER', '-out', `${name}.der`, ...parameters);
    pkcs8[name] = openssl.read(`${name}.der`);
    openssl.run('pkey', '-inform', 'DER', '-in', `${name}.der`, '-out', `${name}.key`);
  };
  const keep = (name: Name): void => {
    const certificate = new X509Certificate(openssl.read(`${name}.crt`));
    der[name] = new Uint8Array(certificate.raw);
    openssl.write(`${name}.crt`, Buffer.from(certificate.toString()));
  };
  make('ed25519', '-algorithm', 'ED25519');
  openssl.run('req', '-x509', '-key', 'ed25519.key', '-subj', '/CN=Núria', '-utf8', '-out', 'ed25519.crt');
  keep('ed25519');
  make('x25519', '-algorithm', 'X25519');
  openssl.run('pkey', '-in', 'x25519.key', '-pubout', '-out', 'x25519.pub');
  const issuer = ['-CA', 'ed25519.crt', '-CAkey', 'ed25519.key', '-set_serial', '7'];
  openssl.run(
    'x509',
    '-new',
    '-subj',
    '/CN=x',
    '-force_pubkey',
    'x25519.pub',
    ...issuer,
    '-out',
    'x25519.crt',
  );
  keep('x25519');
  const authority = await createAuthority('Authority of the tests');
  const issued = await authority.issue({ commonName: 'doctor', kind: 'client' });
  pkcs8.p256 = new Uint8Array(createPrivateKey(issued.key).export({ format: 'der', type: 'pkcs8' }));
  openssl.write('p256.key', Buffer.from(issued.key));
  openssl.write('p256.crt', Buffer.from(issued.certificate));
  keep('p256');
});

afterAll(() => {
  openssl.remove();
});

describeOpenSsl('what we write', () => {
  let file: Uint8Array;
  const inFile = ['pkcs12', '-in', 'ours.p12'];

  beforeAll(async () => {
    file = await writePkcs12(everything(), PASSPHRASE);
    openssl.write('ours.p12', file);
  });

  it('OpenSSL opens: keys, certificates, names and which belong together', () => {
    const printed = openssl.run(...inFile, '-passin', `pass:${PASSPHRASE}`, '-noenc');
    expect(pemBlocks(printed, 'PRIVATE KEY').map(keyHex)).toEqual(NAMES.map((name) => hex(pkcs8[name])));
    const certificates = pemBlocks(printed, 'CERTIFICATE').map((pem) => hex(new X509Certificate(pem).raw));
    expect(certificates).toEqual(NAMES.map((name) => hex(der[name])));
    for (const name of NAMES) {
      const id = Buffer.from(`id of ${name}`).toString('hex').toUpperCase().match(/../g)!.join(' ');
      expect(printed.split(`friendlyName: ${name}\n`).length, name).toBe(3);
      expect(printed.split(`localKeyID: ${id} \n`).length, name).toBe(3);
    }
  });

  it('has strong algorithms, as OpenSSL sees it', () => {
    openssl.shell('openssl pkcs12 -in ours.p12 -passin "pass:$P" -noenc -info > /dev/null 2> info', {
      P: PASSPHRASE,
    });
    const info = Buffer.from(openssl.read('info')).toString();
    expect(info).toMatch(/^MAC: sha256, Iteration 1200000$/m);
    expect(info).toMatch(/^MAC length: 32, salt length: 16$/m);
    const pbes2 = 'PBES2, PBKDF2, AES-256-CBC, Iteration 600000, PRF hmacWithSHA256';
    expect(info.split(pbes2).length - 1).toBe(4);
  });

  it('OpenSSL does not open with another passphrase, or with a bit flipped', () => {
    expect(() => openssl.run(...inFile, '-passin', 'pass:wrong', '-noenc')).toThrow(/invalid password/);
    openssl.write('flipped.p12', flipped(file, Math.floor(file.length / 2)));
    const flippedFile = ['pkcs12', '-in', 'flipped.p12', '-passin', `pass:${PASSPHRASE}`, '-noenc'];
    expect(() => openssl.run(...flippedFile)).toThrow(/invalid password/);
  });

  it('we open, and refuse another passphrase and a flipped bit', async () => {
    expect(plainly(await readPkcs12(file, PASSPHRASE))).toEqual(plainly(everything()));
    expect(await refusalOf(() => readPkcs12(file, PASSPHRASE.normalize('NFD')))).toBe('KEY_PASSPHRASE');
    expect(await refusalOf(() => readPkcs12(flipped(file, 500), PASSPHRASE))).toBe('KEY_PASSPHRASE');
  });
});

describeOpenSsl('what OpenSSL writes', () => {
  /** Exports a key with its certificate. */
  function exported(name: Name, ...options: readonly string[]): Uint8Array {
    const files = ['-inkey', `${name}.key`, '-in', `${name}.crt`, '-out', 'theirs.p12'];
    openssl.run('pkcs12', '-export', '-passout', `pass:${PASSPHRASE}`, ...files, ...options);
    return openssl.read('theirs.p12');
  }

  /** Reads it back, and it must be the same. */
  async function opens(file: Uint8Array, name: Name): Promise<Pkcs12Contents> {
    const contents = await readPkcs12(file, PASSPHRASE);
    expect(contents.keys.map((key) => hex(exposeSecret(key.pkcs8)))).toEqual([hex(pkcs8[name])]);
    expect(contents.certificates.map((item) => hex(item.der))).toEqual([hex(der[name])]);
    return contents;
  }

  it.each(NAMES)('we open: %s', async (name) => {
    const contents = await opens(exported(name, '-name', 'Núria ☺'), name);
    expect(contents.keys[0]!.name).toBe('Núria ☺');
    expect(contents.certificates[0]!.name).toBe('Núria ☺');
    expect(contents.keys[0]!.localKeyId).toEqual(contents.certificates[0]!.localKeyId);
    expect(contents.keys[0]!.localKeyId!.length).toBe(20);
  });

  it.each(['AES-128-CBC', 'AES-192-CBC', 'AES-256-CBC', 'NONE'])('we open: %s', async (cipher) => {
    await opens(exported('ed25519', '-keypbe', cipher, '-certpbe', cipher), 'ed25519');
  });

  it.each(['SHA1', 'SHA256', 'SHA384', 'SHA512'])('we open: MAC %s', async (hash) => {
    await opens(exported('ed25519', '-macalg', hash), 'ed25519');
  });

  it('we open: more and fewer iterations, an attribute unknown to us', async () => {
    await opens(exported('ed25519', '-iter', '500000'), 'ed25519');
    await opens(exported('ed25519', '-noiter', '-nomaciter'), 'ed25519');
    const other = await opens(exported('ed25519', '-CSP', 'a provider', '-LMK'), 'ed25519');
    expect(other.keys[0]!.name).toBe(null);
  });

  it('we open: several certificates, and their names', async () => {
    openssl.shell('cat x25519.crt p256.crt > others.crt', {});
    const file = exported('ed25519', '-certfile', 'others.crt', '-caname', 'first', '-caname', 'second');
    const { keys, certificates } = await readPkcs12(file, PASSPHRASE);
    expect(certificates.map((item) => [item.name, hex(item.der)])).toEqual([
      [null, hex(der.ed25519)],
      ['first', hex(der.x25519)],
      ['second', hex(der.p256)],
    ]);
    const belonging = certificates.filter((item) => item.localKeyId !== null);
    expect(belonging.map((item) => item.localKeyId)).toEqual(keys.map((key) => key.localKeyId));
  });

  it('we open: a key alone, a certificate alone', async () => {
    const key = await readPkcs12(exported('x25519', '-nocerts'), PASSPHRASE);
    expect([key.keys.length, key.certificates.length]).toEqual([1, 0]);
    const certificate = await readPkcs12(exported('x25519', '-nokeys'), PASSPHRASE);
    expect([certificate.keys.length, certificate.certificates.length]).toEqual([0, 1]);
  });

  it('we refuse: no MAC', async () => {
    await expect(readPkcs12(exported('ed25519', '-nomac'), PASSPHRASE)).rejects.toThrow(
      'KEY_FILE: the PKCS#12 file has no MAC',
    );
  });

  it.each([
    ['-legacy'],
    ['-legacy', '-keypbe', 'PBE-SHA1-RC4-128', '-certpbe', 'NONE'],
    ['-certpbe', 'PBE-SHA1-3DES'],
    ['-keypbe', 'DES-EDE3-CBC'],
  ])('we refuse, with the remedy: %s %s %s', async (...options) => {
    await expect(readPkcs12(exported('ed25519', ...options), PASSPHRASE)).rejects.toThrow(
      /^KEY_ALGORITHM: legacy encryption \(RC2, RC4, DES or 3DES\); convert the file: openssl pkcs12 -legacy -in /,
    );
  });

  it.each(['SHA224', 'SHA3-256', 'MD5', 'SM3'])('we refuse: MAC %s', async (hash) => {
    expect(await refusalOf(() => readPkcs12(exported('ed25519', '-macalg', hash), PASSPHRASE))).toBe(
      'KEY_ALGORITHM',
    );
  });

  it.each(['ARIA-256-CBC', 'CAMELLIA-256-CBC'])('we refuse: %s', async (cipher) => {
    expect(await refusalOf(() => readPkcs12(exported('ed25519', '-keypbe', cipher), PASSPHRASE))).toBe(
      'KEY_ALGORITHM',
    );
  });
});
