/** Fetching a record's export: both chains with receipts and proofs under one checkpoint. */

import { MunimentError } from 'muniment';
import { decodeSignedEntry, exportRecord, type ChainName, type ExportedEntry } from 'muniment/record';
import { equalBytes, toHex } from 'muniment/wire';
import type { Answer, BankClient } from './bank.ts';
import { lookUp } from './people.ts';

/** Exports a record as its owner: one JSON text that `verifyExport` judges offline. Nothing in it is believed here. */
export async function fetchExport(client: BankClient, recordId: Uint8Array): Promise<string> {
  const pinned: Pinned = { size: null, checkpoint: '' };
  const content = await fetchChain(client, recordId, 'content', pinned);
  const access = await fetchChain(client, recordId, 'access', pinned);
  const { anchor, bank, charter } = client.trust;
  const authors = new Map(
    [...content, ...access].map(({ signed }) => [toHex(signed.entry.author), signed.entry.author]),
  );
  authors.delete(toHex(bank.id));
  const { credentials } = await lookUp(client, { ids: [...authors.values()] });
  const others = credentials.filter(({ id }) => !equalBytes(id, anchor.id));
  return exportRecord({
    origin: client.trust.origin,
    recordId,
    charters: [charter],
    credentials: [anchor, bank, ...others].map(({ encoded }) => encoded),
    content,
    access,
    directory: null,
    checkpoint: pinned.checkpoint,
    renewals: [],
  });
}

/** The log size that all pages are under, fixed by the first. */
interface Pinned {
  size: number | null;
  checkpoint: string;
}

async function fetchChain(
  client: BankClient,
  recordId: Uint8Array,
  chain: ChainName,
  pinned: Pinned,
): Promise<ExportedEntry[]> {
  const entries: ExportedEntry[] = [];
  for (let from: number | null = 0; from !== null;) {
    const { size } = pinned;
    const question = { type: 'read', recordId, chain, from, purpose: 'export', proofs: true, size } as const;
    const page: Answer<'read'> = await client.ask<'read'>(question);
    const { checkpoint, items, next } = page.reply;
    if (size !== null && checkpoint !== pinned.checkpoint) throw new MunimentError('RECORD_CONSISTENCY');
    pinned.size = client.readCheckpoint(checkpoint).size;
    pinned.checkpoint = checkpoint;
    const at = (position: number | null): Uint8Array => {
      const bytes = position === null ? undefined : page.documents[position];
      if (bytes === undefined) throw new MunimentError('RECORD_EXPORT');
      return bytes;
    };
    for (const { entry, payload, receipt, proof } of items) {
      entries.push({
        signed: decodeSignedEntry(at(entry)),
        payload: payload === null ? null : at(payload),
        digests: [],
        opened: null,
        receipt: at(receipt),
        proof: proof ?? [],
      });
    }
    from = next;
  }
  return entries;
}
