/**
 * One whole conversation, both sides in this process: the handshake, a signed request and its signed reply, evidence
 * of both, the caller's credential verified. Beside it a full mutual TLS handshake, which is no more than the
 * handshake; the bare calls that a conversation needs; and other protocols, which sign neither request nor reply.
 */

import { forceBackend, KEM_P256, KEM_X25519, KEM_XWING, type KemId } from 'muniment/crypto';
import { createAnchor, enrol, verifyCredential } from 'muniment/keys';
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
} from 'muniment/protocol';
import { freshX25519Kem, freshXWingKem, HAS_LATTICES } from '../bare.ts';
import * as peers from '../conversations.ts';
import type { Contest, Row } from '../measure.ts';
import { mutualTls } from '../mutual-tls.ts';

const QUESTION = Buffer.from('{"id":"7","read":{"record":"r"}}');
const ANSWER = Buffer.from('{"outcome":"done"}');

export async function* session(): AsyncGenerator<Contest> {
  try {
    const postQuantum = HAS_LATTICES ? await mutualTls('X25519MLKEM768') : null;
    yield {
      name: 'session',
      baseline: 'mutual TLS',
      rows: {
        'mutual TLS': { run: await mutualTls('X25519') },
        ...(postQuantum && { 'mutual TLS, ML-KEM': { run: postQuantum } }),
        X25519: await row(await munimentSession(KEM_X25519, 'node'), () => forceBackend('node')),
        'P-256': await row(await munimentSession(KEM_P256, 'node'), () => forceBackend('node')),
        'X-Wing': await row(await munimentSession(KEM_XWING, 'node'), () => forceBackend('node')),
        'X25519, portable': await row(await munimentSession(KEM_X25519, 'portable'), () =>
          forceBackend('portable'),
        ),
        'bare X25519': await row(peers.bareSession(freshX25519Kem, KEM_X25519)),
        ...(HAS_LATTICES && { 'bare X-Wing': await row(peers.bareSession(freshXWingKem, KEM_XWING)) }),
        '3 × bare HPKE': await row(peers.bareHpkeMessages()),
        'noise-handshake': await row(peers.noiseHandshake()),
        'libp2p-noise': await row(await peers.libp2pNoise()),
        'wasm-themis': await row(await peers.themisSession()),
      },
    };
  } finally {
    forceBackend(null);
  }
}

/** A user and a bank with credentials of one issuer. What the library is called with stands here. */
async function munimentSession(kemId: KemId, backend: 'node' | 'portable'): Promise<peers.Conversation> {
  forceBackend(backend); // keys are imported into the backend that is forced meanwhile
  const validity = { notBefore: 0, notAfter: Date.UTC(2100, 0) };
  const suite = { kem: kemId };
  const anchor = await createAnchor({ subject: 'Hospital', roles: ['administrator'], ...validity }, suite);
  const user = await enrol(anchor, { subject: 'Dr. Ruiz', roles: ['doctor'], ...validity }, suite);
  const bank = await enrol(anchor, { subject: 'Banc', roles: ['bank'], ...validity }, suite);
  const binding = { kind: 'tls-exporter', value: new Uint8Array(32).fill(7) } as const;
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const validate = (encoded: Uint8Array, now: number) => verifyCredential(encoded, anchor.credential, now);
  const replay = new MemoryReplayCache({ capacity: Number.MAX_SAFE_INTEGER, floor: 0 }); // forgets what is too old anyhow

  return async (question, answer) => {
    const one = initiate(user, bank.credential, { binding, clock });
    const two = await respond(bank, one.message, { binding, clock, validate, replay });
    const three = await confirm(one.state, two.message);
    const four = await request(three.state, textOf(question));
    const service = await serve(await accept(two.state, three.message, binding), four.message, binding);
    if (!service.accepted || service.request.data !== textOf(question)) throw new Error('another question');
    const five = await reply(service.state, textOf(answer));
    return Buffer.from((await conclude(four.state, five.message)).reply.data);
  };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

async function row(conversation: peers.Conversation, before: () => void = () => undefined): Promise<Row> {
  before();
  const run = () => conversation(QUESTION, ANSWER);
  if (Buffer.compare(await run(), ANSWER) !== 0) throw new Error('a row answers wrongly');
  return { run, before };
}
