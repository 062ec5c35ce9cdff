/**
 * Sealing: a document once, for all its readers. Public-key work grows with readers, encryptions with sets of
 * readers, and a field costs one hash. spec/views.md, "Sealing".
 */

import { KEY_LENGTH, shuffle, systemRandom, type Random } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { Secret, type Identity } from '../keys/index.ts';
import { readJson, utf8, type JsonNode } from '../wire/index.ts';
import type { SealedDocument, Wrap } from './body.ts';
import { commitClass, commitKey, hashReaders, sealClass, type SealedClass } from './classes.ts';
import {
  DEPTH_LIMIT,
  DOCUMENT_LIMIT,
  ID_LENGTH,
  MANIFEST_LINES,
  SEALED_LIMIT,
  TYPE_LIMIT,
} from './constants.ts';
import type { DocumentNames } from './document-names.ts';
import { groupFields, type Audience, type FieldClass } from './grouping.ts';
import {
  bodyHash,
  dummyLines,
  encodeManifest,
  signedBytes,
  slotBlind,
  slotOf,
  SUPERSEDES_NONE,
} from './manifest.ts';
import { checkBreakGlass, holdingOf, portionKeys, type KeyedClass } from './portion.ts';
import { isRoot, publicId } from './reader.ts';
import { sealWrap } from './wrap.ts';

/** What sealing needs to know. Nothing about policy is optional: `breakGlass` is `null` where the policy has none. */
export interface SealOptions extends Audience {
  readonly author: Identity;
  /** When it is written, in milliseconds since 1970: the author's word, which the manifest states. */
  readonly time: number;
  /** What kind of document this is; public. */
  readonly type: string;
  /** 16 random bytes, where something (an annex) must know them before. */
  readonly docId?: Uint8Array;
  /** `bodyHash` of the document that this one supersedes. */
  readonly supersedes?: Uint8Array;
  /** For vectors only. */
  readonly random?: Random;
}

/**
 * Seals a document for its readers and signs it.
 *
 * @param document - JSON text, at most 16 Mi characters, or a tree of it; its spelling is kept digit for digit
 * @param options - policy, readers, author
 * @returns the sealed document; `encodeSealed` makes bytes of it
 * @throws `MunimentError` `VIEW_LIMIT` for more than 16 classes or readers, too many fields, a path or a sealed document that is too long; `VIEW_POLICY` if a reader would get some keys whole and others halved, a custodian is a reader of what is halved, the threshold cannot be met, or break-glass names somebody whom the policy cannot; `WIRE_JSON`, `WIRE_LIMIT`, `KEY_PUBLIC`
 * @example
 * ```ts
 * import { systemRandom } from 'muniment/crypto';
 * import { createAnchor, createRoot, enrol, publishCompartments, verifyCompartments } from 'muniment/keys';
 * import { definePolicy, encodeSealed, seal } from 'muniment/views';
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
 * encodeSealed(document); // what is stored: nothing in it opens for who stores it
 * ```
 */
export async function seal(document: string | JsonNode, options: SealOptions): Promise<SealedDocument> {
  const { policy, owner, author, time, type, random = systemRandom } = options;
  const tree =
    typeof document === 'string'
      ? readJson(document, { length: DOCUMENT_LIMIT, depth: DEPTH_LIMIT })
      : document;
  const names = { recordId: owner.recordId, docId: options.docId ?? random(ID_LENGTH) };
  if (names.docId.length !== ID_LENGTH) throw new RangeError('docId is 16 bytes');
  if (options.breakGlass !== null) checkBreakGlass(options.breakGlass, policy);
  if (utf8(type).length > TYPE_LIMIT) throw new RangeError('a type has at most 64 bytes');
  const ownerKey = random(KEY_LENGTH);

  const classes = keyClasses(groupFields(tree, options, random), random);
  const sealed = classes.map((one) => sealFields(one, names, ownerKey, options, random));
  const length = sealed.reduce((sum, { ciphertext }) => sum + ciphertext.length, 0);
  if (length > SEALED_LIMIT - REST_LIMIT) throw new MunimentError('VIEW_LIMIT');

  const portions = portionKeys(classes, options.breakGlass, random).map((portion) => {
    return { ...portion, blind: slotBlind(ownerKey, names, portion.reader.id) };
  });
  const positions = drawLines(portions.length, random);
  const slots = portions.map((portion, i) => {
    return { index: positions[i] ?? 0, line: slotOf(names, portion.blind, holdingOf(portion)) };
  });
  const dummies = dummyLines(ownerKey, names);
  const manifest = encodeManifest({
    ...names,
    author: author.credential.id,
    time,
    type,
    supersedes: options.supersedes ?? SUPERSEDES_NONE,
    classes: fillLines(
      dummies.classes,
      sealed.map((one) => ({ index: one.index, line: commitClass(one) })),
    ),
    slots: fillLines(dummies.slots, slots),
  });
  const hash = bodyHash(manifest);
  const wraps = portions.map((portion): Wrap => {
    const { reader } = portion;
    const opening = isRoot(reader) ? { ownerKey: new Secret('document opening', ownerKey), policy } : null;
    return { readerId: reader.id, ...sealWrap(reader, hash, { ...portion, owner: opening }, random) };
  });
  return {
    manifest,
    signature: await author.signer.sign(signedBytes(hash, author.credential.id)),
    deliveries: portions.map(holdingOf),
    wraps,
    classes: sealed.sort((a, b) => a.index - b.index),
    publicKeys: classes
      .filter(({ open }) => open)
      .map(({ index, key }) => ({ index, key }))
      .sort((a, b) => a.index - b.index),
  };
}

// More than everything around the classes takes up: manifest, deliveries, sixteen X-Wing wraps of sixteen keys.
const REST_LIMIT = 64 * 1024;

function keyClasses(groups: readonly FieldClass[], random: Random): (FieldClass & KeyedClass)[] {
  const lines = drawLines(groups.length, random);
  return groups.map((group, i) => ({ ...group, index: lines[i] ?? 0, key: random(KEY_LENGTH) }));
}

function sealFields(
  { index, key, open, readers, fields }: FieldClass & KeyedClass,
  names: DocumentNames,
  ownerKey: Uint8Array,
  { policy }: SealOptions,
  random: Random,
): SealedClass {
  shuffle(fields, random);
  const readerIds = [...readers.map(({ id }) => id), ...(open ? [publicId()] : [])];
  const keyCommit = commitKey(key, names);
  const readersHash = hashReaders(ownerKey, names, keyCommit, policy, readerIds);
  return { index, ...sealClass(key, names, { keyCommit, readersHash }, fields) };
}

function drawLines(count: number, random: Random): number[] {
  if (count > MANIFEST_LINES) throw new MunimentError('VIEW_LIMIT');
  const lines = Array.from({ length: MANIFEST_LINES }, (_, i) => i);
  shuffle(lines, random);
  return lines.slice(0, count);
}

function fillLines(
  dummies: readonly Uint8Array[],
  taken: readonly { readonly index: number; readonly line: Uint8Array }[],
): Uint8Array[] {
  const lines = [...dummies];
  for (const { index, line } of taken) lines[index] = line;
  return lines;
}
