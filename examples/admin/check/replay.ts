/** The memory of first messages: one floor, below every message that is remembered. Whether one was forgotten too early nobody can tell. */

import { toHex } from 'muniment/wire';
import type { Context } from './context.ts';

/** Checks the form of the memory, and its floor. */
export async function checkReplayMemory({ source, findings }: Context): Promise<void> {
  const floors: number[] = [];
  for await (const { one, time } of source.rows<{ one: number; time: number }>(
    'SELECT one, time FROM replay_floor',
  )) {
    if (one !== 1 || time < 0) findings.add('replay_floor', `one=${String(one)}`, 'FORM', 'it is no floor');
    floors.push(time);
  }
  const [floor, more] = floors;
  if (floor === undefined) findings.add('replay_floor', 'one=1', 'MISSING', 'there is no floor');
  if (more !== undefined) findings.add('replay_floor', '*', 'EXTRA', 'there is more than one floor');
  for await (const { digest, time } of source.rows<{ digest: Uint8Array; time: number }>(
    'SELECT digest, time FROM first_messages',
  )) {
    findings.count('first messages');
    const name = `digest=${toHex(digest)}`;
    if (digest.length !== 32) findings.add('first_messages', name, 'FORM', 'it is no digest');
    if (time <= (floor ?? 0))
      findings.add('first_messages', name, 'FLOOR', 'it is remembered, and the floor is not below it');
  }
}
