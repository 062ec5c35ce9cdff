/** Attacks on what is kept: a byte flipped in every kind of stored object, entries dropped and swapped. */

import { systemRandom } from 'muniment/crypto';
import { verifyEvidence } from 'muniment/envelope';
import { exportKeys, importKeys, verifyCompartments, verifyGroup, type SoftwareKeys } from 'muniment/keys';
import { clockWindow } from 'muniment/protocol';
import { readStatement, verifyExport } from 'muniment/record';
import { decodeSealed, encodeSealed, open, openAnnex, openGrant, sealAnnex } from 'muniment/views';
import { fromBase64url, toBase64url } from 'muniment/wire';
import { DIGESTS, OPENINGS, ruleFor } from '../../server/rights.ts';
import { CLOCK } from '../../client/connection.ts';
import { rootReader } from '../../client/own-root.ts';
import { plain } from '../../server/store/bytes.ts';
import { owned } from '../owned.ts';
import type { Played } from '../play.ts';
import type { World } from '../world.ts';

import { flip, nothing, type Attack } from './attack.ts';

interface ExportedJson {
  credentials: string[];
  content: EntryJson[];
  access: EntryJson[];
  checkpoint: string;
}

interface EntryJson {
  entry: string;
  payload: string;
  receipt: string;
  proof: string[];
}

// One object of each kind in an export is altered; the verifier must notice.
export function flippedExport(world: World, played: Played): Attack[] {
  const tampered = (name: string, codes: readonly string[], alter: (json: ExportedJson) => void): Attack => ({
    name,
    codes,
    run: () => {
      const json = JSON.parse(played.exported) as ExportedJson;
      alter(json);
      return verifyTampered(world, json);
    },
  });
  const flipText = (text: string, at?: number): string => toBase64url(flip(fromBase64url(text), at));
  const first = (json: ExportedJson): EntryJson => json.content[0] ?? nothing();
  return [
    tampered('flipped byte: credential', ['KEY_CREDENTIAL'], (json) => {
      json.credentials[2] = flipText(json.credentials[2] ?? '');
    }),
    tampered('flipped byte: entry', ['RECORD_LINK', 'RECORD_ENTRY', 'RECORD_AUTHOR'], (json) => {
      first(json).entry = flipText(first(json).entry);
    }),
    tampered("flipped byte: author's signature", ['RECORD_AUTHOR'], (json) => {
      const bytes = fromBase64url(first(json).entry);
      first(json).entry = toBase64url(flip(bytes, bytes.length - 40));
    }),
    tampered('flipped byte: statement', ['RECORD_PAYLOAD'], (json) => {
      first(json).payload = flipText(first(json).payload);
    }),
    tampered('flipped byte: access statement', ['RECORD_PAYLOAD'], (json) => {
      const access = json.access[0] ?? nothing();
      access.payload = flipText(access.payload);
    }),
    tampered('flipped byte: receipt', ['RECORD_RECEIPT'], (json) => {
      first(json).receipt = flipText(first(json).receipt);
    }),
    tampered('flipped byte: inclusion proof', ['RECORD_INCLUSION'], (json) => {
      first(json).proof[0] = flipText(first(json).proof[0] ?? '');
    }),
    tampered('flipped byte: checkpoint', ['RECORD_CHECKPOINT'], (json) => {
      json.checkpoint = json.checkpoint.replace(
        /\n(\d)/,
        (_, digit: string) => `\n${String((Number(digit) % 9) + 1)}`,
      );
    }),
  ];
}

function verifyTampered(world: World, json: ExportedJson): Promise<unknown> {
  return verifyExport(JSON.stringify(json), {
    anchorId: world.trust.anchor.id,
    origin: world.trust.origin,
    witnesses: world.trust.witnesses,
    rule: ruleFor,
    digests: DIGESTS,
    openings: OPENINGS,
    renewalLogs: [],
  });
}

// What is stored beside the chain: bodies, wraps, annexes, directory statements, evidence, key files.
export async function flippedStore(world: World, played: Played): Promise<Attack[]> {
  const { patient, secondDoctor, insurer } = world.clients;
  const entry = played.verified.content.find(({ entry: { entry } }) => entry.kind === 'insert') ?? nothing();
  const body = decodeSealed(entry.payload ?? nothing());
  const as = [await rootReader(patient, [played.compartments])];
  const { recordId } = played.record;
  const openAltered = (altered: Partial<typeof body>): Promise<unknown> =>
    open(decodeSealed(encodeSealed({ ...body, ...altered })), {
      recordId,
      authors: () => entry.entry.author,
      as,
      releases: null,
    });
  const [firstClass = nothing(), ...classes] = body.classes;
  const [firstWrap = nothing(), ...wraps] = body.wraps;
  const { compartments, group, grantWrap, request } = await owned(world, async (database) => ({
    compartments: (await database.selectFrom('compartments').select('statement').executeTakeFirstOrThrow())
      .statement,
    group: (
      await database
        .selectFrom('groups')
        .select('statement')
        .where('name', '=', 'insurer')
        .executeTakeFirstOrThrow()
    ).statement,
    grantWrap: plain(
      (await database.selectFrom('attachments').select('bytes').executeTakeFirstOrThrow()).bytes,
    ),
    request: await database
      .selectFrom('requests')
      .select(['evidence', 'subject'])
      .where('type', '=', 'read')
      .executeTakeFirstOrThrow(),
  }));
  const evidence = new Uint8Array(request.evidence);
  const asker =
    Object.values(world.clients).find(({ user }) => user.credential.subject === request.subject) ?? nothing();
  const grant = grantStatement(played);
  const keyFile = await exportKeys(patient.user as unknown as SoftwareKeys, 'a passphrase'); // made by enrol, so in memory
  return [
    {
      name: 'flipped byte: manifest',
      codes: ['VIEW_AUTHOR'],
      run: () => openAltered({ manifest: flip(body.manifest) }),
    },
    {
      name: 'flipped byte: document signature',
      codes: ['VIEW_AUTHOR'],
      run: () => openAltered({ signature: flip(body.signature) }),
    },
    {
      name: 'flipped byte: sealed fields',
      codes: ['VIEW_COMMITMENT'],
      run: () =>
        openAltered({ classes: [{ ...firstClass, ciphertext: flip(firstClass.ciphertext) }, ...classes] }),
    },
    {
      name: 'flipped byte: wrapped keys',
      codes: ['VIEW_WRAP'],
      run: () => openAltered({ wraps: [{ ...firstWrap, ciphertext: flip(firstWrap.ciphertext) }, ...wraps] }),
    },
    { name: 'dropped class of a document', codes: ['VIEW_INCOMPLETE'], run: () => openAltered({ classes }) },
    {
      name: 'flipped byte: compartments',
      codes: ['KEY_SIGNATURE'],
      run: () =>
        Promise.resolve().then(() =>
          verifyCompartments(flip(new Uint8Array(compartments)), patient.user.credential),
        ),
    },
    {
      name: 'flipped byte: group epoch',
      codes: ['KEY_SIGNATURE'],
      run: () =>
        Promise.resolve().then(() => verifyGroup(flip(new Uint8Array(group)), insurer.user.credential)),
    },
    {
      name: 'flipped byte: granted node',
      codes: ['VIEW_GRANT'],
      run: () =>
        openGrant(
          secondDoctor.user,
          { statement: grant, wrap: flip(grantWrap) },
          { grantor: patient.user.credential, recordId, at: CLOCK.now(), under: null },
        ),
    },
    { name: 'flipped byte: annex', codes: ['VIEW_ANNEX'], run: () => flippedAnnex(recordId) },
    {
      name: 'flipped byte: archived request',
      codes: ['ENVELOPE_SIGNATURE', 'ENVELOPE_GRAMMAR'],
      run: () =>
        Promise.resolve().then(() =>
          verifyEvidence(flip(evidence, evidence.length - 60), {
            type: 'request',
            author: asker.user.credential,
            to: world.trust.bank.id,
            answers: null,
            time: clockWindow(CLOCK.now()),
          }),
        ),
    },
    {
      name: 'flipped byte: key file',
      codes: ['KEY_PASSPHRASE', 'KEY_FILE'],
      run: () => {
        const json = JSON.parse(keyFile) as { sealed: string };
        const sealed = toBase64url(flip(fromBase64url(json.sealed)));
        return importKeys(JSON.stringify({ ...json, sealed }), 'a passphrase');
      },
    },
  ];
}

// The record's own chain, altered by whoever keeps it.
export function chainAttacks(world: World, played: Played): Attack[] {
  const altered = (
    name: string,
    codes: readonly string[],
    alter: (content: EntryJson[]) => void,
  ): Attack => ({
    name,
    codes,
    run: () => {
      const json = JSON.parse(played.exported) as ExportedJson;
      alter(json.content);
      return verifyTampered(world, json);
    },
  });
  return [
    altered('dropped entry', ['RECORD_LINK'], (content) => content.splice(1, 1)),
    altered('two swapped entries', ['RECORD_LINK'], (content) => {
      content.splice(1, 2, content[2] ?? nothing(), content[1] ?? nothing());
    }),
  ];
}

async function flippedAnnex(recordId: Uint8Array): Promise<void> {
  const names = { recordId, docId: systemRandom(16) };
  const sealed = sealAnnex(new Blob([systemRandom(1000)]).stream(), { ...names, mediaType: 'image/png' });
  const ciphertext = new Uint8Array(await new Response(sealed.ciphertext).arrayBuffer());
  const altered = new Blob([flip(ciphertext)]).stream();
  await new Response(openAnnex(altered, await sealed.annex, names)).arrayBuffer();
}

function grantStatement(played: Played): Uint8Array {
  const { entry, payload } =
    played.verified.content.find((one) => one.entry.entry.kind === 'grant') ?? nothing();
  return readStatement(entry.entry, payload ?? nothing(), 'grant');
}
