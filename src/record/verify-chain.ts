/** Chains, verified whole: every link, author and right in one pass. spec/record.md, "Chains". */

import {
  ChainError,
  verifyHidden,
  verifyNext,
  type ChainRules,
  type ChainState,
  type VerifiedItem,
} from './chain.ts';
import type { ChainItem } from './entry.ts';
import { LookAhead, type Ahead } from './look-ahead.ts';

/**
 * Verifies a chain in one pass and constant memory, from its start or from where it was verified to before. Some
 * signatures are verified ahead, on other threads where the platform has them; what is given out, and in what order,
 * is as if each had waited for the one before.
 *
 * @param items - the entries in order
 * @param rules - which chain this must be, its authors, and who may write what
 * @param from - what the first item must follow: `startOf` the rule, or where an earlier verification ended
 * @returns yields each item verified, and returns the state at the end
 * @throws `ChainError`, a `MunimentError` that says where and what was still good: `RECORD_ENTRY`, `RECORD_LINK`, `RECORD_AUTHOR`, `RECORD_PAYLOAD`, `RECORD_RIGHT`, or the own code of `authors` or rule; what was yielded before is still good
 * @example
 * ```ts
 * import { systemRandom } from 'muniment/crypto';
 * import { createAnchor, enrol } from 'muniment/keys';
 * import { byRole, EMPTY_CHAIN, signEntry, startOf, STATEMENT, verifyChain } from 'muniment/record';
 * const valid = { notBefore: 0, notAfter: 4e12 };
 * const hospital = await createAnchor({ subject: 'Hospital', roles: ['administrator'], ...valid });
 * const { credential, ...keys } = await enrol(hospital, { subject: 'Dr. Ruiz', roles: ['doctor'], ...valid });
 * const chain = { origin: 'bank.example/records', recordId: systemRandom(16), chain: 'content' } as const;
 * const said = { kind: 'annotate', time: 1e12, payloadType: STATEMENT, payloadDigest: systemRandom(32), seen: null } as const;
 * const entry = await signEntry({ credential, ...keys }, EMPTY_CHAIN, { ...chain, ...said });
 * const rule = byRole(({ kind }, author) => kind === 'annotate' && author.roles.includes('doctor'));
 * const rules = { ...chain, rule, authors: () => ({ credential, standing: 'valid' }) } as const;
 * for await (const item of verifyChain([entry], rules, startOf(rule))) {
 *   if (!('hidden' in item)) console.log(item.author.subject); // Dr. Ruiz
 * }
 * ```
 */
export async function* verifyChain<State>(
  items: AsyncIterable<ChainItem> | Iterable<ChainItem>,
  rules: ChainRules<State>,
  from: ChainState<State>,
): AsyncGenerator<VerifiedItem, ChainState<State>> {
  const ahead = new LookAhead(items, rules.authors);
  let at = from;
  try {
    for (;;) {
      const next = ahead.take();
      if (next === 'end') return at;
      if (next === 'later') {
        await ahead.change();
        continue;
      }
      const step = finish(next, rules, at);
      at = step.after;
      yield step.item;
    }
  } finally {
    ahead.close();
  }
}

function finish<State>(
  { item, verified }: Ahead,
  rules: ChainRules<State>,
  at: ChainState<State>,
): { readonly item: VerifiedItem; readonly after: ChainState<State> } {
  if ('malformed' in item) throw new ChainError('RECORD_ENTRY', at.head.size, at.head, item.malformed);
  if ('inner' in item) return verifyHidden(item, rules, at);
  const { entry, after } = verifyNext(item, rules, at, { verified, appending: false });
  return { item: entry, after };
}
