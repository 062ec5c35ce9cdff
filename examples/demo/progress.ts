/** A progress bar for the demo's slow steps, over cli-progress. Quick steps, files and pipes never see one. */

import { SingleBar } from 'cli-progress';

/** A step that is over sooner than this, in milliseconds, shows no bar. */
export const PATIENCE = 1_000;

const FORMAT = '{label} [{bar}] {value}/{total} | {eta_formatted}';

/** Shows how far one step at a time has come. */
export interface Progress {
  /** Begins a step; a step still under way ends. */
  start(label: string, total: number): void;
  /** Counts `count` units of the step as done, one unless given. Without a step it does nothing. */
  advance(count?: number): void;
  /** Ends the step and wipes the bar off the screen. Call it in a `finally`: a bar on the screen keeps the process alive. */
  stop(): void;
}

/**
 * Makes a progress bar.
 *
 * @param stream - where to draw: `process.stderr`, so that standard output stays clean. What is not a terminal stays untouched
 * @param enabled - false for a bar that is never drawn, as a quiet run asks for
 */
export function createProgress(stream: NodeJS.WriteStream, enabled: boolean): Progress {
  // A stream that is no terminal has no isTTY at all, whatever its type says.
  const visible = enabled && (stream as { isTTY?: boolean }).isTTY === true;
  return new DelayedBar(visible ? new SingleBar({ stream, ...OPTIONS }) : undefined);
}

/**
 * `linewrap: true` cuts the line to the terminal's width, where cli-progress otherwise switches the terminal's wrapping off; so
 * no setting is there to be restored and an interrupt needs no handler, which would keep it from ending the process.
 */
const OPTIONS = { format: FORMAT, clearOnComplete: true, linewrap: true, gracefulExit: false };

interface Step {
  readonly label: string;
  readonly total: number;
  readonly showFrom: number;
  readonly timer: NodeJS.Timeout;
  done: number;
}

class DelayedBar implements Progress {
  readonly #bar: SingleBar | undefined;
  #step: Step | undefined;

  constructor(bar: SingleBar | undefined) {
    this.#bar = bar;
  }

  start(label: string, total: number): void {
    this.stop();
    if (this.#bar === undefined) return;
    const timer = setTimeout(() => this.#show(), PATIENCE);
    timer.unref();
    this.#step = { label, total, showFrom: performance.now() + PATIENCE, timer, done: 0 };
  }

  advance(count = 1): void {
    if (this.#step === undefined) return;
    this.#step.done += count;
    // A step that never waits gives the timer no turn.
    if (performance.now() >= this.#step.showFrom) this.#show();
    this.#bar?.update(this.#step.done);
  }

  stop(): void {
    clearTimeout(this.#step?.timer);
    this.#step = undefined;
    this.#bar?.stop();
  }

  #show(): void {
    if (this.#step === undefined || this.#bar?.isActive === true) return;
    this.#bar?.start(this.#step.total, this.#step.done, { label: this.#step.label });
  }
}
