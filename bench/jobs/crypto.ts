/**
 * The operations of `muniment/crypto` on each backend that Node has, beside the bare platform calls that do the same
 * (`bare`, where the platform does the whole of it). Every row is run once beforehand and its answer judged: what does
 * other work, or does it wrongly, is no yardstick.
 */

import { createHash, createSecretKey } from 'node:crypto';
import * as muniment from 'muniment/crypto';
import * as bare from '../bare.ts';
import type { Contest, Row } from '../measure.ts';

export async function* crypto(): AsyncGenerator<Contest> {
  try {
    yield* signatures();
    yield* encapsulations();
    yield* ciphers();
    yield* hashes();
  } finally {
    muniment.forceBackend(null);
  }
}

async function* signatures(): AsyncGenerator<Contest> {
  const message = muniment.systemRandom(256);
  const algorithms = [
    { name: muniment.ED25519, bareKey: bare.bareEd25519 },
    { name: muniment.ES256, bareKey: bare.bareEs256 },
    { name: muniment.ML_DSA_65_ED25519, bareKey: bare.HAS_LATTICES ? bare.bareComposite : null },
  ];
  for (const { name, bareKey } of algorithms) {
    const algorithm = muniment.signatureAlgorithm(name);
    const secretKey = algorithm.generateSecretKey();
    const known = algorithm.secretKey(secretKey);
    const { publicKey } = known;
    const signature = await known.sign(message);
    const own = bareKey?.(secretKey, publicKey);

    yield await contest(`${name} sign`, {
      bare: own && (() => own.sign(message)),
      muniment() {
        const key = algorithm.secretKey(secretKey);
        return () => key.sign(message);
      },
      // Two of the three are randomised, and what the platform signs with may have a high s.
      judge: (made) =>
        algorithm.verify(publicKey, message, name === muniment.ES256 ? muniment.toLowS(made) : made),
    });
    yield await contest(`${name} verify`, {
      bare: own && (() => own.verify(message, signature)),
      muniment: () => () => algorithm.verify(publicKey, message, signature) === message,
      judge: accept,
    });
  }
}

async function* encapsulations(): AsyncGenerator<Contest> {
  for (const id of [muniment.KEM_X25519, muniment.KEM_P256, muniment.KEM_XWING, muniment.KEM_MLKEM768_P256]) {
    const kem = muniment.kem(id);
    const secretKey = kem.generateSecretKey();
    const known = kem.secretKey(secretKey);
    const { publicKey } = known;
    const { encapsulation, sharedSecret } = kem.encapsulate(publicKey);
    const own = bareKem(id, secretKey, publicKey);

    yield await contest(`${kem.name} encapsulate`, {
      bare: own && (() => own.encapsulate()),
      muniment: () => () => kem.encapsulate(publicKey),
      judge: async (made) => equal(made.sharedSecret)(await known.decapsulate(made.encapsulation)),
    });
    yield await contest(`${kem.name} decapsulate`, {
      bare: own && (() => own.decapsulate(encapsulation)),
      muniment() {
        const key = kem.secretKey(secretKey);
        // A copy each time, as it comes with each message: nothing that the library kept of it may help.
        return () => key.decapsulate(encapsulation.slice());
      },
      judge: equal(sharedSecret),
    });
  }
}

function bareKem(id: muniment.KemId, secretKey: Uint8Array, publicKey: Uint8Array): bare.BareKem | null {
  const [x25519, p256] = [bare.bareX25519, bare.bareP256];
  if (id === muniment.KEM_X25519) return bare.bareDhKem(x25519, id, x25519.key(secretKey, publicKey));
  if (id === muniment.KEM_P256) return bare.bareDhKem(p256, id, p256.key(secretKey, publicKey));
  if (!bare.HAS_LATTICES) return null;
  const expanded = createHash('shake256', { outputLength: 96 }).update(secretKey).digest();
  const seeds = [expanded.subarray(0, 64), expanded.subarray(64)] as const;
  const share = publicKey.subarray(1184);
  return id === muniment.KEM_XWING
    ? bare.bareHybridKem(x25519, '\\.//^\\', x25519.key(seeds[1], share), bare.bareMlKem(seeds[0]))
    : bare.bareHybridKem(p256, 'MLKEM768-P256', p256.key(seeds[1], share), bare.bareMlKem(seeds[0]));
}

async function* ciphers(): AsyncGenerator<Contest> {
  const [key, aad] = [muniment.systemRandom(32), muniment.systemRandom(32)];
  const imported = createSecretKey(key);
  for (const length of [64, 1024, 65_536, 1_048_576]) {
    const plaintext = new Uint8Array(length).fill(7);
    const ciphertext = bare.bareSeal(imported, aad, plaintext);
    yield await contest(`ChaCha20-Poly1305 seal ${size(length)}`, {
      bare: () => bare.bareSeal(imported, aad, plaintext),
      muniment: () => () => muniment.aeadSeal(key, aad, plaintext),
      judge: equal(ciphertext),
    });
    yield await contest(`ChaCha20-Poly1305 open ${size(length)}`, {
      bare: () => bare.bareOpen(imported, aad, ciphertext),
      muniment: () => () => muniment.aeadOpen(key, aad, ciphertext),
      judge: equal(plaintext),
    });
  }
}

async function* hashes(): AsyncGenerator<Contest> {
  for (const length of [64, 1024, 65_536]) {
    const bytes = muniment.systemRandom(length);
    const expected = bare.bareSha256(bytes);
    yield await contest(`SHA-256 ${size(length)}`, {
      bare: () => bare.bareSha256(bytes),
      muniment: () => () => muniment.sha256(bytes),
      judge: equal(expected),
    });
  }

  const [key, salt, info] = [muniment.systemRandom(32), muniment.systemRandom(32), muniment.systemRandom(64)];
  const imported = createSecretKey(key);
  const mac = bare.bareHmac(imported, info);
  yield await contest(`HMAC-SHA256 ${size(info.length)}`, {
    bare: () => bare.bareHmac(imported, info),
    muniment: () => () => muniment.hmac(key, info),
    judge: equal(mac),
  });
  const derived = bare.bareHkdf(imported, salt, info);
  yield await contest('HKDF-SHA256', {
    bare: () => bare.bareHkdf(imported, salt, info),
    muniment: () => () => muniment.hkdfExpand(muniment.hkdfExtract(salt, key), info, 32),
    judge: equal(derived),
  });

  const cost = muniment.SCRYPT_COST;
  const stretched = await bare.bareScrypt(PASSPHRASE, salt, cost);
  yield await contest(`scrypt N=${cost.n}`, {
    bare: () => bare.bareScrypt(PASSPHRASE, salt, cost),
    muniment: () => () => muniment.stretch(PASSPHRASE, salt, cost),
    judge: equal(stretched),
  });
}

const PASSPHRASE = 'correct horse battery staple';

interface Entrants<Answer> {
  /** Nothing where the platform cannot do it all. */
  readonly bare: (() => Answer | Promise<Answer>) | null | undefined;
  /** Makes the operation, so that whatever keys it needs are imported into the backend that is forced meanwhile. */
  readonly muniment: () => () => Answer | Promise<Answer>;
  /** Throws unless the answer is right. */
  readonly judge: (answer: Answer) => unknown;
}

async function contest<Answer>(name: string, entrants: Entrants<Answer>): Promise<Contest> {
  const rows: Record<string, Row> = {};
  if (entrants.bare) {
    await entrants.judge(await entrants.bare());
    rows['bare'] = { run: entrants.bare };
  }
  for (const [title, backend] of [
    ['native', 'node'],
    ['portable', 'portable'],
  ] as const) {
    muniment.forceBackend(backend);
    const run = entrants.muniment();
    await entrants.judge(await run());
    rows[title] = { run, before: () => muniment.forceBackend(backend) };
  }
  return { name, baseline: entrants.bare ? 'bare' : 'native', rows };
}

function accept(right: boolean): void {
  if (!right) throw new Error('a row answers wrongly');
}

function equal(expected: Uint8Array): (answer: Uint8Array) => void {
  return (answer) => accept(Buffer.compare(answer, expected) === 0);
}

function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1_048_576 ? `${bytes / 1024} KiB` : `${bytes / 1_048_576} MiB`;
}
