/** Who reads which field: MediTrack's groups, BEHC's nine parts, and FHIR R4 sorted into those parts. */

export { behcPolicy, PARTS } from './behc.ts';
export type { Part } from './behc.ts';
export { FINANCIAL_TYPES, fhirPolicy } from './fhir.ts';
export { meditrackPolicy } from './meditrack.ts';
