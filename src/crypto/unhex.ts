/** Constants that are best read as hexadecimal: known answers and fixed prefixes. Never for what comes from outside. */
export function unhex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
