/** The verifier's page (dist/verify.html) in a real browser, opened as a file and without a network. */

import { deepStrictEqual, doesNotMatch, match } from 'node:assert';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { KEM_X25519 } from 'muniment/crypto';
import { createRoot, enrol, nodeKey, publishCompartments, verifyCompartments } from 'muniment/keys';
import {
  encodeAuthorityStatement,
  encodeStatement,
  exportRecord,
  formatNoteKey,
  signCheckpoint,
  type LogTrust,
  type NoteKey,
  type RecordExport,
  type WitnessPolicy,
} from 'muniment/record';
import {
  compartmentReader,
  decodeSealed,
  definePolicy,
  disclose,
  encodeSealed,
  open,
  seal,
  SEALED_DOCUMENT,
  sealedDigest,
} from 'muniment/views';
import { toHex } from 'muniment/wire';
import {
  ARCHIVES,
  charterOf,
  erase,
  FIRST_LOG,
  named,
  renewedTwice,
  SMALL_POLICY,
  witnessed,
} from '../record/export-fixture.ts';
import { Bank, ORIGIN, timeOf, type Taken } from '../record/fixture.ts';
import { flipped } from '../mutation.ts';
import { ARGUMENTS } from './chromium.ts';
import type { Tally } from './tally.ts';

const PAGE = path.join(import.meta.dirname, '..', '..', 'dist', 'verify.html');
const MANY = 1000;
/** When the record was opened, and its owner's death stated: longer ago than payloads are kept. */
const OPENED = Date.UTC(2012, 0, 1);
/** Positions in the record of what is erased, and withheld from the export. */
const [ERASED, WITHHELD] = [3, 4];
/** What a name may hold that a page must not run. */
const INJECTION = '<img src=x onerror="document.title=1"><script>document.title=2</script>';

/** Opens the page for each kind of export, and tells each to the tally. */
export async function checkVerifier(tally: Tally): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'muniment-verifier-'));
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ARGUMENTS });
  try {
    const context = await browser.newContext({ offline: true });
    const requests: string[] = [];
    context.on('request', (request) => requests.push(request.url()));
    const { bank, opened } = await openBank();
    const whole = await exportOf(bank);
    const content = whole.content.map((one, i) =>
      i === 1 ? { ...one, opened } : i === ERASED || i === WITHHELD ? { ...one, payload: null } : one,
    );
    const parts = { ...whole, content };
    const trusted = {
      witnesses: policyText(SMALL_POLICY),
      renewalLogs: ARCHIVES.map(({ trust }) => logText(trust)).join('\n\n'),
      anchorId: toHex(bank.anchor.credential.id),
      origin: ORIGIN,
      ownerId: toHex(bank.patient.credential.id),
    };
    const judged = async (one: RecordExport | string, typed: Partial<typeof trusted>): Promise<Page> => {
      const file = path.join(folder, 'record.export');
      await writeFile(file, typeof one === 'string' ? one : exportRecord(one));
      const page = await context.newPage();
      page.on('pageerror', (error) => requests.push(String(error)));
      await page.goto(pathToFileURL(PAGE).href);
      for (const [name, value] of Object.entries(typed)) await page.fill(`[name=${name}]`, value);
      await page.setInputFiles('[name=file]', file);
      await page.click('button');
      await page.waitForSelector('.verdict, #report:not(:empty)');
      return page;
    };
    const verdict = async (page: Page): Promise<string> => (await page.textContent('.verdict')) ?? '';

    await tally.check('verifier: a whole export, by whom and what is not established', async () => {
      const page = await judged(parts, trusted);
      match(await verdict(page), /^Verified: /);
      const rows = await page.locator('tbody').first().locator('tr').allInnerTexts();
      match(rows[0] ?? '', /^0\s+create\s+doctor\s+doctor\s+2012-01-01T00:00:00.000Z\s+\S+\s+bank\s+valid/);
      match(rows[1] ?? '', /valid\s+sealed-document, \d+ bytes\s+\{"dose":1.00\} \(by doctor\)/);
      match(await page.innerText('ul'), /longer chain/);
    });
    await tally.check('verifier: who cosigned, since when, what was erased and what withheld', async () => {
      const page = await judged(parts, trusted);
      const facts = await page.locator('dl').nth(1).innerText();
      const cosigned =
        /by witness\.example\/1 at 2023-11-14T22:14:20\.000Z, by witness\.example\/2 at 2023-11-14T22:13:25\.000Z/;
      match(facts, cosigned);
      match(facts, /it stands since 2023-11-14T22:14:20\.000Z at the latest/);
      match(facts, /payloads erased\s+1\s+payloads withheld\s+1/);
      const rows = await page.locator('tbody').first().locator('tr').allInnerTexts();
      match(rows[ERASED] ?? '', /erased by entry 6 on the ground retention/);
      match(rows[WITHHELD] ?? '', /withheld from this file/);
      const doubts = await page.innerText('ul');
      match(
        doubts,
        /that erased payloads were .* or that nobody kept them \(of the record: 1; of its accesses: 0\)/,
      );
      match(doubts, /that payloads withheld from this export .* \(of the record: 1; of its accesses: 0\)/);
      doesNotMatch(doubts, /witness/);
    });
    await tally.check('verifier: fewer witnesses than were demanded, and a policy that is none', async () => {
      const page = await judged({ ...parts, checkpoint: await uncosigned(bank) }, trusted);
      match(await verdict(page), /^Not verified\. RECORD_WITNESS/);
      const unsaid = await judged(
        { ...parts, checkpoint: await uncosigned(bank) },
        { ...trusted, witnesses: '' },
      );
      match(await verdict(unsaid), /^Verified: /);
      match(await unsaid.innerText('ul'), /no witness has seen another history/);
      const mistyped = await judged(parts, { ...trusted, witnesses: 'witness.example/1' });
      match(await verdict(mistyped), /^Not verified\. a policy begins with a number/);
    });
    await tally.check('verifier: renewals, in logs that were typed and in others', async () => {
      const renewed = await renewedTwice(parts);
      const page = await judged(renewed, trusted);
      match(
        await page.locator('dl').nth(1).innerText(),
        /renewed under SHA-512\s+second\.example\/archive: by second/,
      );
      const [first] = ARCHIVES;
      const one = await judged(renewed, { ...trusted, renewalLogs: logText(first.trust) });
      match(
        await one.innerText('ul'),
        /renewed in the log second\.example\/archive, whose key was not given/,
      );
    });
    await tally.check('verifier: says that it trusts the file where nothing was typed', async () => {
      const page = await judged(parts, {});
      match(await verdict(page), /^Whole in itself, and no more/);
      match(await page.innerText('dl'), new RegExp(`anchor’s Id, as the file claims\\s+${trusted.anchorId}`));
    });
    await tally.check('verifier: another anchor, another owner, a byte changed', async () => {
      match(await verdict(await judged(parts, { ...trusted, anchorId: '00'.repeat(32) })), /KEY_CREDENTIAL/);
      match(
        await verdict(await judged(parts, { ...trusted, ownerId: '00'.repeat(32) })),
        /RECORD_RIGHT|owner/,
      );
      const [first, second, ...rest] = parts.content;
      if (first === undefined || !second?.payload) throw new Error('nothing to alter');
      const altered = { ...second, payload: flipped(second.payload, 99) };
      const page = await judged({ ...parts, content: [first, altered, ...rest] }, trusted);
      match(await verdict(page), /^Not verified\. RECORD_PAYLOAD: at entry 1 of content/);
      deepStrictEqual(await page.locator('tbody tr').count(), 1);
      const another = bank.taken[2]?.payload ?? null;
      const moved = { ...second, payload: another === null ? null : second.payload, opened: another };
      const disclosed = await judged({ ...parts, content: [first, moved, ...rest] }, trusted);
      match(await verdict(disclosed), /^Not verified\. RECORD_PAYLOAD/);
    });
    await tally.check('verifier: a name that is markup stays a name', async () => {
      const page = await judged(parts, trusted);
      const names = await page.locator('td:nth-child(3)').allInnerTexts();
      deepStrictEqual(names.includes(INJECTION), true);
      deepStrictEqual(await page.title(), 'Verify a record');
      deepStrictEqual(await page.locator('img').count(), 0);
    });
    await tally.check(`verifier: ${MANY} entries`, async () => {
      const long = await Bank.open();
      await long.take(long.doctor, 'create', long.creation());
      for (let i = 1; i < MANY; i++)
        await long.take(long.patient, 'grant', long.statement('grant', String(i)));
      const owner = { ...trusted, ownerId: toHex(long.patient.credential.id) };
      const page = await judged(await exportOf(long), {
        ...owner,
        anchorId: toHex(long.anchor.credential.id),
      });
      match(await verdict(page), /^Verified: /);
      await page.waitForFunction(`document.querySelectorAll('tbody')[0].rows.length >= ${MANY}`);
    });
    await tally.check('verifier: asked for nothing but itself', () => {
      // The recorder hears at all: it has heard the page itself.
      deepStrictEqual(requests.includes(pathToFileURL(PAGE).href), true);
      const foreign = requests.filter((url) => url !== pathToFileURL(PAGE).href && !url.startsWith('blob:'));
      deepStrictEqual(foreign, []);
      return Promise.resolve();
    });
  } finally {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function exportOf(bank: Bank): Promise<RecordExport> {
  return {
    ...(await bank.parts()),
    charters: [await charterOf(bank, bank.bank, FIRST_LOG)],
    checkpoint: await witnessed(bank.tree, FIRST_LOG),
  };
}

function uncosigned(bank: Bank): Promise<string> {
  return signCheckpoint(FIRST_LOG, bank.tree, timeOf(0));
}

function death({ random }: Bank): Uint8Array {
  const said = { kind: 'closing', number: 0, ground: 'death', at: OPENED } as const;
  return encodeStatement(encodeAuthorityStatement(said), random);
}

// As they are typed.
function policyText({ witnesses, threshold }: WitnessPolicy): string {
  return [String(threshold), ...witnesses.map(formatNoteKey)].join('\n');
}

function logText({ log, witnesses }: LogTrust): string {
  const key: NoteKey = { name: log.origin, type: 1, publicKey: log.ed25519 };
  return `${formatNoteKey(key)}\n${policyText(witnesses)}`;
}

// A record with sealed documents in it, one of them erased long after its owner's death, and one entry by somebody whose
// name is markup.
async function openBank(): Promise<{ bank: Bank; opened: Uint8Array }> {
  const bank = await Bank.open();
  await bank.take(bank.doctor, 'create', bank.creation(), { time: OPENED });
  const root = createRoot();
  const { recordId } = bank;
  const owner = verifyCompartments(
    await publishCompartments(bank.patient, root, { recordId, names: [] }),
    bank.patient.credential,
  );
  const policy = definePolicy({ name: 'test/1', rules: [], otherwise: [] });
  const insert = async (author: typeof bank.doctor): Promise<Taken> => {
    const about = { policy, owner, readers: () => null, breakGlass: null, author, time: 1e12, type: 'visit' };
    const payload = encodeSealed(await seal('{"dose":1.00}', about));
    const payloadDigest = sealedDigest(payload);
    return bank.take(author, 'insert', payload, { payloadType: SEALED_DOCUMENT, payloadDigest });
  };
  await insert(bank.doctor);
  const sealed = decodeSealed(bank.taken[1]?.payload ?? new Uint8Array(0));
  const as = owner.list.slice(0, 1).map((one) => {
    return { reader: compartmentReader(one), key: nodeKey(root, one.kem) };
  });
  const view = await open(sealed, { recordId, authors: bank.authors, as, releases: null });
  if (view === null) throw new Error('the owner opens the document');
  const opened = disclose(sealed, view, ['/dose']);
  const validity = { notBefore: 1_000_000_000_000, notAfter: 2_000_000_000_000 };
  const profile = { subject: INJECTION, roles: ['doctor'], ...validity };
  const odd = await enrol(bank.anchor, profile, { kem: KEM_X25519 });
  bank.others.push(odd);
  await insert(odd);
  const gone = await insert(bank.doctor);
  await insert(bank.doctor);
  await bank.take(bank.anchor, 'close', death(bank), { time: OPENED });
  await erase(bank, [named(gone)]);
  await bank.take(bank.bank, 'access', bank.statement('access', 'patient read'), { chain: 'access' });
  return { bank, opened };
}
