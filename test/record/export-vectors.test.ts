/** The vectors of spec/export.md, by the library. */

import { describe, expect, it } from 'vitest';
import { sha256 } from '../../src/crypto/index.ts';
import { MunimentError } from '../../src/errors.ts';
import {
  byRole,
  parseNoteKey,
  renewalLeaf,
  verifyExport,
  type Openings,
  type RenewalAlgorithm,
  type WitnessPolicy,
} from '../../src/record/index.ts';
import { equalBytes, fromUtf8 } from '../../src/wire/index.ts';
import { refusal, refusalOf } from '../refusal.ts';
import { casesOf, readVectors } from '../vectors/file.ts';
import { resultJson, type ExportCase, type PolicyJson } from '../vectors/generators/export.ts';
import { hex, unhex } from '../vectors/hex.ts';

const file = readVectors<ExportCase>('export');

const policyOf = ({ witnesses, threshold }: PolicyJson): WitnessPolicy => ({
  witnesses: witnesses.map(parseNoteKey),
  threshold,
});
const open: Openings[string] = (opened, { author, payloadDigest }, authors) => {
  const writer = authors(author);
  if (writer === null || !equalBytes(sha256(sha256(opened)), payloadDigest))
    throw new MunimentError('RECORD_PAYLOAD');
  return { text: fromUtf8(opened), author: writer };
};

describe('verify export', () => {
  it.each(casesOf(file, 'verify export'))('$name', async ({ export: text, rules, result, error }) => {
    const { rights, hashedTypes, openedTypes, renewalLogs } = rules;
    const run = (): ReturnType<typeof verifyExport> =>
      verifyExport(text, {
        anchorId: unhex(rules.anchorId),
        origin: rules.origin,
        witnesses: policyOf(rules.witnesses),
        rule: byRole(({ chain, kind }, author) =>
          rights.some(
            (one) => one.chain === chain && one.kinds.includes(kind) && author.roles.includes(one.role),
          ),
        ),
        digests: Object.fromEntries(hashedTypes.map((type) => [type, sha256])),
        openings: Object.fromEntries(openedTypes.map((type) => [type, open])),
        renewalLogs: renewalLogs.map(({ log, witnesses }) => ({
          log: {
            origin: log.origin,
            ed25519: unhex(log.ed25519),
            mlDsa44: log.mlDsa44 === null ? null : unhex(log.mlDsa44),
          },
          witnesses: policyOf(witnesses),
        })),
      });
    if (error !== undefined) expect(await refusalOf(run)).toBe(error);
    else expect(resultJson(await run())).toEqual(result);
  });
});

describe('renewal leaf', () => {
  it.each(casesOf(file, 'renewal leaf'))('$name', ({ export: text, algorithm, leaf, error }) => {
    const run = (): Uint8Array => renewalLeaf(text, algorithm as RenewalAlgorithm);
    if (error !== undefined) expect(refusal(run)).toBe(error);
    else expect(hex(run())).toBe(leaf);
  });
});

it('has every code of an export', () => {
  const codes = new Set(file.cases.flatMap(({ error }) => error ?? []));
  expect([...codes].sort()).toEqual([
    'KEY_CREDENTIAL',
    'KEY_REVOKED',
    'RECORD_AUTHOR',
    'RECORD_CHARTER',
    'RECORD_CHECKPOINT',
    'RECORD_CONSISTENCY',
    'RECORD_ENTRY',
    'RECORD_EXPORT',
    'RECORD_INCLUSION',
    'RECORD_LINK',
    'RECORD_PAYLOAD',
    'RECORD_RECEIPT',
    'RECORD_RENEWAL',
    'RECORD_RIGHT',
    'RECORD_WITNESS',
  ]);
});
