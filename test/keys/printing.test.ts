/** Secrets do not print: not alone, not inside an identity, a key, a challenge or a state of the protocol. */

import { format, inspect } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { KEM_X25519 } from '../../src/crypto/index.ts';
import {
  challengePossession,
  createAnchor,
  createRoot,
  enrol,
  exposeSecret,
  nodeKey,
  requestCredential,
  Secret,
  verifyCredential,
  type Identity,
  type SoftwareKeys,
} from '../../src/keys/index.ts';
import {
  accept,
  confirm,
  initiate,
  MemoryReplayCache,
  request,
  respond,
  serve,
  State,
  type Binding,
  type Clock,
} from '../../src/protocol/index.ts';
import { seededRandom } from '../vectors/generators/seed.ts';
import { hex } from '../vectors/hex.ts';

const VALIDITY = { notBefore: 0, notAfter: 4_000_000_000_000 };

/** Every way in which a program writes a value down without meaning to. */
function printed(value: unknown): string {
  const wrapped = { list: [value], map: new Map([['key', value]]) };
  return [
    format('%s %o %O %j', value, value, value, value),
    format(value),
    inspect(value, { depth: Infinity, showHidden: true, getters: true }),
    inspect(wrapped, { depth: Infinity, showHidden: true, getters: true }),
    JSON.stringify(value),
    JSON.stringify(wrapped),
    format('%s', value),
    JSON.stringify(Object.entries(value as object)),
    inspect(structuredCloneOf(value), { depth: Infinity }),
  ].join('\n');
}

// Functions cannot be cloned; what can be is looked at too.
function structuredCloneOf(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch {
    return null;
  }
}

/** All spellings in which 32 bytes could turn up, of any eight of them in a row. */
function expectHidden(text: string, secrets: readonly Uint8Array[]): void {
  expect(secrets.length).toBeGreaterThan(0);
  const folded = text.replaceAll(/\s+/g, ' ');
  for (const secret of secrets) {
    expect(secret.length).toBeGreaterThanOrEqual(16);
    const part = secret.subarray(4, 12);
    for (const spelling of [
      hex(part),
      hex(part).toUpperCase(),
      Buffer.from(part)
        .toString('hex')
        .replaceAll(/(..)(?=.)/g, '$1 '),
      Buffer.from(secret.subarray(3, 12)).toString('base64'),
      Buffer.from(secret.subarray(3, 12)).toString('base64url'),
      [...part].join(','),
      [...part].join(', '),
      [...part.subarray(0, 4)].map((byte, i) => `"${String(i + 4)}":${String(byte)}`).join(','),
    ])
      expect(folded).not.toContain(spelling);
  }
}

let hospital: Identity;
let doctor: Identity;
const seeds: Uint8Array[] = [];

beforeAll(async () => {
  const options = (label: string) =>
    ({ kem: KEM_X25519, random: seededRandom(`printing ${label}`) }) as const;
  hospital = await createAnchor({ subject: 'Hospital', roles: ['gateway'], ...VALIDITY }, options('h'));
  doctor = await enrol(hospital, { subject: 'Dr. Ruiz', roles: ['doctor'], ...VALIDITY }, options('d'));
  // The type of an identity leaves open where its keys live; these live in memory.
  for (const identity of [hospital, doctor] as readonly object[]) {
    const { signer, handshake, sealing } = identity as SoftwareKeys;
    for (const { secret } of [signer, handshake, sealing]) seeds.push(exposeSecret(secret));
  }
});

describe('the check itself', () => {
  it('would find bytes that are printed', () => {
    const bytes = seededRandom('printing check')(32);
    for (const open of [
      { bytes },
      { bytes: Buffer.from(bytes) },
      { bytes: hex(bytes) },
      { bytes: [...bytes] },
    ])
      expect(() => expectHidden(printed(open), [bytes])).toThrow();
  });
});

describe('secrets', () => {
  it('show a placeholder and nothing else', () => {
    const bytes = seededRandom('printing secret')(32);
    const secret = new Secret('nonce', new Uint8Array(bytes));
    expect(String(secret)).toBe('[secret: nonce]');
    expect(JSON.stringify({ secret })).toBe('{"secret":"[secret: nonce]"}');
    expect(inspect(secret)).toBe('[secret: nonce]');
    expect(format('%s', secret)).toContain('[secret: nonce]');
    expect(Object.keys(secret)).toEqual(['role']);
    expect(Reflect.ownKeys(secret)).toEqual(['role']);
    expectHidden(printed(secret), [bytes]);
  });

  it('hide in keys and identities', () => {
    expectHidden(printed(hospital), seeds);
    expectHidden(printed(doctor), seeds);
    const root = createRoot();
    const key = nodeKey(root, KEM_X25519);
    expectHidden(printed({ root, key }), [exposeSecret(root), exposeSecret(key.secret)]);
    // The key that X25519 uses is derived from the seed, and hidden too.
    expect(Object.keys(key).sort()).toEqual(['kem', 'publicKey', 'secret']);
    expect(printed(doctor)).toContain('Dr. Ruiz');
  });

  it('hide in an issuer’s challenge', async () => {
    const asked = await requestCredential(doctor, { subject: 'Dr. Ruiz', roles: ['doctor'] });
    const { challenge, expected } = challengePossession(asked, hospital.credential);
    // The two random values; what stands before them, label and digest, is no secret.
    const answer = exposeSecret(expected);
    expectHidden(printed({ challenge, expected }), [answer.slice(-68, -36), answer.slice(-32)]);
  });
});

describe('states of the protocol', () => {
  it('show their stage and nothing that they hold', async () => {
    const taken: Uint8Array[] = [];
    const stream = seededRandom('printing protocol');
    const random = (length: number): Uint8Array => {
      const bytes = stream(length);
      // Handles of 16 bytes are public, and encapsulations are made of 32 bytes as well as the secrets are.
      if (length === 32) taken.push(new Uint8Array(bytes));
      return bytes;
    };
    const clock: Clock = { now: () => 1_700_000_000_000, monotonic: () => 0 };
    const binding: Binding = { kind: 'none', value: new Uint8Array(0) };
    const options = { binding, clock, random };
    const validate = (encoded: Uint8Array, now: number) =>
      verifyCredential(encoded, hospital.credential, now);

    const first = initiate(doctor, hospital.credential, options);
    const shown = [printed(first.state)];
    const second = await respond(hospital, first.message, {
      ...options,
      replay: new MemoryReplayCache({ capacity: 100_000, floor: 0 }),
      validate,
    });
    shown.push(printed(second.state));
    const third = await confirm(first.state, second.message);
    shown.push(printed(third.state));
    const accepted = await accept(second.state, third.message, binding);
    shown.push(printed(accepted));
    const asked = await request(third.state, '{"ask":1}');
    shown.push(printed(asked.state));
    const served = await serve(accepted, asked.message, binding);
    shown.push(printed(served.state));

    expect(taken.length).toBeGreaterThan(6);
    for (const text of shown) {
      expectHidden(text, [...taken, ...seeds]);
      expect(text).not.toContain('Dr. Ruiz');
    }
    expect(shown.map((text) => /stage":"(\w+)/.exec(text)?.[1])).toEqual([
      'initiated',
      'responded',
      'confirmed',
      'accepted',
      'requested',
      'served',
    ]);
  });

  it('keep content out of reach of enumeration', () => {
    const state = new State('test', { secret: 'content' }, { now: () => 0, monotonic: () => 0 }, 1);
    expect(Reflect.ownKeys(state)).toEqual(['stage']);
    expect(printed(state)).not.toContain('content');
  });
});
