/** The two routes of a conversation: its first message, and message 3 with the request. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HANDSHAKE_LIMIT } from 'muniment/protocol';
import { toHex } from 'muniment/wire';
import type { IncomingMessage } from 'node:http';
import { tell } from '../events.ts';
import type { Outcome, Sessions } from '../sessions.ts';
import type { Bodies } from './bodies.ts';
import type { Connections } from './connections.ts';
import { FIRST_ROUTE, REQUEST_ROUTE } from './described.ts';
import type { CheckRate } from './rates.ts';
import { codeOf, REFUSED } from './refused.ts';
import { remark } from './request-log.ts';

/** Longest request in bytes. */
export const MESSAGE_LIMIT = 48 * 1024 * 1024;
const MESSAGE_TYPE = 'application/octet-stream';

/** Adds them. */
export function conversationRoutes(
  app: FastifyInstance,
  parts: {
    readonly sessions: Sessions;
    readonly connections: Connections;
    readonly bodies: Bodies;
    readonly checkFirst: CheckRate;
  },
): void {
  const { sessions, connections, bodies, checkFirst } = parts;
  app.addHook('onRequest', (request, response, done) => {
    bodies.expect(request, response, connections.of(request).subject);
    done();
  });
  app.addContentTypeParser(MESSAGE_TYPE, (request: FastifyRequest, payload: IncomingMessage) =>
    bodies.collect(request, payload),
  );

  const first = { bodyLimit: HANDSHAKE_LIMIT, schema: FIRST_ROUTE, onRequest: checkFirst };
  app.post('/session', first, async (request, response) => {
    try {
      const answer = await sessions.first(bodyOf(request), connections.of(request));
      return await response.type(MESSAGE_TYPE).header('x-request-id', request.id).send(answer);
    } catch (error) {
      tell({ kind: 'handshake refused', code: codeOf(error) });
      remark(request, { outcome: 'handshake refused', code: codeOf(error) });
      return response.code(400).send(REFUSED);
    }
  });

  app.post('/request', { bodyLimit: MESSAGE_LIMIT, schema: REQUEST_ROUTE }, async (request, response) => {
    const connection = connections.of(request);
    const started = performance.now();
    let done: Outcome;
    try {
      done = await sessions.second(bodyOf(request), connection);
    } catch (error) {
      tell({ kind: 'handshake refused', code: codeOf(error) });
      remark(request, { outcome: 'request refused', code: codeOf(error) });
      return response.code(400).send(REFUSED);
    }
    const { type, outcome, user, message } = done;
    tell({ kind: 'conversation ended', type, outcome, seconds: (performance.now() - started) / 1000 });
    remark(request, { type, outcome, user: user === null ? null : toHex(user.id).slice(0, 16) });
    return response.type(MESSAGE_TYPE).header('x-request-id', request.id).send(message);
  });
}

function bodyOf(request: FastifyRequest): Uint8Array {
  return request.body instanceof Uint8Array ? request.body : new Uint8Array(0);
}
