/** Head statements: the bank's signed word on where a chain ended while its log had a certain size. spec/evidence.md, "Heads". */

import { MunimentError } from '../errors.ts';
import { NAME_LIMIT, readSignature, verifySignature, type Credential, type Signer } from '../keys/index.ts';
import { equalBytes, tuple, TupleReader } from '../wire/index.ts';
import type { ChainName } from './entry-fields.ts';
import type { Head } from './entry.ts';
import type { TreeHead } from './log.ts';

/** What a head statement says: with the log at this size, this was the chain's head. */
export interface HeadStatement {
  readonly origin: string;
  /** 16 bytes. */
  readonly recordId: Uint8Array;
  readonly chain: ChainName;
  readonly head: Head;
  readonly tree: TreeHead;
  /** When the bank said so, in milliseconds since 1970. */
  readonly time: number;
}

/**
 * Signs a head statement as the bank. Chain and log must be read at one moment: a head that is older than the tree
 * beside it convicts whoever signs it.
 *
 * @returns the statement, for {@link verifyHead}
 * @example
 * ```ts
 * import { systemRandom } from 'muniment/crypto';
 * import { createAnchor, enrol } from 'muniment/keys';
 * import { EMPTY_CHAIN, Log, signHead, verifyHead } from 'muniment/record';
 * const valid = { notBefore: 0, notAfter: 4e12 };
 * const authority = await createAnchor({ subject: 'Authority', roles: ['administrator'], ...valid });
 * const bank = await enrol(authority, { subject: 'Bank', roles: ['bank'], ...valid });
 * const about = { origin: 'bank.example/records', recordId: systemRandom(16), chain: 'content' } as const;
 * const log = new Log();
 * const tree = { size: log.size, root: log.root() };
 * const signed = await signHead(bank.signer, { ...about, head: EMPTY_CHAIN, tree, time: 1e12 });
 * console.log(verifyHead(signed, bank.credential, about).head.size); // 0
 * ```
 */
export async function signHead(bank: Signer, statement: HeadStatement): Promise<Uint8Array> {
  const { origin, recordId, chain, head, tree, time } = statement;
  const body = tuple('head', origin, recordId, chain, head.size, head.hash, tree.size, tree.root, time);
  return tuple('signed head', body, await bank.sign(body));
}

/**
 * Verifies a head statement and returns what it says.
 *
 * @param signed - what {@link signHead} made
 * @param bank - the credential that must have signed it
 * @param about - the chain that it must be about
 * @throws `MunimentError` `RECORD_HEAD`
 */
export function verifyHead(
  signed: Uint8Array,
  bank: Credential,
  about: { readonly origin: string; readonly recordId: Uint8Array; readonly chain: ChainName },
): HeadStatement {
  const statement = openHead(signed, bank);
  const fits =
    statement.origin === about.origin &&
    statement.chain === about.chain &&
    equalBytes(statement.recordId, about.recordId);
  if (!fits) throw new MunimentError('RECORD_HEAD');
  return statement;
}

/** Verifies a head statement of whatever chain, or throws `RECORD_HEAD`. */
export function openHead(signed: Uint8Array, bank: Credential): HeadStatement {
  try {
    const outer = TupleReader.labelled(signed, 'signed head');
    const [body, signature] = [outer.bytes(), readSignature(outer)];
    outer.end();
    verifySignature(bank.signing, body, signature);
    const reader = TupleReader.labelled(body, 'head');
    const statement = {
      origin: reader.text(NAME_LIMIT),
      recordId: reader.bytes(16),
      chain: readChain(reader.text(NAME_LIMIT)),
      head: { size: reader.integer(), hash: reader.bytes(32) },
      tree: { size: reader.integer(), root: reader.bytes(32) },
      time: reader.integer(),
    };
    reader.end();
    return statement;
  } catch (cause) {
    throw new MunimentError('RECORD_HEAD', undefined, { cause });
  }
}

function readChain(text: string): ChainName {
  if (text !== 'content' && text !== 'access') throw new MunimentError('RECORD_HEAD');
  return text;
}
