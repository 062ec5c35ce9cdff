/** Muniment's front door. Each room is also a subpath of its own: `muniment/keys`, `muniment/views`, … */

export { ERROR_CODES, MunimentError } from './errors.ts';
export type { Blame, ErrorCode } from './errors.ts';
export { createAnchor, createKeys, enrol, exportKeys, importKeys } from './keys/index.ts';
export type { Credential, Identity } from './keys/index.ts';
export { converse } from './protocol/index.ts';
export { definePolicy, explain, grant, open, seal, verifySealed } from './views/index.ts';
export { exportRecord, signEntry, verifyChain, verifyExport } from './record/index.ts';
