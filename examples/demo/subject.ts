/** What a demo is played on: the synthetic record, or one patient of a FHIR bundle. */

import { INBOX } from 'muniment/keys';
import { readJson, writeJson } from 'muniment/wire';
import { decodeAnnex, definePolicy, openAnnex, type DocumentNames, type Policy } from 'muniment/views';
import { restoreDocument, type FhirRecord } from '../client/fhir.ts';
import type { OpenedDocument } from '../client/reading.ts';
import type { Draft } from '../client/writing.ts';
import { fhirPolicy, meditrackPolicy } from '../policies/index.ts';
import { syntheticRecord } from './patient.ts';

/** Fetches an annex's ciphertext by its root. */
export type FetchAnnex = (root: Uint8Array) => ReadableStream<Uint8Array>;

/** A record to play the demo on. */
export interface Subject {
  readonly label: string;
  readonly policy: Policy;
  readonly compartments: readonly string[];
  /** The specialities of the two doctors. */
  readonly specialities: readonly [string, string];
  readonly drafts: readonly Draft[];
  /** The compartment that the patient would rather grant, if anything is in it. */
  readonly preferredGrant: string;
  /** How many originals must come back. */
  readonly originals: number;
  /** How many originals these opened documents give back exactly; throws if one differs. */
  restore(documents: readonly OpenedDocument[], fetchAnnex: FetchAnnex): Promise<number>;
}

/** The synthetic record in the shape of MediTrack's slides. */
export function syntheticSubject(): Subject {
  const { documents, specialities } = syntheticRecord();
  const expected = new Set(documents.map((text) => writeJson(readJson(text))));
  return {
    label: 'a synthetic record',
    policy: definePolicy(meditrackPolicy),
    compartments: ['personal', 'urgent', 'medical', 'financial'],
    specialities: pair(specialities),
    drafts: documents.map((text) => ({ type: 'record', annexes: [], toJson: () => text })),
    preferredGrant: 'urgent',
    originals: documents.length,
    restore: (opened) => {
      for (const { view } of opened) {
        if (!expected.delete(view.text)) throw new Error('a document came back different');
      }
      return Promise.resolve(opened.length);
    },
  };
}

/** One patient of a FHIR bundle. */
export function fhirSubject(record: FhirRecord, label: string): Subject {
  const policy = definePolicy(fhirPolicy);
  const expected = new Map(record.sources.map(({ position, text }) => [position, text]));
  return {
    label,
    policy,
    compartments: policy.compartments.filter((name) => name !== INBOX),
    specialities: pair(bySize(record.documents.flatMap(({ speciality }) => speciality ?? []))),
    drafts: record.documents,
    preferredGrant: 'treatments',
    originals: record.sources.length,
    restore: async (opened, fetchAnnex) => {
      let restored = 0;
      for (const { entry, view } of opened) {
        const names = { recordId: entry.entry.recordId, docId: view.docId };
        for (const item of restoreDocument(view.text)) {
          const annexes: Uint8Array[] = [];
          for (const { descriptor } of item.annexes) {
            annexes.push(await readAnnex(descriptor, names, fetchAnnex));
          }
          if (item.resource(annexes) !== expected.get(item.position))
            throw new Error('a resource came back different');
          expected.delete(item.position);
          restored++;
        }
      }
      return restored;
    },
  };
}

/** The smallest possible record of the same kind: what a server writes for any patient. */
export function controlSubject(subject: Subject): Subject {
  return {
    ...subject,
    label: 'a control record',
    drafts: [{ type: 'consultation', annexes: [], toJson: () => '{"nothing":true}' }],
    originals: 0,
    restore: () => Promise.resolve(0),
  };
}

async function readAnnex(
  descriptor: string,
  names: DocumentNames,
  fetchAnnex: FetchAnnex,
): Promise<Uint8Array> {
  const annex = decodeAnnex(descriptor);
  const plaintext = openAnnex(fetchAnnex(annex.root), annex, names);
  return new Uint8Array(await new Response(plaintext).arrayBuffer());
}

// The two specialities with the most consultations; where there are fewer, ones that nobody here has consulted.
function bySize(values: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).map(([value]) => value);
}

function pair(values: readonly string[]): [string, string] {
  const spare = ['cardiology', 'dermatology'].filter((name) => !values.includes(name));
  const [first = '', second = ''] = [...values, ...spare];
  return [first, second];
}
