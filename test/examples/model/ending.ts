/** Records are closed, opened again and erased in the play. */

import {
  encodeAuthorityStatement,
  encodeErasure,
  encodeSignedEntry,
  ERASE,
  hashEntry,
  signEntry,
  TEN_YEARS_AFTER_DEATH,
} from 'muniment/record';
import { statement } from '../../../examples/client/writing.ts';
import { headOf, write } from '../a-record.ts';
import { note } from './adding.ts';
import { nameOf } from './looking.ts';
import { scopeOf } from './sight.ts';
import type { Stage } from './stage.ts';
import { holds, type Key, type ModelRecord } from './world.ts';

/** Somebody closes a record. */
export async function close(stage: Stage, key: Key, record: ModelRecord): Promise<void> {
  const ground = stage.random.of(['death', 'death', 'moved', 'ended'] as const);
  const time = stage.clock.now();
  const { closed } = record;
  const mayClose =
    holds(key, 'administrator') && (closed === null || (closed.death === null && ground === 'death'));
  const said = { kind: 'closing', ground, at: time, number: record.statements } as const;
  if (await state(stage, key, record, said, mayClose))
    record.closed = { death: ground === 'death' ? time : null };
}

/** Somebody opens a closed record again. */
export async function reopen(stage: Stage, key: Key, record: ModelRecord): Promise<void> {
  const mayReopen = record.closed !== null && (holds(key, 'administrator') || key === record.owner);
  const said = { kind: 'reopening', number: record.statements } as const;
  if (await state(stage, key, record, said, mayReopen)) record.closed = null;
}

/** Somebody has a payload erased. */
export async function erase(stage: Stage, key: Key, record: ModelRecord): Promise<void> {
  const { at, random, clock } = stage;
  const { recordId } = stage.real(record);
  const lasting = ['create', 'close', 'erase'];
  const places = record.entries.flatMap(({ kind, erased }, seq) =>
    lasting.includes(kind) || erased === true ? [] : [seq],
  );
  if (places.length === 0) return;
  const seq = random.of(places);
  const entryHash = stage.real(record).hashes.get(seq);
  if (entryHash === undefined) throw new RangeError('an entry without its hash');
  const client = stage.clientOf(key);
  const what = `erase: ${nameOf(key)} in the record of ${nameOf(record.owner)}, entry ${String(seq)}`;
  const refusal = !key.stands
    ? 'SESSION_PEER'
    : !holds(key, 'administrator')
      ? 'FORBIDDEN'
      : isOver(record, clock.now())
        ? null
        : 'RECORD_RETENTION';
  const done = await stage.attempt(what, refusal, async () => {
    const ruleVersion = TEN_YEARS_AFTER_DEATH.version;
    const erasure = {
      chain: 'content',
      erased: [{ seq, entryHash }],
      ground: 'retention',
      ruleVersion,
    } as const;
    const said = statement('erase', ERASE, encodeErasure(erasure));
    const signed = await signEntry(client.user, await headOf(at, recordId), {
      ...{ origin: at.trust.origin, recordId, chain: 'content', kind: 'erase', time: clock.now() },
      ...{ payloadType: said.payloadType, payloadDigest: said.digest, seen: null },
    });
    await client.ask<'erase'>({ type: 'erase', recordId, entry: encodeSignedEntry(signed) }, [said.payload]);
    return signed;
  });
  if (done === null) return;
  const entry = record.entries[seq];
  if (entry !== undefined) entry.erased = true;
  // Of an erased end nobody can tell which grant it was about: it ends all that stood before it.
  if (entry?.kind === 'revoke')
    for (const { grant } of record.entries.slice(0, seq)) if (grant !== undefined) grant.ended = true;
  note(stage, record, { kind: 'erase', author: key, time: clock.now() });
}

async function state(
  stage: Stage,
  key: Key,
  record: ModelRecord,
  said: Parameters<typeof encodeAuthorityStatement>[0],
  allowed: boolean,
): Promise<boolean> {
  const { recordId } = stage.real(record);
  const { kind, content } = encodeAuthorityStatement(said);
  const mayKnow = holds(key, 'administrator') || scopeOf(key, record) !== null;
  const refusal = !key.stands ? 'SESSION_PEER' : !mayKnow ? 'FORBIDDEN' : allowed ? null : 'RECORD_RIGHT';
  const what = `${said.kind === 'closing' ? 'close' : 'reopen'}: ${nameOf(key)}, the record of ${nameOf(record.owner)}`;
  const client = stage.clientOf(key);
  const signed = await stage.attempt(what, refusal, () =>
    write(stage.at, client, recordId, statement('close', kind, content)),
  );
  if (signed === null) return false;
  const seq = note(stage, record, { kind: 'close', author: key, time: stage.clock.now() });
  stage.real(record).hashes.set(seq, hashEntry(signed));
  record.statements++;
  return true;
}

function isOver({ closed }: ModelRecord, now: number): boolean {
  if (closed?.death === null || closed === null) return false;
  const over = new Date(closed.death);
  return now >= over.setUTCFullYear(over.getUTCFullYear() + 10);
}
