/** Who has read the record: the access chain, each access the bank's entry over the reader's own signed request. */

import { MunimentError } from 'muniment';
import { verifyEvidence } from 'muniment/envelope';
import { clockWindow, DEADLINES } from 'muniment/protocol';
import type { Credential } from 'muniment/keys';
import {
  byRole,
  decodeSignedEntry,
  EMPTY_CHAIN,
  readStatement,
  withoutRevocations,
  type VerifiedEntry,
  type VerifiedItem,
} from 'muniment/record';
import { verifyEmergency } from 'muniment/views';
import { equalBytes, toHex } from 'muniment/wire';
import { decodeAccess, parseRequest, type AccessStatement, type BankRequest } from '../server/api.ts';
import { mayWriteRecord } from '../server/rights.ts';
import type { BankClient } from './bank.ts';
import { followChain } from './following.ts';
import { documentAt, fetchPages, joinPages, type Page } from './pages.ts';
import { byId, lookUp } from './people.ts';
import { banksOf } from './trust.ts';

/** One access. */
export interface Access {
  readonly reader: Credential;
  readonly action: 'read' | 'break-glass';
  /** What the reader itself signed: the purpose, or the reason of an emergency. */
  readonly purpose: string;
  /** When it was asked for, by the bank's clock, in milliseconds since 1970. */
  readonly time: number;
}

/** The answer: accesses proven down to the reader's own signature, and positions of entries where that proof fails. */
export interface Accesses {
  readonly proven: readonly Access[];
  readonly unproven: readonly number[];
}

interface Claim {
  readonly entry: VerifiedEntry;
  readonly payload: Uint8Array;
  readonly evidence: Uint8Array | null;
}

/** The owner's question: who has read my record? The whole chain is verified, to the head that the bank states. */
export async function readAccesses(client: BankClient, recordId: Uint8Array): Promise<Accesses> {
  const claims = await readClaims(client, recordId);
  const ids = new Map(
    claims.flatMap(({ entry, payload }) => {
      const { reader } = statementOf(entry, payload);
      return [[toHex(reader), reader] as const];
    }),
  );
  const { credentials } = await lookUp(client, { ids: [...ids.values()] });
  const find = byId([...credentials, client.user.credential]);
  const proven: Access[] = [];
  const unproven: number[] = [];
  const used = new Set<string>();
  for (const claim of claims) {
    try {
      const { signature, access } = prove(claim, { client, recordId, find });
      // One signed request is one access; the bank cannot make two of it.
      if (used.has(signature)) throw new MunimentError('RECORD_PAYLOAD');
      used.add(signature);
      proven.push(access);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      unproven.push(claim.entry.entry.seq);
    }
  }
  return { proven, unproven };
}

async function readClaims(client: BankClient, recordId: Uint8Array): Promise<Claim[]> {
  const { pages, chain } = await readAccessPages(client, recordId, { purpose: 'accesses' });
  const entries = chain.values();
  return pages.flatMap((page) =>
    page.reply.items.map((item) => {
      const entry = entries.next().value;
      if (entry === undefined || 'hidden' in entry) throw new MunimentError('RECORD_LINK');
      const evidence = item.evidence === null ? null : documentAt(page, item.evidence);
      return { entry, payload: documentAt(page, item.payload), evidence };
    }),
  );
}

/** The pages of the owner's access chain, verified as a chain: each entry the bank's own. */
export async function readAccessPages(
  client: BankClient,
  recordId: Uint8Array,
  how: { readonly purpose: string; readonly size?: number },
): Promise<{ readonly pages: readonly Page[]; readonly chain: readonly VerifiedItem[] }> {
  const of = { recordId, chain: 'access' } as const;
  const pages = await fetchPages(client, of, how);
  const answered = { ...joinPages(client, pages), from: EMPTY_CHAIN };
  const { items: chain } = await followChain(client, of, answered, {
    rule: byRole(mayWriteRecord),
    authors: withoutRevocations(byId(banksOf(client.trust))),
    tagSalt: pages[0]?.reply.tagSalt ?? refuse(),
  });
  return { pages, chain };
}

function statementOf({ entry }: VerifiedEntry, payload: Uint8Array): AccessStatement {
  return decodeAccess(readStatement(entry, payload, entry.kind));
}

// The reader signed the very request that the bank's entry names, to this bank, about this record; and what is told
// of it is what the reader signed, not what the bank says.
function prove(
  { entry, payload, evidence }: Claim,
  how: {
    readonly client: BankClient;
    readonly recordId: Uint8Array;
    readonly find: (id: Uint8Array) => Credential | null;
  },
): { signature: string; access: Access } {
  const statement = statementOf(entry, payload);
  const reader = how.find(statement.reader);
  if (reader === null || evidence === null) throw new MunimentError('RECORD_AUTHOR');
  // Asked when the bank says, give or take their clocks and the life of a session.
  const { notBefore, notAfter } = clockWindow(entry.entry.time);
  const time = { notBefore: notBefore - DEADLINES.session, notAfter };
  const expected = { type: 'request', author: reader, to: entry.entry.author, answers: null, time } as const;
  const request = verifyEvidence(evidence, expected);
  const { data, signature } = request.digests;
  const named =
    equalBytes(data, statement.request.data) && equalBytes(signature, statement.request.signature);
  const asked = parseRequest(request.data);
  if (!named || !('recordId' in asked) || !equalBytes(asked.recordId, how.recordId)) refuse();
  const purpose = purposeOf(asked, { statement, reader, kind: entry.entry.kind });
  const { action } = statement;
  return { signature: toHex(signature), access: { reader, action, purpose, time: entry.entry.time } };
}

function purposeOf(
  asked: BankRequest,
  claimed: { readonly statement: AccessStatement; readonly reader: Credential; readonly kind: string },
): string {
  const { statement, reader, kind } = claimed;
  if (kind === 'access' && statement.action === 'read' && asked.type === 'read') {
    if (asked.chain !== 'content' || asked.from !== statement.from) refuse();
    return asked.purpose;
  }
  if (kind === 'release' && statement.action === 'break-glass' && asked.type === 'break-glass') {
    const signed = decodeSignedEntry(asked.entry);
    if (signed.entry.seq !== statement.from || !equalBytes(signed.entry.author, reader.id)) refuse();
    return verifyEmergency(readStatement(signed.entry, statement.emergency, 'emergency'), reader).reason;
  }
  return refuse();
}

function refuse(): never {
  throw new MunimentError('RECORD_PAYLOAD');
}
