/** How HTTP says no. */

export { codeOf } from '../refusal.ts';

/** The one reaction to everything that fails before a caller is authenticated, of one size. */
export const REFUSED = 'SESSION_MESSAGE';

/** Thrown where a client asks more often than it may; the answer says so, with {@link REFUSED} in it. */
export class RateError extends Error {
  override readonly name = 'RateError';
  readonly code = 'RATE';
  /** When to come again, in seconds. */
  readonly after: number;

  constructor(after: number) {
    super('too many requests');
    this.after = after;
  }
}

/** Thrown where a message is longer than it may be, or there is no memory for it. */
export class BodyError extends Error {
  override readonly name = 'BodyError';
  readonly code: 'BODY_LENGTH' | 'BODY_MEMORY';

  constructor(code: BodyError['code']) {
    super(code);
    this.code = code;
  }
}
