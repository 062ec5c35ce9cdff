/**
 * What went over a wire: tcpdump takes it down, tcpflow puts each direction of each connection together again, and what
 * is read here is whether all of that is TLS 1.3: RFC 8446, sections 4.1.2, 4.1.3 and 5.1.
 */

import { execFileSync, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Lab, Machine } from './lab.ts';

/** One direction of one connection. */
export interface Flow {
  /** As tcpflow names it: `from address.port-to address.port`. */
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly bytes: Buffer;
}

/** A wire that is listened to. */
export interface Capture {
  /** Stops, and resolves to the file. Rejects if a packet was missed. */
  stop(): Promise<string>;
}

/** Listens at one end of a wire. */
export async function capture(lab: Lab, machine: Machine, wire: string, file: string): Promise<Capture> {
  const options = ['-n', '-s', '0', '-B', '65536', '--immediate-mode', '-Z', 'root', '-w', file];
  const tcpdump = lab.start(machine, 'tcpdump', '-i', wire, ...options);
  let said = '';
  await new Promise<void>((resolve, reject) => {
    tcpdump.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
      if (said.includes('listening on')) resolve();
    });
    tcpdump.once('exit', () => reject(new Error(`tcpdump ended at once: ${said}`)));
  });
  return {
    stop: async () => {
      await ended(tcpdump);
      if (!/^0 packets dropped by kernel$/m.test(said)) throw new Error(`tcpdump missed packets: ${said}`);
      return file;
    },
  };
}

async function ended(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGINT');
  await exited;
}

/** How many packets of a file fit a filter. */
export function countPackets(file: string, filter: string): number {
  const { status, stdout, stderr } = spawnSync('tcpdump', ['-n', '-r', file, filter], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`tcpdump: ${stderr}`);
  return stdout.split('\n').length - 1;
}

/** The connections of a file, each direction for itself. */
export function flowsOf(file: string): Flow[] {
  const folder = `${file}.flows`;
  mkdirSync(folder);
  execFileSync('tcpflow', ['-r', path.resolve(file), '-o', folder, '-X', '/dev/null'], { stdio: 'ignore' });
  return readdirSync(folder)
    .sort()
    .map((name) => {
      const [, from, to] = /^[\d.]{15}\.(\d{5})-[\d.]{15}\.(\d{5})(?:c\d+)?$/.exec(name) ?? [];
      if (from === undefined || to === undefined) throw new Error(`tcpflow left a file named ${name}`);
      return { name, from: Number(from), to: Number(to), bytes: readFileSync(path.join(folder, name)) };
    });
}

/** Why the bytes are not one direction of a TLS 1.3 connection from its first byte to its last, or `null`. */
export function faultIn(bytes: Buffer): string | null {
  let [at, greeted] = [0, false];
  while (at < bytes.length) {
    if (bytes.length < at + RECORD_HEADER) return `cut off at ${String(at)}`;
    const [type, version, length] = [bytes[at], bytes.readUInt16BE(at + 1), bytes.readUInt16BE(at + 3)];
    const body = bytes.subarray(at + RECORD_HEADER, at + RECORD_HEADER + length);
    if (version !== 0x0303 && !(version === 0x0301 && at === 0)) return `no record at ${String(at)}`;
    if (body.length < length || length > LONGEST) return `no whole record at ${String(at)}`;
    if (type === HANDSHAKE) {
      const fault = faultInHello(body);
      if (fault !== null) return fault;
      greeted = true;
    } else if (!greeted) return 'a record before the hello';
    else if (type === CHANGE_CIPHER_SPEC ? !body.equals(Buffer.of(1)) : type !== APPLICATION_DATA)
      return `a record of type ${String(type)} in the clear`;
    at += RECORD_HEADER + length;
  }
  return greeted ? null : 'no hello';
}

const RECORD_HEADER = 5;
const LONGEST = 2 ** 14 + 256;
const [CHANGE_CIPHER_SPEC, HANDSHAKE, APPLICATION_DATA] = [20, 22, 23];
const [CLIENT_HELLO, SERVER_HELLO] = [1, 2];
const SUPPORTED_VERSIONS = 43;
const TLS_1_3 = 0x0304;

// All else of a handshake is encrypted in TLS 1.3. Both hellos must say that they know no other version.
function faultInHello(message: Buffer): string | null {
  const type = message[0];
  if (type !== CLIENT_HELLO && type !== SERVER_HELLO) return `a message of type ${String(type)} in the clear`;
  if (message.readUIntBE(1, 3) !== message.length - 4) return 'more than a hello in one record';
  let at = 4 + 2 + 32; // header, version, random
  at += 1 + message.readUInt8(at); // session
  at += type === CLIENT_HELLO ? 2 + message.readUInt16BE(at) : 2; // cipher suites, or the one
  at += type === CLIENT_HELLO ? 1 + message.readUInt8(at) : 1; // compression methods, or the one
  const end = at + 2 + message.readUInt16BE(at);
  for (at += 2; at < end; at += 4 + message.readUInt16BE(at + 2)) {
    if (message.readUInt16BE(at) !== SUPPORTED_VERSIONS) continue;
    const listed = message.subarray(
      at + 4 + (type === CLIENT_HELLO ? 1 : 0),
      at + 4 + message.readUInt16BE(at + 2),
    );
    return listed.length === 2 && listed.readUInt16BE() === TLS_1_3 ? null : 'another version than TLS 1.3';
  }
  return 'a hello that is not of TLS 1.3';
}
