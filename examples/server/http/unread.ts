/**
 * Answers that come before a request's body has: they are heard (RFC 9112, section 9.6). A connection that ends while
 * bytes are on their way in is reset by the kernel, and the answer is lost with it.
 */

import type { FastifyInstance } from 'fastify';
import type { IncomingMessage } from 'node:http';
import type { Limits } from '../limits.ts';

/** So many bytes of the rest are read and thrown away; with what is more the peer is kept waiting. */
const READ_ON = 1024 * 1024;

/** Reads on behind such an answer: to the body's end, after which the connection serves again, or until it has been idle. */
export function answerUnread(app: FastifyInstance, { idleSeconds }: Limits): void {
  app.addHook('onSend', (request, response, payload, done) => {
    response.removeHeader('connection'); // fastify would end it at once
    if (!request.raw.complete) readOn(request.raw, idleSeconds * 1000);
    done(null, payload);
  });
}

function readOn(request: IncomingMessage, patience: number): void {
  const { socket } = request;
  const timer = setTimeout(() => socket.destroy(), patience);
  const end = (): void => {
    clearTimeout(timer);
    socket.off('close', end);
  };
  let left = READ_ON;
  request.on('data', ({ length }: Uint8Array) => {
    left -= length;
    if (left < 0) request.pause();
  });
  request.once('end', end);
  socket.once('close', end);
  request.read(0); // Node itself reads all of what nobody has begun to read
  request.resume();
}
