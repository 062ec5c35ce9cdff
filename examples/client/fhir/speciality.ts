/** The speciality of a consultation, read from its Encounter as a short name such as `urgent-care`. */

import type { JsonNode } from 'muniment/wire';
import { itemsOf, member, textOf } from './tree.ts';

// https://terminology.hl7.org/CodeSystem-v3-ActCode.html, EncounterCode
const BY_CLASS: ReadonlyMap<string, string> = new Map([
  ['EMER', 'urgent-care'],
  ['IMP', 'hospital'],
  ['ACUTE', 'hospital'],
  ['NONAC', 'hospital'],
  ['SS', 'hospital'],
  ['OBSENC', 'hospital'],
  ['VR', 'telemedicine'],
  ['HH', 'home-care'],
]);

const TELEMEDICINE = /\btele[- ]?(?:medi[cz]|health|consult)/i;

/** What the Encounter's serviceType says, else its class, else its type, else general practice. */
export function specialityOf(encounter: JsonNode): string {
  const service = namesOf(member(encounter, 'serviceType')).map(slug).find(Boolean);
  if (service !== undefined) return service;
  const ofClass = BY_CLASS.get(textOf(member(member(encounter, 'class'), 'code')) ?? '');
  if (ofClass !== undefined) return ofClass;
  const types = itemsOf(member(encounter, 'type')).flatMap(namesOf);
  return types.some((name) => TELEMEDICINE.test(name)) ? 'telemedicine' : 'general-practice';
}

/** The words of a CodeableConcept: the displays of its codings, then its text. */
function namesOf(concept: JsonNode | undefined): string[] {
  const displays = itemsOf(member(concept, 'coding')).map((coding) => textOf(member(coding, 'display')));
  return [...displays, textOf(member(concept, 'text'))].filter((name) => name !== undefined);
}

function slug(name: string): string {
  const plain = name.normalize('NFD').replace(/\p{Mark}/gu, '');
  const joined = plain.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return joined.replace(/^-/, '').slice(0, 40).replace(/-$/, '');
}
