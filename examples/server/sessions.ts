/** Conversations: the bank's side of NSL-KEM/1, from a first message to the sealed reply. */

import { decodeSealed, type VerifiedEnvelope } from 'muniment/envelope';
import type { Credential, Identity } from 'muniment/keys';
import {
  accept,
  clockWindow,
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
import type { Shown } from './capabilities.ts';
import { tell } from './events.ts';
import { HalfOpen } from './half-open.ts';
import type { Limits } from './limits.ts';
import { BankRefusal, isRefusal } from './refusal.ts';

/** A connection, as sessions see it. */
export interface Connection {
  readonly binding: Binding;
  /** The common name of the client's TLS certificate. */
  readonly subject: string;
}

/** What goes back. */
export interface Outcome {
  readonly message: Uint8Array;
  /** Who asked, for the server's log; `null` if it was not accepted. */
  readonly user: Credential | null;
  readonly type: string;
  readonly outcome: string;
}

/** The bank's conversations. */
export class Sessions {
  readonly #bank: Bank;
  readonly #identity: Identity;
  readonly #clock: Clock;
  readonly #halfOpen: HalfOpen;
  /** Of conversations whose caller could not be judged, why: no verdict is not a no. */
  readonly #defects = new WeakMap<Responded, unknown>();

  constructor(bank: Bank, identity: Identity, how: { readonly clock: Clock; readonly limits: Limits }) {
    [this.#bank, this.#identity, this.#clock] = [bank, identity, how.clock];
    this.#halfOpen = new HalfOpen(how.limits, how.clock);
  }

  /** How many conversations wait for message 3. */
  get halfOpen(): number {
    return this.#halfOpen.size;
  }

  /** Answers a first message. */
  async first(message: Uint8Array, connection: Connection): Promise<Uint8Array> {
    let answer: Uint8Array = new Uint8Array(0);
    await this.#halfOpen.begin(connection, async () => {
      let defect: unknown;
      const responded = await respond(this.#identity, message, {
        binding: connection.binding,
        clock: this.#clock,
        replay: this.#bank.replay,
        validate: (encoded, now) =>
          this.#bank.judge(encoded, now).catch((error: unknown) => {
            if (!isRefusal(error)) defect = error;
            throw error;
          }),
      });
      if (defect !== undefined) this.#defects.set(responded.state, defect);
      answer = responded.message;
      return { handle: toHex(responded.handle), state: responded.state };
    });
    tell({ kind: 'first message', message, answer });
    return answer;
  }

  /** Takes message 3 and the request that came with it, serves it, and seals the reply. */
  async second(transmission: Uint8Array, connection: Connection): Promise<Outcome> {
    const { third, request } = splitMessages(transmission);
    if (third.length > HANDSHAKE_LIMIT) throw new MunimentError('SESSION_MESSAGE');
    const { n2 } = decodeSealed(third).header;
    const handle = n2 === null ? '' : toHex(n2);
    const state = this.#halfOpen.find(handle, connection);
    let accepted;
    try {
      accepted = await accept(state, third, connection.binding);
    } finally {
      if (!state.open) this.#halfOpen.end(handle);
    }
    tell({ kind: 'request opened', bytes: transmission.length, third: third.length });
    let service;
    try {
      service = await serve(accepted, request, connection.binding);
    } finally {
      accepted.close(); // used up, or of no use: the request came along, and no other will
    }
    try {
      if (!service.accepted) {
        if (this.#defects.has(state)) throw this.#defects.get(state);
        const { text } = refuse(new MunimentError('SESSION_PEER'));
        const { message } = await reply(service.state, text);
        return { message, user: null, type: 'unknown', outcome: 'SESSION_PEER' };
      }
      const { request: envelope, documents, sessionId, evidence } = service;
      const user = envelope.author;
      const at = this.#timeOf(envelope);
      let answer: Answer;
      let type = 'malformed';
      try {
        if (user.subject !== connection.subject) throw new BankRefusal('TLS_SUBJECT');
        // The verdict is from message 1: a registration or a validity may have ended since, or been revoked.
        await this.#bank.judge(user.encoded, at);
        const parsed = parseRequest(envelope.data);
        type = parsed.type;
        const { digests, data } = envelope;
        tell({ kind: 'request verified', type, digests, text: data.length, documents: documents.length });
        answer = await this.#bank.serve({ envelope, request: parsed, documents, sessionId, evidence }, at);
      } catch (error) {
        answer = refuse(error instanceof MalformedError ? new BankRefusal('MALFORMED') : error);
      }
      const { message, evidence: replied } = await reply(service.state, answer.text, answer.documents);
      await this.#bank.keepReply(sessionId, replied);
      const outcome = /^\{"refused":"([A-Z_]+)"/.exec(answer.text)?.[1] ?? 'served';
      tell({
        ...{ kind: 'replied', outcome, message, text: answer.text.length },
        ...{ documents: answer.documents.length, evidence: replied.length },
      });
      return { message, user, type, outcome };
    } finally {
      service.state.close();
    }
  }

  // When it was asked, for all that the bank states of that. A clock may jump after the envelope was held against it, and
  // no later reading of it need fit the reader's own time, which the owner holds against the bank's.
  #timeOf({ header: { timestamp } }: VerifiedEnvelope): number {
    const at = this.#clock.now();
    const { notBefore, notAfter } = clockWindow(at);
    if (timestamp < notBefore || timestamp > notAfter) throw new MunimentError('SESSION_MESSAGE');
    return at;
  }

  /** Refuses whoever shows no capability on this connection by which this may be done with an annex. */
  checkCapability({ subject }: Connection, shown: Omit<Shown, 'subject'>): Promise<Credential> {
    return this.#bank.checkCapability({ ...shown, subject });
  }

  /** Refuses whoever may not do anything any more. */
  checkStanding(user: Credential): Promise<void> {
    return this.#bank.checkStanding(user);
  }

  /** Forgets the conversations of a connection that is gone. */
  lost(connection: Connection): void {
    this.#halfOpen.lost(connection);
  }
}
