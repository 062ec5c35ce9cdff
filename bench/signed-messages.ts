/**
 * A signed message of JSON text in each peer's own format, all with Ed25519. Keys are imported once; what a scheme
 * writes is what would travel, and what it reads comes back as the text that the signature covers.
 */

import { generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import { dsse, crypto as sigstore } from '@sigstore/core';
import { DOMImplementation, DOMParser, XMLSerializer } from '@xmldom/xmldom';
import { FlattenedSign, flattenedVerify, generateKeyPair, type FlattenedJWS } from 'jose';
import { setNodeDependencies } from 'xml-core';
import { SignedXml, type SignatureAlgorithm } from 'xml-crypto';
import * as xmldsig from 'xmldsigjs';
import xpath from 'xpath';

/** One way to sign a message and to have it back; `Wire` is what travels. */
export interface SignedMessage<Wire, Text = string> {
  write(text: Text): Wire | Promise<Wire>;
  /** What was signed, or throws. */
  read(wire: Wire): Text | Promise<Text>;
}

interface Detached {
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** A signature over bytes and nothing around it: the yardstick. */
export function bareMessage(): SignedMessage<Detached, Uint8Array> {
  const { privateKey, publicKey } = ed25519();
  return {
    write: (message) => ({ message, signature: sign(null, message, privateKey) }),
    read: ({ message, signature }) => (verify(null, message, publicKey, signature) ? message : refuse()),
  };
}

/** `jose`: a flattened JWS (RFC 7515 section 7.2.2). */
export async function joseMessage(): Promise<SignedMessage<string>> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA');
  const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];
  return {
    async write(text) {
      const jws = new FlattenedSign(encoder.encode(text)).setProtectedHeader({ alg: 'EdDSA' });
      return JSON.stringify(await jws.sign(privateKey));
    },
    async read(wire) {
      const jws = JSON.parse(wire) as FlattenedJWS;
      return decoder.decode((await flattenedVerify(jws, publicKey, { algorithms: ['EdDSA'] })).payload);
    },
  };
}

const PAYLOAD_TYPE = 'application/json';

interface DsseEnvelope {
  payload: string;
  payloadType: string;
  signatures: [{ sig: string }];
}

/** DSSE as Sigstore writes it, on the two functions that `@sigstore/core` has for it. */
export function dsseMessage(): SignedMessage<string> {
  const { privateKey, publicKey } = ed25519();
  return {
    write(text) {
      const payload = Buffer.from(text);
      const sig = sign(null, dsse.preAuthEncoding(PAYLOAD_TYPE, payload), privateKey).toString('base64');
      const envelope: DsseEnvelope = {
        payload: payload.toString('base64'),
        payloadType: PAYLOAD_TYPE,
        signatures: [{ sig }],
      };
      return JSON.stringify(envelope);
    },
    read(wire) {
      const { payload, payloadType, signatures } = JSON.parse(wire) as DsseEnvelope;
      const signed = Buffer.from(payload, 'base64');
      const claim = Buffer.from(signatures[0].sig, 'base64');
      if (payloadType !== PAYLOAD_TYPE) refuse();
      if (!sigstore.verify(dsse.preAuthEncoding(payloadType, signed), publicKey, claim)) refuse();
      return signed.toString();
    },
  };
}

const XMLDSIG = 'http://www.w3.org/2000/09/xmldsig#';
const ENVELOPED = `${XMLDSIG}enveloped-signature`;
const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const SHA256 = 'http://www.w3.org/2001/04/xmlenc#sha256';
/** RFC 9231 section 2.3.12. Neither XML library has it; both take it as a plug-in. */
const EDDSA = 'http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519';

/** `xml-crypto`: an enveloped signature, exclusive canonicalisation, SHA-256. */
export function xmlCryptoMessage(): SignedMessage<string> {
  const { privateKey, publicKey } = ed25519();
  const fresh = (): SignedXml => {
    const signed = new SignedXml({ privateKey, publicCert: publicKey, signatureAlgorithm: EDDSA });
    signed.canonicalizationAlgorithm = EXCLUSIVE;
    signed.SignatureAlgorithms = { [EDDSA]: EddsaForXmlCrypto };
    return signed;
  };
  return {
    write(text) {
      const signed = fresh();
      signed.addReference({
        xpath: '/*',
        isEmptyUri: true,
        transforms: [ENVELOPED, EXCLUSIVE],
        digestAlgorithm: SHA256,
      });
      signed.computeSignature(xmlOf(text));
      return signed.getSignedXml();
    },
    read(wire) {
      const signature = parse(wire).getElementsByTagNameNS(XMLDSIG, 'Signature')[0];
      if (signature === undefined) refuse();
      const signed = fresh();
      signed.loadSignature(signature);
      if (!signed.checkSignature(wire)) refuse();
      // What its manual says to read: the bytes that were signed, and not the document that they came with.
      return textOf(parse(signed.getSignedReferences()[0] ?? ''));
    },
  };
}

class EddsaForXmlCrypto implements SignatureAlgorithm {
  getAlgorithmName = (): string => EDDSA;
  getSignature = (signedInfo: unknown, key: unknown): string =>
    sign(null, Buffer.from(signedInfo as string), key as KeyObject).toString('base64');
  verifySignature = (signedInfo: string, key: unknown, signature: string): boolean =>
    verify(null, Buffer.from(signedInfo), key as KeyObject, Buffer.from(signature, 'base64'));
}

/** `xmldsigjs`: the same signature, on WebCrypto. */
export async function xmldsigMessage(): Promise<SignedMessage<string>> {
  setNodeDependencies({ DOMImplementation, DOMParser, XMLSerializer, xpath });
  xmldsig.Application.setEngine('node', crypto);
  xmldsig.CryptoConfig.RegisterSignatureAlgorithm(EDDSA, EddsaForXmldsig);
  const algorithm = { name: 'Ed25519' };
  const pair = (await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as CryptoKeyPair;
  return {
    async write(text) {
      const signed = new xmldsig.SignedXml();
      await signed.Sign(algorithm, pair.privateKey, xmldsig.Parse(xmlOf(text)), {
        references: [{ hash: 'SHA-256', transforms: ['enveloped', 'exc-c14n'] }],
      });
      return signed.toString();
    },
    async read(wire) {
      const document = xmldsig.Parse(wire);
      const signature = document.getElementsByTagNameNS(XMLDSIG, 'Signature')[0];
      if (signature === undefined) refuse();
      const signed = new xmldsig.SignedXml(document);
      signed.LoadXml(signature);
      if (!(await signed.Verify(pair.publicKey))) refuse();
      return textOf(document);
    },
  };
}

class EddsaForXmldsig extends xmldsig.SignatureAlgorithm {
  override algorithm = { name: 'Ed25519' };
  override namespaceURI = EDDSA;
  static fromAlgorithm({ name }: { name: string }): EddsaForXmldsig | null {
    return name === 'Ed25519' ? new EddsaForXmldsig() : null;
  }
}

function xmlOf(text: string): string {
  const escaped = text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
  return `<message><data>${escaped}</data></message>`;
}

// Both libraries' typings ask for the browser's nodes, and both take xmldom's.
function parse(xml: string): Document {
  return new DOMParser().parseFromString(xml, 'application/xml') as unknown as Document;
}

function textOf(document: Document): string {
  return document.getElementsByTagName('data')[0]?.textContent ?? refuse();
}

function ed25519(): { privateKey: KeyObject; publicKey: KeyObject } {
  return generateKeyPairSync('ed25519');
}

function refuse(): never {
  throw new Error('not signed');
}
