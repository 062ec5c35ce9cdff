/** A bundle file as records: for each patient the background and, Encounter by Encounter, the consultations. */

import { writeJson } from 'muniment/wire';
import type { BundleEntry } from './bundle.ts';
import { parseBundle } from './bundle.ts';
import type { FhirDocument } from './document.ts';
import { backgroundDocuments, consultationDocument } from './document.ts';
import { entriesByPatient } from './patients.ts';
import { ReferenceIndex } from './references.ts';

/** What has to come back of one resource. */
export interface FhirSource {
  /** The index in `Bundle.entry`. */
  readonly position: number;
  /** The resource's JSON text as in the file, without white space between tokens. */
  readonly text: string;
}

/** What a bundle says about one patient. */
export interface FhirRecord {
  /** 0 for the bundle's first Patient, 1 for the second, … */
  readonly patientIndex: number;
  /** Background documents first, then the consultations in the order of their Encounters. */
  readonly documents: readonly FhirDocument[];
  /** Every resource of the record, in the order of the bundle. */
  readonly sources: readonly FhirSource[];
  /** How many entries of the whole bundle hold no resource and were left out. */
  readonly skipped: number;
}

/**
 * Reads a FHIR R4 Bundle in JSON.
 *
 * @param file - the file's bytes, at most 32 MiB
 * @returns one record for each Patient, in the order of the bundle; resources that several use are in each
 * @throws {@link FhirImportError} in one line that says why
 */
export function readBundle(file: Uint8Array): FhirRecord[] {
  const { entries, skipped } = parseBundle(file);
  const index = new ReferenceIndex(entries);
  return Array.from(entriesByPatient(entries, index).values(), (own, patientIndex) => ({
    patientIndex,
    documents: documentsOf(own, index),
    sources: own.map(({ position, resource }) => ({ position, text: writeJson(resource) })),
    skipped,
  }));
}

function documentsOf(entries: readonly BundleEntry[], index: ReferenceIndex): FhirDocument[] {
  const background: BundleEntry[] = [];
  const consultations = new Map<BundleEntry, BundleEntry[]>();
  for (const entry of entries) if (entry.type === 'Encounter') consultations.set(entry, []);
  for (const entry of entries) {
    const candidates = entry.type === 'Encounter' ? [entry] : index.targets(entry.resource, entry);
    const encounter = candidates.find((each) => consultations.has(each));
    (encounter === undefined ? background : consultations.get(encounter))?.push(entry);
  }
  return [
    ...backgroundDocuments(background),
    ...Array.from(consultations, ([encounter, own]) => consultationDocument(encounter, own)),
  ];
}
