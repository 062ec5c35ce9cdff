/**
 * Sealing: a document once, for all its readers. Public-key work grows with readers, encryptions with sets of
 * readers, and a field costs one hash. spec/views.md, "Sealing".
 */

import { KEY_LENGTH, shuffle, systemRandom, type Random } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { INBOX, ROOT, type Compartments, type Identity } from '../keys/index.ts';
import { equalBytes, readJson, toHex, utf8, type JsonNode } from '../wire/index.ts';
import type { Delivery, SealedDocument, Wrap } from './body.ts';
import {
  commitClass,
  commitKey,
  hashReaders,
  sealClass,
  type SealedClass,
  type SealedField,
} from './classes.ts';
import {
  DEPTH_LIMIT,
  DOCUMENT_LIMIT,
  ID_LENGTH,
  MANIFEST_LINES,
  PATH_LIMIT,
  SEALED_LIMIT,
  TYPE_LIMIT,
} from './constants.ts';
import { explain } from './explain.ts';
import {
  bodyHash,
  dummyLine,
  encodeManifest,
  signedBytes,
  slotBlind,
  slotOf,
  SUPERSEDES_NONE,
  type WrapKind,
} from './manifest.ts';
import { sealPaths, SKELETON } from './paths.ts';
import type { Policy } from './policy.ts';
import { compartmentReader, isRoot, publicId, type Reader } from './reader.ts';
import { sealWrap, type ClassKey } from './wrap.ts';

/** What sealing needs to know. Nothing about policy is optional. */
export interface SealOptions {
  readonly policy: Policy;
  /** The owner's verified compartments; their record is the document's. */
  readonly owner: Compartments;
  /** The reader behind each name that the policy can give; `null` where there is nobody by that name. */
  readonly readers: (name: string) => Reader | null;
  /** Readers who open only together with a custodian's release, and the custodian; `null` if the policy has none. */
  readonly breakGlass: BreakGlass | null;
  readonly author: Identity;
  /** What kind of document this is; public. */
  readonly type: string;
  /** 16 random bytes, where something (an annex) must know them before. */
  readonly docId?: Uint8Array;
  /** `bodyHash` of the document that this one supersedes. */
  readonly supersedes?: Uint8Array;
  /** For vectors only. */
  readonly random?: Random;
}

/** Whose keys are split, and who holds the other half. */
export interface BreakGlass {
  /** Names in the policy whose keys are split. */
  readonly names: readonly string[];
  readonly custodian: Reader;
}

/**
 * Seals a document for its readers and signs it.
 *
 * @param document - JSON text, at most 16 Mi characters, or a tree of it; its spelling is kept digit for digit
 * @param options - policy, readers, author
 * @returns the sealed document; `encodeSealed` makes bytes of it
 * @throws `MunimentError` `VIEW_LIMIT` for more than 16 classes or readers, too many fields, a path or a sealed document that is too long; `VIEW_POLICY` if a reader would get some keys whole and others split, or the custodian is a reader of what is split; `WIRE_JSON`, `WIRE_LIMIT`, `KEY_PUBLIC`
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
 * const options = { policy, owner, readers: () => null, breakGlass: null, author: doctor, type: 'visit' };
 * const document = await seal('{"name":"Bob","bloodType":"A+"}', options);
 * encodeSealed(document); // what is stored: nothing in it opens for who stores it
 * ```
 */
export async function seal(document: string | JsonNode, options: SealOptions): Promise<SealedDocument> {
  const { policy, owner, author, type, random = systemRandom } = options;
  const tree =
    typeof document === 'string'
      ? readJson(document, { length: DOCUMENT_LIMIT, depth: DEPTH_LIMIT })
      : document;
  const names = { recordId: owner.recordId, docId: options.docId ?? random(ID_LENGTH) };
  if (names.docId.length !== ID_LENGTH) throw new RangeError('docId is 16 bytes');
  if (utf8(type).length > TYPE_LIMIT) throw new RangeError('a type has at most 64 bytes');
  const ownerKey = random(KEY_LENGTH);

  const classes = keyClasses(groupFields(tree, options, random), random);
  const lines = Array.from({ length: MANIFEST_LINES }, (_, i) => dummyLine(ownerKey, names, i));
  const sealed: SealedClass[] = [];
  for (const { index, key, open, readers, fields } of classes) {
    shuffle(fields, random);
    const readerIds = [...readers.map(({ id }) => id), ...(open ? [publicId()] : [])];
    const readersHash = hashReaders(ownerKey, names, commitKey(key, names), policy, readerIds);
    const body = sealClass(key, names, readersHash, fields);
    lines[index] = commitClass(body);
    sealed.push({ index, ...body });
  }

  const length = sealed.reduce((sum, { ciphertext }) => sum + ciphertext.length, 0);
  if (length > SEALED_LIMIT - REST_LIMIT) throw new MunimentError('VIEW_LIMIT');

  const portions = portionKeys(classes, options, random);
  const positions = drawLines(portions.length, random);
  const slots = Array.from({ length: MANIFEST_LINES }, (_, i) =>
    dummyLine(ownerKey, names, MANIFEST_LINES + i),
  );
  const deliveries = portions.map(({ reader, kind, keys }): Delivery => ({
    readerId: reader.id,
    kind,
    classes: keys.map(({ index }) => index),
  }));
  deliveries.forEach((delivery, i) => {
    slots[positions[i] ?? 0] = slotOf(names, slotBlind(ownerKey, names, delivery.readerId), delivery);
  });

  const manifest = encodeManifest({
    ...names,
    author: author.credential.id,
    type,
    supersedes: options.supersedes ?? SUPERSEDES_NONE,
    classes: lines,
    slots,
  });
  const hash = bodyHash(manifest);
  const wraps = portions.map(({ reader, kind, keys }): Wrap => {
    const blind = slotBlind(ownerKey, names, reader.id);
    const opening = isRoot(reader) ? { ownerKey, policy } : null;
    return { readerId: reader.id, ...sealWrap(reader, hash, { kind, blind, keys, owner: opening }, random) };
  });
  return {
    manifest,
    signature: await author.signer.sign(signedBytes(hash, author.credential.id)),
    deliveries,
    wraps,
    classes: sealed.sort((a, b) => a.index - b.index),
    publicKeys: classes.filter(({ open }) => open).map(({ index, key }) => ({ index, key })),
  };
}

// More than everything around the classes takes up: manifest, deliveries, sixteen X-Wing wraps of sixteen keys.
const REST_LIMIT = 64 * 1024;

/** A class before it is sealed. */
interface FieldClass {
  /** Whether everybody reads it: its key travels in clear, and it has no readers but the root. */
  readonly open: boolean;
  /** Distinct readers, the root first. */
  readonly readers: readonly Reader[];
  /** Of the readers, those who get only half a key. */
  readonly split: ReadonlySet<Reader>;
  readonly fields: SealedField[];
}

type KeyedClass = FieldClass & ClassKey;

// One class for each distinct set of readers; the skeleton goes to those who read every field.
function groupFields(tree: JsonNode, options: SealOptions, random: Random): FieldClass[] {
  const { paths, skeleton } = sealPaths(tree, random);
  if (paths.some((path) => path.length > PATH_LIMIT / 3 && utf8(path).length > PATH_LIMIT))
    throw new MunimentError('VIEW_LIMIT');
  const explained = explain(options.policy, tree);
  const named = explained.map(({ readers }) => readers);
  const groups = new Map<string, FieldClass>();
  // Most fields have a rule's readers in common; hashing those for each field would cost more than the field itself.
  const chosen = new Map<string, FieldClass>();
  const add = (readers: 'public' | readonly string[], compartment: string, field: SealedField): void => {
    const given = JSON.stringify([readers, compartment]);
    const group = chosen.get(given) ?? joinGroup(groups, chooseReaders(readers, compartment, options));
    chosen.set(given, group);
    group.fields.push(field);
  };
  explained.forEach(({ readers, compartment, leaf }, i) => {
    add(readers, compartment, { path: paths[i] ?? '', text: leaf.text });
  });
  add(readersOfAll(named), ROOT, { path: SKELETON, text: JSON.stringify(skeleton) });
  return [...groups.values()];
}

// The class of exactly these readers: the one that is there, or this one.
function joinGroup(groups: Map<string, FieldClass>, group: FieldClass): FieldClass {
  const key = group.open
    ? 'public'
    : group.readers
        .map((reader) => `${toHex(reader.id)}${group.split.has(reader) ? ' split' : ''}`)
        .sort()
        .join();
  const known = groups.get(key) ?? group;
  groups.set(key, known);
  return known;
}

function readersOfAll(named: readonly ('public' | readonly string[])[]): 'public' | readonly string[] {
  const sealed = named.filter((readers) => readers !== 'public');
  const [first, ...others] = sealed;
  if (first === undefined) return 'public';
  return first.filter((name) => others.every((readers) => readers.includes(name)));
}

function chooseReaders(
  readers: 'public' | readonly string[],
  compartment: string,
  options: SealOptions,
): FieldClass {
  const root = compartmentReader(options.owner.list[0] ?? missing());
  if (readers === 'public') return { open: true, readers: [root], split: new Set(), fields: [] };
  const splitNames = options.breakGlass?.names ?? [];
  const chosen = new Map<string, Reader>([[toHex(root.id), root]]);
  const add = (reader: Reader): Reader => {
    const known = chosen.get(toHex(reader.id)) ?? reader;
    chosen.set(toHex(reader.id), known);
    return known;
  };
  if (compartment !== ROOT) {
    const known = options.owner.list.find(({ name }) => name === compartment);
    add(compartmentReader(known ?? options.owner.list.find(({ name }) => name === INBOX) ?? missing()));
  }
  const split = new Set<Reader>();
  for (const name of readers) {
    const reader = options.readers(name);
    if (reader === null) continue;
    const member = add(reader);
    if (splitNames.includes(name)) split.add(member);
  }
  if (split.size > 0 && options.breakGlass !== null) {
    const { custodian } = options.breakGlass;
    // A custodian who also reads would hold a whole key where the policy promises two hands.
    if (chosen.has(toHex(custodian.id))) throw new MunimentError('VIEW_POLICY');
    split.add(add(custodian));
  }
  return { open: false, readers: [...chosen.values()], split, fields: [] };
}

function keyClasses(groups: readonly FieldClass[], random: Random): KeyedClass[] {
  const lines = drawLines(groups.length, random);
  return groups.map((group, i) => ({ ...group, index: lines[i] ?? 0, key: random(KEY_LENGTH) }));
}

/** What goes into one reader's wrap. */
interface Portion {
  readonly reader: Reader;
  readonly kind: WrapKind;
  readonly keys: ClassKey[];
}

// Each reader's keys in ascending order of lines. A split key's halves: A to the readers, B = key xor A to the custodian.
function portionKeys(classes: readonly KeyedClass[], options: SealOptions, random: Random): Portion[] {
  const portions = new Map<string, Portion>();
  for (const { index, key, readers, split } of [...classes].sort((a, b) => a.index - b.index)) {
    const half = random(KEY_LENGTH);
    const other = key.map((byte, i) => byte ^ (half[i] ?? 0));
    for (const reader of readers) {
      const kind = split.has(reader) ? 'half' : 'keys';
      const custodian = options.breakGlass !== null && equalBytes(reader.id, options.breakGlass.custodian.id);
      const portion = portions.get(toHex(reader.id)) ?? { reader, kind, keys: [] };
      if (portion.kind !== kind) throw new MunimentError('VIEW_POLICY'); // a reader is either split or not
      portion.keys.push({ index, key: kind === 'keys' ? key : custodian ? other : half });
      portions.set(toHex(reader.id), portion);
    }
  }
  return [...portions.values()].sort((a, b) => (toHex(a.reader.id) < toHex(b.reader.id) ? -1 : 1));
}

function drawLines(count: number, random: Random): number[] {
  if (count > MANIFEST_LINES) throw new MunimentError('VIEW_LIMIT');
  const lines = Array.from({ length: MANIFEST_LINES }, (_, i) => i);
  shuffle(lines, random);
  return lines.slice(0, count);
}

function missing(): never {
  throw new MunimentError('VIEW_POLICY'); // verified compartments hold root and inbox
}
