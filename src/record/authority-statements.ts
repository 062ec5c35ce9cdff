/**
 * The statements that change who may act in a record: a closed list, each of one form, in entries of kind `key` or
 * `close`. Whether its author may make it is for `record-rule.ts` to judge. spec/authority.md, "Statements".
 */

import { MunimentError } from '../errors.ts';
import { GUARDIANS_LIMIT } from '../keys/index.ts';
import { tuple, TupleReader } from '../wire/index.ts';
import { CLOSING_GROUNDS, PROXY_ROLES, readOneOf, type ClosingGround, type ProxyRole } from './authority.ts';
import type { Entry } from './entry.ts';
import { decodeStatement, verifyPayload, type Statement } from './payload.ts';

/** Most bytes of such a statement's payload: a recovery by sixteen guardians, under the largest keys, has half of that. */
export const AUTHORITY_STATEMENT_LIMIT = 262_144;

/** A guardian's approval, and whose it is. */
export interface GivenApproval {
  /** The guardian's Id. */
  readonly guardian: Uint8Array;
  /** As `approveRecovery` made it. */
  readonly signed: Uint8Array;
}

/** What such a statement says, beside its number. */
export type AuthoritySaid =
  /** The owner goes on under another Id. */
  | { readonly kind: 'succession'; readonly owner: Uint8Array }
  /** The owner appoints guardians, as `appointGuardians` made it. */
  | { readonly kind: 'guardians'; readonly appointment: Uint8Array }
  /** The owner is back under its author's Id, as enough guardians approve. */
  | {
      readonly kind: 'recovery';
      readonly appointment: Uint8Array;
      readonly request: Uint8Array;
      readonly approvals: readonly GivenApproval[];
    }
  /** Somebody acts for the owner, up to but not at a time. A parent's is when the owner comes of age. */
  | {
      readonly kind: 'proxy';
      readonly proxy: Uint8Array;
      readonly role: ProxyRole;
      readonly until: number;
    }
  /** Somebody no longer does. */
  | { readonly kind: 'end of proxy'; readonly proxy: Uint8Array }
  /** A key is lost, and since when. */
  | { readonly kind: 'loss'; readonly lost: Uint8Array; readonly since: number }
  /** The record is closed. */
  | { readonly kind: 'closing'; readonly ground: ClosingGround; readonly at: number }
  /** It is open again. */
  | { readonly kind: 'reopening' };

/** A statement that changes who may act. */
export type AuthorityStatement = AuthoritySaid & {
  /** 0 for a record's first, one more for each after it: so that one that is not shown is missed. */
  readonly number: number;
};

/**
 * Encodes such a statement, for `encodeStatement`.
 *
 * @example
 * ```ts
 * import { systemRandom } from 'muniment/crypto';
 * import { encodeAuthorityStatement, encodeStatement } from 'muniment/record';
 * const lost = systemRandom(32);
 * const payload = encodeStatement(encodeAuthorityStatement({ kind: 'loss', number: 0, lost, since: 1e12 }));
 * ```
 */
export function encodeAuthorityStatement(said: AuthorityStatement): Statement {
  return { kind: said.kind, content: contentOf(said) };
}

/**
 * Reads such a statement from its verified entry and payload.
 *
 * @throws `MunimentError` `RECORD_PAYLOAD`: also if it has more than 262,144 bytes, or the entry is of another kind than `key`, or `close` for a closing or
 *   reopening
 */
export function readAuthorityStatement(entry: Entry, payload: Uint8Array): AuthorityStatement {
  if (payload.length > AUTHORITY_STATEMENT_LIMIT) throw new MunimentError('RECORD_PAYLOAD');
  try {
    const { kind, content } = decodeStatement(verifyPayload(entry, payload));
    const closes = kind === 'closing' || kind === 'reopening';
    if (entry.chain !== 'content' || entry.kind !== (closes ? 'close' : 'key'))
      throw new MunimentError('RECORD_PAYLOAD');
    const reader = TupleReader.labelled(content, kind);
    const number = reader.integer();
    const said = readSaid(kind, reader);
    reader.end();
    return { ...said, number };
  } catch (cause) {
    throw new MunimentError('RECORD_PAYLOAD', undefined, { cause });
  }
}

function contentOf(said: AuthorityStatement): Uint8Array {
  const { kind, number } = said;
  switch (kind) {
    case 'succession':
      return tuple(kind, number, said.owner);
    case 'guardians':
      return tuple(kind, number, said.appointment);
    case 'recovery': {
      const approvals = said.approvals.map(({ guardian, signed }) => [guardian, signed]);
      return tuple(kind, number, said.appointment, said.request, approvals);
    }
    case 'proxy':
      return tuple(kind, number, said.proxy, said.role, said.until);
    case 'end of proxy':
      return tuple(kind, number, said.proxy);
    case 'loss':
      return tuple(kind, number, said.lost, said.since);
    case 'closing':
      return tuple(kind, number, said.ground, said.at);
    case 'reopening':
      return tuple(kind, number);
  }
}

function readSaid(kind: string, reader: TupleReader): AuthoritySaid {
  switch (kind) {
    case 'succession':
      return { kind, owner: reader.bytes(32) };
    case 'guardians':
      return { kind, appointment: reader.bytes() };
    case 'recovery':
      return {
        kind,
        appointment: reader.bytes(),
        request: reader.bytes(),
        approvals: reader.list(GUARDIANS_LIMIT, (item) =>
          item.group((part) => ({ guardian: part.bytes(32), signed: part.bytes() })),
        ),
      };
    case 'proxy':
      return {
        kind,
        proxy: reader.bytes(32),
        role: readOneOf(reader, PROXY_ROLES),
        until: reader.integer(),
      };
    case 'end of proxy':
      return { kind, proxy: reader.bytes(32) };
    case 'loss':
      return { kind, lost: reader.bytes(32), since: reader.integer() };
    case 'closing':
      return { kind, ground: readOneOf(reader, CLOSING_GROUNDS), at: reader.integer() };
    case 'reopening':
      return { kind };
    default:
      throw new MunimentError('RECORD_PAYLOAD');
  }
}
