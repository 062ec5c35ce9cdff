/**
 * Cheating banks, each caught by a client that does no more than follow() a chain, and convicted by a file made of
 * what that client holds. Where no answer contradicts itself by its words alone, the test says what the client asks for.
 */

import { beforeAll, describe, expect, it } from 'vitest';
import {
  createKeyHistory,
  credentialAsOf,
  revokeCredential,
  verifyRevocation,
} from '../../src/keys/index.ts';
import { openReceipt } from '../../src/record/receipt.ts';
import {
  ChainError,
  EMPTY_CHAIN,
  encodeSignedEntry,
  follow,
  FollowError,
  hashEntry,
  headAfter,
  judge,
  logLeaf,
  nothingFollowed,
  proveFraud,
  signEntry,
  verifyInclusion,
  type ChainRules,
  type Followed,
  type FraudKind,
  type Head,
  type Log,
  type Receipt,
  type Shown,
  type SignedEntry,
} from '../../src/record/index.ts';
import { refusal } from '../refusal.ts';
import { ORIGIN, RULE, timeOf, type Bank } from './fixture.ts';
import { ANOTHER, Liar, type Evidence } from './liar.ts';

let liar: Liar;
let bank: Bank;
let trust: Parameters<typeof follow<true>>[2];

beforeAll(async () => {
  liar = await Liar.open();
  ({ bank } = liar);
  const log = { origin: ORIGIN, ed25519: bank.bank.signer.publicKey, mlDsa44: null };
  const speaker = { origin: ORIGIN, anchor: bank.anchor.credential, bank: bank.bank.credential, log };
  trust = { speaker, rules: bank.rules(), tagSalt: bank.tagSalt };
});

const headAt = (size: number): Head => {
  const last = bank.taken
    .slice(0, size)
    .filter(({ chain }) => chain === 'content')
    .at(-1);
  return last === undefined ? EMPTY_CHAIN : headAfter(last.signed);
};
type Shows = Shown['items'][number];
const item = (i: number, log: Log, size: number, changes: Partial<Shows> = {}): Shows => ({
  item: bank.taken[i]!.signed,
  receipt: liar.receiptOf(i),
  proof: i < size ? log.inclusion(i, size) : [],
  ...changes,
});
const CONTENT = [0, 1, 3, 4];

/** What the bank shows at a log's size to who has followed it to another: honest but for what is changed. */
async function show(
  from: number,
  size: number,
  { log = bank.log, head = headAt(size), items, time = timeOf(size) - 1 }: Partial<Lie> = {},
): Promise<Shown> {
  const tree = liar.tree(log, size);
  return {
    checkpoint: await liar.checkpoint(tree),
    consistency: from === 0 ? [] : log.consistency(from, size),
    items: items ?? CONTENT.filter((i) => i >= from && i < size).map((i) => item(i, log, size)),
    head: await liar.headOf({ head, tree, time }),
  };
}
interface Lie {
  log: Log;
  head: Head;
  items: Shows[];
  time: number;
}

const NOTHING = nothingFollowed(RULE);
const followedTo = async (size: number): Promise<Followed<true>> =>
  (await follow(NOTHING, await show(0, size), trust)).known;
const caught = async (
  known: Followed<true>,
  shown: Shown,
  rules: ChainRules<true> = trust.rules,
): Promise<FollowError> => {
  const error: unknown = await follow(known, shown, { ...trust, rules }).catch((reason: unknown) => reason);
  if (error instanceof FollowError) return error;
  throw new Error('expected a FollowError', { cause: error });
};
const convicts = (kind: FraudKind, evidence: Evidence): void => {
  const text = proveFraud(kind, liar.accused, evidence as never);
  const { kind: proved, bank: culprit } = judge(text, liar.trust);
  expect([proved, culprit.subject]).toEqual([kind, 'bank']);
};
/** Caught with this code, and what the error hands on convicts of this kind. */
const convictedBy = async (
  known: Followed<true>,
  shown: Shown,
  code: string,
  kind: FraudKind,
): Promise<void> => {
  const error = await caught(known, shown);
  expect([error.code, error.contradiction?.kind]).toEqual([code, kind]);
  convicts(kind, { ...error.contradiction!.evidence });
};
/** Caught with this code, by no contradiction between two words. */
const stoppedBy = async (known: Followed<true>, shown: Shown, code: string): Promise<FollowError> => {
  const error = await caught(known, shown);
  expect([error.code, error.contradiction?.kind]).toEqual([code, undefined]);
  return error;
};

describe('a client that follows catches a bank that', () => {
  it('forks a tail', async () => {
    const head = headAfter(await liar.forkOf(4));
    await convictedBy(await followedTo(5), await show(5, 6, { head }), 'RECORD_HEAD', 'two places');
  });

  it('shows two heads to two clients, once they show each other what they hold', async () => {
    const fork = await liar.forkOf(4);
    const log = liar.forged(4, 4);
    const place = { leafIndex: 4, time: timeOf(4) };
    log.append(leafOf(fork, place));
    const told = { ...place, entryHash: hashEntry(fork), head: headAfter(fork), tree: liar.tree(log, 5) };
    const forked = item(4, log, 5, { item: fork, receipt: await liar.lie(4, told) });
    const items = [...[0, 1, 3].map((i) => item(i, log, 5)), forked];
    const ours = await followedTo(5);
    const theirs = (await follow(NOTHING, await show(0, 5, { log, head: headAfter(fork), items }), trust))
      .known;
    convicts('two places', { first: ours.words.at(-1)!, second: theirs.words.at(-1)! });
    convicts('two roots', { first: ours.checkpoint!, second: theirs.checkpoint! });
    // And each alone, as soon as it is served what the other was.
    await convictedBy(theirs, await show(5, 5), 'RECORD_CONSISTENCY', 'two roots');
  });

  it('signs history again under an entry that a receipt links to', async () => {
    const fork = await liar.forkOf(3);
    const after = await signEntry(bank.doctor, headAfter(fork), {
      ...bank.taken[4]!.signed.entry,
      seen: null,
    });
    const log = liar.forged(3, 3);
    log.append(leafOf(fork, { time: timeOf(3) }));
    log.append(leafOf(after, { time: timeOf(4) }));
    const receipt = await liar.lie(4, {
      prev: hashEntry(fork),
      entryHash: hashEntry(after),
      head: headAfter(after),
    });
    const items = [item(4, log, 5, { item: after, receipt })];
    const shown = await show(4, 5, { log, head: headAfter(after), items });
    await convictedBy(await followedTo(4), shown, 'RECORD_CONSISTENCY', 'two places');
  });

  it('gives one leaf to two entries', async () => {
    const items = [
      item(3, bank.log, 5),
      item(4, bank.log, 5, { receipt: await liar.lie(4, { leafIndex: 3 }) }),
    ];
    await convictedBy(await followedTo(3), await show(3, 5, { items }), 'RECORD_INCLUSION', 'two places');
  });

  it('cuts a tail', async () => {
    const shown = await show(5, 6, { head: headAt(2) });
    await convictedBy(await followedTo(5), shown, 'RECORD_HEAD', 'cut tail');
    // And for whom the bank took nothing but one entry:
    const own = { ...NOTHING, words: [liar.receiptOf(4)] };
    await convictedBy(own, await show(0, 6, { head: headAt(2), items: [] }), 'RECORD_HEAD', 'cut tail');
  });

  it('hides an entry: its leaf is not where the receipt says', async () => {
    const log = liar.forged(3);
    // Where the checkpoint has the size that the receipt speaks of, both words are enough.
    await convictedBy(NOTHING, await show(0, 4, { log }), 'RECORD_INCLUSION', 'two roots');
    // Else the client asks for the leaf in that place, under the checkpoint that it was shown.
    const shown = await show(0, 6, { log });
    await stoppedBy(NOTHING, shown, 'RECORD_INCLUSION');
    const leaf = { tree: shown.checkpoint, leaf: ANOTHER, proof: log.inclusion(3) };
    convicts('other leaf', { receipt: shown.items[2]!.receipt, ...liar.creation(), ...leaf });
  });

  it('states in a receipt a root over a log without the entry', async () => {
    const log = liar.forged(3, 4);
    const receipt = await liar.lie(3, { tree: liar.tree(log) });
    const items = [item(3, bank.log, 4, { receipt })];
    await convictedBy(await followedTo(3), await show(3, 4, { items }), 'RECORD_CONSISTENCY', 'two roots');
    // A writer that holds nothing but the receipt asks for the leaf under the receipt's own root.
    const told = openReceipt(receipt, bank.bank.credential);
    const place = { index: 3, proof: log.inclusion(3) };
    const opening = bank.opening(bank.taken[3]!.signed, told.time);
    expect(
      refusal(() => {
        verifyInclusion(opening, place, told.tree);
      }),
    ).toBe('RECORD_INCLUSION');
    const leaf = { tree: receipt, leaf: ANOTHER, proof: place.proof };
    convicts('other leaf', { receipt, ...liar.creation(), ...leaf });
  });

  it('splits the view', async () => {
    const log = liar.forged(2);
    await convictedBy(await followedTo(6), await show(6, 6, { log }), 'RECORD_CONSISTENCY', 'two roots');
    // At another size the client asks both logs for their leaves, until one differs.
    const known = await followedTo(5);
    const shown = await show(5, 6, { log });
    await stoppedBy(known, shown, 'RECORD_CONSISTENCY');
    convicts('two leaves', {
      ...{
        first: known.checkpoint!,
        firstLeaf: liar.leafAt(2),
        firstProof: bank.log.inclusion(2, 5),
        index: 2,
      },
      ...{ second: shown.checkpoint, secondLeaf: ANOTHER, secondProof: log.inclusion(2) },
    });
  });

  it('dates an entry back', async () => {
    const time = timeOf(2);
    const log = liar.forged(4, 4);
    log.append(leafOf(bank.taken[4]!.signed, { time }));
    const items = [
      item(3, log, 5),
      item(4, log, 5, { receipt: await liar.lie(4, { time, tree: liar.tree(log) }) }),
    ];
    await convictedBy(
      await followedTo(3),
      await show(3, 5, { log, items }),
      'RECORD_CONSISTENCY',
      'out of order',
    );
    // Against a head that was shown before, too.
    await convictedBy(
      await followedTo(4),
      await show(4, 5, { log, items: items.slice(1) }),
      'RECORD_CONSISTENCY',
      'out of order',
    );
  });

  it('takes an entry after its successor', async () => {
    const log = liar.forged(3, 3);
    const [first, second] = [bank.taken[3]!.signed, bank.taken[4]!.signed];
    log.append(leafOf(second, { time: timeOf(3) }));
    log.append(leafOf(first, { time: timeOf(4) }));
    const told = async (i: number, leafIndex: number): Promise<Uint8Array> =>
      liar.lie(i, { leafIndex, time: timeOf(leafIndex), tree: liar.tree(log, leafIndex + 1) });
    const items = [
      item(3, log, 5, { receipt: await told(3, 4), proof: log.inclusion(4, 5) }),
      item(4, log, 5, { receipt: await told(4, 3), proof: log.inclusion(3, 5) }),
    ];
    await convictedBy(
      await followedTo(3),
      await show(3, 5, { log, items }),
      'RECORD_CONSISTENCY',
      'out of order',
    );
  });

  it('counts in a head an entry that is not in the log', async () => {
    const items = [item(3, bank.log, 4), item(4, bank.log, 4)];
    const shown = await show(3, 4, { items, head: headAt(5), time: timeOf(5) });
    await convictedBy(await followedTo(3), shown, 'RECORD_INCLUSION', 'out of order');
  });

  it('takes an entry that its author did not sign', async () => {
    const forgery = await liar.forgeryOf(4);
    const log = liar.forged(4, 4);
    log.append(leafOf(forgery, { time: timeOf(4) }));
    const receipt = await liar.lie(4, {
      entryHash: hashEntry(forgery),
      head: headAfter(forgery),
      tree: liar.tree(log),
    });
    const items = [item(4, log, 5, { item: forgery, receipt })];
    const shown = await show(4, 5, { log, items, head: headAfter(forgery) });
    const { cause } = await stoppedBy(await followedTo(4), shown, 'RECORD_AUTHOR');
    // The error says which; author and receipt were shown with it.
    expect([cause instanceof ChainError, (cause as ChainError).seq]).toEqual([true, 3]);
    const author = bank.doctor.credential.encoded;
    convicts('bad entry', { receipt, entry: encodeSignedEntry(forgery), author });
  });

  it('takes an entry after its author’s credential had ended, whatever the entry says of its time', async () => {
    const time = bank.doctor.credential.notAfter + 1;
    const log = liar.forged(4, 4);
    log.append(leafOf(bank.taken[4]!.signed, { time }));
    const items = [item(4, log, 5, { receipt: await liar.lie(4, { time, tree: liar.tree(log) }) })];
    await stoppedBy(await followedTo(4), await show(4, 5, { log, items, time }), 'RECORD_AUTHOR');
    convicts('bad entry', { ...liar.taken(), receipt: items[0]!.receipt });
  });

  it('says in a receipt that the entry stands elsewhere', async () => {
    const items = [item(4, bank.log, 5, { receipt: await liar.lie(4, { seq: 7 }) })];
    // Beside the head, too: it counts no entry 7.
    await convictedBy(await followedTo(4), await show(4, 5, { items }), 'RECORD_RECEIPT', 'cut tail');
    convicts('bad entry', { ...liar.taken(), receipt: items[0]!.receipt });
  });

  it('takes an entry under a key that its directory knows to be revoked', async () => {
    const { anchor, doctor, people } = bank;
    const statement = await revokeCredential(anchor, doctor.credential, {
      reason: 'superseded',
      revokedAt: 0,
    });
    const heard = await liar.revocation(statement, 'revocation', anchor);
    // The client judges authors by the directory, and as of the time for which the bank answers.
    const { time } = openReceipt(heard['revocationReceipt'] as Uint8Array, bank.bank.credential);
    const history = createKeyHistory(anchor.credential, {
      credentials: people.map(({ credential }) => credential).filter(({ subject }) => subject !== 'admin'),
      revocations: [verifyRevocation(statement, anchor.credential, time)],
    });
    const shown = await show(3, 5);
    const receipts = shown.items.map(({ receipt }) => openReceipt(receipt, bank.bank.credential));
    const takenAt = (seq: number): number => receipts.find((receipt: Receipt) => receipt.seq === seq)!.time;
    const rules = bank.rules({ authors: (id, { seq }) => credentialAsOf(history, id, takenAt(seq)) });
    const error = await caught(await followedTo(3), shown, rules);
    expect([error.code, error.contradiction]).toEqual(['KEY_REVOKED', null]);
    convicts('after revocation', { ...liar.taken(), ...heard });
  });
});

function leafOf(signed: SignedEntry, { time }: { time: number }): Uint8Array {
  return logLeaf(bank.opening(signed, time));
}
