/** Charters: the anchor's word on which bank keeps which log under which origin. spec/record.md, "Charters". */

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

/**
 * Signs a charter as the anchor.
 *
 * @example
 * ```ts
 * import { createAnchor, createKeys, enrol } from 'muniment/keys';
 * import { logKeysOf, signCharter, verifyCharter } from 'muniment/record';
 * const valid = { notBefore: 0, notAfter: 4e12 };
 * const hospital = await createAnchor({ subject: 'Hospital', roles: ['administrator'], ...valid });
 * const { credential } = await enrol(hospital, { subject: 'Bank', roles: ['bank'], ...valid });
 * const origin = 'bank.example/records';
 * const log = logKeysOf({ origin, ed25519: createKeys().signer, mlDsa44: null }); // a key of the log's own
 * const signed = await signCharter(hospital, { origin, bank: credential.id, log });
 * console.log(verifyCharter(signed, hospital.credential, origin).log.origin); // bank.example/records
 * ```
 */
export async function signCharter(anchor: Identity, charter: Charter): Promise<Uint8Array> {
  const { origin, bank, log } = charter;
  if (log.origin !== origin) throw new RangeError('a log bears the origin of its charter');
  return signStatement(anchor, tuple('charter', origin, bank, log.ed25519, log.mlDsa44 ?? new Uint8Array(0)));
}

/**
 * Verifies a charter for an origin.
 *
 * @param signed - what {@link signCharter} made
 * @param anchor - the anchor's credential, already trusted
 * @param origin - whose charter it must be
 * @throws `MunimentError` `KEY_SIGNATURE`, `WIRE_LIMIT`, `WIRE_TUPLE` for no statement of the anchor's; `RECORD_CHARTER` for another form or origin
 */
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
