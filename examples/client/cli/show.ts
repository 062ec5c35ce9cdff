/** What is printed. Names, purposes and fields were written by others: nothing in them may move a terminal's cursor. */

import type { Access } from '../accesses.ts';
import type { RecordView } from '../reading.ts';
import type { VerifiedEntry } from 'muniment/record';
import { counted } from '../../server/counted.ts';
import { equalBytes, readJson, toHex, type JsonNode } from 'muniment/wire';

/** Text for a terminal: control characters, invisible ones and those that turn the direction of writing, spelled out. */
export function plainly(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  });
}

/** A record as a person reads it. */
export function describeView(view: RecordView): string {
  const lines = [
    `record ${toHex(view.recordId)} of ${plainly(view.owner.subject)}: ${counted(view.chain.length, 'entry', 'entries')}, ${counted(view.documents.length, 'document')} open for you, ${counted(view.fields, 'field')}`,
  ];
  const { closure } = view.authority;
  if (closure !== null)
    lines.push(`closed: ${closure.ground} of ${date(closure.at)}, stated ${date(closure.stated)}`);
  for (const { entry, view: document } of view.documents) {
    const { seq, time } = entry.entry;
    const part = document.complete ? 'whole' : 'in part';
    const about = relation(view, entry, document.supersedes);
    const doubt = entry.standing === 'valid' ? '' : ', IN DOUBT: the author’s key may have been stolen';
    lines.push(
      '',
      `#${seq} ${plainly(document.type)} by ${plainly(document.author.subject)}, ${date(time)}, ${part}${about}${doubt}`,
    );
    for (const line of fieldLines(readJson(document.text), '')) lines.push(`  ${plainly(line)}`);
  }
  return `${lines.join('\n')}\n`;
}

// Of two versions both are shown, each with the other's place.
function relation(view: RecordView, { entry }: VerifiedEntry, target: Uint8Array): string {
  const seq = seqOf(view, target);
  const about = seq === null ? 'a document that is not shown' : `#${seq}`;
  const said = view.documents
    .filter((one) => one.entry.entry.kind === 'amend')
    .filter((one) => equalBytes(one.view.supersedes, entry.payloadDigest))
    .map((one) => `amended by #${one.entry.entry.seq}`);
  if (entry.kind === 'amend') said.unshift(`amends ${about}`);
  if (entry.kind === 'annotate') said.unshift(`about ${about}`);
  return said.map((one) => `, ${one}`).join('');
}

/** A record as one JSON object; documents stand in it as their author wrote them, digit for digit. */
export function viewAsJson(view: RecordView): string {
  const documents = view.documents.map(({ entry, view: document }) => {
    const { seq, time } = entry.entry;
    const about = JSON.stringify({
      seq,
      kind: entry.entry.kind,
      about: seqOf(view, document.supersedes),
      type: document.type,
      author: document.author.subject,
      time: date(time),
      complete: document.complete,
      standing: entry.standing,
    });
    return `${about.slice(0, -1)},"document":${document.text}}`;
  });
  const about = JSON.stringify({
    recordId: toHex(view.recordId),
    owner: view.owner.subject,
    entries: view.chain.length,
    fields: view.fields,
  });
  return `${about.slice(0, -1)},"documents":[${documents.join(',')}]}\n`;
}

function seqOf({ documents }: RecordView, bodyHash: Uint8Array): number | null {
  return documents.find(({ view }) => equalBytes(view.bodyHash, bodyHash))?.entry.entry.seq ?? null;
}

// Positions are those in what is visible: the sealed paths' own indices are random numbers.
function fieldLines(node: JsonNode, pointer: string): string[] {
  switch (node.kind) {
    case 'leaf':
      return [`${pointer}: ${node.text}`];
    case 'array':
      return node.items.flatMap((item, i) => fieldLines(item, `${pointer}/${i}`));
    case 'object':
      return node.members.flatMap((member) => fieldLines(member.node, `${pointer}/${member.name}`));
  }
}

/** Who has read. */
export function describeAccesses(accesses: readonly Access[]): string {
  const lines = accesses.map(({ reader, action, purpose, time }) => {
    const did = action === 'read' ? 'read' : 'BROKE THE GLASS';
    return `${date(time)}  ${plainly(reader.subject)}  ${did}  "${plainly(purpose)}"\n`;
  });
  return `${lines.join('')}${counted(accesses.length, 'access', 'accesses')}, each over the reader's own signed request\n`;
}

function date(time: number): string {
  return new Date(time).toISOString();
}
