/** What the operator asks, on a listener of its own: health, readiness and metrics, over plain HTTP. */

import fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import type { Health } from '../health.ts';
import type { Limits } from '../limits.ts';
import { describeWith, HEALTH_ROUTE, METRICS_ROUTE, READY_ROUTE } from './described.ts';
import { limitConnections, listenerOptions, serverOptions } from './listener.ts';

/** Builds the listener. It says nothing of users or records, yet how busy the bank is: it belongs on no public network. */
export async function buildOperations(parts: {
  readonly health: Health;
  readonly metrics: Registry;
  readonly limits: Limits;
  readonly logger: FastifyBaseLogger;
}): Promise<FastifyInstance> {
  const { health, metrics, limits, logger } = parts;
  const app = fastify({ ...listenerOptions(limits, logger), http: serverOptions(limits), bodyLimit: 1024 });
  limitConnections(app, limits);
  await describeWith(app);

  app.get('/healthz', { schema: HEALTH_ROUTE }, () => 'ok\n');

  app.get('/readyz', { schema: READY_ROUTE }, async (_, response) => {
    const readiness = await health.ready();
    return response
      .code(readiness.ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send(readiness);
  });

  app.get('/metrics', { schema: METRICS_ROUTE }, async (_, response) =>
    response.type(metrics.contentType).send(await metrics.metrics()),
  );
  return app;
}
