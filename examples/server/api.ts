/**
 * What users may ask of the bank and what it answers: the JSON texts that travel as `dades` of signed envelopes.
 * Bodies (payloads, wraps, releases) travel beside them as documents and are named by their position. Shared with
 * the client.
 */

import { fromBase64url, jsonValue, readJson, toBase64url, tuple, TupleReader } from 'muniment/wire';
import { z } from 'zod';
import { readNumber } from './record-number.ts';

/** Longest request or reply text, in characters. */
const TEXT_LIMIT = 8 * 1024 * 1024;
/** Most entries in one request. */
export const BATCH_LIMIT = 256;

/** How byte strings are written, for the description of the interface. */
const written = (length?: number) =>
  z.string().meta({
    contentEncoding: 'base64url',
    ...(length !== undefined && { description: `${String(length)} bytes` }),
  });
const bytes = (length?: number) =>
  written(length).transform((text, context) => {
    try {
      const value = fromBase64url(text);
      if (length === undefined || value.length === length) return value;
    } catch {
      // reported below, like a wrong length
    }
    context.addIssue({ code: 'custom', message: 'base64url of the right length' });
    return z.NEVER;
  });
const count = z.int().min(0);
const document = z.int().min(0).max(4096);
const requestId = bytes(16);
const recordId = bytes(16);
const head = z.strictObject({ size: count, hash: bytes(32) });
const name = z.string().min(1).max(128);

const appendRequest = z.strictObject({
  id: requestId,
  type: z.literal('append'),
  recordId,
  /** Signed entries; the n-th's payload is the n-th document, attachments follow after all payloads. */
  entries: z
    .array(
      z.strictObject({
        entry: bytes(),
        attachments: z.array(bytes(32)).max(16),
        annexes: z.array(bytes(32)).max(4096),
      }),
    )
    .min(1)
    .max(BATCH_LIMIT),
  seenSize: count,
});

const readRequest = z.strictObject({
  id: requestId,
  type: z.literal('read'),
  recordId,
  chain: z.enum(['content', 'access']),
  /** First position wanted. */
  from: count,
  /** Why, in words; it goes into the access log. */
  purpose: z.string().min(1).max(256),
  /** Of which part documents are wanted, others staying opaque; `null` for all. */
  part: name.nullable().default(null),
  /** The log size that all is shown at; `null` for the newest, which the pages after the first then name. */
  size: count.nullable(),
  seenSize: count,
});

/** Which record has this public number; all that a bank can search. */
const findRequest = z.strictObject({
  id: requestId,
  type: z.literal('find'),
  number: z.string().refine((text) => readNumber(text) === text),
});

const lookupRequest = z.strictObject({
  id: requestId,
  type: z.literal('lookup'),
  subjects: z.array(name).max(256),
  ids: z.array(bytes(32)).max(1024),
  groups: z.array(name).max(256),
});

/** The directory's entries that ended keys, for an export at this size of the log. */
const revocationsRequest = z.strictObject({
  id: requestId,
  type: z.literal('revocations'),
  /** Whose keys. */
  ids: z.array(bytes(32)).max(1024),
  size: count,
});

const headRequest = z.strictObject({ id: requestId, type: z.literal('head'), recordId, seenSize: count });

const breakGlassRequest = z.strictObject({
  id: requestId,
  type: z.literal('break-glass'),
  recordId,
  entry: bytes(),
  seenSize: count,
});

/** Announces annexes whose ciphertext is about to be sent. */
const uploadRequest = z.strictObject({
  id: requestId,
  type: z.literal('upload'),
  /** In which an entry will name them. */
  recordId,
  annexes: z
    .array(z.strictObject({ name: bytes(32), size: z.int().min(1) }))
    .min(1)
    .max(4096),
});

/** A tombstone, whose payload is the one document. */
const eraseRequest = z.strictObject({
  id: requestId,
  type: z.literal('erase'),
  recordId,
  entry: bytes(),
  seenSize: count,
});

/** All requests, by their type. */
export const requests = z.discriminatedUnion('type', [
  appendRequest,
  readRequest,
  findRequest,
  lookupRequest,
  revocationsRequest,
  headRequest,
  breakGlassRequest,
  uploadRequest,
  eraseRequest,
]);

/** A request, parsed after its envelope was verified. */
export type BankRequest = z.output<typeof requests>;
/** A request of one type. */
export type RequestOf<Type extends BankRequest['type']> = Extract<BankRequest, { type: Type }>;

const checkpointed = {
  checkpoint: z.string(),
  /** Proof that the checkpoint extends the one of size `seenSize` that the asker named. */
  consistency: z.array(bytes(32)).max(64),
};

/** The bank's signed word on where a chain ended when the log was as the checkpoint says. */
const signedHead = bytes();

/** What is shown for sending or fetching annexes. */
const capability = bytes(32);

const receipted = z.strictObject({ receipt: bytes(), proof: z.array(bytes(32)).max(64) });

/** An entry as handed out; what is `null` is not for this reader. */
const item = z.strictObject({
  /** Document: the signed entry. */
  entry: document.nullable(),
  /** In its place: enough to verify the chain through it. */
  opaque: z.strictObject({ seq: count, prev: bytes(32), inner: bytes(32) }).nullable(),
  payload: document.nullable(),
  attachments: z.array(document),
  annexes: z.array(bytes(32)),
  /** Document: of an access, the reader's own signed request. */
  evidence: document.nullable(),
  /** Document: the receipt, and its leaf's proof under the checkpoint. */
  receipt: document,
  proof: z.array(bytes(32)).max(64),
});

const taken = z.strictObject({ ...checkpointed, receipts: z.array(receipted), head: signedHead });

/** All replies, by the request's type. */
export const replies = {
  append: taken,
  erase: taken,
  read: z.strictObject({
    ...checkpointed,
    items: z.array(item),
    /** Where to go on; `null` at the end. */
    next: count.nullable(),
    head: signedHead,
    /** Of the access entry that this very read became; `null` for a chain of accesses. */
    access: z.strictObject({ entry: bytes(), ...receipted.shape }).nullable(),
    tagSalt: bytes(32),
    /** For fetching the annexes that these items name; `null` if they name none. */
    capability: capability.nullable(),
  }),
  find: z.strictObject({ recordId }),
  lookup: z.strictObject({
    credentials: z.array(document),
    /** Revocations and renunciations of these, each with who signed it. */
    revocations: z.array(z.strictObject({ author: bytes(32), statement: document })),
    compartments: z.array(z.strictObject({ owner: bytes(32), statement: document })),
    groups: z.array(z.strictObject({ name, keeper: bytes(32), statement: document })),
  }),
  revocations: z.strictObject({
    tagSalt: bytes(32),
    items: z.array(
      z.strictObject({
        entry: document,
        payload: document,
        receipt: document,
        proof: z.array(bytes(32)).max(64),
      }),
    ),
  }),
  head: z.strictObject({ ...checkpointed, content: signedHead, access: signedHead }),
  'break-glass': z.strictObject({
    ...checkpointed,
    receipt: receipted,
    emergencyHash: bytes(32),
    /** Document: the custodian's releases. */
    releases: document,
    head: signedHead,
  }),
  /** For sending them, and how many bytes of each are here already. */
  upload: z.strictObject({ capability, offsets: z.array(count) }),
} as const;

/** A reply of one type, parsed after its envelope was verified. */
export type ReplyOf<Type extends BankRequest['type']> = z.output<(typeof replies)[Type]>;

/** See {@link Refusal}. */
export const refusal = z.strictObject({ refused: z.string().max(64), head: head.nullable() });
/** The bank's signed no: a stable code, and for a stale head the current one. */
export type Refusal = z.output<typeof refusal>;

/** Thrown where a text is not what the interface says. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError';
}

/** Parses a request, or throws {@link MalformedError}. */
export function parseRequest(text: string): BankRequest {
  return parse(requests, text);
}

/** Parses the reply to a request of this type: the reply, or a refusal. */
export function parseReply<Type extends BankRequest['type']>(
  type: Type,
  text: string,
): ReplyOf<Type> | Refusal {
  return parse(z.union([refusal, replies[type]]), text); // the schema chosen by type
}

/** Writes a request or reply as JSON text, byte strings as base64url. */
export function writeText(value: object): string {
  return JSON.stringify(value, (_, item: unknown) => (item instanceof Uint8Array ? toBase64url(item) : item));
}

function parse<Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> {
  let value;
  try {
    value = jsonValue(readJson(text, { length: TEXT_LIMIT, depth: 8 }));
  } catch {
    throw new MalformedError('not strict JSON');
  }
  const result = schema.safeParse(value);
  if (!result.success) throw new MalformedError('not what the interface says');
  return result.data;
}

/** What an access entry states. */
export interface AccessStatement {
  readonly reader: Uint8Array;
  readonly action: 'read' | 'break-glass';
  readonly purpose: string;
  /** Digests of the reader's own signed request, which the bank archived. */
  readonly request: { readonly data: Uint8Array; readonly signature: Uint8Array };
  /** The first position asked for; of a break-glass the position of the emergency's entry. */
  readonly from: number;
  /** Of a break-glass the emergency's statement, which the clinician signed; else empty. */
  readonly emergency: Uint8Array;
}

/** Encodes the content of an access statement. */
export function encodeAccess(access: AccessStatement): Uint8Array {
  const { reader, action, purpose, request, from, emergency } = access;
  return tuple('bank access', reader, action, purpose, request.data, request.signature, from, emergency);
}

/** Reads the content of an access statement. */
export function decodeAccess(content: Uint8Array): AccessStatement {
  const reader = TupleReader.labelled(content, 'bank access');
  const access = {
    reader: reader.bytes(32),
    action: readAction(reader.text()),
    purpose: reader.text(),
    request: { data: reader.bytes(32), signature: reader.bytes(32) },
    from: reader.integer(),
    emergency: reader.bytes(),
  };
  reader.end();
  return access;
}

function readAction(text: string): AccessStatement['action'] {
  if (text !== 'read' && text !== 'break-glass') throw new MalformedError('no such action');
  return text;
}
