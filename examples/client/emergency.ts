/** Breaking the glass: a reason, signed and in the chain before anything opens; then the custodian's halves. */

import { MunimentError } from 'muniment';
import { encodeSignedEntry, signEntry, STATEMENT, type SignedEntry } from 'muniment/record';
import { declareEmergency, decodeReleases, openRelease, type OpenedShare } from 'muniment/views';
import { equalBytes, toHex } from 'muniment/wire';
import { hashEntry } from 'muniment/record';
import { Refused, type BankClient } from './bank.ts';
import { CLOCK } from './connection.ts';
import { hearHead, keepWord } from './following.ts';
import { headAfterStale, headToSign } from './newest.ts';
import { statement } from './writing.ts';

/** What an emergency opens. */
export interface BrokenGlass {
  /** The emergency's entry in the record's chain. */
  readonly entry: SignedEntry;
  /** The other halves of each document's keys, by `bodyHash` in hexadecimal. */
  readonly releases: ReadonlyMap<string, readonly OpenedShare[]>;
}

const RELEASES_LIMIT = 100_000;
const ATTEMPTS = 5;

/** Declares an emergency about a record and obtains the releases. */
export async function breakGlass(
  client: BankClient,
  recordId: Uint8Array,
  reason: string,
): Promise<BrokenGlass> {
  const declared = await declareEmergency(client.user, { recordId, reason, kem: client.user.sealing.kem });
  const writing = statement('emergency', 'emergency', declared.statement);
  let head = await headToSign(client, recordId);
  for (let attempt = 1; ; attempt++) {
    const entry = await signEntry(client.user, head, {
      origin: client.trust.origin,
      recordId,
      chain: 'content',
      kind: 'emergency',
      time: CLOCK.now(),
      payloadType: STATEMENT,
      payloadDigest: writing.digest,
      seen: client.seen,
    });
    try {
      const question = { type: 'break-glass', recordId, entry: encodeSignedEntry(entry) } as const;
      const { reply, documents, request, asked } = await client.ask<'break-glass'>(question, [
        writing.payload,
      ]);
      if (!equalBytes(reply.emergencyHash, hashEntry(entry))) throw new MunimentError('VIEW_RELEASE');
      const { receipt } = reply.receipt;
      client.checkSignedReceipt(receipt, entry, request);
      const content = { recordId, chain: 'content' } as const;
      keepWord(client, content, receipt);
      const { checkpoint, consistency, head: stated } = reply;
      await hearHead(client, content, { asked, checkpoint, consistency, head: stated });
      const context = {
        custodian: client.trust.bank.id,
        clinician: client.user.credential.id,
        emergencyHash: reply.emergencyHash,
      };
      const releases = new Map<string, readonly OpenedShare[]>();
      for (const one of decodeReleases(documents[reply.releases] ?? new Uint8Array(0), RELEASES_LIMIT)) {
        releases.set(toHex(one.bodyHash), await openRelease(declared.key, one, { context, at: CLOCK.now() }));
      }
      return { entry, releases };
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== 'RECORD_STALE' || attempt === ATTEMPTS) throw error;
      head = await headAfterStale(client, recordId, [entry]);
    }
  }
}
