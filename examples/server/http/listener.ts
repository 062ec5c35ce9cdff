/** What every listener of the server has: limits on headers, time and connections, and a log without what peers sent. */

import { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { Server, Socket } from 'node:net';
import { tell } from '../events.ts';
import type { Limits } from '../limits.ts';
import { networkOf } from './address.ts';

const SECOND = 1000;

/** Options of fastify's. */
export function listenerOptions(limits: Limits, logger: FastifyBaseLogger) {
  return {
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'id' }),
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    connectionTimeout: limits.silentSeconds * SECOND,
    keepAliveTimeout: limits.idleSeconds * SECOND,
    requestTimeout: requestTimeout(limits),
  } as const;
}

/** Options of Node's own server. */
export function serverOptions(limits: Limits) {
  return {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headerSeconds * SECOND,
    requestTimeout: requestTimeout(limits),
    handshakeTimeout: limits.handshakeSeconds * SECOND,
    connectionsCheckingInterval: SECOND,
  };
}

// Node takes none that is shorter than a header's.
function requestTimeout({ uploadSeconds, headerSeconds }: Limits): number {
  return Math.max(uploadSeconds, headerSeconds) * SECOND;
}

/** Holds a listener to its numbers of connections, before any work is done for them. */
export function limitConnections({ server }: FastifyInstance, limits: Limits): void {
  const listener: Server = server;
  const open = new Map<string, number>();
  listener.maxConnections = limits.connections;
  listener.on('drop', () => {
    tell({ kind: 'connection refused', reason: 'connections' });
  });
  listener.prependListener('connection', (socket: Socket) => {
    const network = networkOf(socket.remoteAddress);
    const count = (open.get(network) ?? 0) + 1;
    if (count > limits.connectionsPerAddress) {
      tell({ kind: 'connection refused', reason: 'address' });
      socket.destroy();
      return;
    }
    open.set(network, count);
    socket.once('close', () => {
      const left = (open.get(network) ?? 0) - 1;
      if (left > 0) open.set(network, left);
      else open.delete(network);
    });
  });
  listener.on('tlsClientError', () => {
    tell({ kind: 'connection refused', reason: 'tls' });
  });
}
