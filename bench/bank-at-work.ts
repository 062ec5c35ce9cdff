/** The real bank in processes of its own, a patient's record in it, and users who read it: one conversation each time. */

import { readFileSync, writeFileSync } from 'node:fs';
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
import type { RecordName } from '../examples/client/writing.ts';

/** How many users ask at once. */
export const USERS = 8;
/** Conversations of one wave: each user has two. */
export const WAVE = 2 * USERS;
/** A clock tick of Linux's accounting, in milliseconds. */
const TICK_MS = 10;

/** One user asks more here than one is let otherwise. */
const UNHURRIED = { requestsPerCertificate: 1_000_000, firstMessagesPerCertificate: 1_000_000 };

/** Of the transactions on chains and log. */
export interface Counted {
  /** From the lock to the commit, of all together. */
  readonly seconds: number;
  readonly transactions: number;
  readonly changes: number;
}

/** A bank at work. */
export interface BankAtWork {
  /** A wave of conversations, spread over so many of the bank's processes. */
  wave(processes: number): Promise<void>;
  /** One conversation, and nothing beside it. */
  read(): Promise<void>;
  /** One document of a patient's history, put into the record. */
  insert(): Promise<void>;
  /** Processor time that the bank's processes have used, in milliseconds. Of Linux alone. */
  processorTime(): number;
  /** What all of the bank's processes have counted. */
  counted(): Promise<Counted>;
  /** How one of its users asks. */
  clientOf(role: keyof World['clients']): BankClient;
  readonly world: World;
  readonly record: RecordName;
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
  const one = { ...subject, drafts: subject.drafts.slice(0, 1) };
  const insert = (by: BankClient) =>
    addContents({ ...world, clients: { ...world.clients, doctor: by } }, one, { record, people, progress });
  await insert(doctor);

  await world.server.stop();
  const configuration = configurationOf(world);
  const before = JSON.parse(readFileSync(configuration, 'utf8')) as object;
  writeFileSync(configuration, JSON.stringify({ ...before, operations: { port: 0 }, limits: UNHURRIED }));
  const servers: RunningServer[] = [];
  while (servers.length < processes)
    servers.push(await startServer(configuration, world.serverFolder, enter));
  const place = { recordId: record.recordId, chain: 'content', from: 0, size: null } as const;
  const question = { type: 'read', ...place, purpose: 'benchmark', part: null } as const;
  const at = ({ user, trust, endpoint }: BankClient, { port }: RunningServer = world.server) =>
    new BankClient(user, trust, { ...endpoint, port });
  const read = async (server?: RunningServer) => {
    const { reply } = await at(patient, server).ask<'read'>(question);
    if (reply.items.length < 2 || reply.access === null) throw new Error('the bank answers wrongly');
  };
  return {
    world,
    async wave(among) {
      const users = Array.from({ length: USERS }, async (_, user) => {
        for (let asked = 0; asked < WAVE / USERS; asked += 1) await read(servers[(user + asked) % among]);
      });
      await Promise.all(users);
    },
    read: () => read(servers[0]),
    insert: () => insert(at(doctor, servers[0])),
    processorTime: () => processorTime(startedIn(world, servers).map(({ pid }) => pid)),
    counted: () => counted(startedIn(world, servers).map(({ operations }) => operations)),
    clientOf: (role) => at(world.clients[role], servers[0]),
    record,
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

interface Started {
  readonly pid: number;
  /** The port of the operator's listener. */
  readonly operations: number;
}

/** What the log says of the servers that were started last. */
function startedIn({ serverFolder }: World, servers: readonly RunningServer[]): Started[] {
  const lines = readFileSync(path.join(serverFolder, 'server.log'), 'utf8').split('\n');
  const started = lines.filter((line) => line.includes('"event":"listening"'));
  return started.slice(-servers.length).map((line) => JSON.parse(line) as Started);
}

async function counted(ports: readonly number[]): Promise<Counted> {
  const sum = { seconds: 0, transactions: 0, changes: 0 };
  for (const port of ports) {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const value = (name: string) =>
      Number(new RegExp(`^muniment_commit_${name}\\{of="ledger"\\} (\\S+)`, 'm').exec(text)?.[1] ?? 0);
    sum.seconds += value('seconds_sum');
    sum.transactions += value('seconds_count');
    sum.changes += value('changes_sum');
  }
  return sum;
}

/** User and system time of processes and all their threads, in milliseconds: fields 14 and 15 of proc_pid_stat(5). */
function processorTime(pids: readonly number[]): number {
  const ticks = pids.flatMap((pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return [Number(fields[11]), Number(fields[12])];
  });
  return ticks.reduce((sum, one) => sum + one, 0) * TICK_MS;
}
