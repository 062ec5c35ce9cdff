/** Following a chain: what an honest bank shows is taken, and a bank that goes back on its word is caught. */

import { beforeAll, describe, expect, it } from 'vitest';
import {
  EMPTY_CHAIN,
  follow,
  FollowError,
  hashEntry,
  headAfter,
  NO_WITNESSES,
  nothingFollowed,
  signCheckpoint,
  signHead,
  witnessKey,
  type Followed,
  type Head,
  type Shown,
} from '../../src/record/index.ts';
import { utf8 } from '../../src/wire/index.ts';
import { Bank, BODY, ORIGIN, timeOf, RULE } from './fixture.ts';

let bank: Bank;
let trust: Parameters<typeof follow<true>>[2];

beforeAll(async () => {
  bank = await (await Bank.open()).fill();
  const log = { origin: ORIGIN, ed25519: bank.bank.signer.publicKey, mlDsa44: null };
  const speaker = { origin: ORIGIN, anchor: bank.anchor.credential, bank: bank.bank.credential, log };
  trust = { speaker, witnesses: NO_WITNESSES, rules: bank.rules(), tagSalt: bank.tagSalt };
});

const headAt = (size: number, by = bank): Head => {
  const last = by.taken
    .slice(0, size)
    .filter(({ chain }) => chain === 'content')
    .at(-1);
  return last === undefined ? EMPTY_CHAIN : headAfter(last.signed);
};

/** What an honest bank shows at a log's size to who has followed it to another. */
async function show(from: number, size: number, changes: { head?: Head } = {}, by = bank): Promise<Shown> {
  const tree = { size, root: by.log.root(size) };
  const { signer } = by.bank;
  return {
    checkpoint: await signCheckpoint({ origin: ORIGIN, ed25519: signer, mlDsa44: null }, tree, 0),
    consistency: from === 0 ? [] : by.log.consistency(from, size),
    items: by.taken
      .slice(from, size)
      .filter(({ chain }) => chain === 'content')
      .map(({ signed, receipt, index }) => ({
        item: signed,
        receipt,
        proof: by.log.inclusion(index, size),
      })),
    head: await signHead(signer, {
      ...{ origin: ORIGIN, recordId: by.recordId, chain: 'content', head: headAt(size, by) },
      ...{ tree, time: timeOf(size) - 1, ...changes },
    }),
  };
}

const caught = async (known: Followed<true>, shown: Shown): Promise<FollowError> => {
  const error: unknown = await follow(known, shown, trust).catch((reason: unknown) => reason);
  if (error instanceof FollowError) return error;
  throw new Error('expected a FollowError', { cause: error });
};

describe('following', () => {
  it('takes what an honest bank shows, in whatever steps', async () => {
    for (let middle = 1; middle <= 6; middle++) {
      const first = await follow(nothingFollowed(RULE), await show(0, middle), trust);
      const second = await follow(first.known, await show(middle, 6), trust);
      expect(second.known.chain.head).toEqual(bank.heads.content);
      expect([...first.items, ...second.items].map(({ hash }) => hash)).toEqual(
        bank.items().map((signed) => hashEntry(signed)),
      );
    }
  });

  it('catches a tail cut off since, with what proves it', async () => {
    const { known } = await follow(nothingFollowed(RULE), await show(0, 5), trust);
    const shown = { ...(await show(5, 6, { head: headAt(2) })), items: [] };
    const { code, contradiction } = await caught(known, shown);
    expect(code).toBe('RECORD_HEAD');
    expect(contradiction?.kind).toBe('cut tail');
  });

  it('catches a tail that was cut before, once the bank shows it after all', async () => {
    // Remembered: no entry after the first, over a tree that holds the second already.
    const known = { ...(await follow(nothingFollowed(RULE), await show(0, 1), trust)).known };
    const lied = await show(1, 2, { head: headAt(1) });
    const { known: deceived } = await follow(known, { ...lied, items: [] }, trust);
    const { code, contradiction } = await caught(deceived, {
      ...(await show(1, 6)),
      consistency: bank.log.consistency(2, 6),
    });
    expect([code, contradiction?.kind]).toEqual(['RECORD_CONSISTENCY', 'cut tail']);
  });

  it('catches another history by the words that it kept, reading again from the start', async () => {
    const { known } = await follow(nothingFollowed(RULE), await show(0, 5), trust);
    const again = { ...nothingFollowed(RULE), checkpoint: known.checkpoint, words: known.words };
    // The same history again is no contradiction, and is remembered as it was.
    const same = await follow(
      again,
      { ...(await show(0, 6)), consistency: bank.log.consistency(5, 6) },
      trust,
    );
    expect(same.known.chain.head).toEqual(bank.heads.content);
    // The same bank tells another history from the second entry on: every word of it is good in itself.
    const fork = await Bank.open();
    await fork.take(fork.doctor, 'create', fork.creation());
    await fork.take(fork.doctor, 'insert', utf8('another body'), { payloadType: BODY });
    await fork.take(fork.bank, 'access', fork.statement('access', 'patient read'), { chain: 'access' });
    for (const body of ['second', 'third', 'fourth'])
      await fork.take(fork.doctor, 'insert', utf8(body), { payloadType: BODY });
    const { code, contradiction } = await caught(again, await show(0, 6, {}, fork));
    expect([code, contradiction?.kind]).toEqual(['RECORD_CONSISTENCY', 'two places']);
  });

  it('takes no checkpoint that too few witnesses cosigned', async () => {
    const key = witnessKey({ name: 'witness.example/w', signer: bank.doctor.signer });
    const witnesses = { witnesses: [key], threshold: 1 };
    const strict = follow(nothingFollowed(RULE), await show(0, 1), { ...trust, witnesses });
    await expect(strict).rejects.toMatchObject({ code: 'RECORD_WITNESS', contradiction: null });
  });

  it('catches another log of the same size, with what proves it', async () => {
    const { known } = await follow(nothingFollowed(RULE), await show(0, 6), trust);
    const root = new Uint8Array(32);
    const checkpoint = await signCheckpoint(bank.logSigner, { size: 6, root }, 0);
    const { code, contradiction } = await caught(known, { ...(await show(6, 6)), checkpoint });
    expect(code).toBe('RECORD_CONSISTENCY');
    expect(contradiction?.kind).toBe('two roots');
  });

  it('stops where parts are left out, and accuses nobody', async () => {
    const shown = await show(0, 6);
    const { known } = await follow(nothingFollowed(RULE), await show(0, 3), trust);
    const later = await show(3, 6);
    for (const [from, what, code] of [
      [nothingFollowed(RULE), { ...shown, items: shown.items.slice(1) }, 'RECORD_LINK'],
      [nothingFollowed(RULE), { ...shown, items: shown.items.slice(0, 2) }, 'RECORD_HEAD'],
      [
        nothingFollowed(RULE),
        { ...shown, items: shown.items.map((one) => ({ ...one, proof: [] })) },
        'RECORD_INCLUSION',
      ],
      [known, { ...later, consistency: [] }, 'RECORD_CONSISTENCY'],
    ] as const) {
      const error = await caught(from, what);
      expect([error.code, error.contradiction]).toEqual([code, null]);
    }
  });
});
