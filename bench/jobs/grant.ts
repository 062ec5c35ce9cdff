/**
 * Granting ten years of cardiology, annexes and all: one node of the owner's tree, sealed and signed. How much lies in
 * the compartment changes neither time nor bytes, so no record is made here; what is beside it is what a grant must do
 * at the least, an HPKE message of the same length and a signature.
 */

import { generateKeyPairSync, sign } from 'node:crypto';
import { forceBackend, KEM_X25519, KEM_XWING, systemRandom, type KemId } from 'muniment/crypto';
import { compartmentNode, createAnchor, createRoot, enrol } from 'muniment/keys';
import { grant, openGrant } from 'muniment/views';
import { bareParty } from '../conversations.ts';
import type { Contest } from '../measure.ts';

const VALIDITY = { notBefore: 0, notAfter: Date.UTC(2100, 0) };
const NAME = 'speciality: cardiology';

export async function* grants(): AsyncGenerator<Contest> {
  try {
    forceBackend('node'); // keys are imported into the backend that is forced meanwhile
    const [x25519, xwing] = [await granting(KEM_X25519), await granting(KEM_XWING)];
    yield {
      name: 'grant a compartment',
      baseline: 'bare',
      rows: { bare: { run: bareGrant() }, X25519: { run: x25519 }, 'X-Wing': { run: xwing } },
    };
    yield {
      name: 'bytes written',
      baseline: '10 KiB',
      unit: 'bytes',
      counts: { '10 KiB': 10 * 1024, X25519: await x25519(), 'X-Wing': await xwing() },
    };
  } finally {
    forceBackend(null);
  }
}

/** Grants one node, and says how many bytes that took. */
async function granting(kem: KemId): Promise<() => Promise<number>> {
  const suite = { kem };
  const hospital = await createAnchor({ subject: 'Hospital', roles: ['administrator'], ...VALIDITY }, suite);
  const patient = await enrol(hospital, { subject: 'Bob', roles: ['patient'], ...VALIDITY }, suite);
  const doctor = await enrol(hospital, { subject: 'Dr. Ruiz', roles: ['doctor'], ...VALIDITY }, suite);
  const recordId = systemRandom(16);
  const terms = { recordId, purpose: 'treatment', from: 0, until: 2e12, mayPassOn: false };
  const node = compartmentNode(createRoot(), NAME, 0);
  const granted = { kind: 'compartment', name: NAME, epoch: 0, kem, node } as const;
  const run = () => grant(patient, doctor.credential, { terms, granted });
  const opened = await openGrant(doctor, await run(), {
    ...{ grantor: patient.credential, recordId, at: 1e12, under: null },
  });
  if (opened.kind !== 'compartment' || opened.name !== NAME)
    throw new Error('a grant opens to something else');
  return async () => {
    const { statement, wrap } = await run();
    return statement.length + wrap.length;
  };
}

function bareGrant(): () => void {
  const grantee = bareParty();
  const { privateKey } = generateKeyPairSync('ed25519');
  const [info, terms, node] = [new Uint8Array(80), new Uint8Array(200), new Uint8Array(256)];
  return () => {
    grantee.seal(info, terms, node);
    sign(null, terms, privateKey);
  };
}
