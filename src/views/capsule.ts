/**
 * Offline capsules: what an emergency team may need where there is no network, sealed and carried by the owner. Half
 * of its key is wrapped to the team, the other half is printed under a seal that has to be broken. spec/views.md,
 * "Capsules".
 */

import {
  aeadOpen,
  aeadSeal,
  deriveTuple,
  hashTuple,
  hpkeSeal,
  KEY_LENGTH,
  sha256,
  systemRandom,
  type HpkeSealed,
  type Random,
} from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import {
  exposeSecret,
  hpkeOpenWith,
  Secret,
  signStatement,
  suite,
  verifyStatement,
  type Credential,
  type Identity,
} from '../keys/index.ts';
import { equalBytes, pad, tuple, TupleReader, unpad, utf8, type TupleItem } from '../wire/index.ts';
import { CAPSULE_CONTENT_LIMIT, CAPSULE_LIMIT, ID_LENGTH } from './constants.ts';
import { REASON_LIMIT } from './terms.ts';
import type { CapsuleSeal } from './capsule-seal.ts';
import { xor } from './portion.ts';
import type { OpeningReader, Reader } from './reader.ts';

declare const verified: unique symbol;

/** What a capsule says of itself. */
export interface CapsuleTerms {
  /** 16 bytes. */
  readonly recordId: Uint8Array;
  /** Counts the capsules of a record, from 0: what the record's chain says of capsules, it says by this. */
  readonly number: number;
  /** When it may be opened, in milliseconds since 1970, both ends included. */
  readonly from: number;
  readonly until: number;
}

/** A capsule whose owner's signature was verified; not opened by that. */
export interface Capsule extends CapsuleTerms {
  /** The owner's Id. */
  readonly owner: Uint8Array;
  /** The reader id of the team's epoch, 32 bytes. */
  readonly team: Uint8Array;
  /** The owner's signed statement, without the content: what the record's chain takes when the capsule is made. */
  readonly statement: Uint8Array;
  /** Digest of that statement, by which a use names this very capsule. 32 bytes. */
  readonly digest: Uint8Array;
  /** Commits to the content's key, 32 bytes. */
  readonly keyCommit: Uint8Array;
  readonly wrap: HpkeSealed;
  readonly ciphertext: Uint8Array;
  readonly [verified]: true;
}

/** The statement that a capsule was opened. */
export interface CapsuleUse {
  readonly recordId: Uint8Array;
  readonly number: number;
  readonly capsule: Uint8Array;
  /** The clinician's Id. */
  readonly clinician: Uint8Array;
  readonly reason: string;
  /** When the clinician says to have opened it, in milliseconds since 1970. */
  readonly time: number;
}

/**
 * Makes a capsule: content for an emergency team, to be opened without a network, only by who has the team's key and
 * breaks the seal. The caller prints the seal (`encodeCapsuleSeal`) where reading it leaves a trace, and forgets it.
 *
 * @param owner - the record's owner, who signs it
 * @param team - the emergency team's newest epoch; when that is superseded, so is the capsule
 * @param content - at most 1 MiB, such as the JSON text of an emergency summary; it is as old as this call
 * @param terms - record, number, validity
 * @param random - for vectors only
 * @returns the signed capsule, which may lie open, and the seal, which may not
 * @throws `MunimentError` `VIEW_CAPSULE` for content that is too long or terms that no verifier would take; `KEY_PUBLIC`
 * @example
 * ```ts
 * import { KEM_XWING, systemRandom } from 'muniment/crypto';
 * import { createAnchor, enrol, openGroup, publishGroup, verifyGroup } from 'muniment/keys';
 * import {
 *   decodeCapsuleSeal, encodeCapsuleSeal, groupReader, makeCapsule, openCapsule, verifyCapsule,
 * } from 'muniment/views';
 * import { fromUtf8, utf8 } from 'muniment/wire';
 * const valid = { notBefore: 0, notAfter: 4e12 };
 * const hospital = await createAnchor({ subject: 'Hospital', roles: ['administrator'], ...valid });
 * const patient = await enrol(hospital, { subject: 'Bob', roles: ['patient'], ...valid });
 * const medic = await enrol(hospital, { subject: 'Dr. Roca', roles: ['keeper:emergency'], ...valid });
 * const founding = { name: 'emergency', kem: KEM_XWING, members: [medic.credential] };
 * const group = verifyGroup(await publishGroup(medic, founding), medic.credential);
 * const terms = { recordId: systemRandom(16), number: 0, from: 0, until: 2e12 };
 * const made = await makeCapsule(patient, groupReader(group), utf8('{"bloodType":"A+"}'), terms);
 * const printed = encodeCapsuleSeal(made.seal); // fourteen groups of four, for under the foil
 *
 * const capsule = verifyCapsule(made.capsule, patient.credential);
 * const key = await openGroup(medic, group);
 * if (key === null) throw new Error('no member');
 * const as = { reader: groupReader(group), key };
 * const use = { as, seal: decodeCapsuleSeal(printed), reason: 'unconscious', time: 1e12 };
 * const opened = await openCapsule(medic, capsule, use);
 * fromUtf8(opened.content); // and opened.statement goes into the record's chain as soon as there is a network
 * ```
 */
export async function makeCapsule(
  owner: Identity,
  team: Reader,
  content: Uint8Array,
  terms: CapsuleTerms,
  random: Random = systemRandom,
): Promise<{ readonly capsule: Uint8Array; readonly seal: CapsuleSeal }> {
  if (content.length > CAPSULE_CONTENT_LIMIT || !termsHold(terms)) refuse();
  const names = { ...terms, owner: owner.credential.id, team: team.id };
  const key = random(KEY_LENGTH);
  const half = random(KEY_LENGTH);
  const keyCommit = commitKey(key, names);
  const plaintext = tuple('capsule half', half);
  const { encapsulation, ciphertext } = hpkeSeal(
    team,
    wrapInfo(team),
    wrapAad(names, keyCommit),
    plaintext,
    random,
  );
  const sealed = aeadSeal(contentKey(key, names), contentAad(names, keyCommit), pad(content));
  const body = tuple('capsule', ...namesOf(names), keyCommit, [encapsulation, ciphertext], sha256(sealed));
  const capsule = tuple('sealed capsule', await signStatement(owner, body), sealed);
  return { capsule, seal: new Secret('capsule seal', xor(key, half)) };
}

/**
 * Verifies that an owner made a capsule, with this content. That it is the newest, and was neither opened nor replaced, only the record's
 * chain can say, where there is a network.
 *
 * @param bytes - what {@link makeCapsule} made
 * @param owner - the credential of the record's owner
 * @throws `MunimentError` `VIEW_CAPSULE` for every cause
 */
export function verifyCapsule(bytes: Uint8Array, owner: Credential): Capsule {
  return refusing(() => {
    if (bytes.length > CAPSULE_LIMIT) refuse();
    const reader = TupleReader.labelled(bytes, 'sealed capsule');
    const [statement, ciphertext] = [reader.bytes(), reader.bytes()];
    reader.end();
    const { contentHash, ...capsule } = decodeBody(verifyStatement(statement, owner));
    const whole = equalBytes(capsule.owner, owner.id) && equalBytes(sha256(ciphertext), contentHash);
    if (!whole || !termsHold(capsule)) refuse();
    const digest = hashTuple('capsule digest', statement);
    // The brand exists only in types; this is the one place that gives it.
    return { ...capsule, ciphertext, statement, digest } as Capsule;
  });
}

/**
 * Opens a capsule, and gives its content only together with the clinician's signed statement that it was opened.
 *
 * @param clinician - who opens it, and signs
 * @param capsule - verified
 * @param use - the team's epoch and key, the seal as it was found under the foil, the reason (at most 512 bytes, not
 *   blank) and the time
 * @returns the content, and the statement: an entry for the record's chain of accesses as soon as there is a network
 * @throws `MunimentError` `VIEW_CAPSULE` for every cause: another team or epoch, another seal, a blank reason, a time
 *   outside the capsule's, a capsule that was altered
 */
export async function openCapsule(
  clinician: Identity,
  capsule: Capsule,
  use: {
    readonly as: OpeningReader;
    readonly seal: CapsuleSeal;
    readonly reason: string;
    readonly time: number;
  },
): Promise<{ readonly content: Uint8Array; readonly statement: Uint8Array }> {
  const { as, seal, reason, time } = use;
  try {
    checkUse(capsule, reason, time);
    if (!equalBytes(as.reader.id, capsule.team)) refuse();
    const { keyCommit, wrap, ciphertext } = capsule;
    const opened = await hpkeOpenWith(as.key, wrapInfo(as.reader), wrapAad(capsule, keyCommit), wrap);
    const key = xor(readHalf(opened.plaintext), exposeSecret(seal));
    // Before anything is derived from it, so that no two keys open one capsule to two contents.
    if (!equalBytes(commitKey(key, capsule), keyCommit)) refuse();
    const padded = aeadOpen(contentKey(key, capsule), contentAad(capsule, keyCommit), ciphertext);
    const content = unpad(padded);
    if (content.length > CAPSULE_CONTENT_LIMIT) refuse();
    const { recordId, number, digest } = capsule;
    const body = tuple('capsule opened', recordId, number, digest, reason, time);
    return { content, statement: await signStatement(clinician, body) };
  } catch (cause) {
    throw new MunimentError('VIEW_CAPSULE', undefined, { cause });
  }
}

/**
 * Verifies a statement that a capsule was opened: what the record's chain of accesses takes.
 *
 * @param statement - what {@link openCapsule} gave
 * @param clinician - who must have signed it
 * @param capsule - the capsule that it must be about
 * @throws `MunimentError` `VIEW_CAPSULE` for every cause
 */
export function verifyCapsuleUse(statement: Uint8Array, clinician: Credential, capsule: Capsule): CapsuleUse {
  return refusing(() => {
    const reader = TupleReader.labelled(verifyStatement(statement, clinician), 'capsule opened');
    const use = {
      recordId: reader.bytes(ID_LENGTH),
      number: reader.integer(),
      capsule: reader.bytes(32),
      reason: reader.text(REASON_LIMIT),
      time: reader.integer(),
      clinician: clinician.id,
    };
    reader.end();
    const about =
      equalBytes(use.recordId, capsule.recordId) &&
      use.number === capsule.number &&
      equalBytes(use.capsule, capsule.digest);
    if (!about) refuse();
    checkUse(capsule, use.reason, use.time);
    return use;
  });
}

type Names = CapsuleTerms & Pick<Capsule, 'owner' | 'team'>;

type Body = Omit<Capsule, 'ciphertext' | 'statement' | 'digest' | typeof verified>;

function decodeBody(body: Uint8Array): Body & { readonly contentHash: Uint8Array } {
  const reader = TupleReader.labelled(body, 'capsule');
  const capsule = {
    recordId: reader.bytes(ID_LENGTH),
    number: reader.integer(),
    owner: reader.bytes(32),
    team: reader.bytes(32),
    from: reader.integer(),
    until: reader.integer(),
    keyCommit: reader.bytes(32),
    wrap: reader.group((part) => ({ encapsulation: part.bytes(), ciphertext: part.bytes() })),
    contentHash: reader.bytes(32),
  };
  reader.end();
  return capsule;
}

function termsHold({ recordId, from, until }: CapsuleTerms): boolean {
  return recordId.length === ID_LENGTH && from <= until;
}

function checkUse({ from, until }: CapsuleTerms, reason: string, time: number): void {
  const told = reason.trim() !== '' && utf8(reason).length <= REASON_LIMIT;
  if (!told || !(time >= from && time <= until)) refuse();
}

function readHalf(plaintext: Uint8Array): Uint8Array {
  const reader = TupleReader.labelled(plaintext, 'capsule half');
  const half = reader.bytes(KEY_LENGTH);
  reader.end();
  return half;
}

function commitKey(key: Uint8Array, names: Names): Uint8Array {
  return deriveTuple(key, 'capsule commit', ...namesOf(names));
}

function contentKey(key: Uint8Array, names: Names): Uint8Array {
  return deriveTuple(key, 'capsule key', ...namesOf(names));
}

function contentAad(names: Names, keyCommit: Uint8Array): Uint8Array {
  return tuple('capsule aad', ...namesOf(names), keyCommit);
}

function wrapInfo(team: Reader): Uint8Array {
  return tuple('capsule wrap', suite(team.kem), team.id);
}

function wrapAad(names: Names, keyCommit: Uint8Array): Uint8Array {
  return tuple('capsule wrap aad', ...namesOf(names), keyCommit);
}

function namesOf({ recordId, number, owner, team, from, until }: Names): readonly TupleItem[] {
  return [recordId, number, owner, team, from, until];
}

function refusing<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    throw new MunimentError('VIEW_CAPSULE', undefined, { cause });
  }
}

function refuse(): never {
  throw new MunimentError('VIEW_CAPSULE');
}
