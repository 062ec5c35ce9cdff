/** Which of BEHC's nine parts a FHIR R4 resource belongs to; types not listed here go to `other`. */

import type { Part } from '../../policies/behc.ts';
import { FINANCIAL_TYPES } from '../../policies/fhir.ts';
import type { BundleEntry } from './bundle.ts';
import { itemsOf, member, textOf } from './tree.ts';

/** A part, or the place for types that nobody has sorted yet. */
export type Section = Part | 'other';

const TYPES: Readonly<Record<Part, readonly string[]>> = {
  personalData: [
    ...['Patient', 'RelatedPerson', 'Person', 'Practitioner', 'PractitionerRole', 'Group'],
    ...['Organization', 'OrganizationAffiliation', 'Location', 'HealthcareService', 'Endpoint'],
  ],
  antecedents: [
    ...['AllergyIntolerance', 'FamilyMemberHistory', 'Flag'],
    ...['Immunization', 'ImmunizationEvaluation', 'ImmunizationRecommendation'],
  ],
  anamnesis: ['Encounter', 'Questionnaire', 'QuestionnaireResponse', 'Appointment', 'AppointmentResponse'],
  physicalExaminations: ['BodyStructure'],
  diagnosticOrientation: [
    ...['Condition', 'DiagnosticReport', 'MolecularSequence', 'Observation', 'RiskAssessment', 'Specimen'],
  ],
  treatments: [
    ...['Medication', 'MedicationAdministration', 'MedicationDispense', 'MedicationKnowledge'],
    ...['MedicationRequest', 'MedicationStatement', 'Substance', 'BiologicallyDerivedProduct'],
    ...['Procedure', 'CarePlan', 'CareTeam', 'ServiceRequest', 'RequestGroup', 'Task', 'NutritionOrder'],
    ...['Device', 'DeviceMetric', 'DeviceRequest', 'DeviceUseStatement', 'VisionPrescription'],
    ...['SupplyDelivery', 'SupplyRequest'],
  ],
  clinicalCourse: [
    ...['AdverseEvent', 'ClinicalImpression', 'DetectedIssue', 'EpisodeOfCare', 'Goal', 'GuidanceResponse'],
    ...['Communication', 'CommunicationRequest'],
  ],
  specialistDocuments: ['Composition', 'DocumentManifest', 'List'],
  annexes: [
    ...['AuditEvent', 'Binary', 'Consent', 'Contract', 'DocumentReference', 'ImagingStudy', 'Media'],
    ...['Provenance', ...FINANCIAL_TYPES],
  ],
};

const PART_OF_TYPE: ReadonlyMap<string, Part> = new Map(
  Object.entries(TYPES).flatMap(([part, types]) => types.map((type) => [type, part as Part] as const)),
);

const EXAMINATION = ['exam', 'vital-signs'];

/** Sorts a resource; `background` says that it belongs to no consultation. */
export function sectionOf(entry: BundleEntry, background: boolean): Section {
  if (entry.type === 'Condition' && background) return 'antecedents';
  if (entry.type === 'Observation' && isExamination(entry)) return 'physicalExaminations';
  return PART_OF_TYPE.get(entry.type) ?? 'other';
}

function isExamination({ resource }: BundleEntry): boolean {
  const codings = itemsOf(member(resource, 'category')).flatMap((each) => itemsOf(member(each, 'coding')));
  return codings.some((coding) => EXAMINATION.includes(textOf(member(coding, 'code')) ?? ''));
}
