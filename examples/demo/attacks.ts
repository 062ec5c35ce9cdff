/** The demo's attacks. Each must be refused, and by the code that names what is wrong. */

import { MunimentError } from 'muniment';
import { Refused } from '../client/bank.ts';
import { forgeries, protocolAttacks } from './attacks/asked.ts';
import { chainAttacks, flippedExport, flippedStore } from './attacks/kept.ts';
import type { Played } from './play.ts';
import type { World } from './world.ts';

/** An attack and what became of it. */
export interface AttackResult {
  readonly name: string;
  readonly refused: boolean;
  readonly code: string;
}

/** Runs every attack on a played world. */
export async function attack(world: World, played: Played, advance: () => void): Promise<AttackResult[]> {
  const attacks = [
    ...flippedExport(world, played),
    ...(await flippedStore(world, played)),
    ...chainAttacks(world, played),
    ...protocolAttacks(world, played),
    ...forgeries(world, played),
  ];
  const results: AttackResult[] = [];
  for (const { name, codes, run } of attacks) {
    const code = await codeOf(run);
    results.push({ name, refused: codes.includes(code), code });
    advance();
  }
  return results;
}

async function codeOf(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
    return 'NOT_REFUSED';
  } catch (error) {
    if (error instanceof MunimentError || error instanceof Refused) return error.code;
    return error instanceof Error ? error.name : 'unknown';
  }
}
