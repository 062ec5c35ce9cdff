/** Opening: the fields that a reader may see, each checked against what the author committed to. spec/views.md, "Opening". */

import { MunimentError } from '../errors.ts';
import { exposeSecret, Secret, type Credential } from '../keys/index.ts';
import { equalBytes, jsonValue, writeJson, type JsonValue } from '../wire/index.ts';
import { account, type Account } from './account.ts';
import type { SealedDocument } from './body.ts';
import { commitKey, openClass } from './classes.ts';
import type { SealedField } from './field.ts';
import { slotOf, type WrapKind } from './manifest.ts';
import { assemble, SKELETON } from './paths.ts';
import { isRoot, type OpeningReader } from './reader.ts';
import { rejoin } from './rejoin.ts';
import { verifySealed, type FindCredential, type VerifiedSealed } from './verify.ts';
import {
  openWrap,
  type ClassKey,
  type OpenedKey,
  type OpenedShare,
  type OwnerOpening,
  type WrapContent,
} from './wrap.ts';

/** What opening needs. */
export interface OpenOptions {
  /** The record that the document must belong to. */
  readonly recordId: Uint8Array;
  /**
   * Who may have written it. Whether that credential was valid, and when, is not asked here: the document's time is its
   * author's word, and what counts is the entry that names the document, which `verifyChain` judges.
   */
  readonly authors: FindCredential;
  /** As whom to open: every reader whose private key one holds. */
  readonly as: readonly OpeningReader[];
  /** Keys that `openGrant` gave for this document, beside those of one's own wraps. */
  readonly granted?: readonly OpenedKey[];
  /** Custodians' shares for this document, one list a custodian, as `openRelease` gives them; where they are `null`, a reader whose keys are halved opens nothing by them. */
  readonly releases: readonly (readonly OpenedShare[])[] | null;
}

/** A field that was opened, and who answers for it. */
export interface OpenedField extends SealedField {
  /** Its class's line in the manifest. */
  readonly classIndex: number;
  readonly author: Credential;
  /** When the author says to have written it, in milliseconds since 1970. */
  readonly time: number;
}

/** What a reader sees of a document, all of it verified. */
export interface View {
  /** The visible part as plain values; array elements keep their order, members stand by name unless `complete`. */
  readonly value: JsonValue;
  /** The same as JSON text; of a complete view the document's own text without insignificant white space. */
  readonly text: string;
  readonly fields: readonly OpenedField[];
  /** Whether this is all there is. The owner alone can know; a document that is not complete for the owner is refused. */
  readonly complete: boolean;
  /** The keys of the classes that fields came from, by ascending line: what `disclose`, `grant` and `rewrap` hand on. The skeleton's is its owner's alone. */
  readonly keys: readonly OpenedKey[];
  /** The lines of classes of which these readers hold halves, and no release made keys of them. */
  readonly locked: readonly number[];
  readonly author: Credential;
  readonly time: number;
  readonly type: string;
  readonly recordId: Uint8Array;
  readonly docId: Uint8Array;
  readonly bodyHash: Uint8Array;
  readonly supersedes: Uint8Array;
  /** Of the owner alone: every line of the manifest accounted for. */
  readonly account: Account | null;
  /** Of the owner alone: what an auditor needs to account for the document too, and opens no field with. */
  readonly opening: OwnerOpening | null;
}

/**
 * Opens a sealed document, or the part that the server handed out.
 *
 * @param sealed - decoded, nothing of it trusted
 * @param options - record, authors, readers
 * @returns the verified view, or `null` if nothing is addressed to any of these readers or to the public, or only halves without a release
 * @throws `MunimentError` what `verifySealed` throws; `VIEW_WRAP` if one's wrap does not open or is not the one of its slot; `VIEW_COMMITMENT` if a class or field is not what the author committed to; `VIEW_INCOMPLETE` if a class of one's own or, for the owner, its wrap or any line is missing; `VIEW_EQUIVOCATION` if fields contradict each other, or for the owner two classes have the same readers; `VIEW_GRANT` if a granted key is not its class's; `VIEW_RELEASE` if there are releases and no sufficient number of them completes the halves
 * @example
 * ```ts
 * import { KEM_XWING, systemRandom } from 'muniment/crypto';
 * import { createAnchor, createRoot, enrol, nodeKey, publishCompartments, verifyCompartments } from 'muniment/keys';
 * import { compartmentReader, definePolicy, open, seal } from 'muniment/views';
 * const valid = { notBefore: 0, notAfter: 4e12 };
 * const hospital = await createAnchor({ subject: 'Hospital', roles: ['administrator'], ...valid });
 * const doctor = await enrol(hospital, { subject: 'Dr. Ruiz', roles: ['doctor'], ...valid });
 * const patient = await enrol(hospital, { subject: 'Bob', roles: ['patient'], ...valid });
 * const [root, recordId] = [createRoot(), systemRandom(16)];
 * const signed = await publishCompartments(patient, root, { recordId, names: ['urgent'] });
 * const owner = verifyCompartments(signed, patient.credential);
 * const rules = [{ fields: ['/bloodType'], readers: [], compartment: 'urgent' }];
 * const policy = definePolicy({ name: 'example/1', rules, otherwise: [] });
 * const options = { policy, owner, readers: () => null, breakGlass: null, author: doctor, type: 'visit', time: 1e12 };
 * const document = await seal('{"name":"Bob","bloodType":"A+"}', options);
 * const [own] = owner.list; // the root's own compartment
 * const reader = compartmentReader(own ?? (() => { throw new Error('no root'); })());
 * const as = [{ reader, key: nodeKey(root, KEM_XWING) }];
 * const view = await open(document, { recordId, authors: () => doctor.credential, as, releases: null });
 * console.log(view?.text); // {"name":"Bob","bloodType":"A+"}
 * ```
 */
export async function open(sealed: SealedDocument, options: OpenOptions): Promise<View | null> {
  const document = verifySealed(sealed, options);
  const keys = new Map<number, Uint8Array>(sealed.publicKeys.map(({ index, key }) => [index, key]));
  const halved = new Set<number>();
  let opening: OwnerOpening | null = null;
  let addressed = false;
  for (const reader of options.as) {
    const content = await openOwnWrap(document, reader);
    if (content === null) continue;
    if (isRoot(reader.reader)) {
      // Else an author could spare the owner its accounting, or leave it half of what it owns.
      if (content.owner === null || content.kind !== 'keys') throw new MunimentError('VIEW_INCOMPLETE');
      opening ??= content.owner;
    } else if (content.owner !== null) {
      throw new MunimentError('VIEW_WRAP'); // a D of somebody else's would go with nothing
    }
    if (content.kind === 'half') content.keys.forEach(({ index }) => halved.add(index));
    const whole = rejoin(document, content, options.releases);
    if (whole === null) continue;
    addressed = true;
    for (const { index, key } of whole) keys.set(index, key);
  }
  // Only where no key is at hand: a grantor must not spoil what opens without its grant.
  const beside = (options.granted ?? []).filter(({ index }) => !keys.has(index));
  for (const { index, key } of grantedKeys(document, beside)) keys.set(index, key);
  // Every document is sealed to its owner: no wrap for the root is a wrap withheld.
  if (opening === null && options.as.some(({ reader }) => isRoot(reader)))
    throw new MunimentError('VIEW_INCOMPLETE');
  if (!addressed && keys.size === 0) return null;
  const { manifest, author, bodyHash } = document;
  const { recordId, docId, type, time, supersedes } = manifest;
  const opened = openClasses(document, keys);
  const { document: tree, complete } = assemble(opened);
  // The owner has a key of every class, the one of the skeleton among them.
  const lacking = !complete || !sealed.classes.every(({ index }) => keys.has(index));
  if (opening !== null && lacking) throw new MunimentError('VIEW_INCOMPLETE');
  const fields = opened.filter(({ path }) => path !== SKELETON);
  return {
    value: jsonValue(tree),
    text: writeJson(tree),
    fields,
    complete,
    locked: [...halved].filter((line) => !keys.has(line)).sort((a, b) => a - b),
    keys: keysOf(fields, keys),
    ...{ author, time, type, recordId, docId, bodyHash, supersedes, opening },
    account: opening === null ? null : account(document, opening),
  };
}

// The skeleton's key is not among them: with it and fewer than all fields a grantee would find a document that
// contradicts itself, and with all it would know that it sees everything.
function keysOf(fields: readonly OpenedField[], keys: ReadonlyMap<number, Uint8Array>): OpenedKey[] {
  const lines = new Set(fields.map(({ classIndex }) => classIndex));
  return [...keys]
    .filter(([index]) => lines.has(index))
    .sort(([a], [b]) => a - b)
    .map(([index, key]) => ({ index, key: new Secret('class key', key) }));
}

// No slot says that a granted key is its reader's own. One that is not its class's is the grantor's doing, not the author's.
function grantedKeys({ sealed, manifest }: VerifiedSealed, granted: readonly OpenedKey[]): ClassKey[] {
  return granted.map(({ index, key: secret }) => {
    const key = exposeSecret(secret);
    const commit = sealed.classes.find((candidate) => candidate.index === index)?.keyCommit;
    if (commit !== undefined && !equalBytes(commitKey(key, manifest), commit))
      throw new MunimentError('VIEW_GRANT');
    return { index, key };
  });
}

/** A reader's own wrap, opened and held against its slot, which fixes exactly which classes are its own, and whether whole or halved; `null` if there is none. */
export async function openOwnWrap(
  document: VerifiedSealed,
  opening: OpeningReader,
): Promise<WrapContent | null> {
  const { id } = opening.reader;
  const { wraps, deliveries } = document.sealed;
  const wrap = wraps.find(({ readerId }) => equalBytes(readerId, id));
  const delivery = deliveries.find(({ readerId }) => equalBytes(readerId, id));
  if (wrap === undefined && delivery === undefined) return null;
  if (wrap === undefined || delivery === undefined) throw new MunimentError('VIEW_INCOMPLETE');
  const content = await openWrap(opening, document.bodyHash, wrap);
  const classes = content.keys.map(({ index }) => index);
  const { kind, threshold, blind } = content;
  const slot = slotOf(document.manifest, blind, { readerId: id, kind, threshold, classes });
  const fits =
    document.manifest.slots.some((line) => equalBytes(line, slot)) &&
    kind === delivery.kind &&
    threshold === delivery.threshold &&
    classes.join() === delivery.classes.join();
  if (!fits) throw new MunimentError('VIEW_WRAP');
  return content;
}

/**
 * Opens one's own wrap and holds it against its slot, without opening any class: what a custodian checks when a
 * document comes in, so that an emergency does not find it broken.
 *
 * @param document - a verified document
 * @param opening - as whom
 * @returns whether the wrap holds whole keys, halves or shares; `null` if there is none for this reader
 * @throws `MunimentError` `VIEW_WRAP` if the wrap is broken or not of the kind that its slot and delivery state, `VIEW_INCOMPLETE` if there is only one of wrap and delivery
 */
export async function verifyOwnWrap(
  document: VerifiedSealed,
  opening: OpeningReader,
): Promise<WrapKind | null> {
  return (await openOwnWrap(document, opening))?.kind ?? null;
}

function openClasses(document: VerifiedSealed, keys: ReadonlyMap<number, Uint8Array>): OpenedField[] {
  const { author, manifest, sealed } = document;
  const { time } = manifest;
  return [...keys].flatMap(([classIndex, key]) => {
    const own = sealed.classes.find(({ index }) => index === classIndex);
    if (own === undefined) throw new MunimentError('VIEW_INCOMPLETE');
    return openClass(key, manifest, own).fields.map(({ path, text }) => {
      return { path, text, classIndex, author, time };
    });
  });
}
