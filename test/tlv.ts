/** DER by the tests' own hand, in hexadecimal, so that it can also be wrong. */

/** One element: tag, length in its shortest form, contents. */
export function tlv(tag: string, ...contents: readonly string[]): string {
  const content = contents.join('');
  const length = content.length / 2;
  const digits = length.toString(16).padStart(length > 0xff ? 4 : 2, '0');
  const prefix = length < 0x80 ? '' : length > 0xff ? '82' : '81';
  return tag + prefix + digits + content;
}

/** AlgorithmIdentifiers, without their frame. */
export const ALGORITHM = {
  ed25519: '06032b6570',
  ed448: '06032b6571',
  x25519: '06032b656e',
  p256: '06072a8648ce3d020106082a8648ce3d030107',
  p384: '06072a8648ce3d020106052b81040022',
  mlDsa44: '0609608648016503040311',
  mlDsa65: '0609608648016503040312',
  mlKem768: '0609608648016503040402',
  composite: '06082b06010505070630',
  xwing: '060b2b0601040183e62d81c87a',
  rsa: '06092a864886f70d0101010500',
} as const;

/** OneAsymmetricKey of version 1 (written 0), or with a public key of version 2 (written 1). */
export function oneAsymmetricKey(algorithm: string, privateKey: string, publicKey?: string): string {
  const stated = publicKey === undefined ? [] : [tlv('81', '00', publicKey)];
  const version = publicKey === undefined ? '020100' : '020101';
  return tlv('30', version, tlv('30', algorithm), tlv('04', privateKey), ...stated);
}

/** ECPrivateKey. */
export function ecPrivateKey(secret: string, ...rest: readonly string[]): string {
  return tlv('30', '020101', tlv('04', secret), ...rest);
}

/** The public key inside an ECPrivateKey. */
export function ecPublicKey(point: string): string {
  return tlv('a1', tlv('03', '00', point));
}

/** SubjectPublicKeyInfo. */
export function subjectPublicKeyInfo(algorithm: string, publicKey: string): string {
  return tlv('30', tlv('30', algorithm), tlv('03', '00', publicKey));
}
