/** The head to sign over: nobody signs over one that it has not verified. */

import { MunimentError } from 'muniment';
import { directoryId, sameHead, type Head, type SignedEntry } from 'muniment/record';
import { equalBytes } from 'muniment/wire';
import type { BankClient } from './bank.ts';
import { knownHead } from './heads.ts';
import { readChain } from './pages.ts';

/** The head to sign over: one that this client has verified. Who knows the record's head already need not read again. */
export async function headToSign(client: BankClient, recordId: Uint8Array): Promise<Head> {
  const known = knownHead(client, recordId);
  if (isDirectory(client, recordId)) return directoryHead(client, recordId);
  if (known.size === 0) await readChain(client, recordId, 'before writing');
  return knownHead(client, recordId);
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
  if (isDirectory(client, recordId)) return directoryHead(client, recordId);
  const { chain } = await readChain(client, recordId, 'before writing');
  const standing = chain.some(
    (item) => !('hidden' in item) && mine.some((one) => equalBytes(one.signature, item.signed.signature)),
  );
  if (standing) throw new MunimentError('RECORD_CONSISTENCY');
  return knownHead(client, recordId);
}

// The directory is not read by its users; its head is the bank's word, but it does not go back.
async function directoryHead(client: BankClient, recordId: Uint8Array): Promise<Head> {
  const known = knownHead(client, recordId);
  const { content } = (await client.ask<'head'>({ type: 'head', recordId })).reply;
  const back = content.size < known.size || (content.size === known.size && !sameHead(content, known));
  if (back) throw new MunimentError('RECORD_CONSISTENCY');
  return content;
}

function isDirectory(client: BankClient, recordId: Uint8Array): boolean {
  return equalBytes(recordId, directoryId(client.trust.origin));
}
