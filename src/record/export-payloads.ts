/** What became of an export's payloads: given, erased by a tombstone of the record, or withheld. spec/export.md, "Payloads". */

import { toHex } from '../wire/index.ts';
import type { ChainName } from './entry-fields.ts';
import type { VerifiedEntry } from './chain.ts';
import { readErasure } from './erasure.ts';
import type { ErasureGround } from './retention.ts';

/** The tombstone that names an entry. */
export interface ErasedBy {
  /** Where it stands in the content chain. */
  readonly seq: number;
  readonly ground: ErasureGround;
  /** The version of the retention rule that it was made under. */
  readonly ruleVersion: string;
}

/** Whether a payload is in the export; if not, whether the record says that it was destroyed. */
export type PayloadState = 'given' | 'erased' | 'withheld';

/** How many payloads are in which state. */
export type PayloadCounts = Readonly<Record<PayloadState, number>>;

/** Which entries were erased, by what was verified of the content chain. */
export class Tombstones {
  readonly #named = new Map<string, ErasedBy>();

  /**
   * Reads a verified entry, if it is a tombstone. One whose own payload is not there erases nothing.
   *
   * @throws `MunimentError` `RECORD_PAYLOAD` for a tombstone of another form
   */
  read({ entry }: VerifiedEntry, payload: Uint8Array | null): void {
    if (entry.kind !== 'erase' || payload === null) return;
    const { chain, erased, ground, ruleVersion } = readErasure(entry, payload);
    for (const { seq, entryHash } of erased) {
      const key = keyOf(chain, seq, entryHash);
      // The first counts: what is destroyed is not destroyed again.
      if (!this.#named.has(key)) this.#named.set(key, { seq: entry.seq, ground, ruleVersion });
    }
  }

  /** The tombstone that names this very entry; `null` if none does. */
  of({ entry, hash }: VerifiedEntry): ErasedBy | null {
    return this.#named.get(keyOf(entry.chain, entry.seq, hash)) ?? null;
  }
}

/** Counts entries by what became of their payloads. */
export function countPayloads(entries: readonly { readonly state: PayloadState }[]): PayloadCounts {
  const counts = { given: 0, erased: 0, withheld: 0 };
  for (const { state } of entries) counts[state]++;
  return counts;
}

function keyOf(chain: ChainName, seq: number, entryHash: Uint8Array): string {
  return `${chain} ${String(seq)} ${toHex(entryHash)}`;
}
