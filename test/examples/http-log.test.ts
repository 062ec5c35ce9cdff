/** The public log: tiles that anybody fetches, from which every proof is made that the checkpoint demands. */

import { leafHash, rootFromInclusion } from 'muniment/crypto';
import { systemRandom } from 'muniment/crypto';
import { createRoot } from 'muniment/keys';
import { NO_WITNESSES, openTiles, verifyCheckpoint, verifyConsistency } from 'muniment/record';
import { request as httpsRequest } from 'node:https';
import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDirectory, publishCompartmentsOf, register } from '../../examples/client/publishing.ts';
import { TestBank } from './http-bank.ts';
import { ENGINES } from './store/engines.ts';

describe.each(ENGINES)('the log of a bank on %s', (store) => {
  let bank: TestBank;
  let publish: () => Promise<void>;

  beforeAll(async () => {
    bank = await TestBank.start({ store });
    for (const name of ['administrator', 'patient']) await bank.certify(name);
    const administrator = bank.clientOf(bank.administrator);
    const directory = await openDirectory(administrator);
    const patient = await bank.enrol('patient', 'patient');
    publish = async () => {
      const users = await Promise.all(
        [1, 2].map(() => bank.enrol(`user-${String(systemRandom(4))}`, 'doctor')),
      );
      await register(
        administrator,
        directory,
        users.map(({ credential }) => credential),
      );
    };
    await register(administrator, directory, [patient.credential]);
    const names = ['personal', 'urgent', 'medical', 'financial'];
    const compartments = { root: createRoot(), recordId: systemRandom(16), names };
    await publishCompartmentsOf(bank.clientOf(patient), directory, compartments);
  });

  afterAll(() => bank.end());

  interface Got {
    readonly status: number;
    readonly headers: IncomingHttpHeaders;
    readonly body: Uint8Array;
  }

  /** Asks without a client certificate. */
  async function get(path: string): Promise<Got> {
    const ca = bank.read('authority', 'authority.crt');
    const asking = httpsRequest({ host: '127.0.0.1', port: bank.ports.publicLog, ca, path, agent: false });
    asking.end();
    const [response] = (await once(asking, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: new Uint8Array(Buffer.concat(chunks)),
    };
  }

  const fetchTile = async (path: string): Promise<Uint8Array | null> => {
    const { status, body } = await get(`/${path}`);
    return status === 200 ? body : null;
  };

  const checkpoint = async () => {
    const { headers, body } = await get('/checkpoint');
    const text = Buffer.from(body).toString();
    return { headers, verified: verifyCheckpoint(text, { log: bank.log, witnesses: NO_WITNESSES }) };
  };

  it('is read from its tiles under its checkpoint, each leaf with its proof', async () => {
    const { headers, verified } = await checkpoint();
    expect(headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(headers['cache-control']).toBe('public, max-age=1');
    expect(verified.size).toBe(bank.bank.ledger.size);
    expect(verified.size).toBeGreaterThan(2);
    const log = await openTiles(verified, fetchTile);
    const leaves = await log.leaves(0);
    expect(leaves).toHaveLength(verified.size);
    for (const [index, leaf] of leaves.entries()) {
      const root = rootFromInclusion(leafHash(leaf), index, verified.size, await log.inclusion(index));
      expect(root).toEqual(verified.root);
    }
  });

  it('has files of the right type that are kept for good, and no others', async () => {
    const { verified } = await checkpoint();
    const width = String(verified.size);
    for (const path of [`/tile/0/000.p/${width}`, `/tile/entries/000.p/${width}`, '/tile/0/000.p/1']) {
      const { status, headers } = await get(path);
      expect({ path, status, type: headers['content-type'] }).toEqual({
        path,
        status: 200,
        type: 'application/octet-stream',
      });
      expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
    }
    const past = String(verified.size + 1);
    for (const path of [
      `/tile/0/000.p/${past}`,
      `/tile/entries/000.p/${past}`,
      '/tile/0/000',
      '/tile/1/000.p/1',
      '/tile/0/0',
      '/tile/0/%2e%2e',
      '/tile/',
      '/',
      '/session',
      '/metrics',
    ])
      expect({ path, status: (await get(path)).status }).toEqual({ path, status: 404 });
  });

  it('grows, and what tiles prove of it is that it only grew', async () => {
    const older = (await checkpoint()).verified;
    await publish();
    await expect
      .poll(async () => (await checkpoint()).verified.size, { timeout: 20_000 })
      .toBeGreaterThan(older.size);
    const newer = (await checkpoint()).verified;
    const log = await openTiles(newer, fetchTile);
    expect(verifyConsistency(older, newer, await log.consistency(older.size))).toBe(newer);
  });
});
