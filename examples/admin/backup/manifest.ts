/** What a backup says of itself: `manifest.json` beside its database. docs/administration.md, "Backup and restore". */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { CliError } from '../../client/cli/error.ts';
import { readForm } from '../../client/cli/files.ts';
import { SQLITE_FILE } from '../../server/store/sqlite.ts';
import { openSqliteSource, type Source } from '../check/source.ts';

/** The manifest's name in a backup. */
export const MANIFEST_FILE = 'manifest.json';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const form = z.strictObject({
  format: z.literal('muniment backup 1'),
  origin: z.string(),
  /** When it was begun. */
  time: z.iso.datetime(),
  /** The log in it. */
  log: z.strictObject({ size: z.int().min(0), root: hash }),
  /** The newest checkpoint that the bank had signed and kept; `null` if there was none. */
  checkpoint: z.string().nullable(),
  file: z.strictObject({ name: z.literal(SQLITE_FILE), length: z.int().min(0), sha256: hash }),
});

/** A backup's manifest. */
export type Manifest = z.output<typeof form>;

/** Reads a backup's manifest, and holds its database against it. Throws `CliError`. */
export async function readBackup(folder: string): Promise<{ manifest: Manifest; file: string }> {
  const manifest = readForm(path.join(folder, MANIFEST_FILE), form);
  const file = path.join(folder, manifest.file.name);
  const { length, sha256 } = await measure(file);
  if (length !== manifest.file.length || sha256 !== manifest.file.sha256)
    throw new CliError(`${file} is not what the manifest says: it was damaged or changed`);
  return { manifest, file };
}

/** Opens a backup's database to read it, once it was held against the manifest. Throws `CliError`. */
export async function openBackup(folder: string): Promise<Source> {
  const { file } = await readBackup(folder);
  return openSqliteSource(file);
}

/** A file's length and SHA-256. */
export async function measure(file: string): Promise<{ length: number; sha256: string }> {
  const digest = createHash('sha256');
  let length = 0;
  try {
    for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
      digest.update(chunk);
      length += chunk.length;
    }
  } catch (cause) {
    throw new CliError(`${file} cannot be read`, { cause });
  }
  return { length, sha256: digest.digest('hex') };
}
