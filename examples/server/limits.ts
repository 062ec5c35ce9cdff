/** What the server lets one client, one address and all of them together take. docs/operating.md, "Limits". */

import { z } from 'zod';

const count = (fallback: number) => z.int().min(1).max(10_000_000).default(fallback);

/** The part `limits` of the configuration; what is left out has its default. */
export const limitsSchema = z.strictObject({
  /** Most connections at once, those included that are still in their TLS handshake. */
  connections: count(4096),
  /** Of these, from one address. */
  connectionsPerAddress: count(512),
  /** For a TLS handshake, in seconds. */
  handshakeSeconds: count(10),
  /** For a request's header. */
  headerSeconds: count(10),
  headerBytes: z.int().min(1024).max(65_536).default(16_384),
  /** For a message of a conversation, from the first byte of its request to the last of its body. */
  messageSeconds: count(30),
  /** For an annex; a longer upload is resumed. */
  uploadSeconds: count(3600),
  /** For how long a connection may be silent in the middle of a request, a reply that is being made included. */
  silentSeconds: count(120),
  /** And between two requests: the bank waits 20 seconds for message 3. */
  idleSeconds: count(30),
  /** Memory for messages of more than 64 KiB that are on their way in, of all clients and of one certificate. */
  messageMegabytes: count(512),
  messageMegabytesPerCertificate: count(128),
  /** Requests a minute. */
  requestsPerCertificate: count(3000),
  requestsPerAddress: count(60_000),
  /** First messages in five minutes: the replay memory is for everybody. */
  firstMessagesPerCertificate: count(2000),
  /** Conversations between message 1 and message 3. There is no cap per claimed identity: it would lock people out. */
  halfOpen: count(4096),
  halfOpenPerCertificate: count(64),
});

/** Checked limits. */
export type Limits = z.output<typeof limitsSchema>;

/** What holds where the configuration says nothing. */
export const DEFAULT_LIMITS: Limits = limitsSchema.parse({});
