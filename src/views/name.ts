/** Names in a policy: of the policy itself, of readers, compartments and labels. spec/views.md, "Policies". */

import { MunimentError } from '../errors.ts';
import { NAME_LIMIT } from '../keys/index.ts';
import { utf8 } from '../wire/index.ts';

/** Throws `VIEW_POLICY` unless a name has 1 to 128 bytes. */
export function checkName(name: string): void {
  const given: unknown = name;
  if (typeof given !== 'string' || name === '' || utf8(name).length > NAME_LIMIT)
    refusePolicy('a name in the policy does not have 1 to 128 bytes');
}

/** Throws `VIEW_POLICY` unless a policy's name ends in a version, a positive number without leading zeros. */
export function checkPolicyName(name: string): void {
  checkName(name);
  if (!/^[^]+\/[1-9][0-9]*$/.test(name))
    refusePolicy("the policy's name does not end in a version, such as /1");
}

/** Throws `VIEW_POLICY` unless it is a list: a text in the place of one has a length too, and letters for items. */
export function checkList(list: readonly unknown[]): void {
  if (!Array.isArray(list)) refusePolicy('in the policy stands something else in the place of a list');
}

/** Refuses the policy, and says why to its author. */
export function refusePolicy(reason: string): never {
  throw new MunimentError('VIEW_POLICY', reason);
}
