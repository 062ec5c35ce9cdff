/** Every length and limit of sealed documents. spec/views.md, "Limits". */

/** Lines of each kind in a manifest: class commitments, and slots. Dummies fill them up. */
export const MANIFEST_LINES = 16;
/** Bytes of a record's or document's id. */
export const ID_LENGTH = 16;
/** Longest JSON text that is sealed, in UTF-16 code units. */
export const DOCUMENT_LIMIT = 16 * 1024 * 1024;
/** Deepest nesting of a sealed document. */
export const DEPTH_LIMIT = 128;
/** Most fields in one document. */
export const FIELDS_LIMIT = 1_000_000;
/** Longest path of a field, in bytes. */
export const PATH_LIMIT = 8192;
/** Longest encoded sealed document, in bytes. */
export const SEALED_LIMIT = 40 * 1024 * 1024;
/** Longest document type, in bytes. */
export const TYPE_LIMIT = 64;
/** Most rules in a policy, `otherwise` counted, and most patterns in a rule; restrictions and their labels likewise. */
export const RULES_LIMIT = 256;
/** Bytes of a custodian's share of half a key: its place, and as many as the half has. */
export const SHARE_LENGTH = 33;
/** Most tokens in all patterns of a policy: comparing each with each takes half its square in steps. */
export const POLICY_TOKENS_LIMIT = 16_384;
/** Most steps to find out whether earlier patterns together take all that one pattern would. */
export const COVERAGE_STEPS = 16_384;
/** Bytes of an annex chunk before encryption. */
export const CHUNK_LENGTH = 64 * 1024;
/** Most chunks of an annex that one proof is for. */
export const ANNEX_RUN = 256;
/** Most bytes of a capsule's content. */
export const CAPSULE_CONTENT_LIMIT = 1024 * 1024;
/** Most bytes of a capsule: the content, padded, and what its owner says of it. */
export const CAPSULE_LIMIT = CAPSULE_CONTENT_LIMIT + 64 * 1024;
