/** The real bank in processes of its own, a patient's record in it, and users who read it: one conversation each time. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { KEM_X25519 } from 'muniment/crypto';
import { BankClient } from '../examples/client/bank.ts';
import { lookUp } from '../examples/client/people.ts';
import { createRecord } from '../examples/client/writing.ts';
import { addContents, allGroups, populateDirectory } from '../examples/demo/founding.ts';
import { createReport } from '../examples/demo/report.ts';
import { startServer, type RunningServer } from '../examples/demo/server-process.ts';
import { syntheticSubject } from '../examples/demo/subject.ts';
import { createWorld, type World } from '../examples/demo/world.ts';

/** How many users ask at once. */
export const USERS = 8;
/** Conversations of one wave: each user has two. */
export const WAVE = 2 * USERS;
/** A clock tick of Linux's accounting, in milliseconds. */
const TICK_MS = 10;

/** A bank at work. */
export interface BankAtWork {
  /** A wave of conversations, spread over so many of the bank's processes. */
  wave(processes: number): Promise<void>;
  /** Processor time that the bank's processes have used, in milliseconds. Of Linux alone. */
  processorTime(): number;
  readonly world: World;
  end(): Promise<void>;
}

/**
 * Starts it; everybody's keys are Ed25519 and X25519.
 *
 * @param enter - a command that runs the bank's command again once everything is there; nothing if it may go on as it is
 */
export async function startBank(
  store: 'sqlite' | 'postgres',
  processes: number,
  enter: readonly string[] = [],
): Promise<BankAtWork> {
  const subject = syntheticSubject();
  const world = await createWorld(subject.specialities, { store, kem: KEM_X25519, witnesses: 0 });
  await populateDirectory(world, subject);
  const { doctor, patient } = world.clients;
  const record = await createRecord(doctor, patient.user.credential.subject);
  const { progress } = createReport(true);
  const people = await lookUp(doctor, { subjects: ['patient-1', 'bank'], groups: allGroups(world) });
  await addContents(world, { ...subject, drafts: subject.drafts.slice(0, 1) }, { record, people, progress });

  const servers: RunningServer[] = [world.server];
  const start = () => startServer(configurationOf(world), world.serverFolder, enter);
  if (enter.length > 0) {
    await world.server.stop();
    servers.splice(0, 1, await start());
  }
  while (servers.length < processes) servers.push(await start());
  const place = { recordId: record.recordId, chain: 'content', from: 0, size: null } as const;
  const question = { type: 'read', ...place, purpose: 'benchmark', part: null } as const;
  const read = async ({ port }: RunningServer) => {
    const endpoint = { ...patient.endpoint, port };
    const { reply } = await new BankClient(patient.user, patient.trust, endpoint).ask<'read'>(question);
    if (reply.items.length !== 2 || reply.access === null) throw new Error('the bank answers wrongly');
  };
  return {
    world,
    async wave(among) {
      const users = Array.from({ length: USERS }, async (_, user) => {
        for (let asked = 0; asked < WAVE / USERS; asked += 1)
          await read(servers[(user + asked) % among] ?? world.server);
      });
      await Promise.all(users);
    },
    processorTime: () => processorTime(pidsIn(world.serverFolder).slice(-servers.length)),
    async end() {
      for (const server of servers) await server.stop();
      await world.end();
    },
  };
}

/** Where a world's server has its configuration. */
function configurationOf({ serverFolder }: World): string {
  return path.join(path.dirname(serverFolder), 'server.json');
}

/** The process ids that the servers' log names. */
function pidsIn(folder: string): number[] {
  const lines = readFileSync(path.join(folder, 'server.log'), 'utf8').split('\n');
  const started = lines.filter((line) => line.includes('"event":"listening"'));
  return started.map((line) => (JSON.parse(line) as { pid: number }).pid);
}

/** User and system time of processes and all their threads, in milliseconds: fields 14 and 15 of proc_pid_stat(5). */
function processorTime(pids: readonly number[]): number {
  const ticks = pids.flatMap((pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return [Number(fields[11]), Number(fields[12])];
  });
  return ticks.reduce((sum, one) => sum + one, 0) * TICK_MS;
}
