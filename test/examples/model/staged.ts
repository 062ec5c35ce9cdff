/** A play from its start to its end: a database, a bank on it, a clock of its own, and the figures. */

import { vi } from 'vitest';
import { foundBank, type InProcess } from '../in-process.ts';
import { makeDatabase, type EngineName } from '../store/engines.ts';
import { play, type Length, type Played } from './play.ts';

/** When every play begins, and for how many days everybody's credential is good: longer than records are kept. */
const BEGINNING = Date.UTC(2026, 2, 2, 8);
const DAYS = 5000;

/**
 * Plays on a new bank.
 *
 * @param spoil - makes the bank wrong before the play begins
 */
export async function stagePlay(
  name: EngineName,
  length: Length,
  spoil: (at: InProcess) => void = () => undefined,
): Promise<Played> {
  const database = await makeDatabase(name);
  // What happens when is the play's, and neither the machine's nor the time's of the day.
  vi.useFakeTimers({ toFake: ['Date'], now: BEGINNING });
  const clock = {
    now: () => Date.now(),
    advance: (milliseconds: number) => void vi.setSystemTime(Date.now() + milliseconds),
  };
  try {
    const engine = await database.open();
    try {
      const at = await foundBank(engine, { days: DAYS });
      spoil(at);
      return await play(at, clock, length);
    } finally {
      await engine.close();
    }
  } finally {
    vi.useRealTimers();
    await database.remove();
  }
}

/** The figures of a play, line by line. */
export function figuresOf({ counts, compared, entries }: Played): string[] {
  const all = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  const numbers = all.map(([name, { done, refused }]) => `${name} ${String(done)}+${String(refused)}`);
  const { readings, fields, accesses, refusals } = compared;
  return [
    `done+refused: ${numbers.join(', ')}`,
    `${String(readings)} readings and ${String(refusals)} refused ones compared, ${String(fields)} fields opened, ` +
      `${String(accesses)} accesses told; ${String(entries)} entries at the end`,
  ];
}
