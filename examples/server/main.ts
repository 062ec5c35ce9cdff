/** `npm run server -- --config FILE`: the reference bank. */

import { Command } from 'commander';
import { MunimentError } from 'muniment';
import { parseNoteKey } from 'muniment/record';
import { pino } from 'pino';
import { AnnexStore } from './annexes.ts';
import { Bank } from './bank.ts';
import { readConfig, type Config } from './config.ts';
import { explainEvents } from './explain.ts';
import { buildListeners } from './listening.ts';
import { openIdentity, openRevocations, openStore, readTls } from './opening.ts';
import { codeOf } from './refusal.ts';
import { refuseRestored } from './restored.ts';
import { UPLOAD_GRACE } from './uploading.ts';

interface Options {
  readonly config: string;
  readonly explain: boolean;
}

const program = new Command('muniment-server')
  .description('the reference bank: keeps sealed, signed, chained records, and reads none')
  .requiredOption('--config <file>', 'configuration file, JSON')
  .option('--explain', 'say each step of every conversation in words, on standard error', false);

try {
  const { config, explain } = program.parse().opts<Options>();
  if (explain) explainEvents((line) => process.stderr.write(`${line}\n`));
  await run(readConfig(config));
} catch (error) {
  process.stderr.write(`muniment-server: ${describe(error)}\n`);
  process.exitCode = 1;
}

async function run(config: Config): Promise<void> {
  refuseRestored(config.dataFolder);
  const logger = pino({ level: config.logLevel });
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const { now } = clock;
  const { identity, former, anchor, log } = await openIdentity(config);
  const tls = readTls(config);
  const revocations = await openRevocations(config, now());
  const engine = await openStore(config, (error) => {
    logger.error({ event: 'database', code: codeOf(error) });
  });
  const annexes = new AnnexStore(engine);
  const bank = new Bank({
    ...{ identity, former, anchor, log, engine, annexes, now },
    witnesses: config.witnesses.map(({ url, key }) => ({ url, key: parseNoteKey(key) })),
    releaseTime: config.releaseMinutes * 60_000,
    report: (error) => {
      logger.warn({ event: 'request ended', code: codeOf(error) });
    },
  });
  await annexes.sweep(now() - UPLOAD_GRACE);
  const recovered = await bank.recover();
  await bank.catchUp();
  const behind = { bank, identity, engine, annexes, tls, revocations, clock, logger };
  const listeners = await buildListeners(behind, config.limits);

  const stop = async (signal: string): Promise<void> => {
    logger.info({ event: 'stopping', signal });
    await listeners.close();
    await engine.close();
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, (name) => void stop(name));
  if (revocations !== null) process.on('SIGHUP', () => void listeners.look());
  try {
    const { port, ...others } = await listeners.listen(config);
    logger.info({ event: 'listening', port, recovered, ...others });
  } catch (error) {
    await listeners.close();
    await engine.close();
    throw error;
  }
}

function describe(error: unknown): string {
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
