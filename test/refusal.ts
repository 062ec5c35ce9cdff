/** How tests name a refusal: by its code, and by nothing looser. */

import { MunimentError, type ErrorCode } from '../src/errors.ts';

/** The code with which `run` refuses; fails if it succeeds or throws anything but the library's own error. */
export function refusal(run: () => unknown): ErrorCode {
  try {
    run();
  } catch (error) {
    if (error instanceof MunimentError) return error.code;
    throw error;
  }
  throw new Error('expected a refusal');
}

/** The same for a promise. */
export async function refusalOf(run: () => Promise<unknown>): Promise<ErrorCode> {
  try {
    await run();
  } catch (error) {
    if (error instanceof MunimentError) return error.code;
    throw error;
  }
  throw new Error('expected a refusal');
}
