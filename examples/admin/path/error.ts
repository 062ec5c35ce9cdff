/** Why a certification path is refused. */

/** Every stable code. */
export type PathErrorCode =
  /** Certificates or lists that cannot be parsed, are larger or more than allowed, or break the form of RFC 5280. */
  | 'PATH_FORM'
  /** Signed with an algorithm that is not accepted. */
  | 'PATH_ALGORITHM'
  /** A signature does not verify under the issuer's key. */
  | 'PATH_SIGNATURE'
  /** A certificate is not valid yet, or no longer. */
  | 'PATH_TIME'
  /** A certificate's issuer is not the subject of the one above it. */
  | 'PATH_CHAIN'
  /** A certificate above the last is not that of an authority. */
  | 'PATH_AUTHORITY'
  /** More authorities than one of them allows below it. */
  | 'PATH_LENGTH'
  /** A key is used for what its certificate does not say that it is for. */
  | 'PATH_USAGE'
  /** A name outside what an authority may certify, or constraints of a kind that is not supported. */
  | 'PATH_NAME'
  /** A critical extension that is not understood, or one that is there twice. */
  | 'PATH_EXTENSION'
  /** An authority has revoked a certificate. */
  | 'PATH_REVOKED'
  /** No list of revocations that can be used for a certificate. */
  | 'PATH_CRL';

/** A path that is not accepted. */
export class PathError extends Error {
  override readonly name = 'PathError';
  readonly code: PathErrorCode;

  constructor(code: PathErrorCode, message: string, options?: { cause: unknown }) {
    super(message, options);
    this.code = code;
  }
}
