/**
 * Break-glass: the emergency team holds one half of every class key, custodians the other, shared among them. A clinician asks with a
 * signed reason; each custodian, once that stands in the record's chain, re-seals its shares to a key made for this
 * emergency alone. Nobody opens everything unseen. spec/views.md, "Break-glass".
 */

import { hpkeSeal, systemRandom, type KemId, type Random } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import {
  hpkeOpenWith,
  readKemPublicKey,
  Secret,
  signStatement,
  SoftwareDecapsulator,
  suite,
  verifyStatement,
  type Credential,
  type Decapsulator,
  type Identity,
  type KemPublicKey,
} from '../keys/index.ts';
import { equalBytes, tuple, TupleReader } from '../wire/index.ts';
import { ID_LENGTH, MANIFEST_LINES, SHARE_LENGTH } from './constants.ts';
import { REASON_LIMIT } from './terms.ts';
import { openOwnWrap } from './open.ts';
import type { OpeningReader } from './reader.ts';
import type { VerifiedSealed } from './verify.ts';
import type { OpenedShare } from './wrap.ts';

/** An emergency whose clinician's signature was verified. */
export interface Emergency {
  readonly recordId: Uint8Array;
  readonly clinician: Uint8Array;
  readonly reason: string;
  /** The key made for this emergency, to which custodians release. */
  readonly key: KemPublicKey;
}

/** A custodian's shares for one document, sealed to the emergency's key. */
export interface Release {
  readonly bodyHash: Uint8Array;
  /** Until when they may be used, in milliseconds since 1970. */
  readonly until: number;
  readonly encapsulation: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** What ties a release to one emergency. */
export interface ReleaseContext {
  readonly custodian: Uint8Array;
  readonly clinician: Uint8Array;
  /** `entryHash` of the emergency's entry in the record's chain. */
  readonly emergencyHash: Uint8Array;
}

/**
 * Declares an emergency: a reason and a fresh key, signed by the clinician.
 *
 * @param clinician - who declares it
 * @param emergency - record and reason (at most 512 bytes), and the KEM of the fresh key
 * @param random - for vectors only
 * @returns the signed statement (the payload of the emergency's entry) and the fresh private key
 */
export async function declareEmergency(
  clinician: Identity,
  emergency: { readonly recordId: Uint8Array; readonly reason: string; readonly kem: KemId },
  random: Random = systemRandom,
): Promise<{ readonly statement: Uint8Array; readonly key: Decapsulator }> {
  const key = SoftwareDecapsulator.generate(emergency.kem, random);
  const body = tuple('emergency', emergency.recordId, emergency.reason, key.kem, key.publicKey);
  return { statement: await signStatement(clinician, body), key };
}

/**
 * Verifies an emergency's statement.
 *
 * @throws `MunimentError` `VIEW_RELEASE`
 */
export function verifyEmergency(statement: Uint8Array, clinician: Credential): Emergency {
  try {
    const reader = TupleReader.labelled(verifyStatement(statement, clinician), 'emergency');
    const [recordId, reason, key] = [
      reader.bytes(ID_LENGTH),
      reader.text(REASON_LIMIT),
      readKemPublicKey(reader),
    ];
    reader.end();
    if (reason.trim() === '') throw new MunimentError('VIEW_RELEASE');
    return { recordId, clinician: clinician.id, reason, key };
  } catch (cause) {
    throw new MunimentError('VIEW_RELEASE', undefined, { cause });
  }
}

/**
 * Releases a custodian's shares of one document. The caller has seen the emergency's entry in the chain, and logs
 * this release there.
 *
 * @param custodian - the custodian's reader key
 * @param document - a verified document of the emergency's record
 * @param emergency - verified
 * @param terms - what ties it together, and until when
 * @returns the release; `null` if this custodian holds no shares of this document
 * @throws `MunimentError` `VIEW_RELEASE` for another record's document, `VIEW_WRAP` for a broken wrap
 */
export async function release(
  custodian: OpeningReader,
  document: VerifiedSealed,
  emergency: Emergency,
  terms: { readonly context: ReleaseContext; readonly until: number; readonly random?: Random },
): Promise<Release | null> {
  const { context, until, random = systemRandom } = terms;
  const fits =
    equalBytes(document.manifest.recordId, emergency.recordId) &&
    equalBytes(context.clinician, emergency.clinician);
  if (!fits) throw new MunimentError('VIEW_RELEASE');
  const content = await openOwnWrap(document, custodian);
  if (content?.kind !== 'share') return null;
  const shares = tuple(
    'release shares',
    content.keys.map(({ index, key }) => [index, key]),
  );
  const aad = releaseAad(context, document.bodyHash, until);
  const info = releaseInfo(emergency.key.kem, context);
  const { encapsulation, ciphertext } = hpkeSeal(emergency.key, info, aad, shares, random);
  return { bodyHash: document.bodyHash, until, encapsulation, ciphertext };
}

/**
 * Opens a release: the shares to hand to `open`, beside those of other custodians. Anybody who sees the emergency can
 * seal to its key: take releases from where each custodian's own is known to be its own (a signed reply), and no more
 * than one of each.
 *
 * @param key - the emergency's private key
 * @param released - what the custodian made
 * @param expected - the same context, and the time it must cover
 * @throws `MunimentError` `VIEW_RELEASE` for every cause
 */
export async function openRelease(
  key: Decapsulator,
  released: Release,
  expected: { readonly context: ReleaseContext; readonly at: number },
): Promise<readonly OpenedShare[]> {
  // Asked this way round, a time that is no number is past.
  if (!(expected.at <= released.until)) throw new MunimentError('VIEW_RELEASE');
  try {
    const aad = releaseAad(expected.context, released.bodyHash, released.until);
    const { plaintext } = await hpkeOpenWith(key, releaseInfo(key.kem, expected.context), aad, released);
    const reader = TupleReader.labelled(plaintext, 'release shares');
    const shares = reader.list(MANIFEST_LINES, (item) =>
      item.group((part): OpenedShare => {
        return { index: part.integer(), share: new Secret('key share', part.bytes(SHARE_LENGTH)) };
      }),
    );
    reader.end();
    if (!shares.every(({ index }, i) => i === 0 || (shares[i - 1]?.index ?? index) < index))
      throw new MunimentError('VIEW_RELEASE');
    return shares;
  } catch (cause) {
    throw new MunimentError('VIEW_RELEASE', undefined, { cause });
  }
}

/** Encodes releases as one document for transport. */
export function encodeReleases(releases: readonly Release[]): Uint8Array {
  return tuple(
    'releases',
    releases.map((r) => [r.bodyHash, r.until, r.encapsulation, r.ciphertext]),
  );
}

/** Reads what {@link encodeReleases} wrote, or throws `VIEW_RELEASE`. */
export function decodeReleases(bytes: Uint8Array, limit: number): Release[] {
  try {
    const reader = TupleReader.labelled(bytes, 'releases');
    const releases = reader.list(limit, (item) =>
      item.group((part) => ({
        bodyHash: part.bytes(32),
        until: part.integer(),
        encapsulation: part.bytes(),
        ciphertext: part.bytes(),
      })),
    );
    reader.end();
    return releases;
  } catch (cause) {
    throw new MunimentError('VIEW_RELEASE', undefined, { cause });
  }
}

function releaseInfo(kemId: KemId, context: ReleaseContext): Uint8Array {
  return tuple('release', suite(kemId), context.custodian, context.clinician);
}

function releaseAad(context: ReleaseContext, bodyHash: Uint8Array, until: number): Uint8Array {
  return tuple('release aad', context.emergencyHash, bodyHash, until);
}
