/** The demo's first steps: the bank's directory is filled, and a doctor fills the record. */

import { MunimentError } from 'muniment';
import { KEM_XWING, systemRandom } from 'muniment/crypto';
import { createRoot, openRoot, type Compartments, type NodeSecret } from 'muniment/keys';
import { groupNames, type People } from '../client/people.ts';
import { openDirectory, publishCompartmentsOf, publishGroupOf, register } from '../client/publishing.ts';
import { ownCompartments } from '../client/own-root.ts';
import { append, sealDraft, type RecordName, type Writing } from '../client/writing.ts';
import type { Report } from './report.ts';
import type { Subject } from './subject.ts';
import type { World } from './world.ts';

/** The groups of a world. */
export function allGroups(world: World): string[] {
  return [...world.specialities.map((name) => `speciality:${name}`), 'insurer', 'emergency'];
}

/** Registers everybody, and publishes groups and the patient's compartments. */
export async function populateDirectory(
  world: World,
  subject: Subject,
): Promise<{ compartments: Compartments; root: NodeSecret }> {
  const { administrator, patient, doctor, secondDoctor, insurer, emergency, stranger } = world.clients;
  const directory = await openDirectory(administrator);
  const users = [patient, stranger, doctor, secondDoctor, insurer, emergency];
  await register(
    administrator,
    directory,
    users.map(({ user }) => user.credential),
  );
  for (const keeper of [doctor, secondDoctor, insurer, emergency]) {
    const [name] = groupNames(keeper.user.credential);
    if (name === undefined) throw new MunimentError('KEY_CREDENTIAL');
    await publishGroupOf(keeper, directory, {
      name,
      kem: KEM_XWING,
      members: [keeper.user.credential],
    });
  }
  const owned = { root: createRoot(), recordId: systemRandom(16), names: subject.compartments };
  await publishCompartmentsOf(patient, directory, owned);
  // The root comes back from the bank, sealed to the patient's own key: a card is all the patient needs.
  const compartments = await ownCompartments(patient);
  return { compartments, root: await openRoot(patient.user, compartments) };
}

/** Seals the subject's documents into the record. */
export async function addContents(
  world: World,
  subject: Subject,
  to: { readonly record: RecordName; readonly people: People; readonly progress: Report['progress'] },
): Promise<void> {
  const { doctor, patient } = world.clients;
  const { record, people, progress } = to;
  const owner = people.compartments.get(patient.user.credential.subject);
  if (owner === undefined) throw new MunimentError('KEY_CREDENTIAL');
  const audience = { policy: subject.policy, owner, groups: people.groups, custodian: world.trust.bank };
  progress.start('sealing', subject.drafts.length);
  const writings: Writing[] = [];
  for (const draft of subject.drafts) {
    writings.push(await sealDraft(doctor, audience, draft));
    progress.advance();
  }
  await append(doctor, record, writings);
}
