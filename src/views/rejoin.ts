/** Keys made whole again: a team's halves, and custodians' shares of the others. spec/views.md, "Opening". */

import { combineShares } from '../crypto/index.ts';
import { MunimentError } from '../errors.ts';
import { exposeSecret } from '../keys/index.ts';
import { equalBytes, toHex } from '../wire/index.ts';
import { commitKey } from './classes.ts';
import { MANIFEST_LINES, SHARE_LENGTH } from './constants.ts';
import { xor } from './portion.ts';
import type { VerifiedSealed } from './verify.ts';
import type { ClassKey, OpenedShare, WrapContent } from './wrap.ts';

/**
 * Whole keys of what a wrap holds; `null` for halves that nothing was released for, and for shares, which are for
 * releasing. Throws `VIEW_RELEASE` if no choice of shares completes a half.
 */
export function rejoin(
  document: VerifiedSealed,
  content: WrapContent,
  releases: readonly (readonly OpenedShare[])[] | null,
): readonly ClassKey[] | null {
  if (content.kind === 'keys') return content.keys;
  if (content.kind === 'share' || releases === null) return null;
  return content.keys.map((half) => ({
    index: half.index,
    key: completeHalf(document, half, releases, content.threshold),
  }));
}

// One custodian's false share must not keep the others' from opening: any that fit the commitment will do.
function completeHalf(
  { sealed, manifest }: VerifiedSealed,
  { index, key: half }: ClassKey,
  releases: readonly (readonly OpenedShare[])[],
  threshold: number,
): Uint8Array {
  const commit = sealed.classes.find((candidate) => candidate.index === index)?.keyCommit;
  // One of each release: else a single false one could leave no room for the true ones.
  const shares = releases.flatMap((release) => release.find((share) => share.index === index) ?? []);
  const formed = shares
    .map(({ share }) => exposeSecret(share))
    .filter((share) => share.length === SHARE_LENGTH && share[0] !== 0);
  const distinct = [...new Map(formed.map((share) => [toHex(share), share])).values()];
  for (const some of choices(distinct.slice(0, MANIFEST_LINES), threshold)) {
    if (new Set(some.map(([place]) => place)).size !== threshold) continue;
    const key = xor(half, combineShares(some));
    if (commit !== undefined && equalBytes(commitKey(key, manifest), commit)) return key;
  }
  throw new MunimentError('VIEW_RELEASE');
}

// Every choice of so many items, in order.
function* choices<Item>(items: readonly Item[], count: number): Generator<readonly Item[]> {
  if (count === 0) yield [];
  else
    for (const [i, item] of items.entries())
      for (const rest of choices(items.slice(i + 1), count - 1)) yield [item, ...rest];
}
