/** Capabilities: each is a known user's, for annexes that entries name, or that this user has announced. */

import { toHex } from 'muniment/wire';
import type { Context } from './context.ts';
import { rowName } from './findings.ts';

interface CapabilityRow {
  readonly digest: Uint8Array;
  readonly holder: Uint8Array;
  readonly deed: string;
  readonly names: Uint8Array;
}

/** Checks every capability that was not forgotten yet. */
export async function checkCapabilities(context: Context): Promise<void> {
  const { source, findings, people } = context;
  const rows = source.rows<CapabilityRow>('SELECT digest, holder, deed, names FROM capabilities');
  for await (const row of rows) {
    findings.count('capabilities');
    const wrong = (check: string, detail: string): void => {
      findings.add('capabilities', rowName({ digest: row.digest }), check, detail);
    };
    const { digest, holder, deed, names } = row;
    const whole = names.length > 0 && names.length % 32 === 0;
    if (digest.length !== 32 || !whole || !['fetch', 'upload'].includes(deed))
      wrong('FORM', 'it is no capability');
    const subject = people.find(holder)?.subject;
    if (subject === undefined) wrong('EXTRA', `nobody has the Id ${toHex(holder)}`);
    else if (!isFounded(context, row, subject))
      wrong('EXTRA', 'nothing gave its holder a right to these annexes');
  }
}

function isFounded({ scratch }: Context, { deed, names }: CapabilityRow, subject: string): boolean {
  const all = Array.from({ length: names.length / 32 }, (_, i) => names.slice(32 * i, 32 * i + 32));
  return all.every((name) =>
    deed === 'fetch'
      ? scratch.row("SELECT 1 FROM named WHERE kind = 'annexes' AND digest = ?", name) !== undefined
      : scratch.row('SELECT 1 FROM announced WHERE subject = ? AND name = ?', subject, name) !== undefined,
  );
}
