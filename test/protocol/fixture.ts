/** Parties, clocks and honest conversations for the protocol's tests. */

import { KEM_MLKEM768_P256, KEM_P256, KEM_X25519, KEM_XWING, type KemId } from '../../src/crypto/index.ts';
import { MunimentError, type ErrorCode } from '../../src/errors.ts';
import {
  createAnchor,
  enrol,
  verifyCredential,
  type Credential,
  type Identity,
} from '../../src/keys/index.ts';
import {
  accept,
  conclude,
  confirm,
  initiate,
  MemoryReplayCache,
  reply,
  request,
  respond,
  serve,
  type Accepted,
  type Binding,
  type Clock,
  type Conclusion,
  type Confirmed,
  type GatewayOptions,
  type Requested,
  type Response,
  type Served,
  type SessionOptions,
  type Step,
} from '../../src/protocol/index.ts';
import { seededRandom } from '../vectors/generators/seed.ts';

/** When the tests play. */
export const NOW = Date.UTC(2026, 2, 14, 9, 26, 53, 589);
export const VALIDITY = { notBefore: Date.UTC(2026, 0), notAfter: Date.UTC(2027, 0) };
export const NONE: Binding = { kind: 'none', value: new Uint8Array(0) };
export const TLS: Binding = { kind: 'tls-exporter', value: new Uint8Array(32).fill(7) };
export const KEMS: readonly (readonly [string, KemId])[] = [
  ['X25519', KEM_X25519],
  ['P-256', KEM_P256],
  ['X-Wing', KEM_XWING],
  ['MLKEM768-P256', KEM_MLKEM768_P256],
];

/** Two clocks that stand still until they are moved. */
export class FakeClock implements Clock {
  wall = NOW;
  ticks = 0;
  now(): number {
    return this.wall;
  }
  monotonic(): number {
    return this.ticks;
  }
}

const random = seededRandom('protocol tests');

export const anchor = await createAnchor(
  { subject: 'Hospital', roles: ['administrator'], ...VALIDITY },
  { kem: KEM_X25519, random },
);

/** A party with a credential of the common issuer. */
export function party(subject: string, kem: KemId = KEM_X25519): Promise<Identity> {
  return enrol(anchor, { subject, roles: ['doctor'], ...VALIDITY }, { kem, random });
}

export const user = await party('Dr. Ruiz');
export const bank = await party('Banc');
export const mallory = await party('Mallory');

/** The judge of credentials that the tests' bank uses. */
export function validate(encoded: Uint8Array, now: number): Credential {
  return verifyCredential(encoded, anchor.credential, now);
}

/** What a user's side needs. */
export function userOptions(changes: Partial<SessionOptions> = {}): SessionOptions {
  return { binding: NONE, clock: new FakeClock(), ...changes };
}

/** What a bank's side needs; the replay memory is new unless it is given. */
export function bankOptions(changes: Partial<GatewayOptions> = {}): GatewayOptions {
  return {
    binding: NONE,
    clock: new FakeClock(),
    replay: new MemoryReplayCache({ capacity: 100_000, floor: 0 }),
    validate,
    ...changes,
  };
}

/** Everything of one honest conversation. */
export interface Played {
  readonly one: ReturnType<typeof initiate>;
  readonly two: Response;
  readonly three: Step<Confirmed>;
  readonly accepted: Accepted;
  readonly four: Step<Requested>;
  readonly served: Served;
  readonly five: { readonly message: Uint8Array; readonly evidence: Uint8Array };
  readonly conclusion: Conclusion;
}

/** How far a conversation has come. */
export type Partly<Last extends keyof Played> = Pick<Played, Last> & Partial<Played>;

/** Who talks, and in which surroundings. */
export interface Setting {
  readonly user?: Identity;
  readonly bank?: Identity;
  readonly userOptions?: SessionOptions;
  readonly bankOptions?: GatewayOptions;
}

export const QUESTION = '{"id":"1","read":{"record":"7"}}';
export const ANSWER = '{"outcome":"done"}';

/** A conversation whose user waits for message 2. */
export async function untilSecond(setting: Setting = {}): Promise<Pick<Played, 'one' | 'two'>> {
  const by = setting.user ?? user;
  const to = setting.bank ?? bank;
  const one = initiate(by, to.credential, setting.userOptions ?? userOptions());
  return { one, two: await respond(to, one.message, setting.bankOptions ?? bankOptions()) };
}

/** A conversation whose bank waits for message 3. */
export async function untilThird(setting: Setting = {}): Promise<Pick<Played, 'one' | 'two' | 'three'>> {
  const before = await untilSecond(setting);
  return { ...before, three: await confirm(before.one.state, before.two.message) };
}

/** A conversation whose bank waits for the request. */
export async function untilRequest(
  setting: Setting = {},
): Promise<Pick<Played, 'one' | 'two' | 'three' | 'accepted' | 'four'>> {
  const before = await untilThird(setting);
  const binding = setting.bankOptions?.binding ?? NONE;
  const accepted = await accept(before.two.state, before.three.message, binding);
  return { ...before, accepted, four: await request(before.three.state, QUESTION) };
}

/** A conversation whose user waits for the reply. */
export async function untilReply(setting: Setting = {}): Promise<Omit<Played, 'conclusion'>> {
  const before = await untilRequest(setting);
  const service = await serve(before.accepted, before.four.message, setting.bankOptions?.binding ?? NONE);
  return { ...before, served: service.state, five: await reply(service.state, ANSWER) };
}

/** A whole conversation. */
export async function played(setting: Setting = {}): Promise<Played> {
  const before = await untilReply(setting);
  return { ...before, conclusion: await conclude(before.four.state, before.five.message) };
}

/** The code with which a promise is refused, and the code behind it if there is one. */
export async function refusedWith(run: Promise<unknown>): Promise<readonly [ErrorCode, ErrorCode | null]> {
  try {
    await run;
  } catch (error) {
    if (!(error instanceof MunimentError)) throw error;
    return [error.code, error.cause instanceof MunimentError ? error.cause.code : null];
  }
  throw new Error('expected a refusal');
}
