/**
 * The whole bank, derived again from what is stored and nothing else: by the anchor's, the bank's and the log's public keys,
 * the formats in spec/, and none of the server's code. docs/administration.md, "Checking".
 */

import { checkReplies, checkStrayOutcomes } from './outcomes.ts';
import { checkAnnexes, checkUploads } from './annexes.ts';
import { checkRepeats, checkRequests } from './archive.ts';
import { AskedIn } from './asked.ts';
import { checkCapabilities } from './capabilities.ts';
import { checkChains } from './chains.ts';
import type { Context } from './context.ts';
import { Findings, type Checked } from './findings.ts';
import { checkCosignatures } from './cosignatures.ts';
import { checkLog } from './log.ts';
import { checkUses, markErased } from './named.ts';
import { checkOutside, NOTHING_OUTSIDE, type Outside } from './outside.ts';
import { checkOwners } from './owners.ts';
import { checkAbsentPayloads, checkAttachments } from './payloads.ts';
import { People } from './people.ts';
import { checkReplayMemory } from './replay.ts';
import { checkSchema } from './schema.ts';
import { Scratch } from './scratch.ts';
import type { Source } from './source.ts';
import { checkDerivedTables } from './tables.ts';
import type { BankTrust } from './trust.ts';

/**
 * Checks a bank, while it runs or not, in memory that does not grow with it.
 *
 * @param source - its database, at one moment
 * @param trust - whose bank it is
 * @param outside - what others hold of its words
 */
export async function checkBank(
  source: Source,
  trust: BankTrust,
  outside: Outside = NOTHING_OUTSIDE,
): Promise<Checked> {
  const scratch = new Scratch();
  try {
    const findings = new Findings();
    const [people, asked] = [new People(trust, scratch), new AskedIn(source)];
    const context: Context = { source, trust, scratch, findings, people, asked };
    if (await checkSchema(context)) await checkAll(context, outside);
    return findings.checked();
  } finally {
    scratch.close();
  }
}

async function checkAll(context: Context, outside: Outside): Promise<void> {
  await checkChains(context);
  checkOwners(context);
  await checkDerivedTables(context);
  await checkAbsentPayloads(context);
  markErased(context);
  await checkAttachments(context);
  await checkUses(context);
  await checkRequests(context);
  await checkAnnexes(context);
  await checkUploads(context);
  await checkCapabilities(context);
  await checkCosignatures(context);
  await checkRepeats(context);
  await checkStrayOutcomes(context);
  await checkReplies(context);
  await checkReplayMemory(context);
  await checkOutside(context, outside);
  await checkLog(context); // last: by then all that was signed of it is known
}
