/** The demo's attacks. Each must be refused, and by the code that names what is wrong. */

import { MunimentError } from 'muniment';
import { FraudError } from '../client/following.ts';
import { Refused } from '../client/bank.ts';
import { forgeries, protocolAttacks } from './attacks/asked.ts';
import { bankAttacks } from './attacks/bank.ts';
import { chainAttacks, flippedExport, flippedStore } from './attacks/kept.ts';
import type { Played } from './play.ts';
import type { World } from './world.ts';

/** An attack and what became of it. */
export interface AttackResult {
  readonly name: string;
  readonly refused: boolean;
  readonly code: string;
  /** Whether the bank was convicted, by one file. */
  readonly convicted: boolean;
}

/** Runs every attack on a played world. */
export async function attack(world: World, played: Played, advance: () => void): Promise<AttackResult[]> {
  const attacks = [
    ...flippedExport(world, played),
    ...(await flippedStore(world, played)),
    ...chainAttacks(world, played),
    ...protocolAttacks(world, played),
    ...forgeries(world, played),
    ...bankAttacks(world, played),
  ];
  const results: AttackResult[] = [];
  for (const { name, codes, run } of attacks) {
    const { code, convicted } = await outcomeOf(run);
    results.push({ name, refused: codes.includes(code), code, convicted });
    advance();
  }
  return results;
}

async function outcomeOf(run: () => Promise<unknown>): Promise<{ code: string; convicted: boolean }> {
  try {
    await run();
    return { code: 'NOT_REFUSED', convicted: false };
  } catch (error) {
    const convicted = error instanceof FraudError;
    if (error instanceof MunimentError || error instanceof Refused) return { code: error.code, convicted };
    return { code: error instanceof Error ? error.name : 'unknown', convicted };
  }
}
