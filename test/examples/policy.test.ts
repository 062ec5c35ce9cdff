/** What a reader types into the verifier's page: policies and logs, and what is none. */

import { describe, expect, it } from 'vitest';
import { readPolicy, readRenewalLogs } from '../../examples/verifier/policy.ts';
import { MunimentError } from '../../src/errors.ts';
import { formatNoteKey, NO_WITNESSES, type NoteKey } from '../../src/record/index.ts';
import { fuzz, FUZZ_TIMEOUT, textMutants } from '../fuzz.ts';
import { OLD_POLICY, SECOND_LOG } from '../record/export-fixture.ts';

const [one, two, three] = OLD_POLICY.witnesses.map(formatNoteKey) as [string, string, string];
const { origin, ed25519, mlDsa44 } = SECOND_LOG;
const log: NoteKey = { name: origin, type: 1, publicKey: ed25519.publicKey };
const second: NoteKey = { name: origin, type: 6, publicKey: mlDsa44!.publicKey };
const keys = [log, second].map(formatNoteKey).join('\n');

describe('a policy', () => {
  it('is a number and verifier keys, whatever white space is around them', () => {
    expect(readPolicy(`\n 2\r\n${one} \n\n${two}\n${three}\n`)).toEqual(OLD_POLICY);
    expect(readPolicy(' \n ')).toEqual(NO_WITNESSES);
    expect(readPolicy('0')).toEqual(NO_WITNESSES);
  });

  it.each([
    ['without a number', one],
    ['with a number that no count is', `-1\n${one}`],
    ['that demands more witnesses than it names', `2\n${one}\n${one}`],
    ['with a key that is none', `1\n${one}x`],
    ['that is too long', '1\n'.repeat(500_001)],
  ])('is refused %s', (_, text) => {
    expect(() => readPolicy(text)).toThrow(RangeError);
  });
});

describe('logs of renewals', () => {
  it('are keys and a policy each', () => {
    const trusted = { origin, ed25519: ed25519.publicKey, mlDsa44: mlDsa44!.publicKey };
    const policy = { threshold: 1, witnesses: OLD_POLICY.witnesses.slice(0, 1) };
    expect(readRenewalLogs(`${keys}\n1\n${one}\n \n${formatNoteKey(log)}\n0\n`)).toEqual([
      { log: trusted, witnesses: policy },
      { log: { ...trusted, mlDsa44: null }, witnesses: NO_WITNESSES },
    ]);
    expect(readRenewalLogs('')).toEqual([]);
  });

  it.each([
    ['without keys', '0'],
    ['without a policy', keys],
    ['with a witness’s key in their place', `${one}\n0`],
    ['with two keys of one type', `${formatNoteKey(log)}\n${formatNoteKey(log)}\n0`],
    ['with a second key of another name', `${formatNoteKey(log)}\n${three}\n0`],
    ['that are too long', '\n'.repeat(1_000_001)],
  ])('are refused %s', (_, text) => {
    expect(() => readRenewalLogs(text)).toThrow(RangeError);
  });

  it(
    'under fuzz are read, or refused as a mistake of whoever typed',
    async () => {
      const text = `${keys}\n1\n${one}\n\n${formatNoteKey(log)}\n0\n`;
      await fuzz(textMutants([text], ['\n', '\n\n', '+', '0', '99', one]), ['RECORD_EXPORT'], (mutant) => {
        try {
          expect(readRenewalLogs(mutant).length).toBeLessThanOrEqual(4);
        } catch (error) {
          if (error instanceof RangeError) throw new MunimentError('RECORD_EXPORT');
          throw error;
        }
      });
    },
    FUZZ_TIMEOUT,
  );
});
