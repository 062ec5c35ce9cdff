/**
 * Certification path validation against cases of NIST's PKITS (RFC 5280), and against single certificates, odd ones
 * among them, of pyca/cryptography.
 */

import 'reflect-metadata';
import { PemConverter } from '@peculiar/x509';
import { expect, test } from 'vitest';
import { PathError } from '../../examples/admin/path/error.ts';
import { WITHOUT_REVOCATION } from '../../examples/admin/path/revocation.ts';
import { type PathTerms, verifyPath } from '../../examples/admin/path/verify.ts';
import { describeCorpus, tally } from './corpora.ts';

interface Case {
  readonly section: string;
  readonly endEntity: string;
  readonly intermediates: readonly string[];
  readonly crls: readonly string[];
  readonly expect: 'valid' | 'invalid';
}

/** The code by which each invalid case must be refused, so that none is refused for a reason of its own. */
const CODES: Readonly<Record<string, string>> = {
  '4.1.2': 'PATH_SIGNATURE',
  '4.1.3': 'PATH_SIGNATURE',
  '4.2.1': 'PATH_TIME',
  '4.2.2': 'PATH_TIME',
  '4.2.5': 'PATH_TIME',
  '4.2.6': 'PATH_TIME',
  '4.2.7': 'PATH_TIME',
  '4.3.1': 'PATH_CHAIN',
  '4.4.2': 'PATH_REVOKED',
  '4.4.3': 'PATH_REVOKED',
  '4.6.1': 'PATH_AUTHORITY',
  '4.6.2': 'PATH_AUTHORITY',
  '4.6.5': 'PATH_LENGTH',
  '4.7.1': 'PATH_USAGE',
  '4.13.2': 'PATH_NAME',
  '4.16.2': 'PATH_EXTENSION',
};

async function outcome(path: readonly Uint8Array[], terms: PathTerms): Promise<string> {
  try {
    const { certificate } = await verifyPath(path, terms);
    expect(new Uint8Array(certificate.rawData)).toEqual(path[0]);
    return 'valid';
  } catch (error) {
    if (error instanceof PathError) return error.code;
    throw error;
  }
}

/** A copy with one bit of one byte the other way. */
function flip(bytes: Uint8Array, at: number): Uint8Array {
  const flipped = Uint8Array.from(bytes);
  flipped[at]! ^= 1 << (at % 8);
  return flipped;
}

describeCorpus('x509-pkcs12/pkits', (corpus) => {
  const index = corpus.json('index.json') as {
    trustAnchor: string;
    verifyAtUnixTime: number;
    cases: Case[];
  };
  const certificate = (name: string): Uint8Array => corpus.bytes(`certs/${name}`);
  const anchor = certificate(index.trustAnchor);
  const at = new Date(index.verifyAtUnixTime * 1000);
  const pathOf = ({ endEntity, intermediates }: Case): Uint8Array[] =>
    [...intermediates, endEntity].map(certificate).reverse();
  const termsOf = ({ crls }: Case): PathTerms => ({
    anchor,
    at,
    crls: crls.map((name) => corpus.bytes(`crls/${name}`)),
    purpose: 'any',
  });
  const valid = index.cases.filter((one) => one.expect === 'valid');

  test('has its 25 cases', () => {
    expect(tally(index.cases.map((one) => one.expect))).toEqual({ valid: 9, invalid: 16 });
    expect(new Set(index.cases.map(({ section }) => section)).size).toBe(25);
  });

  test.for(index.cases)('$section $endEntity: $expect', async (one) => {
    expect(await outcome(pathOf(one), termsOf(one))).toBe(
      one.expect === 'valid' ? 'valid' : CODES[one.section],
    );
  });

  test('without any one of its CRLs, no valid case is', async () => {
    for (const one of valid) {
      const terms = termsOf(one);
      const crls = terms.crls as readonly Uint8Array[];
      for (const left of crls.keys()) {
        const others = crls.filter((_, at) => at !== left);
        expect(await outcome(pathOf(one), { ...terms, crls: others })).toBe('PATH_CRL');
      }
    }
  });

  test('with a CRL whose signature is broken, no valid case is; a good one beside it is enough', async () => {
    for (const one of valid) {
      const terms = termsOf(one);
      const crls = terms.crls as readonly Uint8Array[];
      const broken = crls.map((crl) => flip(crl, crl.length - 1));
      expect(await outcome(pathOf(one), { ...terms, crls: broken })).toBe('PATH_CRL');
      expect(await outcome(pathOf(one), { ...terms, crls: [...broken, ...crls] })).toBe('valid');
    }
  });

  test('the same paths are judged otherwise at another time', async () => {
    for (const one of valid) {
      const terms = termsOf(one);
      for (const year of ['2009', '2031'])
        expect(await outcome(pathOf(one), { ...terms, at: new Date(year) })).toBe('PATH_TIME');
    }
  });

  test('in any other order a path is none', async () => {
    for (const one of valid.filter(({ intermediates }) => intermediates.length > 0)) {
      const path = pathOf(one).reverse();
      expect(await outcome(path, termsOf(one))).toBe('PATH_CHAIN');
    }
  });

  test('no byte of a certificate can be changed', async () => {
    const one = valid.find(({ section }) => section === '4.16.1')!;
    const [leaf, ...above] = pathOf(one);
    const terms = termsOf(one);
    const codes: string[] = [];
    for (const at of leaf!.keys()) {
      const flipped = flip(leaf!, at);
      codes.push(await outcome([flipped, ...above], terms));
    }
    expect(codes).not.toContain('valid');
    expect(codes).toHaveLength(leaf!.length);
  });
});

const SELF = null;
const ED25519_ROOT = 'ed25519/root-ed25519.pem';
const RAPID_SSL = 'misc/rapidssl_sha256_ca_g3.pem';

/** What each certificate comes to: the anchor (a file, or itself), the time, and the outcome. */
const SINGLE: Readonly<Record<string, readonly [string | null, string, string]>> = {
  'custom/all_key_usages.pem': [SELF, '2015-10', 'PATH_AUTHORITY'],
  'custom/bad_country.pem': [SELF, '2015-10', 'PATH_AUTHORITY'],
  'custom/basic_constraints_not_critical.pem': [SELF, '2015-10', 'PATH_AUTHORITY'],
  'custom/bc_path_length_zero.pem': [SELF, '2015-10', 'PATH_ALGORITHM'],
  'custom/ca.pem': [SELF, '2020', 'valid'],
  'custom/extended_key_usage.pem': [SELF, '2015-10', 'PATH_AUTHORITY'],
  'custom/invalid_signature_cert.pem': [SELF, '2017-09', 'PATH_AUTHORITY'],
  'custom/invalid_utf8_common_name.pem': [SELF, '2015-02', 'PATH_FORM'],
  'custom/invalid_version.pem': [SELF, '2015-10', 'PATH_FORM'],
  'custom/long-form-name-attribute.pem': [SELF, '2015-10', 'PATH_FORM'],
  'custom/nc_permitted_excluded.pem': [SELF, '2015-10', 'PATH_NAME'],
  'custom/negative_serial.pem': [SELF, '2016-08', 'PATH_CHAIN'],
  'custom/post2000utctime.pem': [SELF, '2014-12', 'PATH_ALGORITHM'],
  'custom/rsa_pss_cert.pem': [SELF, '2023', 'valid'],
  'custom/san_email_dns_ip_dirname_uri.pem': [SELF, '2015-10', 'PATH_AUTHORITY'],
  'custom/two_basic_constraints.pem': [SELF, '2015-10', 'PATH_EXTENSION'],
  'custom/unsupported_extension_critical.pem': [SELF, '2015-10', 'PATH_AUTHORITY'],
  'custom/valid_signature_cert.pem': [SELF, '2017-09', 'PATH_AUTHORITY'],
  'ed25519/ed25519-rfc8410.pem': [ED25519_ROOT, '2020', 'valid'],
  'ed25519/root-ed25519.pem': [ED25519_ROOT, '2020', 'valid'],
  'ed25519/server-ed25519-cert.pem': [ED25519_ROOT, '2020', 'PATH_CHAIN'],
  'misc/badasn1time.pem': [SELF, '2015-10', 'PATH_TIME'],
  'misc/cryptography.io.chain.pem': [RAPID_SSL, '2015-10', 'valid'],
  'misc/cryptography.io.old_header.pem': [RAPID_SSL, '2015-10', 'valid'],
  'misc/cryptography.io.pem': [RAPID_SSL, '2015-10', 'valid'],
  'misc/cryptography.io.with_garbage.pem': [RAPID_SSL, '2015-10', 'valid'],
  'misc/letsencryptx3.pem': [SELF, '2016-10', 'PATH_CHAIN'],
  'misc/rapidssl_sha256_ca_g3.pem': [SELF, '2015-10', 'PATH_CHAIN'],
  'misc/utf8-dnsname.pem': [SELF, '2017', 'PATH_AUTHORITY'],
  'misc/v1_cert.pem': [SELF, '1995-07', 'PATH_FORM'],
  'misc/wildcard_san.pem': [SELF, '2015-10', 'PATH_AUTHORITY'],
  'misc/wosign-bc-invalid.pem': [SELF, '2015-10', 'PATH_AUTHORITY'],
};

describeCorpus('x509-pkcs12/certs', (corpus) => {
  const first = (file: string): Uint8Array => {
    const sections = PemConverter.decodeWithHeaders(corpus.text(file));
    return new Uint8Array(sections.find(({ type }) => type.endsWith('CERTIFICATE'))!.rawData);
  };
  const termsOf = (anchor: Uint8Array, at: string): PathTerms => ({
    anchor,
    at: new Date(at),
    crls: WITHOUT_REVOCATION,
    purpose: 'any',
  });

  test('has its 32 files', () => {
    expect(corpus.files('')).toEqual(Object.keys(SINGLE));
    expect(corpus.files('')).toHaveLength(32);
  });

  test.for(Object.entries(SINGLE))('%s', async ([file, [anchor, at, expected]]) => {
    expect(await outcome([first(file)], termsOf(first(anchor ?? file), at))).toBe(expected);
  });

  test('no byte of the certificate of RFC 8410 can be changed', async () => {
    const genuine = first('ed25519/ed25519-rfc8410.pem');
    const terms = termsOf(first(ED25519_ROOT), '2020');
    const codes = [];
    for (const at of genuine.keys()) codes.push(await outcome([flip(genuine, at)], terms));
    expect(codes).toHaveLength(genuine.length);
    expect(codes).not.toContain('valid');
  });
});
