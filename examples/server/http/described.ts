/** What the routes are, for the OpenAPI description. What comes in is judged by the protocol and not by these schemas. */

import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { HANDSHAKE_LIMIT } from 'muniment/protocol';
import { REFUSED } from './refused.ts';

const binary = (description: string) => ({
  description,
  content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
});
const text = (description: string, schema: object = { type: 'string' }) => ({
  description,
  content: { 'text/plain': { schema: { ...schema, type: 'string' } } },
});
const refused = {
  400: text('Refused. The same for every reason, before the caller is authenticated.', { enum: [REFUSED] }),
  429: {
    ...text('This certificate or address asks too often.', { enum: [REFUSED] }),
    headers: { 'retry-after': { type: 'integer', description: 'seconds' } },
  },
};
const answered = (description: string) => ({
  ...binary(description),
  headers: { 'x-request-id': { type: 'string', description: "the request's name in the server's log" } },
});

/** `POST /session`. */
export const FIRST_ROUTE = {
  operationId: 'first',
  tags: ['conversations'],
  summary: 'Message 1 of NSL-KEM/1; message 2 comes back',
  description:
    'spec/protocol.md. It holds for this TLS connection only, and for twenty seconds. Takes a client certificate.',
  consumes: ['application/octet-stream'],
  body: { type: 'string', format: 'binary', maxLength: HANDSHAKE_LIMIT },
  response: { 200: answered('Message 2.'), ...refused },
};

/** `POST /request`. */
export const REQUEST_ROUTE = {
  operationId: 'request',
  tags: ['conversations'],
  summary: 'Message 3 with the sealed, signed request; the sealed, signed reply comes back',
  description:
    'Inside the envelopes are JSON texts: of the request one of #/components/schemas/Request, of the reply one of #/components/schemas/Reply or a Refusal. Documents go beside them and are named by their position.',
  consumes: ['application/octet-stream'],
  body: { type: 'string', format: 'binary' },
  response: {
    200: answered('The reply, of which only the asker can tell whether it is a refusal.'),
    ...refused,
  },
};

const json = (description: string) => ({
  description,
  content: { 'application/json': { schema: { type: 'object', additionalProperties: true } } },
});

/** `GET /healthz`. */
export const HEALTH_ROUTE = {
  operationId: 'health',
  tags: ['operations'],
  summary: 'Whether the process runs',
  response: { 200: text('It does.') },
};

/** `GET /readyz`. */
export const READY_ROUTE = {
  operationId: 'ready',
  tags: ['operations'],
  summary: 'Whether requests can be served, and what will soon prevent it',
  response: { 200: json('They can.'), 503: json('They cannot; the checks say why.') },
};

/** `GET /metrics`. */
export const METRICS_ROUTE = {
  operationId: 'metrics',
  tags: ['operations'],
  summary: "Prometheus's text format",
  response: { 200: text('All metrics.') },
};

/** `GET /checkpoint`. */
export const CHECKPOINT_ROUTE = {
  operationId: 'checkpoint',
  tags: ['log'],
  summary: 'The newest checkpoint: a signed note',
  description: 'spec/log.md; c2sp.org/tlog-tiles.',
  response: { 200: text('The checkpoint.'), 429: refused[429] },
};

/** `GET /tile/…`. */
export const TILE_ROUTE = {
  operationId: 'tile',
  tags: ['log'],
  summary: 'A tile of hashes, or a bundle of leaves',
  description:
    '`<L>/<N>[.p/<W>]` or `entries/<N>[.p/<W>]`, N in groups of three digits: spec/log.md, "Tiles". Leaves are blinded hashes.',
  params: { type: 'object', properties: { '*': { type: 'string' } }, required: ['*'] },
  response: {
    200: binary('The tile. It never changes.'),
    404: text('No such tile, or not yet.'),
    429: refused[429],
  },
};

/** Collects the descriptions of the routes that are added from now on. */
export async function describeWith(app: FastifyInstance): Promise<void> {
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Muniment reference bank',
        version: '0.1.0',
        license: { name: 'MIT', identifier: 'MIT' },
      },
    },
  });
}
