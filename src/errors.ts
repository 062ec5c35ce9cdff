/**
 * The one error class of the library and the closed union of its codes. The table in spec/errors.md is held
 * against this file by a test. Mistakes of the calling program (a key of the wrong length, a state used twice)
 * are `TypeError` and `RangeError`; everything that data, a peer or the environment can cause is a code here.
 */

/** Who has to act: the sender of the data, the caller of the function, the surroundings, or nobody yet (a defect). */
export type Blame = 'data' | 'caller' | 'environment' | 'bug';

/** Every stable code, with its meaning and who has to act. */
export const ERROR_CODES = {
  WIRE_BASE64URL: ['data', 'text is not unpadded base64url in its one canonical spelling'],
  WIRE_JSON: ['data', 'text is not strict JSON: malformed, a duplicate member name, or a lone surrogate'],
  WIRE_LIMIT: ['data', 'input is larger, deeper or longer than its format allows'],
  WIRE_PADDING: ['data', 'padding is not zeros up to the exact bucket'],
  WIRE_TUPLE: ['data', 'bytes are not the one encoding of the expected tuple'],
  WIRE_UTF8: ['data', 'bytes are not UTF-8, or text holds a lone surrogate'],

  KEY_ALGORITHM: ['data', 'the algorithm is unknown or not the one that the key demands'],
  KEY_CHANGE: [
    'caller',
    'a change to a group, a list of compartments or guardians does not fit what is there',
  ],
  KEY_CREDENTIAL: ['data', 'a credential is malformed, outside its validity or not signed by its issuer'],
  KEY_FILE: [
    'data',
    'a key file or an encoded key is malformed, or asks for more work than its limits allow',
  ],
  KEY_OPEN: ['data', 'a ciphertext does not open: wrong key, wrong context, or altered bytes'],
  KEY_PASSPHRASE: ['caller', 'the passphrase does not open the key file'],
  KEY_POSSESSION: ['data', 'a credential request does not prove possession of its keys'],
  KEY_PUBLIC: ['data', 'a public key is malformed, not canonical or of small order'],
  KEY_RECOVERY: [
    'data',
    'a recovery does not fit its appointment or time, or too few shares of it are right',
  ],
  KEY_REVOKED: ['data', 'a credential was revoked by the time at which it is judged'],
  KEY_SIGNATURE: ['data', 'a signature does not verify under the stated key'],
  KEY_SUCCESSION: ['data', 'a statement is older than one seen before, or does not follow it'],

  ENVELOPE_GRAMMAR: ['data', 'the document is not the one XML form of an envelope'],
  ENVELOPE_LIMIT: ['data', 'the document or one of its texts is larger than an envelope may be'],
  ENVELOPE_SIGNATURE: ['data', 'the signature does not cover this envelope in this session'],
  ENVELOPE_TIME: ['data', 'the envelope is genuine and was made outside the time that the verifier allows'],
  ENVELOPE_TEXT: ['caller', 'a text cannot be carried in XML as it stands'],

  SESSION_CLOSED: ['caller', 'the session is over: used, failed, or past one of its deadlines'],
  SESSION_MESSAGE: ['data', 'a message of the handshake or the session is refused; one code for every cause'],
  SESSION_PEER: ['data', 'the peer is authenticated but its credential was not accepted'],
  SESSION_REPLAY: ['data', 'a first message was seen before or lies outside the clock window'],

  VIEW_AUTHOR: [
    'data',
    'the sealed document is not signed by the author it names, or the author is not known',
  ],
  VIEW_CAPSULE: ['data', 'a capsule, its seal or the statement of its use is refused'],
  VIEW_COMMITMENT: ['data', 'a class, key or field does not match what the author committed to'],
  VIEW_DISCLOSURE: ['data', 'a disclosure is malformed, or shows what its author did not commit to'],
  VIEW_EQUIVOCATION: ['data', 'what an author sealed contradicts itself, or is not one document'],
  VIEW_GRANT: ['data', 'a grant does not cover this record, reader or time, or its wrap was exchanged'],
  VIEW_INCOMPLETE: ['data', 'something addressed to this reader is missing'],
  VIEW_LIMIT: ['caller', 'the document is beyond a limit: its classes, readers, fields, paths or bytes'],
  VIEW_MANIFEST: ['data', 'the sealed document is malformed or belongs to another record'],
  VIEW_ORDER: ['data', 'parts of the sealed document are out of order, or one stands twice'],
  VIEW_POLICY: ['caller', 'the policy is malformed, contradictory or names a reader that was not given'],
  VIEW_RELEASE: ['data', 'a break-glass release does not fit this emergency, document or time'],
  VIEW_WRAP: ['data', 'a wrap does not open, or is not the one that its slot commits to'],
  VIEW_ANNEX: ['data', 'an annex is cut off, altered, reordered or not the one its field names'],

  RECORD_AUTHOR: [
    'data',
    'the author of an entry is unknown or not valid then, or its signature does not verify',
  ],
  RECORD_CHARTER: ['data', 'a charter is malformed, or for another origin'],
  RECORD_CHECKPOINT: ['data', 'a checkpoint is malformed, of another log, or not signed by it'],
  RECORD_CONSISTENCY: ['data', 'a log or chain contradicts what this verifier has seen before'],
  RECORD_ENTRY: ['data', 'an entry is malformed or of another bank, record or chain'],
  RECORD_EXPORT: ['data', 'an export is malformed, of another bank, or lacks a part that it promises'],
  RECORD_FRAUD: ['data', 'a fraud file is malformed, or proves nothing against the bank'],
  RECORD_HEAD: [
    'data',
    'a head statement is malformed, not signed by the bank, or about another chain or head',
  ],
  RECORD_INCLUSION: ['data', 'an entry is not in the log at the place stated'],
  RECORD_LINK: ['data', 'an entry does not follow the one before it'],
  RECORD_PAYLOAD: ['data', 'a payload is missing, malformed, or not the one that its entry was signed over'],
  RECORD_RECEIPT: ['data', 'a receipt is malformed, not signed by the bank, or about something else'],
  RECORD_RENEWAL: ['data', 'a renewal does not cover the export as it is, or its log does not vouch for it'],
  RECORD_RETENTION: ['data', 'a payload may not be destroyed yet, or not on this ground'],
  RECORD_RIGHT: ['data', 'the author had no right to write this entry, of this kind, content and time'],
  RECORD_STALE: ['caller', 'the entry was signed over a head that is no longer the newest'],
  RECORD_TILE: ['data', 'a tile of a log or its path is malformed, or not what the checkpoint vouches for'],
  RECORD_WITNESS: ['data', 'fewer witnesses cosigned a checkpoint than are demanded'],
} as const satisfies Record<string, readonly [Blame, string]>;

/** A stable error code; its prefix names the subsystem. */
export type ErrorCode = keyof typeof ERROR_CODES;

/**
 * The error that every function of this library throws for bad data and failed checks. Its message is the
 * code's fixed meaning and a fixed detail: never a secret, never text chosen by a peer.
 *
 * @example
 * ```ts
 * import { MunimentError } from 'muniment';
 * import { fromBase64url } from 'muniment/wire';
 * try {
 *   fromBase64url('not base64url!');
 * } catch (error) {
 *   if (error instanceof MunimentError) console.log(error.code); // WIRE_BASE64URL
 * }
 * ```
 */
export class MunimentError extends Error {
  override readonly name = 'MunimentError';
  /** The stable code. */
  readonly code: ErrorCode;
  /** Who has to act. */
  readonly blame: Blame;

  constructor(code: ErrorCode, detail?: string, options?: { cause?: unknown }) {
    super(`${code}: ${detail ?? ERROR_CODES[code][1]}`, options);
    this.code = code;
    this.blame = ERROR_CODES[code][0];
  }
}
