/** A bank brought back from a backup, and what proves that nothing is missing. docs/administration.md, "Backup and restore". */

import { toHex } from 'muniment/wire';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { CliError } from '../../client/cli/error.ts';
import { writeWhole } from '../../client/cli/files.ts';
import { readConfig, type Config } from '../../server/config.ts';
import { counted } from '../../server/counted.ts';
import { RESTORED_FILE } from '../../server/restored.ts';
import { checkBank } from '../check/check.ts';
import { tell } from '../check/command.ts';
import { openSource, readTrust } from '../check/config.ts';
import { readOutside } from '../check/outside.ts';
import { openSqliteSource, type Source } from '../check/source.ts';
import type { BankTrust } from '../check/trust.ts';
import { bringBack, isTaken } from './bring-back.ts';
import { synced } from './durable.ts';
import { readLog, verifyOwnCheckpoint, type LogState } from './log.ts';
import { readBackup, type Manifest } from './manifest.ts';

/** What a restoration is told. */
export interface RestoreOptions {
  /** The backup's folder. */
  readonly from: string;
  /** The server's configuration. */
  readonly config: string;
  /** Files of checkpoints that others hold. */
  readonly checkpoint: readonly string[];
  /** Whether the bank may go on although others may have seen more. */
  readonly acceptLoss: boolean;
}

/** A checkpoint that somebody else holds. */
interface Held extends LogState {
  readonly from: string;
  readonly text: string;
}

/** Restores a bank. The server does not start before it is proved whole, or its loss accepted. Throws `CliError`. */
export async function restore(options: RestoreOptions, say: (line: string) => void): Promise<void> {
  const [trust, config] = [readTrust(options.config), readConfig(options.config)];
  const open = (): Promise<Source> => openSource(options.config);
  const { manifest, file } = await readBackup(options.from);
  if (manifest.origin !== trust.origin) throw new CliError('the backup is of another bank');
  const held = readOutside(options.checkpoint, []).checkpoints.map((one) => verifyHeld(one, trust));
  const signed = await verifyStated(openSqliteSource(file), manifest, trust);
  const mark = new Mark(config);
  if (await isTaken(config, open)) {
    // A second try finds what the first one has brought, and nothing else.
    if (mark.backup() !== manifest.file.sha256)
      throw new CliError('there is a bank already, and it is left as it is');
    await verifyStated(await open(), manifest, trust);
  } else {
    mark.set(manifest, null);
    await bringBack(config, file, open);
    say(
      `brought back: a log of ${counted(manifest.log.size, 'leaf', 'leaves')}, as it was at ${manifest.time}`,
    );
  }
  await prove({ open, trust, manifest, held, say });
  const missing = missingOf(held, manifest);
  if (missing !== null) mark.set(manifest, missing);
  decide({ missing, held, floor: signed?.size ?? manifest.log.size }, options.acceptLoss, say);
  mark.remove();
  say('the server may be started');
}

function verifyHeld(
  { text, from }: { readonly text: string; readonly from: string },
  trust: BankTrust,
): Held {
  try {
    return { ...verifyOwnCheckpoint(text, trust), text, from };
  } catch (cause) {
    throw new CliError(`${from} is no checkpoint of this bank's log`, { cause });
  }
}

// The log is what the manifest says, and goes on from the checkpoint that stands there.
async function verifyStated(
  source: Source,
  { log, checkpoint }: Manifest,
  trust: BankTrust,
): Promise<LogState | null> {
  const { size, root, checkpoint: stored } = await readLog(source, trust).finally(() => source.close());
  if (size !== log.size || toHex(root) !== log.root || stored !== checkpoint)
    throw new CliError('the log is not what the manifest says');
  return checkpoint === null ? null : verifyOwnCheckpoint(checkpoint, trust);
}

interface Proof {
  readonly open: () => Promise<Source>;
  readonly trust: BankTrust;
  readonly manifest: Manifest;
  readonly held: readonly Held[];
  readonly say: (line: string) => void;
}

// All of `check`, with those of others' checkpoints that the log can bear out.
async function prove({ open, trust, manifest, held, say }: Proof): Promise<void> {
  const covered = held.filter(({ size }) => size <= manifest.log.size);
  const source = await open();
  const checked = await checkBank(source, trust, { checkpoints: covered, receipts: [] }).finally(() =>
    source.close(),
  );
  tell(checked, say);
  if (checked.wrong > 0)
    throw new CliError(`the restored bank is not as it was signed: ${counted(checked.wrong, 'thing')} wrong`);
}

/** Leaves that somebody has the bank's word for, and the backup does not have. */
interface Missing {
  readonly first: number;
  readonly last: number;
  /** Whose checkpoint says so. */
  readonly by: string;
}

function missingOf(held: readonly Held[], { log }: Manifest): Missing | null {
  const [longest] = [...held].sort((a, b) => b.size - a.size);
  if (longest === undefined || longest.size <= log.size) return null;
  return { first: log.size, last: longest.size - 1, by: longest.from };
}

function decide(
  {
    missing,
    held,
    floor,
  }: { readonly missing: Missing | null; readonly held: readonly Held[]; readonly floor: number },
  acceptLoss: boolean,
  say: (line: string) => void,
): void {
  const lost =
    missing === null
      ? null
      : `leaves ${missing.first} to ${missing.last} of the log are missing, by the checkpoint in ${missing.by}`;
  if (acceptLoss) {
    say(lost ?? 'what came after the backup, if anything did, is lost');
    return;
  }
  if (lost !== null) throw new CliError(lost);
  if (!held.some(({ size }) => size >= floor))
    throw new CliError(
      `nobody says that nothing came after: give a --checkpoint of ${floor} leaves or more that a witness or client holds, or --accept-loss`,
    );
}

/** The mark on a restored bank, in its data folder. */
class Mark {
  readonly #folder: string;
  readonly #file: string;

  constructor({ dataFolder }: Config) {
    [this.#folder, this.#file] = [dataFolder, path.join(dataFolder, RESTORED_FILE)];
  }

  /** The digest of the backup that was being brought back; `null` if there is no mark. */
  backup(): string | null {
    try {
      const { backup } = JSON.parse(readFileSync(this.#file, 'utf8')) as { backup?: unknown };
      return typeof backup === 'string' ? backup : null;
    } catch {
      return null;
    }
  }

  /** Sets it, before any row is there. */
  set({ file, time, log }: Manifest, missing: Missing | null): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const mark = { format: 'muniment restored 1', backup: file.sha256, time, log, missing };
    writeWhole(this.#file, `${JSON.stringify(mark, null, 2)}\n`);
    synced(this.#folder);
  }

  /** Takes it away. */
  remove(): void {
    rmSync(this.#file);
    synced(this.#folder);
  }
}
