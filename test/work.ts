/**
 * Work, counted and not timed: how often each block of code ran while a function did, and how many characters or bytes
 * the platform's own functions walked for it. The same on every machine, so that a bound on it can be a test.
 *
 * Left out: the tests' own code and Node's; concatenation, of which there is at most one for each block; and how often
 * a regular expression goes back over what it read, which V8 does not tell.
 */

import { Session, type Profiler } from 'node:inspector';

/** The work of one call. */
export interface Work {
  /** Blocks of code that ran, those of dependencies too. */
  readonly blocks: number;
  /** Characters and bytes that functions of the platform went through. */
  readonly walked: number;
}

// One session for all: what is compiled while nobody counts has no counters.
const session = new Session();
session.connect();
session.post('Profiler.enable');
session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });

/** Counts the work of `run`; whatever it throws comes out. */
export function workOf(run: () => void): Work {
  const watch = watchPlatform();
  try {
    taken(); // what ran until now
    run();
    const blocks = taken()
      .filter(({ url }) => url.startsWith('file:') && !url.includes('/test/'))
      .flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges))
      .reduce((sum, { count }) => sum + count, 0);
    return { blocks, walked: watch.walked() };
  } finally {
    watch.end();
  }
}

function taken(): Profiler.ScriptCoverage[] {
  let scripts: Profiler.ScriptCoverage[] = [];
  session.post('Profiler.takePreciseCoverage', (error, answer) => {
    if (error !== null) throw error;
    scripts = answer.result;
  });
  return scripts;
}

/** What a call costs, from above: of its receiver, its parameters and its result. */
type Cost = (self: { length: number }, parameters: unknown[], result: unknown) => number;

const whole: Cost = (self) => self.length;
const result: Cost = (_self, _parameters, text) => (text as string).length;
const given: Cost = (_self, [first]) => (first as { length: number }).length;
// Up to where it was found.
const found: Cost = (self, [needle, from], at) =>
  Math.max(0, ((at as number) < 0 ? self.length : (at as number)) - Number(from ?? 0)) +
  (needle as string).length;

const COSTS: readonly (readonly [object, Readonly<Record<string, Cost>>])[] = [
  [
    String.prototype,
    {
      indexOf: found,
      includes: whole,
      lastIndexOf: (self, [needle, from], at) =>
        Math.min(self.length, Number(from ?? self.length)) - (at as number) + (needle as string).length,
      startsWith: given,
      endsWith: given,
      slice: result,
      substring: result,
      substr: result,
      trim: whole,
      trimStart: whole,
      replace: whole,
      replaceAll: whole,
      split: whole,
    },
  ],
  [TextDecoder.prototype, { decode: given }],
  [TextEncoder.prototype, { encode: given }],
  [Buffer.prototype, { write: given, toString: whole }],
  [Object.getPrototypeOf(Uint8Array.prototype) as object, { set: given, slice: whole, fill: whole }],
];

type Method = (this: unknown, ...parameters: unknown[]) => unknown;

/** Puts functions that count in place of the platform's own, until `end`. */
function watchPlatform(): { walked(): number; end(): void } {
  let walked = 0;
  const undo: (() => void)[] = [];
  const replace = (owner: object, name: string, make: (method: Method) => Method): void => {
    const own = Object.getOwnPropertyDescriptor(owner, name)!;
    Object.defineProperty(owner, name, { ...own, value: make(own.value as Method) });
    undo.push(() => void Object.defineProperty(owner, name, own));
  };
  for (const [owner, costs] of COSTS) {
    for (const [name, cost] of Object.entries(costs)) {
      replace(
        owner,
        name,
        (method) =>
          function (...parameters) {
            const outcome = method.apply(this, parameters);
            walked += cost(this as string, parameters, outcome);
            return outcome;
          },
      );
    }
  }
  // Every method that takes a regular expression calls this one, as soon as it is not the platform's own.
  replace(
    RegExp.prototype,
    'exec',
    (method) =>
      function (text) {
        const regex = this as RegExp;
        const from = regex.global || regex.sticky ? regex.lastIndex : 0;
        const match = method.call(regex, text) as RegExpExecArray | null;
        // One that is sticky looks at one place; split() uses such, and asks at each.
        const end = regex.sticky ? from + 1 : (text as string).length;
        walked += (match === null ? end : match.index + match[0].length) - from;
        return match;
      },
  );
  return { walked: () => walked, end: () => undo.forEach((one) => one()) };
}
