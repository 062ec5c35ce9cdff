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
  const patient = people.find(owner, leaf);
  if (patient?.roles.includes('patient') !== true)
    findings.add('entries', name, 'RECORD_RIGHT', 'its owner is no registered patient');
  // By the newest of the owner's keys that had named one.
  const named = scratch.row<{ record: Uint8Array; owner: Uint8Array }>(
    `SELECT c.record, c.owner FROM compartments c JOIN users u ON u.id = c.owner
     WHERE u.subject = ? AND c.leaf < ? ORDER BY u.number DESC, c.number DESC LIMIT 1`,
    patient?.subject ?? '',
    leaf,
  );
  if (named === undefined || !equalBytes(named.record, record) || !equalBytes(named.owner, owner))
    findings.add('entries', name, 'RECORD_RIGHT', 'its owner has not named this record');
}
