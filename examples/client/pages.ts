/** A chain as the bank hands it out, page by page, all of them at the one size of the log that the first was shown at. */

import { MunimentError } from 'muniment';
import { decodeSignedEntry, type ChainItem } from 'muniment/record';
import { equalBytes } from 'muniment/wire';
import type { Answer, BankClient } from './bank.ts';
import type { Answered, ChainOf } from './following.ts';

/** One answer. */
export type Page = Answer<'read'>;
/** An entry in it. */
export type PageItem = Page['reply']['items'][number];

/** What is asked for of a chain. */
export interface HowToRead {
  /** Why, for the access log. */
  readonly purpose: string;
  /** The log's size to show it at; the newest if absent or `null`. */
  readonly size?: number | null;
  /** Of which part documents are wanted; of all if absent or `null`. */
  readonly part?: string | null;
}

/**
 * Asks for all pages of a chain. Nothing in them is verified yet.
 *
 */
export async function fetchPages(
  client: BankClient,
  of: ChainOf,
  { purpose, size: wanted = null, part = null }: HowToRead,
): Promise<Page[]> {
  const pages: Page[] = [];
  let size = wanted;
  for (let from: number | null = 0; from !== null;) {
    const page: Page = await client.ask<'read'>({ type: 'read', ...of, from, purpose, size, part });
    pages.push(page);
    from = page.reply.next;
    if (from !== null) size ??= client.readCheckpoint(page.reply.checkpoint).size;
  }
  return pages;
}

/** What the pages show together. Throws `RECORD_CONSISTENCY` for pages that are not at one size of one log. */
export function joinPages(client: BankClient, pages: readonly Page[]): Answered {
  const [first, last] = [pages[0] ?? missing(), pages.at(-1) ?? missing()];
  const { checkpoint, consistency } = first.reply;
  for (const { reply } of pages.slice(1)) {
    const [a, b] = [checkpoint, reply.checkpoint].map((text) => client.readCheckpoint(text));
    if (a?.size !== b?.size || !equalBytes(a?.root ?? missing(), b?.root ?? missing()))
      throw new MunimentError('RECORD_CONSISTENCY');
  }
  const items = pages.flatMap((page) =>
    page.reply.items.map((item) => ({
      item: chainItem(item, page),
      receipt: documentAt(page, item.receipt),
      proof: item.proof,
    })),
  );
  return { asked: first.asked, checkpoint, consistency, items, head: last.reply.head };
}

/** A page's document. */
export function documentAt({ documents }: Page, position: number | null): Uint8Array {
  const bytes = position === null ? undefined : documents[position];
  return bytes ?? missing();
}

// With its payload, for the rule reads what statements say.
function chainItem(item: PageItem, page: Page): ChainItem {
  const payload = item.payload === null ? null : documentAt(page, item.payload);
  return item.opaque ?? { ...decodeSignedEntry(documentAt(page, item.entry)), payload };
}

function missing(): never {
  throw new MunimentError('RECORD_ENTRY');
}
