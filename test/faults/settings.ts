/** How much of it is run, and from which seed. docs/faults.md. */

import { randomInt } from 'node:crypto';

/** Whether everything is run in the numbers that docs/faults.md states: `MUNIMENT_FAULTS=full`. */
export const FULL = process.env['MUNIMENT_FAULTS'] === 'full';

/** From where all choices follow: `MUNIMENT_FAULTS_SEED`, else another one each time. When a process gets to run is not among them. */
export const SEED = Number(process.env['MUNIMENT_FAULTS_SEED'] ?? randomInt(2 ** 31));

/** Prints a figure. */
export function figure(text: string): void {
  console.log(`faults: ${text}`);
}

/** Runs `work`; if it fails, says from which seed, and at which moment, beside what. */
export async function seeded(moment: () => string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw new Error(`MUNIMENT_FAULTS_SEED=${String(SEED)}, ${moment()}: ${String(error)}`, { cause: error });
  }
}
