/**
 * Conversations in progress: the states of NSL-KEM/1 between a first message and its request, in memory only, tied
 * to their connection and gone with it.
 */

import { decodeSealed } from 'muniment/envelope';
import { hasRole, type Credential, type Identity } from 'muniment/keys';
import {
  accept,
  CLOCK_WINDOW,
  DEADLINES,
  HANDSHAKE_LIMIT,
  reply,
  respond,
  serve,
  splitMessages,
  type Binding,
  type Clock,
  type Responded,
} from 'muniment/protocol';
import { MunimentError } from 'muniment';
import { toHex } from 'muniment/wire';
import { MalformedError, parseRequest } from './api.ts';
import type { Answer } from './asking.ts';
import { refuse, type Bank } from './bank.ts';
import { BankRefusal } from './refusal.ts';

/** Most conversations between message 1 and message 3. There is no cap per claimed identity: it would lock people out. */
const HALF_OPEN_LIMIT = 1000;
/** Of one TLS certificate: first messages in one clock window, so that nobody fills the replay memory for all. */
const FIRST_MESSAGES = 2000;

/** A connection, as sessions see it. */
export interface Connection {
  readonly binding: Binding;
  /** The common name of the client's TLS certificate. */
  readonly subject: string;
}

/** What goes back, and what the asker may fetch on this connection afterwards. */
export interface Outcome {
  readonly message: Uint8Array;
  /** Who asked, for the server's log; `null` if it was not accepted. */
  readonly user: Credential | null;
  readonly type: string;
  readonly outcome: string;
  readonly annexes: readonly Uint8Array[];
}

/** The bank's conversations. */
export class Sessions {
  readonly #bank: Bank;
  readonly #identity: Identity;
  readonly #clock: Clock;
  readonly #rates = new Map<string, { since: number; count: number }>();
  readonly #waiting = new Map<string, { state: Responded; connection: Connection; since: number }>();

  constructor(bank: Bank, identity: Identity, clock: Clock) {
    this.#bank = bank;
    this.#identity = identity;
    this.#clock = clock;
    // What is late is erased although nobody calls; it keeps no process alive.
    setInterval(() => {
      this.#sweep();
    }, DEADLINES.third).unref();
  }

  /** Answers a first message. */
  async first(message: Uint8Array, connection: Connection): Promise<Uint8Array> {
    this.#sweep();
    this.#limit(connection.subject);
    if (this.#waiting.size >= HALF_OPEN_LIMIT) throw new MunimentError('SESSION_MESSAGE');
    const {
      handle,
      state,
      message: second,
    } = await respond(this.#identity, message, {
      binding: connection.binding,
      clock: this.#clock,
      replay: this.#bank.replay,
      validate: this.#bank.judge,
    });
    this.#waiting.set(toHex(handle), { state, connection, since: this.#clock.monotonic() });
    return second;
  }

  /** Takes message 3 and the request that came with it, serves it, and seals the reply. */
  async second(transmission: Uint8Array, connection: Connection): Promise<Outcome> {
    const { third, request } = splitMessages(transmission);
    if (third.length > HANDSHAKE_LIMIT) throw new MunimentError('SESSION_MESSAGE');
    const { n2 } = decodeSealed(third).header;
    const key = n2 === null ? '' : toHex(n2);
    const waiting = this.#waiting.get(key);
    if (waiting?.connection !== connection) throw new MunimentError('SESSION_MESSAGE');
    let accepted;
    try {
      accepted = await accept(waiting.state, third, connection.binding);
    } finally {
      if (!waiting.state.open) this.#waiting.delete(key);
    }
    let service;
    try {
      service = await serve(accepted, request, connection.binding);
    } finally {
      accepted.close(); // used up, or of no use: the request came along, and no other will
    }
    try {
      if (!service.accepted) {
        const { text } = refuse(new MunimentError('SESSION_PEER'));
        const { message } = await reply(service.state, text);
        return { message, user: null, type: 'unknown', outcome: 'SESSION_PEER', annexes: [] };
      }
      const { request: envelope, documents, sessionId, evidence } = service;
      const user = envelope.author;
      let answer: Answer;
      let type = 'malformed';
      try {
        if (user.subject !== connection.subject) throw new BankRefusal('TLS_SUBJECT');
        // The verdict is from message 1: a registration or a validity may have ended since, or been revoked.
        await this.#bank.judge(user.encoded, this.#clock.now());
        const parsed = parseRequest(envelope.data);
        type = parsed.type;
        answer = await this.#bank.serve({ envelope, request: parsed, documents, sessionId, evidence });
      } catch (error) {
        answer = refuse(error instanceof MalformedError ? new BankRefusal('MALFORMED') : error);
      }
      const { message, evidence: replied } = await reply(service.state, answer.text, answer.documents);
      await this.#bank.keepReply(sessionId, replied);
      const refused = /^\{"refused":"([A-Z_]+)"/.exec(answer.text)?.[1];
      return { message, user, type, outcome: refused ?? 'served', annexes: answer.annexes };
    } finally {
      service.state.close();
    }
  }

  /** Refuses an upload, unless the certificate names a doctor whose credential is good now. */
  async checkUpload({ subject }: Connection): Promise<void> {
    const user = await this.#bank.findSubject(subject);
    if (user === null || !hasRole(user, 'doctor')) throw new BankRefusal('FORBIDDEN');
    await this.#bank.judge(user.encoded, this.#clock.now());
  }

  /** Forgets the conversations of a connection that is gone. */
  lost(connection: Connection): void {
    for (const [key, waiting] of this.#waiting) {
      if (waiting.connection !== connection) continue;
      waiting.state.close();
      this.#waiting.delete(key);
    }
  }

  #limit(subject: string): void {
    const now = this.#clock.monotonic();
    const known = this.#rates.get(subject);
    const rate = known === undefined || now - known.since > CLOCK_WINDOW ? { since: now, count: 0 } : known;
    rate.count++;
    this.#rates.set(subject, rate);
    if (rate.count > FIRST_MESSAGES) throw new MunimentError('SESSION_MESSAGE');
  }

  #sweep(): void {
    const now = this.#clock.monotonic();
    for (const [key, { state, since }] of this.#waiting) {
      if (now - since <= DEADLINES.third) break; // the oldest stand first
      state.close();
      this.#waiting.delete(key);
    }
  }
}
