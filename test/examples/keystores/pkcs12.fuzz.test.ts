/**
 * PKCS#12 files that were altered anywhere: outside, where anybody can alter them, and below the MAC and below the
 * encryption, where only somebody with the passphrase can. Whatever comes in, a typed error or a file comes out.
 */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MunimentError } from 'muniment';
import { exposeSecret } from 'muniment/keys';
import { readPkcs12 } from '../../../examples/client/keystores/pkcs12.ts';
import { PROPERTY, SLOW } from '../../property.ts';
import * as hand from './pkcs12-by-hand.ts';

// A third each; 100,000 in the slow suite.
const RUNS = { ...PROPERTY, numRuns: SLOW ? 33_334 : 1000 };

const { OIDS } = hand;
const LABEL = [
  hand.attribute(OIDS.friendlyName, hand.bmp('name')),
  hand.attribute(OIDS.localKeyId, hand.octets(Uint8Array.of(1, 2, 3))),
];
const certificates = hand.sequence(
  hand.certBag(),
  hand.bag(OIDS.safeContentsBag, hand.sequence(hand.keyBag())),
);
const keys = hand.sequence(hand.shroudedKeyBag({ iterations: 2 }, ...LABEL), hand.keyBag(...LABEL));
const infos = [hand.encryptedInfo(certificates), hand.dataInfo(keys)];
const whole = hand.p12(infos);

/** One alteration: bytes at a place are replaced by others, fewer or more. */
const alteration = fc.record({
  at: fc.nat(),
  remove: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.nat({ max: 40 }) }),
  insert: fc.oneof(
    { weight: 3, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 1 }) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }) },
    // What parsers stumble over: tags, long and indefinite lengths, bags, whole parts in the place of others.
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        ...[
          [0x30, 0x80],
          [0x24, 0x80],
          [0, 0],
          [0x84, 0xff, 0xff, 0xff, 0xff],
          [0x05, 0],
          [0x1f, 0xff, 0x7f],
        ].map((bytes) => Uint8Array.from(bytes)),
        ...Object.values(OIDS).map(hand.oid),
        ...[hand.certBag(), hand.keyBag(...LABEL), hand.integer(2 ** 40), keys, infos[0]!],
      ),
    },
  ),
});
const alterations = fc.array(alteration, { minLength: 1, maxLength: 4 });

type Alterations = typeof alterations extends fc.Arbitrary<infer Value> ? Value : never;

function altered(bytes: Uint8Array, list: Alterations): Uint8Array {
  return list.reduce<Uint8Array>((current, { at, remove, insert }) => {
    const from = at % (current.length + 1);
    return new Uint8Array(
      Buffer.concat([current.subarray(0, from), insert, current.subarray(from + remove)]),
    );
  }, bytes);
}

/** What came of a file: a code, or `opened`; anything else fails. */
async function outcome(file: Uint8Array): Promise<string> {
  try {
    const contents = await readPkcs12(file, hand.PASSPHRASE);
    for (const { pkcs8 } of contents.keys) expect(exposeSecret(pkcs8).length).toBeGreaterThan(0);
    for (const { der } of contents.certificates) expect(der.length).toBeGreaterThan(0);
    return 'opened';
  } catch (error) {
    expect(error).toBeInstanceOf(MunimentError);
    const { code, message } = error as MunimentError;
    // Fixed words: nothing of the file's own names, numbers or identifiers. The remedy's are ours.
    expect(message.replace(/: openssl .*/, '')).toMatch(/^KEY_[A-Z]+: [A-Za-z0-9#,.:;() ]+$/);
    expect(message).not.toMatch(/\d\.\d/);
    return code;
  }
}

async function fuzz(make: (list: Alterations) => Uint8Array): Promise<Set<string>> {
  const seen = new Set<string>();
  const check = fc.asyncProperty(alterations, async (list) => {
    seen.add(await outcome(make(list)));
  });
  await fc.assert(check, RUNS);
  return seen;
}

describe('files altered', { timeout: SLOW ? 1_800_000 : 120_000 }, () => {
  it('not at all open', async () => {
    expect(await outcome(whole)).toBe('opened');
  });

  it('outside the MAC', async () => {
    const seen = await fuzz((list) => altered(whole, list));
    for (const code of ['KEY_PASSPHRASE', 'KEY_FILE', 'KEY_ALGORITHM']) expect(seen).toContain(code);
  });

  it('below the MAC', async () => {
    const content = hand.sequence(...infos);
    const seen = await fuzz((list) => hand.p12Of(altered(content, list)));
    for (const code of ['opened', 'KEY_FILE', 'KEY_ALGORITHM']) expect(seen).toContain(code);
    expect(seen).not.toContain('KEY_PASSPHRASE');
  });

  it('below the encryption', async () => {
    const seen = await fuzz((list) => hand.p12([hand.encryptedInfo(altered(keys, list))]));
    for (const code of ['opened', 'KEY_FILE', 'KEY_ALGORITHM']) expect(seen).toContain(code);
    expect(seen).not.toContain('KEY_PASSPHRASE');
  });

  it('cut off anywhere', async () => {
    for (let length = 0; length < whole.length; length++)
      expect(await outcome(whole.subarray(0, length))).toBe('KEY_FILE');
  });
});
