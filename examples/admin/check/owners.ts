/** Who published each list of compartments: whoever owned the record then, as its chain says; before there is one, who named it, or that subject's next key. */

import { decodeAuthority } from 'muniment/record';
import { equalBytes } from 'muniment/wire';
import type { Context } from './context.ts';
import { rowName } from './findings.ts';

interface List {
  readonly owner: Uint8Array;
  readonly number: number;
  readonly record: Uint8Array;
  readonly leaf: number;
}

/** Checks all lists, once all chains are read. */
export function checkOwners(context: Context): void {
  const { scratch, findings } = context;
  for (const list of scratch.rows<List>('SELECT owner, number, record, leaf FROM compartments ORDER BY leaf'))
    if (!ownedThen(context, list))
      findings.add(
        'compartments',
        rowName({ owner: list.owner, number: list.number }),
        'RECORD_RIGHT',
        'its author did not own the record when it was published',
      );
}

function ownedThen(context: Context, list: List): boolean {
  const { scratch, people } = context;
  const { owner, number, record, leaf } = list;
  const author = people.find(owner, leaf);
  if (author === null) return false;
  const said = saidOf(context, record, leaf);
  if (said !== null) {
    const spent = [...said.formerOwners, ...said.losses.map(({ id }) => id)];
    return said.owner !== null && equalBytes(said.owner, owner) && !spent.some((id) => equalBytes(id, owner));
  }
  if (number > 0) {
    const before = scratch.row<List>(
      'SELECT * FROM compartments WHERE record = ? AND number = ?',
      record,
      number - 1,
    );
    const signer = before === undefined ? null : people.find(before.owner);
    return signer !== null && signer.notBefore <= author.notBefore;
  }
  // Begun anew: only where nobody has opened what an earlier key had named.
  const earlier = scratch.row<List>(
    `SELECT c.* FROM compartments c JOIN users u ON u.id = c.owner
     WHERE u.subject = ? AND c.leaf < ? ORDER BY u.number DESC, c.number DESC LIMIT 1`,
    author.subject,
    leaf,
  );
  const signer = earlier === undefined ? null : people.find(earlier.owner);
  if (earlier === undefined || signer === null) return earlier === undefined;
  return saidOf(context, earlier.record, leaf) === null && signer.notBefore < author.notBefore;
}

function saidOf(
  { scratch }: Context,
  record: Uint8Array,
  before: number,
): ReturnType<typeof decodeAuthority> | null {
  const row = scratch.row<{ authority: Uint8Array }>(
    'SELECT authority FROM authorities WHERE record = ? AND leaf < ? ORDER BY seq DESC LIMIT 1',
    record,
    before,
  );
  return row === undefined ? null : decodeAuthority(row.authority);
}
