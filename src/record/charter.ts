/** Charters: the anchor's word on which bank keeps which log under which origin. */

import { MunimentError } from '../errors.ts';
import { NAME_LIMIT, signStatement, verifyStatement, type Credential, type Identity } from '../keys/index.ts';
import { tuple, TupleReader } from '../wire/index.ts';
import type { LogKeys } from './checkpoint.ts';

/** Which bank keeps which log. */
export interface Charter {
  readonly origin: string;
  /** The bank's Id. */
  readonly bank: Uint8Array;
  readonly log: LogKeys;
}

/** Signs a charter as the anchor. */
export function signCharter(anchor: Identity, charter: Charter): Promise<Uint8Array> {
  const { origin, bank, log } = charter;
  return signStatement(anchor, tuple('charter', origin, bank, log.ed25519, log.mlDsa44 ?? new Uint8Array(0)));
}

/** Verifies a charter for an origin, or throws `KEY_SIGNATURE` or `RECORD_CHARTER`. */
export function verifyCharter(signed: Uint8Array, anchor: Credential, origin: string): Charter {
  const body = verifyStatement(signed, anchor);
  try {
    const reader = TupleReader.labelled(body, 'charter');
    const [stated, bank] = [reader.text(NAME_LIMIT), reader.bytes(32)];
    const [ed25519, mlDsa44] = [reader.bytes(32), reader.bytes()];
    reader.end();
    if (stated !== origin || ![0, 1312].includes(mlDsa44.length)) throw new MunimentError('RECORD_CHARTER');
    return { origin, bank, log: { origin, ed25519, mlDsa44: mlDsa44.length === 0 ? null : mlDsa44 } };
  } catch (cause) {
    throw new MunimentError('RECORD_CHARTER', undefined, { cause });
  }
}
