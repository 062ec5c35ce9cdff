/** The handshake NSL-KEM/1 and the one-request session. spec/protocol.md. */

export {
  CLOCK_WINDOW,
  DEADLINES,
  DOCUMENTS_LIMIT,
  FIRST_BUCKET,
  HANDSHAKE_LIMIT,
  TRIES,
} from './constants.ts';
export { converse, joinMessages, splitMessages } from './converse.ts';
export type { Question, Send } from './converse.ts';
export { accept, reply, respond, serve } from './gateway.ts';
export type { Accepted, GatewayOptions, Responded, Response, Served, Service } from './gateway.ts';
export { clockWindow } from './messages.ts';
export { MemoryReplayCache } from './replay.ts';
export type { FirstMessage, ReplayCache } from './replay.ts';
export { State } from './state.ts';
export type { Binding, Clock } from './state.ts';
export { conclude, confirm, initiate, request } from './user.ts';
export type { Conclusion, Confirmed, Initiated, Requested, SessionOptions, Step } from './user.ts';
