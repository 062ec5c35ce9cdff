/** The names of one document, which nearly every derivation takes. */
export interface DocumentNames {
  /** 16 bytes. */
  readonly recordId: Uint8Array;
  /** 16 random bytes. */
  readonly docId: Uint8Array;
}
