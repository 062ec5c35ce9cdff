/** Random documents under the three example policies, and records' parts. Every value stands once, so that none can stand for another. */

import type { PolicyDefinition } from 'muniment/views';
import { behcPolicy, fhirPolicy, meditrackPolicy, PARTS } from '../../../examples/policies/index.ts';
import type { Random } from '../../faults/random.ts';
import type { Json } from './policy.ts';

/** A document before it is sealed. */
export interface Drafted {
  readonly policy: PolicyDefinition;
  readonly json: Json;
}

/** Specialities that have a group, and one that has none. */
export const SPECIALITIES = ['cardiology', 'nursing', 'psychiatry', 'physiotherapy', 'dermatology'] as const;

const COMPARTMENTS = [...PARTS, 'personal', 'urgent', 'medical', 'financial', 'restricted', 'veryRestricted'];
const LABELS = ['N', 'R', 'V', 'PSY', 'ETH', 'SPI', 'HIV', 'other'];

/** The parts that a patient publishes: most of those that the policies name. */
export function someParts(random: Random): string[] {
  return COMPARTMENTS.filter((name) => name === 'specialistDocuments' || random.next() < 0.8);
}

/** Draws documents. */
export class Drafts {
  readonly #random: Random;
  #values = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Any document. */
  any(): Drafted {
    const random = this.#random;
    return random.of([() => this.#behc(), () => this.#meditrack(), () => this.#fhir()])();
  }

  /** One that lies in the specialists' part alone, if that is published. */
  ofSpecialists(): Drafted {
    const speciality = this.#random.of(SPECIALITIES);
    return {
      policy: behcPolicy,
      json: { specialistDocuments: { speciality, note: this.#value(), more: this.#list() } },
    };
  }

  #behc(): Drafted {
    const random = this.#random;
    const chosen = PARTS.filter(() => random.next() < 0.25);
    const parts = (chosen.length === 0 ? [random.of(PARTS)] : chosen).map((part) => {
      const own = part === 'specialistDocuments' ? { speciality: random.of(SPECIALITIES) } : {};
      return [part, { ...own, note: this.#value(), list: this.#list() }] as const;
    });
    const speciality = random.next() < 0.8 ? { speciality: random.of(SPECIALITIES) } : {};
    const other = random.next() < 0.2 ? { 'of no part': this.#value() } : {};
    return { policy: behcPolicy, json: { ...speciality, ...Object.fromEntries(parts), ...other } };
  }

  #meditrack(): Drafted {
    const random = this.#random;
    const visits = Array.from({ length: 1 + random.below(3) }, () => ({
      medicalSpeciality: random.of(SPECIALITIES),
      doctorName: this.#value(),
      date: this.#value(),
      treatmentSummary: this.#value(),
      treatmentCost: this.#value(),
    }));
    const patient = {
      ...{ name: this.#value(), 'C.C.': this.#value(), NIF: this.#value(), bloodType: this.#value() },
      ...{ knownAllergies: this.#list(), consultationRecords: visits },
      ...(random.next() < 0.3 && { 'a/b~c': this.#value() }),
    };
    return { policy: meditrackPolicy, json: { patient } };
  }

  #fhir(): Drafted {
    const random = this.#random;
    const item = (resourceType: string, content: Json): Json => {
      const security = random.next() < 0.6 ? { meta: { security: [{ code: random.of(LABELS) }] } } : {};
      const resource = { resourceType, id: this.#value(), ...security, ...(content as object) };
      return { position: this.#value(), entry: { resource } };
    };
    const claim = {
      total: { value: this.#value() },
      diagnosis: this.#list(),
      item: [{ net: this.#value(), note: this.#value() }],
    };
    const claims = Array.from({ length: 1 + random.below(2) }, () => item('Claim', claim));
    const treatments =
      random.next() < 0.6
        ? { treatments: { MedicationRequest: [item('MedicationRequest', { dose: this.#value() })] } }
        : {};
    return {
      policy: fhirPolicy,
      json: { speciality: random.of(SPECIALITIES), annexes: { Claim: claims }, ...treatments },
    };
  }

  #value(): Json {
    this.#values++;
    return this.#random.next() < 0.7 ? `value ${this.#values}` : this.#values + 0.5;
  }

  #list(): Json {
    return Array.from({ length: 1 + this.#random.below(3) }, () => this.#value());
  }
}
