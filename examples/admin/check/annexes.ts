/** Annexes: each hashes to its name, none that an entry names is missing, and what no entry names was announced. */

import { AnnexNamer } from 'muniment/views';
import { equalBytes, fromBase64url } from 'muniment/wire';
import type { RequestRow } from './archive.ts';
import type { RequestText } from './asked.ts';
import type { Context } from './context.ts';
import { rowName } from './findings.ts';
import { checkNoneMissing, checkStored } from './named.ts';

/** Keeps what an upload that was executed has announced. */
export function keepAnnounced(
  { scratch }: Context,
  { subject, reply }: RequestRow,
  { annexes = [] }: RequestText,
): void {
  if (reply !== '') return;
  for (const { name, size } of annexes)
    scratch.add('announced', { subject, name: fromBase64url(name), size });
}

/** Checks all annexes, piece by piece. */
export async function checkAnnexes(context: Context): Promise<void> {
  const { source, findings } = context;
  const rows = source.rows<{
    name: Uint8Array;
    upload: Uint8Array;
    size: number;
    announced: number | null;
  }>(
    `SELECT a.name, a.upload, a.size, u.size AS announced
     FROM annexes a LEFT JOIN uploads u ON u.upload = a.upload AND u.name = a.name`,
  );
  for await (const { name, upload, size, announced } of rows) {
    findings.count('annexes');
    const row = rowName({ name });
    const stored = await readPieces(context, upload, row);
    if (!equalBytes(stored.name, name))
      findings.add('annexes', row, 'DIGEST', 'its pieces hash to another name');
    if (stored.size !== size) findings.add('annexes', row, 'COLUMN', 'size is not that of its pieces');
    checkStored(context, 'annexes', name, announced !== null);
  }
  checkNoneMissing(context, 'annexes');
}

async function readPieces(
  { source, findings }: Context,
  upload: Uint8Array,
  row: string,
): Promise<{ name: Uint8Array; size: number }> {
  const namer = new AnnexNamer();
  let [next, size] = [0, 0];
  const pieces = source.rows<{ position: number; bytes: Uint8Array }>(
    'SELECT position, bytes FROM annex_chunks WHERE upload = ? ORDER BY position',
    upload,
  );
  for await (const { position, bytes } of pieces) {
    if (position !== next)
      findings.add('annex_chunks', `${row} position=${String(next)}`, 'MISSING', 'a piece is left out');
    next = position + 1;
    size += bytes.length;
    namer.add(bytes);
  }
  return { name: namer.name(), size };
}

/** Checks what is on its way in: somebody has announced it, and no more of it is here than that. */
export async function checkUploads({ source, scratch, findings }: Context): Promise<void> {
  interface Upload {
    readonly upload: Uint8Array;
    readonly subject: string;
    readonly name: Uint8Array;
    readonly size: number;
    readonly held: number;
  }
  const rows = source.rows<Upload>(
    `SELECT u.upload, u.subject, u.name, u.size,
       (SELECT coalesce(sum(length(c.bytes)), 0) FROM annex_chunks c WHERE c.upload = u.upload) AS held
     FROM uploads u`,
  );
  for await (const { upload, subject, name, size, held } of rows) {
    findings.count('uploads');
    const row = rowName({ upload });
    const sql = 'SELECT 1 FROM announced WHERE subject = ? AND name = ? AND size = ?';
    if (upload.length !== 16) findings.add('uploads', row, 'FORM', 'it is no upload');
    if (scratch.row(sql, subject, name, size) === undefined)
      findings.add('uploads', row, 'EXTRA', 'no request that was executed announced it');
    if (held > size) findings.add('uploads', row, 'COLUMN', 'size is less than what is here');
  }
  // Pieces of what was forgotten are removed some time after it.
  const left = await source.row<{ left: number }>(
    `SELECT count(DISTINCT c.upload) AS "left" FROM annex_chunks c
     LEFT JOIN annexes a ON a.upload = c.upload LEFT JOIN uploads u ON u.upload = c.upload
     WHERE a.upload IS NULL AND u.upload IS NULL`,
  );
  findings.count('uploads that are still to be swept', left?.left ?? 0);
}
