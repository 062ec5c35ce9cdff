/** A user's folder: keys under a passphrase or in a token, credential, the bank's settings, TLS certificate, memory, receipts. */

import {
  createIdentity,
  exportKeys,
  importKeys,
  readAnchor,
  verifyCredential,
  type Credential,
  type Identity,
  type IdentityKeys,
  type SoftwareKeys,
} from 'muniment/keys';
import { equalBytes, toHex } from 'muniment/wire';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { encryptKey } from '../../demo/authority.ts';
import { BankClient } from '../bank.ts';
import { CliError } from './error.ts';
import { readBytes, readForm, readText, refuseExisting, writeNew, writeWhole } from './files.ts';
import { readMemory, writeMemory } from './memory.ts';
import { unsealed, type AskPassphrase, type AskPin } from './passphrase.ts';
import { settingsForm, trustOf, type Settings } from './settings.ts';
import { makeReferredKeys, openReferredKeys, type OpenKeys, type TokenWish } from './token-keys.ts';

const KEYS = 'keys.json';
const TOKEN_KEYS = 'token.json';
const CREDENTIAL = 'credential';
const ANCHOR_ID = 'anchor-id';
const SETTINGS = 'settings.json';
const CERTIFICATE = 'tls.crt';
const TLS_KEY = 'tls.key';
const MEMORY = 'memory.json';
const RECEIPTS = 'receipts';

/** What a user gets from the administrator to join a bank. */
export interface Joining {
  /** The signed credential; `null` for the administrator, who issued its own. */
  readonly credential: Uint8Array | null;
  readonly settings: Settings;
  /** The settings file's text, kept as it is. */
  readonly settingsText: string;
  /** Whom the user trusts, known from elsewhere. */
  readonly anchorId: Uint8Array;
  /** The folder with the TLS certificate and its key in the user's name. */
  readonly tls: string;
}

/** One wallet. */
export class Wallet {
  readonly folder: string;
  readonly #ask: AskPassphrase;
  readonly #askPin: AskPin;
  #open: OpenKeys | null = null;

  constructor(folder: string, ask: AskPassphrase, askPin: AskPin) {
    this.folder = folder;
    this.#ask = ask;
    this.#askPin = askPin;
  }

  /** Where a file of the wallet lies. */
  at(...names: string[]): string {
    return path.join(this.folder, ...names);
  }

  /** Refuses to go on where there are keys: they may be the only ones that open somebody's record. */
  refuseKeys(): void {
    refuseExisting(this.at(KEYS));
    refuseExisting(this.at(TOKEN_KEYS));
  }

  /** Writes new keys, and never over others. */
  async keepKeys(keys: SoftwareKeys): Promise<void> {
    this.refuseKeys();
    writeNew(this.at(KEYS), await exportKeys(keys, await this.#ask(true)));
  }

  /** Makes new keys in a token, under this name. */
  async makeTokenKeys(wish: TokenWish, name: string): Promise<IdentityKeys> {
    this.refuseKeys();
    this.#open = makeReferredKeys(this.at(TOKEN_KEYS), wish, name, await this.#askPin());
    return this.#open.keys;
  }

  /** The passphrase that the keys are under, or, if they are new, are to be under. */
  passphrase(isNew: boolean): Promise<string> {
    return this.#ask(isNew);
  }

  /** The keys. */
  async keys(): Promise<IdentityKeys> {
    if (existsSync(this.at(TOKEN_KEYS))) {
      this.#open ??= await openReferredKeys(this.at(TOKEN_KEYS), await this.#askPin());
      return this.#open.keys;
    }
    if (!existsSync(this.at(KEYS))) throw new CliError(`there are no keys in ${this.folder}`);
    const passphrase = await this.#ask(false);
    return unsealed(this.at(KEYS), () => importKeys(readText(this.at(KEYS)), passphrase));
  }

  /** Keeps a self-issued credential. */
  keepAnchor({ id, encoded }: Credential): void {
    writeWhole(this.at(CREDENTIAL), encoded);
    writeWhole(this.at(ANCHOR_ID), `${toHex(id)}\n`);
  }

  /** The identity of an administrator: one that vouches for itself. */
  async administrator(): Promise<Identity> {
    const credential = this.credential();
    if (!equalBytes(credential.id, this.#anchorId()))
      throw new CliError(`${this.folder} is not an administrator's wallet`);
    return createIdentity(await this.keys(), credential);
  }

  /** The wallet's own credential, verified under the anchor. */
  credential(): Credential {
    if (!existsSync(this.at(ANCHOR_ID))) throw new CliError(`${this.folder} has not joined a bank yet`);
    const encoded = readBytes(this.at(CREDENTIAL));
    const anchorId = this.#anchorId();
    if (!existsSync(this.at(SETTINGS))) return readAnchor(encoded, anchorId);
    const { anchor } = readForm(this.at(SETTINGS), settingsForm);
    if (equalBytes(anchor, encoded)) return readAnchor(encoded, anchorId);
    return verifyCredential(encoded, readAnchor(anchor, anchorId), 'ever');
  }

  /** Joins a bank: everything is checked first, and the settings, which make it so, are written last. */
  async join(joining: Joining): Promise<Credential> {
    const { settings, settingsText, anchorId, tls } = joining;
    const { anchor } = trustOf(settings, anchorId);
    const credential =
      joining.credential === null
        ? readAnchor(readBytes(this.at(CREDENTIAL)), anchorId)
        : verifyCredential(joining.credential, anchor, Date.now());
    createIdentity(await this.keys(), credential);
    const { certificate, key } = readTls(tls, credential.subject);
    writeWhole(this.at(CERTIFICATE), certificate);
    writeWhole(this.at(TLS_KEY), encryptKey(key, await this.#ask(false)));
    writeWhole(this.at(CREDENTIAL), credential.encoded);
    writeWhole(this.at(SETTINGS), settingsText);
    writeWhole(this.at(ANCHOR_ID), `${toHex(anchorId)}\n`);
    return credential;
  }

  /** Takes settings of the same bank in the place of those that there are: something of it has changed since. */
  renewSettings(settings: Settings, settingsText: string): void {
    if (settings.origin !== this.settings().origin) throw new CliError('the settings are of another bank');
    trustOf(settings, this.#anchorId());
    writeWhole(this.at(SETTINGS), settingsText);
  }

  /** The bank's settings. */
  settings(): Settings {
    if (!existsSync(this.at(SETTINGS))) throw new CliError(`${this.folder} has not joined a bank yet`);
    return readForm(this.at(SETTINGS), settingsForm);
  }

  /** Works as a client of the bank. Whatever comes of it, what was verified is remembered. */
  async use<Result>(work: (client: BankClient) => Promise<Result>): Promise<Result> {
    const settings = this.settings();
    const trust = trustOf(settings, this.#anchorId());
    const user = createIdentity(await this.keys(), this.credential());
    const tls = {
      certificate: readText(this.at(CERTIFICATE)),
      key: readText(this.at(TLS_KEY)),
      authority: settings.authority,
      passphrase: await this.#ask(false),
    };
    await unsealed(this.at(TLS_KEY), () => createPrivateKey(tls)); // of keys in a token, the first to take it
    const memory = readMemory({
      memory: this.at(MEMORY),
      receipts: this.at(RECEIPTS),
      proof: () => this.at(`fraud-${String(Date.now())}.json`),
    });
    const endpoint = { host: settings.host, port: settings.port, tls };
    const client = new BankClient(user, trust, endpoint, memory);
    try {
      return await work(client);
    } finally {
      writeMemory(this.at(MEMORY), memory);
    }
  }

  /** Logs out of the token, if the keys are in one. */
  close(): void {
    this.#open?.token.close();
    this.#open = null;
  }

  #anchorId(): Uint8Array {
    return Uint8Array.from(Buffer.from(readText(this.at(ANCHOR_ID)).trim(), 'hex'));
  }
}

function readTls(folder: string, subject: string): { certificate: string; key: string } {
  const certificate = readText(path.join(folder, `${subject}.crt`));
  const key = readText(path.join(folder, `${subject}.key`));
  let fits;
  try {
    fits = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch (cause) {
    throw new CliError(`the TLS certificate or key of ${subject} in ${folder} is broken`, { cause });
  }
  if (!fits) throw new CliError(`the TLS certificate of ${subject} in ${folder} is for another key`);
  return { certificate, key };
}
