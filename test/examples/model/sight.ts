/** What somebody may see of a record, said from docs/roles.md and the policies alone. */

import { cutText, type JudgedLeaf } from './policy.ts';
import {
  holds,
  type Key,
  type ModelDocument,
  type ModelEntry,
  type ModelRecord,
  type World,
} from './world.ts';

/** How it is read. */
export interface Looking {
  readonly now: number;
  readonly part?: string | undefined;
  readonly asOf?: number | undefined;
  /** Documents before this place were released to the reader in an emergency. */
  readonly releasedBefore?: number | undefined;
}

/** One document, as somebody sees it. */
export interface SeenDocument {
  /** What opens; `null` if nothing does. */
  readonly text: string | null;
  readonly fields: number;
  /** Wraps and classes that the bank hands out, and no more. */
  readonly wraps: number;
  readonly classes: number;
}

/** A record as somebody sees it: for each entry its kind, or `null` if it is hidden. */
export interface Sight {
  readonly kinds: readonly (string | null)[];
  readonly documents: ReadonlyMap<number, SeenDocument>;
  /** Fields that were granted, by the place of the grant. */
  readonly fields: ReadonlyMap<number, string>;
}

/** Why somebody may not ask for a record; `null` if one may. */
export function refusalToAsk(key: Key, record: ModelRecord | null): string | null {
  if (!key.stands) return 'SESSION_PEER';
  if (record === null || record.entries.length === 0 || scopeOf(key, record) === null) return 'FORBIDDEN';
  return null;
}

/** `whole`, `part` or `evidence`, as the table of docs/roles.md says. */
export function scopeOf(key: Key, { owner }: ModelRecord): 'whole' | 'part' | 'evidence' | null {
  if (key === owner) return 'whole';
  if (['doctor', 'specialist:', 'insurer', 'emergency'].some((role) => holds(key, role))) return 'part';
  return holds(key, 'auditor') ? 'evidence' : null;
}

/** What somebody sees who may ask. */
export function sightOf(world: World, key: Key, record: ModelRecord, looking: Looking): Sight {
  const { now, asOf = Infinity } = looking;
  const scope = scopeOf(key, record);
  const given = record.entries.flatMap(({ grant, erased }, seq) => {
    const stands =
      grant !== undefined && erased !== true && !grant.ended && now >= grant.from && now <= grant.until;
    return stands && grant.grantee === key && scope === 'part' ? [{ seq, given: grant.given }] : [];
  });
  const documents = new Map<number, SeenDocument>();
  const fields = new Map<number, string>();
  const shown = record.entries.filter(({ time }) => time <= asOf);
  const kinds = shown.map((entry, seq) => {
    const mine = isMine(entry) || given.some((one) => one.seq === seq);
    if (mine && entry.grant?.grantee === key && entry.grant.given.kind === 'fields')
      fields.set(seq, entry.grant.given.text);
    if (entry.document === undefined || entry.erased === true) return mine ? entry.kind : null;
    if (looking.part !== undefined && !partsOf(entry.document).has(looking.part)) return null;
    const released = seq < (looking.releasedBefore ?? 0);
    const seen = scope === 'whole' ? wholeOf(entry.document) : seenBy(entry.document, seq, released);
    if (seen === null) return null;
    documents.set(seq, seen);
    return entry.kind;
  });
  return { kinds, documents, fields };

  function isMine({ kind, author }: ModelEntry & { readonly grant?: unknown }): boolean {
    if (scope === 'whole' || ['create', 'close', 'erase'].includes(kind)) return true;
    return scope === 'part' && author.subject === key.subject;
  }

  function seenBy(document: ModelDocument, seq: number, released: boolean): SeenDocument | null {
    if (scope !== 'part') return null;
    const reached = [...document.groups]
      .filter(([name, epoch]) => world.reaches(key, name, epoch))
      .map(([name]) => name);
    const granted = given.flatMap(({ given: one }) =>
      one.kind === 'compartment' && document.parts.get(one.name) === one.epoch ? [one.name] : [],
    );
    const classes = new Set(
      given.flatMap(({ given: one }) => (one.kind === 'classes' && one.seq === seq ? [...one.classes] : [])),
    );
    const wraps = new Set<string>();
    const handed = new Set<string>(classes);
    const open = new Set<JudgedLeaf>();
    for (const leaf of document.leaves) {
      const own = classOf(leaf, document);
      const names = namesIn(leaf, document).filter((name) => reached.includes(name));
      const part = partOf(leaf, document);
      const byPart = part !== null && granted.includes(part);
      for (const name of names) wraps.add(`group ${name}`);
      if (byPart) wraps.add(`part ${part}`);
      if (names.length > 0 || byPart || leaf.readers === 'public') handed.add(own);
      const whole = names.some((name) => name !== 'emergency' || released);
      if (whole || byPart || leaf.readers === 'public' || classes.has(own)) open.add(leaf);
    }
    if (handed.size === 0) return null;
    const places = new Set([...open].map(({ tokens }) => tokens.join('/')));
    const text = cutText(document.json, (tokens) => places.has(tokens.join('/')));
    return { text, fields: open.size, wraps: wraps.size, classes: handed.size };
  }
}

function wholeOf({ json, leaves, ...document }: ModelDocument): SeenDocument {
  // The skeleton is a class of its own, for nobody but the owner.
  const classes = new Set(['', ...leaves.map((leaf) => classOf(leaf, { json, leaves, ...document }))]);
  return { text: JSON.stringify(json), fields: leaves.length, wraps: 1, classes: classes.size };
}

/** The parts of a record in which a document lies with something. */
export function partsOf(document: ModelDocument): ReadonlySet<string> {
  return new Set(document.leaves.flatMap((leaf) => partOf(leaf, document) ?? []));
}

/** Fields with the same readers are one class. */
export function classOf(leaf: JudgedLeaf, document: ModelDocument): string {
  if (leaf.readers === 'public') return 'public';
  return [partOf(leaf, document) ?? '', ...[...new Set(namesIn(leaf, document))].sort()].join('|');
}

// Names that nobody stands behind count for nothing.
function namesIn({ readers }: JudgedLeaf, { groups }: ModelDocument): readonly string[] {
  return readers === 'public' ? [] : readers.filter((name) => groups.has(name));
}

// What the owner has not published goes into the inbox, or, if a label closed it, into no part.
function partOf({ readers, compartment, restricted }: JudgedLeaf, { parts }: ModelDocument): string | null {
  if (readers === 'public') return null;
  if (parts.has(compartment)) return compartment;
  return restricted ? null : 'inbox';
}
