/** Metrics for Prometheus. Their labels are codes and types: no user, no record, no field. docs/operating.md, "Metrics". */

import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { listen, type BankEvent } from './events.ts';

/** What is looked at when somebody asks. */
export interface Gauged {
  readonly connections: () => number;
  readonly messageBytes: () => number;
  readonly halfOpen: () => number;
  readonly leaves: () => number;
  /** When the list of revocations ends, in milliseconds since 1970; `null` where there is none. */
  readonly revocationsUntil: () => number | null;
}

const DURATIONS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const TOGETHER = [1, 2, 4, 8, 16, 32, 64];

/** Counts from now on. Returns where to read the counts, and what ends it. */
export function countEvents(gauged: Gauged): { readonly registry: Registry; readonly end: () => void } {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counter = <Label extends string>(
    name: string,
    help: string,
    ...labelNames: Label[]
  ): Counter<Label> => new Counter({ name: `muniment_${name}_total`, help, labelNames, registers });
  const gauge = (name: string, help: string, value: () => number | null): Gauge =>
    new Gauge({
      ...{ name: `muniment_${name}`, help, registers },
      collect() {
        const now = value();
        if (now !== null) this.set(now);
      },
    });

  const conversations = counter('conversations', 'Conversations that ended.', 'type', 'outcome');
  const handshakes = counter('handshakes_refused', 'Refused before authentication.', 'code');
  const refused = counter('connections_refused', 'Connections refused.', 'reason');
  const rates = counter('rates_exceeded', 'Requests beyond a rate.', 'of');
  const entries = counter('entries', 'Entries taken into the log.', 'chain');
  const database = counter('database_errors', 'Transactions that failed.', 'code');
  const seconds = new Histogram({
    ...{ name: 'muniment_conversation_seconds', help: 'From message 3 to the sealed reply.', registers },
    ...{ labelNames: ['type'] as const, buckets: DURATIONS },
  });
  const together = new Histogram({
    ...{ name: 'muniment_commit_changes', help: 'Changes that went to disk together.', registers },
    ...{ labelNames: ['of'] as const, buckets: TOGETHER },
  });
  const commits = new Histogram({
    ...{ name: 'muniment_commit_seconds', help: 'From the lock to the commit.', registers },
    ...{ labelNames: ['of'] as const, buckets: DURATIONS },
  });
  gauge('connections', 'Open TLS connections.', gauged.connections);
  gauge('message_bytes', 'Memory of long messages, as the limits count it.', gauged.messageBytes);
  gauge('sessions_half_open', 'Conversations that wait for message 3.', gauged.halfOpen);
  gauge('log_leaves', "The log's durable size, as far as this process has read it.", gauged.leaves);
  gauge('revocations_end_seconds', 'When the list of revocations ends, in seconds since 1970.', () => {
    const until = gauged.revocationsUntil();
    return until === null ? null : until / 1000;
  });

  const count = (event: BankEvent): void => {
    switch (event.kind) {
      case 'conversation ended':
        conversations.inc({ type: event.type, outcome: event.outcome });
        seconds.observe({ type: event.type }, event.seconds);
        break;
      case 'handshake refused':
        handshakes.inc({ code: event.code });
        break;
      case 'connection refused':
        refused.inc({ reason: event.reason });
        break;
      case 'rate exceeded':
        rates.inc({ of: event.of });
        break;
      case 'entry taken':
        entries.inc({ chain: event.chain });
        break;
      case 'database error':
        database.inc({ code: event.code });
        break;
      case 'committed':
        together.observe({ of: event.of }, event.changes);
        commits.observe({ of: event.of }, event.seconds);
        break;
      default: // what only explains
    }
  };
  return {
    registry,
    end: listen(({ event }) => {
      count(event);
    }),
  };
}
