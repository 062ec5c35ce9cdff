/** TLS connections, each with what binds sessions to it and who its certificate names. */

import type { FastifyRequest } from 'fastify';
import { systemRandom } from 'muniment/crypto';
import { toHex } from 'muniment/wire';
import type { IncomingMessage, Server as HttpServer } from 'node:http';
import { TLSSocket } from 'node:tls';
import { tell } from '../events.ts';
import type { Revocations } from '../revocations.ts';
import type { Connection, Sessions } from '../sessions.ts';

/** RFC 9266. */
const EXPORTER_LABEL = 'EXPORTER-Channel-Binding';

/** An open connection. */
interface Open {
  readonly known: Connection;
  /** By which the log knows it. */
  readonly id: string;
  readonly certificate: { readonly issuer: string; readonly serial: string };
  requests: number;
}

/** The open ones. */
export class Connections {
  readonly #sessions: Sessions;
  readonly #revocations: Revocations | null;
  readonly #known = new WeakMap<TLSSocket, Open>();
  readonly #open = new Set<TLSSocket>();

  constructor(sessions: Sessions, revocations: Revocations | null) {
    [this.#sessions, this.#revocations] = [sessions, revocations];
  }

  /** Knows every connection of a server over TLS from its handshake to its end. */
  watch(server: HttpServer): void {
    server.prependListener('secureConnection', (socket: TLSSocket) => {
      const opened = open(socket);
      if (opened === null) return;
      this.#known.set(socket, opened);
      // TLS has looked at the list; but a handshake may have begun under the one before.
      if (this.#isRevoked(opened)) {
        tell({ kind: 'connection refused', reason: 'revoked' });
        socket.destroy();
        return;
      }
      this.#open.add(socket);
      socket.once('close', () => {
        this.#open.delete(socket);
        this.#sessions.lost(opened.known);
      });
      tell({ kind: 'connected', protocol: socket.getProtocol() ?? '', cipher: socket.getCipher().name });
    });
  }

  /** How many there are. */
  get size(): number {
    return this.#open.size;
  }

  /** A request's connection. */
  of(request: FastifyRequest): Connection {
    return this.#find(request.raw).known;
  }

  /** A correlation id for a request: its connection's, and which of its requests it is. */
  nextId(request: IncomingMessage): string {
    const opened = this.#find(request);
    opened.requests++;
    return `${opened.id}-${String(opened.requests)}`;
  }

  /** Closes the connections whose certificate was revoked meanwhile. Returns how many. */
  closeRevoked(): number {
    const revoked = [...this.#open].filter((socket) => {
      const opened = this.#known.get(socket);
      return opened !== undefined && this.#isRevoked(opened);
    });
    for (const socket of revoked) socket.destroy();
    return revoked.length;
  }

  /** Closes all of them: when nobody can know who was revoked. Returns how many. */
  closeAll(): number {
    const closed = this.#open.size;
    for (const socket of this.#open) socket.destroy();
    return closed;
  }

  #isRevoked({ certificate }: Open): boolean {
    return this.#revocations?.isRevoked(certificate) === true;
  }

  #find({ socket }: IncomingMessage): Open {
    const opened = socket instanceof TLSSocket ? this.#known.get(socket) : undefined;
    if (opened === undefined) throw new Error('not a TLS connection of this server');
    return opened;
  }
}

/** Reads off a connection who it is; ends it and gives `null` if it is gone already or names nobody. */
function open(socket: TLSSocket): Open | null {
  const certificate = socket.destroyed ? undefined : socket.getPeerX509Certificate();
  if (certificate === undefined) {
    socket.destroy();
    return null;
  }
  const name = socket.getPeerCertificate().subject.CN;
  const value = new Uint8Array(socket.exportKeyingMaterial(32, EXPORTER_LABEL, Buffer.alloc(0)));
  const known: Connection = {
    binding: { kind: 'tls-exporter', value },
    subject: typeof name === 'string' ? name : '', // none or several: no subject of ours
  };
  const { issuer, serialNumber: serial } = certificate;
  return { known, id: toHex(systemRandom(6)), certificate: { issuer, serial }, requests: 0 };
}
