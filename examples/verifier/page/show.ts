/** Puts a report on the page. Names and kinds were written by others: all of it goes in as text, never as markup. */

import type { Basis, Report, Row } from '../judge.ts';

const ROWS_A_FRAME = 500;
const COLUMNS: readonly (readonly [keyof Row, string])[] = [
  ['seq', 'no.'],
  ['kind', 'kind'],
  ['author', 'written by'],
  ['roles', 'as'],
  ['claimed', 'when, by the author'],
  ['taken', 'when, by the bank'],
  ['by', 'taken by'],
  ['key', 'key then'],
  ['payload', 'payload'],
  ['opened', 'opened by the exporter'],
];

const FROM: Readonly<Record<Basis['from'], string>> = {
  typed: 'as typed',
  file: 'as the file claims',
  nobody: 'as nothing was typed',
};

/** Shows a report in place of what was there. */
export function showReport(output: HTMLElement, report: Report): void {
  const { verdict, basis, reason, facts, chains, notEstablished } = report;
  const taken = basis.filter(({ from }) => from === 'file');
  const headline = verdict === 'refused' ? `Not verified. ${reason}` : headlineOf(taken.length);
  output.replaceChildren(
    element('p', headline, `verdict ${verdict}`),
    element('h2', 'Held against'),
    pairs(basis.map(({ name, value, from }) => [`${name}, ${FROM[from]}`, value])),
    ...(verdict === 'refused'
      ? [element('p', 'What stands below was verified before the check that failed, and is still good.')]
      : [
          element('h2', 'Verified'),
          pairs(facts),
          element('h2', 'What could not be established'),
          listOf(notEstablished),
        ]),
    element('h2', 'Entries'),
    table(chains.content),
    element('h2', 'Accesses'),
    table(chains.access),
  );
}

function headlineOf(untold: number): string {
  return untold === 0
    ? 'Verified: every author, right, link, payload that is there, receipt and place in the log.'
    : 'Whole in itself, and no more: what stands below “as the file claims” was not typed. Trust rests on your comparing it with a source other than this file.';
}

function table(rows: readonly Row[]): HTMLElement {
  const body = document.createElement('tbody');
  const head = document.createElement('tr');
  for (const [, title] of COLUMNS) {
    const cell = element('th', title);
    cell.setAttribute('scope', 'col');
    head.append(cell);
  }
  const whole = document.createElement('table');
  const top = document.createElement('thead');
  top.append(head);
  whole.append(top, body);
  fill(body, rows, 0);
  const frame = element('div', '', 'scroll');
  frame.append(whole);
  return frame;
}

// A long record comes in portions, so that the page answers meanwhile.
function fill(body: HTMLElement, rows: readonly Row[], from: number): void {
  for (const row of rows.slice(from, from + ROWS_A_FRAME)) {
    const line = document.createElement('tr');
    for (const [name] of COLUMNS) line.append(element('td', String(row[name])));
    body.append(line);
  }
  const next = from + ROWS_A_FRAME;
  if (next < rows.length) setTimeout(() => fill(body, rows, next));
}

function pairs(list: readonly (readonly [string, string])[]): HTMLElement {
  const whole = document.createElement('dl');
  for (const [name, value] of list) whole.append(element('dt', name), element('dd', value));
  return whole;
}

function listOf(items: readonly string[]): HTMLElement {
  const whole = document.createElement('ul');
  for (const item of items) whole.append(element('li', item));
  return whole;
}

function element(tag: string, text: string, className = ''): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className !== '') made.className = className;
  return made;
}
