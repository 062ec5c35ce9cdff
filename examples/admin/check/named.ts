/** What lies beside entries: attachments and annexes, which entries name each, and whether all of those were erased. */

import type { Entered } from './chains.ts';
import type { Context } from './context.ts';
import { rowName } from './findings.ts';

/** The tables of what entries name, with the column of its digest. */
const KEYS = { annexes: 'name', attachments: 'digest' } as const;
/** What entries name. */
export type Named = keyof typeof KEYS;

/** Keeps what an entry names. */
export function keepNamed({ scratch }: Context, { row, hash }: Entered): void {
  const { record, chain, seq } = row;
  for (const kind of ['annexes', 'attachments'] as const)
    for (const digest of hashesIn(row[kind]))
      scratch.add('named', { digest, kind, record, chain, seq, hash });
}

/** Marks what tombstones name, once all chains were read: it goes with its entry's payload, unless another entry names it. */
export function markErased({ scratch }: Context): void {
  scratch.run(
    `UPDATE named SET erased = 1 WHERE EXISTS (SELECT 1 FROM erased e
       WHERE e.record = named.record AND e.chain = named.chain AND e.seq = named.seq AND e.hash = named.hash)`,
  );
}

/**
 * Checks that an entry names what is there.
 *
 * @param announced - whether it may also be there without one
 */
export function checkStored(
  { scratch, findings }: Context,
  table: Named,
  digest: Uint8Array,
  announced = false,
): void {
  const name = rowName({ [KEYS[table]]: digest });
  const erased = erasedIn(scratch, 'digest = ? AND kind = ?', digest, table);
  if (erased === null && !announced) findings.add(table, name, 'EXTRA', 'no entry names it');
  if (erased === true && !announced) findings.add(table, name, 'ERASED', 'an entry says that it was erased');
  scratch.run('UPDATE named SET found = 1 WHERE digest = ? AND kind = ?', digest, table);
}

/** Checks that all is there that an entry names which was not erased. */
export function checkNoneMissing({ scratch, findings }: Context, table: Named): void {
  for (const { digest } of scratch.rows<{ digest: Uint8Array }>(
    'SELECT DISTINCT digest FROM named WHERE kind = ? AND found = 0 AND erased = 0',
    table,
  ))
    findings.add(table, rowName({ [KEYS[table]]: digest }), 'MISSING', 'an entry names it');
}

/** Checks which entries the bank notes as users of an annex or attachment: those that name it and were not erased. */
export async function checkUses({ source, scratch, findings }: Context): Promise<void> {
  interface Use {
    readonly digest: Uint8Array;
    readonly record: Uint8Array;
    readonly chain: string;
    readonly seq: number;
  }
  const nameOf = ({ record, chain, seq, digest }: Use): string => rowName({ record, chain, seq, digest });
  const same = 'digest = ? AND record = ? AND chain = ? AND seq = ?';
  for await (const use of source.rows<Use>('SELECT digest, record, chain, seq FROM uses')) {
    findings.count('uses');
    const { digest, record, chain, seq } = use;
    const erased = erasedIn(scratch, same, digest, record, chain, seq);
    if (erased === null) findings.add('uses', nameOf(use), 'EXTRA', 'its entry does not name that');
    if (erased === true) findings.add('uses', nameOf(use), 'ERASED', 'its entry was erased');
    scratch.run(`UPDATE named SET used = 1 WHERE ${same}`, digest, record, chain, seq);
  }
  const missing = scratch.rows<Use>(
    'SELECT DISTINCT digest, record, chain, seq FROM named WHERE used = 0 AND erased = 0',
  );
  for (const use of missing) findings.add('uses', nameOf(use), 'MISSING', 'an entry names it');
}

// Whether all of those that name something were erased; `null` if none does.
function erasedIn(
  scratch: Context['scratch'],
  where: string,
  ...values: (Uint8Array | string | number)[]
): boolean | null {
  const row = scratch.row<{ erased: number | null }>(
    `SELECT min(erased) AS erased FROM named WHERE ${where}`,
    ...values,
  );
  const erased = row?.erased ?? null;
  return erased === null ? null : erased === 1;
}

function hashesIn(joined: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.floor(joined.length / 32) }, (_, i) => joined.slice(32 * i, 32 * i + 32));
}
