/** A whole conversation from the user's side, over any transport. spec/protocol.md, "Conversation". */

import { MunimentError } from '../errors.ts';
import type { Credential, Identity } from '../keys/index.ts';
import { encodeItems, TupleReader } from '../wire/index.ts';
import { conclude, confirm, initiate, request, type Conclusion, type SessionOptions } from './user.ts';

/** Sends bytes to the bank and resolves to its answer. */
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
 * @returns the verified reply
 * @throws `MunimentError` `SESSION_MESSAGE`, `SESSION_CLOSED`, `SESSION_PEER`; and whatever `send` rejects with
 */
export async function converse(
  send: Send,
  parties: { readonly user: Identity; readonly gateway: Credential },
  options: SessionOptions & Question,
): Promise<Conclusion> {
  const initiated = initiate(parties.user, parties.gateway, options);
  const confirmed = await confirm(initiated.state, await send(initiated.message));
  const requested = await request(confirmed.state, options.data, options.documents);
  return conclude(requested.state, await send(joinMessages(confirmed.message, requested.message)));
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
