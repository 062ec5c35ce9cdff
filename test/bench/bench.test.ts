import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { measure, type Result } from '../../bench/measure.ts';
import { judge, type Target } from '../../bench/targets.ts';

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

  it('counts what was not measured as missed, another Node as another Node', () => {
    expect(verdict({ contest: 'verify' })).toMatchObject({ measured: null, verdict: 'missed' });
    expect(verdict({ ratio: ['sodium', 'bare'] })).toMatchObject({ measured: null, verdict: 'missed' });
    expect(verdict({ node: 24, bound: ['at most', 1] })?.verdict).toBe('other Node');
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
      stderr: expect.stringMatching(new RegExp(`^bench: ${message}[^]*jobs: crypto`)),
    });
  });
});
