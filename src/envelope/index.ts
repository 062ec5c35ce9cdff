/** The signed XML message. spec/envelope.md. */

export { decodeEnvelope, encodeEnvelope, ENVELOPE_LIMIT } from './codec.ts';
export { encodeEvidence, verifyEvidence } from './evidence.ts';
export { HANDLE_LENGTH, headerTuple, MESSAGE_TYPES, stepOf } from './model.ts';
export type { Envelope, Header, MessageType } from './model.ts';
export { signEnvelope, verifyEnvelope } from './sign.ts';
export type { RequestDigests, SigningContext, VerifiedEnvelope } from './sign.ts';
export { FOREIGN_LIMIT, normalizeEnvelope } from './xml.ts';
