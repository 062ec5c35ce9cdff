/**
 * Two hours' worth of random operations by fifty people, against a model of what each may see: no difference. In full
 * that is three thousand operations on each engine, one every 2.4 seconds of the play's own clock.
 */

import { expect, it } from 'vitest';
import { figuresOf, stagePlay } from '../examples/model/staged.ts';
import { ENGINES } from '../examples/store/engines.ts';
import { figure, FULL, SEED } from './settings.ts';

const LENGTH = FULL
  ? { operations: 3000, owners: 10, sweeps: 3, share: 1 }
  : { operations: 300, owners: 6, sweeps: 1, share: 0.2 };

it.each(ENGINES)('%s', async (engine) => {
  const started = performance.now();
  const cpu = process.cpuUsage();
  const played = await stagePlay(engine, { ...LENGTH, seed: SEED });
  const { user, system } = process.cpuUsage(cpu);
  const seconds = [(performance.now() - started) / 1000, (user + system) / 1e6].map((one) => one.toFixed(0));
  figure(`model on ${engine}, seed ${String(SEED)}, ${String(LENGTH.operations)} operations: no difference`);
  for (const line of figuresOf(played)) figure(`model on ${engine}: ${line}`);
  figure(`model on ${engine}: ${seconds.join(' s, of processor time ')} s`);
  expect(played.compared.fields).toBeGreaterThan(LENGTH.operations);
});
