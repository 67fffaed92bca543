// Who may ask: programs carry the bearer token, browsers a cookie they got for it. A cookie reads and changes nothing, so that no other
// site can make a browser do what its user did not want.

import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';

const COOKIE = 'stateferry-session';
const SESSION_MS = 12 * 3600 * 1000;
/** Whoever is the one too many logs the one out who was seen last the longest time ago. */
const MOST_SESSIONS = 1000;

export class Authentication {
  readonly #token: string | null;
  readonly #sessions = new LRUCache<string, true>({ max: MOST_SESSIONS, ttl: SESSION_MS });

  /** Null: everybody may. */
  constructor(token: string | null) {
    this.#token = token;
  }

  admits(request: FastifyRequest): boolean {
    if (this.#token === null) return true;
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (given !== undefined) return equal(given, this.#token);
    return (request.method === 'GET' || request.method === 'HEAD') && this.hasSession(request);
  }

  hasSession(request: FastifyRequest): boolean {
    const id = cookieOf(request);
    return id !== null && this.#sessions.get(id) === true;
  }

  /** False: the token is another one. */
  logIn(token: string, reply: FastifyReply): boolean {
    if (this.#token === null || !equal(token, this.#token)) return false;
    const id = randomBytes(24).toString('base64url');
    this.#sessions.set(id, true);
    reply.header('set-cookie', cookie(id, SESSION_MS));
    return true;
  }

  logOut(request: FastifyRequest, reply: FastifyReply): void {
    const id = cookieOf(request);
    if (id !== null) this.#sessions.delete(id);
    reply.header('set-cookie', cookie('', 0));
  }
}

/** Lax: a link from elsewhere leads to the page, and nothing else from elsewhere carries it. */
const cookie = (id: string, ms: number): string =>
  `${COOKIE}=${id}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${ms / 1000}`;

function cookieOf({ headers }: FastifyRequest): string | null {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='));
  return pairs.find(([name]) => name === COOKIE)?.[1] ?? null;
}

function equal(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}
