/** Every path that `check` must try from each machine, by name, written down here once more and not read from `check`. */

import { ADDRESSES, OUTSIDE, type Machine } from './lab.ts';

const {
  client,
  server_to_client: front,
  server_to_database: back,
  database,
  server_port: serving,
  database_port: keeping,
} = ADDRESSES;

const tcp = (host: string, ...ports: readonly string[]): string[] =>
  ports.map((port) => `tcp ${host} port ${port}`);
const udp = (host: string, ...ports: readonly string[]): string[] =>
  ports.map((port) => `udp ${host} port ${port}`);
const ping = (...hosts: readonly string[]): string[] => hosts.map((host) => `ping ${host}`);

// Whoever is further off than any neighbour.
const OUT = [
  ...tcp(OUTSIDE.ipv4, '22', '53', '80', '443', serving, keeping),
  ...udp(OUTSIDE.ipv4, '53', '123', '443'),
  ...tcp(OUTSIDE.ipv6, '53', '443'),
  ...udp(OUTSIDE.ipv6, '53'),
  ...ping(OUTSIDE.ipv4, OUTSIDE.ipv6),
];

/** The one path of each machine that is open. */
export const OPEN: Readonly<Record<Machine, readonly string[]>> = {
  client: tcp(front, serving),
  server: tcp(database, keeping),
  database: [],
};

/** Those that are forbidden. */
export const FORBIDDEN: Readonly<Record<Machine, readonly string[]>> = {
  client: [
    ...tcp(front, '22', '80', '443', '5432', keeping),
    ...tcp(back, '22', serving, keeping),
    ...tcp(database, '22', '5432', serving, keeping),
    ...udp(front, serving),
    ...ping(front, back, database),
    ...OUT,
    ...ping('ff02::1%front', 'ff02::1%up-client'),
  ],
  server: [
    ...tcp(database, '22', '80', '443', '5432', serving),
    ...tcp(client, '22', '80', '443', serving, keeping),
    ...udp(database, keeping),
    ...ping(client, database),
    ...OUT,
    ...ping('ff02::1%back', 'ff02::1%front', 'ff02::1%up-server'),
  ],
  database: [
    ...tcp(back, '22', '443', '5432', serving, keeping),
    ...tcp(front, '22', serving),
    ...tcp(client, '22', '443', serving, keeping),
    ...udp(back, serving),
    ...ping(back, front, client),
    ...OUT,
    ...ping('ff02::1%back', 'ff02::1%up-database'),
  ],
};
