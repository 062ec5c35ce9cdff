/**
 * FHIR R4 bundles in and out of sealed documents: a file becomes one record for each patient, each consultation one
 * document, and every resource comes back as it stood in the file, digit for digit. No validation against FHIR's own
 * schemas, no XML.
 */

export { readBundle } from './fhir/record.ts';
export type { FhirRecord, FhirSource } from './fhir/record.ts';
export type { FhirAnnex } from './fhir/annexes.ts';
export type { FhirDocument } from './fhir/document.ts';
export { FhirImportError } from './fhir/error.ts';
export { restoreDocument } from './fhir/restore.ts';
export type { RestoredAnnex, RestoredItem } from './fhir/restore.ts';
