/** Payloads and attachments: each is the one that a signed entry names, none is missing that was not erased, and there are no others. */

import { verifyPayload } from 'muniment/record';
import { sealedDigest } from 'muniment/views';
import { equalBytes } from 'muniment/wire';
import { createHash } from 'node:crypto';
import type { Entered } from './chains.ts';
import { codeOf, type Context } from './context.ts';
import { rowName } from './findings.ts';
import { checkNoneMissing, checkStored } from './named.ts';
import { SEALED } from './rights.ts';

const DIGESTS = { [SEALED]: sealedDigest };

/** Checks an entry's payload against its digest, and gives it. `null` if it is not there, or is another. */
export function checkPayload(
  { findings, scratch }: Context,
  { row, signed, hash, name }: Entered,
): Uint8Array | null {
  const { record, chain, seq } = row;
  if (row.payload === null) {
    scratch.add('absent', { record, chain, seq, hash });
    return null;
  }
  findings.count('payloads');
  try {
    verifyPayload(signed.entry, row.payload, DIGESTS);
    return row.payload;
  } catch (error) {
    findings.add('payloads', name, codeOf(error), 'it is not what its entry names');
    return null;
  }
}

/** Checks that what is gone was erased, and what was erased is gone; and that every payload has an entry. */
export async function checkAbsentPayloads({ scratch, findings, source }: Context): Promise<void> {
  interface Place {
    readonly record: Uint8Array;
    readonly chain: string;
    readonly seq: number;
  }
  const nameOf = ({ record, chain, seq }: Place): string => rowName({ record, chain, seq });
  const same = 'a.record = b.record AND a.chain = b.chain AND a.seq = b.seq AND a.hash = b.hash';
  for (const gone of scratch.rows<Place>(
    `SELECT a.* FROM absent a LEFT JOIN erased b ON ${same} WHERE b.record IS NULL`,
  ))
    findings.add('payloads', nameOf(gone), 'MISSING', 'it is gone, and no entry says that it was erased');
  for (const left of scratch.rows<Place>(
    `SELECT a.* FROM erased a LEFT JOIN absent b ON ${same} WHERE b.record IS NULL`,
  ))
    findings.add('payloads', nameOf(left), 'ERASED', 'an entry says that it was erased');
  const stray = source.rows<Place>(
    `SELECT p.record, p.chain, p.seq FROM payloads p
     LEFT JOIN entries e ON e.record = p.record AND e.chain = p.chain AND e.seq = p.seq WHERE e.record IS NULL`,
  );
  for await (const one of stray) findings.add('payloads', nameOf(one), 'EXTRA', 'it has no entry');
}

/** Checks every attachment: its digest, that an entry names it, and that none is missing. */
export async function checkAttachments(context: Context): Promise<void> {
  const { source, findings } = context;
  const rows = source.rows<{ digest: Uint8Array; bytes: Uint8Array }>(
    'SELECT digest, bytes FROM attachments',
  );
  for await (const { digest, bytes } of rows) {
    findings.count('attachments');
    if (!equalBytes(createHash('sha256').update(bytes).digest(), digest))
      findings.add('attachments', rowName({ digest }), 'DIGEST', 'its digest is another');
    checkStored(context, 'attachments', digest);
  }
  checkNoneMissing(context, 'attachments');
}
