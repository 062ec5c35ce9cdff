/** Identities in PKCS#12 files, by the adapter and by the commands. */

import { createPrivateKey, createPublicKey } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  ED25519,
  ES256,
  KEM_MLKEM768_P256,
  KEM_P256,
  KEM_X25519,
  KEM_XWING,
  ML_DSA_44,
  ML_DSA_65_ED25519,
  signatureAlgorithm,
  systemRandom,
} from 'muniment/crypto';
import {
  createKeys,
  decodePkcs8Signer,
  encodePkcs8,
  importKeys,
  Secret,
  SoftwareSigner,
  verifySignature,
  type SoftwareKeys,
} from 'muniment/keys';
import { utf8 } from 'muniment/wire';
import { run } from '../../../examples/client/cli/program.ts';
import {
  identityFromPkcs12,
  identityToPkcs12,
  readPkcs12,
  writePkcs12,
  type Pkcs12Key,
} from '../../../examples/client/keystores/pkcs12.ts';
import { refusalOf } from '../../refusal.ts';
import { hex } from '../../vectors/hex.ts';
import { describeOpenSsl, itOpenSsl } from '../../openssl.ts';
import { OpenSsl } from './openssl.ts';
import * as hand from './pkcs12-by-hand.ts';

// In earnest elsewhere: pkcs12.openssl.test.ts.
vi.mock('../../../examples/client/keystores/pkcs12/effort.ts', () => ({
  ITERATIONS: 1000,
  MAC_ITERATIONS: 2000,
}));

const publicKeys = (keys: SoftwareKeys): string[] =>
  [keys.signer, keys.handshake, keys.sealing].map((key) => hex(key.publicKey));

const ALGORITHMS = [ED25519, ES256, ML_DSA_65_ED25519] as const;
const KEMS = [KEM_X25519, KEM_P256, KEM_XWING] as const;

describe('an identity', () => {
  it.each(ALGORITHMS.flatMap((algorithm) => KEMS.map((kem) => [algorithm, kem] as const)))(
    'survives: %s with KEM %i',
    async (algorithm, kem) => {
      const keys = createKeys({ algorithm, kem });
      const read = await identityFromPkcs12(await identityToPkcs12(keys, 'x'), 'x');
      expect(publicKeys(read)).toEqual(publicKeys(keys));
      expect([read.signer.algorithm, read.handshake.kem, read.sealing.kem]).toEqual([algorithm, kem, kem]);
      const message = utf8('signed after the journey');
      expect(verifySignature(keys.signer, message, await read.signer.sign(message))).toEqual(message);
    },
  );

  it('has its keys by the names of their purposes, and no certificate', async () => {
    const { keys, certificates } = await readPkcs12(await identityToPkcs12(createKeys(), 'x'), 'x');
    expect(certificates).toEqual([]);
    const names = ['signing', 'handshake', 'sealing'];
    expect(keys.map(({ name, localKeyId }) => [name, localKeyId])).toEqual(
      names.map((name) => [name, utf8(name)]),
    );
  });

  it('cannot hold a key that has no encoding', async () => {
    expect(await refusalOf(() => identityToPkcs12(createKeys({ kem: KEM_MLKEM768_P256 }), 'x'))).toBe(
      'KEY_ALGORITHM',
    );
  });

  it('is refused under another passphrase', async () => {
    const file = await identityToPkcs12(createKeys(), 'x');
    expect(await refusalOf(() => identityFromPkcs12(file, 'y'))).toBe('KEY_PASSPHRASE');
  });
});

describe('what is no identity is refused', () => {
  const { signer, handshake, sealing } = createKeys({ algorithm: ES256, kem: KEM_P256 });
  const named = (name: string | null, key: Parameters<typeof encodePkcs8>[0]): Pkcs12Key => ({
    name,
    localKeyId: null,
    pkcs8: encodePkcs8(key),
  });
  const good = [named('signing', signer), named('handshake', handshake), named('sealing', sealing)];
  const reading = async (keys: readonly Pkcs12Key[]) =>
    identityFromPkcs12(await writePkcs12({ keys, certificates: [] }, 'x'), 'x');
  const dsa = signatureAlgorithm(ML_DSA_44);
  const checkpoints = new SoftwareSigner(
    ML_DSA_44,
    new Secret('signing key', dsa.generateSecretKey(systemRandom)),
  );
  const ed25519 = createKeys({ kem: KEM_X25519 });

  it('and what is one is not, in any order, beside certificates', async () => {
    expect(publicKeys(await reading([...good].reverse()))).toEqual(
      publicKeys({ signer, handshake, sealing }),
    );
    const certificates = [{ name: null, localKeyId: null, der: hand.CERTIFICATE }];
    const file = await writePkcs12({ keys: good, certificates }, 'x');
    expect(publicKeys(await identityFromPkcs12(file, 'x'))).toEqual(
      publicKeys({ signer, handshake, sealing }),
    );
  });

  it.each([
    ['a key too few', good.slice(0, 2), 'KEY_FILE'],
    ['a key too many', [...good, named('other', ed25519.signer)], 'KEY_FILE'],
    ['a name twice', [good[0]!, good[1]!, named('handshake', sealing)], 'KEY_FILE'],
    ['a key without a name', [good[0]!, good[1]!, named(null, sealing)], 'KEY_FILE'],
    ['another name', [good[0]!, good[1]!, named('Sealing', sealing)], 'KEY_FILE'],
    ['one key for two purposes', [good[0]!, good[1]!, named('sealing', handshake)], 'KEY_FILE'],
    [
      'one key to sign and to open',
      [named('signing', decodePkcs8Signer(encodePkcs8(handshake))), good[1]!, good[2]!],
      'KEY_FILE',
    ],
    ['a signing key that opens', [good[0]!, named('handshake', ed25519.signer), good[2]!], 'KEY_ALGORITHM'],
    ['a KEM key that signs', [named('signing', ed25519.handshake), good[1]!, good[2]!], 'KEY_ALGORITHM'],
    ['a key for checkpoints', [named('signing', checkpoints), good[1]!, good[2]!], 'KEY_ALGORITHM'],
  ])('%s', async (_, keys, code) => {
    expect(await refusalOf(() => reading(keys))).toBe(code);
  });

  it('a key of another algorithm', async () => {
    const rsa = hand.sequence(
      hand.integer(0),
      hand.sequence(hand.oid('1.2.840.113549.1.1.1'), hand.nothing),
      hand.octets(hand.sequence()),
    );
    const keys = [{ ...good[0]!, pkcs8: new Secret('pkcs8', rsa) }, good[1]!, good[2]!];
    expect(await refusalOf(() => reading(keys))).toBe('KEY_ALGORITHM');
  });
});

describeOpenSsl('OpenSSL', () => {
  let openssl: OpenSsl;
  beforeAll(() => {
    openssl = new OpenSsl();
  });
  afterAll(() => {
    openssl.remove();
  });

  it.each([
    [ED25519, KEM_X25519],
    [ES256, KEM_P256],
  ] as const)('lists an identity: %s', async (algorithm, kem) => {
    const keys = createKeys({ algorithm, kem });
    openssl.write('identity.p12', await identityToPkcs12(keys, 'x'));
    const printed = openssl.run('pkcs12', '-in', 'identity.p12', '-passin', 'pass:x', '-noenc');
    const pems = printed.match(/-----BEGIN PRIVATE KEY-----[^-]*-----END PRIVATE KEY-----/g) ?? [];
    const found = pems.map((pem) => {
      const spki = createPublicKey(createPrivateKey(pem)).export({ format: 'der', type: 'spki' });
      return hex(spki.subarray(spki.length - keys.signer.publicKey.length));
    });
    expect(found).toEqual(publicKeys(keys));
    expect(printed.match(/friendlyName: .*/g)).toEqual(
      ['signing', 'handshake', 'sealing'].map((name) => `friendlyName: ${name}`),
    );
  });

  it('checks the MAC of one with X-Wing keys, and cannot list them', async () => {
    openssl.write('identity.p12', await identityToPkcs12(createKeys(), 'x'));
    const command = ['pkcs12', '-in', 'identity.p12', '-passin'];
    expect(openssl.run(...command, 'pass:x', '-noout')).toBe('');
    expect(() => openssl.run(...command, 'pass:y', '-noout')).toThrow(/invalid password/);
    expect(() => openssl.run(...command, 'pass:x', '-noenc')).toThrow(/unsupported|unknown/);
  });
});

describe('the commands', () => {
  let folder: string;
  const at = (name: string): string => path.join(folder, name);
  const WALLET = 'of the wallets';

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'muniment-pkcs12-'));
    writeFileSync(at('passphrase'), 'of the file\n');
    writeFileSync(at('wrong'), 'not of the file');
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  async function as(wallet: string, ...args: string[]): Promise<[status: number, err: string]> {
    let err = '';
    const env = { MUNIMENT_PASSPHRASE: WALLET };
    const print = { out: () => {}, err: (text: string) => (err += text), env };
    return [await run(['--wallet', at(wallet), ...args], print), err];
  }
  const keysOf = async (wallet: string) =>
    publicKeys(await importKeys(readFileSync(at(path.join(wallet, 'keys.json')), 'utf8'), WALLET));
  const passphraseFile = (name: string): string[] => ['--p12-passphrase-file', at(name)];

  it('move keys to another wallet', async () => {
    const asked = ['--subject', 'doctor-1', '--role', 'doctor', '--out', at('request')];
    expect(await as('old', 'request', ...asked)).toEqual([0, '']);
    expect(await as('old', 'export-keys', '--out', at('keys.p12'), ...passphraseFile('passphrase'))).toEqual([
      0,
      '',
    ]);
    expect(await as('new', 'import-keys', at('keys.p12'), ...passphraseFile('passphrase'))).toEqual([0, '']);
    expect(await keysOf('new')).toEqual(await keysOf('old'));
    const keys = await identityFromPkcs12(new Uint8Array(readFileSync(at('keys.p12'))), 'of the file');
    expect(publicKeys(keys)).toEqual(await keysOf('old'));
  });

  it("use the wallet's passphrase if there is no other", async () => {
    expect(await as('old', 'export-keys', '--out', at('same.p12'))).toEqual([0, '']);
    expect(await as('same', 'import-keys', at('same.p12'))).toEqual([0, '']);
    expect(await keysOf('same')).toEqual(await keysOf('old'));
  });

  it('replace nothing, and leave nothing behind when they fail', async () => {
    const there = 'is there already, and is left as it is\n';
    const [status, err] = await as('old', 'export-keys', '--out', at('keys.p12'));
    expect([status, err.endsWith(there)]).toEqual([1, true]);
    const [again, why] = await as('old', 'import-keys', at('keys.p12'));
    expect([again, why.endsWith(there)]).toEqual([1, true]);
    const wrong = await as('never', 'import-keys', at('keys.p12'), ...passphraseFile('wrong'));
    expect(wrong).toEqual([1, `muniment-client: the passphrase does not open ${at('keys.p12')}\n`]);
    expect(existsSync(at('never'))).toBe(false);
    expect((await as('never', 'export-keys', '--out', at('none.p12')))[0]).toBe(1);
    expect(existsSync(at('none.p12'))).toBe(false);
  });

  itOpenSsl('name the remedy for a legacy file', async () => {
    const openssl = new OpenSsl();
    openssl.run('genpkey', '-algorithm', 'ED25519', '-out', 'key.pem');
    const how = ['-nocerts', '-inkey', 'key.pem', '-legacy', '-passout', 'pass:x', '-out', 'old.p12'];
    openssl.run('pkcs12', '-export', ...how);
    writeFileSync(at('old.p12'), openssl.read('old.p12'));
    openssl.remove();
    writeFileSync(at('x'), 'x');
    const [status, err] = await as('never', 'import-keys', at('old.p12'), ...passphraseFile('x'));
    expect(status).toBe(1);
    expect(err).toMatch(
      /^muniment-client: KEY_ALGORITHM: legacy encryption .*: openssl pkcs12 -legacy .*\n$/,
    );
  });
});
