/** The server's listeners: one for users, and if the configuration names them one for the public and one for the operator. */

import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { Identity } from 'muniment/keys';
import type { Clock } from 'muniment/protocol';
import { X509Certificate } from 'node:crypto';
import type { AnnexStore } from './annexes.ts';
import type { Bank } from './bank.ts';
import type { Config } from './config.ts';
import { Health } from './health.ts';
import { buildApp, type App, type ServerTls } from './http/app.ts';
import { buildOperations } from './http/operations.ts';
import { buildPublicLog } from './http/public-log.ts';
import { Revoking } from './http/revoking.ts';
import { countEvents } from './metrics.ts';
import { PublicLog } from './public-log.ts';
import type { Revocations } from './revocations.ts';
import { Sessions } from './sessions.ts';
import type { Engine } from './store/engine.ts';

/** What is behind the listeners. */
export interface Behind {
  readonly bank: Bank;
  readonly identity: Identity;
  readonly engine: Engine;
  readonly annexes: AnnexStore;
  readonly tls: ServerTls;
  readonly revocations: Revocations | null;
  readonly clock: Clock;
  readonly logger: FastifyBaseLogger;
}

/** What the configuration says of them. */
export type Where = Pick<Config, 'host' | 'port' | 'operations' | 'publicLog' | 'limits'>;

/** Where they listen now; `null` for what the configuration does not name. */
export interface Ports {
  readonly port: number;
  readonly operations: number | null;
  readonly publicLog: number | null;
}

/** Listeners that were built. */
export interface Listeners {
  readonly users: FastifyInstance;
  readonly operations: FastifyInstance;
  readonly publicLog: FastifyInstance;
  /** Looks for revoked certificates now; at once if nobody keeps a list. */
  readonly look: () => Promise<void>;
  readonly listen: (where: Where) => Promise<Ports>;
  readonly close: () => Promise<void>;
}

/** Builds all of them; they listen when told to. */
export async function buildListeners(behind: Behind, limits: Config['limits']): Promise<Listeners> {
  const { bank, identity, engine, annexes, tls, revocations, clock, logger } = behind;
  const sessions = new Sessions(bank, identity, { clock, limits });
  const server = await buildApp({ tls, revocations, sessions, annexes, limits, logger });
  const log = new PublicLog(bank, engine.reading, clock);
  const publicLog = await buildPublicLog({ tls, log, limits, logger });
  const metrics = count(server, { bank, sessions, revocations });
  const health = new Health({
    ...{ bank, reading: engine.reading, revocations, clock },
    credential: identity.credential,
    certificateUntil: Date.parse(new X509Certificate(tls.cert).validTo),
  });
  const operations = await buildOperations({ health, metrics: metrics.registry, limits, logger });
  const revoking = revocations === null ? null : new Revoking(server, { tls, revocations, logger, clock });
  const users = server.app;
  return {
    users,
    operations,
    publicLog,
    look: () => revoking?.look() ?? Promise.resolve(),
    listen: async (where) => ({
      operations: await listenAt(operations, where.operations),
      publicLog: await listenAt(publicLog, where.publicLog),
      port: await listen(users, where), // last: who can be served can be watched
    }),
    close: async () => {
      revoking?.end();
      metrics.end();
      await Promise.all([users.close(), operations.close(), publicLog.close()]);
    },
  };
}

function count(
  { connections, bodies }: App,
  parts: { readonly bank: Bank; readonly sessions: Sessions; readonly revocations: Revocations | null },
): ReturnType<typeof countEvents> {
  const { bank, sessions, revocations } = parts;
  return countEvents({
    connections: () => connections.size,
    messageBytes: () => bodies.held,
    halfOpen: () => sessions.halfOpen,
    leaves: () => bank.ledger.size,
    revocationsUntil: () => revocations?.lists.until ?? null,
  });
}

interface Place {
  readonly host: string;
  readonly port: number;
}

async function listenAt(app: FastifyInstance, place: Place | null): Promise<number | null> {
  return place === null ? null : listen(app, place);
}

async function listen(app: FastifyInstance, { host, port }: Place): Promise<number> {
  await app.listen({ host, port });
  const [address] = app.addresses();
  if (typeof address !== 'object') throw new Error('a listener without an address');
  return address.port;
}
