/**
 * Tombstones: the statement of an entry of kind `erase`, which names the entries whose payloads are destroyed. With it
 * a verifier tells an erased payload from a withheld one. Who may sign it, and from when on, is not judged here.
 * spec/authority.md, "Erasure".
 */

import { MunimentError } from '../errors.ts';
import { NAME_LIMIT } from '../keys/index.ts';
import { tuple, TupleReader } from '../wire/index.ts';
import type { ChainName } from './entry-fields.ts';
import type { Entry } from './entry.ts';
import { readStatement } from './payload.ts';
import { ERASURE_GROUNDS, type ErasureGround } from './retention.ts';

/** The kind of a tombstone's statement. */
export const ERASE = 'erase';
/** Most entries that one tombstone names. */
export const ERASURE_LIMIT = 1024;

/** An entry whose payload is destroyed: its position, and its hash (32 bytes), so that it is that one and no other. */
export interface Erased {
  readonly seq: number;
  readonly entryHash: Uint8Array;
}

/** What a tombstone says. */
export interface Erasure {
  /** In which of the record's chains these entries stand. */
  readonly chain: ChainName;
  /** At least one, positions rising. */
  readonly erased: readonly Erased[];
  readonly ground: ErasureGround;
  /** The version of the retention rule that it was made under. */
  readonly ruleVersion: string;
}

/** Encodes the content of a tombstone's statement. */
export function encodeErasure({ chain, erased, ground, ruleVersion }: Erasure): Uint8Array {
  const items = erased.map(({ seq, entryHash }) => [seq, entryHash]);
  return tuple('erasure', chain, ground, ruleVersion, items);
}

/**
 * Reads a tombstone from its verified entry and payload.
 *
 * @throws `MunimentError` `RECORD_PAYLOAD`: also if it names the creation, an entry of its own chain that does not stand
 *   before it, positions that do not rise, or none
 */
export function readErasure(entry: Entry, payload: Uint8Array): Erasure {
  if (entry.kind !== 'erase' || entry.chain !== 'content') throw new MunimentError('RECORD_PAYLOAD');
  try {
    const reader = TupleReader.labelled(readStatement(entry, payload, ERASE), 'erasure');
    const erasure = {
      chain: oneOf(['content', 'access'] as const, reader.text(NAME_LIMIT)),
      ground: oneOf(ERASURE_GROUNDS, reader.text(NAME_LIMIT)),
      ruleVersion: reader.text(NAME_LIMIT),
      erased: reader.list(ERASURE_LIMIT, (item) =>
        item.group((part) => ({ seq: part.integer(), entryHash: part.bytes(32) })),
      ),
    };
    reader.end();
    const [low, high] = erasure.chain === 'content' ? [1, entry.seq] : [0, Infinity];
    const fits = erasure.erased.every(
      ({ seq }, i) => seq >= (i === 0 ? low : (erasure.erased[i - 1]?.seq ?? 0) + 1) && seq < high,
    );
    if (erasure.erased.length === 0 || !fits) throw new MunimentError('RECORD_PAYLOAD');
    return erasure;
  } catch (cause) {
    throw new MunimentError('RECORD_PAYLOAD', undefined, { cause });
  }
}

function oneOf<Value extends string>(known: readonly Value[], text: string): Value {
  const found = known.find((value) => value === text);
  if (found === undefined) throw new MunimentError('RECORD_PAYLOAD');
  return found;
}
