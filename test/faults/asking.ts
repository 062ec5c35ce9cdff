/** One good request of every type that the bank serves, as its client would send it; each attack spoils one of these. */

import { systemRandom } from 'muniment/crypto';
import { conclude, confirm, initiate, joinMessages, request, type Clock } from 'muniment/protocol';
import {
  encodeErasure,
  encodeSignedEntry,
  ERASE,
  signEntry,
  TEN_YEARS_AFTER_DEATH,
  type Head,
  type SignedEntry,
} from 'muniment/record';
import { declareEmergency } from 'muniment/views';
import type { BankClient } from '../../examples/client/bank.ts';
import { CLOCK, type Connection } from '../../examples/client/connection.ts';
import { statedHead } from '../../examples/client/newest.ts';
import { statement, type Writing } from '../../examples/client/writing.ts';
import { writeText, type BankRequest } from '../../examples/server/api.ts';
import { recordNumber } from '../../examples/server/record-number.ts';
import type { Author } from './bank.ts';

/** A type of request. */
export type RequestType = BankRequest['type'];

/** What goes into one conversation. */
export interface Asking {
  readonly text: string;
  readonly documents: readonly Uint8Array[];
}

/** What may be wrong with it, though it is signed and sealed as it should be. */
export interface Spoilt {
  readonly id?: Uint8Array;
  /** By how much an entry's own time is off, in milliseconds. */
  readonly off?: number;
  /** Whom an entry in it names as its author. */
  readonly author?: Uint8Array;
}

/** Writes a request of each type. */
export const ASKING: Readonly<Record<RequestType, (by: Author, spoilt: Spoilt) => Promise<Asking>>> = {
  append: async (by, spoilt) => {
    const entry = encodeSignedEntry(await entryOf(by, by.document, spoilt));
    const entries = [{ entry, attachments: [], annexes: [] }];
    const text = textOf(spoilt, { type: 'append', recordId: by.record.recordId, entries, seenSize: 0 });
    return { text, documents: [by.document.payload] };
  },
  read: ({ record }, spoilt) => {
    const wanted = { chain: 'content', from: 0, purpose: 'of a test', part: null, size: null, seenSize: 0 };
    return plain(spoilt, { type: 'read', recordId: record.recordId, ...wanted });
  },
  find: ({ record }, spoilt) => plain(spoilt, { type: 'find', number: recordNumber(record.recordId) }),
  lookup: (_, spoilt) => plain(spoilt, { type: 'lookup', subjects: ['owner-0'], ids: [], groups: [] }),
  revocations: (_, spoilt) => plain(spoilt, { type: 'revocations', ids: [], size: 1 }),
  head: ({ record }, spoilt) => plain(spoilt, { type: 'head', recordId: record.recordId, seenSize: 0 }),
  'break-glass': async (by, spoilt) => {
    const { client, record } = by;
    const { recordId } = record;
    const about = { recordId, reason: 'of a test', kem: client.user.sealing.kem };
    const declared = await declareEmergency(client.user, about);
    const writing = statement('emergency', 'emergency', declared.statement);
    const entry = encodeSignedEntry(await entryOf(by, writing, spoilt));
    const text = textOf(spoilt, { type: 'break-glass', recordId, entry, seenSize: 0 });
    return { text, documents: [writing.payload] };
  },
  upload: ({ record }, spoilt) => {
    const annexes = [{ name: systemRandom(32), size: 4096 }];
    return plain(spoilt, { type: 'upload', recordId: record.recordId, annexes });
  },
  erase: async (by, spoilt) => {
    const { recordId } = by.record;
    const erased = [{ seq: 1, entryHash: systemRandom(32) }];
    const ruleVersion = TEN_YEARS_AFTER_DEATH.version;
    const content = encodeErasure({ chain: 'content', erased, ground: 'retention', ruleVersion });
    const writing = statement('erase', ERASE, content);
    const entry = encodeSignedEntry(await entryOf(by, writing, spoilt));
    const text = textOf(spoilt, { type: 'erase', recordId, entry, seenSize: 0 });
    return { text, documents: [writing.payload] };
  },
};

/** Types that bring entries with a time and an author of their own. */
export const BRINGING: readonly RequestType[] = ['append', 'break-glass', 'erase'];

/** What becomes of a good one: an erasure's term of ten years is over in no bank that was just made. */
export const OUTCOMES: Partial<Record<RequestType, string>> = { erase: 'RECORD_RETENTION' };

/** A conversation up to its last message, which is not sent. */
export interface Prepared {
  readonly first: Uint8Array;
  readonly third: Uint8Array;
  readonly request: Uint8Array;
  readonly transmission: Uint8Array;
  /** Opens the answer to it. */
  read(answer: Uint8Array): Promise<string>;
}

/**
 * Begins a conversation, and makes its last transmission.
 *
 * @param before - called before the request is sealed
 */
export async function prepareOn(
  connection: Connection,
  { user, trust }: Pick<BankClient, 'user' | 'trust'>,
  { text, documents }: Asking,
  { clock = CLOCK, before }: { readonly clock?: Clock; readonly before?: () => void } = {},
): Promise<Prepared> {
  const first = initiate(user, trust.bank, { binding: connection.binding(), clock });
  const third = await confirm(first.state, await connection.post('/session', first.message));
  before?.();
  const asked = await request(third.state, text, documents);
  return {
    ...{ first: first.message, third: third.message, request: asked.message },
    transmission: joinMessages(third.message, asked.message),
    read: async (answer) => (await conclude(asked.state, answer)).reply.data,
  };
}

async function entryOf(
  { client, record, owner }: Author,
  { kind, payloadType, digest: payloadDigest }: Writing,
  { off = 0, author }: Spoilt,
): Promise<SignedEntry> {
  const { recordId } = record;
  const head: Head = await statedHead(owner, recordId); // an administrator may write and not ask
  const signed = await signEntry(client.user, head, {
    ...{ origin: client.trust.origin, recordId, chain: 'content', kind, time: Date.now() + off },
    ...{ payloadType, payloadDigest, seen: null },
  });
  return author === undefined ? signed : { ...signed, entry: { ...signed.entry, author } };
}

function plain(spoilt: Spoilt, question: object): Promise<Asking> {
  return Promise.resolve({ text: textOf(spoilt, question), documents: [] });
}

function textOf({ id = systemRandom(16) }: Spoilt, question: object): string {
  return writeText({ id, ...question });
}
