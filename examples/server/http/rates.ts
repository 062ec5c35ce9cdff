/** How often one certificate and one address may ask. */

import rateLimit, { type FastifyRateLimitStore } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { CLOCK_WINDOW } from 'muniment/protocol';
import { tell, type BankEvent } from '../events.ts';
import type { Limits } from '../limits.ts';
import { networkOf } from './address.ts';
import { RateError } from './refused.ts';

const MINUTE = 60_000;
/** Clients that are counted at once; of more, those that asked longest ago are forgotten. */
const COUNTED = 20_000;

/** Counts on a clock that nobody sets: the library's own would lock everybody out for as long as the clock is set back. */
class MonotonicStore implements FastifyRateLimitStore {
  readonly #counts = new Map<string, { readonly since: number; current: number }>();

  incr: FastifyRateLimitStore['incr'] = (key, callback, timeWindow) => {
    const now = performance.now();
    const known = this.#counts.get(key);
    const count = known === undefined || now - known.since >= timeWindow ? { since: now, current: 0 } : known;
    count.current++;
    this.#counts.delete(key); // and last again
    this.#counts.set(key, count);
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > COUNTED && oldest !== undefined) this.#counts.delete(oldest);
    callback(null, { current: count.current, ttl: timeWindow - (now - count.since) });
  };

  child = (): FastifyRateLimitStore => new MonotonicStore();
}

type Of = Extract<BankEvent, { kind: 'rate exceeded' }>['of'];
/** Throws {@link RateError} for who asks too often. */
export type CheckRate = (request: FastifyRequest) => Promise<void>;

/** Adds what counts; every limit made of it counts for itself. */
export async function makeRates(
  app: FastifyInstance,
  limits: Limits,
): Promise<{
  readonly address: CheckRate;
  certificate(subject: (request: FastifyRequest) => string): CheckRate;
  firstMessages(subject: (request: FastifyRequest) => string): CheckRate;
}> {
  await app.register(rateLimit, { global: false, store: MonotonicStore });
  const limited = (
    of: Of,
    max: number,
    timeWindow: number,
    key: (request: FastifyRequest) => string,
  ): CheckRate => {
    const count = app.createRateLimit({ max, timeWindow, keyGenerator: key });
    return async (request) => {
      const counted = await count(request);
      if (counted.isAllowed || !counted.isExceeded) return;
      tell({ kind: 'rate exceeded', of });
      throw new RateError(counted.ttlInSeconds);
    };
  };
  return {
    address: limited('address', limits.requestsPerAddress, MINUTE, (request) => networkOf(request.ip)),
    certificate: (subject) => limited('certificate', limits.requestsPerCertificate, MINUTE, subject),
    firstMessages: (subject) =>
      limited('first messages', limits.firstMessagesPerCertificate, CLOCK_WINDOW, subject),
  };
}
