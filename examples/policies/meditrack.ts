/**
 * MediTrack's field groups as a policy, for documents `{ "patient": { …, "consultationRecords": [ … ] } }` as on its
 * slides. The patient, as owner, reads everything; its emergency view holds every field, so emergency is named in
 * every sealed group.
 */

import type { PolicyDefinition } from 'muniment/views';

const consultation = (name: string): string => `/patient/consultationRecords/*/${name}`;

/** Five groups: public, personal, urgent, medical (by the consultation's own speciality) and financial. */
export const meditrackPolicy: PolicyDefinition = {
  name: 'meditrack/1',
  rules: [
    {
      fields: [
        '/patient/userId',
        '/patient/name',
        '/patient/sex',
        '/patient/dateOfBirth',
        '/patient/insuranceCompany',
        consultation('medicalSpeciality'),
        consultation('doctorName'),
      ],
      readers: 'public',
    },
    {
      fields: ['/patient/C.C.', '/patient/address', '/patient/phoneNumber', '/patient/e-mail'],
      readers: ['emergency'],
      compartment: 'personal',
    },
    {
      fields: [
        '/patient/emergencyPhoneNumber',
        '/patient/bloodType',
        '/patient/knownAllergies/**',
        '/patient/knownIllnesses/**',
      ],
      readers: ['emergency'],
      compartment: 'urgent',
    },
    {
      fields: [consultation('date'), consultation('practice'), consultation('treatmentSummary')],
      readers: [{ speciality: '../medicalSpeciality' }, 'emergency'],
      compartment: 'medical',
    },
    {
      fields: ['/patient/NIF', consultation('treatmentCost'), consultation('paymentDestination')],
      readers: ['insurer', 'emergency'],
      compartment: 'financial',
    },
  ],
  otherwise: ['emergency'],
  otherwiseCompartment: 'personal',
};
