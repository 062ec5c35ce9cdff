/**
 * Evidence renewal, after the idea of RFC 4998: before the algorithms of an export grow weak, a digest of all of it
 * under a newer one is put into a newer log. The older proofs stay, and every renewal covers those before it.
 * spec/export.md, "Renewals".
 */

import { hashTuple, leafHash, rootFromInclusion, sha512Of } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { equalBytes, tuple } from '../wire/index.ts';
import type { ChainName } from './entry-fields.ts';
import { encodeSignedEntry } from './entry.ts';
import {
  exportRecord,
  parseExport,
  RENEWALS_LIMIT,
  type ExportedEntry,
  type RecordExport,
  type Renewal,
} from './export-file.ts';
import { establish, type EstablishedTree, type LogTrust } from './export-state.ts';

/** What a renewal may digest an export with. */
export type RenewalAlgorithm = 'SHA-512';
const DIGESTS: Readonly<Record<RenewalAlgorithm, (bytes: Uint8Array) => Uint8Array>> = {
  'SHA-512': sha512Of,
};

/** A log that a verifier trusts to hold renewals; a log that renewed its keys is several of one origin. */
export type RenewalLog = LogTrust;

/** What became of one renewal. */
export interface VerifiedRenewal {
  readonly algorithm: string;
  readonly origin: string;
  /**
   * Its log's state, who cosigned that, and since when the export was renewed at the latest; `null` where the verifier
   * was not given that log, so that nothing is established.
   */
  readonly tree: EstablishedTree | null;
}

/**
 * The leaf that renews an export as it is: give it to a newer log, and {@link renewExport} what that log proves of it.
 *
 * @param text - an export, which the caller has verified
 * @param algorithm - the digest's
 * @returns 32 bytes, which tell a log nothing
 * @throws `MunimentError` `RECORD_EXPORT` for its form; `RECORD_RENEWAL` for another algorithm, or after 256 renewals
 */
export function renewalLeaf(text: string, algorithm: RenewalAlgorithm): Uint8Array {
  const parts = parseExport(text);
  if (parts.renewals.length >= RENEWALS_LIMIT) throw new MunimentError('RECORD_RENEWAL');
  return leafOf(contentDigest(parts, algorithm), parts.renewals, algorithm);
}

/**
 * Adds a renewal to an export. Whether it is in the log, whoever verifies the export finds out.
 *
 * @param text - the very export that the leaf was made of
 * @param renewal - where the leaf stands, the proof, and the log's checkpoint
 * @returns the export with the renewal at its end
 * @throws `MunimentError` `RECORD_EXPORT` for its form; `RECORD_RENEWAL` after 256 renewals
 */
export function renewExport(text: string, renewal: Renewal): string {
  const parts = parseExport(text);
  if (parts.renewals.length >= RENEWALS_LIMIT) throw new MunimentError('RECORD_RENEWAL');
  return exportRecord({ ...parts, renewals: [...parts.renewals, renewal] });
}

/**
 * Takes a payload out of an export, and what was opened of it, so that it can be destroyed. If the export was renewed,
 * its digests stay: the renewals verify as before.
 *
 * @param text - an export
 * @param of - which entry's; not the creation's, without which nothing verifies
 * @throws `MunimentError` `RECORD_EXPORT` for its form, an entry that is not there, or the creation; `RECORD_RENEWAL` for a renewal by an unknown algorithm
 */
export function removePayload(text: string, of: { readonly chain: ChainName; readonly seq: number }): string {
  const parts = parseExport(text);
  const one = parts[of.chain][of.seq];
  const isCreation = of.chain === 'content' && of.seq === 0;
  if (one === undefined) throw new MunimentError('RECORD_EXPORT', 'the export has no such entry');
  if (isCreation)
    throw new MunimentError('RECORD_EXPORT', 'the creation stays: it opens all leaves of the record');
  const { payload } = one;
  if (payload === null) return text;
  const algorithms = new Set(parts.renewals.map(({ algorithm }) => algorithm));
  const digests = [...algorithms].map((algorithm) => ({
    algorithm,
    digest: digestFunction(algorithm)(payload),
  }));
  const removed = { ...one, payload: null, digests, opened: null };
  const entries = parts[of.chain].map((other) => (other === one ? removed : other));
  return exportRecord({ ...parts, [of.chain]: entries });
}

/** Verifies each renewal of an export against the logs that are trusted. Throws `RECORD_RENEWAL`. */
export function verifyRenewals(parts: RecordExport, logs: readonly RenewalLog[]): VerifiedRenewal[] {
  const digests = new Map<string, Uint8Array>();
  return parts.renewals.map((renewal, i) => {
    const { algorithm, origin, index, proof, checkpoint } = renewal;
    const trusted = logs.filter(({ log }) => log.origin === origin);
    if (trusted.length === 0) return { algorithm, origin, tree: null };
    const digest = digests.get(algorithm) ?? contentDigest(parts, algorithm);
    digests.set(algorithm, digest);
    const tree = establishByAny(checkpoint, trusted);
    const leaf = leafHash(leafOf(digest, parts.renewals.slice(0, i), algorithm));
    const root = rootFromInclusion(leaf, index, tree.size, proof);
    if (root === null || !equalBytes(root, tree.root)) throw new MunimentError('RECORD_RENEWAL');
    return { algorithm, origin, tree };
  });
}

function establishByAny(checkpoint: string, logs: readonly LogTrust[]): EstablishedTree {
  let cause: unknown;
  for (const log of logs) {
    try {
      return establish(checkpoint, log);
    } catch (error) {
      // A policy that cannot be met is the caller's own mistake.
      if (!(error instanceof MunimentError)) throw error;
      cause = error;
    }
  }
  throw new MunimentError('RECORD_RENEWAL', undefined, { cause });
}

// Of 32 bytes, as all leaves are: nobody tells it from a record's entry.
function leafOf(content: Uint8Array, before: readonly Renewal[], algorithm: string): Uint8Array {
  const digestOf = digestFunction(algorithm);
  const renewals = before.map((one) => [one.algorithm, one.origin, one.index, one.proof, one.checkpoint]);
  return hashTuple('renewal', algorithm, digestOf(tuple('renewed', content, renewals)));
}

// Entry by entry, so that nothing as long as the whole is put together. What was opened is no part: it can be chosen
// anew for every reader, and is verified against the payload's digest.
function contentDigest(parts: RecordExport, algorithm: string): Uint8Array {
  const digestOf = digestFunction(algorithm);
  const entries = (list: readonly ExportedEntry[]): Uint8Array[] =>
    list.map(({ signed, receipt, proof, ...one }) =>
      digestOf(
        tuple('exported entry', encodeSignedEntry(signed), payloadDigest(one, algorithm), receipt, proof),
      ),
    );
  const { origin, recordId, charters, credentials, content, access, directory, checkpoint } = parts;
  const heard = directory && [directory.recordId, directory.tagSalt, entries(directory.entries)];
  return digestOf(
    tuple(
      'exported record',
      ...[
        origin,
        recordId,
        charters,
        credentials,
        entries(content),
        entries(access),
        heard ?? [],
        checkpoint,
      ],
    ),
  );
}

// The digest and not the payload, so that it can be destroyed afterwards.
function payloadDigest(
  { payload, digests }: Pick<ExportedEntry, 'payload' | 'digests'>,
  algorithm: string,
): Uint8Array[] {
  if (payload !== null) return [digestFunction(algorithm)(payload)];
  return digests.filter((one) => one.algorithm === algorithm).map(({ digest }) => digest);
}

function digestFunction(algorithm: string): (bytes: Uint8Array) => Uint8Array {
  if (!Object.hasOwn(DIGESTS, algorithm)) throw new MunimentError('RECORD_RENEWAL');
  return DIGESTS[algorithm as RenewalAlgorithm]; // an own member: one of these
}
