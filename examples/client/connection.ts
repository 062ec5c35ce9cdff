/** One TLS connection to a bank: a conversation, or annexes. Another conversation takes another connection. */

import { MunimentError } from 'muniment';
import type { Credential, Identity } from 'muniment/keys';
import { converse, DEADLINES, type Binding, type Clock, type Conclusion } from 'muniment/protocol';
import { toBase64url } from 'muniment/wire';
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

/** An annex, and what a signed reply gave to send or fetch it by. */
export interface AnnexRight {
  readonly name: Uint8Array;
  readonly capability: Uint8Array;
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

  /** How much of an announced annex the bank has, in bytes; the last thing that is asked on this connection. */
  async annexOffset(right: AnnexRight): Promise<number> {
    const response = await this.#ask({ method: 'HEAD', path: pathOf('uploads', right), headers: tus(right) });
    await reached(response.body.dump());
    if (response.statusCode !== 200) throw new MunimentError('VIEW_ANNEX');
    return offsetIn(response);
  }

  /** Sends what comes of an annex behind an offset, and gives the offset reached. */
  async sendAnnex(right: AnnexRight, offset: number, body: Uint8Array): Promise<number> {
    const headers = {
      ...tus(right),
      'content-type': 'application/offset+octet-stream',
      'upload-offset': String(offset),
    };
    const response = await this.#ask({ method: 'PATCH', path: pathOf('uploads', right), body, headers });
    await reached(response.body.dump());
    // Somebody else is sending it, such as a connection that the bank does not know is gone.
    if (response.statusCode === 409) throw new ConnectionError('the bank has more of it by now');
    if (response.statusCode !== 204) throw new MunimentError('VIEW_ANNEX');
    const next = offsetIn(response);
    if (next <= offset) throw new MunimentError('VIEW_ANNEX');
    return next;
  }

  /** Fetches an annex from an offset on. */
  async *getAnnex(right: AnnexRight, offset: number): AsyncGenerator<Uint8Array, void> {
    const headers = { authorization: bearer(right), range: `bytes=${String(offset)}-` };
    const response = await this.#ask({ method: 'GET', path: pathOf('annexes', right), headers });
    const range = String(response.headers['content-range']);
    if (response.statusCode !== 206 || !range.startsWith(`bytes ${String(offset)}-`)) {
      await reached(response.body.dump());
      // What broke off behind its last byte is whole.
      if (response.statusCode === 416 && offset > 0 && range === `bytes */${String(offset)}`) return;
      throw new MunimentError('VIEW_ANNEX');
    }
    const pieces = response.body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>;
    for (;;) {
      const { done, value } = await reached(pieces.next());
      if (done === true) return;
      yield new Uint8Array(value);
    }
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

function pathOf(place: 'uploads' | 'annexes', { name }: AnnexRight): string {
  return `/${place}/${toBase64url(name)}`;
}

function bearer({ capability }: AnnexRight): string {
  return `Bearer ${toBase64url(capability)}`;
}

/** https://tus.io/protocols/resumable-upload, 1.0.0. */
function tus(right: AnnexRight): Record<string, string> {
  return { authorization: bearer(right), 'tus-resumable': '1.0.0' };
}

function offsetIn({ headers }: Awaited<ReturnType<Client['request']>>): number {
  const text = headers['upload-offset'];
  if (typeof text !== 'string' || !/^\d{1,15}$/.test(text)) throw new MunimentError('VIEW_ANNEX');
  return Number(text);
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
