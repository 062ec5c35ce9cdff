/** PKCS#12 files (RFC 7292): how a user's keys come from, and go to, the tools of others. docs/keystores.md. */

export type { Pkcs12Certificate, Pkcs12Contents, Pkcs12Key, Pkcs12Label } from './pkcs12/contents.ts';
export { identityFromPkcs12, identityToPkcs12 } from './pkcs12/identity.ts';
export { PKCS12_LIMITS } from './pkcs12/limits.ts';
export type { Pkcs12Limits } from './pkcs12/limits.ts';
export { readPkcs12 } from './pkcs12/read.ts';
export { writePkcs12 } from './pkcs12/write.ts';
