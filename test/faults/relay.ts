/** An address that moves: whoever connects is passed on to where it points just then. */

import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Listens on a port of its own. */
export class Relay {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #target: number;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((from) => {
      const to = connect(this.#target, '127.0.0.1');
      for (const [one, other] of [
        [from, to],
        [to, from],
      ] as const) {
        this.#open.add(one);
        one.pipe(other);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          this.#open.delete(one);
          other.destroy();
        });
      }
    });
  }

  static async to(target: number): Promise<Relay> {
    const relay = new Relay(target);
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Points elsewhere: who is connected is cut off. */
  move(target: number): void {
    this.#target = target;
    for (const socket of this.#open) socket.destroy();
  }

  close(): void {
    this.#server.close();
    this.move(0);
  }
}
