/** Lines of witnesses that the server keeps: of sizes that the log has had. Whether one verifies, whoever is told of it finds out. */

import type { Context } from './context.ts';
import { rowName } from './findings.ts';

interface CosignatureRow {
  readonly size: number;
  readonly witness: string;
  readonly line: string;
}

/** A line of a signed note: an em dash, a name and a signature. */
const LINE = /^— [^\s+]+ [A-Za-z0-9+/]+={0,2}$/u;

/** Checks every line that was not forgotten yet. */
export async function checkCosignatures({ source, findings }: Context): Promise<void> {
  const log = await source.row<{ size: number }>('SELECT count(*) AS size FROM leaves');
  for await (const row of source.rows<CosignatureRow>('SELECT size, witness, line FROM cosignatures')) {
    findings.count('cosignatures');
    const { size, witness, line } = row;
    const wrong = (check: string, detail: string): void => {
      findings.add('cosignatures', rowName({ size, witness }), check, detail);
    };
    if (!LINE.test(line) || !line.startsWith(`— ${witness.split('+')[0] ?? ''} `))
      wrong('FORM', 'it is no line of that witness');
    if (size < 1 || size > (log?.size ?? 0)) wrong('EXTRA', 'the log has never had that size');
  }
}
