/**
 * FHIR R4 under BEHC's nine parts, for the documents that examples/client/fhir.ts makes: `{ "speciality": …, "<part>":
 * { "<ResourceType>": [ { "position": …, "entry": <bundle entry>, "annexes": … } ] } }`. Nothing is public. An insurer
 * reads the money of the financial resources by an allow-list; what is clinical in them (diagnosis, procedure,
 * productOrService, supportingInfo, contained, careTeam, …) stays with the speciality, like any other annex.
 *
 * What a resource's own security labels say makes this stricter, never laxer: sensitivity.ts.
 */

import type { PolicyDefinition } from 'muniment/views';
import { behcPolicy } from './behc.ts';
import { sensitivityRestrictions } from './sensitivity.ts';

/** What an insurer reads of every financial resource, below the resource. */
const COMMON = [
  'resourceType',
  'id',
  'identifier/**',
  'status',
  'type/**',
  'use',
  'created',
  'billablePeriod/**',
  'provider/**',
  'insurer/**',
];

// Member by member, because CoverageEligibilityResponse keeps clinical codes in insurance/*/item.
const INSURANCE = ['coverage/**', 'sequence', 'focal', 'preAuthRef/**', 'identifier/**'].map(
  (name) => `insurance/*/${name}`,
);

const ITEM_PRICES = ['item/**/unitPrice/**', 'item/**/net/**'];
const SETTLEMENT = [
  ...['item/**/adjudication/**', 'adjudication/**', 'payment/**'],
  ...['addItem/**/unitPrice/**', 'addItem/**/net/**', 'addItem/**/adjudication/**'],
];

/** The financial resource types, and what an insurer reads of each besides {@link COMMON}. */
const MONEY: Readonly<Record<string, readonly string[]>> = {
  Account: ['coverage/*/coverage/**', 'servicePeriod/**'],
  ChargeItem: ['priceOverride/**', 'factorOverride'],
  Claim: [...INSURANCE, ...ITEM_PRICES, 'payee/**', 'total/**'],
  ClaimResponse: [...INSURANCE, ...SETTLEMENT, 'request/**', 'total/**'],
  Coverage: ['class/**', 'costToBeneficiary/**', 'payor/**', 'period/**', 'subscriberId'],
  CoverageEligibilityRequest: INSURANCE,
  CoverageEligibilityResponse: [...INSURANCE, 'request/**'],
  EnrollmentRequest: ['coverage/**'],
  EnrollmentResponse: ['request/**'],
  ExplanationOfBenefit: [
    ...INSURANCE,
    ...ITEM_PRICES,
    ...SETTLEMENT,
    ...['benefitBalance/*/financial/**', 'claim/**', 'payee/**', 'total/**'],
  ],
  Invoice: ['lineItem/*/priceComponent/**', 'totalGross/**', 'totalNet/**', 'totalPriceComponent/**'],
  PaymentNotice: ['amount/**', 'payee/**', 'payment/**', 'paymentDate', 'paymentStatus/**', 'recipient/**'],
  PaymentReconciliation: ['detail/*/amount/**', 'paymentAmount/**', 'paymentDate', 'paymentIssuer/**'],
};

/** The resource types whose money an insurer reads. */
export const FINANCIAL_TYPES: readonly string[] = Object.keys(MONEY);

/** BEHC's nine compartments and its inbox for unknown types, plus `financial` and two for what is labelled. */
export const fhirPolicy: PolicyDefinition = {
  name: 'fhir-r4/3',
  rules: [
    {
      fields: Object.entries(MONEY).flatMap(([type, names]) =>
        [...COMMON, ...names].map((name) => `/annexes/${type}/*/entry/resource/${name}`),
      ),
      readers: ['insurer', 'emergency'],
      compartment: 'financial',
    },
    ...behcPolicy.rules,
  ],
  otherwise: behcPolicy.otherwise,
  otherwiseCompartment: 'inbox',
  restrictions: sensitivityRestrictions,
};
