/** Accesses: what the bank has written of each is what the reader's own archived request says. */

import { MunimentError } from 'muniment';
import { decodeSignedEntry, readStatement } from 'muniment/record';
import { equalBytes, fromBase64url, TupleReader } from 'muniment/wire';
import { createHash } from 'node:crypto';
import type { Asked } from './asked.ts';
import type { Entered } from './chains.ts';
import { codeOf, type Context } from './context.ts';

/** Checks an access entry's statement against the archive. */
export async function checkAccess(
  { asked: archive, findings }: Context,
  { row, signed, name }: Entered,
  payload: Uint8Array,
): Promise<void> {
  const asked = await archive.find(row.session);
  if (asked === null) return; // said already
  try {
    const { entry } = signed;
    if (entry.kind !== 'access' && entry.kind !== 'release') throw new MunimentError('RECORD_RIGHT');
    const said = readAccess(readStatement(entry, payload, entry.kind));
    const fits =
      equalBytes(said.reader, asked.from) &&
      equalBytes(said.data, asked.digests.data) &&
      equalBytes(said.signature, asked.digests.signature) &&
      (entry.kind === 'access' ? isRead(said, asked) : isRelease(said, asked));
    if (!fits) throw new MunimentError('RECORD_PAYLOAD');
    findings.count('accesses');
  } catch (error) {
    findings.add('payloads', name, codeOf(error), 'the archived request says something else');
  }
}

interface Access {
  readonly reader: Uint8Array;
  readonly action: string;
  readonly purpose: string;
  readonly data: Uint8Array;
  readonly signature: Uint8Array;
  readonly from: number;
  readonly emergency: Uint8Array;
}

function readAccess(content: Uint8Array): Access {
  const reader = TupleReader.labelled(content, 'bank access');
  const access = {
    ...{ reader: reader.bytes(32), action: reader.text(), purpose: reader.text() },
    ...{ data: reader.bytes(32), signature: reader.bytes(32) },
    ...{ from: reader.integer(), emergency: reader.bytes() },
  };
  reader.end();
  return access;
}

function isRead({ action, purpose, from, emergency }: Access, { request }: Asked): boolean {
  return (
    action === 'read' &&
    request.type === 'read' &&
    request.purpose === purpose &&
    request.from === from &&
    emergency.length === 0
  );
}

// The emergency's own entry is in the request, and names the statement by its digest.
function isRelease({ action, purpose, from, emergency }: Access, { request }: Asked): boolean {
  if (action !== 'break-glass' || request.entry === undefined || purpose !== '') return false;
  const { entry } = decodeSignedEntry(fromBase64url(request.entry));
  const digest = createHash('sha256').update(emergency).digest();
  return entry.seq === from && equalBytes(digest, entry.payloadDigest);
}
