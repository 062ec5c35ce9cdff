/** What entries of a record state: sealed documents as far as anybody can judge them without a key, grants and their ends, emergencies, closings, tombstones. */

import { MunimentError } from 'muniment';
import { verifyCompartments, type Credential } from 'muniment/keys';
import { readErasure, readStatement } from 'muniment/record';
import {
  compartmentReader,
  decodeSealed,
  verifyEmergency,
  verifyGrant,
  verifySealed,
  type SealedDocument,
} from 'muniment/views';
import { equalBytes, toHex, TupleReader } from 'muniment/wire';
import type { Entered } from './chains.ts';
import { codeOf, type Context } from './context.ts';
import { mayAddTo, SEALED } from './rights.ts';

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
    case 'revoke':
      judgeGrantEnd(context, entered, readStatement(entry, payload, 'end of grant'));
      return;
    case 'key':
    case 'close':
      return; // judged by what was said before: statements.ts
    case 'erase': {
      const { chain, erased } = readErasure(entry, payload);
      // Who has read a record is no part of what was written in it.
      if (chain !== 'content') throw new MunimentError('RECORD_PAYLOAD');
      for (const { seq, entryHash: hash } of erased)
        context.scratch.add('erased', { record: entry.recordId, chain, seq, hash });
      return;
    }
    default:
      throw new MunimentError('RECORD_RIGHT');
  }
}

/** Keeps what later entries may be about: documents by their digest, grants by their hash. */
export function keepTarget(
  { scratch }: Context,
  { row: { record }, signed: { entry }, hash }: Entered,
): void {
  if (entry.payloadType === SEALED)
    scratch.add('targets', { record, kind: 'document', hash: entry.payloadDigest });
  if (entry.kind === 'grant') scratch.add('targets', { record, kind: 'grant', hash });
}

function stands(
  { scratch }: Context,
  record: Uint8Array,
  kind: 'document' | 'grant',
  hash: Uint8Array,
): boolean {
  const sql = 'SELECT 1 FROM targets WHERE record = ? AND kind = ? AND hash = ?';
  return scratch.row(sql, record, kind, hash) !== undefined;
}

const NO_DOCUMENT = new Uint8Array(32);

function judgeSealed(
  context: Context,
  { row, signed: { entry } }: Entered,
  author: Credential,
  payload: Uint8Array,
): void {
  const { people, scratch, findings } = context;
  const sealed = decodeSealed(payload);
  const { manifest } = verifySealed(sealed, {
    recordId: entry.recordId,
    authors: (id) => (equalBytes(id, author.id) ? author : null),
  });
  if (manifest.time > entry.time) throw new MunimentError('VIEW_MANIFEST');
  // An amendment and an annotation are about a document that stands before them, an insertion about none.
  const about = equalBytes(manifest.supersedes, NO_DOCUMENT) ? null : manifest.supersedes;
  const fits =
    entry.kind === 'insert' ? about === null : about && stands(context, row.record, 'document', about);
  if (!fits) throw new MunimentError('VIEW_MANIFEST');
  const list = scratch.row<{ owner: Uint8Array; statement: Uint8Array }>(
    'SELECT owner, statement FROM compartments WHERE record = ? AND leaf < ? ORDER BY number LIMIT 1',
    entry.recordId,
    row.leaf,
  );
  const owner = list === undefined ? null : people.find(list.owner);
  if (list === undefined || owner === null) throw new MunimentError('RECORD_RIGHT');
  const root = verifyCompartments(list.statement, owner).list.find(({ name }) => name === '');
  const id = root === undefined ? null : compartmentReader(root).id;
  if (id === null || !sealed.wraps.some(({ readerId }) => equalBytes(readerId, id)))
    throw new MunimentError('VIEW_MANIFEST');
  if (!mayAddTo(partsOf(context, sealed, entry.recordId, row.leaf), author))
    throw new MunimentError('RECORD_RIGHT');
  findings.count('sealed documents');
}

// The parts of a record whose readers a document names, in whatever epoch.
function partsOf(
  { scratch, people }: Context,
  { wraps }: SealedDocument,
  record: Uint8Array,
  before: number,
): string[] {
  const readers = new Set(wraps.map(({ readerId }) => toHex(readerId)));
  const lists = scratch.all<{ owner: Uint8Array; statement: Uint8Array }>(
    'SELECT owner, statement FROM compartments WHERE record = ? AND leaf < ?',
    record,
    before,
  );
  return lists
    .flatMap(({ owner: id, statement }) => {
      const owner = people.find(id);
      return owner === null ? [] : verifyCompartments(statement, owner).list;
    })
    .filter((one) => one.name !== '' && readers.has(toHex(compartmentReader(one).id)))
    .map(({ name }) => name);
}

function judgeGrantEnd(context: Context, { row }: Entered, content: Uint8Array): void {
  const reader = TupleReader.labelled(content, 'bank grant end');
  const grant = reader.bytes(32);
  reader.end();
  if (!stands(context, row.record, 'grant', grant)) throw new MunimentError('VIEW_GRANT');
}

function judgeGrant({ row, signed: { entry } }: Entered, author: Credential, statement: Uint8Array): void {
  const { recordId, wrapHash } = verifyGrant(statement, author, null);
  const wraps = Array.from({ length: row.attachments.length / 32 }, (_, i) =>
    row.attachments.subarray(32 * i, 32 * i + 32),
  );
  const whole = wraps.some((digest) => equalBytes(digest, wrapHash));
  if (!whole || !equalBytes(recordId, entry.recordId)) throw new MunimentError('VIEW_GRANT');
}
