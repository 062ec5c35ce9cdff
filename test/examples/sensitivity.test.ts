/**
 * Security labels of FHIR resources under examples/policies: fixtures of our own, then labels put on resources of the
 * corpus. What is labelled loses readers, and nothing gains any.
 */

import { describe, expect, it } from 'vitest';
import { definePolicy, explain, type Explained } from 'muniment/views';
import { utf8 } from 'muniment/wire';
import { readBundle, type FhirDocument } from '../../examples/client/fhir.ts';
import { behcPolicy, fhirPolicy, meditrackPolicy, SENSITIVITY } from '../../examples/policies/index.ts';
import { describeCorpus } from '../corpora/corpora.ts';

const POLICY = definePolicy(fhirPolicy);
const CONFIDENTIALITY = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
const ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const MANIFEST_LINES = 16;

describe('the example policies', () => {
  it('have no pattern that can never match', () => {
    const all = [meditrackPolicy, behcPolicy, fhirPolicy].flatMap((one) => definePolicy(one).reports);
    expect(all.filter(({ kind }) => kind === 'unreachable')).toEqual([]);
  });

  it('overlap where an insurer reads the money of annexes, and nowhere else', () => {
    expect(definePolicy(meditrackPolicy).reports).toEqual([]);
    expect(definePolicy(behcPolicy).reports).toEqual([]);
    const first = fhirPolicy.rules[0]?.fields[0];
    expect(POLICY.reports).toEqual([
      {
        kind: 'overlap',
        rule: fhirPolicy.rules.findIndex(({ fields }) => fields.includes('/annexes/**')),
        pattern: '/annexes/**',
        by: [{ rule: 0, pattern: first }],
      },
    ]);
  });

  it('put fields into the nine parts of BEHC, the money of FHIR, and what is labelled', () => {
    const { compartments } = definePolicy(behcPolicy);
    expect(POLICY.compartments).toEqual(['financial', ...compartments, 'restricted', 'veryRestricted']);
    expect(definePolicy(meditrackPolicy).compartments).toEqual([
      ...['inbox', 'personal', 'urgent', 'medical', 'financial'],
    ]);
  });

  it('restrict by each code once', () => {
    const values = fhirPolicy.restrictions?.flatMap((one) => one.values) ?? [];
    expect(new Set(values).size).toBe(values.length);
    expect(values.sort()).toEqual(
      ['PROCESSINLINELABEL', 'R', 'V', ...Object.values(SENSITIVITY).flat()].sort(),
    );
  });
});

const PATIENT = { resourceType: 'Patient', id: 'p' };
const subject = { subject: { reference: 'Patient/p' }, encounter: { reference: 'Encounter/e' } };
const encounter = (service: string): object => ({
  ...{ resourceType: 'Encounter', id: 'e', subject: subject.subject },
  serviceType: { text: service },
});
const label = (code: string, system = ACT_CODE): object => ({ meta: { security: [{ system, code }] } });

/** The readers and compartments of one resource's fields in the consultation that the import makes of it. */
function readersOf(resource: object, service = 'cardiology'): string[] {
  const file = {
    resourceType: 'Bundle',
    entry: [PATIENT, encounter(service), resource].map((one) => ({ resource: one })),
  };
  const [record] = readBundle(utf8(JSON.stringify(file)));
  const document = record?.documents.find(({ type }) => type === 'consultation');
  const { resourceType } = resource as { resourceType: string };
  const fields = explained(document).filter(({ pointer }) => pointer.split('/')[2] === resourceType);
  expect(fields.length).toBeGreaterThan(0);
  return [...new Set(fields.map(named))].sort();
}

function explained(document: FhirDocument | undefined): Explained[] {
  const text = document?.toJson(document.annexes.map((_, i) => `{"key":"k${i}","root":"r${i}"}`));
  return explain(POLICY, text ?? '');
}

function named({ readers, compartment }: Explained): string {
  return `${readers === 'public' ? readers : ['owner', ...readers].join(', ')} in ${compartment}`;
}

const condition = (...labels: readonly object[]): object =>
  Object.assign({ resourceType: 'Condition', code: { text: 'x' }, ...subject }, ...labels) as object;

describe('a labelled resource', () => {
  const CLINICAL = 'owner, emergency, speciality:cardiology';

  it.each<[string, object, string[]]>([
    ['nothing', condition(), [`${CLINICAL} in diagnosticOrientation`]],
    ['normal', condition(label('N', CONFIDENTIALITY)), [`${CLINICAL} in diagnosticOrientation`]],
    ['a purpose', condition(label('TREAT')), [`${CLINICAL} in diagnosticOrientation`]],
    ['restricted', condition(label('R', CONFIDENTIALITY)), [`${CLINICAL} in restricted`]],
    ['HIV', condition(label('HIV')), [`${CLINICAL} in restricted`]],
    ['psychiatry', condition(label('PSY')), ['owner, emergency in restricted']],
    ['substance use', condition(label('SUD')), ['owner, emergency in restricted']],
    ['taboo', condition(label('TBOO')), ['owner, emergency in restricted']],
    ['very restricted', condition(label('V', CONFIDENTIALITY)), ['owner, emergency in veryRestricted']],
    ['psychotherapy notes', condition(label('PSYTHPN')), ['owner, emergency in veryRestricted']],
    ['inline labels', condition(label('PROCESSINLINELABEL')), ['owner, emergency in veryRestricted']],
    [
      'a code without its system',
      condition({ meta: { security: [{ code: 'R' }] } }),
      [`${CLINICAL} in restricted`],
    ],
    [
      'two, the stricter first',
      condition({ meta: { security: [{ code: 'V' }, { code: 'R' }] } }),
      ['owner, emergency in veryRestricted'],
    ],
    [
      'one on what it contains',
      condition({ contained: [{ resourceType: 'Observation', ...label('V') }] }),
      ['owner, emergency in veryRestricted'],
    ],
    [
      'a code elsewhere',
      condition({ severity: { coding: [{ code: 'V' }] } }),
      [`${CLINICAL} in diagnosticOrientation`],
    ],
  ])('by %s', (_, resource, expected) => {
    expect(readersOf(resource)).toEqual(expected);
  });

  it('stays with the speciality that has to know', () => {
    expect(readersOf(condition(label('PSY')), 'psychiatry')).toEqual([
      'owner, emergency, speciality:psychiatry in restricted',
    ]);
    expect(readersOf(condition(label('ETH')), 'addiction')).toEqual([
      'owner, emergency, speciality:addiction in restricted',
    ]);
  });

  it('keeps its money from the insurer', () => {
    const claim = { resourceType: 'Claim', ...subject, patient: subject.subject, total: { value: 1 } };
    expect(readersOf(claim)).toEqual(['owner, emergency, insurer in financial', `${CLINICAL} in annexes`]);
    expect(readersOf({ ...claim, ...label('R', CONFIDENTIALITY) })).toEqual([
      'owner, emergency in restricted',
      `${CLINICAL} in restricted`,
    ]);
  });

  it('keeps the keys of its annexes, even where the whole resource became one', () => {
    const study = { resourceType: 'ImagingStudy', ...subject, status: 'available' };
    expect(readersOf(study)).toEqual([`${CLINICAL} in annexes`]);
    expect(readersOf({ ...study, ...label('V', CONFIDENTIALITY) })).toEqual([
      'owner, emergency in veryRestricted',
    ]);
    const media = { resourceType: 'Media', ...subject, content: { contentType: 'image/png', data: 'AAAA' } };
    expect(readersOf({ ...media, ...label('PSY') })).toEqual(['owner, emergency in restricted']);
    const scan = {
      resourceType: 'DocumentReference',
      ...subject,
      context: { encounter: [subject.encounter] },
    };
    const labelled = { ...scan, securityLabel: [{ coding: [{ system: CONFIDENTIALITY, code: 'V' }] }] };
    expect(readersOf(labelled)).toEqual(['owner, emergency in veryRestricted']);
  });

  it('restricts no other resource of its document', () => {
    const file = {
      resourceType: 'Bundle',
      entry: [PATIENT, encounter('cardiology'), condition(label('V')), condition()].map((resource) => ({
        resource,
      })),
    };
    const document = readBundle(utf8(JSON.stringify(file)))[0]?.documents[1];
    const restricted = explained(document).filter(({ restrictions }) => restrictions.length > 0);
    expect(new Set(restricted.map(({ pointer }) => pointer.split('/').slice(0, 4).join('/')))).toEqual(
      new Set(['/diagnosticOrientation/Condition/0']),
    );
  });
});

describeCorpus('fhir', (corpus) => {
  const synthea = corpus
    .files('synthea-r4')
    .filter((name) => name.endsWith('.json') && !name.includes('Information'));
  // Every code in turn, and now and then none.
  const codes = ['R', 'V', 'PROCESSINLINELABEL', 'N', ...Object.values(SENSITIVITY).flat()];

  it('labels restrict corpus resources and never give a reader', () => {
    const counts = { fields: 0, restricted: 0, lost: 0, insurer: 0, files: 0 };
    let most = 0;
    for (const name of synthea) {
      const text = corpus.text(name);
      const plain = readBundle(utf8(text))[0]?.documents ?? [];
      const labelled = readBundle(utf8(withLabels(text)))[0]?.documents ?? [];
      expect(labelled).toHaveLength(plain.length);
      counts.files++;
      plain.forEach((document, i) => {
        const before = new Map(explained(document).map((one) => [one.pointer, one]));
        const after = explained(labelled[i]);
        most = Math.max(most, linesOf(after));
        for (const field of after) {
          const was = before.get(field.pointer);
          if (was === undefined) {
            expect(field.pointer).toMatch(/\/meta\/security\/0\/(?:system|code)$/);
            continue;
          }
          counts.fields++;
          const [had, has] = [was.readers, field.readers].map((readers) =>
            readers === 'public' ? [] : readers,
          );
          expect([was.readers, field.readers]).not.toContain('public');
          if (has?.some((reader) => had?.includes(reader) !== true) !== false) expect.fail(field.pointer);
          if (field.restrictions.length === 0) expect(named(field)).toBe(named(was));
          else counts.restricted++;
          if (has.length < (had?.length ?? 0)) counts.lost++;
          if (had?.includes('insurer') === true && !has.includes('insurer')) counts.insurer++;
        }
      });
    }
    expect(counts.files).toBe(5);
    expect(counts.restricted).toBeGreaterThan(counts.fields / 2);
    expect(counts.lost).toBeGreaterThan(10_000);
    expect(counts.insurer).toBeGreaterThan(1000);
    expect(most).toBeLessThanOrEqual(MANIFEST_LINES);
  });

  /** How many readers a document's manifest has to hold: root, compartments, names and a custodian. */
  function linesOf(fields: readonly Explained[]): number {
    const names = fields.flatMap(({ readers }) => (readers === 'public' ? [] : readers));
    return 2 + new Set([...names, ...fields.map(({ compartment }) => `in ${compartment}`)]).size;
  }

  function withLabels(text: string): string {
    const file = JSON.parse(text) as { entry: { resource: { meta?: object } }[] };
    file.entry.forEach(({ resource }, i) => {
      const security = [{ system: ACT_CODE, code: codes[i % codes.length] }];
      resource.meta = { ...resource.meta, security };
    });
    return JSON.stringify(file);
  }
});
