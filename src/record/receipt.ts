/** Receipts: the bank's signed word on what it took, where it stands in chain and log, and when. spec/record.md, "Receipts". */

import { MunimentError } from '../errors.ts';
import { NAME_LIMIT, readSignature, verifySignature, type Credential, type Signer } from '../keys/index.ts';
import { equalBytes, tuple, TupleReader } from '../wire/index.ts';
import type { ChainName } from './entry-fields.ts';
import type { Head } from './entry.ts';
import type { TreeHead } from './log.ts';

/** What a receipt says. */
export interface Receipt {
  readonly origin: string;
  readonly recordId: Uint8Array;
  readonly chain: ChainName;
  /** The request that this answers: digests of its data and of its signature. */
  readonly request: { readonly data: Uint8Array; readonly signature: Uint8Array };
  /** `accepted`, so far. */
  readonly outcome: string;
  readonly entryHash: Uint8Array;
  readonly seq: number;
  readonly prev: Uint8Array;
  /** Where the entry's leaf stands in the log. */
  readonly leafIndex: number;
  /** The log's state right after. */
  readonly tree: TreeHead;
  /** When the bank took it, in milliseconds since 1970. */
  readonly time: number;
  /** The chain's head right after. */
  readonly head: Head;
}

/**
 * Signs a receipt as the bank, once the entry's leaf is in the log. Nothing is checked: what does not fit, its verifiers
 * refuse.
 *
 * @param bank - the bank's signing key
 * @param receipt - what is said; the digests of the request (32 bytes each) are of whatever your requests are, and are
 *   for the one who sent it to compare
 * @returns the signed receipt, for {@link verifyReceipt}
 */
export async function issueReceipt(bank: Signer, receipt: Receipt): Promise<Uint8Array> {
  const body = encodeReceipt(receipt);
  return tuple('signed receipt', body, await bank.sign(body));
}

/**
 * Verifies a receipt and returns what it says.
 *
 * @param signed - what {@link issueReceipt} made
 * @param bank - the credential that must have signed it
 * @param about - what it must be about: the bank's origin, and the entry's hash
 * @throws `MunimentError` `RECORD_RECEIPT`
 */
export function verifyReceipt(
  signed: Uint8Array,
  bank: Credential,
  about: { readonly origin: string; readonly entryHash: Uint8Array },
): Receipt {
  const receipt = openReceipt(signed, bank);
  const fits = receipt.origin === about.origin && equalBytes(receipt.entryHash, about.entryHash);
  if (!fits) throw new MunimentError('RECORD_RECEIPT');
  return receipt;
}

/** Verifies a receipt whatever it is about, for those who then hold what it says against something else, or throws `RECORD_RECEIPT`. */
export function openReceipt(signed: Uint8Array, bank: Credential): Receipt {
  try {
    const outer = TupleReader.labelled(signed, 'signed receipt');
    const [body, signature] = [outer.bytes(), readSignature(outer)];
    outer.end();
    verifySignature(bank.signing, body, signature);
    return decodeReceipt(body);
  } catch (cause) {
    throw new MunimentError('RECORD_RECEIPT', undefined, { cause });
  }
}

function encodeReceipt(r: Receipt): Uint8Array {
  return tuple(
    'receipt',
    r.origin,
    r.recordId,
    r.chain,
    r.request.data,
    r.request.signature,
    r.outcome,
    r.entryHash,
    r.seq,
    r.prev,
    r.leafIndex,
    r.tree.size,
    r.tree.root,
    r.time,
    r.head.size,
    r.head.hash,
  );
}

function decodeReceipt(body: Uint8Array): Receipt {
  const reader = TupleReader.labelled(body, 'receipt');
  const receipt = {
    origin: reader.text(NAME_LIMIT),
    recordId: reader.bytes(16),
    chain: readChain(reader.text(NAME_LIMIT)),
    request: { data: reader.bytes(32), signature: reader.bytes(32) },
    outcome: reader.text(NAME_LIMIT),
    entryHash: reader.bytes(32),
    seq: reader.integer(),
    prev: reader.bytes(32),
    leafIndex: reader.integer(),
    tree: { size: reader.integer(), root: reader.bytes(32) },
    time: reader.integer(),
    head: { size: reader.integer(), hash: reader.bytes(32) },
  };
  reader.end();
  return receipt;
}

function readChain(text: string): ChainName {
  if (text !== 'content' && text !== 'access') throw new MunimentError('RECORD_RECEIPT');
  return text;
}
