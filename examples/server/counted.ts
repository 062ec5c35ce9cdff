/** How many of something, as a person reads it. */

/** Such as `1 entry` or `2 entries`; the plural is only given where an s does not make it. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
