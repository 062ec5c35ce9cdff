/** Renewals: an export anchored anew, twice, and every part of that exchanged or altered. */

import { beforeAll, describe, expect, it } from 'vitest';
import { createKeys, type SoftwareKeys } from '../../src/keys/index.ts';
import type { ErrorCode } from '../../src/errors.ts';
import {
  exportRecord,
  Log,
  logKeysOf,
  NO_WITNESSES,
  removePayload,
  renewalLeaf,
  renewExport,
  signCheckpoint,
  verifyExport,
  type ExportRules,
  type RecordExport,
  type Renewal,
} from '../../src/record/index.ts';
import { parseExport } from '../../src/record/export-file.ts';
import { verifyRenewals } from '../../src/record/renewal.ts';
import { flipped } from '../mutation.ts';
import { refusal, refusalOf } from '../refusal.ts';
import { Bank, DIGESTS, ORIGIN, RULE } from './fixture.ts';

let bank: Bank;
let once: string;
let twice: string;
let rules: ExportRules;
const archives = ['first.example/archive', 'second.example/archive'].map((origin) => {
  return { origin, log: new Log(), keys: createKeys() };
});

async function renewed(
  text: string,
  archive: { origin: string; log: Log; keys: SoftwareKeys },
): Promise<string> {
  const { origin, log, keys } = archive;
  log.append(new Uint8Array(32).fill(1)); // somebody else's
  const index = log.append(renewalLeaf(text, 'SHA-512'));
  log.append(new Uint8Array(32).fill(2));
  const checkpoint = await signCheckpoint(
    { origin, ed25519: keys.signer, mlDsa44: null },
    { size: log.size, root: log.root() },
    0,
  );
  return renewExport(text, { algorithm: 'SHA-512', origin, index, proof: log.inclusion(index), checkpoint });
}

beforeAll(async () => {
  bank = await (await Bank.open()).fill();
  once = await renewed(exportRecord(await bank.parts()), archives[0]!);
  twice = await renewed(once, archives[1]!);
  rules = {
    anchorId: bank.anchor.credential.id,
    ...{ origin: ORIGIN, witnesses: NO_WITNESSES, rule: RULE, digests: DIGESTS, openings: {} },
    renewalLogs: archives.map(({ origin, keys }) => ({
      log: logKeysOf({ origin, ed25519: keys.signer, mlDsa44: null }),
      witnesses: NO_WITNESSES,
    })),
  };
});

const alone = (parts: RecordExport): ErrorCode => refusal(() => verifyRenewals(parts, rules.renewalLogs));

describe('an export renewed twice', () => {
  it('verifies with its oldest proofs, and says where it was renewed', async () => {
    const { renewals, tree, content } = await verifyExport(twice, rules);
    expect(renewals.map(({ algorithm, origin, tree: at }) => [algorithm, origin, at?.size])).toEqual([
      ['SHA-512', archives[0]!.origin, 3],
      ['SHA-512', archives[1]!.origin, 3],
    ]);
    expect([tree.size, content.length]).toEqual([6, 4]);
  });

  it('establishes nothing by a log that is not trusted, and says so', async () => {
    const { renewals, notEstablished } = await verifyExport(twice, { ...rules, renewalLogs: [] });
    expect(renewals.map(({ tree }) => tree)).toEqual([null, null]);
    expect(notEstablished.filter((one) => one.includes('archive'))).toHaveLength(2);
  });

  it('is refused with the first renewal removed, altered, repeated or behind the second', async () => {
    const parts = parseExport(twice);
    const [first, second] = parts.renewals as [Renewal, Renewal];
    for (const renewals of [
      [second],
      [second, first],
      [first, first, second],
      [{ ...first, index: 0 }, second],
      [first, { ...second, algorithm: 'SHA-256' }],
      [first, { ...second, algorithm: 'constructor' }],
      [first, { ...second, proof: [] }],
      [first, { ...second, checkpoint: first.checkpoint }],
    ])
      expect(await refusalOf(() => verifyExport(exportRecord({ ...parts, renewals }), rules))).toBe(
        'RECORD_RENEWAL',
      );
    // By the second alone, to which the first is no more than what it covers.
    const later = rules.renewalLogs.slice(1);
    const changed = { ...parts, renewals: [{ ...first, checkpoint: `${first.checkpoint}x` }, second] };
    expect(refusal(() => verifyRenewals(changed, later))).toBe('RECORD_RENEWAL');
  });

  it('cannot show that its last renewal was cut off', async () => {
    expect((await verifyExport(once, rules)).renewals).toHaveLength(1);
  });
});

it('finds whatever was altered by the renewals alone, even where every older algorithm had failed', () => {
  const parts = parseExport(twice);
  const [entry, ...rest] = parts.content;
  const { signed, payload, receipt, proof } = entry!;
  for (const changes of [
    { payload: null },
    { payload: flipped(payload!, 0) },
    { receipt: flipped(receipt, 0) },
    { proof: proof.slice(1) },
    { signed: { ...signed, signature: flipped(signed.signature, 0) } },
    { signed: { ...signed, entry: { ...signed.entry, time: 1 } } },
  ])
    expect(alone({ ...parts, content: [{ ...entry!, ...changes }, ...rest] })).toBe('RECORD_RENEWAL');
  for (const changes of [
    { content: rest },
    { access: [] },
    { content: parts.access, access: parts.content },
    { credentials: parts.credentials.slice(1) },
    { charters: [] },
    { recordId: new Uint8Array(16) },
    { origin: 'other.example/log' },
    { checkpoint: '' },
    { directory: { recordId: new Uint8Array(16), tagSalt: new Uint8Array(32), entries: [] } },
  ])
    expect(alone({ ...parts, ...changes })).toBe('RECORD_RENEWAL');
  // What was opened is chosen for each reader.
  const opened = parts.content.map((one) => ({ ...one, opened: new Uint8Array(1) }));
  expect(verifyRenewals({ ...parts, content: opened }, rules.renewalLogs)).toHaveLength(2);
});

describe('a payload taken out', () => {
  it('leaves the renewals whole, and can be withheld or erased like any other', async () => {
    const removed = removePayload(twice, { chain: 'content', seq: 3 });
    const { content, renewals } = await verifyExport(removed, rules);
    expect(renewals.map(({ tree }) => tree?.size)).toEqual([3, 3]);
    expect(content.map(({ state }) => state)).toEqual(['given', 'given', 'given', 'withheld']);
    expect(removed.length).toBeLessThan(twice.length + 200);
    expect(removePayload(removed, { chain: 'content', seq: 3 })).toBe(removed);
    const again = await verifyExport(await renewed(removed, archives[0]!), rules);
    expect(again.renewals).toHaveLength(3);
    expect(alone({ ...parseExport(removed), access: [] })).toBe('RECORD_RENEWAL');
  });

  it('leaves no digest where nothing was renewed', async () => {
    const never = exportRecord(await bank.parts());
    const removed = parseExport(removePayload(never, { chain: 'access', seq: 1 }));
    expect(removed.access.map(({ payload, digests }) => [payload === null, digests.length])).toEqual([
      [false, 0],
      [true, 0],
    ]);
  });

  it('is no entry beyond the end, and not the creation', () => {
    for (const seq of [0, 4])
      expect(refusal(() => removePayload(twice, { chain: 'content', seq }))).toBe('RECORD_EXPORT');
    const parts = parseExport(once);
    const unknown = exportRecord({ ...parts, renewals: [{ ...parts.renewals[0]!, algorithm: 'SHA-3' }] });
    expect(refusal(() => removePayload(unknown, { chain: 'content', seq: 1 }))).toBe('RECORD_RENEWAL');
  });
});

it('is refused another algorithm, and more than 256 renewals', () => {
  expect(refusal(() => renewalLeaf(once, 'SHA-1' as 'SHA-512'))).toBe('RECORD_RENEWAL');
  const parts = parseExport(once);
  const full = exportRecord({ ...parts, renewals: Array.from({ length: 256 }, () => parts.renewals[0]!) });
  expect(refusal(() => renewalLeaf(full, 'SHA-512'))).toBe('RECORD_RENEWAL');
  expect(refusal(() => renewExport(full, parts.renewals[0]!))).toBe('RECORD_RENEWAL');
});
