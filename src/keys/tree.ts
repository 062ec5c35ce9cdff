/**
 * The owner's key tree: from one root of 32 random bytes every compartment derives; handing over a node hands
 * over its subtree and nothing above or beside it. spec/keys.md, "Key tree".
 */

import { deriveTuple, kem, systemRandom, type KemId, type Random } from '../crypto/index.ts';
import { SoftwareDecapsulator } from './ports.ts';
import { exposeSecret, Secret } from './secret.ts';

/** A node's 32 secret bytes. */
export type NodeSecret = Secret<'tree node'>;

/**
 * One step down the tree: the child's name and the epoch to which it was rotated, from 0. Whoever holds a node derives
 * its children in every epoch, those to come included; no child leads to another, nor one epoch of it to the next.
 */
export interface TreeStep {
  readonly name: string;
  readonly epoch: number;
}

/** A fresh root. */
export function createRoot(random: Random = systemRandom): NodeSecret {
  return new Secret('tree node', random(32));
}

/**
 * Derives a descendant of a node.
 *
 * @param node - the root or any node below it
 * @param path - the steps down; an empty path is the node itself
 * @example
 * ```ts
 * import { createRoot, deriveNode, nodeKey } from 'muniment/keys';
 * import { KEM_XWING } from 'muniment/crypto';
 * const treatments = deriveNode(createRoot(), [{ name: 'treatments', epoch: 0 }]);
 * nodeKey(treatments, KEM_XWING).publicKey; // what writers seal to
 * ```
 */
export function deriveNode(node: NodeSecret, path: readonly TreeStep[]): NodeSecret {
  return path.reduce<NodeSecret>(
    (parent, { name, epoch }) =>
      new Secret('tree node', deriveTuple(exposeSecret(parent), 'node', name, epoch)),
    node,
  );
}

/** The KEM key pair of a node: writers seal to it without holding any secret. */
export function nodeKey(node: NodeSecret, kemId: KemId): SoftwareDecapsulator {
  const ikm = deriveTuple(exposeSecret(node), 'node kem', kemId);
  return new SoftwareDecapsulator(kemId, new Secret('kem key', kem(kemId).deriveSecretKey(ikm)));
}
