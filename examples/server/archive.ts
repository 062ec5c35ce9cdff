/** The archive of requests: each is stored, durably and signed, before it is served, and served at most once. */

import { sha256 } from 'muniment/crypto';
import type { VerifiedEnvelope } from 'muniment/envelope';
import { equalBytes, utf8 } from 'muniment/wire';
import type { BankRequest } from './api.ts';
import { BankRefusal } from './refusal.ts';
import { plain, type Store, type StoredRequest } from './store.ts';

/** A verified request on its way to being served. */
export interface Incoming {
  readonly envelope: VerifiedEnvelope<'request'>;
  readonly request: BankRequest;
  readonly documents: readonly Uint8Array[];
  readonly sessionId: Uint8Array;
  readonly evidence: Uint8Array;
}

/**
 * Consumes the session and stores the evidence in one transaction. The same request under the same id is found
 * again; another one under that id is refused. Gives the request's number in the archive.
 */
export function archive(store: Store, incoming: Incoming): number {
  const { envelope, request, documents, sessionId, evidence } = incoming;
  const { author } = envelope;
  const digest = sha256(utf8(envelope.data));
  return store.transaction(() => {
    const known = findRequest(store, author.issuer, author.subject, request.id);
    if (known !== undefined) {
      if (!equalBytes(known.digest, digest)) throw new BankRefusal('REQUEST_REUSED');
      store.run('INSERT INTO repeats VALUES (?, ?, ?)', sessionId, known.number, evidence);
      return known.number;
    }
    const { lastInsertRowid } = store.run(
      'INSERT INTO requests (issuer, subject, id, session, author, digest, evidence, type) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      author.issuer,
      author.subject,
      request.id,
      sessionId,
      author.id,
      digest,
      evidence,
      request.type,
    );
    const number = Number(lastInsertRowid);
    documents.forEach((bytes, position) =>
      store.run('INSERT INTO pending VALUES (?, ?, ?)', number, position, bytes),
    );
    return number;
  });
}

/** The reply of a request that was executed, however often it is asked; `null` before. */
export function replyOf(store: Store, number: number): string | null {
  return (
    store.get<{ reply: string | null }>('SELECT reply FROM requests WHERE number = ?', number)?.reply ?? null
  );
}

/** Marks a request as executed, once; inside the transaction that executes it. */
export function settle(store: Store, number: number, reply: string): void {
  store.run('UPDATE requests SET reply = ? WHERE number = ? AND reply IS NULL', reply, number);
  store.run('DELETE FROM pending WHERE request = ?', number);
}

/** Requests that were archived but not executed when the server stopped, with what they brought. */
export function unfinished(store: Store): { stored: StoredRequest; documents: Uint8Array[] }[] {
  const rows = store.all<StoredRequest>(
    "SELECT * FROM requests WHERE reply IS NULL AND type = 'append' ORDER BY number",
  );
  return rows.map((stored) => ({
    stored,
    documents: store
      .all<{ bytes: Uint8Array }>(
        'SELECT bytes FROM pending WHERE request = ? ORDER BY position',
        stored.number,
      )
      .map(({ bytes }) => plain(bytes)),
  }));
}

/** The archived evidence of what was asked in a session. */
export function evidenceOf(store: Store, session: Uint8Array): Uint8Array | null {
  const row = store.get<{ evidence: Uint8Array }>(
    'SELECT evidence FROM requests WHERE session = ? UNION ALL SELECT evidence FROM repeats WHERE session = ?',
    session,
    session,
  );
  return row === undefined ? null : plain(row.evidence);
}

function findRequest(
  store: Store,
  issuer: Uint8Array,
  subject: string,
  id: Uint8Array,
): StoredRequest | undefined {
  return store.get<StoredRequest>(
    'SELECT * FROM requests WHERE issuer = ? AND subject = ? AND id = ?',
    issuer,
    subject,
    id,
  );
}
