/** `--explain`: what the bank does with each conversation, in words, with sizes and digests. For whoever wants to see it. */

import { sha256 } from 'muniment/crypto';
import { toHex } from 'muniment/wire';
import { counted } from './counted.ts';
import { correlate, listen, type BankEvent } from './events.ts';

/** Explains from now on, a line for each step, after the correlation id of its request. Returns what ends it. */
export function explainEvents(write: (line: string) => void): () => void {
  correlate();
  return listen(({ event, id }) => {
    write(`${id ?? '-'.padStart(14)}  ${sentence(event)}`);
  });
}

function sentence(event: BankEvent): string {
  switch (event.kind) {
    case 'connected':
      return `TLS: a client with a certificate has connected (${event.protocol}, ${event.cipher})`;
    case 'connection refused':
      return `TLS: a connection was refused (${event.reason})`;
    case 'rate exceeded':
      return `refused unread: one ${event.of === 'address' ? 'address' : 'certificate'} asks too often`;
    case 'first message':
      return (
        `message 1: ${bytes(event.message)}, ${digest(event.message)}: opened with the bank's key, fresh, its sender may speak. ` +
        `Message 2: ${bytes(event.answer)}, sealed to that sender, bound to this connection`
      );
    case 'handshake refused':
      return `refused without saying why (the log knows: ${event.code})`;
    case 'request opened':
      return (
        `message 3: ${String(event.third)} bytes, both sides have the session's keys now; ` +
        `with the sealed request it was ${String(event.bytes)}`
      );
    case 'request verified':
      return (
        `request "${event.type}": ${String(event.text)} characters and ${counted(event.documents, 'document')}, signed by its author; ` +
        `data ${short(event.digests.data)}, signature ${short(event.digests.signature)}`
      );
    case 'request stored':
      return `stored before it is served: request ${String(event.number)}, ${String(event.evidence)} bytes of evidence, durable`;
    case 'entry taken':
      return (
        `entry ${String(event.seq)} of the record's ${event.chain} chain, ${short(event.hash)}: ` +
        `leaf ${String(event.leaf)} of the log; receipt signed, ${String(event.receipt)} bytes`
      );
    case 'checkpoint signed':
      return `checkpoint signed: the log has ${counted(event.size, 'leaf', 'leaves')} under the root ${short(event.root)}`;
    case 'cosigned':
      return `witnesses were shown the checkpoint: ${counted(event.lines, 'line')} of theirs under it`;
    case 'committed':
      return `the database has it on disk: ${String(event.changes)} in one transaction`;
    case 'database error':
      return `the database failed: ${event.code}; nothing of it has happened`;
    case 'replied':
      return (
        `reply "${event.outcome}": ${String(event.text)} characters and ${counted(event.documents, 'document')}, signed by the bank, ` +
        `${String(event.evidence)} bytes of evidence stored; sealed ${bytes(event.message)}, ${digest(event.message)}`
      );
    case 'conversation ended':
      return `done; the session's keys are gone`;
  }
}

function bytes(message: Uint8Array): string {
  return `${String(message.length)} bytes`;
}

function digest(message: Uint8Array): string {
  return `SHA-256 ${short(sha256(message))}`;
}

function short(hash: Uint8Array): string {
  return `${toHex(hash).slice(0, 12)}…`;
}
