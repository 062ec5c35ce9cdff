/** Files that are there whole or not at all: written under another name, made durable, and then named. */

import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { z } from 'zod';
import { CliError } from './error.ts';

type Content = string | Uint8Array;

/** A file's bytes. */
export function readBytes(file: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(file));
  } catch (cause) {
    throw new CliError(`${file} cannot be read`, { cause });
  }
}

/** A file's text. */
export function readText(file: string): string {
  return Buffer.from(readBytes(file)).toString('utf8');
}

/** A JSON file of a known form. */
export function readForm<Schema extends z.ZodType>(file: string, schema: Schema): z.output<Schema> {
  const text = readText(file);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CliError(`${file} is not JSON`, { cause });
  }
  const result = schema.safeParse(value);
  if (!result.success) throw new CliError(`${file} is not what it should be, or not of this version`);
  return result.data;
}

/** Writes a file, in the place of an older one if there is one; for its owner's eyes unless another mode says otherwise. */
export function writeWhole(file: string, content: Content, mode = 0o600): void {
  named(file, content, (temporary) => {
    chmodSync(temporary, mode);
    renameSync(temporary, file);
  });
}

/** Writes a file that must not be there yet: a link, unlike a rename, replaces nothing. */
export function writeNew(file: string, content: Content): void {
  named(file, content, (temporary) => {
    linkSync(temporary, file);
    rmSync(temporary);
  });
}

/** Writes a folder of files that must not be there yet. */
export function writeFolder(folder: string, files: Readonly<Record<string, Content>>): void {
  refuseExisting(folder);
  const temporary = `${folder}.${randomUUID()}.tmp`;
  try {
    mkdirSync(temporary, { recursive: true, mode: 0o700 });
    for (const [name, content] of Object.entries(files)) writeDurably(path.join(temporary, name), content);
    renameSync(temporary, folder);
  } catch (cause) {
    rmSync(temporary, { recursive: true, force: true });
    throw new CliError(`${folder} cannot be written`, { cause });
  }
}

/** Refuses what is there already, before any work is done. */
export function refuseExisting(file: string): void {
  if (existsSync(file)) throw new CliError(`${file} is there already, and is left as it is`);
}

function named(file: string, content: Content, name: (temporary: string) => void): void {
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    writeDurably(temporary, content);
    name(temporary);
  } catch (cause) {
    rmSync(temporary, { force: true });
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') refuseExisting(file);
    throw new CliError(`${file} cannot be written`, { cause });
  }
}

function writeDurably(file: string, content: Content): void {
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
