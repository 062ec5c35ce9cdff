import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createProgress, PATIENCE } from '../../examples/demo/progress.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** A stream that claims to be a terminal of 80 columns, or not. */
function fakeStream(isTTY?: boolean) {
  const through = Object.assign(new PassThrough(), isTTY === undefined ? {} : { isTTY, columns: 80 });
  const stream = through as unknown as NodeJS.WriteStream;
  return { stream, written: () => String(through.read() ?? '') };
}

test('a quick step shows nothing', () => {
  const { stream, written } = fakeStream(true);
  const progress = createProgress(stream, true);
  progress.start('Sealing', 10);
  vi.advanceTimersByTime(PATIENCE - 1);
  progress.advance(10);
  progress.stop();
  vi.advanceTimersByTime(10 * PATIENCE);
  progress.advance();
  expect(written()).toBe('');
});

test('a slow step shows its label and count, and wipes them off in the end', () => {
  const { stream, written } = fakeStream(true);
  const progress = createProgress(stream, true);
  progress.start('Sealing', 10);
  progress.advance(3);
  vi.advanceTimersByTime(PATIENCE);
  expect(written()).toMatch(/Sealing \[=+-+\] 3\/10 /);
  progress.advance();
  vi.advanceTimersByTime(PATIENCE);
  expect(written()).toMatch(/Sealing \[=+-+\] 4\/10 /);
  progress.stop();
  expect(written().endsWith('\x1b[1G\x1b[2K')).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test('a slow step that gives timers no turn shows up too', () => {
  const { stream, written } = fakeStream(true);
  const progress = createProgress(stream, true);
  progress.start('Searching', 2);
  vi.setSystemTime(Date.now() + PATIENCE);
  vi.spyOn(performance, 'now').mockReturnValue(performance.now() + PATIENCE);
  progress.advance();
  expect(written()).toMatch(/Searching \[=+-+\] 1\/2 /);
  progress.stop();
});

test('the next step begins its own wait and count', () => {
  const { stream, written } = fakeStream(true);
  const progress = createProgress(stream, true);
  progress.start('Sealing', 10);
  vi.advanceTimersByTime(2 * PATIENCE);
  progress.start('Opening', 5);
  written();
  vi.advanceTimersByTime(PATIENCE - 1);
  expect(written()).toBe('');
  vi.advanceTimersByTime(1);
  expect(written()).toMatch(/Opening \[-+\] 0\/5 /);
  progress.stop();
});

test.each([
  ['a pipe', fakeStream(), true],
  ['a terminal that it is switched off for', fakeStream(true), false],
])('%s shows nothing', (_, { stream, written }, enabled) => {
  const progress = createProgress(stream, enabled);
  progress.start('Sealing', 10);
  vi.advanceTimersByTime(2 * PATIENCE);
  progress.advance(5);
  progress.stop();
  expect(written()).toBe('');
});
