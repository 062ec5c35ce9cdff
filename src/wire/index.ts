/** Bytes, strict text formats and the tuple encoder. spec/wire.md. */

export {
  compareBytes,
  concat,
  concatAll,
  copyBytes,
  equalBytes,
  fromUtf8,
  toHex,
  utf8,
  utf8Length,
} from './bytes.ts';
export { fromBase64, fromBase64url, toBase64, toBase64url } from './base64url.ts';
export { JSON_LIMITS, jsonValue, readJson, writeJson } from './json.ts';
export type { JsonLimits, JsonMember, JsonNode, JsonValue } from './json.ts';
export { PAD_FLOOR, pad, padmeLength, unpad } from './pad.ts';
export { Scratch } from './scratch.ts';
export { encodeItems, LABEL_PREFIX, MAX_INTEGER, tuple, tupleIn, tupleOf, TupleReader } from './tuple.ts';
export type { TupleItem } from './tuple.ts';
