/** A made-up patient in the shape of MediTrack's slides, for the demonstration. No person, place or number in it exists. */

/** The record as its authors would write it: first the patient with one consultation, then one document a visit. */
export function syntheticRecord(): { documents: string[]; specialities: string[] } {
  return { documents: [FIRST_VISIT, SECOND_VISIT, THIRD_VISIT], specialities: ['cardiology', 'dermatology'] };
}

// Written out as text, because a cost of 15.00 must keep its zeros.

const FIRST_VISIT = `{
  "patient": {
    "userId": "000004217",
    "name": "Núria Solé-Vidal",
    "sex": "Female",
    "dateOfBirth": "1987-11-03",
    "C.C.": "00417290 5 ZX1",
    "NIF": "200417295",
    "insuranceCompany": "Assegurança Far de Ponent",
    "address": "Carrer de l'Exemple, 27, 3r 2a",
    "phoneNumber": "900000417",
    "e-mail": "nuria@example.org",
    "emergencyPhoneNumber": "900000729",
    "bloodType": "B-",
    "knownAllergies": ["Penicillin", "Crème fraîche"],
    "knownIllnesses": ["Atrial fibrillation", "Atopic dermatitis"],
    "consultationRecords": [
      {
        "date": "2024-02-19",
        "medicalSpeciality": "cardiology",
        "doctorName": "Dr. Amadeu Brull",
        "practice": "Clínica del Passeig",
        "treatmentSummary": "Palpitations on exertion; ECG shows atrial fibrillation; bisoprolol 2.5 mg daily.",
        "treatmentCost": 15.00,
        "paymentDestination": "00000004170029"
      }
    ]
  }
}
`;

const SECOND_VISIT = `{
  "patient": {
    "userId": "000004217",
    "name": "Núria Solé-Vidal",
    "consultationRecords": [
      {
        "date": "2024-05-06",
        "medicalSpeciality": "dermatology",
        "doctorName": "Dr. Zoë Lindqvist",
        "practice": "Pell i Salut",
        "treatmentSummary": "Eczema of both forearms; hydrocortisone 1 % for 14 days, emollient twice daily.",
        "treatmentCost": 42.50,
        "paymentDestination": "00000004170058"
      }
    ]
  }
}
`;

const THIRD_VISIT = `{
  "patient": {
    "userId": "000004217",
    "name": "Núria Solé-Vidal",
    "consultationRecords": [
      {
        "date": "2024-09-30",
        "medicalSpeciality": "cardiology",
        "doctorName": "Dr. Amadeu Brull",
        "practice": "Clínica del Passeig",
        "treatmentSummary": "Sinus rhythm restored; resting pulse 64/min; bisoprolol continued, review in six months.",
        "treatmentCost": 15.00,
        "paymentDestination": "00000004170029"
      }
    ]
  }
}
`;
