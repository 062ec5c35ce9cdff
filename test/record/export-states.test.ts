/** What an export says beside that it verifies: since when, by whom, what became of payloads; and mistakes of its caller. */

import { beforeAll, describe, expect, it } from 'vitest';
import {
  CHARTERS_LIMIT,
  ExportError,
  exportRecord,
  NO_WITNESSES,
  verifyExport,
  type ExportRules,
  type RecordExport,
} from '../../src/record/index.ts';
import { refusalOf } from '../refusal.ts';
import {
  ARCHIVES,
  EXPORT_RULES,
  FIRST_LOG,
  OLD_POLICY,
  oldExport,
  renewedTwice,
  SMALL_POLICY,
  witnessed,
} from './export-fixture.ts';
import { timeOf, type Bank } from './fixture.ts';

let bank: Bank;
let parts: RecordExport;
let rules: ExportRules;

beforeAll(async () => {
  ({ bank, parts } = await oldExport());
  rules = { ...EXPORT_RULES, anchorId: bank.anchor.credential.id, witnesses: OLD_POLICY };
});

const verified = (changes: Partial<ExportRules> = {}): ReturnType<typeof verifyExport> =>
  verifyExport(exportRecord(parts), { ...rules, ...changes });
const seconds = (time: number): number => Math.floor(time / 1000) * 1000;

describe('the log', () => {
  it('stands since the k-th earliest cosignature, whatever its line’s place', async () => {
    const since = async (threshold: number): Promise<number | null> =>
      (await verified({ witnesses: { ...OLD_POLICY, threshold } })).tree.since;
    expect([await since(1), await since(2), await since(3)]).toEqual([
      seconds(timeOf(5000)),
      seconds(timeOf(60_000)),
      seconds(timeOf(90_000)),
    ]);
  });

  it('stands since nobody knows when where no witness was demanded, though some are known', async () => {
    const { tree, notEstablished } = await verified({ witnesses: { ...OLD_POLICY, threshold: 0 } });
    expect([tree.since, tree.cosignatures.length]).toEqual([null, 3]);
    expect(notEstablished).toContainEqual(expect.stringMatching(/^since when the log stands/));
    expect((await verified()).notEstablished.filter((one) => one.includes('witness'))).toEqual([]);
  });

  it('is refused with a policy that nothing can meet, as the caller’s mistake', async () => {
    await expect(verified({ witnesses: { witnesses: [], threshold: 1 } })).rejects.toThrow(RangeError);
    const text = await renewedTwice(parts);
    const renewalLogs = [{ ...ARCHIVES[0].trust, witnesses: { witnesses: [], threshold: 1 } }];
    await expect(verifyExport(text, { ...rules, renewalLogs })).rejects.toThrow(RangeError);
  });
});

describe('renewals', () => {
  it('say who cosigned them, since when, and by a log that renewed its keys', async () => {
    const text = await renewedTwice(parts);
    const [first, second] = ARCHIVES.map(({ trust }) => trust) as [(typeof ARCHIVES)[0]['trust'], never];
    const { origin } = first.log;
    const earlier = { log: { ...first.log, ed25519: FIRST_LOG.ed25519.publicKey }, witnesses: NO_WITNESSES };
    const { renewals } = await verifyExport(text, { ...rules, renewalLogs: [earlier, first, second] });
    expect(renewals.map(({ tree }) => [tree?.cosignatures[0]?.name, tree?.since])).toEqual([
      [`${origin}/witness`, seconds(timeOf(10_000_000))],
      ['second.example/archive/witness', seconds(timeOf(20_000_000))],
    ]);
    expect(await refusalOf(() => verifyExport(text, { ...rules, renewalLogs: [earlier] }))).toBe(
      'RECORD_RENEWAL',
    );
    const unwitnessed = { ...first, witnesses: NO_WITNESSES };
    const { notEstablished } = await verifyExport(text, { ...rules, renewalLogs: [unwitnessed, second] });
    expect(notEstablished).toContainEqual(
      `since when this export stands in the log ${origin}: the cosignature of no witness was demanded`,
    );
  });
});

describe('payloads', () => {
  it('are given, erased by a tombstone with its ground, or withheld, and counted', async () => {
    const { content, access, payloads, notEstablished } = await verified();
    const states = (list: typeof content): unknown[] =>
      list.map(({ state, erasedBy }) => (erasedBy === null ? state : [state, erasedBy.seq, erasedBy.ground]));
    expect(states(content)).toEqual([
      ...['given', 'given', ['erased', 4, 'retention'], 'withheld', 'given', 'given', 'given'],
    ]);
    expect(states(access)).toEqual([['erased', 5, 'retention'], 'given']);
    expect(payloads).toEqual({
      content: { given: 5, erased: 1, withheld: 1 },
      access: { given: 1, erased: 1, withheld: 0 },
    });
    expect(notEstablished.filter((one) => one.includes('payloads'))).toEqual([
      'that erased payloads were what their entries say, or that nobody kept them (of the record: 1; of its accesses: 1)',
      'that payloads withheld from this export were what their entries say (of the record: 1; of its accesses: 0)',
    ]);
  });

  it('are erased in what is still good of a refused export, if the tombstone is', async () => {
    const good = async (broken: number): Promise<unknown> => {
      const content = parts.content.map((one, i) => (i === broken ? { ...one, proof: [] } : one));
      const error: unknown = await verifyExport(exportRecord({ ...parts, content }), rules).catch(
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(ExportError);
      return (error as ExportError).good.content[2]?.state;
    };
    expect([await good(4), await good(5)]).toEqual(['withheld', 'erased']);
  });
});

describe('charters', () => {
  it('name the bank of each receipt, and the last the bank of today', async () => {
    const { bank: today, content, access } = await verified();
    expect(today.id).toEqual(bank.bank.credential.id);
    const [before, after] = [bank.others[0]!.credential.id, today.id];
    const by = (list: typeof content): Uint8Array[] => list.map((one) => one.bank.id);
    expect(by(content)).toEqual([before, before, before, after, after, after, after]);
    expect(by(access)).toEqual([before, after]);
  });

  it('are 64 at most, one bank’s as often as its log has keys', async () => {
    const [first, second] = parts.charters as [Uint8Array, Uint8Array];
    const charters = [...Array.from({ length: CHARTERS_LIMIT - 1 }, () => first), second];
    expect((await verifyExport(exportRecord({ ...parts, charters }), rules)).content).toHaveLength(7);
    const many = exportRecord({ ...parts, charters: [first, ...charters] });
    expect(await refusalOf(() => verifyExport(many, rules))).toBe('RECORD_EXPORT');
  });

  it('do not vouch for each other’s keys', async () => {
    const checkpoint = await witnessed(bank.tree, FIRST_LOG);
    const text = exportRecord({ ...parts, checkpoint });
    expect(await refusalOf(() => verifyExport(text, { ...rules, witnesses: SMALL_POLICY }))).toBe(
      'RECORD_CHECKPOINT',
    );
  });
});
