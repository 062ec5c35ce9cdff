/** What {@link explain} says, drawn as a plain text table for people to read. */

import type { Explained } from './explain.ts';

/** Widest column of each kind, in columns of a terminal; what is longer goes on in the next line, and nothing is cut. */
const COLUMNS = [
  { head: 'field', width: 48 },
  { head: 'rule', width: 9 },
  { head: 'restricted', width: 10 },
  { head: 'readers', width: 44 },
  { head: 'compartment', width: 24 },
] as const;
const GAP = '  ';
const INDENT = '  ';

// What needs no quotes: no space or comma in it could be taken for the table's own.
const PLAIN = /^[\p{L}\p{N}\p{P}\p{S}]+$/u;
const OWN = /[,"“”]/;
const RESERVED = ['owner', 'public', 'otherwise', '-'];
// Controls, bidirectional and other invisible characters, lone surrogates, line ends, spaces that are no plain space,
// and marks, which pile up on what stands before them.
const UNSAFE = /[\p{C}\p{M}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;
// Drawn two columns wide by terminals.
const WIDE =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;

/**
 * Draws what a policy says about a document as a table in plain text: field, rule, restrictions, readers with the
 * owner first, compartment. Rules and restrictions are numbered from 0, as in the data.
 *
 * Texts of the document cannot imitate the table: whatever is not letters, digits and signs stands in quotes, and
 * what is invisible or changes direction as `\u{…}`. Letters that look alike are not told apart.
 *
 * @param explained - from {@link explain}
 * @returns lines that end in a line feed, at most 143 columns wide
 * @example
 * ```ts
 * import { definePolicy, explain, explainTable } from 'muniment/views';
 * const rules = [{ fields: ['/cost'], readers: ['insurer'], compartment: 'financial' }];
 * const policy = definePolicy({ name: 'example/1', rules, otherwise: [] });
 * const table = explainTable(explain(policy, '{"cost":15.00}'));
 * console.log(table.split('\n')[2]); // /cost  0     -           owner, insurer  financial
 * ```
 */
export function explainTable(explained: readonly Explained[]): string {
  const rows = explained.map((one) => [
    wrap([quoted(one.pointer)], COLUMNS[0].width),
    wrap([one.rule === null ? 'otherwise' : String(one.rule)], COLUMNS[1].width),
    wrap(listed(one.restrictions.map(String), '-'), COLUMNS[2].width),
    wrap(listed(readersOf(one), ''), COLUMNS[3].width),
    wrap([quoted(one.compartment)], COLUMNS[4].width),
  ]);
  const heads = COLUMNS.map(({ head }) => [head]);
  const widths = COLUMNS.map((_, i) =>
    [heads, ...rows].reduce((widest, row) => Math.max(widest, ...(row[i] ?? []).map(widthOf)), 0),
  );
  const rule = widths.map((width) => ['-'.repeat(width)]);
  return [heads, rule, ...rows].map((row) => draw(row, widths)).join('');
}

function readersOf({ readers }: Explained): string[] {
  return readers === 'public' ? ['owner', 'public'] : ['owner', ...readers.map(quoted)];
}

function listed(texts: readonly string[], none: string): string[] {
  if (texts.length === 0) return [none];
  return texts.map((text, i) => (i < texts.length - 1 ? `${text}, ` : text));
}

function quoted(text: string): string {
  const shown = text.replaceAll('\\', '\\\\').replaceAll(UNSAFE, escaped);
  if (PLAIN.test(shown) && !OWN.test(shown) && !RESERVED.includes(shown)) return shown;
  return `"${shown.replaceAll('"', '\\"')}"`;
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

// Pieces stay whole as long as they fit into a line of their own. A line that goes on is set in.
function wrap(pieces: readonly string[], width: number): string[] {
  const lines = [''];
  const fits = (piece: string): boolean => widthOf((lines.at(-1) ?? '') + piece.trimEnd()) <= width;
  const add = (piece: string): void => void lines.push((lines.pop() ?? '') + piece);
  for (const piece of pieces) {
    if (!fits(piece) && lines.at(-1) !== '') lines.push(INDENT);
    for (const part of fits(piece) ? [piece] : piece) {
      if (!fits(part)) lines.push(INDENT);
      add(part);
    }
  }
  return lines.map((line) => line.trimEnd());
}

function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += WIDE.test(character) ? 2 : 1;
  return width;
}

function draw(row: readonly (readonly string[])[], widths: readonly number[]): string {
  const height = Math.max(...row.map((lines) => lines.length));
  const lines = Array.from({ length: height }, (_, i) =>
    row.map((cell, column) => {
      const text = cell[i] ?? '';
      return text + ' '.repeat((widths[column] ?? 0) - widthOf(text));
    }),
  );
  return lines.map((cells) => `${cells.join(GAP).trimEnd()}\n`).join('');
}
