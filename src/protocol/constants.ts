/** Every length and limit of NSL-KEM/1 and its session. spec/protocol.md, "Limits". */

/** How far a message's time may lie from the receiver's clock, in milliseconds. */
export const CLOCK_WINDOW = 300_000;
/** How long each side waits, in milliseconds on a monotonic clock. */
export const DEADLINES = {
  /** The user, for message 2. */
  second: 15_000,
  /** The bank, for message 3. */
  third: 20_000,
  /** The bank, from message 3 to the request. */
  request: 20_000,
  /** The user, for the reply. */
  reply: 60_000,
  /** Either side, from its first message to the end. */
  session: 120_000,
} as const;
/** A bad message is dropped and waiting goes on, this many times. */
export const TRIES = 8;
/** Longest message of the handshake in bytes, as XML: the first one, under the longest KEM, has some 18,500. */
export const HANDSHAKE_LIMIT = 32 * 1024;
/** The bucket of message 1's plaintext, in bytes: one for all users. */
export const FIRST_BUCKET = 12_288;
/** Bytes of a nonce. */
export const NONCE_LENGTH = 32;
/** Most documents beside one signed envelope. */
export const DOCUMENTS_LIMIT = 4096;
