/** Fetching a record's export: both chains, and who ended which key, with receipts and proofs under one checkpoint. */

import type { Credential } from 'muniment/keys';
import {
  decodeSignedEntry,
  directoryId,
  exportRecord,
  type ExportedDirectory,
  type ExportedEntry,
} from 'muniment/record';
import { equalBytes, toHex } from 'muniment/wire';
import { readAccessPages } from './accesses.ts';
import type { BankClient } from './bank.ts';
import { takePages } from './content.ts';
import { documentAt, fetchPages, type Page } from './pages.ts';
import { lookUp } from './people.ts';
import { banksOf } from './trust.ts';

/** Exports a record as its owner: one JSON text that `verifyExport` judges offline. */
export async function fetchExport(client: BankClient, recordId: Uint8Array): Promise<string> {
  const purpose = 'export';
  const pages = await fetchPages(client, { recordId, chain: 'content' }, { purpose });
  const { read } = await takePages(client, recordId, pages);
  const checkpoint = pages[0]?.reply.checkpoint ?? '';
  const { size } = client.readCheckpoint(checkpoint);
  const accesses = await readAccessPages(client, recordId, { purpose, size });
  const [content, access] = [pages, accesses.pages].map((list) => list.flatMap(entriesOf));
  // Whom the record's statements name, nobody can judge them without; nor without knowing whose key had ended by then.
  const authors = authorsOf([...(content ?? []), ...(access ?? [])]);
  const ids = unique([...authors, ...read.credentials.map(({ id }) => id)]);
  const directory = await fetchRevocations(client, ids, size);
  const signers = await credentialsOf(client, unique([...ids, ...authorsOf(directory.entries)]));
  const credentials = distinct([...signers, ...read.credentials]);
  return exportRecord({
    origin: client.trust.origin,
    recordId,
    charters: [...client.trust.former.map(({ charter }) => charter), client.trust.charter],
    credentials: credentials.map(({ encoded }) => encoded),
    content: content ?? [],
    access: access ?? [],
    directory,
    checkpoint,
    renewals: [],
  });
}

function entriesOf(page: Page): ExportedEntry[] {
  return page.reply.items.map(({ entry, payload, receipt, proof }) => ({
    signed: decodeSignedEntry(documentAt(page, entry)),
    payload: payload === null ? null : documentAt(page, payload),
    digests: [],
    opened: null,
    receipt: documentAt(page, receipt),
    proof,
  }));
}

// The directory's entries that ended the keys of whoever wrote here or is named; judged by whoever verifies the export.
async function fetchRevocations(
  client: BankClient,
  ids: readonly Uint8Array[],
  size: number,
): Promise<ExportedDirectory> {
  const question = { type: 'revocations' as const, ids: [...ids], size };
  const { reply, documents } = await client.ask<'revocations'>(question);
  const at = (position: number): Uint8Array => documents[position] ?? new Uint8Array(0);
  return {
    recordId: directoryId(client.trust.origin),
    tagSalt: reply.tagSalt,
    entries: reply.items.map(({ entry, payload, receipt, proof }) => ({
      signed: decodeSignedEntry(at(entry)),
      payload: at(payload),
      digests: [],
      opened: null,
      receipt: at(receipt),
      proof,
    })),
  };
}

function authorsOf(entries: readonly ExportedEntry[]): Uint8Array[] {
  return unique(entries.map(({ signed }) => signed.entry.author));
}

function unique(ids: readonly Uint8Array[]): Uint8Array[] {
  return [...new Map(ids.map((id) => [toHex(id), id])).values()];
}

function distinct(credentials: readonly Credential[]): Credential[] {
  return [...new Map(credentials.map((one) => [toHex(one.id), one])).values()];
}

async function credentialsOf(client: BankClient, ids: readonly Uint8Array[]): Promise<Credential[]> {
  const known = [client.trust.anchor, ...banksOf(client.trust)];
  const others = ids.filter((id) => !known.some((own) => equalBytes(own.id, id)));
  const { credentials } = await lookUp(client, { ids: others });
  return [...known, ...credentials];
}
