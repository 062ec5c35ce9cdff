/**
 * Fraud proofs: what a bank signed, held against what else it signed, as one file that anybody can judge offline.
 * spec/evidence.md, "Fraud proofs".
 */

import { MunimentError } from '../errors.ts';
import { readAnchor, verifyCredential, type Credential } from '../keys/index.ts';
import { equalBytes } from '../wire/index.ts';
import { verifyCharter } from './charter.ts';
import type { FRAUD_EVIDENCE } from './fraud-file.ts';
import { readFraud, writeFraud, type FraudKind, type Piece } from './fraud-file.ts';
import { FRAUD_KINDS } from './fraud-kinds.ts';
import type { Speaker } from './words.ts';

/** What a fraud file proved. */
export interface Conviction {
  readonly kind: FraudKind;
  /** Who did it. */
  readonly bank: Credential;
  /** What it did, for people. */
  readonly says: string;
}

/** Who is accused: what every client of the bank holds. */
export interface Accused {
  readonly origin: string;
  readonly anchor: Credential;
  readonly bank: Credential;
  /** The signed charter. */
  readonly charter: Uint8Array;
}

/** The evidence of a kind, by name: signed bytes, a checkpoint's text, a leaf index, or an inclusion proof. */
export type FraudEvidence<Kind extends FraudKind> = Readonly<
  Record<(typeof FRAUD_EVIDENCE)[Kind][number], Piece>
>;

/**
 * Makes a fraud file. It is judged before it is handed out, so that nobody accuses with what proves nothing.
 *
 * @param kind - what the bank did
 * @param accused - whose words they are
 * @param evidence - as the table in spec/evidence.md lists it for this kind
 * @returns the file's text, at most {@link FRAUD_LIMIT} characters
 * @throws `MunimentError` `RECORD_FRAUD` if it does not convict
 * @example
 * ```ts
 * import { systemRandom } from 'muniment/crypto';
 * import { createAnchor, enrol } from 'muniment/keys';
 * import { judge, proveFraud, signCharter, signHead } from 'muniment/record';
 * const valid = { notBefore: 0, notAfter: 4e12 };
 * const anchor = await createAnchor({ subject: 'Authority', roles: ['administrator'], ...valid });
 * const bank = await enrol(anchor, { subject: 'Bank', roles: ['bank'], ...valid });
 * const origin = 'bank.example/records';
 * const log = { origin, ed25519: bank.signer.publicKey, mlDsa44: null };
 * const charter = await signCharter(anchor, { origin, bank: bank.credential.id, log });
 * // Yesterday the chain had 5 entries; today, it is said, it has 3.
 * const tree = { size: 9, root: systemRandom(32) };
 * const chain = { origin, recordId: systemRandom(16), chain: 'content', tree } as const;
 * const first = await signHead(bank.signer, { ...chain, head: { size: 5, hash: systemRandom(32) }, time: 1e12 });
 * const second = await signHead(bank.signer, { ...chain, head: { size: 3, hash: systemRandom(32) }, time: 1e12 + 1 });
 * const accused = { origin, anchor: anchor.credential, bank: bank.credential, charter };
 * const file = proveFraud('cut tail', accused, { first, second });
 * console.log(judge(file, { anchorId: anchor.credential.id, origin }).kind); // cut tail
 * ```
 */
export function proveFraud<Kind extends FraudKind>(
  kind: Kind,
  accused: Accused,
  evidence: FraudEvidence<Kind>,
): string {
  const { origin, anchor, bank, charter } = accused;
  const text = writeFraud({ kind, anchor: anchor.encoded, bank: bank.encoded, charter, evidence });
  judge(text, { anchorId: anchor.id, origin });
  return text;
}

/**
 * Judges a fraud file offline, with nothing but public keys.
 *
 * @param text - what {@link proveFraud} made, from whomever
 * @param trust - the anchor's Id (32 bytes), known from elsewhere, and the bank's origin
 * @returns whom it convicts, and of what
 * @throws `MunimentError` `RECORD_FRAUD` if it is malformed or proves nothing
 */
export function judge(
  text: string,
  trust: { readonly anchorId: Uint8Array; readonly origin: string },
): Conviction {
  try {
    const { kind, evidence, ...papers } = readFraud(text);
    const anchor = readAnchor(papers.anchor, trust.anchorId);
    const bank = verifyCredential(papers.bank, anchor, 'ever');
    const charter = verifyCharter(papers.charter, anchor, trust.origin);
    if (!equalBytes(charter.bank, bank.id)) throw new MunimentError('RECORD_FRAUD');
    const speaker: Speaker = { origin: trust.origin, anchor, bank, log: charter.log };
    FRAUD_KINDS[kind](evidence, speaker);
    return { kind, bank, says: SAYS[kind] };
  } catch (cause) {
    // A defect or a missing engine is no verdict.
    if (!(cause instanceof MunimentError) || cause.blame !== 'data') throw cause;
    throw new MunimentError('RECORD_FRAUD', undefined, { cause });
  }
}

const SAYS: Readonly<Record<FraudKind, string>> = {
  'two places': 'The bank gave one place two entries, or one entry two places.',
  'two roots': 'The bank signed two different logs of one size.',
  'two leaves': 'The bank signed two logs that differ at one place.',
  'other leaf': 'The bank gave a receipt for an entry and put something else in its place in the log.',
  'cut tail': 'The bank said that a chain ended before an entry that it had already taken.',
  'out of order': 'The bank dated or placed entries against the order in which its log took them.',
  'after revocation': 'The bank took an entry under a key after it had taken that key’s revocation.',
  'bad entry':
    'The bank took an entry that its author’s key did not sign, or could not sign then, or that stands elsewhere.',
};
