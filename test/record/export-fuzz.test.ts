/** Mutated exports, charters and tombstones: whatever is not refused under a code of its own says what it said. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ErrorCode } from '../../src/errors.ts';
import {
  encodeErasure,
  encodeStatement,
  ERASE,
  exportRecord,
  readErasure,
  statementDigest,
  verifyCharter,
  verifyExport,
  type Erasure,
  type ExportRules,
} from '../../src/record/index.ts';
import { parseExport } from '../../src/record/export-file.ts';
import { fromBase64url, toBase64url } from '../../src/wire/index.ts';
import { fuzz, FUZZ_TIMEOUT, mutants, textMutants } from '../fuzz.ts';
import { casesOf, readVectors } from '../vectors/file.ts';
import { resultJson, type ExportCase } from '../vectors/generators/export.ts';
import { seededRandom } from '../vectors/generators/seed.ts';
import { EXPORT_RULES, smallExport } from './export-fixture.ts';
import { ORIGIN } from './fixture.ts';

const { bank, parts } = await smallExport();
const text = exportRecord(parts);
const rules: ExportRules = { ...EXPORT_RULES, anchorId: bank.anchor.credential.id };
const genuine = resultJson(await verifyExport(text, rules));
const twice = casesOf(readVectors<ExportCase>('export'), 'renewal leaf')[1]!.export;
const PIECES = [
  '"',
  ',',
  '[]',
  '{}',
  'null',
  '1',
  '-1',
  '1e400',
  '"A"',
  '[[[[[[[[[[',
  '"__proto__":1,',
  '\u0000',
];

const CODES: readonly ErrorCode[] = [
  ...(['KEY_CREDENTIAL', 'KEY_REVOKED', 'KEY_SIGNATURE', 'KEY_PUBLIC'] as const),
  ...([
    'RECORD_AUTHOR',
    'RECORD_CHARTER',
    'RECORD_CHECKPOINT',
    'RECORD_CONSISTENCY',
    'RECORD_ENTRY',
  ] as const),
  ...(['RECORD_EXPORT', 'RECORD_INCLUSION', 'RECORD_LINK', 'RECORD_PAYLOAD', 'RECORD_RECEIPT'] as const),
  ...(['RECORD_RENEWAL', 'RECORD_RIGHT', 'RECORD_WITNESS'] as const),
];

it(
  'an export that is read is written the same',
  async () => {
    const tally = await fuzz(textMutants([text, twice], PIECES), ['RECORD_EXPORT'], (mutant) => {
      const read = parseExport(mutant);
      expect(parseExport(exportRecord(read))).toEqual(read);
    });
    expect(tally['RECORD_EXPORT']).toBeGreaterThan(0);
  },
  FUZZ_TIMEOUT,
);

// One member of bytes at a time, so that what is behind the JSON is met as well.
const members = [...text.matchAll(/"([\w-]{20,})"/g)].map((match) => [match.index + 1, match[1]!] as const);
const spoiled = fc
  .constantFrom(...members)
  .chain(([at, member]) =>
    mutants([fromBase64url(member)]).map(
      (bytes) => text.slice(0, at) + toBase64url(bytes) + text.slice(at + member.length),
    ),
  );

it(
  'an export that verifies says what it said, or less',
  async () => {
    const tally = await fuzz(fc.oneof(spoiled, textMutants([text], PIECES)), CODES, async (mutant) => {
      const { heads, tree, content } = resultJson(await verifyExport(mutant, rules));
      expect([heads.content, tree]).toEqual([genuine.heads.content, genuine.tree]);
      content.forEach(({ author, bank: by }, i) => {
        expect([author, by]).toEqual([genuine.content[i]!.author, genuine.content[i]!.bank]);
      });
    });
    expect(Object.keys(tally).length).toBeGreaterThan(5);
  },
  FUZZ_TIMEOUT,
);

it(
  'a charter that verifies is the anchor’s',
  async () => {
    const [charter] = parts.charters as [Uint8Array];
    const codes: ErrorCode[] = ['KEY_SIGNATURE', 'KEY_PUBLIC', 'WIRE_LIMIT', 'WIRE_TUPLE', 'RECORD_CHARTER'];
    const { credential } = bank.anchor;
    const said = verifyCharter(charter, credential, ORIGIN);
    await fuzz(mutants([charter]), codes, (mutant) => {
      expect(verifyCharter(mutant, credential, ORIGIN)).toEqual(said);
    });
  },
  FUZZ_TIMEOUT,
);

it(
  'a tombstone that is read is written the same',
  async () => {
    const { signed } = await bank.take(bank.anchor, 'erase', new Uint8Array(0));
    const entryHash = new Uint8Array(32).fill(7);
    const erased = [1, 3].map((seq) => ({ seq, entryHash }));
    const content = encodeErasure({ chain: 'content', ground: 'order', ruleVersion: 'v', erased });
    await fuzz(mutants([content]), ['RECORD_PAYLOAD'], (mutant) => {
      // Of the right digest, as whoever signs such an entry can make it.
      const payload = encodeStatement({ kind: ERASE, content: mutant }, seededRandom('tombstone'));
      const entry = { ...signed.entry, payloadDigest: statementDigest(payload) };
      const read: Erasure = readErasure(entry, payload);
      expect(encodeErasure(read)).toEqual(mutant);
    });
  },
  FUZZ_TIMEOUT,
);
