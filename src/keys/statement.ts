/**
 * Statements that a party signs for everybody: the owner's list of compartments, a keeper's group epoch. A
 * statement's body is a tuple whose label says what it states. spec/keys.md, "Statements".
 */

import { MunimentError } from '../errors.ts';
import { equalBytes, tuple, TupleReader } from '../wire/index.ts';
import type { Credential } from './credential.ts';
import type { Identity } from './identity.ts';
import { readSignature, verifySignature } from './ports.ts';

/** Most bytes of a signed statement. */
export const STATEMENT_LIMIT = 1024 * 1024;

/** Signs a statement's body as its author. */
export async function signStatement(author: Identity, body: Uint8Array): Promise<Uint8Array> {
  const { id } = author.credential;
  return tuple(
    'signed statement',
    id,
    body,
    await author.signer.sign(tuple('statement signature', id, body)),
  );
}

/**
 * Verifies a signed statement and returns its body.
 *
 * @param signed - what {@link signStatement} made
 * @param author - the credential that must have signed it
 * @throws `MunimentError` `KEY_SIGNATURE` if somebody else signed, or nobody
 */
export function verifyStatement(signed: Uint8Array, author: Credential): Uint8Array {
  const { id, body, signature } = decodeStatement(signed);
  if (!equalBytes(id, author.id)) throw new MunimentError('KEY_SIGNATURE');
  verifySignature(author.signing, tuple('statement signature', id, body), signature);
  return body;
}

/** Whom a statement names as its author, not verified: to look up the credential to verify it with. Throws `WIRE_LIMIT`, `WIRE_TUPLE`. */
export function statementAuthor(signed: Uint8Array): Uint8Array {
  return decodeStatement(signed).id;
}

function decodeStatement(signed: Uint8Array): Record<'id' | 'body' | 'signature', Uint8Array> {
  if (signed.length > STATEMENT_LIMIT) throw new MunimentError('WIRE_LIMIT');
  const reader = TupleReader.labelled(signed, 'signed statement');
  const statement = { id: reader.bytes(32), body: reader.bytes(), signature: readSignature(reader) };
  reader.end();
  return statement;
}
