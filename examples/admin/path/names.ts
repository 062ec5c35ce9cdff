/** Names of X.500 in a path: whether two are the same, and whether one is below another. */

import 'reflect-metadata'; // @peculiar/x509 refuses to load before it
import { AsnConvert } from '@peculiar/asn1-schema';
import { type GeneralName, NameConstraints, SubjectAlternativeName } from '@peculiar/asn1-x509';
import { Name, SubjectAlternativeNameExtension, type X509Certificate } from '@peculiar/x509';
import { PathError } from './error.ts';

/** Whether two names are written alike. RFC 5280 section 7.1 would also have some equal that are not. */
export function sameName(one: Name, other: Name): boolean {
  return Buffer.from(one.toArrayBuffer()).equals(Buffer.from(other.toArrayBuffer()));
}

/** A name as its relative names in their order, in one spelling: RFC 5280 section 7.1, approximately. */
type Plain = readonly string[];

/**
 * What an authority may certify (RFC 5280 section 4.2.1.10): subtrees of directory names, one of which must have every
 * such name. No other kind, and no exclusion: there, two names wrongly told apart would let one through.
 */
export class NameConstraint {
  readonly #permitted: readonly Plain[];

  /**
   * @param value - the extension's value, in DER
   * @throws `PathError` `PATH_NAME` for constraints of a kind that is not supported
   */
  constructor(value: ArrayBuffer) {
    const { permittedSubtrees, excludedSubtrees } = AsnConvert.parse(value, NameConstraints);
    if (permittedSubtrees === undefined || excludedSubtrees !== undefined) throw unsupported();
    this.#permitted = permittedSubtrees.map(({ base, minimum, maximum }) => {
      if (base.directoryName === undefined || minimum !== 0 || maximum !== undefined) throw unsupported();
      return plain(new Name(AsnConvert.serialize(base.directoryName)));
    });
  }

  /** @throws `PathError` `PATH_NAME` for a certificate with a name outside */
  require(certificate: X509Certificate): void {
    const names = [certificate.subjectName, ...alternatives(certificate)].map(plain);
    const isInside = (name: Plain): boolean =>
      name.length === 0 ||
      this.#permitted.some((base) => base.every((relative, at) => name[at] === relative));
    if (!names.every(isInside))
      throw new PathError('PATH_NAME', 'a name outside what an authority may certify');
  }
}

function unsupported(): PathError {
  return new PathError('PATH_NAME', 'name constraints other than permitted directory names');
}

function alternatives(certificate: X509Certificate): Name[] {
  const extension = certificate.getExtension(SubjectAlternativeNameExtension);
  if (extension === null) return [];
  const names: GeneralName[] = AsnConvert.parse(extension.value, SubjectAlternativeName);
  return names.flatMap(({ directoryName }) =>
    directoryName === undefined ? [] : [new Name(AsnConvert.serialize(directoryName))],
  );
}

function plain(name: Name): Plain {
  return name.toJSON().map((relative) =>
    JSON.stringify(
      Object.entries(relative)
        .map(([type, values]) => [type, values.map((value) => fold(value)).sort()] as const)
        .sort(([one], [other]) => (one < other ? -1 : 1)),
    ),
  );
}

function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ');
}
