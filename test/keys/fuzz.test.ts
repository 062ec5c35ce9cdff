/**
 * Every decoder of a key, a credential and a key file over mutated inputs, 100,000 each in the slow suite: errors of
 * the library's own under the codes that are documented, bounded time and memory, and no key derivation but for a key
 * file that is well-formed and asks for no more work than it may.
 */

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  ED25519,
  forceBackend,
  KEM_X25519,
  KEM_XWING,
  ML_DSA_65_ED25519,
  sealOnce,
} from '../../src/crypto/index.ts';
import { MunimentError, type ErrorCode } from '../../src/errors.ts';
import {
  answerChallenge,
  challengePossession,
  createAnchor,
  createKeys,
  createRoot,
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
  encodePrivatePem,
  encodePublicJwk,
  encodePublicPem,
  encodeSpki,
  enrol,
  exportKeys,
  exposeSecret,
  importKeys,
  openGroup,
  openRoot,
  publishCompartments,
  publishGroup,
  publishNextEpoch,
  readAnchor,
  readCredentialRequest,
  readUnverifiedCredential,
  requestCredential,
  signStatement,
  verifyCompartments,
  verifyCredential,
  verifyGroup,
  verifyStatement,
  type Identity,
} from '../../src/keys/index.ts';
import { fromUtf8, toBase64url, tuple, TupleReader } from '../../src/wire/index.ts';
import { fuzz, FUZZ_TIMEOUT, mutants, textMutants } from '../fuzz.ts';
import { refusal, refusalOf } from '../refusal.ts';
import { readVectors } from '../vectors/file.ts';
import type { EncodingsCase } from '../vectors/generators/encodings.ts';
import { seededRandom } from '../vectors/generators/seed.ts';
import { hex, unhex } from '../vectors/hex.ts';

interface Derivation {
  readonly salt: Uint8Array;
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

const { derivations, STRETCHED } = vi.hoisted(() => ({
  derivations: [] as Derivation[],
  STRETCHED: new Uint8Array(32).fill(7),
}));

// Every derivation that the portable backend starts is written down, and takes no time.
vi.mock('@noble/hashes/scrypt.js', () => ({
  scryptAsync: (_: Uint8Array, salt: Uint8Array, options: Omit<Derivation, 'salt'>) => {
    derivations.push({ salt, ...options });
    return Promise.resolve(new Uint8Array(STRETCHED));
  },
}));

const FUZZ = { timeout: FUZZ_TIMEOUT };
const NOW = 1_750_000_000_000;
const VALIDITY = { notBefore: 1_700_000_000_000, notAfter: 1_800_000_000_000 };
const options = (label: string) => ({ kem: KEM_X25519, random: seededRandom(`fuzz ${label}`) }) as const;

let hospital: Identity;
let doctor: Identity;
let patient: Identity;
let postQuantum: Identity;

beforeAll(async () => {
  const anchor = { subject: 'Hospital', roles: ['administrator', 'keeper:emergency'], ...VALIDITY };
  hospital = await createAnchor(anchor, options('hospital'));
  doctor = await enrol(hospital, { subject: 'Dr. Ruiz', roles: ['doctor'], ...VALIDITY }, options('doctor'));
  patient = await enrol(hospital, { subject: 'Núria', roles: ['patient'], ...VALIDITY }, options('patient'));
  postQuantum = await enrol(
    hospital,
    { subject: 'Pol', roles: ['patient', 'doctor'], ...VALIDITY },
    { kem: KEM_XWING, algorithm: ML_DSA_65_ED25519, random: seededRandom('fuzz post-quantum') },
  );
});

describe('keys in the field’s encodings', () => {
  const { privates, publics } = samples();

  afterAll(() => expect(derivations).toEqual([]));

  const readers = [
    ['decodePkcs8Signer', decodePkcs8Signer],
    ['decodePkcs8Decapsulator', decodePkcs8Decapsulator],
  ] as const;
  it.each(readers)('%s', FUZZ, async (_, decode) => {
    const tally = await fuzz(mutants(privates.pkcs8), ['KEY_FILE', 'KEY_ALGORITHM'], (pkcs8) => {
      const key = decode(pkcs8);
      // Whatever its form was, it is now a key, and its secret stands in the input.
      expect(hex(pkcs8)).toContain(hex(exposeSecret(key.secret)));
    });
    expect(Object.keys(tally).sort()).toEqual(['KEY_ALGORITHM', 'KEY_FILE', 'ok']);
  });

  const publicReaders = [
    ['decodeSpkiSigning', decodeSpkiSigning],
    ['decodeSpkiKem', decodeSpkiKem],
  ] as const;
  it.each(publicReaders)('%s', FUZZ, async (_, decode) => {
    const codes: ErrorCode[] = ['KEY_ALGORITHM', 'KEY_FILE', 'KEY_PUBLIC'];
    const tally = await fuzz(mutants(publics.spki), codes, (spki) => {
      expect(hex(encodeSpki(decode(spki)))).toBe(hex(spki));
    });
    expect(Object.keys(tally).sort()).toEqual([...codes, 'ok']);
  });

  const jwkReaders = [
    ['decodeJwkSigner', (jwk: string) => encodeJwk(decodeJwkSigner(jwk))],
    ['decodeJwkDecapsulator', (jwk: string) => encodeJwk(decodeJwkDecapsulator(jwk))],
  ] as const;
  it.each(jwkReaders)('%s', FUZZ, async (_, rewrite) => {
    const tally = await fuzz(textMutants(privates.jwk, JSON_PIECES), ['KEY_FILE', 'KEY_ALGORITHM'], (jwk) => {
      const written = fromUtf8(exposeSecret(rewrite(jwk)));
      expect(JSON.parse(jwk)).toMatchObject(JSON.parse(written));
    });
    expect(Object.keys(tally).sort()).toEqual(['KEY_ALGORITHM', 'KEY_FILE', 'ok']);
  });

  const publicJwkReaders = [
    ['decodePublicJwkSigning', (jwk: string) => encodePublicJwk(decodePublicJwkSigning(jwk))],
    ['decodePublicJwkKem', (jwk: string) => encodePublicJwk(decodePublicJwkKem(jwk))],
  ] as const;
  it.each(publicJwkReaders)('%s', FUZZ, async (_, rewrite) => {
    const codes: ErrorCode[] = ['KEY_ALGORITHM', 'KEY_FILE', 'KEY_PUBLIC'];
    const tally = await fuzz(textMutants(publics.jwk, JSON_PIECES), codes, (jwk) => {
      const written = rewrite(jwk);
      expect(JSON.parse(jwk)).toMatchObject(JSON.parse(written));
    });
    expect(Object.keys(tally).sort()).toEqual([...codes, 'ok']);
  });

  const pemReaders = [
    [
      'decodePrivatePem',
      privates.pem,
      (pem: string) => fromUtf8(exposeSecret(encodePrivatePem(decodePrivatePem(pem)))),
    ],
    ['decodePublicPem', publics.pem, (pem: string) => encodePublicPem(decodePublicPem(pem))],
  ] as const;
  it.each(pemReaders)('%s', FUZZ, async (_, texts, rewrite) => {
    const tally = await fuzz(textMutants(texts, PEM_PIECES), ['KEY_FILE'], (pem) => {
      expect(rewrite(pem).trimEnd()).toBe(pem.replaceAll('\r\n', '\n').trimEnd());
    });
    expect(Object.keys(tally).sort()).toEqual(['KEY_FILE', 'ok']);
  });
});

describe('credentials, requests and statements', () => {
  afterAll(() => expect(derivations).toEqual([]));

  it('a credential as it travels', FUZZ, async () => {
    const inputs = mutants([hospital, doctor, postQuantum].map(({ credential }) => credential.encoded));
    await fuzz(inputs, ['KEY_CREDENTIAL'], (encoded) => {
      // Each of them in turn, even where one before it refuses.
      expect(['ok', 'KEY_CREDENTIAL']).toContain(outcome(() => readUnverifiedCredential(encoded)));
      expect(['ok', 'KEY_CREDENTIAL']).toContain(outcome(() => readAnchor(encoded, hospital.credential.id)));
      verifyCredential(encoded, hospital.credential, NOW);
    });
  });

  it('a credential that its issuer signed, whatever it says', FUZZ, async () => {
    const bodies = [doctor, postQuantum].map(({ credential }) =>
      bodyOf(credential.encoded, 'signed credential'),
    );
    const tally = await fuzz(mutants(bodies), ['KEY_CREDENTIAL'], async (body) => {
      const signature = await hospital.signer.sign(tuple('credential signature', body));
      verifyCredential(tuple('signed credential', body, signature), hospital.credential, NOW);
    });
    expect(tally['ok']).toBeGreaterThan(0);
  });

  it('a request for a credential', FUZZ, async () => {
    const claim = { subject: 'Dr. Ruiz', roles: ['doctor', 'speciality:cardiology'] };
    const requests = [await requestCredential(doctor, claim), await requestCredential(postQuantum, claim)];
    await fuzz(mutants(requests), ['KEY_POSSESSION'], readCredentialRequest);
  });

  it('a request that its key signed, whatever it says', FUZZ, async () => {
    const request = await requestCredential(doctor, { subject: 'Dr. Ruiz', roles: ['doctor'] });
    const inputs = mutants([bodyOf(request, 'signed credential request')]);
    const tally = await fuzz(inputs, ['KEY_POSSESSION'], async (body) => {
      const signature = await doctor.signer.sign(tuple('credential request signature', body));
      readCredentialRequest(tuple('signed credential request', body, signature));
    });
    expect(tally['ok']).toBeGreaterThan(0);
  });

  it('a challenge', FUZZ, async () => {
    const request = await requestCredential(doctor, { subject: 'Dr. Ruiz', roles: ['doctor'] });
    const { challenge } = challengePossession(request, hospital.credential);
    await fuzz(mutants([challenge]), ['KEY_POSSESSION'], (mutant) =>
      answerChallenge(doctor, request, mutant, hospital.credential),
    );
  });

  it('a statement', FUZZ, async () => {
    const signed = await signStatement(doctor, tuple('example', 'text', 1));
    await fuzz(mutants([signed]), ['KEY_SIGNATURE', 'WIRE_TUPLE'], (mutant) =>
      verifyStatement(mutant, doctor.credential),
    );
  });

  it('a list of compartments that its owner signed, whatever it says', FUZZ, async () => {
    const record = { recordId: new Uint8Array(16), names: ['treatments', 'lab'] };
    const lists = [
      await publishCompartments(patient, createRoot(), record),
      await publishCompartments(patient, createRoot(), { ...record, names: [] }),
    ];
    const inputs = mutants(lists.map((signed) => verifyStatement(signed, patient.credential)));
    const codes: ErrorCode[] = ['KEY_ALGORITHM', 'KEY_OPEN', 'WIRE_LIMIT', 'WIRE_TUPLE', 'WIRE_UTF8'];
    const tally = await fuzz(inputs, codes, async (body) => {
      const signed = await signStatement(patient, body);
      const compartments = verifyCompartments(signed, patient.credential);
      await openRoot(patient, compartments);
    });
    expect(tally).toHaveProperty('WIRE_TUPLE');
    expect(tally).toHaveProperty('KEY_OPEN');
  });

  it('an epoch of a group that its keeper signed, whatever it says', FUZZ, async () => {
    const group = { name: 'emergency', kem: KEM_X25519 };
    const members = [doctor.credential, patient.credential];
    const signed = await publishGroup(hospital, { ...group, members });
    const first = verifyGroup(signed, hospital.credential);
    const history = await openGroup(doctor, first);
    const change = {
      kem: KEM_X25519,
      staying: members,
      joining: [],
      leaving: [],
      history: history!,
    } as const;
    const next = await publishNextEpoch(hospital, first, change);
    const inputs = mutants([signed, next].map((one) => verifyStatement(one, hospital.credential)));
    const codes: ErrorCode[] = [
      'KEY_ALGORITHM',
      'KEY_CREDENTIAL',
      'KEY_OPEN',
      'WIRE_LIMIT',
      'WIRE_TUPLE',
      'WIRE_UTF8',
    ];
    const tally = await fuzz(inputs, codes, async (body) => {
      const epoch = verifyGroup(await signStatement(hospital, body), hospital.credential);
      await openGroup(doctor, epoch);
    });
    expect(tally).toHaveProperty('WIRE_TUPLE');
    expect(tally).toHaveProperty('KEY_OPEN');
  });
});

describe('key files', () => {
  const passphrase = 'correct horse battery staple';
  const files: string[] = [];

  beforeAll(async () => {
    forceBackend('portable'); // so that scrypt is the one above
    files.push(
      await exportKeys(createKeys(options('file')), passphrase),
      await exportKeys(createKeys({ algorithm: ML_DSA_65_ED25519 }), passphrase),
    );
  });

  afterAll(() => forceBackend(null));

  it(
    'whose text is mutated: nothing is derived for one that is malformed or asks for too much',
    FUZZ,
    async () => {
      const tally = await fuzz(
        textMutants(files, JSON_PIECES),
        ['KEY_FILE', 'KEY_PASSPHRASE'],
        async (file) => {
          derivations.length = 0;
          const outcome = await importKeys(file, passphrase).then(
            () => 'ok',
            (error: unknown) => (error instanceof MunimentError ? error.code : 'untyped'),
          );
          expect(derivations).toHaveLength(outcome === 'KEY_FILE' ? 0 : 1);
          for (const { salt, N, r, p } of derivations) {
            // What was derived is what the file says, by another parser's account, and within bounds.
            const stated = JSON.parse(file);
            expect(Object.keys(stated).sort()).toEqual(['format', 'n', 'p', 'r', 'salt', 'sealed']);
            expect({ n: N, r, p, salt: toBase64url(salt) }).toEqual({
              n: stated.n,
              r: stated.r,
              p: stated.p,
              salt: stated.salt,
            });
            expect(salt).toHaveLength(32);
            expect([14, 15, 16, 17, 18, 19, 20]).toContain(Math.log2(N));
            expect([r, p]).toEqual([8, 1]);
          }
          if (outcome !== 'ok') throw new MunimentError(outcome as ErrorCode);
        },
      );
      expect(Object.keys(tally).sort()).toEqual(['KEY_FILE', 'KEY_PASSPHRASE', 'ok']);
    },
  );

  it('whose cost is anything', FUZZ, async () => {
    const [file = ''] = files;
    for (const name of ['n', 'r', 'p']) {
      for (const value of [
        '0',
        '-1',
        '1',
        '1e999',
        '4294967296',
        '2097152',
        '16777216',
        '32768.5',
        'null',
        '"8"',
        '1e5',
      ]) {
        derivations.length = 0;
        const changed = file.replace(new RegExp(`"${name}":\\d+`), `"${name}":${value}`);
        const isItself = name === 'p' && value === '1';
        if (isItself) await importKeys(changed, passphrase);
        else expect(await refusalOf(() => importKeys(changed, passphrase))).toBe('KEY_FILE');
        expect(derivations).toHaveLength(isItself ? 1 : 0);
      }
    }
  });

  it('whose content is mutated, under the right passphrase', FUZZ, async () => {
    const keys = createKeys(options('content'));
    const content = tuple(
      'key file',
      ED25519,
      exposeSecret(keys.signer.secret),
      keys.handshake.kem,
      exposeSecret(keys.handshake.secret),
      keys.sealing.kem,
      exposeSecret(keys.sealing.secret),
    );
    const salt = new Uint8Array(32);
    const cost = { n: 2 ** 14, r: 8, p: 1 };
    const context = tuple('key file context', cost.n, cost.r, cost.p, salt);
    const tally = await fuzz(mutants([content]), ['KEY_FILE'], async (mutant) => {
      const sealed = toBase64url(sealOnce(STRETCHED, context, mutant));
      const members = { format: 'muniment key file 2', ...cost, salt: toBase64url(salt), sealed };
      await importKeys(JSON.stringify(members), passphrase);
    });
    expect(tally['ok']).toBeGreaterThan(0);
  });
});

describe('limits come first', () => {
  const huge = new Uint8Array(64 * 1024 * 1024).fill(0x30);
  const long = '['.repeat(64 * 1024 * 1024);

  it('and nothing of an input beyond them is looked at', async () => {
    const request = await requestCredential(doctor, { subject: 'Dr. Ruiz', roles: ['doctor'] });
    const reads: [ErrorCode, () => unknown][] = [
      ['KEY_FILE', () => decodePkcs8Signer(huge)],
      ['KEY_FILE', () => decodePkcs8Decapsulator(huge)],
      ['KEY_FILE', () => decodeSpkiSigning(huge)],
      ['KEY_FILE', () => decodeSpkiKem(huge)],
      ['KEY_FILE', () => decodeJwkSigner(long)],
      ['KEY_FILE', () => decodeJwkDecapsulator(huge)],
      ['KEY_FILE', () => decodePublicJwkSigning(long)],
      ['KEY_FILE', () => decodePublicJwkKem(long)],
      ['KEY_FILE', () => decodePrivatePem(long)],
      ['KEY_FILE', () => decodePublicPem(huge)],
      ['KEY_CREDENTIAL', () => readUnverifiedCredential(huge)],
      ['KEY_CREDENTIAL', () => verifyCredential(huge, hospital.credential, NOW)],
      ['KEY_CREDENTIAL', () => readAnchor(huge, hospital.credential.id)],
      ['KEY_POSSESSION', () => readCredentialRequest(huge)],
      ['WIRE_LIMIT', () => verifyStatement(huge, hospital.credential)],
      ['WIRE_LIMIT', () => verifyCompartments(huge, hospital.credential)],
      ['WIRE_LIMIT', () => verifyGroup(huge, hospital.credential)],
    ];
    const start = process.cpuUsage();
    for (const [code, read] of reads) expect(refusal(read)).toBe(code);
    const answer = () => answerChallenge(doctor, request, huge, hospital.credential);
    expect(await refusalOf(answer)).toBe('KEY_POSSESSION');
    expect(await refusalOf(() => importKeys(long, ''))).toBe('KEY_FILE');
    const { user, system } = process.cpuUsage(start);
    // Looking through each of the inputs but once would take longer than all of this does.
    expect((user + system) / 1000).toBeLessThan(500);
  });
});

const JSON_PIECES = [
  ...[
    '"',
    '\\',
    '\\u0000',
    '\\ud800',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    ' ',
    '\n',
    '\u0000',
    '\ufeff',
    '{}',
    '[]',
  ],
  ...[
    'null',
    'true',
    '0',
    '-0',
    '1e999',
    '16384',
    '"n":1,',
    '"kty":"OKP",',
    '"alg":"ES256",',
    '"use":"enc",',
  ],
  ...[
    '"key_ops":["sign"],',
    '"ext":true,',
    '"kid":"",',
    '"__proto__":{},',
    '"constructor":1,',
    '['.repeat(99),
  ],
];

const PEM_PIECES = [
  ...[
    '-',
    '-----',
    '\n',
    '\r\n',
    '\r',
    ' ',
    '=',
    '==',
    'A',
    '-----BEGIN PRIVATE KEY-----\n',
    '\u0000',
    '\ufeff',
  ],
  ...['-----END PUBLIC KEY-----\n', 'ENCRYPTED ', 'Proc-Type: 4,ENCRYPTED\n\n', '_', '+', '/'],
];

/** The vectors' inputs, good and bad, by format: what is good to begin with reaches further, what is bad goes astray sooner. */
function samples() {
  const { cases } = readVectors<EncodingsCase>('encodings');
  const privates = { pkcs8: [] as Uint8Array[], pem: [] as string[], jwk: [] as string[] };
  const publics = { spki: [] as Uint8Array[], pem: [] as string[], jwk: [] as string[] };
  const add = <Sample>(list: Sample[], sample: Sample, isGood: boolean): void => {
    for (let i = 0; i < (isGood ? 8 : 1); i++) list.push(sample);
  };
  for (const one of cases) {
    const isGood = one.error === undefined;
    if (one.operation === 'encode key') {
      if (one.pkcs8 !== undefined) add(privates.pkcs8, unhex(one.pkcs8), isGood);
      if (one.spki !== undefined) add(publics.spki, unhex(one.spki), isGood);
      if (typeof one.jwk === 'string') add(privates.jwk, one.jwk, isGood);
      if (typeof one.publicJwk === 'string') add(publics.jwk, one.publicJwk, isGood);
      if (one.privatePem !== undefined) add(privates.pem, one.privatePem, isGood);
      if (one.publicPem !== undefined) add(publics.pem, one.publicPem, isGood);
    } else if (one.encoded.length <= 8192) {
      if (one.format === 'pkcs8') add(privates.pkcs8, unhex(one.encoded), isGood);
      else if (one.format === 'spki') add(publics.spki, unhex(one.encoded), isGood);
      else add((one.operation === 'read private key' ? privates : publics)[one.format], one.encoded, isGood);
    }
  }
  return { privates, publics };
}

/** `ok`, or the code of the refusal. */
function outcome(read: () => unknown): string {
  try {
    read();
    return 'ok';
  } catch (error) {
    if (error instanceof MunimentError) return error.code;
    throw error;
  }
}

/** The body of a signed tuple. */
function bodyOf(signed: Uint8Array, label: string): Uint8Array {
  return TupleReader.labelled(signed, label).bytes();
}
