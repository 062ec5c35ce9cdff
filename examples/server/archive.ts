/** The archive of requests: each is stored, durably and signed, before it is served, and served at most once. */

import { sha256 } from 'muniment/crypto';
import type { VerifiedEnvelope } from 'muniment/envelope';
import { equalBytes, utf8 } from 'muniment/wire';
import type { BankRequest } from './api.ts';
import { BankRefusal } from './refusal.ts';
import { plain } from './store/bytes.ts';
import type { Change, Database, StoredRequest } from './store/tables.ts';
import type { Cause } from './turn.ts';

/** A verified request on its way to being served. */
export interface Incoming {
  readonly envelope: VerifiedEnvelope<'request'>;
  readonly request: BankRequest;
  readonly documents: readonly Uint8Array[];
  readonly sessionId: Uint8Array;
  readonly evidence: Uint8Array;
}

/**
 * Consumes the session and stores the evidence. The same request under the same id is found again; another one under
 * that id is refused. Gives the request's number in the archive.
 *
 * @param judge - throws if it may not come in now, and is asked only if it comes for the first time
 */
export async function archive(
  change: Change,
  incoming: Incoming,
  judge: () => void = () => undefined,
): Promise<number> {
  const { envelope, request, documents, sessionId: session, evidence } = incoming;
  const { author } = envelope;
  const { issuer, subject } = author;
  const digest = sha256(utf8(envelope.data));
  const known = await change
    .selectFrom('requests')
    .select(['number', 'digest'])
    .where('issuer', '=', issuer)
    .where('subject', '=', subject)
    .where('id', '=', request.id)
    .executeTakeFirst();
  if (known !== undefined) {
    if (!equalBytes(known.digest, digest)) throw new BankRefusal('REQUEST_REUSED');
    await change.insertInto('repeats').values({ session, request: known.number, evidence }).execute();
    return known.number;
  }
  judge();
  const { number } = await change
    .insertInto('requests')
    .values({
      ...{ issuer, subject, id: request.id, session, author: author.id },
      ...{ digest, evidence, type: request.type },
    })
    .returning('number')
    .executeTakeFirstOrThrow();
  const pending = documents.map((bytes, position) => ({ request: number, position, bytes }));
  if (pending.length > 0) await change.insertInto('pending').values(pending).execute();
  return number;
}

/** The outcome of what is answered afresh when asked again: only that it was served is kept. */
export const AFRESH = '';

/** The reply of a request that was executed, however often it is asked; `null` before. */
export async function replyOf(database: Database, request: number): Promise<string | null> {
  const row = await database
    .selectFrom('outcomes')
    .select('reply')
    .where('request', '=', request)
    .executeTakeFirst();
  return row?.reply ?? null;
}

/** Marks a request as executed, once; inside the transaction that executes it. */
export async function settle(
  change: Change,
  { request }: Pick<Cause, 'request'>,
  reply: string,
): Promise<void> {
  await change
    .insertInto('outcomes')
    .values({ request, reply })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await change.deleteFrom('pending').where('request', '=', request).execute();
}

/** A request that was archived and not executed, with what it brought. */
export interface Unfinished {
  readonly stored: StoredRequest;
  readonly documents: readonly Uint8Array[];
}

/**
 * Requests to append that were archived but not executed when the server stopped. What each brought along is kept until
 * it is executed, so they are found without a look at all the others.
 */
export async function unfinished(database: Database): Promise<Unfinished[]> {
  const rows = await database
    .selectFrom('requests')
    .selectAll()
    .where('number', 'in', (query) => query.selectFrom('pending').select('request').distinct())
    .where('type', '=', 'append')
    .orderBy('number')
    .execute();
  const found = [];
  for (const stored of rows) {
    const documents = await database
      .selectFrom('pending')
      .select('bytes')
      .where('request', '=', stored.number)
      .orderBy('position')
      .execute();
    found.push({ stored, documents: documents.map(({ bytes }) => plain(bytes)) });
  }
  return found;
}

/** The archived evidence of what was asked in a session. */
export async function evidenceOf(database: Database, session: Uint8Array): Promise<Uint8Array | null> {
  const first = await database
    .selectFrom('requests')
    .select('evidence')
    .where('session', '=', session)
    .unionAll(database.selectFrom('repeats').select('evidence').where('session', '=', session))
    .executeTakeFirst();
  return first === undefined ? null : plain(first.evidence);
}
