/** What people do with the library, in small: a document sealed and opened, and a session. Runs on every runtime. */

import { systemRandom } from 'muniment/crypto';
import {
  createRoot,
  publishCompartments,
  verifyCompartments,
  verifyCredential,
  type Credential,
  type Identity,
} from 'muniment/keys';
import {
  accept,
  converse,
  MemoryReplayCache,
  reply,
  respond,
  serve,
  splitMessages,
  type Responded,
} from 'muniment/protocol';
import { decodeSealed, definePolicy, encodeSealed, open, partyReader, seal } from 'muniment/views';

const TEXT = '{"diagnosis":"flu","cost":15.00}';

/** The author seals a document whose cost is for the reader, who opens it: the reader's view, as text. */
export async function sealAndOpen(author: Identity, reader: Identity, patient: Identity): Promise<string> {
  const recordId = systemRandom(16);
  const published = await publishCompartments(patient, createRoot(), { recordId, names: [] });
  const [owner, addressee] = [
    verifyCompartments(published, patient.credential),
    partyReader(reader.credential),
  ];
  const rules = [{ fields: ['/cost'], readers: ['insurer'] }];
  const policy = definePolicy({ name: 'runtimes/1', rules, otherwise: [] });
  const options = {
    policy,
    owner,
    readers: () => addressee,
    breakGlass: null,
    author,
    time: 1e12,
    type: 'visit',
  };
  const sealed = decodeSealed(encodeSealed(await seal(TEXT, options)));
  const view = await open(sealed, {
    recordId,
    authors: () => author.credential,
    as: [{ reader: addressee, key: reader.sealing }],
    releases: null,
  });
  return view?.text ?? 'nothing';
}

/** A user asks a bank one question, over a transport that is a function call: the answer that it got. */
export async function talk(user: Identity, bank: Identity, anchor: Credential): Promise<string> {
  const binding = { kind: 'none', value: new Uint8Array(0) } as const;
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const validate = (encoded: Uint8Array, now: number): Credential => verifyCredential(encoded, anchor, now);
  let waiting: Responded | undefined;
  const send = async (message: Uint8Array): Promise<Uint8Array> => {
    if (waiting === undefined) {
      const replay = new MemoryReplayCache({ capacity: 100_000, floor: 0 });
      const second = await respond(bank, message, { binding, clock, validate, replay });
      waiting = second.state;
      return second.message;
    }
    const { third, request } = splitMessages(message);
    const service = await serve(await accept(waiting, third, binding), request, binding);
    const said = service.accepted ? service.request.data : 'refused';
    return (await reply(service.state, JSON.stringify({ heard: said }))).message;
  };
  const parties = { user, gateway: bank.credential };
  const { reply: answer } = await converse(send, parties, { binding, clock, data: '{"ping":1}' });
  return answer.data;
}
