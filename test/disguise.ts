/** Memory that poses as bytes: `instanceof` is deceived, and `new Uint8Array` of it is a view and no copy. */
export function disguised(bytes: Uint8Array, shared = false): { fake: Uint8Array; memory: Uint8Array } {
  const buffer = shared ? new SharedArrayBuffer(bytes.length) : new ArrayBuffer(bytes.length);
  const memory = new Uint8Array(buffer);
  memory.set(bytes);
  Object.setPrototypeOf(buffer, Uint8Array.prototype);
  Object.defineProperty(buffer, 'length', { value: bytes.length });
  return { fake: buffer as unknown as Uint8Array, memory };
}
