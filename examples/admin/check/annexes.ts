/** Annexes: each hashes to its name, none that an entry names is missing, and no piece lies about that belongs to none. */

import { AnnexNamer } from 'muniment/views';
import { equalBytes, toHex } from 'muniment/wire';
import type { Context } from './context.ts';
import { rowName } from './findings.ts';

/** Checks all annexes, piece by piece. */
export async function checkAnnexes(context: Context): Promise<void> {
  const { source, scratch, findings } = context;
  const rows = source.rows<{ name: Uint8Array; upload: Uint8Array; size: number }>(
    'SELECT name, upload, size FROM annexes',
  );
  for await (const { name, upload, size } of rows) {
    findings.count('annexes');
    const row = rowName({ name });
    const stored = await readPieces(context, upload, row);
    if (!equalBytes(stored.name, name))
      findings.add('annexes', row, 'DIGEST', 'its pieces hash to another name');
    if (stored.size !== size) findings.add('annexes', row, 'COLUMN', 'size is not that of its pieces');
    scratch.run('UPDATE annexes SET found = 1 WHERE name = ?', name);
  }
  for (const { name } of scratch.rows<{ name: Uint8Array }>(
    'SELECT name FROM annexes WHERE found = 0 AND erased = 0',
  ))
    findings.add('annexes', rowName({ name }), 'MISSING', 'an entry names it');
  const stray = source.rows<{ upload: Uint8Array }>(
    `SELECT DISTINCT c.upload FROM annex_chunks c
     LEFT JOIN annexes a ON a.upload = c.upload LEFT JOIN uploads u ON u.upload = c.upload
     WHERE a.upload IS NULL AND u.upload IS NULL`,
  );
  for await (const { upload } of stray)
    findings.add('annex_chunks', `upload=${toHex(upload)}`, 'EXTRA', 'it belongs to no annex');
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

/** Checks which entries the bank notes as users of an annex or attachment: those that name it, as long as it is there. */
export async function checkUses({ source, scratch, findings }: Context): Promise<void> {
  const rows = source.rows<{ digest: Uint8Array; record: Uint8Array; chain: string; seq: number }>(
    'SELECT digest, record, chain, seq FROM uses',
  );
  for await (const { digest, ...place } of rows) {
    findings.count('uses');
    const row = rowName({ ...place, digest });
    const named = scratch.row('SELECT 1 FROM named WHERE digest = ? AND row = ?', digest, rowName(place));
    if (named === undefined) findings.add('uses', row, 'EXTRA', 'its entry does not name that');
    scratch.run('UPDATE named SET found = 1 WHERE digest = ? AND row = ?', digest, rowName(place));
  }
  const missing = scratch.rows<{ digest: Uint8Array; row: string }>(
    'SELECT digest, row FROM named WHERE found = 0 AND erased = 0',
  );
  for (const { digest, row } of missing)
    findings.add('uses', `${row} digest=${toHex(digest)}`, 'MISSING', 'an entry names it');
}
