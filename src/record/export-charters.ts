/** The banks that the anchor chartered for an export's origin, and the log's keys. spec/export.md, "Charters". */

import { MunimentError } from '../errors.ts';
import { hasRole, type Credential } from '../keys/index.ts';
import { toHex } from '../wire/index.ts';
import { verifyCharter, type Charter } from './charter.ts';
import type { LogKeys } from './checkpoint.ts';
import type { FindCredential } from './export-place.ts';

/** Who speaks for the log of an export. */
export interface Chartered {
  /** Keys of the last charter: the checkpoint is under them. */
  readonly log: LogKeys;
  /** The bank of the last charter. */
  readonly bank: Credential;
  /** The banks of all charters, each once, the last charter's first: any of them may have signed a receipt. */
  readonly banks: readonly Credential[];
}

/** Verifies an export's charters. Throws `RECORD_CHARTER`; `RECORD_EXPORT` for none, or a bank that is not in the export or none. */
export function readCharters(
  signed: readonly Uint8Array[],
  trust: { readonly origin: string; readonly anchor: Credential; readonly find: FindCredential },
): Chartered {
  const charters = signed.map((one) => readOne(one, trust)).reverse();
  const banks = new Map<string, Credential>();
  for (const { bank: id } of charters) {
    const bank = trust.find(id);
    if (bank === null || !hasRole(bank, 'bank')) throw new MunimentError('RECORD_EXPORT');
    banks.set(toHex(id), bank);
  }
  const [newest] = charters;
  const [bank] = banks.values();
  if (newest === undefined || bank === undefined) throw new MunimentError('RECORD_EXPORT');
  return { log: newest.log, bank, banks: [...banks.values()] };
}

function readOne(signed: Uint8Array, { anchor, origin }: { anchor: Credential; origin: string }): Charter {
  try {
    return verifyCharter(signed, anchor, origin);
  } catch (cause) {
    throw new MunimentError('RECORD_CHARTER', undefined, { cause });
  }
}
