/**
 * Keys in the field's encodings, against what other tools write and read: OpenSSL, `node:crypto`, WebCrypto, the
 * examples of the RFCs and drafts, and public corpora. The vectors hold every refusal; here is what they cannot say.
 */

import { execFileSync } from 'node:child_process';
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  verify,
  webcrypto,
} from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  ED25519,
  ES256,
  KEM_MLKEM768_P256,
  KEM_P256,
  KEM_X25519,
  KEM_XWING,
  ML_DSA_44,
  ML_DSA_65_ED25519,
  mlDsa44ExpandedKey,
  signatureAlgorithm,
  type KemId,
} from '../../src/crypto/index.ts';
import type { ErrorCode } from '../../src/errors.ts';
import {
  decodeJwkDecapsulator,
  decodeJwkSigner,
  decodePkcs8Decapsulator,
  decodePkcs8Signer,
  decodePrivatePem,
  decodePublicJwkKem,
  decodePublicJwkSigning,
  decodePublicPem,
  decodeSpkiKem,
  decodeSpkiSigning,
  encodeJwk,
  encodePkcs8,
  encodePrivatePem,
  encodePublicJwk,
  encodePublicPem,
  encodeSpki,
  exposeSecret,
  KEY_ENCODING_LIMIT,
  PEM_LIMIT,
  Secret,
  SoftwareDecapsulator,
  SoftwareSigner,
} from '../../src/keys/index.ts';
import { describeCorpus, tally } from '../corpora/corpora.ts';
import { changed, flipped } from '../mutation.ts';
import { describeOpenSsl } from '../openssl.ts';
import { refusal } from '../refusal.ts';
import { ALGORITHM, ecPrivateKey, ecPublicKey, oneAsymmetricKey, tlv } from '../tlv.ts';
import { seededRandom } from '../vectors/generators/seed.ts';
import { hex, unhex } from '../vectors/hex.ts';

const SIGNING = [ED25519, ES256, ML_DSA_44, ML_DSA_65_ED25519];
const KEMS = [KEM_X25519, KEM_P256, KEM_XWING];

/** The three key types that OpenSSL 3.0 and Node 20 know, and what each of them is here. */
const CLASSICAL = [
  { name: ED25519, genpkey: ['-algorithm', 'ed25519'], kem: null },
  { name: ES256, genpkey: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'], kem: null },
  { name: 'X25519', genpkey: ['-algorithm', 'x25519'], kem: KEM_X25519 },
  { name: 'P-256 KEM', genpkey: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'], kem: KEM_P256 },
] as const;

type SoftwareKey = SoftwareSigner | SoftwareDecapsulator;

describe('every algorithm', () => {
  const keys: SoftwareKey[] = [...SIGNING.map(signer), ...KEMS.map(decapsulator)];

  it.each(keys.map((key) => [nameOf(key), key] as const))('%s comes back as it went out', (_, key) => {
    const pkcs8 = encodePkcs8(key);
    expect(same(readPrivate(key, exposeSecret(pkcs8)), key)).toBe(true);
    expect(same(readPrivate(key, pkcs8), key)).toBe(true);
    expect(hex(exposeSecret(decodePrivatePem(encodePrivatePem(pkcs8))))).toBe(hex(exposeSecret(pkcs8)));
    const spki = encodeSpki(key);
    expect(readPublic(key, spki)).toEqual(publicOf(key));
    expect(hex(decodePublicPem(encodePublicPem(spki)))).toBe(hex(spki));
  });

  const withJwk = keys.filter((key) => !('kem' in key) || key.kem !== KEM_XWING);
  it.each(withJwk.map((key) => [nameOf(key), key] as const))('%s comes back from its JWK', (_, key) => {
    const jwk = encodeJwk(key);
    const read = 'kem' in key ? decodeJwkDecapsulator : decodeJwkSigner;
    expect(same(read(jwk), key)).toBe(true);
    expect(same(read(exposeSecret(jwk)), key)).toBe(true);
    const readPublicJwk = 'kem' in key ? decodePublicJwkKem : decodePublicJwkSigning;
    expect(readPublicJwk(encodePublicJwk(key))).toEqual(publicOf(key));
    // A private key is no public one, though every member of that is in it.
    expect(refusal(() => readPublicJwk(exposeSecret(jwk)))).toBe('KEY_FILE');
    expect(refusal(() => read(encodePublicJwk(key)))).toBe('KEY_FILE');
  });

  it.each(keys.map((key) => [nameOf(key), key] as const))(
    '%s has one encoding: no byte of its frame can be another',
    (_, key) => {
      const pkcs8 = exposeSecret(encodePkcs8(key));
      const secret = exposeSecret(key.secret);
      const start = indexOf(pkcs8, secret);
      const spki = encodeSpki(key);
      const frame = spki.length - key.publicKey.length;
      for (const value of [0x00, 0x01, 0x02, 0x04, 0x30, 0x31, 0x7f, 0x80, 0x81, 0x82, 0x83, 0xa0, 0xff]) {
        for (let at = 0; at < start; at++) {
          if (pkcs8[at] === value) continue;
          expect(['KEY_FILE', 'KEY_ALGORITHM']).toContain(
            refusal(() => readPrivate(key, changed(pkcs8, at, value))),
          );
        }
        for (let at = 0; at < frame; at++) {
          if (spki[at] === value) continue;
          expect(['KEY_FILE', 'KEY_ALGORITHM', 'KEY_PUBLIC']).toContain(
            refusal(() => readPublic(key, changed(spki, at, value))),
          );
        }
      }
      for (let length = 0; length < pkcs8.length; length++)
        expect(refusal(() => readPrivate(key, pkcs8.subarray(0, length)))).toBe('KEY_FILE');
      for (let length = 0; length < frame; length++)
        expect(refusal(() => readPublic(key, spki.subarray(0, length)))).toBe('KEY_FILE');
      for (const more of ['00', '0500', '3000']) {
        expect(refusal(() => readPrivate(key, unhex(hex(pkcs8) + more)))).toBe('KEY_FILE');
        expect(refusal(() => readPublic(key, unhex(hex(spki) + more)))).toBe('KEY_FILE');
      }
    },
  );

  it('is not taken for another', () => {
    for (const key of keys) {
      const other = 'kem' in key ? decodePkcs8Signer : decodePkcs8Decapsulator;
      const otherPublic = 'kem' in key ? decodeSpkiSigning : decodeSpkiKem;
      const isEc = nameOf(key) === ES256 || nameOf(key) === String(KEM_P256); // whose encoding does not tell
      if (isEc) expect(hex(other(encodePkcs8(key)).publicKey)).toBe(hex(key.publicKey));
      else expect(refusal(() => other(encodePkcs8(key)))).toBe('KEY_ALGORITHM');
      if (!isEc) expect(refusal(() => otherPublic(encodeSpki(key)))).toBe('KEY_ALGORITHM');
    }
  });
});

describe('algorithms without an encoding', () => {
  it('MLKEM768-P256 has none', () => {
    const key = decapsulator(KEM_MLKEM768_P256);
    expect(refusal(() => encodePkcs8(key))).toBe('KEY_ALGORITHM');
    expect(refusal(() => encodeSpki(key))).toBe('KEY_ALGORITHM');
    expect(refusal(() => encodeJwk(key))).toBe('KEY_ALGORITHM');
    expect(refusal(() => encodePublicJwk(key))).toBe('KEY_ALGORITHM');
  });

  it('X-Wing has no JWK', () => {
    const key = decapsulator(KEM_XWING);
    expect(refusal(() => encodeJwk(key))).toBe('KEY_ALGORITHM');
    expect(refusal(() => encodePublicJwk(key))).toBe('KEY_ALGORITHM');
    const members = { kty: 'AKP', alg: 'HPKE-11', pub: '', priv: '' };
    expect(refusal(() => decodeJwkDecapsulator(JSON.stringify(members)))).toBe('KEY_ALGORITHM');
  });

  it('nothing is written of what is no key', () => {
    expect(refusal(() => encodeSpki({ algorithm: 'RS256', publicKey: new Uint8Array(32) }))).toBe(
      'KEY_ALGORITHM',
    );
    expect(refusal(() => encodeSpki({ algorithm: ED25519, publicKey: new Uint8Array(31) }))).toBe(
      'KEY_PUBLIC',
    );
    expect(refusal(() => encodePublicJwk({ kem: KEM_P256, publicKey: new Uint8Array(65) }))).toBe(
      'KEY_PUBLIC',
    );
  });
});

describeOpenSsl('OpenSSL', () => {
  it.each(CLASSICAL)('reads our $name, and writes the very same bytes', ({ name, kem }) => {
    const key = kem === null ? signer(name) : decapsulator(kem);
    const pkcs8 = exposeSecret(encodePkcs8(key));
    const back = openssl(['pkcs8', '-topk8', '-nocrypt', '-inform', 'DER', '-outform', 'DER'], pkcs8);
    expect(hex(back)).toBe(hex(pkcs8));
    const spki = encodeSpki(key);
    expect(hex(openssl(['pkey', '-inform', 'DER', '-pubout', '-outform', 'DER'], pkcs8))).toBe(hex(spki));
    const pem = exposeSecret(encodePrivatePem(encodePkcs8(key)));
    expect(text(openssl(['pkey'], pem))).toBe(text(pem));
    expect(text(openssl(['pkey', '-pubout'], pem))).toBe(encodePublicPem(spki));
    expect(text(openssl(['pkey', '-pubin'], Buffer.from(encodePublicPem(spki))))).toBe(encodePublicPem(spki));
  });

  it.each(CLASSICAL)('writes a $name that we read, and that we write alike', ({ genpkey, kem }) => {
    for (let i = 0; i < 4; i++) {
      const pem = openssl(['genpkey', ...genpkey]);
      const pkcs8 = decodePrivatePem(pem);
      const key = kem === null ? decodePkcs8Signer(pkcs8) : decodePkcs8Decapsulator(pkcs8);
      expect(hex(exposeSecret(encodePkcs8(key)))).toBe(hex(exposeSecret(pkcs8)));
      const spki = decodePublicPem(openssl(['pkey', '-pubout'], pem));
      expect(readPublic(key, spki)).toEqual(publicOf(key));
    }
  });

  it('signs with our key what we verify, and agrees on whose it is', async () => {
    for (const algorithm of [ED25519, ES256]) {
      const key = signer(algorithm);
      const message = Buffer.from('a message');
      const node = createPublicKey({ key: Buffer.from(encodeSpki(key)), format: 'der', type: 'spki' });
      const digest = algorithm === ES256 ? 'sha256' : null;
      expect(verify(digest, message, { key: node, dsaEncoding: 'ieee-p1363' }, await key.sign(message))).toBe(
        true,
      );
    }
  });

  it('writes an EC key with its parameters inside, which is read', () => {
    const { pkcs8, secret, point } = ecParts();
    const curve = '06082a8648ce3d030107';
    const forms = {
      'as Java: neither': ecPrivateKey(secret),
      'with the curve': ecPrivateKey(secret, tlv('a0', curve)),
      'as Bouncy Castle: both': ecPrivateKey(secret, tlv('a0', curve), ecPublicKey(point)),
      'as we and OpenSSL write it': ecPrivateKey(secret, ecPublicKey(point)),
    };
    for (const form of Object.values(forms)) {
      const read = decodePkcs8Signer(unhex(oneAsymmetricKey(ALGORITHM.p256, form)));
      expect(hex(exposeSecret(encodePkcs8(read)))).toBe(hex(exposeSecret(pkcs8)));
      // OpenSSL and Node take each of them for the same key.
      const theirs = openssl(
        ['pkey', '-inform', 'DER', '-pubout', '-outform', 'DER'],
        unhex(oneAsymmetricKey(ALGORITHM.p256, form)),
      );
      expect(hex(theirs)).toBe(hex(encodeSpki(read)));
    }
  });

  it('writes other EC keys, which are refused', () => {
    const generate = (...options: string[]) =>
      decodePrivatePem(openssl(['genpkey', '-algorithm', 'EC', ...options.flatMap((o) => ['-pkeyopt', o])]));
    const cases: [Secret<'pkcs8'>, ErrorCode][] = [
      [generate('ec_paramgen_curve:P-384'), 'KEY_ALGORITHM'],
      [generate('ec_paramgen_curve:secp256k1'), 'KEY_ALGORITHM'],
      [generate('ec_paramgen_curve:P-256', 'ec_param_enc:explicit'), 'KEY_ALGORITHM'],
    ];
    for (const [pkcs8, code] of cases) expect(refusal(() => decodePkcs8Signer(pkcs8))).toBe(code);
    const pem = exposeSecret(encodePrivatePem(encodePkcs8(signer(ES256))));
    const compressed = openssl(['ec', '-pubout', '-conv_form', 'compressed', '-outform', 'DER'], pem);
    expect(refusal(() => decodeSpkiSigning(compressed))).toBe('KEY_PUBLIC');
    const sec1 = openssl(['ec'], pem); // "EC PRIVATE KEY"
    expect(refusal(() => decodePrivatePem(sec1))).toBe('KEY_FILE');
  });

  it('encrypts keys, which are refused without any derivation and with the remedy', () => {
    const pem = exposeSecret(encodePrivatePem(encodePkcs8(signer(ED25519))));
    const encrypt = ['pkcs8', '-topk8', '-v2', 'aes-256-cbc', '-passout', 'pass:x'];
    const remedy = /decrypt it first/;
    expect(() => decodePrivatePem(openssl(encrypt, pem))).toThrow(remedy);
    expect(() => decodePkcs8Signer(openssl([...encrypt, '-outform', 'DER'], pem))).toThrow(remedy);
    expect(refusal(() => decodePrivatePem(openssl(encrypt, pem)))).toBe('KEY_FILE');
    expect(refusal(() => decodePkcs8Signer(openssl([...encrypt, '-outform', 'DER'], pem)))).toBe('KEY_FILE');
  });
});

describe('node:crypto', () => {
  const types = {
    [ED25519]: () => generateKeyPairSync('ed25519'),
    [ES256]: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    X25519: () => generateKeyPairSync('x25519'),
    'P-256 KEM': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  };

  it.each(CLASSICAL)('and we read each other’s $name', ({ name, kem }) => {
    for (let i = 0; i < 20; i++) {
      const { privateKey, publicKey } = types[name]();
      const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' });
      const spki = publicKey.export({ format: 'der', type: 'spki' });
      const jwk = JSON.stringify(privateKey.export({ format: 'jwk' }));
      const publicJwk = JSON.stringify(publicKey.export({ format: 'jwk' }));
      const [fromPkcs8, fromJwk] =
        kem === null
          ? [decodePkcs8Signer(pkcs8), decodeJwkSigner(jwk)]
          : [decodePkcs8Decapsulator(pkcs8), decodeJwkDecapsulator(jwk)];
      expect(same(fromPkcs8, fromJwk)).toBe(true);
      expect(hex(exposeSecret(encodePkcs8(fromJwk)))).toBe(hex(pkcs8));
      expect(hex(encodeSpki(fromJwk))).toBe(hex(spki));
      const readPublicJwk = kem === null ? decodePublicJwkSigning : decodePublicJwkKem;
      expect(readPublicJwk(publicJwk)).toEqual(publicOf(fromPkcs8));
      const ours = JSON.parse(text(exposeSecret(encodeJwk(fromPkcs8))));
      expect(createPrivateKey({ key: ours, format: 'jwk' }).equals(privateKey)).toBe(true);
      const oursPublic = JSON.parse(encodePublicJwk(fromPkcs8));
      expect(createPublicKey({ key: oursPublic, format: 'jwk' }).equals(publicKey)).toBe(true);
    }
  });

  // From Node 24.7. Its PKCS#8 of a KeyObject holds seed and expanded key in 24, the seed alone in 26.
  it('and we read each other’s ML-DSA-44, where it has that', () => {
    const generate = generateKeyPairSync as unknown as (type: string) => ReturnType<(typeof types)['X25519']>;
    if (!(Number(process.versions.node.split('.')[0]) >= 24)) {
      expect(() => generate('ml-dsa-44')).toThrow();
      return;
    }
    const { privateKey, publicKey } = generate('ml-dsa-44');
    const key = decodePkcs8Signer(privateKey.export({ format: 'der', type: 'pkcs8' }));
    expect(hex(encodeSpki(key))).toBe(hex(publicKey.export({ format: 'der', type: 'spki' })));
    expect(same(decodeJwkSigner(JSON.stringify(privateKey.export({ format: 'jwk' }))), key)).toBe(true);
    const pkcs8 = Buffer.from(exposeSecret(encodePkcs8(key)));
    expect(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }).equals(privateKey)).toBe(true);
  });
});

describe('WebCrypto', () => {
  const algorithms = {
    [ED25519]: [{ name: 'Ed25519' }, ['sign', 'verify']],
    [ES256]: [{ name: 'ECDSA', namedCurve: 'P-256' }, ['sign', 'verify']],
    X25519: [{ name: 'X25519' }, ['deriveBits', 'deriveKey']],
    'P-256 KEM': [{ name: 'ECDH', namedCurve: 'P-256' }, ['deriveBits']],
  } as const;

  it.each(CLASSICAL)('and we read each other’s $name', async ({ name, kem }) => {
    const [algorithm, usages] = algorithms[name];
    const { subtle } = webcrypto;
    const pair = await subtle.generateKey(algorithm as { name: 'ECDH'; namedCurve: string }, true, usages);
    const jwk = JSON.stringify(await subtle.exportKey('jwk', pair.privateKey));
    const publicJwk = JSON.stringify(await subtle.exportKey('jwk', pair.publicKey));
    const pkcs8 = new Uint8Array(await subtle.exportKey('pkcs8', pair.privateKey));
    const [key, fromJwk] =
      kem === null
        ? [decodePkcs8Signer(pkcs8), decodeJwkSigner(jwk)]
        : [decodePkcs8Decapsulator(pkcs8), decodeJwkDecapsulator(jwk)];
    expect(same(key, fromJwk)).toBe(true);
    expect((kem === null ? decodePublicJwkSigning : decodePublicJwkKem)(publicJwk)).toEqual(publicOf(key));
    const privateUsages = usages.filter((usage) => usage !== 'verify');
    const ours = JSON.parse(text(exposeSecret(encodeJwk(key))));
    const imported = await subtle.importKey('jwk', ours, algorithm, true, privateUsages);
    expect(hex(new Uint8Array(await subtle.exportKey('pkcs8', imported)))).toBe(hex(pkcs8));
    const ownPkcs8 = exposeSecret(encodePkcs8(key));
    await subtle.importKey('pkcs8', ownPkcs8 as Uint8Array<ArrayBuffer>, algorithm, true, privateUsages);
    // What is exported for one purpose is not read for the other: `key_ops` says so.
    const other = kem === null ? decodeJwkDecapsulator : decodeJwkSigner;
    expect(refusal(() => other(jwk))).toBe('KEY_ALGORITHM');
  });
});

describe('the examples of the documents', () => {
  // RFC 8410 section 10.3, of which the second has an attribute and states its public key.
  const RFC8410 = [
    '302e020100300506032b657004220420d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842',
    '3072020101300506032b657004220420d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842' +
      'a01f301d060a2a864886f70d01090914310f0c0d437572646c6520436861697273' +
      '81210019bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1',
  ];

  it('Ed25519 of RFC 8410', () => {
    for (const pkcs8 of RFC8410) {
      const key = decodePkcs8Signer(unhex(pkcs8));
      expect(hex(key.publicKey)).toBe('19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1');
      expect(hex(exposeSecret(encodePkcs8(key)))).toBe(RFC8410[0]);
      // Section 10.1.
      expect(encodePublicPem(encodeSpki(key))).toContain(
        'MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=',
      );
    }
  });

  it('Ed25519 of RFC 8037, with its thumbprint', () => {
    const jwk = {
      kty: 'OKP',
      crv: 'Ed25519',
      d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
      x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    };
    const key = decodeJwkSigner(JSON.stringify(jwk));
    expect(JSON.parse(text(exposeSecret(encodeJwk(key))))).toEqual(jwk);
    expect(thumbprint(key)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  });

  it('ES256 of RFC 7515, appendix A.3', () => {
    const jwk = {
      kty: 'EC',
      crv: 'P-256',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
      d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
    };
    expect(JSON.parse(text(exposeSecret(encodeJwk(decodeJwkSigner(JSON.stringify(jwk))))))).toEqual(jwk);
    expect(() => decodePublicJwkSigning(JSON.stringify({ ...jwk, d: undefined, use: 'sig' }))).not.toThrow();
  });

  it('ML-DSA-44 of RFC 9881, appendix C: the seed, and the seed with its expanded key', () => {
    const seed = unhex(Array.from({ length: 32 }, (_, i) => i.toString(16).padStart(2, '0')).join(''));
    const key = new SoftwareSigner(ML_DSA_44, new Secret('signing key', seed));
    expect(sha256(exposeSecret(encodePkcs8(key)))).toBe(
      'c823cb6a31172daa8af670a22c0f049af972bf1cb39a4a95971aa8c0c659dff4',
    );
    expect(sha256(encodeSpki(key))).toBe('837832708c5236d951581f1fddf2b79991b3424a0486d16da1ddad0fd69701be');
    const expanded = mlDsa44ExpandedKey(exposeSecret(key.secret));
    const both = (part: Uint8Array) =>
      unhex(
        oneAsymmetricKey(
          ALGORITHM.mlDsa44,
          tlv('30', tlv('04', hex(exposeSecret(key.secret))), tlv('04', hex(part))),
        ),
      );
    expect(sha256(both(expanded))).toBe('e355e29f28e537fcf3aff28354016415146d7f801a57136c241bb6e9addfaa30');
    expect(same(decodePkcs8Signer(both(expanded)), key)).toBe(true);
    // Appendix C.4: a seed and the expanded key of another. And an expanded key alone has no seed to keep.
    for (const at of [0, 40, 100, 2559])
      expect(refusal(() => decodePkcs8Signer(both(flipped(expanded, at))))).toBe('KEY_FILE');
    expect(refusal(() => decodePkcs8Signer(both(expanded.subarray(1))))).toBe('KEY_FILE');
    const alone = unhex(oneAsymmetricKey(ALGORITHM.mlDsa44, tlv('04', hex(expanded))));
    expect(sha256(alone)).toBe('35cb529103b3a9ed502fecb438a671ff11bb05fb4afa99301d06240883a74106');
    expect(refusal(() => decodePkcs8Signer(alone))).toBe('KEY_FILE');
  });

  it('ML-DSA-44 of RFC 9964, with its thumbprint', () => {
    const key = new SoftwareSigner(ML_DSA_44, new Secret('signing key', new Uint8Array(32)));
    expect(thumbprint(key)).toBe('T4xl70S7MT6Zeq6r9V9fPJGVn76wfnXJ21-gyo0Gu6o');
  });

  it('the composite of draft-ietf-lamps-pq-composite-sigs', () => {
    const pkcs8 =
      '3051020100300a06082b060105050706300440' +
      '23a578205289555e65ddf567601cb4715fb593a7796a8f71d668c3bca876d937' +
      '60e9741f5fb8a68b3c490b93e4aa0e5d82206ef3b8e2242e1bcf4729f2e146aa';
    const key = decodePkcs8Signer(unhex(pkcs8));
    expect(key.algorithm).toBe(ML_DSA_65_ED25519);
    expect(hex(exposeSecret(encodePkcs8(key)))).toBe(pkcs8);
    expect(sha256(key.publicKey)).toBe('10775911b6c3c2dbf3c98485be51c5cc2c1b9ca5d2047a7faedab1d6cd573c27');
    expect(hex(encodeSpki(key)).startsWith('308207d1300a06082b06010505070630038207c100')).toBe(true);
  });

  it('the composite of draft-ietf-jose-pq-composite-sigs, with its thumbprint', () => {
    const key = new SoftwareSigner(ML_DSA_65_ED25519, new Secret('signing key', new Uint8Array(64)));
    expect(thumbprint(key)).toBe('87Vn3JTmvTdxvpetv0rA5GwfoLnCkMxBDCJvYgFVuh4');
  });
});

describe('limits come first', () => {
  const key = signer(ED25519);

  it('in DER', () => {
    const huge = new Uint8Array(KEY_ENCODING_LIMIT + 1);
    huge.set(unhex('30821ffd'));
    for (const read of [decodePkcs8Signer, decodePkcs8Decapsulator, decodeSpkiSigning, decodeSpkiKem])
      expect(refusal(() => read(huge))).toBe('KEY_FILE');
    // With attributes a lawful key can have any length: just too long is refused, just short enough is read.
    const padded = (length: number) => {
      const attribute = tlv('30', '060100', tlv('31', tlv('04', '00'.repeat(length))));
      return unhex(
        tlv(
          '30',
          '020100',
          tlv('30', ALGORITHM.ed25519),
          tlv('04', tlv('04', hex(exposeSecret(key.secret)))),
          tlv('a0', attribute),
        ),
      );
    };
    expect(padded(8123)).toHaveLength(KEY_ENCODING_LIMIT);
    expect(same(decodePkcs8Signer(padded(8123)), key)).toBe(true);
    expect(refusal(() => decodePkcs8Signer(padded(8124)))).toBe('KEY_FILE');
  });

  it('in JSON', () => {
    const jwk = text(exposeSecret(encodeJwk(key)));
    expect(same(decodeJwkSigner(jwk.padEnd(KEY_ENCODING_LIMIT)), key)).toBe(true);
    expect(refusal(() => decodeJwkSigner(jwk.padEnd(KEY_ENCODING_LIMIT + 1)))).toBe('KEY_FILE');
    expect(refusal(() => decodePublicJwkSigning('['.repeat(1000)))).toBe('KEY_FILE');
  });

  it('in PEM', () => {
    const long = Buffer.from(encodePublicPem(new Uint8Array(12_060)));
    expect(long.length).toBeLessThanOrEqual(PEM_LIMIT);
    expect(decodePublicPem(long)).toHaveLength(12_060);
    expect(refusal(() => decodePublicPem(encodePublicPem(new Uint8Array(12_120))))).toBe('KEY_FILE');
  });
});

describe('what is secret', () => {
  it('does not print', () => {
    const key = signer(ED25519);
    const pkcs8 = encodePkcs8(key);
    for (const secret of [pkcs8, encodePrivatePem(pkcs8), encodeJwk(key)])
      expect(JSON.stringify(secret)).toMatch(/^"\[secret: (pkcs8|pem|jwk)\]"$/);
  });

  it('is in no error', () => {
    const order = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551';
    const { point } = ecParts();
    const bad = [
      () => decodePkcs8Signer(unhex(oneAsymmetricKey(ALGORITHM.p256, ecPrivateKey(order)))),
      () => decodePkcs8Decapsulator(unhex(oneAsymmetricKey(ALGORITHM.p256, ecPrivateKey(order)))),
      () =>
        decodePkcs8Signer(unhex(oneAsymmetricKey(ALGORITHM.p256, ecPrivateKey(order, ecPublicKey(point))))),
      () => decodeJwkSigner(`{"kty":"EC","crv":"P-256","d":"${b64(order)}","x":"AA","y":"AA"}`),
      () => decodeJwkSigner(`{"kty":"OKP","crv":"Ed25519","d":"${b64(order)}=","x":"AA"}`),
      () => decodePrivatePem(`-----BEGIN PRIVATE KEY-----\n${b64(order)}\n-----END PRIVATE KEY-----\n`),
    ];
    for (const run of bad) {
      let printed = '';
      try {
        run();
      } catch (error) {
        for (let at: unknown = error; at instanceof Error; at = at.cause)
          printed += `${at.message} ${at.stack}`;
      }
      expect(printed).toContain('KEY_FILE');
      for (const spelling of [order, b64(order), BigInt(`0x${order}`).toString()])
        expect(printed).not.toContain(spelling);
    }
  });
});

describe('PEM', () => {
  const pem = encodePublicPem(encodeSpki(signer(ED25519)));

  it('may have other line ends, and no last one', () => {
    expect(hex(decodePublicPem(pem.replaceAll('\n', '\r\n')))).toBe(hex(decodePublicPem(pem)));
    expect(hex(decodePublicPem(pem.trimEnd()))).toBe(hex(decodePublicPem(pem)));
    expect(hex(decodePublicPem(Buffer.from(pem)))).toBe(hex(decodePublicPem(pem)));
  });

  it.each([
    ['nothing', ''],
    ['a byte order mark', `\ufeff${pem}`],
    ['text before', `key:\n${pem}`],
    ['text after', `${pem}key\n`],
    ['two keys', pem + pem],
    ['another label', pem.replaceAll('PUBLIC', 'PRIVATE')],
    ['two labels', pem.replace('END PUBLIC', 'END PRIVATE')],
    ['no end', pem.replace(/-----END.*/s, '')],
    ['a line of 63', pem.replace(/^(.{20,63}?)(.*)$/m, '$1\n$2')],
    ['an empty line', pem.replace('\n', '\n\n')],
    ['a space', pem.replace('\n', ' \n')],
    ['a header', pem.replace('\n', '\nComment: x\n\n')],
    ['base64url', pem.replace(/[+/]|(?<=\n.*)A/, '_')],
    ['no padding', pem.replace('=', '')],
    ['a lone carriage return', pem.replaceAll('\n', '\r')],
  ])('%s is refused', (_, bad) => {
    expect(bad).not.toBe(pem);
    expect(refusal(() => decodePublicPem(bad))).toBe('KEY_FILE');
  });

  it('is refused where it is not UTF-8', () => {
    expect(refusal(() => decodePublicPem(Uint8Array.of(0xff)))).toBe('KEY_FILE');
  });
});

describeCorpus('x509-pkcs12', (corpus) => {
  interface Entry {
    readonly file: string;
    readonly encryption: string;
    readonly publicKeySpkiSha256?: string;
  }
  const { files } = corpus.json('pkcs8/index.json') as { files: Entry[] };

  it('unencrypted keys are read, and encrypted, foreign and broken ones refused', () => {
    const outcomes = files.map(({ file, encryption, publicKeySpkiSha256 }) => {
      const bytes = corpus.bytes(`pkcs8/${file}`);
      const isPublic = file.includes('-pub.');
      const der = () => {
        if (!file.endsWith('.pem')) return bytes;
        return isPublic ? decodePublicPem(bytes) : exposeSecret(decodePrivatePem(bytes));
      };
      const isKem = file.includes('x25519');
      const run = () => {
        if (isPublic) return isKem ? decodeSpkiKem(der()) : decodeSpkiSigning(der());
        return isKem ? decodePkcs8Decapsulator(der()) : decodePkcs8Signer(der());
      };
      const sort = encryption.startsWith('not encrypted') ? 'plain' : 'encrypted';
      try {
        const key = run();
        if (publicKeySpkiSha256 !== undefined) expect(sha256(encodeSpki(key))).toBe(publicKeySpkiSha256);
        return `${sort}: read`;
      } catch {
        return `${sort}: ${refusal(run)}`;
      }
    });
    // The plain one that is refused is an RSA key with a dump of its ASN.1 above the PEM.
    expect(tally(outcomes)).toEqual({ 'plain: read': 13, 'plain: KEY_FILE': 1, 'encrypted: KEY_FILE': 19 });
  });

  it('the RSA key without the dump above it is of no algorithm here', () => {
    const [pem] = /-----BEGIN.*/s.exec(corpus.text('pkcs8/pyca/unenc-rsa-pkcs8.pem')) ?? [''];
    expect(refusal(() => decodePkcs8Signer(decodePrivatePem(pem)))).toBe('KEY_ALGORITHM');
  });

  it('so is a key whose encryption nobody knows', () => {
    expect(refusal(() => decodePrivatePem(corpus.bytes('pkcs8/pyca/bad-encryption-oid.pem')))).toBe(
      'KEY_FILE',
    );
  });
});

describeCorpus('hpke', (corpus) => {
  it('the X-Wing pair of the draft', () => {
    const key = decodePkcs8Decapsulator(decodePrivatePem(corpus.text('xwing-example-private.pem')));
    expect(key.kem).toBe(KEM_XWING);
    expect(text(exposeSecret(encodePrivatePem(encodePkcs8(key))))).toBe(
      corpus.text('xwing-example-private.pem'),
    );
    expect(encodePublicPem(encodeSpki(key))).toBe(corpus.text('xwing-example-public.pem'));
    expect(decodeSpkiKem(decodePublicPem(corpus.text('xwing-example-public.pem')))).toEqual(publicOf(key));
  });
});

function signer(algorithm: string): SoftwareSigner {
  const random = seededRandom(`formats ${algorithm}`);
  return new SoftwareSigner(
    algorithm,
    new Secret('signing key', signatureAlgorithm(algorithm).generateSecretKey(random)),
  );
}

function decapsulator(kem: KemId): SoftwareDecapsulator {
  return SoftwareDecapsulator.generate(kem, seededRandom(`formats ${kem}`));
}

function nameOf(key: SoftwareKey): string {
  return 'kem' in key ? String(key.kem) : key.algorithm;
}

function publicOf(key: SoftwareKey) {
  const { publicKey } = key;
  return 'kem' in key ? { kem: key.kem, publicKey } : { algorithm: key.algorithm, publicKey };
}

function readPrivate(like: SoftwareKey, pkcs8: Uint8Array | Secret<'pkcs8'>): SoftwareKey {
  return 'kem' in like ? decodePkcs8Decapsulator(pkcs8) : decodePkcs8Signer(pkcs8);
}

function readPublic(like: SoftwareKey, spki: Uint8Array) {
  return 'kem' in like ? decodeSpkiKem(spki) : decodeSpkiSigning(spki);
}

function same(a: SoftwareKey, b: SoftwareKey): boolean {
  return nameOf(a) === nameOf(b) && hex(exposeSecret(a.secret)) === hex(exposeSecret(b.secret));
}

function thumbprint(key: SoftwareKey): string {
  return createHash('sha256').update(encodePublicJwk(key)).digest('base64url');
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function openssl(args: readonly string[], input?: Uint8Array): Uint8Array {
  return new Uint8Array(execFileSync('openssl', args, { input, stdio: ['pipe', 'pipe', 'pipe'] }));
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

function b64(hexadecimal: string): string {
  return Buffer.from(hexadecimal, 'hex').toString('base64url');
}

function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  return Buffer.from(bytes).indexOf(part);
}

/** The parts of a P-256 key, and the key as it is written here. */
function ecParts(): { pkcs8: Secret<'pkcs8'>; secret: string; point: string } {
  const key = signer(ES256);
  return { pkcs8: encodePkcs8(key), secret: hex(exposeSecret(key.secret)), point: hex(key.publicKey) };
}
