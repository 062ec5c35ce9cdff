/** Four server processes on one PostgreSQL under load, one of them killed in the middle: the others go on, and are one bank. */

import { it } from 'vitest';
import { createBank } from './bank.ts';
import { Door, Load } from './load.ts';
import { freePort, pause, withPostgres } from './postgres.ts';
import { Random } from './random.ts';
import type { ServerProcess } from './server.ts';
import { figure, FULL, SEED, seeded } from './settings.ts';

const PROCESSES = 4;
/** Operations before the kill, and again after it. */
const OPERATIONS = FULL ? 500 : 40;

it('four processes, one killed', () =>
  withPostgres(async (postgres) => {
    const bank = await createBank(postgres.account('bank'));
    const random = new Random(SEED);
    const servers: ServerProcess[] = [];
    try {
      const ports: number[] = [];
      for (let i = 0; i < PROCESSES; i++) {
        const port = await freePort();
        ports.push(port);
        servers.push(bank.startOn(bank.configure(`process-${String(i)}`, { port })));
      }
      await Promise.all(servers.map(({ ready }) => ready));
      const door = new Door(random.split());
      const load = new Load(bank, door, random.split());
      door.open(...ports);
      const killed = random.below(PROCESSES);
      const moment = Math.floor(random.next() * 1000);
      await seeded(
        () => `process ${String(killed)}, ${String(moment)} ms after ${String(OPERATIONS)} operations`,
        async () => {
          await load.until(({ operations }) => operations >= OPERATIONS);
          load.check();
          await pause(moment);
          await servers[killed]?.kill();
          const before = load.counts;
          // Nobody is told which one is gone.
          await load.until(({ operations }) => operations >= before.operations + OPERATIONS);
          await load.end();
          const left = ports.filter((_, i) => i !== killed);
          for (const port of left) await load.verify({ postgres }, port);
          const { operations, entries, unanswered, again, honoured } = load.counts;
          figure(
            [
              `four processes on one PostgreSQL, one killed, seed ${String(SEED)}: ${String(before.operations)} operations before and ${String(operations - before.operations)} after it, ${String(entries)} entries acknowledged`,
              `asked again unanswered ${String(unanswered)} times (${load.troubles}), answered ones ${String(again)} times`,
              `${String(honoured)} receipts held against the chain; both chains of every record read whole from each of the other three: one log, nothing lost`,
            ].join('; '),
          );
        },
      );
    } finally {
      for (const server of servers) await server.kill();
      await bank.end();
    }
  }));
