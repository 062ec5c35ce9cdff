/** test/vectors/custody.json, read back by the library; the classical halves are keys of Node's own. */

import { describe, expect, it } from 'vitest';
import { hpkeOpen, kem, KEM_P256, KEM_X25519, type Random } from '../../src/crypto/index.ts';
import {
  createSplitKey,
  openSplitKey,
  Secret,
  SoftwareDecapsulator,
  suite,
  type HybridKemId,
} from '../../src/keys/index.ts';
import { tuple, TupleReader } from '../../src/wire/index.ts';
import { refusalOf } from '../refusal.ts';
import { casesOf, readVectors } from '../vectors/file.ts';
import type { CustodyCase } from '../vectors/generators/custody.ts';
import { hex, unhex } from '../vectors/hex.ts';
import { cardKey } from './card.ts';

const file = readVectors<CustodyCase>('custody');
type Key = CustodyCase['classical'];

it('holds as many cases as it should', () => {
  expect(casesOf(file, 'split key').length).toBe(3);
  expect(casesOf(file, 'open split key').length).toBe(27);
  expect(file.cases.length).toBe(30);
});

describe('split key', () => {
  it.each(casesOf(file, 'split key'))('$name', async (one) => {
    const keeper = custodianOf(one.custodian);
    const made = createSplitKey(
      one.kem as HybridKemId,
      classicalOf(one.classical),
      keeper,
      replayed(one.randomness),
    );
    expect(hex(made.key.publicKey)).toBe(one.publicKey);
    expect(hex(made.sealedSeed)).toBe(one.sealedSeed);

    // Taken apart by hand.
    const info = tuple('seed wrap', suite(keeper.kem), one.kem, unhex(one.publicKey));
    expect([one.info, one.aad, one.plaintext]).toEqual([
      hex(info),
      hex(tuple('seed wrap aad')),
      hex(tuple('ml-kem seed', unhex(one.seed))),
    ]);
    expect(one.randomness.startsWith(one.seed)).toBe(true);
    const reader = TupleReader.labelled(unhex(one.sealedSeed), 'sealed seed');
    expect([reader.integer(), hex(reader.bytes())]).toEqual([one.kem, one.publicKey]);
    const shared = await keeper.decapsulate(reader.bytes());
    const { plaintext } = hpkeOpen(keeper.kem, shared, info, unhex(one.aad), reader.bytes());
    expect(hex(plaintext)).toBe(one.plaintext);
    reader.end();
  });
});

describe('open split key', () => {
  it.each(casesOf(file, 'open split key'))('$name', async (one) => {
    const open = () =>
      openSplitKey(unhex(one.sealedSeed), classicalOf(one.classical), custodianOf(one.custodian));
    if (one.error !== undefined) expect(await refusalOf(open)).toBe(one.error);
    else {
      const key = await open();
      expect(hex(key.publicKey)).toBe(one.publicKey);
      expect(hex(await key.decapsulate(unhex(one.encapsulation ?? '')))).toBe(one.sharedSecret);
    }
  });
});

function classicalOf({ kem: id, secretKey }: Key): ReturnType<typeof cardKey> {
  if (id !== KEM_P256 && id !== KEM_X25519) throw new Error('no group');
  return cardKey(id, unhex(secretKey));
}

function custodianOf({ kem: id, secretKey }: Key): SoftwareDecapsulator {
  return new SoftwareDecapsulator(kem(id).id, new Secret('kem key', unhex(secretKey)));
}

function replayed(randomness: string): Random {
  let rest = randomness;
  return (length) => {
    const taken = unhex(rest.slice(0, 2 * length));
    rest = rest.slice(2 * length);
    return taken;
  };
}
