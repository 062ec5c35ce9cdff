/**
 * Following the bank: all that it shows of a chain is held against all that this client remembers of it. What
 * contradicts itself becomes one file that convicts the bank before anybody who knows its anchor and origin.
 */

import { MunimentError } from 'muniment';
import {
  byRole,
  EMPTY_CHAIN,
  follow,
  FollowError,
  proveFraud,
  startOf,
  verifyHead,
  type ChainName,
  type ChainRules,
  type Head,
  type Shown,
  type SignedEntry,
  type VerifiedItem,
  type WriteRule,
} from 'muniment/record';
import { toHex } from 'muniment/wire';
import type { BankClient, Newest } from './bank.ts';

/** Which chain. */
export interface ChainOf {
  readonly recordId: Uint8Array;
  readonly chain: ChainName;
}

/** What is remembered of a chain. */
export interface Remembered {
  /** The newest head that was verified, entry by entry. */
  readonly head: Head;
  /** The newest receipt, as signed. */
  readonly receipt: Uint8Array | null;
  /** The newest head statement, as signed. */
  readonly stated: Uint8Array | null;
}

/** What an answer says of a chain, and the checkpoint with which it was asked for. */
export type Answered = Shown & { readonly asked: Newest | null };

/** The bank signed against itself, and here is the proof. */
export class FraudError extends MunimentError {
  /** The fraud file: `judge` convicts by it. */
  readonly proof: string;

  constructor(cause: FollowError, proof: string) {
    super(cause.code, 'the bank contradicts what it signed before, and a fraud file proves it', { cause });
    this.proof = proof;
  }
}

/** What is remembered of a chain; the empty chain and no words at first. */
export function remembered({ memory }: BankClient, of: ChainOf): Remembered {
  return memory.chains.get(keyOf(of)) ?? { head: EMPTY_CHAIN, receipt: null, stated: null };
}

/**
 * Verifies entries that the bank shows, from a head on to the chain's end, and remembers that end. Gives them, and what
 * the rule knows by then.
 *
 * @param from - the head that the first entry follows; the empty chain's to read all of it again
 * @throws `MunimentError` the codes of `follow`; {@link FraudError} if the bank can be convicted
 */
export async function followChain<State>(
  client: BankClient,
  of: ChainOf,
  answered: Answered & { readonly from: Head },
  by: {
    readonly rule: WriteRule<State>;
    readonly authors: ChainRules<State>['authors'];
    readonly tagSalt: Uint8Array;
  },
): Promise<{ readonly items: readonly VerifiedItem[]; readonly state: State }> {
  const { trust, memory } = client;
  const { asked, from } = answered;
  const { rule, authors, tagSalt } = by;
  const rules = { ...of, origin: trust.origin, rule, authors };
  const { receipt, stated } = remembered(client, of);
  const words = [receipt, stated].filter((word) => word !== null);
  const known = { chain: { ...startOf(rule), head: from }, checkpoint: asked?.checkpoint ?? null, words };
  try {
    const terms = { speaker: trust, witnesses: trust.witnesses, rules, tagSalt };
    const followed = await follow(known, answered, terms);
    const verified = { items: followed.items, state: followed.known.chain.state };
    // Proven against what was asked with; if another answer came in between, the next one proves against that.
    if (memory.newest !== asked) return verified;
    const { checkpoint } = answered;
    const { size, root } = client.readCheckpoint(checkpoint);
    memory.newest = { size, root, checkpoint };
    memory.chains.set(keyOf(of), {
      head: followed.known.chain.head,
      receipt: followed.known.words.at(-2) ?? null,
      stated: answered.head,
    });
    return verified;
  } catch (error) {
    throw error instanceof FollowError ? accuse(client, error) : error;
  }
}

/**
 * Follows the bank's answer that it took entries of one's own. Where others have written behind them before it was given,
 * the entries are held against the log, and what came behind them is heard, and read when it is read.
 */
export async function followTaken(
  client: BankClient,
  of: ChainOf,
  answered: Omit<Answered, 'items'> & { readonly items: readonly Taken[]; readonly from: Head },
  by: Parameters<typeof followChain>[3],
): Promise<void> {
  const { checkpoint, items, from } = answered;
  const { head } = verifyHead(answered.head, client.trust.bank, { ...of, origin: client.trust.origin });
  if (head.size <= from.size + items.length) {
    await followChain(client, of, answered, by);
    return;
  }
  await hearHead(client, of, answered);
  const context = { tagSalt: by.tagSalt, tree: client.readCheckpoint(checkpoint), request: null };
  for (const one of items) client.checkReceipt(one, one.item, context);
  const last = items.at(-1)?.receipt ?? null;
  client.memory.chains.set(keyOf(of), { ...remembered(client, of), receipt: last });
}

/** An entry of one's own that the bank has taken. */
export interface Taken {
  readonly item: SignedEntry;
  readonly receipt: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** Hears where a chain ends, for who does not read it. It is the bank's word, but it must fit all of its others. */
export async function hearHead(
  client: BankClient,
  of: ChainOf,
  answered: Omit<Answered, 'items'>,
): Promise<Head> {
  const before = remembered(client, of).head;
  const { head } = verifyHead(answered.head, client.trust.bank, { ...of, origin: client.trust.origin });
  const nobody = { rule: byRole(() => false), authors: () => null, tagSalt: NO_SALT };
  await followChain(client, of, { ...answered, items: [], from: head }, nobody);
  client.memory.chains.set(keyOf(of), { ...remembered(client, of), head: before });
  return head;
}

/** Keeps a verified receipt of a chain that this client does not read to its end, in the place of the one before. */
export function keepWord(client: BankClient, of: ChainOf, receipt: Uint8Array): void {
  client.memory.keepReceipt?.(receipt);
  client.memory.chains.set(keyOf(of), { ...remembered(client, of), receipt });
}

function accuse({ memory, trust }: BankClient, error: FollowError): MunimentError {
  if (error.contradiction === null) return error;
  const proof = proveFraud(error.contradiction.kind, trust, error.contradiction.evidence);
  memory.keepProof?.(proof);
  return new FraudError(error, proof);
}

function keyOf({ recordId, chain }: ChainOf): string {
  return chain === 'content' ? toHex(recordId) : `${toHex(recordId)}:${chain}`;
}

const NO_SALT = new Uint8Array(32);
