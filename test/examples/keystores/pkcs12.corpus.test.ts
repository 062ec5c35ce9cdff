/** PKCS#12 files of other programs: Windows, macOS, Firefox, OpenSSL, pyca and RustCrypto. */

import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';
import { exposeSecret } from 'muniment/keys';
import { readPkcs12, type Pkcs12Contents } from '../../../examples/client/keystores/pkcs12.ts';
import { REMEDY } from '../../../examples/client/keystores/pkcs12/oids.ts';
import { describeCorpus, tally } from '../../corpora/corpora.ts';
import { flipped } from '../../mutation.ts';
import { refusalOf } from '../../refusal.ts';
import { OpenSsl } from './openssl.ts';

interface Case {
  readonly file: string;
  readonly password: string;
  readonly mac: string | null;
  readonly macIterations: number | null;
  readonly legacyPbe: boolean;
  readonly certCount: number;
  readonly certSha256: readonly string[];
  readonly hasPrivateKey: boolean;
  readonly publicKeySpkiSha256: string | null;
  readonly friendlyNames: readonly string[];
}

/** Modern, and refused all the same. */
const NO_MAC = 'rustcrypto/example5.pfx';
const BLAKE2B_MAC = 'rustcrypto/example11.pfx';

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function publicKeySha256(contents: Pkcs12Contents): string | null {
  const [key, ...others] = contents.keys;
  expect(others).toEqual([]);
  if (key === undefined) return null;
  const pkcs8 = Buffer.from(exposeSecret(key.pkcs8));
  const publicKey = createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }));
  return sha256(publicKey.export({ format: 'der', type: 'spki' }));
}

/** Runs the commands of the remedy, with its passphrases given where a person is asked for them. */
function convert(old: Uint8Array, passphrase: string): Uint8Array {
  const openssl = new OpenSsl();
  try {
    openssl.write('OLD.p12', old);
    openssl.shell(REMEDY.replaceAll(' -in ', ' -passin "pass:$P" -passout "pass:$P" -in '), {
      P: passphrase,
    });
    return openssl.read('NEW.p12');
  } finally {
    openssl.remove();
  }
}

describeCorpus('x509-pkcs12', (corpus) => {
  let cases: readonly Case[];
  const bytes = ({ file }: Case): Uint8Array => corpus.bytes(`pkcs12/${file}`);
  const named = (file: string): Case => cases.find((item) => item.file === file)!;

  beforeAll(() => {
    cases = (corpus.json('pkcs12/index.json') as { files: readonly Case[] }).files;
  });
  const opened = (): readonly Case[] =>
    cases.filter(({ file, legacyPbe }) => !legacyPbe && file !== NO_MAC && file !== BLAKE2B_MAC);

  it('every file is in the index, and judged below', () => {
    const files = corpus.files('pkcs12').filter((file) => /\.(?:p12|pfx)$/.test(file));
    expect(files).toEqual(cases.map(({ file }) => `pkcs12/${file}`).sort());
    expect(tally(cases.map(({ legacyPbe }) => (legacyPbe ? 'legacy' : 'modern')))).toEqual({
      modern: 24,
      legacy: 14,
    });
    expect(opened().length).toBe(22);
  });

  it('22 modern files open, with the stated certificates and key', async () => {
    const count = { keys: 0, certificates: 0, names: 0 };
    for (const item of opened()) {
      const contents = await readPkcs12(bytes(item), item.password);
      expect(contents.certificates.map(({ der }) => sha256(der)).sort(), item.file).toEqual(
        [...item.certSha256].sort(),
      );
      expect(publicKeySha256(contents), item.file).toBe(item.publicKeySpkiSha256);
      expect(contents.keys.length, item.file).toBe(item.hasPrivateKey ? 1 : 0);
      const names = [...contents.certificates, ...contents.keys].flatMap(({ name }) => name ?? []);
      expect([...names].sort(), item.file).toEqual([...item.friendlyNames].sort());
      count.keys += contents.keys.length;
      count.certificates += contents.certificates.length;
      count.names += names.length;
    }
    expect(count).toEqual({ keys: 20, certificates: 27, names: 10 });
  });

  it('a wrong passphrase opens none of them', async () => {
    for (const item of opened())
      expect(await refusalOf(() => readPkcs12(bytes(item), `${item.password}x`)), item.file).toBe(
        'KEY_PASSPHRASE',
      );
  });

  it('nor does the right one, after one bit of the content was flipped', async () => {
    for (const item of opened()) {
      const whole = bytes(item);
      const middle = Math.floor(whole.length / 2);
      for (const at of item.macIterations! > 10_000 ? [middle] : [100, middle, whole.length - 100])
        expect(await refusalOf(() => readPkcs12(flipped(whole, at, 0x10), item.password)), item.file).toBe(
          'KEY_PASSPHRASE',
        );
    }
  });

  it('one file is altered in every bit, and never opens', async () => {
    const item = named('rustcrypto/example6.pfx');
    const whole = bytes(item);
    const codes: string[] = [];
    for (let at = 0; at < whole.length; at++)
      for (let bit = 0; bit < 8; bit++)
        codes.push(await refusalOf(() => readPkcs12(flipped(whole, at, 1 << bit), item.password)));
    expect([...new Set(codes)].sort()).toEqual(['KEY_ALGORITHM', 'KEY_FILE', 'KEY_PASSPHRASE']);
  });

  it('a file without a MAC is refused, before its passphrase is tried', async () => {
    const refused = readPkcs12(bytes(named(NO_MAC)), 'wrong');
    await expect(refused).rejects.toThrow('KEY_FILE: the PKCS#12 file has no MAC');
  });

  it('a BLAKE2b MAC is refused', async () => {
    const item = named(BLAKE2B_MAC);
    const refused = readPkcs12(bytes(item), item.password);
    await expect(refused).rejects.toThrow(
      'KEY_ALGORITHM: the PKCS#12 file uses an algorithm that is not read',
    );
  });

  it('14 legacy files are refused with the remedy, and for a wrong passphrase all the same', async () => {
    const legacy = cases.filter(({ legacyPbe }) => legacyPbe);
    for (const item of legacy) {
      await expect(readPkcs12(bytes(item), item.password), item.file).rejects.toThrow(
        /^KEY_ALGORITHM: legacy encryption .*: openssl pkcs12 -legacy /,
      );
      expect(await refusalOf(() => readPkcs12(bytes(item), `${item.password}x`))).toBe('KEY_PASSPHRASE');
    }
    expect(legacy.length).toBe(14);
  });

  it('the remedy turns those with key and certificate into files that open', async () => {
    const cured = cases.filter(
      ({ legacyPbe, ...item }) => legacyPbe && item.hasPrivateKey && item.certCount > 0,
    );
    for (const item of cured) {
      const contents = await readPkcs12(convert(bytes(item), item.password), item.password);
      expect(publicKeySha256(contents), item.file).toBe(item.publicKeySpkiSha256);
      expect(contents.certificates.map(({ der }) => sha256(der)).sort(), item.file).toEqual(
        [...item.certSha256].sort(),
      );
    }
    expect(cured.length).toBe(12);
  });
});
