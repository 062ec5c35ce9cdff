/** Auditing: that a record is whole, without seeing anything in it. */

import type { Credential } from 'muniment/keys';
import type { Head } from 'muniment/record';
import type { BankClient } from './bank.ts';
import { readChain } from './content.ts';

/** What an auditor learns. */
export interface Audit {
  readonly owner: Credential;
  /** Entries, each linked to the one before, and with its place in the log. */
  readonly entries: number;
  readonly head: Head;
}

/** Verifies a record's chain and its place in the log. The bank shows no entry but the first, and logs that it was asked. */
export async function auditRecord(client: BankClient, recordId: Uint8Array, purpose: string): Promise<Audit> {
  const { owner, chain, head } = await readChain(client, recordId, { purpose });
  return { owner, entries: chain.length, head };
}
