/** A witness behind HTTP: one route. What comes and goes is signed, so it needs no TLS. */

import { CHECKPOINT_LIMIT } from 'muniment/record';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LogWitness } from './witness.ts';

/** A proof and a checkpoint. */
const REQUEST_LIMIT = CHECKPOINT_LIMIT + 8192;

/** A witness that listens. */
export interface Listening {
  /** To which `/add-checkpoint` belongs. */
  readonly url: string;
  readonly port: number;
  close(): void;
}

/** Listens on this machine; port 0 takes a free one. It keeps no process alive. */
export async function serveWitness(witness: LogWitness, port = 0): Promise<Listening> {
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const isAdd = request.method === 'POST' && request.url === '/add-checkpoint';
      const body = isAdd ? await read(request) : null;
      const { status, body: text } = body === null ? { status: 404, body: '' } : await witness.add(body);
      const type = status === 409 ? 'text/x.tlog.size' : 'text/plain';
      response.writeHead(status, { 'content-type': type }).end(text);
    };
    answer().catch(() => response.writeHead(500).end());
  });
  server.listen(port, '127.0.0.1').unref();
  await once(server, 'listening');
  const { port: listening } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(listening)}`,
    port: listening,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > REQUEST_LIMIT) throw new RangeError('too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
