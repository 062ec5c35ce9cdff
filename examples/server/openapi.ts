/** `npm run openapi`: writes openapi.json, the description of all three listeners, as their routes say it themselves. */

import { createAnchor, enrol } from 'muniment/keys';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { pino } from 'pino';
import { format, resolveConfig } from 'prettier';
import { z } from 'zod';
import { createAuthority } from '../demo/authority.ts';
import { AnnexStore } from './annexes.ts';
import { refusal, replies, requests } from './api.ts';
import { Bank } from './bank.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { buildListeners, type Listeners } from './listening.ts';
import { createLogKeys } from './log-keys.ts';
import { openSqlite } from './store/sqlite.ts';

/** Where it is written. */
export const OPENAPI_FILE = fileURLToPath(new URL('openapi.json', import.meta.url));

type Paths = Record<string, object>;

/** The description as a file's text. */
export async function describeApi(): Promise<string> {
  const description = await withListeners(async ({ users, operations, publicLog }) => {
    await Promise.all([users, operations, publicLog].map((app) => app.ready()));
    const { info } = users.swagger();
    const at = (app: Listeners['users'], url: string, description: string): Paths => {
      const servers = [{ url, description }];
      const paths = Object.entries((app.swagger().paths ?? {}) as Paths);
      return Object.fromEntries(paths.map(([name, item]) => [name, { ...item, servers }]));
    };
    return {
      ...{ openapi: '3.1.0', info },
      paths: {
        ...at(users, 'https://bank.example', 'for users, who have client certificates'),
        ...at(publicLog, 'https://log.bank.example', 'for everybody (publicLog)'),
        ...at(operations, 'http://127.0.0.1:9000', 'for the operator (operations)'),
      },
      components: { schemas: schemas() },
    };
  });
  const options = await resolveConfig(OPENAPI_FILE);
  return format(JSON.stringify(description), { ...options, parser: 'json' });
}

/** The JSON texts inside the signed envelopes. */
function schemas(): Record<string, unknown> {
  // `input`: as they travel, byte strings in base64url.
  const write = (schema: z.ZodType): unknown => ({
    ...z.toJSONSchema(schema, { io: 'input' }),
    $schema: undefined,
  });
  const byType = Object.entries(replies).map(([type, schema]) => [`Reply.${type}`, write(schema)] as const);
  return {
    Request: write(requests),
    Reply: { oneOf: Object.keys(replies).map((type) => ({ $ref: `#/components/schemas/Reply.${type}` })) },
    ...Object.fromEntries(byType),
    Refusal: write(refusal),
  };
}

/** Builds the listeners of a bank that serves nobody, for they describe themselves. */
async function withListeners<Result>(use: (listeners: Listeners) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(path.join(tmpdir(), 'muniment-openapi-'));
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const profile = { notBefore: 0, notAfter: 4e12 };
  const anchor = await createAnchor({ subject: 'administrator', roles: ['administrator'], ...profile });
  const identity = await enrol(anchor, { subject: 'bank', roles: ['bank'], ...profile });
  const authority = await createAuthority('nobody');
  const { certificate: cert, key } = await authority.issue({ commonName: 'bank', kind: 'server' });
  const engine = await openSqlite(folder);
  const annexes = new AnnexStore(engine);
  const bank = new Bank({
    ...{
      identity,
      engine,
      annexes,
      anchor: anchor.credential,
      witnesses: [],
      releaseTime: 1,
      now: clock.now,
    },
    log: { origin: 'bank.example', ...createLogKeys() },
    report: () => undefined,
  });
  const tls = { cert, key, ca: authority.certificate };
  const logger = pino({ level: 'silent' });
  const behind = { bank, identity, engine, annexes, tls, revocations: null, clock, logger };
  const listeners = await buildListeners(behind, DEFAULT_LIMITS);
  try {
    return await use(listeners);
  } finally {
    await listeners.close();
    await engine.close();
    rmSync(folder, { recursive: true });
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const text = await describeApi();
  const isNew = text !== readIfThere();
  if (isNew) writeFileSync(OPENAPI_FILE, text);
  process.stdout.write(`${OPENAPI_FILE} ${isNew ? 'written' : 'is current'}\n`);
}

function readIfThere(): string | null {
  try {
    return readFileSync(OPENAPI_FILE, 'utf8');
  } catch {
    return null;
  }
}
