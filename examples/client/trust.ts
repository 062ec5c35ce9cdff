/** Whom a client trusts, all of it by the anchor's word: which bank, which log, under which keys. */

import { MunimentError } from 'muniment';
import { hasRole, type Credential } from 'muniment/keys';
import { verifyCharter, type Accused, type LogKeys, type Speaker, type WitnessPolicy } from 'muniment/record';
import { equalBytes } from 'muniment/wire';

/** The bank's keys under an Id that they had before its credential was renewed, by the anchor's word then. */
export interface FormerBank {
  readonly bank: Credential;
  /** The signed charter. */
  readonly charter: Uint8Array;
}

/** A bank that one has been told to expect, and what is demanded of its log. */
export interface Trust extends Speaker, Accused {
  readonly origin: string;
  readonly anchor: Credential;
  readonly bank: Credential;
  /** The signed charter: what else convicts, convicts whoever is named in it. */
  readonly charter: Uint8Array;
  readonly log: LogKeys;
  /** Under which Ids the bank had its keys before, oldest first. */
  readonly former: readonly FormerBank[];
  /** Who must have cosigned a checkpoint before it is believed. */
  readonly witnesses: WitnessPolicy;
}

/**
 * Trusts the bank that the anchor chartered for an origin.
 *
 * @param told - the anchor's and the bank's verified credentials, the origin, the signed charter, and the witnesses
 * @throws `MunimentError` the codes of `verifyCharter`; `RECORD_CHARTER` for another bank's charter; `KEY_CREDENTIAL` for a bank that is none
 */
export function trustIn(told: Omit<Trust, 'log' | 'former'> & Partial<Pick<Trust, 'former'>>): Trust {
  const { anchor, bank, charter, origin, former = [] } = told;
  const log = logOf({ bank, charter }, anchor, origin);
  for (const one of former) {
    logOf(one, anchor, origin);
    // What it signed then is verified under the keys that it has now.
    if (!equalBytes(one.bank.signing.publicKey, bank.signing.publicKey))
      throw new MunimentError('KEY_CREDENTIAL');
  }
  return { ...told, former, log };
}

/** The bank's credentials: the one that it has, and those that it had. */
export function banksOf({ bank, former }: Pick<Trust, 'bank' | 'former'>): Credential[] {
  return [bank, ...former.map((one) => one.bank)];
}

function logOf({ bank, charter }: FormerBank, anchor: Credential, origin: string): LogKeys {
  if (!hasRole(bank, 'bank')) throw new MunimentError('KEY_CREDENTIAL');
  const chartered = verifyCharter(charter, anchor, origin);
  if (!equalBytes(chartered.bank, bank.id)) throw new MunimentError('RECORD_CHARTER');
  return chartered.log;
}
