/** Opening: the fields that a reader may see, each checked against what the author committed to. spec/views.md, "Opening". */

import { MunimentError } from '../errors.ts';
import type { Credential } from '../keys/index.ts';
import { equalBytes, jsonValue, writeJson, type JsonValue } from '../wire/index.ts';
import { account, type Account } from './account.ts';
import type { SealedDocument } from './body.ts';
import { openClass, type SealedField } from './classes.ts';
import { slotOf, type WrapKind } from './manifest.ts';
import { assemble, SKELETON } from './paths.ts';
import { isRoot, type OpeningReader } from './reader.ts';
import { verifySealed, type FindCredential, type VerifiedSealed } from './verify.ts';
import { openWrap, type ClassKey, type OwnerOpening, type WrapContent } from './wrap.ts';

/** What opening needs. */
export interface OpenOptions {
  /** The record that the document must belong to. */
  readonly recordId: Uint8Array;
  /** Who may have written it. */
  readonly authors: FindCredential;
  /** As whom to open: every reader whose private key one holds. */
  readonly as: readonly OpeningReader[];
  /** A custodian's halves for this document; where they are `null`, a reader whose keys are split opens nothing by them. */
  readonly release: readonly ClassKey[] | null;
}

/** A field that was opened. */
export interface OpenedField extends SealedField {
  /** Its class's line in the manifest. */
  readonly classIndex: number;
}

/** What a reader sees of a document, all of it verified. */
export interface View {
  /** The visible part as plain values; array elements keep their order, members stand by name unless `complete`. */
  readonly value: JsonValue;
  /** The same as JSON text; of a complete view the document's own text without insignificant white space. */
  readonly text: string;
  readonly fields: readonly OpenedField[];
  /** Whether this reader sees all there is. */
  readonly complete: boolean;
  readonly author: Credential;
  readonly type: string;
  readonly docId: Uint8Array;
  readonly bodyHash: Uint8Array;
  readonly supersedes: Uint8Array;
  /** Of the owner alone: every line of the manifest accounted for. */
  readonly account: Account | null;
}

/**
 * Opens a sealed document, or the part that the server handed out.
 *
 * @param sealed - decoded, nothing of it trusted
 * @param options - record, authors, readers
 * @returns the verified view, or `null` if nothing is addressed to any of these readers or to the public, or only halves without a release
 * @throws `MunimentError` what `verifySealed` throws; `VIEW_COMMITMENT` if a wrap, slot, class or field is not what the author committed to; `VIEW_INCOMPLETE` if a class of one's own or, for the owner, its wrap or any line is missing; `VIEW_RELEASE` if there is a release that does not cover the classes of a split reader
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
 * const options = { policy, owner, readers: () => null, breakGlass: null, author: doctor, type: 'visit' };
 * const document = await seal('{"name":"Bob","bloodType":"A+"}', options);
 * const [own] = owner.list; // the root's own compartment
 * const reader = compartmentReader(own ?? (() => { throw new Error('no root'); })());
 * const as = [{ reader, key: nodeKey(root, KEM_XWING) }];
 * const view = await open(document, { recordId, authors: () => doctor.credential, as, release: null });
 * console.log(view?.text); // {"name":"Bob","bloodType":"A+"}
 * ```
 */
export async function open(sealed: SealedDocument, options: OpenOptions): Promise<View | null> {
  const document = verifySealed(sealed, options);
  const keys = new Map<number, Uint8Array>(sealed.publicKeys.map(({ index, key }) => [index, key]));
  let owner: OwnerOpening | null = null;
  let addressed = false;
  for (const reader of options.as) {
    const content = await openOwnWrap(document, reader);
    if (content === null) continue;
    if (isRoot(reader.reader)) {
      // Else an author could spare the owner its accounting, or leave it half of what it owns.
      if (content.owner === null || content.kind === 'half') throw new MunimentError('VIEW_INCOMPLETE');
      owner ??= content.owner;
    } else if (content.owner !== null) {
      throw new MunimentError('VIEW_COMMITMENT'); // a D of somebody else's would go with nothing
    }
    if (content.kind === 'half' && options.release === null) continue; // one half alone opens nothing
    addressed = true;
    for (const { index, key } of join(content, options.release)) keys.set(index, key);
  }
  // Every document is sealed to its owner: no wrap for the root is a wrap withheld.
  if (owner === null && options.as.some(({ reader }) => isRoot(reader)))
    throw new MunimentError('VIEW_INCOMPLETE');
  if (!addressed && keys.size === 0) return null;
  const fields = openClasses(document, keys);
  const accounted = owner === null ? null : account(document, owner, keys);
  const { document: tree, complete } = assemble(fields);
  if (owner !== null && !complete) throw new MunimentError('VIEW_INCOMPLETE');
  return {
    value: jsonValue(tree),
    text: writeJson(tree),
    fields: fields.filter(({ path }) => path !== SKELETON),
    complete,
    author: document.author,
    type: document.manifest.type,
    docId: document.manifest.docId,
    bodyHash: document.bodyHash,
    supersedes: document.manifest.supersedes,
    account: accounted,
  };
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
  const { kind, blind } = content;
  const slot = slotOf(document.manifest, blind, { readerId: id, kind, classes });
  const fits =
    document.manifest.slots.some((line) => equalBytes(line, slot)) &&
    kind === delivery.kind &&
    classes.join() === delivery.classes.join();
  if (!fits) throw new MunimentError('VIEW_COMMITMENT');
  return content;
}

/**
 * Opens one's own wrap and holds it against its slot, without opening any class: what a custodian checks when a
 * document comes in, so that an emergency does not find it broken.
 *
 * @param document - a verified document
 * @param opening - as whom
 * @returns whether the wrap holds whole keys or halves; `null` if there is none for this reader
 * @throws `MunimentError` `VIEW_COMMITMENT` if the wrap is broken or not of the kind that its slot and delivery state, `VIEW_INCOMPLETE` if there is only one of wrap and delivery
 */
export async function verifyOwnWrap(
  document: VerifiedSealed,
  opening: OpeningReader,
): Promise<WrapKind | null> {
  return (await openOwnWrap(document, opening))?.kind ?? null;
}

// The other halves must cover the same classes; which whole key they make is then checked against its commitment.
function join(content: WrapContent, release: readonly ClassKey[] | null): readonly ClassKey[] {
  if (content.kind === 'keys') return content.keys;
  return content.keys.map(({ index, key }) => {
    const other = release?.find((half) => half.index === index)?.key;
    if (other?.length !== key.length) throw new MunimentError('VIEW_RELEASE');
    return { index, key: key.map((byte, i) => byte ^ (other[i] ?? 0)) };
  });
}

function openClasses(document: VerifiedSealed, keys: ReadonlyMap<number, Uint8Array>): OpenedField[] {
  return [...keys].flatMap(([index, key]) => {
    const sealedClass = document.sealed.classes.find((candidate) => candidate.index === index);
    if (sealedClass === undefined) throw new MunimentError('VIEW_INCOMPLETE');
    return openClass(key, document.manifest, sealedClass).map((field) => ({ ...field, classIndex: index }));
  });
}
