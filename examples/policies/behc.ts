/**
 * BEHC's nine parts of a clinical record as a policy, for documents `{ "speciality": "…", "<part>": … }`. The first
 * two parts belong to no speciality; the other seven are read by the one that the document names.
 */

import type { PolicyDefinition } from 'muniment/views';

/** The nine parts in BEHC's order; beside each its name in the thesis. */
export const PARTS = [
  'personalData', // dades personals
  'antecedents', // antecedents
  'anamnesis', // anamnesis de les consultes
  'physicalExaminations', // exploracions físiques
  'diagnosticOrientation', // orientació diagnòstica
  'treatments', // tractaments
  'clinicalCourse', // curs clínic
  'specialistDocuments', // documentació dels especialistes
  'annexes', // annexos
] as const;

/** One of the nine parts. */
export type Part = (typeof PARTS)[number];

const WITHOUT_SPECIALITY: readonly Part[] = ['personalData', 'antecedents'];

/** Who reads what a speciality wrote: it, and the emergency team. */
export const CLINICAL_READERS = [{ speciality: '/speciality' }, 'emergency'] as const;

const SPECIALISTS: Part = 'specialistDocuments';

/**
 * One compartment for each part. What lies in no part is sealed in an inbox of the patient's. Who writes only into the
 * specialists' part, where no other part must be touched, names its speciality there.
 */
export const behcPolicy: PolicyDefinition = {
  name: 'behc/2',
  rules: [
    // Kept with the anamnesis, which every consultation has, so that it makes no class of its own.
    { fields: ['/speciality'], readers: CLINICAL_READERS, compartment: 'anamnesis' },
    ...PARTS.map((part) => ({
      fields: [`/${part}/**`],
      readers: readersOf(part),
      compartment: part,
    })),
  ],
  otherwise: ['emergency'],
  otherwiseCompartment: 'inbox',
};

function readersOf(part: Part): PolicyDefinition['otherwise'] {
  if (WITHOUT_SPECIALITY.includes(part)) return ['emergency'];
  if (part !== SPECIALISTS) return CLINICAL_READERS;
  return [...CLINICAL_READERS, { speciality: `/${SPECIALISTS}/speciality` }];
}
