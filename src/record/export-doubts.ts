/** What an export alone cannot show, in words. spec/export.md, "What could not be established". */

import type { ChainName } from './entry-fields.ts';
import type { PayloadCounts } from './export-payloads.ts';
import type { WitnessPolicy } from './quorum.ts';
import type { VerifiedRenewal } from './renewal.ts';

/** What the doubts depend on. */
export interface Shown {
  readonly witnesses: WitnessPolicy;
  readonly payloads: Readonly<Record<ChainName, PayloadCounts>>;
  /** How many accesses are in the export. */
  readonly accesses: number;
  readonly renewals: readonly VerifiedRenewal[];
}

/** What could not be established, each a clause that begins with `that` or `since`. */
export function doubtsOf({ witnesses, payloads, accesses, renewals }: Shown): string[] {
  return [
    ...witnessDoubts(witnesses),
    'that the bank has shown nobody a longer chain than this export holds',
    // The bank alone writes the access chain, and may have left off its end, or all of it.
    accesses === 0
      ? 'that nobody has read the record: the access chain of this export is empty'
      : `that nobody has read the record after access ${String(accesses)}, where the access chain of this export ends`,
    ...missing(payloads),
    'that the bank has heard of no other revocation than those in this export',
    ...renewals.flatMap(renewalDoubts),
  ];
}

function witnessDoubts({ threshold }: WitnessPolicy): string[] {
  if (threshold > 0) return [];
  return [
    'that no witness has seen another history: the cosignature of none was demanded',
    'since when the log stands as it does here: no witness says so, and the times of the entries are the bank’s',
  ];
}

function missing({ content, access }: Shown['payloads']): string[] {
  const count = (state: 'erased' | 'withheld'): string =>
    `(of the record: ${String(content[state])}; of its accesses: ${String(access[state])})`;
  const any = (state: 'erased' | 'withheld'): boolean => content[state] + access[state] > 0;
  return [
    ...(any('erased')
      ? [`that erased payloads were what their entries say, or that nobody kept them ${count('erased')}`]
      : []),
    ...(any('withheld')
      ? [`that payloads withheld from this export were what their entries say ${count('withheld')}`]
      : []),
  ];
}

function renewalDoubts({ origin, tree }: VerifiedRenewal): string[] {
  if (tree === null) return [`that this export was renewed in the log ${origin}, whose key was not given`];
  if (tree.since === null)
    return [`since when this export stands in the log ${origin}: the cosignature of no witness was demanded`];
  return [];
}
