/** One TLS connection to a bank: a conversation, and the annexes that go with it. Another conversation takes another connection. */

import { MunimentError } from 'muniment';
import type { Credential, Identity } from 'muniment/keys';
import { converse, DEADLINES, type Binding, type Clock, type Conclusion } from 'muniment/protocol';
import { annexName } from 'muniment/views';
import { toBase64url } from 'muniment/wire';
import { Readable } from 'node:stream';
import type { ReadableStream as NodeStream } from 'node:stream/web';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { Client } from 'undici';

/** RFC 9266. */
const EXPORTER_LABEL = 'EXPORTER-Channel-Binding';
const CONNECT_TIMEOUT = 10_000;

/** Where the bank is, and the client's TLS certificate. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly tls: {
    readonly certificate: string;
    readonly key: string;
    readonly authority: string;
    /** Of a key that is encrypted. */
    readonly passphrase?: string;
  };
}

/** The bank cannot be reached, is not trusted, or went away: what was asked may or may not have happened. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
}

/** The real clocks. */
export const CLOCK: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** An open connection. */
export class Connection {
  readonly #client: Client;
  readonly #socket: TLSSocket;
  readonly #clock: Clock;

  private constructor(client: Client, socket: TLSSocket, clock: Clock) {
    this.#client = client;
    this.#socket = socket;
    this.#clock = clock;
  }

  /** Connects with TLS 1.3 and a client certificate. Throws {@link ConnectionError}. */
  static async open(endpoint: Endpoint, clock: Clock = CLOCK): Promise<Connection> {
    const socket = await openSocket(endpoint);
    const client = new Client(`https://${endpoint.host}:${String(endpoint.port)}`, {
      connect: (_, callback) => {
        if (socket.destroyed) callback(new ConnectionError('the server closed the connection'), null);
        else process.nextTick(callback, null, socket); // undici is not ready for an answer within the call
      },
      headersTimeout: DEADLINES.reply,
      bodyTimeout: DEADLINES.reply,
    });
    return new Connection(client, socket, clock);
  }

  /** Holds one conversation: handshake, request, reply. */
  async converse(
    parties: { readonly user: Identity; readonly gateway: Credential },
    data: string,
    documents: readonly Uint8Array[],
  ): Promise<Conclusion> {
    const paths = ['/session', '/request'];
    const send = (message: Uint8Array): Promise<Uint8Array> =>
      this.post(paths.shift() ?? '/request', message);
    return converse(send, parties, { binding: this.binding(), clock: this.#clock, data, documents });
  }

  /** What binds sessions to this very connection. */
  binding(): Binding {
    const value = new Uint8Array(this.#socket.exportKeyingMaterial(32, EXPORTER_LABEL, Buffer.alloc(0)));
    return { kind: 'tls-exporter', value };
  }

  /** Sends one message and gives the answer; the one refusal before authentication is `SESSION_MESSAGE`. */
  async post(path: string, body: Uint8Array): Promise<Uint8Array> {
    const headers = { 'content-type': 'application/octet-stream' };
    const response = await this.#ask({ method: 'POST', path, body, headers });
    const bytes = new Uint8Array(await reached(response.body.arrayBuffer()));
    if (response.statusCode !== 200) throw new MunimentError('SESSION_MESSAGE');
    return bytes;
  }

  /** Uploads an annex. */
  async putAnnex(root: Uint8Array, ciphertext: Uint8Array): Promise<void> {
    const headers = { 'content-type': 'application/vnd.muniment.annex' };
    const path = annexPath(root);
    const response = await this.#ask({ method: 'PUT', path, body: ciphertext, headers });
    await reached(response.body.dump());
    if (response.statusCode !== 204) throw new MunimentError('VIEW_ANNEX');
  }

  /** Fetches an annex that the read on this connection has named. */
  async getAnnex(root: Uint8Array): Promise<ReadableStream<Uint8Array>> {
    const response = await this.#ask({ method: 'GET', path: annexPath(root) });
    if (response.statusCode !== 200) {
      await reached(response.body.dump());
      throw new MunimentError('VIEW_ANNEX');
    }
    // Node's own stream type and the global one are the same object at run time.
    return Readable.toWeb(response.body) as NodeStream<Uint8Array>;
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    await this.#client.destroy();
    this.#socket.destroy();
  }

  #ask(options: Parameters<Client['request']>[0]): ReturnType<Client['request']> {
    return reached(this.#client.request(options));
  }
}

function annexPath(root: Uint8Array): string {
  return `/annexes/${toBase64url(annexName(root))}`;
}

async function openSocket({ host, port, tls }: Endpoint): Promise<TLSSocket> {
  const socket = connectTls({
    host,
    port,
    cert: tls.certificate,
    key: tls.key,
    ...(tls.passphrase !== undefined && { passphrase: tls.passphrase }),
    ca: tls.authority,
    minVersion: 'TLSv1.3',
    servername: /^[\d.]+$|:/.test(host) ? '' : host,
    timeout: CONNECT_TIMEOUT,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('timeout', () => socket.destroy(new Error('timeout')));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      reject(new ConnectionError(explain(error), { cause: error }));
    });
  });
  socket.setTimeout(0);
  return socket;
}

async function reached<Result>(promise: Promise<Result>): Promise<Result> {
  try {
    return await promise;
  } catch (error) {
    throw new ConnectionError(
      'the server went away in the middle: what was asked may or may not have happened',
      { cause: error },
    );
  }
}

function explain(error: NodeJS.ErrnoException): string {
  if (error.code === 'ECONNREFUSED') return 'nobody answers at that address';
  if (error.message === 'timeout') return 'the server does not answer';
  const untrusted = [
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
  ];
  if (
    untrusted.includes(error.code ?? '') ||
    (error.code ?? '').startsWith('CERT_') ||
    error.code === 'ERR_TLS_CERT_ALTNAME_INVALID'
  ) {
    return "the server's certificate is not trusted";
  }
  return 'no TLS connection could be made';
}
