/** Who plays: fifty people in the roles of docs/roles.md, some in several. */

import { KEM_X25519 } from 'muniment/crypto';
import { publishGroupOf, register } from '../../../examples/client/publishing.ts';
import { someParts } from './documents.ts';
import type { Stage } from './stage.ts';
import { holds, type Key } from './world.ts';

/** Groups of the example policies that somebody founds. */
export const GROUPS = [
  ...['cardiology', 'nursing', 'psychiatry', 'physiotherapy'].map((name) => `speciality:${name}`),
  'emergency',
  'insurer',
];

const KEEPING = GROUPS.map((name) => `keeper:${name}`);

/** How many of each; with the administrator they are fifty. */
export const CAST: readonly (readonly [number, string, readonly string[]])[] = [
  [10, 'patient', ['patient']],
  [4, 'cardiologist', ['doctor', 'speciality:cardiology']],
  [3, 'psychiatrist', ['doctor', 'speciality:psychiatry']],
  [3, 'doctor', ['doctor']],
  [4, 'nurse', ['specialist:nursing', 'speciality:nursing']],
  [3, 'physiotherapist', ['specialist:physiotherapy', 'speciality:physiotherapy']],
  [2, 'dietician', ['specialist:dietetics']],
  [4, 'insurer', ['insurer']],
  [4, 'emergency doctor', ['emergency']],
  [3, 'auditor', ['auditor']],
  [2, 'keeper', KEEPING],
  [1, 'keeper of the ward', ['keeper:ward']],
  [1, 'doctor who keeps', ['doctor', 'speciality:cardiology', ...KEEPING]],
  [1, 'emergency cardiologist', ['doctor', 'emergency', 'speciality:cardiology']],
  [1, 'doctor who is a patient', ['doctor', 'patient', 'speciality:nursing']],
  [1, 'patient who keeps', ['patient', 'keeper:insurer']],
  [1, 'auditor who insures', ['auditor', 'insurer']],
  [1, 'nurse who audits', ['auditor', 'specialist:nursing', 'speciality:nursing']],
];

/** Registers everybody, founds the groups, and has some patients publish the parts of their records. */
export async function enterAll(stage: Stage, owners: number): Promise<void> {
  const { at, world, random } = stage;
  stage.enter(world.join('administrator', ['administrator']), at.administrator);
  const keys: Key[] = [];
  for (const [count, name, roles] of CAST)
    for (let i = 0; i < count; i++) keys.push(world.join(stage.newSubject(name), roles));
  for (const key of keys) stage.enter(key, at.clientOf(await at.enrol(key.subject, key.roles)));
  await register(
    at.administrator,
    at.directory,
    keys.map((key) => stage.credentialOf(key)),
  );
  for (const name of GROUPS) {
    const keeper = random.of(keys.filter((key) => holds(key, `keeper:${name}`) && !holds(key, 'patient')));
    const members = keys.filter((key) => holds(key, name) && random.next() < 0.8);
    world.groups.set(name, [{ members: new Set(members), ladder: false }]);
    const credentials = members.map((key) => stage.credentialOf(key));
    await publishGroupOf(stage.clientOf(keeper), at.directory, {
      name,
      kem: KEM_X25519,
      members: credentials,
    });
  }
  const patients = keys.filter((key) => holds(key, 'patient'));
  for (const patient of patients.slice(-owners)) await publishParts(stage, patient);
}

/** A patient publishes some of the parts that the policies name. */
export async function publishParts(stage: Stage, patient: Key): Promise<void> {
  const names = someParts(stage.random);
  const recordId = await stage.at.publish(stage.clientOf(patient), names);
  stage.publish(patient, recordId, new Map(['inbox', ...names].map((name) => [name, 0])));
}
