import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { cost, type Attempt } from '../../bench/cost.ts';
import { count, measure, type Result } from '../../bench/measure.ts';
import { tables, trialLines } from '../../bench/report.ts';
import { judge, judgeTrial, type Target } from '../../bench/targets.ts';

describe('measure', () => {
  afterEach(() => vi.restoreAllMocks());

  it('sets slow against fast, synchronous and not, round by round', async () => {
    // A clock that only work moves, on a machine that interrupts nobody.
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const usage = process.resourceUsage();
    vi.spyOn(process, 'resourceUsage').mockReturnValue(usage);
    const order: string[] = [];
    const work = (milliseconds: number): void => {
      now += milliseconds;
    };
    const result = await measure({
      name: 'working',
      baseline: 'fast',
      rows: {
        fast: { run: () => work(1), before: () => order.push('fast') },
        slow: { run: async () => work(4), before: () => order.push('slow') },
      },
    });
    expect(result.rounds).toBeGreaterThanOrEqual(9);
    expect(result.rows['fast']).toEqual({ median: 1000, p25: 1000, p75: 1000, ratio: 1 });
    expect(result.rows['slow']).toEqual({ median: 4000, p25: 4000, p75: 4000, ratio: 4 });
    const rounds = order.slice(-2 * result.rounds);
    expect(rounds.slice(0, 4)).toEqual(['fast', 'slow', 'slow', 'fast']);
    expect(rounds.filter((name) => name === 'slow')).toHaveLength(result.rounds);
  });

  it('runs what takes seconds in the first rounds only, and without a warm-up', async () => {
    let calls = 0;
    const rows = { fast: { run: () => undefined }, slow: { run: () => calls++, rounds: 2 } };
    const result = await measure({ name: 'long', baseline: 'fast', rows });
    expect(result.rounds).toBeGreaterThanOrEqual(9);
    expect(calls % 2).toBe(0); // an untimed one before each timed one
    expect(calls).toBeLessThanOrEqual(2 * 2 * 4);
    expect(result.rows['slow']?.ratio).toBeGreaterThanOrEqual(0);
  });

  it('sets sizes against each other', () => {
    const sizes = count({ name: 'x', baseline: 'a', unit: 'bytes', counts: { a: 200, b: 300 } });
    const of = (size: number, ratio: number) => ({ median: size, p25: size, p75: size, ratio });
    expect(sizes).toMatchObject({ unit: 'bytes', rows: { a: of(200, 1), b: of(300, 1.5) } });
    expect(tables('job', [sizes])).toContain('| x   | 1.00 · 200 B | 1.50 · 300 B |');
    expect(() => count({ name: 'x', baseline: 'a', unit: 'bytes', counts: {} })).toThrow(RangeError);
  });

  it('refuses a contest whose baseline does not take part', async () => {
    await expect(measure({ name: 'none', baseline: 'bare', rows: {} })).rejects.toThrow(RangeError);
  });
});

describe('judge', () => {
  const timing = (ratio: number) => ({ median: ratio, p25: ratio, p75: ratio, ratio });
  const rows = { bare: timing(1), native: timing(1.15), portable: timing(11.5) };
  const results: Result[] = [{ name: 'sign', baseline: 'bare', rounds: 9, rows }];
  const target: Target = {
    job: 'crypto',
    contest: 'sign',
    ratio: ['native', 'bare'],
    bound: ['at most', 1.15],
    node: 20,
  };
  const verdict = (change: Partial<Target>) => judge([{ ...target, ...change }], results, 20)[0];

  it('holds a bound that is just reached, in either direction', () => {
    expect(verdict({})).toEqual({ ...target, measured: 1.15, verdict: 'holds' });
    expect(verdict({ bound: ['at most', 1.14] })?.verdict).toBe('missed');
    const faster = { ratio: ['portable', 'native'] } as const;
    expect(verdict({ ...faster, bound: ['at least', 9.9] })?.verdict).toBe('holds');
    expect(verdict({ ...faster, bound: ['at least', 10.1] })?.verdict).toBe('missed');
  });

  it('takes the least of several rows, and none of them may be missing', () => {
    expect(verdict({ ratio: [['portable', 'native'], 'bare'] })?.measured).toBe(1.15);
    expect(verdict({ ratio: ['portable', ['native', 'portable']] })?.measured).toBeCloseTo(10);
    expect(verdict({ ratio: ['bare', ['native', 'sodium']] })).toMatchObject({
      measured: null,
      verdict: 'missed',
    });
  });

  it('counts what was not measured as missed, another Node as another Node', () => {
    expect(verdict({ contest: 'verify' })).toMatchObject({ measured: null, verdict: 'missed' });
    expect(verdict({ ratio: ['sodium', 'bare'] })).toMatchObject({ measured: null, verdict: 'missed' });
    expect(verdict({ node: 24, bound: ['at most', 1] })?.verdict).toBe('other Node');
  });
});

describe('cost', () => {
  afterEach(() => vi.restoreAllMocks());

  it('is the least of a few calls, or of fewer that take long', () => {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const calls = (...milliseconds: number[]) => {
      let call = 0;
      return () => {
        now += milliseconds[call++ % milliseconds.length] ?? NaN;
      };
    };
    expect(cost(calls(5, 90, 6, 7, 4)).milliseconds).toBe(4);
    expect(cost(calls(600, 1)).milliseconds).toBe(600);
  });

  it.each([
    ['on the heap', () => Array.from({ length: 262_144 }, (_, index) => ({ index }))],
    ['beside it', () => new Uint8Array(8 * 1_048_576)],
    ['as a string', () => Buffer.alloc(8 * 1_048_576, 'a').toString('latin1')],
  ])('finds memory %s, and that it is gone again', (_, take) => {
    const held: unknown[] = [];
    expect(cost(() => held.push(take())).mebibytes).toBeGreaterThan(7);
    held.length = 0;
    expect(cost(() => undefined).mebibytes).toBeLessThan(1);
  });
});

describe('judgeTrial', () => {
  const attempt = (name: string, milliseconds: number, mebibytes: number): Attempt => ({
    name,
    cost: { milliseconds, mebibytes },
  });
  const bound = { milliseconds: 20, mebibytes: 16 };

  it('names the slowest and the largest attempt, and each that is beyond the bound', () => {
    const attempts = [attempt('a', 1, 16), attempt('b', 20, 2), attempt('c', 3, 3)];
    const verdict = judgeTrial('envelope', attempts, bound);
    expect(verdict).toMatchObject({ attempts: 3, beyond: [], verdict: 'holds' });
    expect(trialLines(verdict)).toEqual([
      'holds       envelope: 3 attacks: slowest b: 20.0 ms, 2.00 MiB; largest a: 1.00 ms, 16.0 MiB (each at most 20 ms and 16 MiB)',
    ]);

    const worse = judgeTrial('envelope', [...attempts, attempt('d', 20.1, 1), attempt('e', 1, 17)], bound);
    expect(worse).toMatchObject({ verdict: 'missed', beyond: [{ name: 'd' }, { name: 'e' }] });
    expect(trialLines(worse)).toEqual([
      expect.stringMatching(/^missed {6}envelope: 5 attacks: slowest d: .*; largest e: /),
      'missed      envelope: d: 20.1 ms, 1.00 MiB',
      'missed      envelope: e: 1.00 ms, 17.0 MiB',
    ]);
  });

  it('counts what was not measured as missed', () => {
    expect(judgeTrial('envelope', [], bound).verdict).toBe('missed');
    expect(judgeTrial('envelope', [attempt('a', NaN, 1)], bound).verdict).toBe('missed');
    expect(() => judgeTrial('crypto', [])).toThrow(RangeError);
  });
});

describe('tables', () => {
  it('puts contests into one table if they have rows in common', () => {
    const timing = { median: 1, p25: 1, p75: 1, ratio: 1 };
    const result = (name: string, ...titles: string[]): Result => ({
      name,
      baseline: titles[0] ?? '',
      rounds: 9,
      rows: Object.fromEntries(titles.map((title) => [title, timing])),
    });
    const cells = (line: string) => line.split('|').map((cell) => cell.trim());
    const printed = tables('job', [result('x', 'a', 'b'), result('y', 'b'), result('z', 'c')]);
    const [first, second, ...more] = printed.split('\n\n').map((table) => table.split('\n').map(cells));
    expect(more).toEqual([]);
    expect(first?.[0]).toEqual(['', 'job', 'a', 'b', '']);
    expect(first?.slice(2).map(([, name]) => name)).toEqual(['x', 'y']);
    expect(first?.[3]).toEqual(['', 'y', '', '1.00 · 1.00 µs ±0%', '']);
    expect(second?.[0]).toEqual(['', 'job', 'c', '']);
    expect(second?.slice(2).map(([, name]) => name)).toEqual(['z']);
  });
});

describe('npm run bench', () => {
  it.each([
    [['no-such-job'], 'no job named no-such-job'],
    [['--chek'], "Unknown option '--chek'"],
  ])('refuses %j and says what there is', async (args, message) => {
    const command = ['-C', 'muniment-source', '--import', 'tsx', 'bench/run.ts', ...args];
    await expect(promisify(execFile)(process.execPath, command)).rejects.toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(new RegExp(`^bench: ${message}[^]*jobs: annex, crypto`)),
    });
  });
});
