/** What an operation came to, in one word: so that the answers of several backends can be compared and counted. */

import { MunimentError } from '../../src/errors.ts';
import { hex } from '../vectors/hex.ts';

/**
 * The bytes in hexadecimal, the code of the refusal, or the name of a caller's mistake.
 *
 * @throws whatever else was thrown, above all an error of the platform's own, which no caller is to see
 */
export async function outcome(run: () => Uint8Array | Promise<Uint8Array>): Promise<string> {
  try {
    return hex(await run());
  } catch (error) {
    if (error instanceof MunimentError) return error.code;
    const ours = (error instanceof RangeError || error instanceof TypeError) && !('code' in error);
    if (ours) return error.name;
    throw error;
  }
}
