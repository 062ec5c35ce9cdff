/** `kill -9` at random moments under load: nothing that was acknowledged is lost, and nothing is there twice or by halves. */

import { describe, it } from 'vitest';
import { createBank, type TestBank } from './bank.ts';
import { checkAll, checkHeld, checkWhole, type Keeping } from './kept.ts';
import { Door, Load } from './load.ts';
import { pause, withPostgres, type PostgresServer } from './postgres.ts';
import { Random } from './random.ts';
import type { ServerProcess } from './server.ts';
import { figure, FULL, SEED, seeded } from './settings.ts';

const KILLS = FULL ? 200 : 12;
/** A server is killed after fewer operations than this, whatever the machine, and after some time more, in milliseconds. */
const OPERATIONS = 4;
const LONGEST = 500;
/** After how many kills everything that is stored is gone through, before the next start and by the operator's `check` after it. */
const WHOLE = FULL ? 20 : 4;

describe('kill -9 under load from 8 clients', () => {
  it('SQLite', async () => {
    const bank = await createBank(null);
    try {
      await killed(bank, null);
    } finally {
      await bank.end();
    }
  });

  it('PostgreSQL, the database too', () =>
    withPostgres(async (postgres) => {
      const bank = await createBank(postgres.account('bank'));
      try {
        await killed(bank, postgres);
      } finally {
        await bank.end();
      }
    }));
});

async function killed(bank: TestBank, postgres: PostgresServer | null): Promise<void> {
  const random = new Random(SEED);
  const at: Keeping = postgres === null ? bank : { postgres };
  const door = new Door(random.split());
  const load = new Load(bank, door, random.split());
  const kinds = { server: 0, starting: 0, database: 0, backend: 0 };
  const weights =
    postgres === null ? { server: 8, starting: 2 } : { server: 5, starting: 1, database: 3, backend: 1 };
  const begun = performance.now();
  let [moment, checked, due] = ['before the first', 0, false];
  let server: ServerProcess | null = null;
  await seeded(
    () => `kill ${moment}`,
    async () => {
      for (let kill = 1; kill <= KILLS; kill++) {
        const kind = random.weighted<keyof typeof kinds>(weights as Record<keyof typeof kinds, number>);
        const [work, after] = [random.below(OPERATIONS), Math.floor(random.next() * LONGEST)];
        moment = `${String(kill)}: ${kind}, ${String(work)} operations and ${String(after)} ms after its start`;
        server ??= bank.start();
        if (kind === 'starting') {
          await pause(after);
        } else {
          await server.ready;
          if (!server.running) throw new Error(`the server ended by itself: ${server.lastLine}`);
          checked += await checkHeld(at, load.held);
          if (due) await checkAll(bank.configuration);
          due = false;
          load.check();
          door.open(bank.port);
          const before = load.counts;
          await load.until(({ operations }) => operations >= before.operations + work);
          await pause(after);
        }
        door.close();
        if (kind === 'database') {
          await postgres?.kill();
          await postgres?.start();
        } else if (kind === 'backend') {
          postgres?.killBackend((pids) => random.of(pids));
          while (postgres !== null && !(await postgres.answers())) await pause(20);
        } else {
          await server.kill();
          server = null;
        }
        kinds[kind]++;
        if (kill % WHOLE === 0) {
          const leaves = await checkWhole(at, { unserved: true });
          const name = postgres === null ? 'SQLite' : 'PostgreSQL';
          due = true;
          figure(`kill -9 on ${name}: ${String(kill)} times so far, ${String(leaves)} entries, whole`);
        }
      }
      moment = 'none: after the last';
      server ??= bank.start();
      await server.ready;
      door.open(bank.port);
      load.check();
      await load.end();
      await server.kill();
      server = bank.start();
      await server.ready;
      await load.verify(at, bank.port);
      await checkAll(bank.configuration);
    },
  ).finally(() => server?.kill());
  const { operations, entries, unanswered, again, honoured } = load.counts;
  const seconds = Math.round((performance.now() - begun) / 1000);
  const by = Object.entries(kinds).filter(([, count]) => count > 0);
  figure(
    [
      `kill -9 ${String(KILLS)} times on ${postgres === null ? 'SQLite' : 'PostgreSQL'} (${by.map(([kind, count]) => `${kind} ${String(count)}`).join(', ')})`,
      `in ${String(seconds)} s, seed ${String(SEED)}: ${String(operations)} operations, ${String(entries)} entries acknowledged`,
      `asked again unanswered ${String(unanswered)} times (${load.troubles}), answered ones ${String(again)} times`,
      `receipts held against the chain ${String(honoured)} times, against the tables ${String(checked)} times: all honoured`,
    ].join('; '),
  );
}
