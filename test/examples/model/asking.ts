/** What else is asked for in the play: numbers, heads, audits, exports. */

import { auditRecord } from '../../../examples/client/auditing.ts';
import { fetchExport } from '../../../examples/client/exporting.ts';
import { findRecord } from '../../../examples/client/finding.ts';
import { statedHead } from '../../../examples/client/newest.ts';
import { recordNumber } from '../../../examples/server/record-number.ts';
import { toHex } from 'muniment/wire';
import { nameOf } from './looking.ts';
import { refusalToAsk } from './sight.ts';
import { same, type Stage } from './stage.ts';
import type { Key, ModelRecord } from './world.ts';

/** Somebody looks for a record by its number. Who may not ask for it hears that there is none. */
export async function find(stage: Stage, key: Key, record: ModelRecord): Promise<void> {
  const { recordId } = stage.real(record);
  const refusal = refusalToAsk(key, record);
  const hidden = refusal === 'FORBIDDEN';
  const what = `find: ${nameOf(key)}, the record of ${nameOf(record.owner)}`;
  const number = recordNumber(recordId);
  const asked = async () => ({ found: await findRecord(stage.clientOf(key), number) });
  const told = await stage.attempt(what, hidden ? null : refusal, asked);
  if (told === null) return;
  same(what, told.found === null ? null : toHex(told.found), hidden ? null : toHex(recordId));
}

/** Somebody hears where a record ends. */
export async function hearEnd(stage: Stage, key: Key, record: ModelRecord): Promise<void> {
  const what = `hear the end: ${nameOf(key)}, of the record of ${nameOf(record.owner)}`;
  const { recordId } = stage.real(record);
  const head = await stage.attempt(what, refusalToAsk(key, record), () =>
    statedHead(stage.clientOf(key), recordId),
  );
  if (head !== null) same(what, head.size, record.entries.length);
}

/** Somebody has it proven that a record is whole. */
export async function audit(stage: Stage, key: Key, record: ModelRecord): Promise<void> {
  const refusal = refusalToAsk(key, record);
  const what = `audit: ${nameOf(key)}, the record of ${nameOf(record.owner)}`;
  if (refusal === null) stage.accessed(record, key, 'audit');
  const { recordId } = stage.real(record);
  const told = await stage.attempt(what, refusal, () => auditRecord(stage.clientOf(key), recordId, 'audit'));
  if (told === null) return;
  same(what, [told.entries, told.owner.subject], [record.entries.length, record.owner.subject]);
}

/** Somebody exports a record. Who is not its owner has read the content, and gets no further. */
export async function exportWhole(stage: Stage, key: Key, record: ModelRecord): Promise<void> {
  const notToAsk = refusalToAsk(key, record);
  const refusal = notToAsk ?? (key === record.owner ? null : 'FORBIDDEN');
  const what = `export: ${nameOf(key)}, the record of ${nameOf(record.owner)}`;
  if (notToAsk === null) stage.accessed(record, key, 'export');
  const { recordId } = stage.real(record);
  const text = await stage.attempt(what, refusal, () => fetchExport(stage.clientOf(key), recordId));
  if (text === null) return;
  const { content, access } = JSON.parse(text) as { content: unknown[]; access: unknown[] };
  // It is cut at the size of the content's answer, which its own access came before.
  same(what, [content.length, access.length], [record.entries.length, record.accesses.length]);
}
