/** Announcing annexes: before their ciphertext comes, who may add to the record says what will come, and how much. */

import { systemRandom } from 'muniment/crypto';
import { ANNEX_LIMIT, forgetUpload } from './annexes.ts';
import { writeText, type RequestOf } from './api.ts';
import { AFRESH, settle } from './archive.ts';
import { answer, turnFor, type Answer, type Asking, type House } from './asking.ts';
import { issueCapability } from './capabilities.ts';
import { BankRefusal, malformed } from './refusal.ts';
import { mayAdd } from './rights.ts';
import { plain } from './store/bytes.ts';
import type { Change } from './store/tables.ts';

/** Of one subject: annexes that no entry names yet, in all and in bytes of ciphertext. */
const PENDING = { count: 4096, bytes: 2 * ANNEX_LIMIT };
/** How long what no entry names is kept, in milliseconds. */
export const UPLOAD_GRACE = 86_400_000;

/** Announces annexes for a record, and hands out the capability to send them. What is here of them already stays. */
export async function announce(house: House, request: RequestOf<'upload'>, asking: Asking): Promise<Answer> {
  const { user, cause } = asking;
  const { records, annexes, now } = house;
  const gone: Uint8Array[] = [];
  const capability = await turnFor(house, asking, async ({ change }) => {
    await records.asked(change, request.recordId, user);
    if (!mayAdd(user)) throw new BankRefusal('FORBIDDEN');
    if (request.annexes.some(({ size }) => size > ANNEX_LIMIT)) malformed();
    gone.push(...(await annexes.forget(change, now() - UPLOAD_GRACE, user.subject)));
    for (const announced of request.annexes) {
      const whole = await annexes.sizeOf(change, announced.name);
      if (whole !== null && whole !== announced.size) malformed();
      if (whole !== null) continue;
      const other = await announceOne(change, { subject: user.subject, ...announced, time: now() });
      if (other !== null) gone.push(other);
    }
    await checkPending(change, user.subject);
    const names = request.annexes.map(({ name }) => name);
    await settle(change, cause, AFRESH);
    return issueCapability(change, { holder: user, deed: 'upload', names, now: now() });
  });
  await annexes.removeChunks(gone);
  const offsets = [];
  for (const { name } of request.annexes)
    offsets.push((await annexes.offset(user.subject, name))?.offset ?? 0);
  return answer(writeText({ capability, offsets }));
}

// Gives the upload in whose place it comes: one of the same name that was announced with another size.
async function announceOne(
  change: Change,
  announced: {
    readonly subject: string;
    readonly name: Uint8Array;
    readonly size: number;
    readonly time: number;
  },
): Promise<Uint8Array | null> {
  const { subject, name, size } = announced;
  const known = await change
    .selectFrom('uploads')
    .select(['upload', 'size'])
    .where('subject', '=', subject)
    .where('name', '=', name)
    .executeTakeFirst();
  if (known?.size === size) return null;
  const other = known === undefined ? null : plain(known.upload);
  if (other !== null) await forgetUpload(change, other);
  await change
    .insertInto('uploads')
    .values({ upload: systemRandom(16), ...announced })
    .execute();
  return other;
}

async function checkPending(change: Change, subject: string): Promise<void> {
  const { count, bytes } = await change
    .selectFrom('uploads')
    .select(({ fn }) => [
      fn.countAll<number>().as('count'),
      fn.sum<number | string | null>('size').as('bytes'),
    ])
    .where('subject', '=', subject)
    .executeTakeFirstOrThrow();
  // PostgreSQL writes a sum as text.
  if (count > PENDING.count || Number(bytes) > PENDING.bytes) throw new BankRefusal('UPLOADS_FULL');
}
