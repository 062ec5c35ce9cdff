/** Which fields have the same readers: the classes of a document before they have keys. spec/views.md, "Readers", "Classes". */

import { MunimentError } from '../errors.ts';
import { INBOX, ROOT, type Compartments } from '../keys/index.ts';
import { toHex, utf8, type JsonNode } from '../wire/index.ts';
import type { Random } from '../crypto/index.ts';
import type { SealedField } from './field.ts';
import { PATH_LIMIT } from './constants.ts';
import { sealPaths, SKELETON } from './paths.ts';
import { explain } from './explain.ts';
import type { Policy } from './policy.ts';
import type { BreakGlass } from './portion.ts';
import { compartmentReader, type Reader } from './reader.ts';

/** Who can be a reader of a document. */
export interface Audience {
  readonly policy: Policy;
  /** The owner's verified compartments. */
  readonly owner: Compartments;
  /** The reader behind each name that the policy can give; `null` where there is nobody by that name. */
  readonly readers: (name: string) => Reader | null;
  readonly breakGlass: BreakGlass | null;
}

/** Fields with one set of readers. */
export interface FieldClass {
  /** Whether everybody reads it: its key travels in clear, and it has no readers but the root. */
  readonly open: boolean;
  /** Distinct readers, the root first. */
  readonly readers: readonly Reader[];
  /** Of the readers, those who get only half of its key. */
  readonly halved: ReadonlySet<Reader>;
  readonly fields: SealedField[];
}

/**
 * Groups a document's fields into classes, in the order in which their first fields come; the skeleton, which is the
 * owner's alone, last. Throws `VIEW_LIMIT` for a path that is too long, `VIEW_POLICY`.
 */
export function groupFields(tree: JsonNode, audience: Audience, random: Random): FieldClass[] {
  const { paths, skeleton } = sealPaths(tree, random);
  if (paths.some((path) => path.length > PATH_LIMIT / 3 && utf8(path).length > PATH_LIMIT))
    throw new MunimentError('VIEW_LIMIT');
  const groups = new Map<string, FieldClass>();
  // Most fields have a rule's readers in common; hashing those for each field would cost more than the field itself.
  const chosen = new Map<string, FieldClass>();
  const spelled = new Map<'public' | readonly string[], string>();
  const add = (readers: 'public' | readonly string[], compartment: string, field: SealedField): void => {
    const list = spelled.get(readers) ?? JSON.stringify(readers);
    spelled.set(readers, list);
    const given = `${list} ${compartment}`;
    const group = chosen.get(given) ?? joinGroup(groups, chooseReaders(readers, compartment, audience));
    chosen.set(given, group);
    group.fields.push(field);
  };
  const published = new Set(audience.owner.list.map(({ name }) => name));
  explain(audience.policy, tree).forEach(({ readers, compartment, restrictions, leaf }, i) => {
    // What a label closes goes to no compartment rather than to the inbox, which may be granted.
    const closed = restrictions.length > 0 && !published.has(compartment);
    add(readers, closed ? ROOT : compartment, { path: paths[i] ?? '', text: leaf.text });
  });
  add([], ROOT, { path: SKELETON, text: JSON.stringify(skeleton) });
  return [...groups.values()];
}

// The class of exactly these readers: the one that is there, or this one.
function joinGroup(groups: Map<string, FieldClass>, group: FieldClass): FieldClass {
  const key = group.open
    ? 'public'
    : group.readers
        .map((reader) => `${toHex(reader.id)}${group.halved.has(reader) ? ' half' : ''}`)
        .sort()
        .join();
  const known = groups.get(key) ?? group;
  groups.set(key, known);
  return known;
}

function chooseReaders(
  readers: 'public' | readonly string[],
  compartment: string,
  audience: Audience,
): FieldClass {
  const { owner, breakGlass } = audience;
  const root = compartmentReader(owner.list[0] ?? missing());
  if (readers === 'public') return { open: true, readers: [root], halved: new Set(), fields: [] };
  const chosen = new Map<string, Reader>([[toHex(root.id), root]]);
  const add = (reader: Reader): Reader => {
    const known = chosen.get(toHex(reader.id)) ?? reader;
    chosen.set(toHex(reader.id), known);
    return known;
  };
  if (compartment !== ROOT) {
    const known = owner.list.find(({ name }) => name === compartment);
    add(compartmentReader(known ?? owner.list.find(({ name }) => name === INBOX) ?? missing()));
  }
  const halved = new Set<Reader>();
  for (const name of readers) {
    const reader = audience.readers(name);
    if (reader === null) continue;
    const member = add(reader);
    if (breakGlass?.names.includes(name) === true) halved.add(member);
  }
  if (halved.size > 0 && breakGlass !== null) {
    for (const custodian of breakGlass.custodians) {
      // A custodian who also reads would hold a whole key where the policy promises two hands.
      if (chosen.has(toHex(custodian.id))) throw new MunimentError('VIEW_POLICY');
      add(custodian);
    }
  }
  return { open: false, readers: [...chosen.values()], halved, fields: [] };
}

function missing(): never {
  throw new MunimentError('VIEW_POLICY'); // verified compartments hold root and inbox
}
