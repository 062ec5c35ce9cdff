/** TLS connections, each with what binds sessions to it, who its certificate names, and what it may fetch. */

import type { FastifyRequest } from 'fastify';
import { TLSSocket } from 'node:tls';
import type { Connection, Sessions } from '../sessions.ts';

/** RFC 9266. */
const EXPORTER_LABEL = 'EXPORTER-Channel-Binding';

/** A connection, with the names in hexadecimal of the annexes that a signed, archived read on it has named. */
export type Known = Connection & { readonly annexes: Set<string> };

/** The open ones. */
export class Connections {
  readonly #sessions: Sessions;
  readonly #known = new WeakMap<TLSSocket, Known>();

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  /** A request's connection. What was begun on it is forgotten when it closes. */
  of(request: FastifyRequest): Known {
    const { socket } = request.raw;
    if (!(socket instanceof TLSSocket)) throw new Error('not a TLS connection');
    const known = this.#known.get(socket);
    if (known !== undefined) return known;
    const connection = know(socket);
    this.#known.set(socket, connection);
    socket.once('close', () => {
      this.#sessions.lost(connection);
    });
    return connection;
  }
}

function know(socket: TLSSocket): Known {
  const name = socket.getPeerCertificate().subject.CN;
  const value = new Uint8Array(socket.exportKeyingMaterial(32, EXPORTER_LABEL, Buffer.alloc(0)));
  return {
    binding: { kind: 'tls-exporter', value },
    subject: typeof name === 'string' ? name : '', // none or several: no subject of ours
    annexes: new Set(),
  };
}
