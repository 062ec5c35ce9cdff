/** The keys that a bank lives by, their public halves alone: whose they are, and until when they are good. */

import { kem, sha256 } from 'muniment/crypto';
import { readAnchor, verifyCredential, type Credential } from 'muniment/keys';
import { formatNoteKey, verifyCharter } from 'muniment/record';
import { toHex } from 'muniment/wire';
import { readBytes } from '../../client/cli/files.ts';
import type { BankFolder } from '../bank-folder.ts';
import { readServerFiles } from './server-files.ts';

/** A key, by what it is for. */
export interface KeyRow {
  readonly use: string;
  readonly algorithm: string;
  /** SHA-256 of the public key, in hexadecimal. */
  readonly digest: string;
}

/** A party's keys. */
export interface PartyRow {
  readonly party: 'anchor' | 'bank' | 'former bank' | 'log';
  /** `null` of the log, whose keys no credential names, but the charter. */
  readonly id: string | null;
  readonly subject: string;
  readonly from: string | null;
  readonly until: string | null;
  /** Days until it ends; negative once it has. `null` where nothing ends. */
  readonly daysLeft: number | null;
  readonly keys: readonly KeyRow[];
}

/** For so many days before a credential ends there are warnings. */
export const WARNING_DAYS = 60;
const DAY = 86_400_000;

/** Shows the keys of a bank, by its server's folder. */
export function showKeys(folder: BankFolder, now: number): PartyRow[] {
  const { config, at } = readServerFiles(folder);
  const id = Uint8Array.from(Buffer.from(config.anchor.id, 'hex'));
  const anchor = readAnchor(readBytes(at(config.anchor.credential)), id);
  const credential = (file: string): Credential => verifyCredential(readBytes(at(file)), anchor, 'ever');
  const { log } = verifyCharter(readBytes(at(config.log.charter)), anchor, config.origin);
  const logKeys = [{ name: log.origin, type: 1 as const, publicKey: log.ed25519 }];
  const postQuantum =
    log.mlDsa44 === null ? [] : [{ name: log.origin, type: 6 as const, publicKey: log.mlDsa44 }];
  return [
    partyRow('anchor', anchor, now),
    partyRow('bank', credential(config.identity.credential), now),
    ...config.identity.former.map((file) => partyRow('former bank', credential(file), now)),
    {
      ...{ party: 'log', id: null, subject: log.origin, from: null, until: null, daysLeft: null },
      keys: [...logKeys, ...postQuantum].map((key) => ({
        use: formatNoteKey(key),
        algorithm: key.type === 1 ? 'Ed25519' : 'ML-DSA-44',
        digest: toHex(sha256(key.publicKey)),
      })),
    },
  ];
}

function partyRow(party: PartyRow['party'], credential: Credential, now: number): PartyRow {
  const { id, subject, notBefore, notAfter, signing, handshake, sealing } = credential;
  const row = (use: string, algorithm: string, publicKey: Uint8Array): KeyRow => ({
    ...{ use, algorithm, digest: toHex(sha256(publicKey)) },
  });
  return {
    ...{ party, id: toHex(id), subject },
    from: new Date(notBefore).toISOString(),
    until: new Date(notAfter).toISOString(),
    daysLeft: Math.floor((notAfter - now) / DAY),
    keys: [
      row('signing', signing.algorithm, signing.publicKey),
      row('handshake', kem(handshake.kem).name, handshake.publicKey),
      row('sealing', kem(sealing.kem).name, sealing.publicKey),
    ],
  };
}
