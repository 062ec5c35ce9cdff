/**
 * How long the bank takes, over TLS and from the asker's side, to refuse a patient a record that is another's, and one that
 * is not there: who asks must not learn from it which of them it was.
 */

import { KEM_X25519, systemRandom } from 'muniment/crypto';
import { EMPTY_CHAIN, encodeSignedEntry, signEntry } from 'muniment/record';
import { declareEmergency } from 'muniment/views';
import { Refused, type BankClient } from '../../examples/client/bank.ts';
import { statement, type Writing } from '../../examples/client/writing.ts';
import { recordNumber } from '../../examples/server/record-number.ts';
import { startBank } from '../bank-at-work.ts';
import type { Contest } from '../measure.ts';

/** Single conversations differ by a tenth, and a twentieth is looked for: the median of a hundred is within some hundredths. */
const ROW_TIME = 10_000;

/** Asks, and is refused. */
type Question = (client: BankClient, recordId: Uint8Array) => Promise<unknown>;

const QUESTIONS: Readonly<Record<string, Question>> = {
  read: (client, recordId) =>
    client.ask<'read'>({
      ...{ type: 'read', recordId, chain: 'content', from: 0, size: null },
      ...{ purpose: 'curiosity', part: null },
    }),
  head: (client, recordId) => client.ask<'head'>({ type: 'head', recordId }),
  find: (client, recordId) => client.ask<'find'>({ type: 'find', number: recordNumber(recordId) }),
  append: async (client, recordId) => {
    const { entry, payload } = await signed(client, recordId, statement('grant', 'grant', systemRandom(64)));
    const entries = [{ entry, attachments: [], annexes: [] }];
    return client.ask<'append'>({ type: 'append', recordId, entries }, [payload]);
  },
  'break the glass': async (client, recordId) => {
    const declared = await declareEmergency(client.user, { recordId, reason: 'none', kem: KEM_X25519 });
    const writing = statement('emergency', 'emergency', declared.statement);
    const { entry, payload } = await signed(client, recordId, writing);
    return client.ask<'break-glass'>({ type: 'break-glass', recordId, entry }, [payload]);
  },
};

export async function* refusals(): AsyncGenerator<Contest> {
  const bank = await startBank('sqlite', 1);
  try {
    const stranger = bank.clientOf('stranger');
    for (const [name, question] of Object.entries(QUESTIONS)) {
      const refused = (record: () => Uint8Array) => ({ run: () => refuse(question, stranger, record()) });
      yield {
        name: `refuse to ${name}`,
        baseline: 'absent',
        rowTime: ROW_TIME,
        rows: {
          absent: refused(() => systemRandom(16)),
          "another's": refused(() => bank.record.recordId),
        },
      };
    }
  } finally {
    await bank.end();
  }
}

async function refuse(question: Question, client: BankClient, recordId: Uint8Array): Promise<void> {
  const error: unknown = await question(client, recordId).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Refused) || error.code !== 'FORBIDDEN')
    throw new Error('the bank did not refuse', { cause: error });
}

async function signed({ user, trust }: BankClient, recordId: Uint8Array, writing: Writing) {
  const entry = await signEntry(user, EMPTY_CHAIN, {
    ...{ origin: trust.origin, recordId, chain: 'content', kind: writing.kind, time: Date.now() },
    ...{ payloadType: writing.payloadType, payloadDigest: writing.digest, seen: null },
  });
  return { entry: encodeSignedEntry(entry), payload: writing.payload };
}
