/** HTTP over TLS: routes that carry conversations and annexes, and nothing that is not inside one of them. */

import fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { AnnexStore } from '../annexes.ts';
import { during } from '../events.ts';
import type { Limits } from '../limits.ts';
import type { Revocations } from '../revocations.ts';
import type { Sessions } from '../sessions.ts';
import { annexRoutes } from './annexes.ts';
import { Bodies } from './bodies.ts';
import { Connections } from './connections.ts';
import { conversationRoutes, MESSAGE_LIMIT } from './conversations.ts';
import { describeWith } from './described.ts';
import { limitConnections, listenerOptions, serverOptions } from './listener.ts';
import { makeRates } from './rates.ts';
import { codeOf, RateError, REFUSED } from './refused.ts';
import { logRequests, remark } from './request-log.ts';
import { answerUnread } from './unread.ts';

/** The server's certificate and key, and the authority of its clients, in PEM. */
export interface ServerTls {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** What the server is made of. */
export interface AppParts {
  readonly tls: ServerTls;
  /** Clients' certificates that were taken back; `null` where nobody keeps a list. */
  readonly revocations: Revocations | null;
  readonly sessions: Sessions;
  readonly annexes: AnnexStore;
  readonly limits: Limits;
  readonly logger: FastifyBaseLogger;
}

/** The server, which listens when told to, and what it holds. */
export interface App {
  readonly app: FastifyInstance;
  readonly connections: Connections;
  /** The memory that messages take. */
  readonly bodies: Bodies;
}

/** What TLS needs, with the lists of revocations as they are now. */
export function secureContext(tls: ServerTls, revocations: Revocations | null) {
  const crl = revocations === null ? {} : { crl: [...revocations.lists.pem] };
  return { ...tls, ...crl, minVersion: 'TLSv1.3' } as const;
}

/** Builds the server. */
export async function buildApp(parts: AppParts): Promise<App> {
  const { tls, revocations, sessions, annexes, limits, logger } = parts;
  const connections = new Connections(sessions, revocations);
  const app = fastify({
    ...listenerOptions(limits, logger),
    https: {
      ...secureContext(tls, revocations),
      ...serverOptions(limits),
      requestCert: true,
      rejectUnauthorized: true,
    },
    bodyLimit: MESSAGE_LIMIT,
    genReqId: (request) => connections.nextId(request),
  });
  app.removeAllContentTypeParsers(); // what is not counted is not read
  connections.watch(app.server);
  limitConnections(app, limits);
  await describeWith(app);
  logRequests(app);
  answerUnread(app, limits);

  const bodies = new Bodies(limits);
  const rates = await makeRates(app, limits);
  const subject = (request: Parameters<typeof connections.of>[0]) => connections.of(request).subject;
  app.addHook('onRequest', rates.address);
  app.addHook('onRequest', rates.certificate(subject));
  app.addHook('preHandler', (request, _, done) => {
    during(request.id, done);
  });
  conversationRoutes(app, { sessions, connections, bodies, checkFirst: rates.firstMessages(subject) });
  annexRoutes(app, { sessions, connections, annexes });

  app.setNotFoundHandler((_, response) => {
    void response.code(400).send(REFUSED);
  });

  app.setErrorHandler((error, request, response) => {
    remark(request, { outcome: 'error', code: codeOf(error) });
    if (error instanceof RateError) void response.code(429).header('retry-after', error.after).send(REFUSED);
    else void response.code(400).send(REFUSED);
  });
  return { app, connections, bodies };
}
