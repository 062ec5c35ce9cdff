/**
 * Whose record a resource belongs to. Nothing is dropped: what names no patient goes with the resources it is about,
 * or else with those that use it, or else to the bundle's first patient.
 */

import type { BundleEntry } from './bundle.ts';
import type { ReferenceIndex } from './references.ts';
import { member } from './tree.ts';

/** Members that name the person whom a resource is about, in the order in which they are asked. */
const ABOUT = ['subject', 'patient', 'beneficiary', 'individual', 'for'];

/** For each patient the entries of their record, in the order of the bundle. */
export function entriesByPatient(
  entries: readonly BundleEntry[],
  index: ReferenceIndex,
): ReadonlyMap<BundleEntry, readonly BundleEntry[]> {
  const owned = ownedEntries(entries, index);
  const owners = withUsers(owned, index);
  const patients = entries.filter(isPatient);
  const records = new Map(patients.map((patient) => [patient, [] as BundleEntry[]]));
  for (const entry of entries) {
    for (const patient of owners.get(entry) ?? patients.slice(0, 1)) records.get(patient)?.push(entry);
  }
  return records;
}

/** Entries that name a patient, and those without that refer to such an entry: an Encounter with no subject of its own. */
function ownedEntries(
  entries: readonly BundleEntry[],
  index: ReferenceIndex,
): ReadonlyMap<BundleEntry, BundleEntry> {
  const named = new Map(entries.flatMap((entry) => pair(entry, namedPatient(entry, index))));
  const others = entries.filter((entry) => !named.has(entry));
  const about = others.flatMap((entry) => {
    const target = index.targets(entry.resource, entry).find((each) => named.has(each));
    return pair(entry, target && named.get(target));
  });
  return new Map([...named, ...about]);
}

function namedPatient(entry: BundleEntry, index: ReferenceIndex): BundleEntry | undefined {
  if (isPatient(entry)) return entry;
  const members = ABOUT.map((name) => member(entry.resource, name));
  return [...members, entry.resource].flatMap((node) => index.targets(node, entry)).find(isPatient);
}

/** Adds what has no patient of its own (Organization, Practitioner, …) to every patient whose resources use it. */
function withUsers(
  owned: ReadonlyMap<BundleEntry, BundleEntry>,
  index: ReferenceIndex,
): ReadonlyMap<BundleEntry, ReadonlySet<BundleEntry>> {
  const owners = new Map<BundleEntry, Set<BundleEntry>>();
  const waiting = [...owned];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [entry, patient] = next;
    const known = owners.get(entry) ?? new Set();
    if (known.has(patient)) continue;
    owners.set(entry, known.add(patient));
    for (const target of index.targets(entry.resource, entry)) {
      if (!owned.has(target)) waiting.push([target, patient]);
    }
  }
  return owners;
}

function isPatient(entry: BundleEntry): boolean {
  return entry.type === 'Patient';
}

function pair(entry: BundleEntry, patient: BundleEntry | undefined): [BundleEntry, BundleEntry][] {
  return patient === undefined ? [] : [[entry, patient]];
}
