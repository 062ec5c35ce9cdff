/** What a check needs of a server's configuration: where the tables are, and in whose name they speak. */

import { readAnchor, verifyCredential } from 'muniment/keys';
import { parseNoteKey, verifyCharter } from 'muniment/record';
import { equalBytes } from 'muniment/wire';
import path from 'node:path';
import { z } from 'zod';
import { CliError } from '../../client/cli/error.ts';
import { readBytes, readForm, readText } from '../../client/cli/files.ts';
import { openPostgresSource, openSqliteSource, type Source } from './source.ts';
import type { BankTrust } from './trust.ts';

const form = z.looseObject({
  origin: z.string(),
  dataFolder: z.string(),
  store: z
    .discriminatedUnion('engine', [
      z.object({ engine: z.literal('sqlite') }),
      z.object({
        engine: z.literal('postgres'),
        host: z.string(),
        port: z.int(),
        database: z.string(),
        user: z.string(),
        passwordFile: z.string(),
        tls: z.object({ authority: z.string(), certificate: z.string(), key: z.string() }).nullable(),
      }),
    ])
    .default({ engine: 'sqlite' }),
  identity: z.looseObject({ credential: z.string(), former: z.array(z.string()).default([]) }),
  log: z.looseObject({ charter: z.string() }),
  anchor: z.looseObject({ credential: z.string(), id: z.string() }),
  witnesses: z.array(z.looseObject({ key: z.string() })).default([]),
});

/** A configuration, and where its file lies. */
interface Located {
  readonly config: z.output<typeof form>;
  readonly at: (name: string) => string;
}

/** Reads whose bank it is. Throws `CliError`, or a `MunimentError` for credentials or a charter that are not the anchor's. */
export function readTrust(file: string): BankTrust {
  const { config, at } = read(file);
  const { origin } = config;
  const id = Uint8Array.from(Buffer.from(config.anchor.id, 'hex'));
  const anchor = readAnchor(readBytes(at(config.anchor.credential)), id);
  const bank = verifyCredential(readBytes(at(config.identity.credential)), anchor, 'ever');
  const charter = verifyCharter(readBytes(at(config.log.charter)), anchor, origin);
  if (!equalBytes(charter.bank, bank.id)) throw new CliError('the charter is of another bank');
  const witnesses = config.witnesses.map(({ key }) => parseNoteKey(key));
  const former = config.identity.former.map((name) => verifyCredential(readBytes(at(name)), anchor, 'ever'));
  if (former.some((one) => !equalBytes(one.signing.publicKey, bank.signing.publicKey)))
    throw new CliError("a former credential is not of the bank's keys");
  return { origin, anchor, bank, former, log: charter.log, witnesses };
}

/** Opens the bank's database to read it. */
export async function openSource(file: string): Promise<Source> {
  const { config, at } = read(file);
  const { store } = config;
  if (store.engine === 'sqlite') {
    const database = path.join(at(config.dataFolder), 'bank.sqlite');
    try {
      return openSqliteSource(database);
    } catch (cause) {
      throw new CliError(`${database} cannot be read`, { cause });
    }
  }
  const { host, port, database, user, passwordFile, tls } = store;
  const ssl = tls !== null && {
    ca: readText(at(tls.authority)),
    cert: readText(at(tls.certificate)),
    key: readText(at(tls.key)),
  };
  const password = readText(at(passwordFile)).trimEnd();
  try {
    return await openPostgresSource({ host, port, database, user, password, ssl });
  } catch (cause) {
    throw new CliError('the database cannot be reached, or does not let the server in', { cause });
  }
}

function read(file: string): Located {
  const config = readForm(file, form);
  return { config, at: (name) => path.resolve(path.dirname(file), name) };
}
