/** What entries of a record state: sealed documents as far as anybody can judge them without a key, grants, emergencies, tombstones. */

import { MunimentError } from 'muniment';
import { verifyCompartments, type Credential } from 'muniment/keys';
import { readErasure, readStatement } from 'muniment/record';
import { compartmentReader, decodeSealed, verifyEmergency, verifyGrant, verifySealed } from 'muniment/views';
import { equalBytes } from 'muniment/wire';
import type { Entered } from './chains.ts';
import { codeOf, type Context } from './context.ts';
import { SEALED } from './rights.ts';

/** Checks what an entry of a record's content states. */
export function checkContent(context: Context, entered: Entered, payload: Uint8Array): void {
  const { findings, people } = context;
  const { row, signed, name } = entered;
  const author = people.find(signed.entry.author, row.leaf);
  if (author === null) return; // said already
  try {
    judge(context, entered, author, payload);
  } catch (error) {
    findings.add('payloads', name, codeOf(error), 'what it states does not hold');
  }
}

function judge(context: Context, entered: Entered, author: Credential, payload: Uint8Array): void {
  const { entry } = entered.signed;
  if (entry.payloadType === SEALED) {
    judgeSealed(context, entered, author, payload);
    return;
  }
  switch (entry.kind) {
    case 'grant':
      judgeGrant(entered, author, readStatement(entry, payload, 'grant'));
      return;
    case 'emergency': {
      const { recordId } = verifyEmergency(readStatement(entry, payload, 'emergency'), author);
      if (!equalBytes(recordId, entry.recordId)) throw new MunimentError('VIEW_RELEASE');
      return;
    }
    case 'erase': {
      const { chain, erased } = readErasure(entry, payload);
      for (const { seq, entryHash: hash } of erased)
        context.scratch.add('erased', { record: entry.recordId, chain, seq, hash });
      return;
    }
    default:
      throw new MunimentError('RECORD_RIGHT');
  }
}

function judgeSealed(
  { people, scratch, findings }: Context,
  { row, signed: { entry } }: Entered,
  author: Credential,
  payload: Uint8Array,
): void {
  const sealed = decodeSealed(payload);
  const { manifest } = verifySealed(sealed, {
    recordId: entry.recordId,
    authors: (id) => (equalBytes(id, author.id) ? author : null),
  });
  if (manifest.time > entry.time) throw new MunimentError('VIEW_MANIFEST');
  const list = scratch.row<{ owner: Uint8Array; statement: Uint8Array }>(
    `SELECT c.owner, c.statement FROM records r JOIN compartments c ON c.owner = r.owner
     WHERE r.id = ? AND c.leaf < ? ORDER BY c.number LIMIT 1`,
    entry.recordId,
    row.leaf,
  );
  const owner = list === undefined ? null : people.find(list.owner);
  if (list === undefined || owner === null) throw new MunimentError('RECORD_RIGHT');
  const root = verifyCompartments(list.statement, owner).list.find(({ name }) => name === '');
  const id = root === undefined ? null : compartmentReader(root).id;
  if (id === null || !sealed.wraps.some(({ readerId }) => equalBytes(readerId, id)))
    throw new MunimentError('VIEW_MANIFEST');
  findings.count('sealed documents');
}

function judgeGrant({ row, signed: { entry } }: Entered, author: Credential, statement: Uint8Array): void {
  const { recordId, wrapHash } = verifyGrant(statement, author, null);
  const wraps = Array.from({ length: row.attachments.length / 32 }, (_, i) =>
    row.attachments.subarray(32 * i, 32 * i + 32),
  );
  const whole = wraps.some((digest) => equalBytes(digest, wrapHash));
  if (!whole || !equalBytes(recordId, entry.recordId)) throw new MunimentError('VIEW_GRANT');
}
