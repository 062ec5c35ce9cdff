/** Annexes over a line that breaks, on the real server: both ways they go on where they stopped; nobody else gets near them. */

import path from 'node:path';
import { Readable } from 'node:stream';
import { KEM_X25519, systemRandom } from 'muniment/crypto';
import { createRoot } from 'muniment/keys';
import { annexName, AnnexTreeBuilder, decodeAnnex, definePolicy, sealAnnex } from 'muniment/views';
import { toBase64url } from 'muniment/wire';
import { Client } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fetchAnnex, sendAnnexes, type SealedAnnex } from '../../examples/client/annexes.ts';
import { BankClient, Refused } from '../../examples/client/bank.ts';
import { ConnectionError, type AnnexRight, type Endpoint } from '../../examples/client/connection.ts';
import { readChain } from '../../examples/client/content.ts';
import { groupNames, lookUp } from '../../examples/client/people.ts';
import {
  openDirectory,
  publishCompartmentsOf,
  publishGroupOf,
  register,
  renounce,
} from '../../examples/client/publishing.ts';
import { append, createRecord, sealDraft, type RecordName } from '../../examples/client/writing.ts';
import { startServer, type RunningServer } from '../../examples/demo/server-process.ts';
import { createWorld, type World } from '../../examples/demo/world.ts';
import { meditrackPolicy } from '../../examples/policies/index.ts';
import { ANNEX_LIMIT, STORED_CHUNK } from '../../examples/server/annexes.ts';
import { BreakingLine } from './breaking-line.ts';
import { ENGINES } from './store/engines.ts';

type Asked = Parameters<Client['request']>[0];

const MIB = 1024 * 1024;
/** More than handshakes, requests and headers take. */
const SLACK = 128 * 1024;

describe.each(ENGINES)('%s', (store) => {
  let world: World;
  let server: RunningServer;
  let line: BreakingLine;
  let record: RecordName;
  let directory: RecordName;

  /** Somebody behind the line. */
  const clientOf = (role: keyof World['clients']): BankClient => {
    const { user, trust, endpoint, memory } = world.clients[role];
    return new BankClient(user, trust, { ...endpoint, port: line.port }, memory);
  };

  beforeAll(async () => {
    world = await createWorld(['cardiology', 'dermatology'], { store, kem: KEM_X25519, witnesses: 0 });
    ({ server } = world);
    line = await BreakingLine.open(server.port);
    const { administrator, ...users } = world.clients;
    directory = await openDirectory(administrator);
    await register(
      administrator,
      directory,
      Object.values(users).map(({ user }) => user.credential),
    );
    for (const keeper of [users.doctor, users.secondDoctor, users.insurer, users.emergency]) {
      const { credential } = keeper.user;
      const group = { name: groupNames(credential)[0]!, kem: KEM_X25519, members: [credential] };
      await publishGroupOf(keeper, directory, group);
    }
    const names = ['personal', 'urgent', 'medical', 'financial'];
    const owned = { root: createRoot(), recordId: systemRandom(16), names };
    await publishCompartmentsOf(users.patient, directory, owned);
    record = await createRecord(users.doctor, 'patient-1');
  }, 120_000);
  afterAll(async () => {
    line.close();
    await server.stop();
    await world.end();
  });
  beforeEach(() => {
    line.expect(null);
  });

  /** An annex of so many bytes, sealed for the record. */
  async function sealed(length: number): Promise<SealedAnnex> {
    const { ciphertext, annex } = sealAnnex(new Blob([randomBytes(length)]).stream(), {
      recordId: record.recordId,
      docId: systemRandom(16),
      mediaType: 'image/png',
    });
    const bytes = new Uint8Array(await new Response(ciphertext).arrayBuffer());
    return { annex: await annex, ciphertext: bytes };
  }

  /** Announces annexes and gives the right to send the first. */
  async function announce(client: BankClient, annexes: readonly SealedAnnex[]): Promise<AnnexRight> {
    const announced = annexes.map(({ annex, ciphertext }) => ({
      name: annexName(annex.root),
      size: ciphertext.length,
    }));
    const question = { type: 'upload', recordId: record.recordId, annexes: announced } as const;
    const { reply } = await client.ask<'upload'>(question);
    return { name: announced[0]!.name, capability: reply.capability };
  }

  /** A document with one annex, in the record; gives it and the capability by which a read lets the patient fetch it. */
  async function written(length: number): Promise<{ root: Uint8Array; plaintext: Uint8Array; size: number }> {
    const doctor = clientOf('doctor');
    const groups = ['speciality:cardiology', 'insurer', 'emergency'];
    const people = await lookUp(doctor, { subjects: ['patient-1'], groups });
    const audience = {
      policy: definePolicy(meditrackPolicy),
      owner: people.compartments.get('patient-1')!,
      groups: people.groups,
      custodian: world.trust.bank,
    };
    const plaintext = randomBytes(length);
    let descriptor = '';
    const writing = await sealDraft(doctor, audience, {
      type: 'record',
      annexes: [{ mediaType: 'image/png', bytes: plaintext }],
      toJson: ([first]) => `{"scan":${(descriptor = first ?? '')}}`,
    });
    await append(doctor, record, [writing]);
    const { root } = decodeAnnex(descriptor);
    return { root, plaintext, size: writing.annexes![0]!.ciphertext.length };
  }

  /** What a read of the whole record gives to fetch by, on the page that has the newest. */
  async function capabilityOf(client: BankClient): Promise<Uint8Array> {
    const { result } = await readChain(client, record.recordId, { purpose: 'annexes' }, (_, pages) =>
      Promise.resolve(pages.at(-1)!.capability),
    );
    return result!;
  }

  /** Asks as a client's certificate lets it, over the line. */
  async function ask(
    { endpoint: { port, tls } }: { readonly endpoint: Endpoint },
    options: Asked,
  ): Promise<{ status: number; headers: Record<string, unknown>; body: Uint8Array }> {
    const { certificate: cert, key, authority: ca } = tls;
    const client = new Client(`https://127.0.0.1:${String(port)}`, { connect: { cert, key, ca } });
    try {
      const { statusCode, headers, body } = await client.request(options);
      return { status: statusCode, headers, body: new Uint8Array(await body.arrayBuffer()) };
    } finally {
      await client.destroy();
    }
  }
  const bearer = ({ capability }: AnnexRight): { authorization: string } => ({
    authorization: `Bearer ${toBase64url(capability)}`,
  });
  const patch = (right: AnnexRight, offset: number, body: Uint8Array) => ({
    method: 'PATCH' as const,
    path: `/uploads/${toBase64url(right.name)}`,
    body,
    headers: {
      ...bearer(right),
      'tus-resumable': '1.0.0',
      'content-type': 'application/offset+octet-stream',
      'upload-offset': String(offset),
    },
  });
  const head = (right: AnnexRight) => ({
    method: 'HEAD' as const,
    path: `/uploads/${toBase64url(right.name)}`,
    headers: { ...bearer(right), 'tus-resumable': '1.0.0' },
  });
  const get = (right: AnnexRight, range?: string) => ({
    method: 'GET' as const,
    path: `/annexes/${toBase64url(right.name)}`,
    headers: { ...bearer(right), ...(range !== undefined && { range }) },
  });
  const statusOf = async (client: BankClient, options: Asked): Promise<number> =>
    (await ask(client, options)).status;

  describe('an upload', () => {
    it('goes on where it broke off, however often, and is not sent again when it is whole', async () => {
      const doctor = clientOf('doctor');
      const one = await sealed(5 * MIB);
      line.expect({ direction: 'up', after: 1.5 * MIB, times: 3 });
      await sendAnnexes(doctor, record.recordId, [one]);
      expect(line.broken).toBe(3);
      // The announcement, the first, and two for each break: how far it is, and on from there. More where the bank does
      // not know yet that a connection is gone.
      expect(line.connections).toBeGreaterThanOrEqual(2 + 3 * 2);
      line.expect(null);
      await sendAnnexes(doctor, record.recordId, [one]); // is whole: nothing is sent
      expect(line.bytes.up).toBeLessThan(SLACK);
    });

    it('goes on after the server was killed and has another address', async () => {
      const doctor = clientOf('doctor');
      const one = await sealed(3 * MIB);
      const right = await announce(doctor, [one]);
      const first = await ask(doctor, patch(right, 0, one.ciphertext.subarray(0, MIB + 5)));
      expect([first.status, first.headers['upload-offset']]).toEqual([204, String(MIB)]);
      await server.kill();
      server = await startServer(
        path.join(path.dirname(world.serverFolder), 'server.json'),
        world.serverFolder,
      );
      line.target = server.port;
      line.expect(null);
      expect((await ask(doctor, head(right))).headers).toMatchObject({
        ...{ 'upload-offset': String(MIB), 'upload-length': String(one.ciphertext.length) },
        ...{ 'tus-resumable': '1.0.0', 'cache-control': 'no-store' },
      });
      await sendAnnexes(doctor, record.recordId, [one]);
      expect(line.bytes.up).toBeLessThan(one.ciphertext.length - MIB + SLACK);
    });

    it('is given up when nothing gets through any more', async () => {
      const doctor = clientOf('doctor');
      const one = await sealed(2 * MIB);
      line.expect({ direction: 'up', after: STORED_CHUNK / 2, times: 100 });
      await expect(sendAnnexes(doctor, record.recordId, [one])).rejects.toThrow(ConnectionError);
      expect(line.connections).toBe(1 + 5 + 4); // the announcement, five attempts, and where before each again
    });

    it('is taken at its offset only, in the version that both speak, and in no other form', async () => {
      const doctor = clientOf('doctor');
      const one = await sealed(5 * MIB);
      const right = await announce(doctor, [one]);
      const part = one.ciphertext.subarray(0, STORED_CHUNK);
      // What is refused is refused unread, while the body is on its way; the answer comes all the same.
      const whole = one.ciphertext;
      expect(await statusOf(doctor, patch(right, 1, whole))).toBe(409);
      const other = patch(right, 0, whole);
      const spoken = { ...other.headers, 'tus-resumable': '0.2.2' };
      const version = await ask(doctor, { ...other, headers: spoken });
      expect([version.status, version.headers['tus-version']]).toEqual([412, '1.0.0']);
      const typed = { ...other.headers, 'content-type': 'application/octet-stream' };
      expect(await statusOf(doctor, { ...other, headers: typed })).toBe(400);
      expect(await statusOf(doctor, patch(right, 0, part))).toBe(204);
      expect(await statusOf(doctor, patch(right, 0, whole))).toBe(409);
      const longer = new Uint8Array(one.ciphertext.length - STORED_CHUNK + 1);
      expect(await statusOf(doctor, patch(right, STORED_CHUNK, longer))).toBe(400);
    });

    it('that is not what its name says is refused once it is whole, in one go or in several, and forgotten', async () => {
      const doctor = clientOf('doctor');
      const one = await sealed(MIB);
      const wrong = one.ciphertext.slice();
      wrong[700_000]! ^= 1;
      for (const cut of [0, 2 * STORED_CHUNK]) {
        const right = await announce(doctor, [one]);
        if (cut > 0) expect(await statusOf(doctor, patch(right, 0, wrong.subarray(0, cut)))).toBe(204);
        expect(await statusOf(doctor, patch(right, cut, wrong.subarray(cut)))).toBe(400);
        expect(await statusOf(doctor, head(right))).toBe(400);
      }
      await sendAnnexes(doctor, record.recordId, [one]);
    });

    it('is announced by who may add to the record, within what one may have on its way', async () => {
      const code = async (asked: Promise<unknown>): Promise<string> => {
        const error: unknown = await asked.catch((caught: unknown) => caught);
        return error instanceof Refused ? error.code : String(error);
      };
      const question = (size: number, count: number) => ({
        type: 'upload' as const,
        recordId: record.recordId,
        annexes: Array.from({ length: count }, () => ({ name: systemRandom(32), size })),
      });
      for (const role of ['patient', 'stranger', 'insurer', 'emergency'] as const)
        expect(await code(clientOf(role).ask<'upload'>(question(1, 1)))).toBe('FORBIDDEN');
      const second = clientOf('secondDoctor');
      const elsewhere = { ...question(1, 1), recordId: systemRandom(16) };
      expect(await code(second.ask<'upload'>(elsewhere))).toBe('FORBIDDEN');
      expect(await code(second.ask<'upload'>(question(ANNEX_LIMIT + 1, 1)))).toBe('MALFORMED');
      await second.ask<'upload'>(question(ANNEX_LIMIT, 2));
      expect(await code(second.ask<'upload'>(question(1, 1)))).toBe('UPLOADS_FULL');
      // Of another subject nothing is counted.
      await clientOf('doctor').ask<'upload'>(question(ANNEX_LIMIT, 1));
    });
  });

  describe('a download', () => {
    it('goes on where it broke off, however often', async () => {
      const { root, plaintext, size } = await written(4 * MIB);
      const patient = clientOf('patient');
      const capability = await capabilityOf(patient);
      line.expect({ direction: 'down', after: 1.5 * MIB, times: 2 });
      const bytes = new Uint8Array(await new Response(fetchAnnex(patient, capability, root)).arrayBuffer());
      expect(line.broken).toBe(2);
      expect(line.connections).toBe(3);
      expect(bytes.length).toBe(size);
      const tree = new AnnexTreeBuilder();
      tree.add(bytes);
      expect(tree.tree().name()).toEqual(annexName(root));
      expect(bytes).not.toEqual(plaintext);
    });

    it('is given up when nothing gets through any more', async () => {
      const { root } = await written(MIB);
      const patient = clientOf('patient');
      const capability = await capabilityOf(patient);
      line.expect({ direction: 'down', after: 1000, times: 100 });
      await expect(new Response(fetchAnnex(patient, capability, root)).arrayBuffer()).rejects.toThrow();
      expect(line.connections).toBe(5);
    });

    it('is whole, or a range of it, or nothing', async () => {
      const { root, size } = await written(700_000);
      const patient = clientOf('patient');
      const right = { name: annexName(root), capability: await capabilityOf(patient) };
      const whole = await ask(patient, get(right));
      expect([whole.status, whole.body.length, whole.headers['accept-ranges']]).toEqual([200, size, 'bytes']);
      const total = String(size);
      for (const [range, first, last] of [
        ['bytes=0-', 0, size - 1],
        ['bytes=5-5', 5, 5],
        [`bytes=${String(STORED_CHUNK - 1)}-${String(2 * STORED_CHUNK)}`, STORED_CHUNK - 1, 2 * STORED_CHUNK],
        [`bytes=${String(STORED_CHUNK)}-`, STORED_CHUNK, size - 1],
        [`bytes=${String(size - 1)}-${String(size + 9)}`, size - 1, size - 1],
      ] as const) {
        const part = await ask(patient, get(right, range));
        const said = `bytes ${String(first)}-${String(last)}/${total}`;
        expect([part.status, part.headers['content-range']]).toEqual([206, said]);
        expect(part.body).toEqual(whole.body.slice(first, last + 1));
      }
      for (const range of [`bytes=${total}-`, 'bytes=5-4']) {
        const none = await ask(patient, get(right, range));
        expect([none.status, none.headers['content-range']]).toEqual([416, `bytes */${total}`]);
      }
      for (const range of ['bytes=-5', 'bytes=0-1,3-4', 'lines=0-1', 'bytes=x-'])
        expect((await ask(patient, get(right, range))).status).toBe(200);
    });
  });

  it('refuses everybody else alike: without a capability, with another’s, for another annex or deed', async () => {
    const { root } = await written(1000);
    const [patient, doctor] = [clientOf('patient'), clientOf('doctor')];
    const mine = { name: annexName(root), capability: await capabilityOf(patient) };
    const one = await sealed(1000);
    const sending = await announce(doctor, [one]);
    expect(await statusOf(patient, get(mine))).toBe(200);
    expect(await statusOf(doctor, head(sending))).toBe(200);
    const refused = [
      await ask(patient, { ...get(mine), headers: {} }),
      await ask(patient, { ...get(mine), headers: { authorization: 'Bearer short' } }),
      await ask(patient, get({ ...mine, capability: systemRandom(32) })),
      await ask(doctor, get(mine)),
      await ask(patient, get({ ...mine, name: systemRandom(32) })),
      await ask(patient, get({ ...mine, name: systemRandom(31) })),
      await ask(doctor, get({ ...mine, capability: sending.capability })),
      await ask(doctor, get(sending)),
      await ask(patient, patch(mine, 0, one.ciphertext)),
      await ask(patient, patch(sending, 0, one.ciphertext)),
      await ask(doctor, patch({ ...sending, name: systemRandom(32) }, 0, one.ciphertext)),
    ].map(({ status, headers, body }) => {
      return { status, headers: { ...headers, date: '' }, body };
    });
    const [first] = refused;
    expect(first?.status).toBe(400);
    for (const one of refused) expect(one).toEqual(first);
  });

  it('stops in the middle once its user does not stand any more', async () => {
    const doctor = clientOf('doctor');
    const one = await sealed(8 * MIB);
    const right = await announce(doctor, [one]);
    let answered = (): void => undefined;
    const answer = new Promise<void>((resolve) => (answered = resolve));
    async function* body(): AsyncGenerator<Uint8Array> {
      yield one.ciphertext.subarray(0, 3 * MIB);
      await renounce(clientOf('doctor'), directory);
      yield one.ciphertext.subarray(3 * MIB, 5 * MIB);
      await answer; // which does not wait for the rest
    }
    const { body: none, headers, ...options } = patch(right, 0, new Uint8Array(0));
    expect(none.length).toBe(0);
    const asked = { ...options, headers: { ...headers, 'content-length': String(one.ciphertext.length) } };
    const { status } = await ask(doctor, { ...asked, body: Readable.from(body()) });
    answered();
    expect(status).toBe(400);
    expect(await statusOf(doctor, head(right))).toBe(400);
  });
});

function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}
