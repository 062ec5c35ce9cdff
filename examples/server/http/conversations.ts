/** The two routes of a conversation: its first message, and message 3 with the request. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HANDSHAKE_LIMIT } from 'muniment/protocol';
import { toHex } from 'muniment/wire';
import type { Outcome, Sessions } from '../sessions.ts';
import type { Connections } from './connections.ts';
import { codeOf, REFUSED } from './refused.ts';

/** Longest request in bytes. */
export const MESSAGE_LIMIT = 48 * 1024 * 1024;

/** Adds them. */
export function conversationRoutes(
  app: FastifyInstance,
  { sessions, connections }: { readonly sessions: Sessions; readonly connections: Connections },
): void {
  app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_, body, done) => {
    done(null, body);
  });

  app.post('/session', { bodyLimit: HANDSHAKE_LIMIT }, async (request, response) => {
    try {
      return await sessions.first(bodyOf(request), connections.of(request));
    } catch (error) {
      request.log.info({ event: 'handshake refused', code: codeOf(error) });
      return response.code(400).send(REFUSED);
    }
  });

  app.post('/request', async (request, response) => {
    const connection = connections.of(request);
    const started = performance.now();
    let outcome: Outcome;
    try {
      outcome = await sessions.second(bodyOf(request), connection);
    } catch (error) {
      request.log.info({ event: 'request refused', code: codeOf(error) });
      return response.code(400).send(REFUSED);
    }
    for (const name of outcome.annexes) connection.annexes.add(toHex(name));
    request.log.info({
      event: 'request',
      type: outcome.type,
      outcome: outcome.outcome,
      user: outcome.user === null ? null : toHex(outcome.user.id).slice(0, 16),
      ms: Math.round(performance.now() - started),
    });
    return outcome.message;
  });
}

function bodyOf(request: FastifyRequest): Uint8Array {
  const body = request.body;
  return body instanceof Uint8Array ? new Uint8Array(body) : new Uint8Array(0);
}
