/**
 * Two backends, one answer: every case of test/vectors/crypto.json that is deterministic, as it stands and altered, gives
 * the same bytes or the same code on every backend; and what is not deterministic is taken by every other backend.
 */

import { describe, expect, it } from 'vitest';
import { kem, signatureAlgorithm, type Random } from '../../src/crypto/index.ts';
import type { Operation } from '../../src/crypto/primitives.ts';
import { flipped } from '../mutation.ts';
import { PROPERTY, SLOW } from '../property.ts';
import { readVectors } from '../vectors/file.ts';
import type { CryptoCase } from '../vectors/generators/crypto.ts';
import { seededRandom } from '../vectors/generators/seed.ts';
import { hex } from '../vectors/hex.ts';
import { eachBackend } from './every-backend.ts';
import { outcome } from './outcome.ts';
import { KEM_OPERATIONS, SIGNATURE_OPERATIONS, subjectsOf, type Inputs, type Subject } from './subjects.ts';

const { seed = 0 } = PROPERTY;
const file = readVectors<CryptoCase>('crypto');
const counts = { subjects: 0, altered: 0, answered: 0, refused: 0 };

describe('every vector, as it stands and altered', () => {
  const cases = file.cases.map((one) => [one.name, one] as const);

  it.each(cases)(
    '%s',
    async (_, one) => {
      for (const subject of subjectsOf(one)) await expectOneAnswer(subject, one.error);
    },
    SLOW ? 1_800_000 : 120_000,
  );

  it('is one that asks a primitive, but for an algorithm that there is not', () => {
    const idle = file.cases.filter((one) => subjectsOf(one).length === 0).map(({ name }) => name);
    expect(idle).toEqual(['kem key pair: an id that is not supported (X448)']);
    console.info(`backends: seed ${seed}, ${JSON.stringify(counts)}`);
    expect(counts.subjects).toBeGreaterThanOrEqual(file.cases.length);
    // Altered inputs of both kinds: those that give other bytes, and those that are refused.
    expect(Math.min(counts.answered, counts.refused)).toBeGreaterThan(500);
  });
});

describe('what one backend made, every backend takes', () => {
  const messages = Array.from({ length: SLOW ? 40 : 8 }, (_, i) => seededRandom(`backends ${seed} ${i}`)(i));

  it.each(Object.entries(SIGNATURE_OPERATIONS))('signatures: %s', async (name, operations) => {
    const algorithm = signatureAlgorithm(name);
    const secretKey = algorithm.generateSecretKey(seededRandom(`backends ${seed} ${name}`));
    const made = await eachBackend(operations, async () => {
      const key = algorithm.secretKey(secretKey);
      return {
        publicKey: key.publicKey,
        signatures: await Promise.all(messages.map((one) => key.sign(one))),
      };
    });
    const verified = await eachBackend(operations, async () => {
      const verdicts: string[] = [];
      for (const { publicKey, signatures } of made.values())
        for (const [i, message] of messages.entries())
          for (const signature of [signatures[i]!, flipped(signatures[i]!, i)]) {
            verdicts.push(await outcome(() => algorithm.verify(publicKey, message, signature)));
            verdicts.push(await outcome(() => algorithm.verifyAsync(publicKey, message, signature)));
          }
      return verdicts;
    });
    const each = messages.flatMap((one) => [hex(one), hex(one), 'KEY_SIGNATURE', 'KEY_SIGNATURE']);
    for (const [backend, verdicts] of verified)
      expect(verdicts, `on ${backend}; seed ${seed}`).toEqual([...made.keys()].flatMap(() => each));
    expect(new Set([...made.values()].map(({ publicKey }) => hex(publicKey))).size).toBe(1);
  });

  it.each(Object.entries(KEM_OPERATIONS))('encapsulations: KEM %s', async (id, operations) => {
    const algorithm = kem(Number(id));
    const secretKey = algorithm.generateSecretKey(seededRandom(`backends ${seed} ${id}`));
    const made = await eachBackend(operations, async () => {
      const { publicKey } = algorithm.secretKey(secretKey);
      return Promise.resolve(messages.map(() => algorithm.encapsulate(publicKey)));
    });
    const all = [...made.values()].flat();
    const opened = await eachBackend(operations, async () => {
      const key = algorithm.secretKey(secretKey);
      return Promise.all(all.map(({ encapsulation }) => outcome(() => key.decapsulate(encapsulation))));
    });
    for (const [backend, secrets] of opened)
      expect(secrets, `on ${backend}; seed ${seed}`).toEqual(
        all.map(({ sharedSecret }) => hex(sharedSecret)),
      );
    expect(new Set(all.map(({ sharedSecret }) => hex(sharedSecret))).size).toBe(all.length);
  });
});

/** Runs a subject and its altered forms on every backend that brings one of its primitives. */
async function expectOneAnswer(subject: Subject, error: string | undefined): Promise<void> {
  const random = seededRandom(`backends ${seed} ${subject.name}`);
  const altered = [...alterations(subject, samplesFor(subject.operations, error !== undefined), random)];
  const all = [{ what: 'as it stands', inputs: subject.inputs }, ...altered];
  const answers = await eachBackend(subject.operations, async (backend) => {
    const found: string[] = [];
    for (const { inputs } of all) found.push(await outcome(() => subject.run(inputs, backend)));
    return found;
  });
  const [[, expected = []] = []] = answers;
  for (const [backend, found] of answers)
    for (const [i, { what }] of all.entries())
      expect(found[i], `on ${backend}, ${subject.name}: ${what}; seed ${seed}`).toBe(expected[i]);
  if (error !== undefined) expect(expected[0]).toBe(error);
  counts.subjects++;
  counts.altered += altered.length;
  for (const answer of expected.slice(1)) counts[/^[A-Z]/.test(answer) ? 'refused' : 'answered']++;
}

/** Each input with one bit of a byte flipped, for every byte or for as many as there is time for; cut short; prolonged. */
function* alterations(
  { inputs }: Subject,
  samples: number,
  random: Random,
): Generator<{ what: string; inputs: Inputs }> {
  for (const [name, bytes] of Object.entries(inputs)) {
    for (const at of positions(bytes.length, samples, random)) {
      const bit = random(1)[0]! % 8;
      yield {
        what: `${name}, bit ${bit} of byte ${at} flipped`,
        inputs: { ...inputs, [name]: flipped(bytes, at, 1 << bit) },
      };
    }
    const lengths = [...new Set([0, bytes.length >> 1, bytes.length - 1])].filter(
      (length) => length >= 0 && length < bytes.length,
    );
    for (const length of lengths)
      yield { what: `${name}, ${length} bytes of it`, inputs: { ...inputs, [name]: bytes.slice(0, length) } };
    for (const more of [Uint8Array.of(0), random(3)])
      yield {
        what: `${name}, and ${hex(more)} behind it`,
        inputs: { ...inputs, [name]: Uint8Array.of(...bytes, ...more) },
      };
  }
}

// Symmetric primitives take microseconds, curves some milliseconds on the portable backend, lattices more. What is
// refused as it stands is altered in fewer places, even in the long run.
function samplesFor(operations: readonly Operation[], refused: boolean): number {
  const isLattice = operations.some((name) => name.startsWith('mlDsa') || name === 'mlKem768');
  const isCurve = operations.some((name) => ['x25519', 'p256', 'ed25519', 'es256'].includes(name));
  if (SLOW) return refused && isLattice ? 64 : Infinity;
  return isLattice ? 2 : isCurve ? 4 : 64;
}

function positions(length: number, samples: number, random: Random): number[] {
  const all = Array.from({ length }, (_, at) => at);
  if (length <= samples) return all;
  const drawn = Array.from({ length: samples }, () => {
    const [high = 0, low = 0] = random(2);
    return (high * 256 + low) % length;
  });
  return [...new Set([0, length - 1, ...drawn])];
}
