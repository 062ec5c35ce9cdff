/** The one error of the FHIR import. */

/** A file or document that cannot be imported: one line that says why, in fixed words and never in the file's own. */
export class FhirImportError extends Error {
  override readonly name = 'FhirImportError';
}
