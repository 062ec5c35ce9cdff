/** A whole conversation from the user's side, over any transport. spec/protocol.md, "Conversation". */

import { MunimentError } from '../errors.ts';
import type { Credential, Identity } from '../keys/index.ts';
import { encodeItems, TupleReader } from '../wire/index.ts';
import { conclude, confirm, initiate, request, type Conclusion, type SessionOptions } from './user.ts';

/** Sends bytes to the bank and resolves to its answer. It keeps the deadlines of waiting: one that never resolves is waited for for ever. */
export type Send = (message: Uint8Array) => Promise<Uint8Array>;

/** What is asked. */
export interface Question {
  /** The request as JSON text. */
  readonly data: string;
  /** Bodies beside it. */
  readonly documents?: readonly Uint8Array[];
}

/**
 * Plays the user's side: two round trips, message 3 travelling with the request.
 *
 * @param send - carries one message to the bank and its answer back, on the connection that the binding names
 * @param parties - the caller's identity, and the verified credential of the bank it means
 * @param options - binding and clocks, and the question
 * @returns the verified reply; a gateway that refuses the user answers with one too, which the application tells by its data
 * @throws `MunimentError` `SESSION_MESSAGE` (with `ENVELOPE_TEXT` as its cause where the question holds what XML cannot carry), `SESSION_CLOSED`, `SESSION_PEER` for oneself; and whatever `send` rejects with
 * @example
 * ```ts
 * import { createAnchor, enrol, verifyCredential } from 'muniment/keys';
 * import { accept, converse, MemoryReplayCache, reply, respond, serve, splitMessages } from 'muniment/protocol';
 * const valid = { notBefore: 0, notAfter: 4e12 };
 * const hospital = await createAnchor({ subject: 'Hospital', roles: ['administrator'], ...valid });
 * const doctor = await enrol(hospital, { subject: 'Dr. Ruiz', roles: ['doctor'], ...valid });
 * const bank = await enrol(hospital, { subject: 'bank', roles: ['bank'], ...valid });
 * const binding = { kind: 'none', value: new Uint8Array(0) } as const; // over TLS the exporter's value
 * const clock = { now: () => Date.now(), monotonic: () => performance.now() };
 * const validate = (encoded: Uint8Array, now: number) => verifyCredential(encoded, hospital.credential, now);
 * // A server that was started before begins its floor at the start and one CLOCK_WINDOW, or remembers on disk.
 * const replay = new MemoryReplayCache({ capacity: 100_000, floor: 0 });
 * const first = async (message: Uint8Array) =>
 *   respond(bank, message, { binding, clock, validate, replay });
 * let waiting: Awaited<ReturnType<typeof first>>['state'] | undefined;
 * const send = async (message: Uint8Array): Promise<Uint8Array> => {
 *   if (waiting === undefined) {
 *     const second = await first(message);
 *     waiting = second.state;
 *     return second.message;
 *   }
 *   const { third, request } = splitMessages(message);
 *   const service = await serve(await accept(waiting, third, binding), request, binding);
 *   return (await reply(service.state, service.accepted ? '{"pong":1}' : '{"refused":1}')).message;
 * };
 * const parties = { user: doctor, gateway: bank.credential };
 * const { reply: answer } = await converse(send, parties, { binding, clock, data: '{"ping":1}' });
 * console.log(answer.data); // {"pong":1}
 * ```
 */
export async function converse(
  send: Send,
  parties: { readonly user: Identity; readonly gateway: Credential },
  options: SessionOptions & Question,
): Promise<Conclusion> {
  const first = initiate(parties.user, parties.gateway, options);
  let waiting: { close(): void } = first.state;
  try {
    const third = await confirm(first.state, await send(first.message));
    waiting = third.state;
    const fourth = await request(third.state, options.data, options.documents);
    waiting = fourth.state;
    return await conclude(fourth.state, await send(joinMessages(third.message, fourth.message)));
  } finally {
    waiting.close(); // of a bank that is lost nothing is awaited any more
  }
}

/** Puts message 3 and the request into one transmission. */
export function joinMessages(third: Uint8Array, request: Uint8Array): Uint8Array {
  return encodeItems([third, request]);
}

/**
 * Takes a transmission apart again.
 *
 * @throws `MunimentError` `SESSION_MESSAGE`
 */
export function splitMessages(transmission: Uint8Array): { third: Uint8Array; request: Uint8Array } {
  try {
    const reader = new TupleReader(transmission);
    const messages = { third: reader.bytes(), request: reader.bytes() };
    reader.end();
    return messages;
  } catch (cause) {
    throw new MunimentError('SESSION_MESSAGE', undefined, { cause });
  }
}
