/** Who reads which field: MediTrack's groups, BEHC's nine parts, and FHIR R4 sorted into those parts, with its labels. */

export { behcPolicy, PARTS } from './behc.ts';
export type { Part } from './behc.ts';
export { FINANCIAL_TYPES, fhirPolicy } from './fhir.ts';
export { meditrackPolicy } from './meditrack.ts';
export { RESTRICTED, SENSITIVITY, sensitivityRestrictions, VERY_RESTRICTED } from './sensitivity.ts';
