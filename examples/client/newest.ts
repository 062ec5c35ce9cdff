/** The head to sign over: nobody signs over one that it has not verified. */

import { MunimentError } from 'muniment';
import { directoryId, type Head, type SignedEntry } from 'muniment/record';
import { equalBytes } from 'muniment/wire';
import type { BankClient } from './bank.ts';
import { hearHead, remembered } from './following.ts';
import { readChain } from './content.ts';

/** The head to sign over: one that this client has verified. Who knows the record's head already need not read again. */
export async function headToSign(client: BankClient, recordId: Uint8Array): Promise<Head> {
  if (isDirectory(client, recordId)) return statedHead(client, recordId);
  const { head } = remembered(client, { recordId, chain: 'content' });
  return head.size > 0 ? head : (await readChain(client, recordId, { purpose: 'before writing' })).head;
}

/**
 * The head to sign over after the bank said that somebody was faster: what came in between is read and verified
 * first. If one's own entry stands there already it must not be written a second time.
 */
export async function headAfterStale(
  client: BankClient,
  recordId: Uint8Array,
  mine: readonly SignedEntry[],
): Promise<Head> {
  if (isDirectory(client, recordId)) return statedHead(client, recordId);
  const { chain, head } = await readChain(client, recordId, { purpose: 'before writing' });
  const standing = chain.some(
    (item) => !('hidden' in item) && mine.some((one) => equalBytes(one.signature, item.signed.signature)),
  );
  if (standing) throw new MunimentError('RECORD_CONSISTENCY');
  return head;
}

/** Where the bank says that a chain's content ends. The directory is not read by its users; its head is the bank's word. */
export async function statedHead(client: BankClient, recordId: Uint8Array): Promise<Head> {
  const { reply, asked } = await client.ask<'head'>({ type: 'head', recordId });
  const { checkpoint, consistency, content } = reply;
  const answered = { asked, checkpoint, consistency, head: content };
  return hearHead(client, { recordId, chain: 'content' }, answered);
}

function isDirectory(client: BankClient, recordId: Uint8Array): boolean {
  return equalBytes(recordId, directoryId(client.trust.origin));
}
