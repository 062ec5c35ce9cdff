/** Creations: whose record it is, and the salt that opens its leaves. A record is opened where its owner has named it. */

import { directoryId, readCreation, type Creation } from 'muniment/record';
import { equalBytes } from 'muniment/wire';
import type { Entered } from './chains.ts';
import { codeOf, type Context } from './context.ts';

/** Checks a creation, and keeps the record that it makes. */
export function checkCreation(
  { findings, scratch, trust, people }: Context,
  { row, signed, name }: Entered,
  payload: Uint8Array,
): void {
  let creation: Creation;
  try {
    creation = readCreation(signed.entry, payload);
  } catch (error) {
    findings.add('entries', name, codeOf(error), 'it creates no record');
    return;
  }
  const { tagSalt } = creation;
  const { record, leaf } = row;
  const isDirectory = equalBytes(record, directoryId(trust.origin));
  // The directory is the administrator's who opened it.
  const owner = isDirectory ? signed.entry.author : creation.owner;
  scratch.add('records', { id: record, owner, tag_salt: tagSalt, leaf });
  if (isDirectory) return;
  if (people.find(owner, leaf)?.roles.includes('patient') !== true)
    findings.add('entries', name, 'RECORD_RIGHT', 'its owner is no registered patient');
  const named = scratch.row<{ record: Uint8Array }>(
    'SELECT record FROM compartments WHERE owner = ? AND leaf < ? ORDER BY number LIMIT 1',
    owner,
    leaf,
  );
  if (named === undefined || !equalBytes(named.record, record))
    findings.add('entries', name, 'RECORD_RIGHT', 'its owner has not named this record');
}
