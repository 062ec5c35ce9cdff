/** What the model knows: people and their keys, groups, records, entries. Names and numbers, no key and no bank. */

import type { Json, JudgedLeaf } from './policy.ts';

/** One credential of somebody's. Two of one subject are two. */
export interface Key {
  readonly subject: string;
  readonly roles: readonly string[];
  readonly number: number;
  stands: boolean;
}

/** Somebody, with all keys ever given, oldest first. */
export interface Actor {
  readonly subject: string;
  readonly roles: readonly string[];
  readonly keys: Key[];
}

/** One epoch of a group: who is in it, and whether it leads to the one before. */
export interface Epoch {
  readonly members: ReadonlySet<Key>;
  readonly ladder: boolean;
}

/** A sealed document. */
export interface ModelDocument {
  readonly json: Json;
  readonly leaves: readonly JudgedLeaf[];
  /** Which epoch of each group it was sealed to, and of each of the owner's parts. */
  readonly groups: ReadonlyMap<string, number>;
  readonly parts: ReadonlyMap<string, number>;
}

/** What a grant hands over: a part's epoch, classes of the document at a place, or single fields of it. */
export type Given =
  | { readonly kind: 'compartment'; readonly name: string; readonly epoch: number }
  | { readonly kind: 'classes'; readonly seq: number; readonly classes: ReadonlySet<string> }
  | { readonly kind: 'fields'; readonly seq: number; readonly text: string };

/** A grant. */
export interface ModelGrant {
  readonly grantee: Key;
  readonly from: number;
  readonly until: number;
  readonly given: Given;
  ended: boolean;
}

/** An entry of a record's content. */
export interface ModelEntry {
  readonly kind: string;
  readonly author: Key;
  readonly time: number;
  readonly document?: ModelDocument;
  readonly grant?: ModelGrant;
  erased?: boolean;
}

/** An access: who, how, why, when. */
export interface ModelAccess {
  readonly reader: Key;
  readonly action: 'read' | 'break-glass';
  readonly purpose: string;
  readonly time: number;
}

/** A record. */
export interface ModelRecord {
  readonly owner: Key;
  /** The owner's parts: the newest epoch of each. */
  parts: ReadonlyMap<string, number>;
  /** Empty until a doctor has opened it. */
  readonly entries: ModelEntry[];
  readonly accesses: ModelAccess[];
  /** When a death was stated, if it is closed for one; `closed` if it is for another reason. */
  closed: { readonly death: number | null } | null;
  /** Closings and reopenings so far. */
  statements: number;
}

/** Everything. */
export class World {
  readonly actors: Actor[] = [];
  readonly groups = new Map<string, Epoch[]>();
  readonly records: ModelRecord[] = [];

  /** Somebody's first key. */
  join(subject: string, roles: readonly string[]): Key {
    const key = { subject, roles, number: 0, stands: true };
    this.actors.push({ subject, roles, keys: [key] });
    return key;
  }

  /** Another key of the same subject. */
  renew({ subject, roles, keys }: Actor): Key {
    const key = { subject, roles, number: keys.length, stands: true };
    keys.push(key);
    return key;
  }

  /** The newest epoch of a group; of one that nobody founded, `null`. */
  newest(group: string): number | null {
    const epochs = this.groups.get(group);
    return epochs === undefined ? null : epochs.length - 1;
  }

  /** Whether somebody has the key of an epoch: as a member, or down the ladder from a later one. */
  reaches(key: Key, group: string, epoch: number): boolean {
    const epochs = this.groups.get(group) ?? [];
    for (let at = epoch; at < epochs.length; at++) {
      if (at > epoch && epochs[at]?.ladder !== true) return false;
      if (epochs[at]?.members.has(key) === true) return true;
    }
    return false;
  }

  /** Standing keys of whom a condition holds, the newest of each. */
  keys(condition: (key: Key) => boolean = () => true): Key[] {
    return this.actors.flatMap(({ keys }) => keys.filter((key) => key.stands).slice(-1)).filter(condition);
  }
}

/** Whether somebody holds a role, or one of its kind for `NAME:`. */
export function holds({ roles }: Key, role: string): boolean {
  return roles.some((one) => (role.endsWith(':') ? one.startsWith(role) : one === role));
}

/** Whether a record is closed for its owner's death. */
export function isDead({ closed }: ModelRecord): boolean {
  return closed !== null && closed.death !== null;
}
