/** HTTP over TLS: routes that carry conversations and annexes, and nothing that is not inside one of them. */

import fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { AnnexStore } from '../annexes.ts';
import type { Sessions } from '../sessions.ts';
import { annexRoutes } from './annexes.ts';
import { Connections } from './connections.ts';
import { conversationRoutes, MESSAGE_LIMIT } from './conversations.ts';
import { codeOf, REFUSED } from './refused.ts';

/** What the server is made of. */
export interface AppParts {
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string };
  readonly sessions: Sessions;
  readonly annexes: AnnexStore;
  readonly logger: FastifyBaseLogger;
}

/** Builds the server; it listens when told to. */
export function buildApp({ tls, sessions, annexes, logger }: AppParts): FastifyInstance {
  const app = fastify({
    https: { ...tls, minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: true },
    bodyLimit: MESSAGE_LIMIT,
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: 'idle',
  });
  const connections = new Connections(sessions);
  conversationRoutes(app, { sessions, connections });
  annexRoutes(app, { sessions, connections, annexes });

  app.setNotFoundHandler((_, response) => {
    void response.code(400).send(REFUSED);
  });

  app.setErrorHandler((error, request, response) => {
    request.log.warn({ event: 'error', code: codeOf(error) });
    void response.code(400).send(REFUSED);
  });
  return app;
}
