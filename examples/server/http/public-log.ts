/** The public log as files, to whoever asks (c2sp.org/tlog-tiles): over TLS, without a client certificate. */

import fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { MunimentError } from 'muniment';
import type { Limits } from '../limits.ts';
import { CHECKPOINT_AGE, type PublicLog } from '../public-log.ts';
import type { ServerTls } from './app.ts';
import { CHECKPOINT_ROUTE, describeWith, TILE_ROUTE } from './described.ts';
import { limitConnections, listenerOptions, serverOptions } from './listener.ts';
import { makeRates } from './rates.ts';
import { codeOf, RateError } from './refused.ts';
import { logRequests, remark } from './request-log.ts';

const FRESH = `public, max-age=${String(CHECKPOINT_AGE / 1000)}`;
const FOREVER = 'public, max-age=31536000, immutable';

/** Builds the listener. */
export async function buildPublicLog(parts: {
  readonly tls: Pick<ServerTls, 'cert' | 'key'>;
  readonly log: PublicLog;
  readonly limits: Limits;
  readonly logger: FastifyBaseLogger;
}): Promise<FastifyInstance> {
  const { tls, log, limits, logger } = parts;
  const app = fastify({
    ...listenerOptions(limits, logger),
    https: { ...tls, ...serverOptions(limits), minVersion: 'TLSv1.3' },
    bodyLimit: 1024,
  });
  limitConnections(app, limits);
  await describeWith(app);
  logRequests(app);
  app.addHook('onRequest', (await makeRates(app, limits)).address);

  app.get('/checkpoint', { schema: CHECKPOINT_ROUTE }, async (_, response) => {
    const checkpoint = await log.checkpoint();
    return response.type('text/plain; charset=utf-8').header('cache-control', FRESH).send(checkpoint);
  });

  app.get<{ Params: { '*': string } }>('/tile/*', { schema: TILE_ROUTE }, async (request, response) => {
    const tile = await find(log, `tile/${request.params['*']}`);
    if (tile === null) return response.code(404).type('text/plain').send('');
    return response
      .type('application/octet-stream')
      .header('cache-control', FOREVER)
      .send(Buffer.from(tile.buffer, tile.byteOffset, tile.byteLength));
  });

  app.setNotFoundHandler((_, response) => {
    void response.code(404).type('text/plain').send('');
  });

  app.setErrorHandler((error, request, response) => {
    remark(request, { outcome: 'error', code: codeOf(error) });
    if (error instanceof RateError) void response.code(429).header('retry-after', error.after).send('');
    else void response.code(503).send('');
  });
  return app;
}

async function find(log: PublicLog, path: string): Promise<Uint8Array | null> {
  try {
    return await log.tile(path);
  } catch (error) {
    if (error instanceof MunimentError && error.code === 'RECORD_TILE') return null; // no tile is written so
    throw error;
  }
}
