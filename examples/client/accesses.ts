/** Who has read the record: the access chain, each access the bank's entry over the reader's own signed request. */

import { MunimentError } from 'muniment';
import { verifyEvidence } from 'muniment/envelope';
import type { Credential } from 'muniment/keys';
import { decodeSignedEntry, EMPTY_CHAIN, readStatement, verifyChain } from 'muniment/record';
import { equalBytes } from 'muniment/wire';
import { decodeAccess, parseRequest } from '../server/api.ts';
import { mayWriteRecord } from '../server/rights.ts';
import type { Answer, BankClient } from './bank.ts';
import { byId, lookUp } from './people.ts';

/** One verified access. */
export interface Access {
  readonly reader: Credential;
  readonly action: 'read' | 'break-glass';
  /** What the reader gave as purpose or, for break-glass, as reason. */
  readonly purpose: string;
  /** When the bank logged it, in milliseconds since 1970. */
  readonly time: number;
}

/** The owner's question: who has read my record? Every answer verified down to the reader's own signature. */
export async function readAccesses(client: BankClient, recordId: Uint8Array): Promise<Access[]> {
  const { origin, bank } = client.trust;
  const mayWrite = mayWriteRecord(client.user.credential.id);
  const rules = { origin, recordId, chain: 'access', authors: byId([bank]), mayWrite } as const;
  const accesses: Access[] = [];
  let head = EMPTY_CHAIN;
  for (let from: number | null = 0; from !== null;) {
    const question = {
      type: 'read',
      recordId,
      chain: 'access',
      from,
      purpose: 'accesses',
      proofs: false,
      size: null,
    } as const;
    const page: Answer<'read'> = await client.ask<'read'>(question);
    const at = (position: number | null): Uint8Array => {
      const bytes = position === null ? undefined : page.documents[position];
      if (bytes === undefined) throw new MunimentError('RECORD_ENTRY');
      return bytes;
    };
    const { items } = page.reply;
    const chain = verifyChain(
      items.map((item) => decodeSignedEntry(at(item.entry))),
      rules,
      head,
    );
    const stated = [];
    for (const item of items) {
      const next = await chain.next();
      if (next.done === true || 'hidden' in next.value) throw new MunimentError('RECORD_LINK');
      const { entry, hash } = next.value;
      head = { size: entry.seq + 1, hash };
      const statement = decodeAccess(readStatement(entry, at(item.payload), entry.kind));
      stated.push({ statement, time: entry.time, evidence: at(item.evidence) });
    }
    const { credentials } = await lookUp(client, { ids: stated.map(({ statement }) => statement.reader) });
    const find = byId(credentials);
    for (const { statement, time, evidence } of stated) {
      const reader = find(statement.reader);
      if (reader === null) throw new MunimentError('RECORD_AUTHOR');
      checkEvidence(evidence, { reader, bank, recordId, digest: statement.request });
      const { action, purpose } = statement;
      accesses.push({ reader, action, purpose, time });
    }
    from = page.reply.next;
  }
  return accesses;
}

// The reader signed the very request that the bank's entry names, to this bank and about this record.
function checkEvidence(
  evidence: Uint8Array,
  expected: {
    readonly reader: Credential;
    readonly bank: Credential;
    readonly recordId: Uint8Array;
    readonly digest: { readonly data: Uint8Array; readonly signature: Uint8Array };
  },
): void {
  const { reader, bank, recordId, digest } = expected;
  const request = verifyEvidence(evidence, { type: 'request', author: reader, to: bank.id, answers: null });
  const named =
    equalBytes(request.digests.data, digest.data) && equalBytes(request.digests.signature, digest.signature);
  const asked = parseRequest(request.data);
  if (!named || !('recordId' in asked) || !equalBytes(asked.recordId, recordId))
    throw new MunimentError('RECORD_PAYLOAD');
}
