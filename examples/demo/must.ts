/** What the demo insists on. */

/** Ends the demo if something that must hold does not. */
export function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`this must hold and does not: ${what}`);
}
