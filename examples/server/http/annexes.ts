/** The routes of annexes: ciphertext streams beside the conversations that name them. */

import type { FastifyInstance } from 'fastify';
import { fromBase64url, toHex } from 'muniment/wire';
import type { Readable } from 'node:stream';
import type { AnnexStore } from '../annexes.ts';
import { BankRefusal } from '../refusal.ts';
import type { Sessions } from '../sessions.ts';
import type { Connections } from './connections.ts';
import { codeOf, REFUSED } from './refused.ts';

const ANNEX_TYPE = 'application/vnd.muniment.annex';

/** Adds them. */
export function annexRoutes(
  app: FastifyInstance,
  parts: { readonly sessions: Sessions; readonly connections: Connections; readonly annexes: AnnexStore },
): void {
  const { sessions, connections, annexes } = parts;
  app.addContentTypeParser(ANNEX_TYPE, (_, payload, done) => {
    done(null, payload);
  });

  // Uploads come before the request that names them, so who may add is judged by the TLS certificate's subject; what
  // no accepted entry names is removed when the server starts.
  app.put<{ Params: { name: string } }>(
    '/annexes/:name',
    {
      onRequest: async (request, response) => {
        try {
          await sessions.checkUpload(connections.of(request));
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
    if (!connections.of(request).annexes.has(toHex(name))) return response.code(404).send(REFUSED);
    const { stream, length } = await annexes.read(name);
    return response.type(ANNEX_TYPE).header('content-length', length).send(stream);
  });
}
