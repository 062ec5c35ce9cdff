/** `npm run server -- --config FILE`: the reference bank. */

import { Command } from 'commander';
import { MunimentError } from 'muniment';
import { createIdentity, importKeys, readAnchor, verifyCredential } from 'muniment/keys';
import { logKeysOf, parseNoteKey, verifyCharter, type LogKeys, type LogSigner } from 'muniment/record';
import { equalBytes } from 'muniment/wire';
import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import { annexNames, AnnexStore } from './annexes.ts';
import { buildApp } from './http/app.ts';
import { codeOf } from './http/refused.ts';
import { Bank, type BankParts } from './bank.ts';
import { readConfig, type Config } from './config.ts';
import { importLogKeys } from './log-keys.ts';
import { Sessions } from './sessions.ts';
import type { Engine } from './store/engine.ts';
import { openPostgres } from './store/postgres.ts';
import { openSqlite } from './store/sqlite.ts';

/** For how long another process may take to name what was uploaded, in milliseconds. */
const DAY = 86_400_000;

const program = new Command('muniment-server')
  .description('the reference bank: keeps sealed, signed, chained records, and reads none')
  .requiredOption('--config <file>', 'configuration file, JSON');

try {
  await run(readConfig(program.parse().opts<{ config: string }>().config));
} catch (error) {
  process.stderr.write(`muniment-server: ${explain(error)}\n`);
  process.exitCode = 1;
}

async function run(config: Config): Promise<void> {
  const logger = pino({ level: config.logLevel });
  const { identity, anchor, log } = await readIdentity(config);
  const tls = {
    cert: read(config.tls.certificate),
    key: read(config.tls.key),
    ca: read(config.tls.clientAuthority),
  };
  const engine = await openStore(config, (error) => {
    logger.error({ event: 'database', code: codeOf(error) });
  });
  const annexes = new AnnexStore(
    config.dataFolder,
    await annexNames(engine.reading),
    config.store.engine === 'sqlite' ? 0 : DAY,
  );
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const releaseTime = config.releaseMinutes * 60_000;
  const { now } = clock;
  const report = (error: unknown): void => {
    logger.warn({ event: 'request ended', code: codeOf(error) });
  };
  const bank = new Bank({
    identity,
    anchor,
    log,
    witnesses: config.witnesses.map(({ url, key }) => ({ url, key: parseNoteKey(key) })),
    engine,
    annexes,
    now,
    releaseTime,
    report,
  });
  const recovered = await bank.recover();
  const app = buildApp({
    tls,
    sessions: new Sessions(bank, identity, clock),
    annexes,
    logger,
  });

  const stop = async (signal: string): Promise<void> => {
    logger.info({ event: 'stopping', signal });
    await app.close();
    await engine.close();
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, (name) => void stop(name));
  try {
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    await engine.close();
    throw error;
  }
  const [address] = app.addresses();
  logger.info({ event: 'listening', port: typeof address === 'object' ? address.port : null, recovered });
}

function openStore({ store, dataFolder }: Config, report: (error: Error) => void): Promise<Engine> {
  if (store.engine === 'sqlite') return openSqlite(dataFolder);
  const { host, port, database, user, passwordFile, tls } = store;
  const ssl = tls !== null && { ca: read(tls.authority), cert: read(tls.certificate), key: read(tls.key) };
  const password = read(passwordFile).trimEnd();
  return Promise.resolve(openPostgres({ host, port, database, user, password, ssl }, report));
}

async function readIdentity(config: Config): Promise<Pick<BankParts, 'identity' | 'anchor' | 'log'>> {
  const anchor = readAnchor(
    readBytes(config.anchor.credential),
    Uint8Array.from(Buffer.from(config.anchor.id, 'hex')),
  );
  const passphrase = read(config.identity.passphraseFile).trimEnd();
  const keys = await importKeys(read(config.identity.keys), passphrase);
  const credential = verifyCredential(readBytes(config.identity.credential), anchor, Date.now());
  const log = await importLogKeys(read(config.log.keys), passphrase, config.origin);
  const charter = verifyCharter(readBytes(config.log.charter), anchor, config.origin);
  if (!equalBytes(charter.bank, credential.id) || !hasKeys(charter.log, log))
    throw new Error('the charter is of another bank, or of a log with other keys');
  return { identity: createIdentity(keys, credential), anchor, log };
}

function hasKeys({ ed25519, mlDsa44 }: LogKeys, signer: LogSigner): boolean {
  const own = logKeysOf(signer);
  if (mlDsa44 === null || own.mlDsa44 === null) return false;
  return equalBytes(ed25519, own.ed25519) && equalBytes(mlDsa44, own.mlDsa44);
}

function read(file: string): string {
  return readBytes(file).toString('utf8');
}

function readBytes(file: string): Buffer {
  return readFileSync(file);
}

function explain(error: unknown): string {
  if (error instanceof MunimentError) return error.message;
  if (!(error instanceof Error)) return 'unknown error';
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return 'the port is taken; choose another one in the configuration';
  if (
    code === 'EACCES' ||
    code === 'EPERM' ||
    code === 'EROFS' ||
    code === 'ENOTDIR' ||
    code === 'ENOSPC' ||
    code === 'SQLITE_CANTOPEN' ||
    code === 'SQLITE_READONLY'
  ) {
    return `the data folder or a file cannot be used: ${error.message}`;
  }
  return error.message;
}
