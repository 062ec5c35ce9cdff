/**
 * The FHIR import of examples/client/fhir.ts and the policies of examples/policies: small bundles of our own for every
 * rule, then the corpus of Synthea bundles and HL7 examples wherever ../shared/corpora/fhir is.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { JsonNode } from 'muniment/wire';
import { readJson, utf8 } from 'muniment/wire';
import type { PolicyDefinition } from 'muniment/views';
import type { FhirDocument, FhirRecord, RestoredItem } from '../../examples/client/fhir.ts';
import { FhirImportError, readBundle, restoreDocument } from '../../examples/client/fhir.ts';
import { syntheticRecord } from '../../examples/demo/patient.ts';
import { behcPolicy, fhirPolicy, meditrackPolicy, PARTS } from '../../examples/policies/index.ts';

const PATIENT = { resourceType: 'Patient', id: 'p1', name: [{ family: 'Solé', given: ['Núria'] }] };
const OTHER_PATIENT = { resourceType: 'Patient', id: 'p2' };
const ENCOUNTER = {
  resourceType: 'Encounter',
  id: 'e1',
  class: { code: 'AMB' },
  subject: { reference: 'Patient/p1' },
};
const OF_P1 = { subject: { reference: 'Patient/p1' } };
const AT_E1 = { ...OF_P1, encounter: { reference: 'Encounter/e1' } };

describe('readBundle: which files it takes', () => {
  it('takes a bundle with one byte order mark, and no second one', () => {
    const file = utf8('\ufeff' + JSON.stringify({ resourceType: 'Bundle', entry: [{ resource: PATIENT }] }));
    expect(file.subarray(0, 3)).toEqual(Uint8Array.of(0xef, 0xbb, 0xbf));
    expect(readBundle(file)).toHaveLength(1);
    expect(refusal(new Uint8Array([0xef, 0xbb, 0xbf, ...file]))).toBe('not JSON');
  });

  it.each([
    ['', 'not JSON'],
    ['<Bundle xmlns="http://hl7.org/fhir"/>', 'not JSON'],
    ['{"resourceType":"Bundle","resourceType":"Bundle"}', 'not JSON'],
    ['[]', 'not a FHIR Bundle (there is no resourceType)'],
    ['{}', 'not a FHIR Bundle (there is no resourceType)'],
    ['{"resourceType":"Mallory wrote this"}', 'not a FHIR Bundle (resourceType is not Bundle)'],
    ['{"resourceType":{"a":1}}', 'not a FHIR Bundle (resourceType is not Bundle)'],
    ['{"resourceType":"Bundle"}', 'the bundle holds no Patient (it holds no resource at all)'],
    [
      '{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"x y"}}]}',
      'entry 0 of the bundle is not a FHIR resource',
    ],
    [
      '{"resourceType":"Bundle","entry":[{},{"resource":null}]}',
      'entry 1 of the bundle is not a FHIR resource',
    ],
    ['['.repeat(125) + ']'.repeat(125), 'larger or more deeply nested than an import may be'],
  ])('refuses %s', (text, message) => {
    expect(refusal(utf8(text))).toBe(message);
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(refusal(Uint8Array.of(0x22, 0xff, 0x22))).toBe('not JSON (not UTF-8)');
  });

  it('can read back a document made of the deepest bundle it takes', () => {
    const resource = (levels: number) =>
      `{"resourceType":"Goal","a":${'['.repeat(levels)}${']'.repeat(levels)},"subject":{"reference":"Patient/p1"}}`;
    const whole = (levels: number) =>
      utf8(
        `{"resourceType":"Bundle","entry":[{"resource":${JSON.stringify(PATIENT)}},{"resource":${resource(levels)}}]}`,
      );
    expect(refusal(whole(117))).toBe('larger or more deeply nested than an import may be');
    expect(resources(readBundle(whole(116))[0]).get(1)).toBe(resource(116));
  });

  it('says what a bundle without Patient holds', () => {
    const organization = { resourceType: 'Organization' };
    const message = refusal(bundle(organization, { resourceType: 'Practitioner' }, organization));
    expect(message).toBe('the bundle holds no Patient (only 2 Organization, 1 Practitioner)');
    const seven = 'ABCDEFG'.split('').map((resourceType) => ({ resourceType }));
    expect(refusal(bundle(...seven))).toBe(
      'the bundle holds no Patient (only 1 A, 1 B, 1 C, 1 D, 1 E and 2 other types)',
    );
  });

  it('skips and counts entries without a resource', () => {
    const [record] = readBundle(
      file({ request: { method: 'DELETE', url: 'Patient/9' } }, { resource: PATIENT }, {}, 'odd'),
    );
    expect(record?.skipped).toBe(3);
    expect(positions(record)).toEqual([1]);
  });
});

describe('readBundle: whose record a resource belongs to', () => {
  const twoPatients = [PATIENT, OTHER_PATIENT];

  it.each(['subject', 'patient', 'beneficiary', 'individual', 'for'])('follows %s', (name) => {
    const resource = { resourceType: 'Basic', a: OF_P1, [name]: { reference: 'Patient/p2' } };
    expect(readBundle(bundle(...twoPatients, resource)).map(positions)).toEqual([[0], [1, 2]]);
  });

  it('else the first Patient named anywhere', () => {
    const group = { resourceType: 'Group', member: [{ entity: { reference: 'Patient/p2' } }, OF_P1] };
    expect(readBundle(bundle(...twoPatients, group)).map(positions)).toEqual([[0], [1, 2]]);
  });

  it('else the patient of the resources it is about', () => {
    const encounter = { ...ENCOUNTER, subject: { reference: 'Patient/p2' } };
    const provenance = { resourceType: 'Provenance', target: [{ reference: 'Encounter/e1' }] };
    const [first, second] = readBundle(bundle(...twoPatients, encounter, provenance));
    expect(positions(first)).toEqual([0]);
    expect(second?.documents.map(({ type }) => type)).toEqual(['background', 'consultation']);
    expect(positionsOf(second?.documents[1])).toEqual([2, 3]);
  });

  it('else every patient whose resources use it, through what they use; else the first', () => {
    const entries = [
      { resourceType: 'Organization', id: 'hospital' },
      { resourceType: 'Practitioner', id: 'doctor' },
      {
        resourceType: 'PractitionerRole',
        id: 'role',
        practitioner: { reference: 'Practitioner/doctor' },
        organization: { reference: 'Organization/hospital' },
      },
      { resourceType: 'Medication', id: 'unused' },
      { ...PATIENT, managingOrganization: { reference: 'Organization/hospital' } },
      OTHER_PATIENT,
      {
        resourceType: 'Flag',
        subject: { reference: 'Patient/p2' },
        author: { reference: 'PractitionerRole/role' },
      },
    ];
    expect(readBundle(bundle(...entries)).map(positions)).toEqual([
      [0, 3, 4],
      [0, 1, 2, 5, 6],
    ]);
  });

  it('numbers the patients and keeps an unknown subject with the first', () => {
    const stray = { resourceType: 'Goal', subject: { reference: 'Patient/elsewhere' } };
    const records = readBundle(bundle(stray, ...twoPatients));
    expect(records.map(({ patientIndex }) => patientIndex)).toEqual([0, 1]);
    expect(records.map(positions)).toEqual([[0, 1], [2]]);
  });

  it('resolves urn:uuid, absolute, relative and versioned references', () => {
    const urn = 'urn:uuid:6f122869-a856-4d65-8db9-099bf4f5bbb8';
    const there = 'https://there.example/fhir/';
    const entries = [
      { fullUrl: urn, resource: { resourceType: 'Patient', id: 'a' } },
      { fullUrl: `${there}Patient/b`, resource: { resourceType: 'Patient', id: 'b' } },
    ];
    const references = [urn, 'Patient/a', 'Patient/a/_history/3', `${there}Patient/b`];
    references.push(`${there}Patient/b/_history/1`, 'Patient/b', 'https://elsewhere.example/Patient/b');
    const flags = references.map((reference) => ({
      resource: { resourceType: 'Flag', subject: { reference } },
    }));
    expect(readBundle(file(...entries, ...flags)).map(positions)).toEqual([
      [0, 2, 3, 4, 8],
      [1, 5, 6, 7],
    ]);
  });

  it('reads a relative reference on the server of its own entry', () => {
    const entries = ['a', 'b'].map((server) => ({
      fullUrl: `https://${server}/fhir/Patient/p2`,
      resource: OTHER_PATIENT,
    }));
    const flag = { resourceType: 'Flag', id: 'f', subject: { reference: 'Patient/p2' } };
    const ofB = { fullUrl: 'https://b/fhir/Flag/f', resource: flag };
    expect(readBundle(file(...entries, ofB)).map(positions)).toEqual([[0], [1, 2]]);
  });
});

describe('readBundle: consultations and background', () => {
  it('makes one document of each Encounter and what refers to it', () => {
    const second = { ...ENCOUNTER, id: 'e2', partOf: { reference: 'Encounter/e1' } };
    const claim = {
      resourceType: 'Claim',
      patient: { reference: 'Patient/p1' },
      item: [{ encounter: [{ reference: 'Encounter/e2' }, { reference: 'Encounter/e1' }] }],
    };
    const goal = { resourceType: 'Goal', ...OF_P1 };
    const [record] = readBundle(bundle(claim, PATIENT, ENCOUNTER, second, condition(AT_E1), goal));
    expect(record?.documents.map(({ type }) => type)).toEqual(['background', 'consultation', 'consultation']);
    expect(record?.documents.map(positionsOf)).toEqual([
      [1, 5],
      [2, 4],
      [0, 3],
    ]);
  });

  it("keeps a resource out of another patient's consultation", () => {
    const astray = condition({ ...AT_E1, subject: { reference: 'Patient/p2' } });
    const [, second] = readBundle(bundle(PATIENT, OTHER_PATIENT, ENCOUNTER, astray));
    expect(second?.documents.map(({ type }) => type)).toEqual(['background']);
    expect(positions(second)).toEqual([1, 3]);
  });

  it('splits the background so that no document passes 512 KiB', () => {
    const note = (length: number) => ({ resourceType: 'Goal', ...OF_P1, note: 'é'.repeat(length / 2) });
    const large = Array.from({ length: 9 }, () => note(100_000));
    const [record] = readBundle(bundle(PATIENT, ...large, note(600_000), condition(OF_P1)));
    expect(record?.documents.map(positionsOf)).toEqual([[0, 1, 2, 3, 4, 5], [6, 7, 8, 9], [10], [11]]);
    const sizes = record?.documents.map((document) => utf8(document.toJson([])).length) ?? [];
    expect(sizes.map((size) => size <= 512 * 1024)).toEqual([true, true, false, true]);
  });
});

describe('readBundle: the nine parts', () => {
  it.each([
    ['personalData', { resourceType: 'RelatedPerson' }],
    ['antecedents', { resourceType: 'AllergyIntolerance' }],
    ['antecedents', { resourceType: 'Immunization' }],
    ['anamnesis', { resourceType: 'QuestionnaireResponse' }],
    ['physicalExaminations', observation('vital-signs')],
    ['physicalExaminations', observation('exam')],
    ['diagnosticOrientation', observation('laboratory')],
    ['diagnosticOrientation', { resourceType: 'Observation' }],
    ['diagnosticOrientation', { resourceType: 'Condition' }],
    ['treatments', { resourceType: 'MedicationRequest' }],
    ['clinicalCourse', { resourceType: 'ClinicalImpression' }],
    ['specialistDocuments', { resourceType: 'Composition' }],
    ['annexes', { resourceType: 'ExplanationOfBenefit' }],
    ['other', { resourceType: 'StructureDefinition' }],
    ['other', { resourceType: 'Unheard' }],
  ])('puts into %s %j', (part, resource) => {
    const [, consultation] =
      readBundle(bundle(PATIENT, ENCOUNTER, { ...resource, ...AT_E1 }))[0]?.documents ?? [];
    const value = JSON.parse(consultation?.toJson([]) ?? '') as Record<string, Record<string, unknown[]>>;
    expect(value[part]?.[resource.resourceType]).toHaveLength(1);
    expect(Object.keys(value).filter((name) => !['speciality', 'anamnesis', part].includes(name))).toEqual(
      [],
    );
  });

  it('puts a Condition of no Encounter into antecedents', () => {
    const [background] = readBundle(bundle(PATIENT, condition(OF_P1)))[0]?.documents ?? [];
    expect(background?.toJson([])).toBe(
      `{"speciality":null,"personalData":{"Patient":[{"position":0,"entry":{"resource":${JSON.stringify(PATIENT)}}}]},` +
        `"antecedents":{"Condition":[{"position":1,"entry":{"resource":${JSON.stringify(condition(OF_P1))}}}]}}`,
    );
  });

  it('keeps the whole entry and orders parts and types', () => {
    const [record] = readBundle(
      file(
        { resource: { resourceType: 'Goal', ...OF_P1 } },
        { resource: { resourceType: 'Organization' }, request: { method: 'POST' }, fullUrl: 'urn:uuid:1' },
        { resource: PATIENT, x: 1 },
        { resource: { resourceType: 'Organization' } },
      ),
    );
    const value = JSON.parse(record?.documents[0]?.toJson([]) ?? '') as Record<string, object>;
    expect(Object.keys(value)).toEqual(['speciality', 'personalData', 'clinicalCourse']);
    expect(Object.keys(value['personalData'] ?? {})).toEqual(['Organization', 'Patient']);
    expect(value['personalData']).toMatchObject({
      Organization: [
        { position: 1, entry: { request: { method: 'POST' }, fullUrl: 'urn:uuid:1' } },
        { position: 3 },
      ],
      Patient: [{ position: 2, entry: { x: 1 } }],
    });
  });
});

describe('readBundle: the speciality', () => {
  const typed = (text: string, code = 'AMB') => ({ class: { code }, type: [{ text }] });
  it.each<[string, object]>([
    ['cardiology', { serviceType: { coding: [{ display: 'Cardiology' }], text: 'Heart' } }],
    ['orthopadie-unfallchirurgie', { serviceType: { text: ' Orthopädie & Unfallchirurgie!' } }],
    ['urgent-care', { serviceType: { text: '—' }, class: { code: 'EMER' } }],
    ['a'.repeat(39), { serviceType: { text: `${'a'.repeat(39)} and more` } }],
    ...['IMP', 'ACUTE', 'NONAC', 'SS', 'OBSENC'].map(
      (code) => ['hospital', { class: { code } }] as [string, object],
    ),
    ['telemedicine', { class: { code: 'VR' } }],
    ['telemedicine', typed('Telemedicine consultation with patient')],
    ['telemedicine', { type: [{ coding: [{ display: 'Tele-health visit' }] }] }],
    ['urgent-care', typed('Telemedicine', 'EMER')],
    ['home-care', { class: { code: 'HH' } }],
    ['general-practice', typed('Encounter for symptom')],
    ['general-practice', { class: 7 }],
  ])('is %s for %j', (speciality, members) => {
    const [record] = readBundle(bundle(PATIENT, { ...ENCOUNTER, class: undefined, ...members }));
    const consultation = record?.documents[1];
    expect(consultation?.speciality).toBe(speciality);
    expect(consultation?.toJson([])).toContain(`{"speciality":"${speciality}",`);
    expect(record?.documents[0]?.speciality).toBeNull();
  });
});

describe('annexes', () => {
  const cut = (resource: object) => {
    const [record] = readBundle(bundle(PATIENT, { ...resource, ...OF_P1 }));
    const document = record?.documents[0];
    return { document, items: restore(document), sources: record?.sources ?? [] };
  };

  it('takes the bytes out of Binary, Media and each attachment of a DocumentReference', () => {
    const attachment = (data?: string) => ({
      attachment: { contentType: 'text/plain; charset=utf-8', data },
    });
    const contents = [attachment('aGk='), attachment(), attachment('aG8=')];
    const binary = cut({ resourceType: 'Binary', contentType: 'application/pdf', data: '+/8=' });
    const media = cut({ resourceType: 'Media', content: { contentType: '<script>', data: 'AA==' } });
    const reference = cut({ resourceType: 'DocumentReference', content: contents });
    expect(binary.document?.annexes).toEqual([
      { mediaType: 'application/pdf', bytes: Uint8Array.of(0xfb, 0xff) },
    ]);
    expect(media.document?.annexes).toEqual([
      { mediaType: 'application/octet-stream', bytes: Uint8Array.of(0) },
    ]);
    expect(reference.document?.annexes).toEqual([
      { mediaType: 'text/plain', bytes: utf8('hi') },
      { mediaType: 'text/plain', bytes: utf8('ho') },
    ]);
    expect(pointers(binary.items)).toEqual(['/resource/data base64']);
    expect(pointers(media.items)).toEqual(['/resource/content/data base64']);
    expect(pointers(reference.items)).toEqual([
      '/resource/content/0/attachment/data base64',
      '/resource/content/2/attachment/data base64',
    ]);
    for (const each of [binary, media, reference]) expectRestored(each);
    expect(binary.document?.toJson(['{"k":1}'])).toContain(
      '"data":null,"subject":{"reference":"Patient/p1"}}},"annexes":[{"pointer":"/resource/data","encoding":"base64","annex":{"k":1}}]',
    );
  });

  it.each([
    ['line breaks', '"aGk=\\r\\naG8="', 'aGk=\\r\\naG8='],
    ['spaces', '"aGk= aG8="', 'aGk= aG8='],
    ['an escaped slash', '"\\/\\/8="', '\\/\\/8='],
    ['an escaped letter', '"\\u0061Gk="', '\\u0061Gk='],
    ['missing padding', '"aGk"', 'aGk'],
    ['unused bits', '"aGl="', 'aGl='],
    ['non-ASCII', '"é"', 'é'],
  ])('keeps base64 with %s as text', (_, spelling, text) => {
    const binary = `{"resourceType":"Binary","contentType":"image/png","data":${spelling}}`;
    const whole = `{"resourceType":"Bundle","entry":[{"resource":${JSON.stringify(PATIENT)}},{"resource":${binary}}]}`;
    const [record] = readBundle(utf8(whole));
    expect(record?.documents[0]?.annexes).toEqual([{ mediaType: 'text/plain', bytes: utf8(text) }]);
    expect(resources(record).get(1)).toBe(binary);
  });

  it('takes a whole ImagingStudy', () => {
    const study = { resourceType: 'ImagingStudy', series: [{ uid: '1.2.3' }] };
    const { document, items, sources } = cut(study);
    expect(document?.annexes).toEqual([
      { mediaType: 'application/fhir+json', bytes: utf8(JSON.stringify({ ...study, ...OF_P1 })) },
    ]);
    expect(document?.toJson(['{"k":1}'])).toContain('"entry":{"resource":null}');
    expect(pointers(items)).toEqual(['/resource json']);
    expectRestored({ document, items, sources });
  });

  it.each([
    { resourceType: 'Binary' },
    { resourceType: 'Binary', data: '' },
    { resourceType: 'Binary', data: 5 },
    { resourceType: 'Media', content: [] },
    { resourceType: 'DocumentReference', content: { attachment: { data: 'AA==' } } },
    { resourceType: 'Observation', data: 'AA==' },
  ])('leaves %j alone', (resource) => {
    const each = cut(resource);
    expect(each.document?.annexes).toEqual([]);
    expectRestored(each);
  });

  it('gives the n-th descriptor to the n-th annex, spelled as it is', () => {
    const media = { resourceType: 'Media', content: { data: 'AA==' }, ...OF_P1 };
    const binary = { resourceType: 'Binary', data: 'AQ==', ...OF_P1 };
    const [record] = readBundle(bundle(media, binary, PATIENT, { ...media, content: { data: 'Ag==' } }));
    const document = record?.documents[0];
    expect(document?.annexes.map(({ bytes }) => bytes[0])).toEqual([0, 2, 1]);
    const items = restoreDocument(document?.toJson(['{"n": 1.0}', '{"n":2e0}', '{"n":"\\u0033"}']) ?? '');
    const descriptors = items.flatMap(({ annexes }) => annexes.map(({ descriptor }) => descriptor));
    expect(items.map(({ position }) => position)).toEqual([2, 0, 3, 1]);
    expect(descriptors).toEqual(['{"n":1.0}', '{"n":2e0}', '{"n":"\\u0033"}']);
  });

  it('refuses descriptors and bytes that do not match in number or kind', () => {
    const { document, items } = cut({ resourceType: 'Binary', data: 'AA==' });
    expect(() => document?.toJson([])).toThrow(RangeError);
    expect(() => document?.toJson(['5'])).toThrow(TypeError);
    expect(() => items.at(-1)?.resource([])).toThrow(RangeError);
  });
});

describe('restoreDocument', () => {
  const item = (rest: string) => `{"speciality":null,"annexes":{"Media":[${rest}]}}`;
  const annexed = (annex: string) =>
    item(`{"position":0,"entry":{"resource":{"a":null,"b":1}},"annexes":[${annex}]}`);

  it('gives every spelling back', () => {
    const text =
      '{ "resourceType" : "Observation", "id":"o", "subject":{"reference":"Patient/p1"},\n\t' +
      '"valueQuantity":{"value":1.00}, "low": -0.0,"tiny":1.000000000000000000E-245, "big":12345678901234567890,' +
      '"z":"\\u00e9 é \\/ \\ud83d\\ude00 😀","\\u0061":{ }, "list" : [ ] }';
    const whole = `{"entry":[{"resource":${text}},{"resource":${JSON.stringify(PATIENT)}}],"resourceType":"Bundle"}`;
    const [record] = readBundle(utf8(whole));
    expect(resources(record).get(0)).toBe(minified(text));
    expect(record?.sources[0]).toEqual({ position: 0, text: minified(text) });
  });

  it.each([
    '5',
    '{"annexes":5}',
    item('{}'),
    item('{"position":0}'),
    item('{"position":-1,"entry":{}}'),
    item('{"position":"0","entry":{}}'),
    annexed('{}'),
    annexed('{"pointer":"/resource/a","encoding":"rot13","annex":{}}'),
    annexed('{"pointer":"/resource/a","encoding":"base64"}'),
  ])('refuses %s', (text) => {
    expect(() => restoreDocument(text)).toThrow(FhirImportError);
  });

  it.each(['/resource/b', '/resource/c', '/resource', '', 'resource/a', '/resource/a/0'])(
    'fills no place but the hole of an annex: %s',
    (pointer) => {
      const [restored] = restoreDocument(annexed(`{"pointer":"${pointer}","encoding":"base64","annex":{}}`));
      expect(() => restored?.resource([utf8('x')])).toThrow(FhirImportError);
    },
  );

  it('takes no text that would end its string', () => {
    const [restored] = restoreDocument(annexed('{"pointer":"/resource/a","encoding":"text","annex":{}}'));
    expect(restored?.resource([utf8('x')])).toBe('{"a":"x","b":1}');
    expect(() => restored?.resource([utf8('x","b":"y')])).toThrow('WIRE_JSON');
  });
});

describe('policies', () => {
  it('sorts MediTrack fields into its groups', () => {
    const { documents, specialities } = syntheticRecord();
    expect(documents).toHaveLength(3);
    expect(documents.join('')).toContain('"treatmentCost": 15.00');
    const classes = documents.map((text) => classesOf(meditrackPolicy, text));
    expect(classes.flatMap((each) => [...each.keys()]).filter((key) => key.includes('speciality:'))).toEqual(
      ['cardiology', 'dermatology', 'cardiology'].map((name) => `emergency,speciality:${name} medical`),
    );
    expect([...new Set(specialities)]).toEqual(['cardiology', 'dermatology']);
    expect(
      Object.fromEntries([...(classes[0] ?? [])].map(([key, fields]) => [key, fields.map(lastName)])),
    ).toEqual({
      public: [
        ...['userId', 'name', 'sex', 'dateOfBirth', 'insuranceCompany', 'medicalSpeciality', 'doctorName'],
      ],
      'emergency personal': ['C.C.', 'address', 'phoneNumber', 'e-mail'],
      'emergency,insurer financial': ['NIF', 'treatmentCost', 'paymentDestination'],
      'emergency urgent': [
        ...['emergencyPhoneNumber', 'bloodType', 'knownAllergies', 'knownAllergies'],
        ...['knownIllnesses', 'knownIllnesses'],
      ],
      'emergency,speciality:cardiology medical': ['date', 'practice', 'treatmentSummary'],
    });
  });

  it('keeps BEHC parts apart, and seals the unknown for the owner and emergencies', () => {
    const parts = Object.fromEntries(PARTS.map((part) => [part, { note: 'x' }]));
    const classes = classesOf(behcPolicy, JSON.stringify({ speciality: 'cardiology', ...parts, stray: 1 }));
    expect(PARTS).toHaveLength(9);
    expect([...classes.keys()].sort()).toEqual(
      [
        'emergency inbox',
        ...PARTS.slice(0, 2).map((part) => `emergency ${part}`),
        ...PARTS.slice(2).map((part) => `emergency,speciality:cardiology ${part}`),
      ].sort(),
    );
    expect(classes.get('emergency,speciality:cardiology anamnesis')).toEqual([
      '/speciality',
      '/anamnesis/note',
    ]);
  });

  it('shows an insurer the money of a claim and nothing clinical', () => {
    const claim = {
      resourceType: 'ExplanationOfBenefit',
      id: 'x',
      identifier: [{ value: '1' }],
      type: { coding: [{ code: 'institutional' }] },
      contained: [{ resourceType: 'ServiceRequest', id: 'y', total: 1 }],
      patient: { reference: 'Patient/p1' },
      insurer: { display: 'z' },
      careTeam: [{ sequence: 1 }],
      diagnosis: [{ sequence: 1, type: 'secret' }],
      supportingInfo: [{ valueString: 'secret' }],
      insurance: [{ focal: true, item: [{ productOrService: 'secret' }], coverage: { reference: '#c' } }],
      item: [
        {
          encounter: [{ reference: 'Encounter/e1' }],
          productOrService: { text: 'secret' },
          net: { value: 1 },
          detail: [{ unitPrice: { value: 1 }, modifier: 'secret' }],
          adjudication: [{ amount: { value: 1 } }],
        },
      ],
      total: [{ amount: { value: 1 } }],
      payment: { amount: { value: 1 } },
    };
    const lookalike = { resourceType: 'Media', ...AT_E1, type: 'secret', total: 1, id: 'secret' };
    const [record] = readBundle(bundle(PATIENT, ENCOUNTER, claim, lookalike));
    const classes = classesOf(fhirPolicy, record?.documents[1]?.toJson([]) ?? '');
    const seen = classes.get('emergency,insurer financial') ?? [];
    expect(seen.map((path) => path.replace('/annexes/ExplanationOfBenefit/0/entry/resource/', ''))).toEqual([
      ...['resourceType', 'id', 'identifier/0/value', 'type/coding/0/code', 'insurer/display'],
      ...['insurance/0/focal', 'insurance/0/coverage/reference'],
      ...['item/0/net/value', 'item/0/detail/0/unitPrice/value', 'item/0/adjudication/0/amount/value'],
      ...['total/0/amount/value', 'payment/amount/value'],
    ]);
    expect([...classes.keys()].every((key) => key !== 'public')).toBe(true);
  });

  it('seals unknown types in the inbox, and makes eleven classes at the most', () => {
    const types = [
      'Flag',
      'Person',
      'BodyStructure',
      'Condition',
      'Task',
      'Goal',
      'List',
      'Media',
      'Unheard',
    ];
    const entries = types.map((resourceType) => ({ resourceType, ...AT_E1 }));
    const account = { resourceType: 'Account', id: 'a', ...AT_E1 };
    const [record] = readBundle(bundle(PATIENT, ENCOUNTER, ...entries, account));
    const classes = classesOf(fhirPolicy, record?.documents[1]?.toJson([]) ?? '');
    expect(classes.size).toBe(11);
    expect(classes.get('emergency inbox')?.[0]).toBe('/other/Unheard/0/position');
    expect(classes.get('emergency,speciality:general-practice anamnesis')?.[0]).toBe('/speciality');
    const background = classesOf(fhirPolicy, record?.documents[0]?.toJson([]) ?? '');
    expect([...background.keys()].sort()).toEqual(['emergency anamnesis', 'emergency personalData']);
  });
});

const CORPUS = fileURLToPath(new URL('../../../shared/corpora/fhir/', import.meta.url));
const required = Boolean(process.env['MUNIMENT_REQUIRE_CORPORA']);

describe.runIf(existsSync(CORPUS) || required)('the corpus', () => {
  const filesIn = (folder: string) =>
    readdirSync(CORPUS + folder)
      .filter((name) => name.endsWith('.json'))
      .map((name) => ({ name, bytes: new Uint8Array(readFileSync(`${CORPUS}${folder}/${name}`)) }));

  it('restores every resource of the five Synthea patients', () => {
    const counts = { patients: 0, resources: 0, documents: 0, annexes: 0, classes: 0 };
    for (const { name, bytes } of filesIn('synthea-r4').filter(
      (each) => !each.name.includes('Information'),
    )) {
      const [record, ...more] = readBundle(bytes);
      expect(more, name).toEqual([]);
      const text = new TextDecoder().decode(bytes);
      const { entry } = JSON.parse(text) as { entry: { resource: unknown }[] };
      const restored = resources(record);
      expect([...restored.keys()], name).toEqual(entry.map((_, position) => position));
      const minifiedFile = minified(text);
      let at = 0;
      for (const [position, resource] of restored) {
        at = minifiedFile.indexOf(`"resource":${resource}`, at);
        if (at < 0) expect.fail(`${name}: entry ${position} is not as it stood`);
        expect(JSON.parse(resource)).toEqual(entry[position]?.resource);
      }
      counts.patients++;
      counts.resources += restored.size;
      counts.documents += record?.documents.length ?? 0;
      counts.annexes += record?.documents.flatMap(({ annexes }) => annexes).length ?? 0;
      const sizes = record?.documents.map((each) => classesOf(fhirPolicy, jsonOf(each)).size) ?? [];
      counts.classes = Math.max(counts.classes, ...sizes);
    }
    expect(counts).toEqual({ patients: 5, resources: 1870, documents: 234, annexes: 11, classes: 7 });
  });

  it('refuses the two Synthea bundles without a patient', () => {
    const without = filesIn('synthea-r4').filter(({ name }) => name.includes('Information'));
    expect(without.map(({ bytes }) => refusal(bytes))).toEqual([
      'the bundle holds no Patient (only 102 Organization)',
      'the bundle holds no Patient (only 102 Practitioner)',
    ]);
  });

  it('restores every single-resource example', () => {
    const folders = ['hl7-r4-examples', 'hl7-r4-examples-msft', 'us-core'];
    const examples = folders.flatMap(filesIn);
    const annexes: string[] = [];
    for (const { name, bytes } of examples) {
      const text = new TextDecoder().decode(bytes); // drops a byte order mark
      const wrapped = `{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient"}},{"resource":${text}}]}`;
      const records = readBundle(utf8(wrapped));
      const restored = new Map(records.flatMap((record) => [...resources(record)]));
      expect(restored.size, name).toBe(2);
      if (restored.get(1) !== minified(text)) expect.fail(`${name} is not as it stood`);
      const items = records.flatMap(({ documents }) => documents.flatMap(restore));
      annexes.push(...pointers(items).map((pointer) => `${name} ${pointer}`));
    }
    expect(examples).toHaveLength(33);
    expect(annexes.sort()).toEqual([
      'binary-example.json /resource/data text', // spaces every 76 digits
      'imagingstudy-example.json /resource json',
      'media-ekg-strip.json /resource/content/data base64',
      'media-example.json /resource/content/data text',
    ]);
  });

  it('refuses an example that is no bundle, or a bundle of no patient', () => {
    const reports = filesIn('hl7-r4-examples').filter(({ name }) =>
      /^(?:patient|diagnosticreport)-/.test(name),
    );
    expect(reports.map(({ bytes }) => refusal(bytes))).toEqual([
      'the bundle holds no Patient (only 17 Observation, 1 DiagnosticReport)',
      'not a FHIR Bundle (resourceType is not Bundle)',
    ]);
  });
});

function file(...entry: readonly unknown[]): Uint8Array {
  return utf8(JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry }, undefined, 2));
}

function bundle(...entries: readonly object[]): Uint8Array {
  return file(...entries.map((resource) => ({ resource })));
}

function condition(members: object): object {
  return { resourceType: 'Condition', ...members };
}

function observation(code: string): { resourceType: string } & object {
  return {
    resourceType: 'Observation',
    ...{ category: [{ coding: [{ code: 'x' }] }, { coding: [{ code }] }] },
  };
}

function refusal(bytes: Uint8Array): string {
  try {
    readBundle(bytes);
  } catch (error) {
    if (error instanceof FhirImportError) return error.message;
    throw error;
  }
  return 'taken';
}

/** A document's text, each annex described by its number. */
function jsonOf(document: FhirDocument | undefined): string {
  return document?.toJson(document.annexes.map((_, index) => `{"number":${index}}`)) ?? '';
}

function restore(document: FhirDocument | undefined): RestoredItem[] {
  return restoreDocument(jsonOf(document));
}

function positionsOf(document: FhirDocument | undefined): number[] {
  return restore(document)
    .map(({ position }) => position)
    .sort((a, b) => a - b);
}

/** The positions of a record's resources, which its documents and its list of sources agree on. */
function positions(record: FhirRecord | undefined): number[] {
  const restored = [...resources(record).keys()];
  expect(record?.sources.map(({ position }) => position)).toEqual(restored);
  return restored;
}

/** Every resource of a record by its position, restored from the documents; each stands in one document only. */
function resources(record: FhirRecord | undefined): Map<number, string> {
  const restored = (record?.documents ?? []).flatMap((document) =>
    restore(document).map((item) => {
      const numbers = item.annexes.map(
        ({ descriptor }) => (JSON.parse(descriptor) as { number: number }).number,
      );
      const bytes = numbers.map((number) => document.annexes[number]!.bytes);
      return [item.position, item.resource(bytes)] as const;
    }),
  );
  expect(new Set(restored.map(([position]) => position)).size).toBe(restored.length);
  expect(new Map(restored)).toEqual(new Map(record?.sources.map(({ position, text }) => [position, text])));
  return new Map(restored.sort(([a], [b]) => a - b));
}

function expectRestored(one: {
  document: FhirDocument | undefined;
  items: RestoredItem[];
  sources: FhirRecord['sources'];
}): void {
  const all = one.document?.annexes.map(({ bytes }) => bytes) ?? [];
  const last = one.items.find(({ position }) => position === 1);
  expect(last?.resource(all)).toBe(one.sources.find(({ position }) => position === 1)?.text);
}

function pointers(items: readonly RestoredItem[]): string[] {
  return items.flatMap(({ annexes }) => annexes.map(({ pointer, encoding }) => `${pointer} ${encoding}`));
}

/** JSON text without white space between tokens, by another way than the library's. */
function minified(text: string): string {
  return text.replace(/("(?:[^"\\]|\\.)*")|[ \t\r\n]+/g, '$1');
}

// A second reading of the policies, so that they are tested as data: the first rule whose pattern fits a leaf's path.

function classesOf(policy: PolicyDefinition, text: string): Map<string, string[]> {
  const rules = policy.rules.map((rule) => ({
    ...rule,
    patterns: rule.fields.map((field) => field.split('/').slice(1)),
  }));
  const classes = new Map<string, string[]>();
  const leaves = leavesOf(readJson(text));
  const values = new Map(leaves.map(({ path, text: value }) => [`/${path.join('/')}`, value]));
  for (const { path } of leaves) {
    const pointer = `/${path.join('/')}`;
    const rule = rules.find(({ patterns }) => patterns.some((pattern) => matches(pattern, path)));
    const readers = rule?.readers ?? policy.otherwise;
    const compartment = rule === undefined ? policy.otherwiseCompartment : rule.compartment;
    const names = readers === 'public' ? [] : readers.flatMap((reader) => readerNames(reader, path, values));
    const key = readers === 'public' ? 'public' : `${names.sort().join()} ${compartment ?? ''}`;
    classes.set(key, [...(classes.get(key) ?? []), pointer]);
  }
  return classes;
}

function readerNames(
  reader: string | Readonly<Record<string, string>>,
  path: readonly string[],
  values: ReadonlyMap<string, string>,
): string[] {
  if (typeof reader === 'string') return [reader];
  return Object.entries(reader).flatMap(([kind, pointer]) => {
    const up = pointer.split('../').length - 1;
    const base = pointer.startsWith('/') ? '' : `/${path.slice(0, path.length - up).join('/')}/`;
    const value = values.get(base + pointer.replaceAll('../', ''));
    return value?.startsWith('"') === true ? [`${kind}:${JSON.parse(value) as string}`] : [];
  });
}

function leavesOf(node: JsonNode, path: readonly string[] = []): { path: readonly string[]; text: string }[] {
  switch (node.kind) {
    case 'leaf':
      return [{ path, text: node.text }];
    case 'array':
      return node.items.flatMap((item, index) => leavesOf(item, [...path, String(index)]));
    case 'object':
      return node.members.flatMap((each) => leavesOf(each.node, [...path, each.name]));
  }
}

function matches(pattern: readonly string[], path: readonly string[], p = 0, t = 0): boolean {
  const head = pattern[p];
  if (head === undefined) return t === path.length;
  if (head === '**')
    return matches(pattern, path, p + 1, t) || (t < path.length && matches(pattern, path, p, t + 1));
  return t < path.length && (head === '*' || head === path[t]) && matches(pattern, path, p + 1, t + 1);
}

function lastName(pointer: string): string {
  return pointer.replace(/\/\d+$/, '').replace(/^.*\//, '');
}
