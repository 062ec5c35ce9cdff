/** What passed and what failed, said as it happens and counted at the end. */

/** A run's results. */
export class Tally {
  #passed = 0;
  #failed = 0;

  /** Runs one check, and says how it went. A failure does not end the run. */
  async check(name: string, work: () => Promise<void>): Promise<void> {
    const start = performance.now();
    try {
      await work();
      this.#passed += 1;
      console.log(`ok   ${name}  (${((performance.now() - start) / 1000).toFixed(1)} s)`);
    } catch (error) {
      this.#failed += 1;
      console.log(`FAIL ${name}`);
      console.log(String(error instanceof Error ? error.stack : error).replace(/^/gm, '     '));
    }
  }

  /** Says the counts, in the form that a CI reads. Whether nothing failed, and something passed. */
  close(): boolean {
    console.log(`${this.#passed} passed, ${this.#failed} failed`);
    return this.#failed === 0 && this.#passed > 0;
  }
}
