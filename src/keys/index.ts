/** Identities, credentials, key trees, groups, keys in the field's encodings and the two hardware ports. spec/keys.md. */

export {
  COMPARTMENTS_LIMIT,
  compartmentNode,
  INBOX,
  inheritCompartments,
  openRoot,
  publishCompartments,
  ROOT,
  rotate,
  verifyCompartments,
} from './compartments.ts';
export type { Compartment, Compartments } from './compartments.ts';
export { verifyCompartmentsHistory, verifyNextCompartments } from './compartments-history.ts';
export {
  CREDENTIAL_LIMIT,
  credentialId,
  hasRole,
  NAME_LIMIT,
  readAnchor,
  readKemPublicKey,
  readUnverifiedCredential,
  verifyCredential,
} from './credential.ts';
export type { Credential, CredentialFields } from './credential.ts';
export { createSplitKey, openSplitKey, SEALED_SEED_LIMIT } from './custody.ts';
export type { HybridKemId, SplitKey } from './custody.ts';
export { exportKeys, importKeys, KEY_FILE_LIMIT } from './file.ts';
export { openGroup, publishGroup, publishNextEpoch, verifyGroup } from './group.ts';
export type { GroupChange, GroupEpoch, GroupMember } from './group.ts';
export { appointGuardians, GUARDIANS_FEWEST, GUARDIANS_LIMIT, verifyAppointment } from './guardians.ts';
export type { Appointment, Guardian } from './guardians.ts';
export { openGroupHistory, verifyGroupHistory, verifyNextEpoch } from './group-history.ts';
export type { GroupHistory, OpenedEpoch } from './group-history.ts';
export {
  createKeyHistory,
  credentialAsOf,
  currentCredential,
  HISTORY_CREDENTIALS_LIMIT,
  HISTORY_REVOCATIONS_LIMIT,
} from './history.ts';
export type { KeyHistory, Standing } from './history.ts';
export { createAnchor, createIdentity, createKeys } from './identity.ts';
export type { Identity, IdentityKeys, KeyOptions, Profile, SoftwareKeys } from './identity.ts';
export {
  decodeJwkDecapsulator,
  decodeJwkSigner,
  decodePublicJwkKem,
  decodePublicJwkSigning,
  encodeJwk,
  encodePublicJwk,
} from './jwk.ts';
export { KEY_ENCODING_LIMIT } from './key-encoding.ts';
export { decodePrivatePem, decodePublicPem, encodePrivatePem, encodePublicPem, PEM_LIMIT } from './pem.ts';
export { decodePkcs8Decapsulator, decodePkcs8Signer, encodePkcs8 } from './pkcs8.ts';
export {
  hpkeOpenWith,
  readSignature,
  SoftwareDecapsulator,
  SoftwareSigner,
  suite,
  verifySignature,
  verifySignatureAhead,
  verifySignatureAsync,
} from './ports.ts';
export type { Decapsulator, KemPublicKey, Signer, SigningPublicKey } from './ports.ts';
export {
  answerChallenge,
  challengePossession,
  enrol,
  issueCredential,
  readCredentialRequest,
  requestCredential,
} from './possession.ts';
export type { CredentialRequest, PossessionChallenge } from './possession.ts';
export {
  approveRecovery,
  checkStands,
  recoverRoot,
  RECOVERY_TERM,
  requestRecovery,
  verifyApproval,
  verifyRecoveryRequest,
} from './recovery.ts';
export type { Approval, Holding, RecoveryRequest } from './recovery.ts';
export {
  renounceCredential,
  revokeCredential,
  REVOCATION_REASONS,
  verifyRenunciation,
  verifyRevocation,
} from './revocation.ts';
export type { Revocation, RevocationReason, RevocationTerms } from './revocation.ts';
export { exposeSecret, Secret } from './secret.ts';
export { decodeSpkiKem, decodeSpkiSigning, encodeSpki } from './spki.ts';
export { signStatement, STATEMENT_LIMIT, verifyStatement } from './statement.ts';
export { checkSeen } from './succession.ts';
export type { Seen, Successive } from './succession.ts';
export { createRoot, deriveNode, nodeKey } from './tree.ts';
export type { NodeSecret, TreeStep } from './tree.ts';
