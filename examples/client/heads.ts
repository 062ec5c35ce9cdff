/** Heads of chains that this client has verified: none may go back, and none may tell another history. */

import { MunimentError } from 'muniment';
import { EMPTY_CHAIN, sameHead, type ChainName, type Head } from 'muniment/record';
import { equalBytes, toHex } from 'muniment/wire';
import type { BankClient } from './bank.ts';

/** The newest verified head of a chain, or the empty chain's. */
export function knownHead(client: BankClient, recordId: Uint8Array, chain: ChainName = 'content'): Head {
  return client.memory.heads.get(keyOf(recordId, chain)) ?? EMPTY_CHAIN;
}

/** Stores a verified head. */
export function rememberHead(client: BankClient, recordId: Uint8Array, chain: ChainName, head: Head): void {
  client.memory.heads.set(keyOf(recordId, chain), head);
}

/**
 * Holds a chain that was verified from its start against what was known of it, and stores its head: no head older
 * than one already seen, no other history before it, and the very head that the bank stated.
 */
export function checkHead(
  client: BankClient,
  recordId: Uint8Array,
  chain: ChainName,
  found: { readonly hashes: readonly Uint8Array[]; readonly stated: Head },
): void {
  const known = knownHead(client, recordId, chain);
  const { hashes, stated } = found;
  const there = known.size === 0 ? EMPTY_CHAIN.hash : hashes[known.size - 1];
  const head = { size: hashes.length, hash: hashes.at(-1) ?? EMPTY_CHAIN.hash };
  const extended = there !== undefined && equalBytes(there, known.hash);
  if (!extended || !sameHead(head, stated)) throw new MunimentError('RECORD_CONSISTENCY');
  rememberHead(client, recordId, chain, head);
}

function keyOf(recordId: Uint8Array, chain: ChainName): string {
  return chain === 'content' ? toHex(recordId) : `${toHex(recordId)}:${chain}`;
}
