/** The bank's settings file: everything that its users must know, nothing of it secret. */

import { MunimentError } from 'muniment';
import { hasRole, readAnchor, verifyCredential, type Credential } from 'muniment/keys';
import { fromBase64url } from 'muniment/wire';
import { z } from 'zod';
import type { Trust } from '../bank.ts';

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
  format: z.literal('muniment settings 1'),
  origin: z.string(),
  host: z.string(),
  port: z.int().min(1).max(65535),
  /** The salt of the directory's tags in the log: secret from nobody who may see the directory. */
  directorySalt: encoded,
  /** Signed credentials. */
  anchor: encoded,
  bank: encoded,
  /** The authority of the bank's TLS certificate, as PEM. */
  authority: z.string(),
});

/** The settings as they are used. */
export type Settings = z.output<typeof settingsForm>;

/** Believes settings: the anchor is the one whose Id one was given by other means, and the bank is its bank. */
export function trustIn(settings: Settings, anchorId: Uint8Array): Trust {
  const anchor = readAnchor(settings.anchor, anchorId);
  const bank: Credential = verifyCredential(settings.bank, anchor, Date.now());
  if (!hasRole(bank, 'bank')) throw new MunimentError('KEY_CREDENTIAL');
  return { anchor, bank, origin: settings.origin };
}
