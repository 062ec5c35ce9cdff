/**
 * Security labels of FHIR R4 resources as restrictions, after HL7's Data Segmentation for Privacy (DS4P,
 * https://hl7.org/fhir/uv/security-label-ds4p/STU1/): what a resource says in `meta.security` of its own sensitivity
 * takes readers from it and puts it into a compartment that no ordinary grant hands over.
 *
 * Codes are looked at without their system, so that a code whose system is missing or misspelt restricts too; a code of
 * another system that happens to read the same restricts where it need not. A label below the resource (a bundle or
 * parameters inside it) restricts the whole, which is DS4P's high water mark. Labels of a file's outermost Bundle are
 * not taken over by the import. Codes of purposes, obligations and refrain policies restrict nothing here.
 */

import type { PolicyRestriction } from 'muniment/views';
import { CLINICAL_READERS } from './behc.ts';

/** Confidentiality `restricted`. https://terminology.hl7.org/CodeSystem-v3-Confidentiality.html */
export const RESTRICTED = 'R';
/** Confidentiality `very restricted`, of the same system. */
export const VERY_RESTRICTED = 'V';

/**
 * Information sensitivity of https://terminology.hl7.org/CodeSystem-v3-ActCode.html (_ActInformationSensitivityPolicy,
 * with SICKLE, which older data has for SCA), sorted by who beside an emergency team has to know.
 */
export const SENSITIVITY = {
  /** Behavioural health: BH and the concepts below it, but for psychotherapy notes and substance use. */
  mental: ['BH', 'COGN', 'DVD', 'EMOTDIS', 'MH', 'PSY'],
  /** Alcohol and drugs. */
  substances: ['ETH', 'ETHUD', 'OPIOIDUD', 'SUD'],
  /** Sexual health, and what was done to somebody. */
  sexual: ['HIV', 'MST', 'SDV', 'SEX', 'STD', 'VIO'],
  /** Inherited diseases. */
  genetic: ['GDIS', 'SCA', 'SICKLE'],
  /** Protected by law or by the patient's wish, without saying why; identifiers. */
  special: ['IDS', 'SPI', 'TBOO'],
  /** Notes of a psychotherapist. */
  therapy: ['PSYTHPN'],
} as const;

/** Some element bears a label of its own (DS4P's inline labels); which one is not looked for, so the whole counts. */
const INLINE = 'PROCESSINLINELABEL';

const LABELS = [
  '/**/meta/security/*/code',
  '/entry/resource/confidentiality', // a Composition's
  '/entry/resource/securityLabel/*/coding/*/code', // a DocumentReference's, of the document that it refers to
];

function restriction(
  values: readonly string[],
  readers: PolicyRestriction['readers'],
  compartment: string,
): PolicyRestriction {
  // An item: the bundle entry with its resource, and the keys of what was cut out of it as annexes.
  return { within: '/*/*/*', labels: LABELS, values, readers, compartment };
}

/** The most sensitive last, because the last one that applies gives the compartment. */
export const sensitivityRestrictions: readonly PolicyRestriction[] = [
  // Whoever treats, and no insurer.
  restriction([RESTRICTED, ...SENSITIVITY.genetic, ...SENSITIVITY.sexual], CLINICAL_READERS, 'restricted'),
  restriction(
    SENSITIVITY.mental,
    ['speciality:psychiatry', 'speciality:psychology', 'emergency'],
    'restricted',
  ),
  restriction(
    SENSITIVITY.substances,
    ['speciality:psychiatry', 'speciality:addiction', 'emergency'],
    'restricted',
  ),
  restriction(SENSITIVITY.special, ['emergency'], 'restricted'),
  // The patient, whoever the patient grants this compartment to, and emergencies, which are never unseen.
  restriction([VERY_RESTRICTED, INLINE, ...SENSITIVITY.therapy], ['emergency'], 'veryRestricted'),
];
