/**
 * Conversations with the real bank, over TLS, from this process: handshake, signed request stored, access entry, signed
 * reply, all durable. Beside them the cryptographic calls that they need, made bare, a full mutual TLS handshake, and
 * durable commits of one row; and where the server's time goes.
 */

import SQLite from 'better-sqlite3';
import { ED25519, signatureAlgorithm } from 'muniment/crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { createLogKeys } from '../../examples/server/log-keys.ts';
import { startBank, WAVE, type BankAtWork } from '../bank-at-work.ts';
import { bareEd25519 } from '../bare.ts';
import { bareHpkeMessages } from '../conversations.ts';
import { measureGrowth } from '../growth.ts';
import { measureLoading } from '../loading.ts';
import type { Contest, Row } from '../measure.ts';
import { mutualTls } from '../mutual-tls.ts';
import { profileServer } from '../profile.ts';

const PROCESSES = 4;
/** How often something is done while the ledger's lock is watched. */
const WATCHED = 8;

export async function* server(): AsyncGenerator<Contest> {
  const sqlite = await startBank('sqlite', 1);
  const postgres = await startBank('postgres', PROCESSES);
  const bare = await bareCalls();
  const here = () => process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000;
  const wave = (bank: BankAtWork, processes: number, clock?: () => number): Row => ({
    ...{ each: WAVE, clock },
    run: () => bank.wave(processes),
  });
  // One alone takes from 12 to 25 ms: ML-DSA signs by rejection, as often as it takes.
  const bareWave = async (): Promise<void> => {
    for (let i = 0; i < WAVE; i += 1) await bare();
  };
  try {
    yield {
      name: 'conversation',
      baseline: 'bare calls',
      rows: {
        'bare calls': { run: bareWave, each: WAVE },
        'mutual TLS': { run: await mutualTls('X25519') },
        SQLite: wave(sqlite, 1),
        PostgreSQL: wave(postgres, 1),
        [`PostgreSQL, ${PROCESSES} processes`]: wave(postgres, PROCESSES),
      },
    };
    yield {
      name: "both sides' processors",
      baseline: 'bare calls',
      rows: {
        'bare calls': { run: bareWave, each: WAVE, clock: here },
        SQLite: wave(sqlite, 1, () => here() + sqlite.processorTime()),
        PostgreSQL: wave(postgres, 1, () => here() + postgres.processorTime()),
      },
    };
    yield* commits(postgres);
    const reading = await measureGrowth(sqlite, { run: () => sqlite.wave(1), each: WAVE });
    yield { name: 'what a read leaves', baseline: 'all', unit: 'bytes', counts: reading };
    const writing = await measureGrowth(sqlite, { run: () => sqlite.insert() });
    yield { name: 'what a document leaves', baseline: 'all', unit: 'bytes', counts: writing };
    const held = {
      SQLite: await heldFor(sqlite, () => sqlite.wave(1)),
      PostgreSQL: await heldFor(postgres, () => postgres.wave(1)),
      [`PostgreSQL, ${PROCESSES} processes`]: await heldFor(postgres, () => postgres.wave(PROCESSES)),
    };
    yield { name: "ledger's lock", baseline: 'SQLite', unit: 'microseconds', counts: held };
    const alone = {
      SQLite: await heldFor(sqlite, () => sqlite.read()),
      PostgreSQL: await heldFor(postgres, () => postgres.read()),
    };
    yield { name: "ledger's lock, one user", baseline: 'SQLite', unit: 'microseconds', counts: alone };
    const loading = { SQLite: await measureLoading() };
    yield { name: 'leaf read at the start', baseline: 'SQLite', unit: 'microseconds', counts: loading };
    yield { name: 'where it goes', baseline: 'all', unit: 'microseconds', counts: await profileServer() };
  } finally {
    await sqlite.end();
    await postgres.end();
  }
}

/**
 * What one conversation needs of public-key cryptography, on both sides: a mutual TLS handshake, three HPKE messages, the
 * signatures of request, reply, access entry, receipt, head and checkpoint, the verification of request, reply and the
 * caller's credential. The checkpoint's ML-DSA-44 signature is this library's, on Node 20 portable.
 */
async function bareCalls(): Promise<() => Promise<void>> {
  const tls = await mutualTls('X25519');
  const hpke = bareHpkeMessages();
  const algorithm = signatureAlgorithm(ED25519);
  const secretKey = algorithm.generateSecretKey();
  const ed25519 = bareEd25519(secretKey, algorithm.secretKey(secretKey).publicKey);
  const { mlDsa44 } = createLogKeys();
  const message = Buffer.alloc(600, 7);
  return async () => {
    await tls();
    await hpke(message, message);
    const signatures = Array.from({ length: 6 }, () => ed25519.sign(message));
    for (const signature of signatures.slice(0, 3))
      if (!ed25519.verify(message, signature)) throw new Error('a signature does not verify');
    await mlDsa44.sign(message);
  };
}

/** For how long a conversation holds the ledger's lock, which nobody else can hold meanwhile: microseconds. */
async function heldFor(bank: BankAtWork, deed: () => Promise<void>): Promise<number> {
  const before = await bank.counted();
  for (let time = 0; time < WATCHED; time += 1) await deed();
  const after = await bank.counted();
  return ((after.seconds - before.seconds) * 1e6) / (after.changes - before.changes);
}

async function* commits(bank: BankAtWork): AsyncGenerator<Contest> {
  const folder = mkdtempSync(path.join(tmpdir(), 'muniment-bench-'));
  const file = new SQLite(path.join(folder, 'commits.sqlite'));
  file.pragma('journal_mode = WAL');
  file.pragma('synchronous = FULL');
  file.exec('CREATE TABLE rows (bytes BLOB)');
  const insert = file.prepare('INSERT INTO rows VALUES (?)');
  const { postgres } = bank.world;
  if (postgres === null) throw new Error('this bank is not on PostgreSQL');
  const client = new pg.Client(postgres.owner);
  await client.connect();
  await client.query('CREATE TABLE rows (bytes BYTEA)');
  const row = Buffer.alloc(600, 7);
  try {
    yield {
      name: 'durable commit of a row',
      baseline: 'SQLite',
      rows: {
        SQLite: { run: () => insert.run(row) },
        PostgreSQL: { run: () => client.query('INSERT INTO rows VALUES ($1)', [row]) },
      },
    };
  } finally {
    await client.end();
    file.close();
    rmSync(folder, { recursive: true });
  }
}
