/** HTTP over TLS: three routes that carry conversations and annexes, and nothing that is not inside one of them. */

import fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
} from 'fastify';
import { HANDSHAKE_LIMIT } from 'muniment/protocol';
import { fromBase64url, toHex } from 'muniment/wire';
import type { Readable } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { AnnexStore } from './annexes.ts';
import { BankRefusal } from './refusal.ts';
import type { Connection, Outcome, Sessions } from './sessions.ts';

/** Longest request in bytes. */
const MESSAGE_LIMIT = 48 * 1024 * 1024;
const ANNEX_TYPE = 'application/vnd.muniment.annex';
/** RFC 9266. */
const EXPORTER_LABEL = 'EXPORTER-Channel-Binding';
/** The one reaction to everything that fails before a caller is authenticated, of one size. */
const REFUSED = 'SESSION_MESSAGE';

/** What the server is made of. */
export interface AppParts {
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string };
  readonly sessions: Sessions;
  readonly annexes: AnnexStore;
  readonly logger: FastifyBaseLogger;
}

/** Builds the server; it listens when told to. */
export function buildApp({ tls, sessions, annexes, logger }: AppParts): FastifyInstance {
  const connections = new WeakMap<TLSSocket, Known>();
  const app = fastify({
    https: { ...tls, minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: true },
    bodyLimit: MESSAGE_LIMIT,
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: 'idle',
  });

  const connectionOf = (request: FastifyRequest): Known => {
    const socket = request.raw.socket;
    if (!(socket instanceof TLSSocket)) throw new Error('not a TLS connection');
    const known = connections.get(socket) ?? know(socket);
    if (!connections.has(socket)) {
      connections.set(socket, known);
      socket.once('close', () => {
        sessions.lost(known);
      });
    }
    return known;
  };

  app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_, body, done) => {
    done(null, body);
  });
  app.addContentTypeParser(ANNEX_TYPE, (_, payload, done) => {
    done(null, payload);
  });

  app.post('/session', { bodyLimit: HANDSHAKE_LIMIT }, async (request, response) => {
    try {
      return await sessions.first(bodyOf(request), connectionOf(request));
    } catch (error) {
      request.log.info({ event: 'handshake refused', code: codeOf(error) });
      return response.code(400).send(REFUSED);
    }
  });

  app.post('/request', async (request, response) => {
    const connection = connectionOf(request);
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

  // Uploads come before the request that names them, so who may add is judged by the TLS certificate's subject; what
  // no accepted entry names is removed when the server starts.
  app.put<{ Params: { name: string } }>(
    '/annexes/:name',
    {
      onRequest: async (request, response) => {
        try {
          await sessions.checkUpload(connectionOf(request));
          if (request.headers['content-type'] !== ANNEX_TYPE) throw new BankRefusal('MALFORMED');
        } catch (error) {
          request.log.info({ event: 'annex refused', code: codeOf(error) });
          await response.code(400).send(REFUSED);
        }
      },
    },
    async (request, response) => {
      try {
        await annexes.take(fromBase64url(request.params.name), request.body as Readable);
        return await response.code(204).send();
      } catch (error) {
        request.log.info({ event: 'annex refused', code: codeOf(error) });
        return response.code(400).send(REFUSED);
      }
    },
  );

  app.get<{ Params: { name: string } }>('/annexes/:name', async (request, response) => {
    const name = fromBase64url(request.params.name);
    // Only what a signed, archived read on this very connection has named may be fetched.
    if (!connectionOf(request).annexes.has(toHex(name))) return response.code(404).send(REFUSED);
    const { stream, length } = await annexes.read(name);
    return response.type(ANNEX_TYPE).header('content-length', length).send(stream);
  });

  app.setNotFoundHandler((_, response) => {
    void response.code(400).send(REFUSED);
  });

  app.setErrorHandler((error, request, response) => {
    request.log.warn({ event: 'error', code: codeOf(error) });
    void response.code(400).send(REFUSED);
  });
  return app;
}

type Known = Connection & { readonly annexes: Set<string> };

function know(socket: TLSSocket): Known {
  const name = socket.getPeerCertificate().subject.CN;
  const value = new Uint8Array(socket.exportKeyingMaterial(32, EXPORTER_LABEL, Buffer.alloc(0)));
  return {
    binding: { kind: 'tls-exporter', value },
    subject: typeof name === 'string' ? name : '', // none or several: no subject of ours
    annexes: new Set(),
  };
}

function bodyOf(request: FastifyRequest): Uint8Array {
  const body = request.body;
  return body instanceof Uint8Array ? new Uint8Array(body) : new Uint8Array(0);
}

/** A code or class name for the log: an error's text could hold what a peer sent. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
