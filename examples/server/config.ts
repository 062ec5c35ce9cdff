/** The server's configuration file. */

import { readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import path, { isAbsolute } from 'node:path';
import { z } from 'zod';
import { DEFAULT_LIMITS, limitsSchema } from './limits.ts';

const place = (host: string) =>
  z.strictObject({
    host: z.string().default(host),
    /** 0 takes a free port, which is then announced on standard output. */
    port: z.int().min(0).max(65535),
  });

/** Whether a database server is reached without a network: over the loopback interface, or a socket in a folder. */
export function isThisMachine(host: string): boolean {
  return (
    host === 'localhost' || host === '::1' || isAbsolute(host) || (isIPv4(host) && host.startsWith('127.'))
  );
}

const schema = z.strictObject({
  /** The bank's origin: the name of its log, printable ASCII without spaces. */
  origin: z.string().regex(/^[\x21-\x2a\x2c-\x7e]{1,128}$/),
  ...place('127.0.0.1').shape,
  /** The database of the embedded engine, and nothing else. */
  dataFolder: z.string(),
  /** Where the bank's tables are: in the data folder, or in a PostgreSQL server that several processes share. */
  store: z
    .discriminatedUnion('engine', [
      z.strictObject({ engine: z.literal('sqlite') }),
      z
        .strictObject({
          engine: z.literal('postgres'),
          host: z.string(),
          port: z.int().min(1).max(65535),
          database: z.string(),
          /** The server's role, which does not own the tables. */
          user: z.string(),
          passwordFile: z.string(),
          /** The authority of the database server's certificate, and the bank's own for it; `null` on one machine. */
          tls: z.strictObject({ authority: z.string(), certificate: z.string(), key: z.string() }).nullable(),
        })
        .refine(({ host, tls }) => tls !== null || isThisMachine(host), {
          path: ['tls'],
          error: 'needed unless the database server is on this machine',
        }),
    ])
    .default({ engine: 'sqlite' }),
  /** PEM files: the server's own certificate and key; who certifies clients, and which of those it took back. */
  tls: z.strictObject({
    certificate: z.string(),
    key: z.string(),
    clientAuthority: z.string(),
    revocations: z.string().nullable().default(null),
  }),
  /** Where the operator asks for health and metrics, over plain HTTP; `null`: nowhere. */
  operations: place('127.0.0.1').nullable().default(null),
  /** Where anybody may fetch the log, over TLS without a client certificate; `null`: nowhere. */
  publicLog: place('0.0.0.0').nullable().default(null),
  limits: limitsSchema.default(DEFAULT_LIMITS),
  /** The bank's key file, its signed credential, and the file with the passphrase. */
  identity: z.strictObject({
    keys: z.string(),
    credential: z.string(),
    passphraseFile: z.string(),
    /** Credentials that these keys had before, oldest first. */
    former: z.array(z.string()).max(63).default([]),
  }),
  /** The log's own key file, under the same passphrase, and the anchor's signed charter for bank and log. */
  log: z.strictObject({ keys: z.string(), charter: z.string() }),
  /** Who is asked to cosign each checkpoint: where `/add-checkpoint` is, and the C2SP verifier key. */
  witnesses: z
    .array(z.strictObject({ url: z.url(), key: z.string() }))
    .max(16)
    .default([]),
  /** The administrator's signed credential and its Id in hexadecimal: the anchor of trust. */
  anchor: z.strictObject({ credential: z.string(), id: z.string().regex(/^[0-9a-f]{64}$/) }),
  /** For how long a break-glass release can be used. */
  releaseMinutes: z.number().positive().max(1440).default(60),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});

/** A checked configuration; file names are absolute. */
export type Config = z.output<typeof schema>;

/** Reads a configuration file; relative file names in it are relative to it. Throws an `Error` of one line. */
export function readConfig(file: string): Config {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw new Error(`the configuration ${file} cannot be read as JSON`);
  }
  const result = schema.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new Error(
      `the configuration ${file} is wrong at "${issue?.path.join('.') ?? ''}": ${issue?.message ?? ''}`,
    );
  }
  const at = (name: string): string => path.resolve(path.dirname(file), name);
  const { store, tls, identity, log, anchor, dataFolder } = result.data;
  return {
    ...result.data,
    dataFolder: at(dataFolder),
    store:
      store.engine === 'sqlite'
        ? store
        : { ...store, passwordFile: at(store.passwordFile), tls: tlsAt(store.tls, at) },
    tls: {
      certificate: at(tls.certificate),
      key: at(tls.key),
      clientAuthority: at(tls.clientAuthority),
      revocations: tls.revocations === null ? null : at(tls.revocations),
    },
    identity: {
      keys: at(identity.keys),
      credential: at(identity.credential),
      passphraseFile: at(identity.passphraseFile),
      former: identity.former.map(at),
    },
    log: { keys: at(log.keys), charter: at(log.charter) },
    anchor: { credential: at(anchor.credential), id: anchor.id },
  };
}

type StoreTls = Extract<Config['store'], { engine: 'postgres' }>['tls'];

function tlsAt(tls: StoreTls, at: (name: string) => string): StoreTls {
  if (tls === null) return null;
  return { authority: at(tls.authority), certificate: at(tls.certificate), key: at(tls.key) };
}
