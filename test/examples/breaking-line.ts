/** A line to a server that breaks where a test says, once or always, and counts what went over it. */

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** In which direction bytes go: to the server, or from it. */
export type Direction = 'up' | 'down';

/** Breaks a connection once so many bytes of it went in a direction. */
export interface Break {
  readonly direction: Direction;
  readonly after: number;
  readonly times: number;
}

/** A port of its own before a server's. */
export class BreakingLine {
  /** Where the server is. */
  target: number;
  connections = 0;
  broken = 0;
  bytes = { up: 0, down: 0 };
  #break: Break | null = null;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(target: number) {
    this.target = target;
    this.#server = createServer((socket) => {
      this.#join(socket);
    });
  }

  static async open(target: number): Promise<BreakingLine> {
    const line = new BreakingLine(target);
    line.#server.listen(0, '127.0.0.1');
    await once(line.#server, 'listening');
    return line;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Counts from here, and breaks as told; `null` for a line that holds. */
  expect(next: Break | null): void {
    this.#break = next;
    [this.connections, this.broken, this.bytes] = [0, 0, { up: 0, down: 0 }];
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #join(client: Socket): void {
    this.connections++;
    const server = connect(this.target, '127.0.0.1');
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    this.#carry('up', client, server);
    this.#carry('down', server, client);
  }

  #carry(direction: Direction, from: Socket, to: Socket): void {
    let carried = 0;
    from.on('data', (bytes) => {
      const due = this.#break;
      carried += bytes.length;
      this.bytes[direction] += bytes.length;
      if (due?.direction === direction && carried > due.after && this.broken < due.times) {
        this.broken++;
        from.destroy();
        to.destroy();
        return;
      }
      if (!to.write(bytes)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    });
  }
}
