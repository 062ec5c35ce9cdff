/** What a server is made of, opened as its configuration says: identity, log keys, database, TLS. */

import { createIdentity, importKeys, readAnchor, verifyCredential } from 'muniment/keys';
import { logKeysOf, verifyCharter, type LogKeys, type LogSigner } from 'muniment/record';
import { equalBytes } from 'muniment/wire';
import { readFileSync } from 'node:fs';
import type { BankParts } from './bank.ts';
import type { Config } from './config.ts';
import type { ServerTls } from './http/app.ts';
import { importLogKeys } from './log-keys.ts';
import { Revocations } from './revocations.ts';
import type { Engine } from './store/engine.ts';
import { openPostgres } from './store/postgres.ts';
import { openSqlite } from './store/sqlite.ts';

/** Opens the database. `report` is told of connections to it that broke while nobody used them. */
export function openStore({ store, dataFolder }: Config, report: (error: Error) => void): Promise<Engine> {
  if (store.engine === 'sqlite')
    return openSqlite(dataFolder, (error) => {
      report(error);
      process.exit(1); // whoever keeps the server running starts it again
    });
  const { host, port, database, user, passwordFile, tls } = store;
  const ssl = tls !== null && { ca: read(tls.authority), cert: read(tls.certificate), key: read(tls.key) };
  const password = read(passwordFile).trimEnd();
  return Promise.resolve(openPostgres({ host, port, database, user, password, ssl }, report));
}

/** Reads who the bank is and whom it trusts, and holds the charter against both. Throws an `Error` of one line. */
export async function openIdentity(
  config: Config,
): Promise<Required<Pick<BankParts, 'identity' | 'former' | 'anchor' | 'log'>>> {
  const anchor = readAnchor(
    readBytes(config.anchor.credential),
    Uint8Array.from(Buffer.from(config.anchor.id, 'hex')),
  );
  const passphrase = read(config.identity.passphraseFile).trimEnd();
  const keys = await importKeys(read(config.identity.keys), passphrase);
  const credential = verifyCredential(readBytes(config.identity.credential), anchor, Date.now());
  const log = await importLogKeys(read(config.log.keys), passphrase, config.origin);
  const charter = verifyCharter(readBytes(config.log.charter), anchor, config.origin);
  if (!equalBytes(charter.bank, credential.id) || !hasKeys(charter.log, log))
    throw new Error('the charter is of another bank, or of a log with other keys');
  const former = config.identity.former.map((file) => verifyCredential(readBytes(file), anchor, 'ever'));
  return { identity: createIdentity(keys, credential), former, anchor, log };
}

/** Reads the server's certificate and key, and the authority of its clients. */
export function readTls({ tls }: Config): ServerTls {
  return { cert: read(tls.certificate), key: read(tls.key), ca: read(tls.clientAuthority) };
}

/** Reads the list of revoked clients' certificates, if the configuration names one. */
export async function openRevocations({ tls }: Config, now: number): Promise<Revocations | null> {
  if (tls.revocations === null) return null;
  const revocations = new Revocations(tls.revocations, read(tls.clientAuthority));
  await revocations.look(now);
  return revocations;
}

function hasKeys({ ed25519, mlDsa44 }: LogKeys, signer: LogSigner): boolean {
  const own = logKeysOf(signer);
  if (mlDsa44 === null || own.mlDsa44 === null) return false;
  return equalBytes(ed25519, own.ed25519) && equalBytes(mlDsa44, own.mlDsa44);
}

function read(file: string): string {
  return readBytes(file).toString('utf8');
}

function readBytes(file: string): Buffer {
  return readFileSync(file);
}
