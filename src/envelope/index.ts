/** The signed XML message. spec/envelope.md. */

export { decodeEnvelope, decodeSealed, encodeEnvelope, ENVELOPE_LIMIT } from './codec.ts';
export { encodeEvidence, verifyEvidence } from './evidence.ts';
export type { ExpectedEvidence } from './evidence.ts';
export {
  HANDLE_LENGTH,
  headerTuple,
  MESSAGE_TYPES,
  readUnverifiedData,
  SignedEnvelope,
  stepOf,
} from './model.ts';
export type { Envelope, Header, MessageType, SealedEnvelope, SignedType } from './model.ts';
export { digestsOf, signEnvelope, verifyEnvelope } from './sign.ts';
export type { EnvelopeDigests, Expected, SigningContext, TimeWindow, VerifiedEnvelope } from './sign.ts';
export { diagnoseEnvelope, FOREIGN_LIMIT, normalizeEnvelope } from './xml.ts';
