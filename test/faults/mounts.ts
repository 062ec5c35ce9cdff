/**
 * Small disks of one's own, for which it takes root: full, or read-only at a moment's notice. They are in memory: what is
 * tried is a disk that fails, and not how long the machine's own disk, which others use too, takes over each flush.
 */

import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { pause } from './postgres.ts';

/** What a file system of the memory needs for itself, in MiB. */
const SPARE = 8;

/** A folder on a disk of its own. */
export class SmallDisk {
  readonly folder: string;
  readonly #memory: string;

  /** Makes one of so many MiB, mounted on a new folder. */
  constructor(folder: string, size: number) {
    [this.folder, this.#memory] = [folder, `${folder}.memory`];
    mkdirSync(folder);
    mkdirSync(this.#memory);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${String(size + SPARE)}M`, 'memory', this.#memory]);
    writeFileSync(this.#image, '');
    truncateSync(this.#image, size * 1024 ** 2);
    execFileSync('mkfs.ext4', ['-q', '-m', '0', this.#image]);
    this.#mount();
  }

  /** Takes all the room that is left; what the file system had only promised to others, too. */
  fill(): void {
    const file = openSync(this.#filler, 'w');
    try {
      for (const size of [1024 ** 2, 4096, 4096]) {
        takeAll(file, Buffer.alloc(size, 1));
        execFileSync('sync', ['-f', this.folder]);
      }
    } finally {
      closeSync(file);
    }
  }

  /** Gives it back, for good: were that in memory alone, a disk that fails next would come back full. */
  empty(): void {
    rmSync(this.#filler);
    execFileSync('sync', ['-f', this.folder]);
  }

  /** What a kernel does when a disk fails: files that are open can be written to no more. */
  fail(): void {
    execFileSync('mount', ['-o', 'remount,abort', this.folder], { stdio: 'ignore' });
  }

  /** Mounts it anew, once nobody uses it any more. */
  async repair(): Promise<void> {
    await unmount(this.folder);
    this.#mount();
    // As long as another mount namespace has the old one mounted, the new one is the same, and fails as that does.
    const trial = path.join(this.folder, 'trial');
    writeFileSync(trial, '');
    rmSync(trial);
  }

  async remove(): Promise<void> {
    await unmount(this.folder);
    await unmount(this.#memory);
  }

  get #image(): string {
    return path.join(this.#memory, 'image');
  }

  get #filler(): string {
    return path.join(this.folder, 'filler');
  }

  #mount(): void {
    execFileSync('mount', ['-o', 'loop', this.#image, this.folder]);
  }
}

async function unmount(folder: string): Promise<void> {
  for (;;) {
    try {
      execFileSync('umount', [folder], { stdio: 'ignore' });
      return;
    } catch {
      await pause(20);
    }
  }
}

function takeAll(file: number, chunk: Uint8Array): void {
  try {
    for (;;) writeSync(file, chunk);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
