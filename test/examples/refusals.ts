/** The bank's no, as tests look at it. */

import { Refused } from '../../examples/client/bank.ts';

/** The code of the bank's signed refusal; fails if it did not refuse. */
export async function refusalOf(asked: Promise<unknown>): Promise<string> {
  try {
    await asked;
  } catch (error) {
    if (error instanceof Refused) return error.code;
    throw error;
  }
  throw new Error('expected a refusal');
}
