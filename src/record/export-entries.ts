/** The entries of an export, one chain after the other: each verified with all that goes with it. spec/export.md, "Verifying". */

import { MunimentError } from '../errors.ts';
import type { Credential } from '../keys/index.ts';
import { equalBytes } from '../wire/index.ts';
import type { ChainName } from './entry-fields.ts';
import { startOf, withoutRevocations, type VerifiedEntry } from './chain.ts';
import { readCreation } from './create.ts';
import type { Entry, Head } from './entry.ts';
import type { StandingAt } from './export-directory.ts';
import type { RecordExport } from './export-file.ts';
import { Tombstones, type ErasedBy, type PayloadState } from './export-payloads.ts';
import { verifyPlace, type FindCredential, type Log } from './export-place.ts';
import { verifyPayload, type PayloadDigests } from './payload.ts';
import type { Receipt } from './receipt.ts';
import type { WriteRule } from './rule.ts';
import { verifyChain } from './verify-chain.ts';

/** What was opened of a sealed payload, verified. */
export interface OpenedPayload {
  /** As JSON text. */
  readonly text: string;
  /** Who wrote it. */
  readonly author: Credential;
}

/** Verifies what was opened against the entry that names the sealed payload, by type; throws if it is not part of it. */
export type Openings = Readonly<
  Record<string, (opened: Uint8Array, entry: Entry, authors: FindCredential) => OpenedPayload>
>;

/** A verified entry with its payload and receipt. */
export interface VerifiedExportEntry {
  readonly entry: VerifiedEntry;
  /** Verified against the entry; `null` where it was erased or withheld. */
  readonly payload: Uint8Array | null;
  readonly state: PayloadState;
  /** The tombstone that names this entry, were its payload still in the export; `null` if none does. */
  readonly erasedBy: ErasedBy | null;
  /** Verified against the entry; `null` where nothing was opened. */
  readonly opened: OpenedPayload | null;
  readonly receipt: Receipt;
  /** Who signed the receipt: the bank of one of the charters. */
  readonly bank: Credential;
  /** How sure the keys of author and bank were when the bank took the entry, by the revocations in the export. */
  readonly standing: 'valid' | 'doubtful';
}

/** Both chains. */
export type VerifiedChains = Readonly<Record<ChainName, readonly VerifiedExportEntry[]>>;

/** What all entries of an export are held against. */
export interface EntryRules {
  readonly rule: WriteRule<unknown>;
  readonly digests: PayloadDigests;
  readonly openings: Openings;
  readonly find: FindCredential;
  readonly log: Log;
  readonly standing: StandingAt;
  /** Called for each verified entry. */
  readonly count: () => void;
}

type Unsettled = Omit<VerifiedExportEntry, 'state' | 'erasedBy'>;

/** The entries of one export: content first, then the accesses. */
export class ExportEntries {
  /** The entry that is being verified; `null` between the chains. */
  at: { readonly chain: ChainName; readonly seq: number } | null = null;
  readonly #good: Record<ChainName, Unsettled[]> = { content: [], access: [] };
  readonly #tombstones = new Tombstones();
  #tagSalt: Uint8Array | null = null;

  /** What was verified so far, and what became of its payloads by the tombstones among that. */
  settled(): VerifiedChains {
    const settle = (one: Unsettled): VerifiedExportEntry => {
      const erasedBy = this.#tombstones.of(one.entry);
      const state = one.payload !== null ? 'given' : erasedBy !== null ? 'erased' : 'withheld';
      return { ...one, state, erasedBy };
    };
    return { content: this.#good.content.map(settle), access: this.#good.access.map(settle) };
  }

  /** Verifies a chain to its end. Throws `MunimentError`; `at` then says where. */
  async verify(chain: ChainName, parts: RecordExport, rules: EntryRules): Promise<Head> {
    const { origin, recordId, [chain]: exported } = parts;
    const items = verifyChain(
      exported.map(({ signed, payload }) => ({ ...signed, payload })),
      // Whether a key was good is judged by the bank's time, once that is known.
      { origin, recordId, chain, authors: withoutRevocations(rules.find), rule: rules.rule },
      startOf(rules.rule),
    );
    const entries = this.#good[chain];
    for (const one of exported) {
      this.at = { chain, seq: entries.length };
      const next = await items.next();
      if (next.done === true || 'hidden' in next.value) throw new MunimentError('RECORD_EXPORT');
      entries.push(this.#verifyOne(one, next.value, rules, entries.at(-1)));
      rules.count();
    }
    this.at = null;
    const end = await items.next();
    if (end.done !== true) throw new MunimentError('RECORD_EXPORT');
    for (const { receipt } of entries) checkStatedHead(receipt, entries);
    return end.value.head;
  }

  #verifyOne(
    exported: RecordExport[ChainName][number],
    entry: VerifiedEntry,
    rules: EntryRules,
    after: Unsettled | undefined,
  ): Unsettled {
    const { payload, opened } = exported;
    if (payload !== null) verifyPayload(entry.entry, payload, rules.digests);
    // The salt that opens leaves stands in the very first entry of the content chain.
    const tagSalt = (this.#tagSalt ??= readCreation(entry.entry, payload ?? new Uint8Array(0)).tagSalt);
    const { receipt, bank } = verifyPlace(exported, entry, { log: rules.log, tagSalt, after });
    const sure = [entry.author, bank].every((key) => rules.standing(key, receipt) === 'valid');
    const verified = {
      ...({ entry, payload, receipt, bank, standing: sure ? 'valid' : 'doubtful' } as const),
      opened: opened === null ? null : verifyOpened(opened, entry.entry, rules),
    };
    this.#tombstones.read(entry, payload);
    return verified;
  }
}

// A receipt that states a longer chain than this one, or another of the same length, shows that something was left out
// or told in two ways.
function checkStatedHead({ head }: Receipt, entries: readonly { readonly entry: VerifiedEntry }[]): void {
  const last = entries[head.size - 1];
  if (last === undefined || !equalBytes(last.entry.hash, head.hash))
    throw new MunimentError('RECORD_CONSISTENCY');
}

function verifyOpened(opened: Uint8Array, entry: Entry, { openings, find }: EntryRules): OpenedPayload {
  // Own members only, as with digests.
  const verify = Object.hasOwn(openings, entry.payloadType) ? openings[entry.payloadType] : undefined;
  if (verify === undefined) throw new MunimentError('RECORD_PAYLOAD');
  try {
    return verify(opened, entry, find);
  } catch (cause) {
    throw new MunimentError('RECORD_PAYLOAD', undefined, { cause });
  }
}
