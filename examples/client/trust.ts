/** Whom a client trusts, all of it by the anchor's word: which bank, which log, under which keys. */

import { MunimentError } from 'muniment';
import { hasRole, type Credential } from 'muniment/keys';
import { verifyCharter, type Accused, type LogKeys, type Speaker, type WitnessPolicy } from 'muniment/record';
import { equalBytes } from 'muniment/wire';

/** A bank that one has been told to expect, and what is demanded of its log. */
export interface Trust extends Speaker, Accused {
  readonly origin: string;
  readonly anchor: Credential;
  readonly bank: Credential;
  /** The signed charter: what else convicts, convicts whoever is named in it. */
  readonly charter: Uint8Array;
  readonly log: LogKeys;
  /** Who must have cosigned a checkpoint before it is believed. */
  readonly witnesses: WitnessPolicy;
}

/**
 * Trusts the bank that the anchor chartered for an origin.
 *
 * @param told - the anchor's and the bank's verified credentials, the origin, the signed charter, and the witnesses
 * @throws `MunimentError` the codes of `verifyCharter`; `RECORD_CHARTER` for another bank's charter; `KEY_CREDENTIAL` for a bank that is none
 */
export function trustIn(told: Omit<Trust, 'log'>): Trust {
  const { anchor, bank, charter, origin } = told;
  if (!hasRole(bank, 'bank')) throw new MunimentError('KEY_CREDENTIAL');
  const chartered = verifyCharter(charter, anchor, origin);
  if (!equalBytes(chartered.bank, bank.id)) throw new MunimentError('RECORD_CHARTER');
  return { ...told, log: chartered.log };
}
