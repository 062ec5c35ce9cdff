/** Split custody with both halves in memory; test/system/pkcs11.suite.ts has it in a token. */

import { describe, expect, it } from 'vitest';
import {
  kem,
  KEM_MLKEM768_P256,
  KEM_P256,
  KEM_X25519,
  KEM_XWING,
  type KemId,
} from '../../src/crypto/index.ts';
import {
  createSplitKey,
  openSplitKey,
  SEALED_SEED_LIMIT,
  SoftwareDecapsulator,
} from '../../src/keys/index.ts';
import { concat, tuple, utf8 } from '../../src/wire/index.ts';
import { flipped } from '../mutation.ts';
import { refusalOf } from '../refusal.ts';
import { seededRandom } from '../vectors/generators/seed.ts';
import { cardKey } from './card.ts';

const HYBRIDS = [
  ['MLKEM768-P256', KEM_MLKEM768_P256, KEM_P256],
  ['X-Wing', KEM_XWING, KEM_X25519],
] as const;
const CUSTODIANS: readonly [string, KemId][] = [
  ['P-256', KEM_P256],
  ['X25519', KEM_X25519],
  ['X-Wing', KEM_XWING],
];

const secretOf = (name: string): Uint8Array => seededRandom(`custody test ${name}`)(32);

describe.each(HYBRIDS)('split custody of %s', (_, id, group) => {
  const classical = cardKey(group, secretOf('classical'));
  const custodian = SoftwareDecapsulator.generate(KEM_P256, seededRandom('custody test custodian'));

  it.each(CUSTODIANS)('comes back with both halves, from a custodian of %s', async (_name, custodianKem) => {
    const keeper = SoftwareDecapsulator.generate(custodianKem);
    const { key, sealedSeed } = createSplitKey(id, classical, keeper);
    expect(key.publicKey.length).toBe(kem(id).publicKeyLength);
    const opened = await openSplitKey(sealedSeed, classical, keeper);
    expect([opened.kem, opened.publicKey]).toEqual([id, key.publicKey]);
    const { encapsulation, sharedSecret } = kem(id).encapsulate(key.publicKey);
    expect(await opened.decapsulate(encapsulation)).toEqual(sharedSecret);
    expect(await key.decapsulate(encapsulation)).toEqual(sharedSecret);
  });

  it('draws another seed each time', async () => {
    const [first, second] = [
      createSplitKey(id, classical, custodian),
      createSplitKey(id, classical, custodian),
    ];
    expect(first.key.publicKey).not.toEqual(second.key.publicKey);
  });

  it('holds against every altered byte, and every length', async () => {
    const { sealedSeed } = createSplitKey(id, classical, custodian);
    for (let at = 0; at < sealedSeed.length; at++) {
      const code = await refusalOf(() => openSplitKey(flipped(sealedSeed, at), classical, custodian));
      expect(['KEY_FILE', 'KEY_OPEN']).toContain(code);
    }
    for (const length of [0, 1, 4, sealedSeed.length - 17, sealedSeed.length - 1]) {
      const cut = sealedSeed.subarray(0, length);
      expect(await refusalOf(() => openSplitKey(cut, classical, custodian))).toBe('KEY_FILE');
    }
    const longer = concat(sealedSeed, Uint8Array.of(0));
    expect(await refusalOf(() => openSplitKey(longer, classical, custodian))).toBe('KEY_FILE');
  });

  it('does not open with another custodian, or another classical half', async () => {
    const { sealedSeed } = createSplitKey(id, classical, custodian);
    const [stranger, other] = [SoftwareDecapsulator.generate(KEM_P256), cardKey(group, secretOf('other'))];
    expect(await refusalOf(() => openSplitKey(sealedSeed, classical, stranger))).toBe('KEY_OPEN');
    expect(await refusalOf(() => openSplitKey(sealedSeed, other, custodian))).toBe('KEY_OPEN');
  });

  it('is of no use once erased', async () => {
    const { key } = createSplitKey(id, classical, custodian);
    const { encapsulation } = kem(id).encapsulate(key.publicKey);
    key.erase();
    await expect(key.decapsulate(encapsulation)).rejects.toThrow();
  });
});

describe('split custody', () => {
  const secret = secretOf('classical');
  const classical = cardKey(KEM_P256, secret);

  it('takes no classical half as its own custodian', async () => {
    const own = { kem: KEM_P256, publicKey: classical.publicKey };
    expect(() => createSplitKey(KEM_MLKEM768_P256, classical, own)).toThrow(RangeError);
  });

  it('refuses what is no hybrid, and what is too long, before it asks the custodian', async () => {
    const asked: Uint8Array[] = [];
    const custodian = {
      kem: KEM_P256,
      publicKey: cardKey(KEM_P256, secretOf('custodian')).publicKey,
      decapsulate: (encapsulation: Uint8Array) => {
        asked.push(encapsulation);
        return Promise.reject(new Error('the card was removed'));
      },
    };
    const { sealedSeed } = createSplitKey(KEM_MLKEM768_P256, classical, custodian);
    const classicalOnly = tuple('sealed seed', KEM_P256, classical.publicKey, new Uint8Array(65), '');
    const long = tuple('sealed seed', KEM_XWING, new Uint8Array(1216), '', new Uint8Array(SEALED_SEED_LIMIT));
    for (const bad of [classicalOnly, long, tuple('sealed seed', 0x0051, ''), utf8('sealed seed')])
      expect(await refusalOf(() => openSplitKey(bad, classical, custodian))).toBe('KEY_FILE');
    expect(asked).toEqual([]);
    // What goes wrong in the card is not taken for a bad file.
    await expect(openSplitKey(sealedSeed, classical, custodian)).rejects.toThrow('the card was removed');
  });

  it('opens no seed that is sealed for another use', async () => {
    const custodian = SoftwareDecapsulator.generate(KEM_P256);
    const mine = createSplitKey(KEM_MLKEM768_P256, classical, custodian);
    const other = createSplitKey(KEM_MLKEM768_P256, cardKey(KEM_P256, secretOf('other')), custodian);
    // The seed of one key in the file of the other.
    const head = tuple('sealed seed', KEM_MLKEM768_P256, mine.key.publicKey).length;
    const mixed = concat(mine.sealedSeed.subarray(0, head), other.sealedSeed.subarray(head));
    expect(await refusalOf(() => openSplitKey(mixed, classical, custodian))).toBe('KEY_OPEN');
  });
});
