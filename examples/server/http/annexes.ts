/**
 * The routes of annexes: ciphertext streams beside the conversations that name them, each under a capability from a
 * signed reply, shown as a bearer token (RFC 6750). What breaks off goes on where it stopped: uploads by the core of
 * tus 1.0.0 (https://tus.io/protocols/resumable-upload; the signed announcement stands for its creation), downloads by
 * ranges (RFC 9110, section 14).
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Credential } from 'muniment/keys';
import { fromBase64url } from 'muniment/wire';
import { Readable } from 'node:stream';
import { STORED_CHUNK, type AnnexStore } from '../annexes.ts';
import type { Deed } from '../capabilities.ts';
import { BankRefusal, malformed } from '../refusal.ts';
import type { Connection, Sessions } from '../sessions.ts';
import type { Connections } from './connections.ts';
import { codeOf, REFUSED } from './refused.ts';

const ANNEX_TYPE = 'application/vnd.muniment.annex';
const TUS = { 'tus-resumable': '1.0.0' } as const;
const TUS_TYPE = 'application/offset+octet-stream';
/** After so many bytes of a transfer it is looked at again whether its user stands. */
const UNWATCHED = 1024 * 1024;

interface Parts {
  readonly sessions: Sessions;
  readonly connections: Connections;
  readonly annexes: AnnexStore;
}

type Asked = FastifyRequest<{ Params: { name: string } }>;

/** Adds them. */
export function annexRoutes(app: FastifyInstance, parts: Parts): void {
  const { sessions, connections } = parts;
  app.addContentTypeParser(TUS_TYPE, (_, payload, done) => {
    done(null, payload);
  });

  /** Lets nobody near a body or an annex who may not, and says no in one way. */
  const checked =
    (deed: Deed, then: (request: Asked, to: Permitted, response: FastifyReply) => Promise<FastifyReply>) =>
    async (request: Asked, response: FastifyReply): Promise<FastifyReply> => {
      try {
        const connection = connections.of(request);
        const name = nameOf(request);
        const shown = { capability: capabilityOf(request), deed, name };
        const user = await sessions.checkCapability(connection, shown);
        return await then(request, { connection, name, user }, response);
      } catch (error) {
        request.log.info({ event: 'annex refused', code: codeOf(error) });
        return response.code(400).send(REFUSED);
      }
    };

  app.head<{ Params: { name: string } }>(
    '/uploads/:name',
    checked('upload', (request, to, response) => tellOffset(parts, request, to, response)),
  );
  app.patch<{ Params: { name: string } }>(
    '/uploads/:name',
    checked('upload', (request, to, response) => takeMore(parts, request, to, response)),
  );
  app.get<{ Params: { name: string } }>(
    '/annexes/:name',
    checked('fetch', (request, to, response) => give(parts, request, to, response)),
  );
}

interface Permitted {
  readonly connection: Connection;
  readonly name: Uint8Array;
  readonly user: Credential;
}

async function tellOffset(
  { annexes }: Parts,
  request: Asked,
  { connection, name }: Permitted,
  response: FastifyReply,
): Promise<FastifyReply> {
  if (request.headers['tus-resumable'] !== TUS['tus-resumable']) return otherVersion(response);
  const { offset, size } = (await annexes.offset(connection.subject, name)) ?? missing();
  const told = { 'upload-offset': offset, 'upload-length': size, 'cache-control': 'no-store' };
  return response.headers({ ...TUS, ...told }).send();
}

async function takeMore(
  { annexes, sessions }: Parts,
  request: Asked,
  { connection, name, user }: Permitted,
  response: FastifyReply,
): Promise<FastifyReply> {
  const { headers } = request;
  if (headers['tus-resumable'] !== TUS['tus-resumable']) return otherVersion(response);
  if (headers['content-type'] !== TUS_TYPE) malformed();
  const upload = (await annexes.offset(connection.subject, name)) ?? missing();
  if (headers['upload-offset'] !== String(upload.offset)) return conflict(response);
  // A reader that ends early would end the connection, and nobody would hear why.
  const body = (request.body as Readable).iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
  const offset = await annexes.take(upload, upload.offset, whileStanding(sessions, user, body));
  if (offset === null) return conflict(response);
  return response
    .code(204)
    .headers({ ...TUS, 'upload-offset': offset })
    .send();
}

async function give(
  { annexes, sessions }: Parts,
  request: Asked,
  { name, user }: Permitted,
  response: FastifyReply,
): Promise<FastifyReply> {
  const annex = (await annexes.find(name)) ?? missing();
  const { size } = annex;
  void response.header('accept-ranges', 'bytes').header('cache-control', 'no-store');
  const range = rangeOf(request.headers.range);
  if (range !== null && (range.first >= size || range.last < range.first))
    return response
      .code(416)
      .header('content-range', `bytes */${String(size)}`)
      .send();
  const first = range?.first ?? 0;
  const last = Math.min(range?.last ?? Infinity, size - 1);
  if (range !== null)
    void response.code(206).header('content-range', `bytes ${String(first)}-${String(last)}/${String(size)}`);
  // Read as the peer takes it, a chunk ahead.
  const stream = Readable.from(whileStanding(sessions, user, annex.part(first, last + 1)), {
    objectMode: false,
    highWaterMark: STORED_CHUNK,
  });
  return response
    .type(ANNEX_TYPE)
    .header('content-length', last + 1 - first)
    .send(stream);
}

// A transfer may take an hour, and who it is for may be revoked meanwhile.
async function* whileStanding(
  sessions: Sessions,
  user: Credential,
  stream: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  let passed = 0;
  for await (const bytes of stream) {
    passed += bytes.length;
    if (passed > UNWATCHED) {
      await sessions.checkStanding(user);
      passed = 0;
    }
    yield bytes;
  }
}

// One range with a beginning; any other is passed over, as RFC 9110 allows, and all of it is sent.
function rangeOf(header: string | undefined): { first: number; last: number } | null {
  const found = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(header ?? '');
  if (found === null) return null;
  return { first: Number(found[1]), last: found[2] === '' ? Infinity : Number(found[2]) };
}

function otherVersion(response: FastifyReply): FastifyReply {
  return response.code(412).header('tus-version', TUS['tus-resumable']).send();
}

function conflict(response: FastifyReply): FastifyReply {
  return response.code(409).headers(TUS).send();
}

function nameOf({ params }: Asked): Uint8Array {
  const name = fromBase64url(params.name);
  return name.length === 32 ? name : malformed();
}

function capabilityOf({ headers }: Asked): Uint8Array {
  const token = /^Bearer ([\w-]{43})$/.exec(headers.authorization ?? '')?.[1];
  return token === undefined ? malformed() : fromBase64url(token);
}

function missing(): never {
  throw new BankRefusal('ANNEX_MISSING');
}
