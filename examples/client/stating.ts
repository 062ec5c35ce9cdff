/** Stating who acts in a record: its owner's next key, guardians, who acts for its owner, a lost key. spec/authority.md. */

import { encodeAuthorityStatement, type AuthoritySaid, type SignedEntry } from 'muniment/record';
import type { BankClient } from './bank.ts';
import { readChain, type ReadChain } from './content.ts';
import { append, statement } from './writing.ts';

/** States it over the record as it stands: its chain was read and verified to the end, or is now. */
export async function stateIn(
  client: BankClient,
  recordId: Uint8Array,
  said: AuthoritySaid,
  read?: ReadChain,
): Promise<SignedEntry> {
  const { tagSalt, authority } = read ?? (await readChain(client, recordId, { purpose: 'before writing' }));
  const { kind, content } = encodeAuthorityStatement({ ...said, number: authority.number });
  const of = kind === 'closing' || kind === 'reopening' ? 'close' : 'key';
  const [entry] = await append(client, { recordId, tagSalt }, [statement(of, kind, content)]);
  if (entry === undefined) throw new RangeError('nothing was appended');
  return entry;
}
