/** The bank's settings file: everything that its users must know, nothing of it secret. */

import { readAnchor, verifyCredential } from 'muniment/keys';
import { NOTE_LINES_LIMIT, parseNoteKey } from 'muniment/record';
import { fromBase64url } from 'muniment/wire';
import { z } from 'zod';
import { trustIn, type Trust } from '../trust.ts';
import { CliError } from './error.ts';

/** Bytes as base64url. */
export const encoded = z.string().transform((text, context) => {
  try {
    return fromBase64url(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'base64url' });
    return z.NEVER;
  }
});

/** The form of the file. */
export const settingsForm = z.strictObject({
  format: z.literal('muniment settings 2'),
  origin: z.string(),
  host: z.string(),
  port: z.int().min(1).max(65535),
  /** The salt of the directory's tags in the log: secret from nobody who may see the directory. */
  directorySalt: encoded,
  /** Signed credentials. */
  anchor: encoded,
  bank: encoded,
  /** The anchor's signed word on the bank and its log's keys. */
  charter: encoded,
  /** The same of the Ids that the bank had before, oldest first. */
  former: z
    .array(z.strictObject({ bank: encoded, charter: encoded }))
    .max(63)
    .default([]),
  /** Whose cosignatures are demanded under each checkpoint, as C2SP verifier keys, and how many; none has to be said. */
  witnesses: z.strictObject({ keys: z.array(z.string()).max(NOTE_LINES_LIMIT), threshold: z.int().min(0) }),
  /** The authority of the bank's TLS certificate, as PEM. */
  authority: z.string(),
});

/** The settings as they are used. */
export type Settings = z.output<typeof settingsForm>;

/** Believes settings: the anchor is the one whose Id one was given by other means, and the bank is its bank. */
export function trustOf({ origin, witnesses, former, ...settings }: Settings, anchorId: Uint8Array): Trust {
  const anchor = readAnchor(settings.anchor, anchorId);
  const bank = verifyCredential(settings.bank, anchor, 'ever');
  if (Date.now() > bank.notAfter)
    throw new CliError("the bank's credential in these settings has ended: ask for its new settings.json");
  return trustIn({
    origin,
    anchor,
    bank: verifyCredential(settings.bank, anchor, Date.now()),
    charter: settings.charter,
    former: former.map(({ bank, charter }) => ({ bank: verifyCredential(bank, anchor, 'ever'), charter })),
    witnesses: { witnesses: witnesses.keys.map(parseNoteKey), threshold: witnesses.threshold },
  });
}
