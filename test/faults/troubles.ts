/** A bank under load that gets into trouble, stays in it for a while, and comes out of it with nothing lost. */

import type { TestBank } from './bank.ts';
import type { Keeping } from './kept.ts';
import { Keeper } from './keeper.ts';
import { Door, Load } from './load.ts';
import { pause } from './postgres.ts';
import { Random } from './random.ts';
import { figure, FULL, SEED, seeded } from './settings.ts';

/** Operations before each trouble, and after it. */
const OPERATIONS = FULL ? 100 : 12;
/** How often clients are told of a trouble before it ends. */
const TOLD = FULL ? 40 : 8;

/** A trouble. */
export interface Trouble {
  readonly name: string;
  begin(): Promise<void> | void;
  end(): Promise<void> | void;
  /** How long it lasts, in milliseconds, if not until clients have been told of it. */
  readonly lasting?: number;
}

/**
 * Puts a bank through troubles, one after another, its server kept running. The clients are not told where the bank is
 * and when: after each trouble they must get on by themselves.
 */
export async function inTrouble(
  bank: TestBank,
  at: () => Keeping,
  troubles: readonly Trouble[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const random = new Random(SEED);
  const server = new Keeper(() => Promise.resolve(bank.start(env)));
  const door = new Door(random.split());
  const load = new Load(bank, door, random.split());
  door.open(bank.port);
  let [moment, starts] = ['before the first', 1];
  try {
    await seeded(
      () => moment,
      async () => {
        await load.until(({ operations }) => operations >= OPERATIONS);
        for (const { name, begin, end, lasting } of troubles) {
          moment = name;
          const before = load.counts;
          const shown = load.troubles;
          const since = performance.now();
          await pause(Math.floor(random.next() * 500));
          await begin();
          try {
            if (lasting === undefined)
              await load.until(({ unanswered }) => unanswered >= before.unanswered + TOLD);
            else await pause(lasting);
          } finally {
            await end();
          }
          const ended = performance.now();
          const { operations } = load.counts;
          load.check();
          await load.until((now) => now.operations >= operations + OPERATIONS);
          const after = load.counts;
          const restarts = server.starts - starts;
          starts = server.starts;
          figure(
            [
              `${name}, seed ${String(SEED)}: lasted ${seconds(ended - since)} s`,
              `asked in vain ${String(after.unanswered - before.unanswered)} times (in all so far ${load.troubles}; before it ${shown})`,
              `server started again ${String(restarts)} times`,
              `${String(OPERATIONS)} operations more took ${seconds(performance.now() - ended)} s`,
            ].join('; '),
          );
        }
        moment = 'after all';
        await load.end();
        await load.verify(at(), bank.port);
        const { entries, honoured } = load.counts;
        figure(
          `… and then: ${String(entries)} entries acknowledged and there, ${String(honoured)} receipts honoured, each access proven`,
        );
      },
    );
  } finally {
    await server.end();
  }
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(1);
}
