/** A log's state with who vouches for it, and since when it stands at the latest. spec/export.md, "Since when". */

import { verifyCheckpoint, type LogKeys, type VerifiedCheckpoint } from './checkpoint.ts';
import type { WitnessPolicy } from './quorum.ts';

/** Whose checkpoints are believed, and whose cosignatures they must carry. */
export interface LogTrust {
  readonly log: LogKeys;
  readonly witnesses: WitnessPolicy;
}

/** A verified state of a log. */
export interface EstablishedTree extends VerifiedCheckpoint {
  /**
   * Since when it stands at the latest, in milliseconds since 1970: when the last of the k earliest witnesses had seen
   * it, k being the policy's threshold. `null` where no witness was demanded.
   */
  readonly since: number | null;
}

/** Verifies a checkpoint, and says since when its state is established. Throws what `verifyCheckpoint` throws. */
export function establish(checkpoint: string, trust: LogTrust): EstablishedTree {
  const verified = verifyCheckpoint(checkpoint, trust);
  // Of any k witnesses one is honest, or the policy is worth nothing: by the last of the first k it had seen it.
  const times = verified.cosignatures.map(({ time }) => time).sort((a, b) => a - b);
  return { ...verified, since: times[trust.witnesses.threshold - 1] ?? null };
}
