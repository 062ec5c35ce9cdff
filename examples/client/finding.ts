/** Finding a record by its public number, which is all that a bank can search. */

import { recordNumber, readNumber } from '../server/record-number.ts';
import { Refused, type BankClient } from './bank.ts';

/**
 * The id of the record with this number; `null` if there is none, or none that this user may ask for.
 *
 * @param text - as it was written down, with spaces or without
 * @throws `RangeError` for a number that was mistyped
 */
export async function findRecord(client: BankClient, text: string): Promise<Uint8Array | null> {
  const number = readNumber(text);
  if (number === null) throw new RangeError('not the number of a record: look at its digits again');
  try {
    const { recordId } = (await client.ask<'find'>({ type: 'find', number })).reply;
    if (recordNumber(recordId) !== number) throw new RangeError('the bank found another record');
    return recordId;
  } catch (error) {
    if (error instanceof Refused && error.code === 'FORBIDDEN') return null;
    throw error;
  }
}
