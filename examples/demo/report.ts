/** Tells what happens, step by step, in plain words and with times; silent when only JSON is wanted. */

import { createProgress, type Progress } from './progress.ts';

/** Says one line about a step. */
export type Say = (line: string) => void;

/** Where steps are told. */
export interface Report {
  readonly progress: Progress;
  /** Runs a step: its title, what it proved, how long it took. */
  step<Result>(title: string, run: (say: Say, progress: Progress) => Promise<Result>): Promise<Result>;
  /** A heading. */
  heading(text: string): void;
}

/** A report on standard output, bars on standard error. */
export function createReport(quiet: boolean): Report {
  const progress = createProgress(process.stderr, !quiet);
  let count = 0;
  const write = (line: string): void => {
    if (!quiet) process.stdout.write(`${line}\n`);
  };
  return {
    progress,
    heading: (text) => {
      count = 0;
      write(`\n${text}\n${'='.repeat(text.length)}`);
    },
    step: async (title, run) => {
      const started = performance.now();
      const lines: string[] = [];
      const number = ++count;
      try {
        const result = await run((line) => lines.push(line), progress);
        progress.stop();
        write(`\n${String(number).padStart(2)}. ${title}  (${duration(performance.now() - started)})`);
        for (const line of lines) write(`      ${line}`);
        return result;
      } catch (error) {
        progress.stop();
        write(`\n${String(number).padStart(2)}. ${title}: FAILED`);
        for (const line of lines) write(`      ${line}`);
        throw error;
      }
    },
  };
}

function duration(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds.toFixed(0)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
