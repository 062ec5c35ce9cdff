/** One line of the log for each request: what came of it, under its correlation id. Never what peers sent. */

import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Codes, types and numbers. */
export type Remarks = Readonly<Record<string, string | number | null>>;

const remarks = new WeakMap<FastifyRequest, Remarks>();

/** Adds to a request's line. */
export function remark(request: FastifyRequest, more: Remarks): void {
  remarks.set(request, { ...remarks.get(request), ...more });
}

/** Writes the lines of a listener. */
export function logRequests(app: FastifyInstance): void {
  app.addHook('onResponse', (request, response, done) => {
    line(request, { status: response.statusCode, ms: Math.round(response.elapsedTime) });
    done();
  });
  app.addHook('onRequestAbort', (request, done) => {
    line(request, { outcome: 'client gone' });
    done();
  });
}

function line(request: FastifyRequest, end: Remarks): void {
  const { method } = request;
  const route = request.routeOptions.url ?? 'none';
  request.log.info({ event: 'request', method, route, ...end, ...remarks.get(request) });
}
