/** Small disks of one's own, for which it takes root: full, or read-only at a moment's notice. */

import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { pause } from './postgres.ts';

/** A folder on a disk of its own. */
export class SmallDisk {
  readonly folder: string;
  readonly #image: string;

  /** Makes one of so many MiB, mounted on a new folder. */
  constructor(folder: string, size: number) {
    [this.folder, this.#image] = [folder, `${folder}.image`];
    mkdirSync(folder);
    writeFileSync(this.#image, '');
    execFileSync('truncate', ['-s', `${String(size)}M`, this.#image]);
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

  /** Gives it back. */
  empty(): void {
    rmSync(this.#filler);
  }

  /** What a kernel does when a disk fails: files that are open can be written to no more. */
  fail(): void {
    execFileSync('mount', ['-o', 'remount,abort', this.folder], { stdio: 'ignore' });
  }

  /** Mounts it anew, once nobody uses it any more. */
  async repair(): Promise<void> {
    await this.#unmount();
    this.#mount();
  }

  async remove(): Promise<void> {
    await this.#unmount();
    rmSync(this.#image);
  }

  get #filler(): string {
    return path.join(this.folder, 'filler');
  }

  #mount(): void {
    execFileSync('mount', ['-o', 'loop', this.#image, this.folder]);
  }

  async #unmount(): Promise<void> {
    for (;;) {
      try {
        execFileSync('umount', [this.folder], { stdio: 'ignore' });
        return;
      } catch {
        await pause(20);
      }
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
