/** Arguments of commands that are more than text. */

import { InvalidArgumentError } from 'commander';

/** A whole number from 1. */
export function positive(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('a whole number from 1');
  return Number(text);
}

/** A port. */
export function port(text: string): number {
  const value = positive(text);
  if (value > 65535) throw new InvalidArgumentError('a port');
  return value;
}

/** An Id in hexadecimal. */
export function hexId(text: string): Uint8Array {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new InvalidArgumentError('64 hexadecimal digits');
  return Uint8Array.from(Buffer.from(text, 'hex'));
}
