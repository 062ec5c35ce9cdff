/** The vectors of spec/evidence.md, and honest histories, which no kind of evidence convicts. */

import { describe, expect, it } from 'vitest';
import { ED25519 } from '../../src/crypto/index.ts';
import { revokeCredential, Secret } from '../../src/keys/index.ts';
import { SoftwareSigner } from '../../src/keys/ports.ts';
import { signCharter } from '../../src/record/charter.ts';
import { writeFraud } from '../../src/record/fraud-file.ts';
import {
  directoryId,
  EMPTY_CHAIN,
  encodeSignedEntry,
  encodeStatement,
  headAfter,
  judge,
  logLeaf,
  signCheckpoint,
  signHead,
  type ChainName,
  type FraudKind,
} from '../../src/record/index.ts';
import { refusal } from '../refusal.ts';
import { casesOf, readVectors } from '../vectors/file.ts';
import type { FraudCase } from '../vectors/generators/fraud.ts';
import { seededRandom } from '../vectors/generators/seed.ts';
import { hex, unhex } from '../vectors/hex.ts';
import { Bank, ORIGIN, timeOf } from './fixture.ts';
import type { Evidence } from './liar.ts';

const file = readVectors<FraudCase>('fraud');

describe('vectors', () => {
  it.each(casesOf(file, 'head'))('$name', async ({ statement: s, ...one }) => {
    const signer = new SoftwareSigner(ED25519, new Secret('signing key', unhex(one.signingSecret)));
    const signed = await signHead(signer, {
      ...{ ...s, recordId: unhex(s.recordId), chain: s.chain as ChainName },
      head: { size: s.head.size, hash: unhex(s.head.hash) },
      tree: { size: s.tree.size, root: unhex(s.tree.root) },
    });
    expect(hex(signed)).toBe(one.signed);
  });

  it.each(casesOf(file, 'judge'))('$name', (one) => {
    const run = (): ReturnType<typeof judge> =>
      judge(one.file, { anchorId: unhex(one.anchorId), origin: one.origin });
    if (one.error !== undefined) {
      expect(refusal(run)).toBe(one.error);
      return;
    }
    const { kind, bank } = run();
    expect([kind, hex(bank.id)]).toEqual([one.kind, one.bank]);
  });
});

/** A bank that took some entries in an order drawn by lot, its clock standing still at times; then a revocation. */
async function history(seed: string): Promise<Bank> {
  const random = seededRandom(`honest history ${seed}`);
  const draw = (below: number): number => (random(1)[0] ?? 0) % below;
  const bank = await Bank.open();
  const times = [timeOf(0)];
  bank.timeOf = (index) => {
    while (times.length <= index) times.push((times.at(-1) ?? 0) + draw(2));
    return times[index] ?? 0;
  };
  await bank.take(bank.doctor, 'create', bank.creation());
  while (bank.log.size < 4 + draw(2)) {
    if (draw(2) === 0) await bank.take(bank.doctor, 'annotate', bank.statement('note', 'x'));
    else await bank.take(bank.bank, 'access', bank.statement('access', 'x'), { chain: 'access' });
  }
  const terms = { reason: 'superseded', revokedAt: 0 } as const;
  const content = await revokeCredential(bank.anchor, bank.doctor.credential, terms);
  Object.assign(bank.directory, { recordId: directoryId(ORIGIN) });
  await bank.hear(bank.anchor, encodeStatement({ kind: 'revocation', content }, bank.random));
  return bank;
}

describe.each(['a', 'b', 'c'])('an honest history %s', (seed) => {
  it('convicts nobody, of whatever', async () => {
    const bank = await history(seed);
    const { anchor, log, taken } = bank;
    const { signer, credential } = bank.bank;
    const all = [...taken, ...bank.heard];
    const keys = { origin: ORIGIN, ed25519: signer.publicKey, mlDsa44: null };
    const charter = await signCharter(anchor, { origin: ORIGIN, bank: credential.id, log: keys });
    const papers = { anchor: anchor.credential.encoded, bank: credential.encoded, charter };
    const trust = { anchorId: anchor.credential.id, origin: ORIGIN };
    const clears = (kind: FraudKind, evidence: Evidence): void => {
      expect(
        refusal(() => judge(writeFraud({ kind, ...papers, evidence }), trust)),
        kind,
      ).toBe('RECORD_FRAUD');
    };

    const words: Uint8Array[] = all.map(({ receipt }) => receipt);
    const trees: { size: number; signed: string }[] = [];
    for (let size = 1; size <= log.size; size++) {
      const tree = { size, root: log.root(size) };
      const last = taken.filter(({ chain, index }) => chain === 'content' && index < size).at(-1);
      const head = last === undefined ? EMPTY_CHAIN : headAfter(last.signed);
      const said = { origin: ORIGIN, recordId: bank.recordId, chain: 'content', head } as const;
      words.push(await signHead(signer, { ...said, tree, time: bank.timeOf(size - 1) }));
      trees.push({ size, signed: await signCheckpoint(bank.logSigner, tree, 0) });
    }
    for (const first of words)
      for (const second of words)
        for (const kind of ['two places', 'two roots', 'cut tail', 'out of order'] as const)
          clears(kind, { first, second });

    const leafAt = (i: number): Uint8Array => {
      const { signed, chain } = all[i] ?? { signed: taken[0]!.signed, chain: 'content' };
      const own = i < taken.length ? bank : bank.directory;
      const { recordId, tagSalt } = own;
      const entryHash = headAfter(signed).hash;
      return logLeaf({ recordId, tagSalt, chain, seq: signed.entry.seq, time: bank.timeOf(i), entryHash });
    };
    const [first] = taken;
    const creation = {
      ...{ creation: encodeSignedEntry(first!.signed), creationPayload: first!.payload },
      creationReceipt: first!.receipt,
    };
    for (const { size, signed: tree } of trees)
      for (let i = 0; i < size; i++) {
        const [leaf, proof] = [leafAt(i), log.inclusion(i, size)];
        for (const { receipt } of taken) clears('other leaf', { receipt, ...creation, leaf, proof, tree });
        for (const other of trees.filter((one) => one.size > i))
          clears('two leaves', {
            ...{ first: tree, firstLeaf: leaf, firstProof: proof, index: i },
            ...{ second: other.signed, secondLeaf: leaf, secondProof: log.inclusion(i, other.size) },
          });
      }

    const [heard] = bank.heard;
    for (const { signed, receipt } of all)
      for (const person of bank.people) {
        const said = { receipt, entry: encodeSignedEntry(signed), author: person.credential.encoded };
        clears('bad entry', said);
        clears('after revocation', {
          ...{ ...said, revocation: encodeSignedEntry(heard!.signed), revocationPayload: heard!.payload },
          revocationReceipt: heard!.receipt,
        });
      }
  });
});
