/**
 * Disclosures: single fields shown to anybody, with the author's signature still speaking for them. Of all other fields
 * a disclosure tells their number in the same classes and those classes' padded sizes. spec/views.md, "Disclosures".
 */

import { hashTuple, sha256 } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { exposeSecret, readSignature, verifySignature, type Credential } from '../keys/index.ts';
import { equalBytes, jsonValue, tuple, TupleReader, writeJson, type JsonValue } from '../wire/index.ts';
import type { SealedDocument } from './body.ts';
import { commitStated, openClass } from './classes.ts';
import { DOCUMENT_LIMIT, FIELDS_LIMIT, MANIFEST_LINES, PATH_LIMIT, SEALED_LIMIT } from './constants.ts';
import { encodeField, hashLeafList, leafHasher, SALT_LENGTH } from './field.ts';
import { bodyHash, decodeManifest, signedBytes, type Manifest } from './manifest.ts';
import type { OpenedField, View } from './open.ts';
import { assemble, SKELETON } from './paths.ts';
import type { FindCredential } from './verify.ts';

/** What a disclosure shows, all of it verified. */
export interface Disclosure {
  /** The fields as plain values; members stand by name. */
  readonly value: JsonValue;
  /** The same as JSON text, every value digit for digit as its author wrote it. */
  readonly text: string;
  readonly fields: readonly OpenedField[];
  readonly author: Credential;
  readonly time: number;
  readonly type: string;
  readonly docId: Uint8Array;
  readonly bodyHash: Uint8Array;
  readonly supersedes: Uint8Array;
}

/**
 * Shows some fields of a document that one has opened.
 *
 * @param sealed - the document, with the classes that the fields are in
 * @param view - what `open` gave for it
 * @param paths - which fields, by the paths that `view.fields` has
 * @returns the disclosure, in clear; `grant` seals it to somebody
 * @throws `MunimentError` `VIEW_DISCLOSURE` if a path is not among the view's fields or the view is another document's; `VIEW_INCOMPLETE` if a class is missing; `VIEW_LIMIT` if it would have more than 40 MiB
 * @example
 * ```ts
 * import { KEM_XWING, systemRandom } from 'muniment/crypto';
 * import { createAnchor, createRoot, nodeKey, publishCompartments, verifyCompartments } from 'muniment/keys';
 * import { compartmentReader, definePolicy, disclose, open, seal, verifyDisclosure } from 'muniment/views';
 * const person = { roles: ['doctor'], notBefore: 0, notAfter: 4e12 };
 * const [doctor, patient] = [
 *   await createAnchor({ subject: 'Dr. Ruiz', ...person }),
 *   await createAnchor({ subject: 'Bob', ...person }),
 * ];
 * const [root, recordId] = [createRoot(), systemRandom(16)];
 * const owner = verifyCompartments(await publishCompartments(patient, root, { recordId, names: [] }), patient.credential);
 * const policy = definePolicy({ name: 'example/1', rules: [], otherwise: [] });
 * const options = { policy, owner, readers: () => null, breakGlass: null, author: doctor, time: 1e12, type: 'visit' };
 * const sealed = await seal('{"name":"Bob","dose":1.00}', options);
 * const as = owner.list.slice(0, 1).map((own) => ({ reader: compartmentReader(own), key: nodeKey(root, KEM_XWING) }));
 * const expected = { recordId, authors: () => doctor.credential };
 * const view = await open(sealed, { ...expected, as, releases: null });
 * if (view) console.log(verifyDisclosure(disclose(sealed, view, ['/dose']), expected).text); // {"dose":1.00}
 * ```
 */
export function disclose(sealed: SealedDocument, view: View, paths: readonly string[]): Uint8Array {
  const chosen = new Set(paths);
  const known = view.fields.filter(({ path }) => chosen.has(path));
  const same = equalBytes(bodyHash(sealed.manifest), view.bodyHash);
  if (!same || chosen.size === 0 || known.length !== chosen.size) refuse();
  const names = decodeManifest(sealed.manifest);
  const lines = new Set(known.map(({ classIndex }) => classIndex));
  const groups = view.keys
    .filter(({ index }) => lines.has(index))
    .map(({ index, key }) => {
      const own = sealed.classes.find((candidate) => candidate.index === index);
      if (own === undefined) throw new MunimentError('VIEW_INCOMPLETE');
      const { fields, leaves, salts } = openClass(exposeSecret(key), names, own);
      const shown = fields.flatMap(({ path, text }, j) => {
        return chosen.has(path) ? [[j, salts[j] ?? refuse(), path, text] as const] : [];
      });
      const { readersHash, keyCommit, ciphertext } = own;
      return [index, readersHash, keyCommit, sha256(ciphertext), ciphertext.length, leaves, shown] as const;
    });
  const disclosure = tuple('disclosure', sealed.manifest, sealed.signature, groups);
  if (disclosure.length > SEALED_LIMIT) throw new MunimentError('VIEW_LIMIT');
  return disclosure;
}

/**
 * Verifies a disclosure, with nothing but the author's credential.
 *
 * @param bytes - at most 40 MiB
 * @param expected - the record that it must belong to, and who may have written it
 * @throws `MunimentError` `VIEW_DISCLOSURE` if it is malformed, of another record, or shows what the author did not commit to; `VIEW_AUTHOR` if the author is unknown or did not sign; `VIEW_EQUIVOCATION` if the fields are not parts of one document
 */
export function verifyDisclosure(
  bytes: Uint8Array,
  expected: { readonly recordId: Uint8Array; readonly authors: FindCredential },
): Disclosure {
  const { manifest, signature, rest } = readHead(bytes);
  const names = readManifest(manifest);
  if (!equalBytes(names.recordId, expected.recordId)) refuse();
  const hash = bodyHash(manifest);
  const author = expected.authors(names.author);
  if (author === null || !equalBytes(author.id, names.author)) throw new MunimentError('VIEW_AUTHOR');
  try {
    verifySignature(author.signing, signedBytes(hash, author.id), signature);
  } catch (cause) {
    throw new MunimentError('VIEW_AUTHOR', undefined, { cause });
  }
  const { time, type, docId, supersedes } = names;
  // Only now the leaves, of which there may be a million: an author must have signed for them.
  const fields = readGroups(rest).flatMap((group) =>
    verifyGroup(group, names).map(({ path, text }) => {
      return { path, text, classIndex: group.index, author, time };
    }),
  );
  const { document } = assemble(fields);
  return {
    value: jsonValue(document),
    text: writeJson(document),
    ...{ fields, author, time, type, docId, bodyHash: hash, supersedes },
  };
}

/** Of which document a disclosure is, of which of its classes, and the digest of it all; nothing is verified by that. Throws `VIEW_DISCLOSURE`. */
export function disclosureScope(bytes: Uint8Array): {
  readonly bodyHash: Uint8Array;
  readonly lines: readonly number[];
  readonly digest: Uint8Array;
} {
  const { manifest, rest } = readHead(bytes);
  const lines = readGroups(rest).map(({ index }) => index);
  return { bodyHash: bodyHash(manifest), lines, digest: hashTuple('disclosed', bytes) };
}

/** One class of a disclosure. */
interface Group {
  readonly index: number;
  readonly readersHash: Uint8Array;
  readonly keyCommit: Uint8Array;
  readonly ciphertextHash: Uint8Array;
  readonly length: number;
  readonly leaves: readonly Uint8Array[];
  readonly shown: readonly Shown[];
}

/** One field of a disclosure. */
interface Shown {
  readonly j: number;
  readonly salt: Uint8Array;
  readonly path: string;
  readonly text: string;
}

// The class's commitment in its line of the signed manifest, and each field's leaf in its place among the leaves.
function verifyGroup(group: Group, manifest: Manifest): readonly Shown[] {
  const { index, keyCommit, leaves, shown } = group;
  const commitment = commitStated({ ...group, leavesHash: hashLeafList(leaves) });
  if (!equalBytes(commitment, manifest.classes[index] ?? refuse())) refuse();
  const hashLeaf = leafHasher(manifest, keyCommit);
  for (const { j, salt, path, text } of shown) {
    const leaf = leaves[j] ?? refuse();
    if (path === SKELETON || !equalBytes(hashLeaf(j, salt, encodeField({ path, text })), leaf)) refuse();
  }
  return shown;
}

function readHead(bytes: Uint8Array): {
  readonly manifest: Uint8Array;
  readonly signature: Uint8Array;
  readonly rest: TupleReader;
} {
  try {
    if (bytes.length > SEALED_LIMIT) throw new MunimentError('WIRE_LIMIT');
    const rest = TupleReader.labelled(bytes, 'disclosure');
    return { manifest: rest.bytes(), signature: readSignature(rest), rest };
  } catch (cause) {
    throw new MunimentError('VIEW_DISCLOSURE', undefined, { cause });
  }
}

function readGroups(rest: TupleReader): readonly Group[] {
  try {
    const groups = rest.list(MANIFEST_LINES, (item) => item.group(readGroup));
    rest.end();
    const ordered = groups.length > 0 && ascends(groups.map(({ index }) => index));
    if (!ordered || !groups.every(({ shown }) => shown.length > 0 && ascends(shown.map(({ j }) => j))))
      throw new MunimentError('WIRE_TUPLE');
    return groups;
  } catch (cause) {
    throw new MunimentError('VIEW_DISCLOSURE', undefined, { cause });
  }
}

function readGroup(part: TupleReader): Group {
  return {
    index: part.integer(),
    readersHash: part.bytes(32),
    keyCommit: part.bytes(32),
    ciphertextHash: part.bytes(32),
    length: part.integer(),
    leaves: part.list(FIELDS_LIMIT, (leaf) => leaf.bytes(32)),
    shown: part.list(FIELDS_LIMIT, (item) =>
      item.group((field) => ({
        j: field.integer(),
        salt: field.bytes(SALT_LENGTH),
        path: field.text(PATH_LIMIT),
        text: field.text(4 * DOCUMENT_LIMIT),
      })),
    ),
  };
}

function readManifest(bytes: Uint8Array): Manifest {
  try {
    return decodeManifest(bytes);
  } catch (cause) {
    throw new MunimentError('VIEW_DISCLOSURE', undefined, { cause });
  }
}

function ascends(numbers: readonly number[]): boolean {
  return numbers.every((number, i) => i === 0 || (numbers[i - 1] ?? 0) < number);
}

function refuse(): never {
  throw new MunimentError('VIEW_DISCLOSURE');
}
