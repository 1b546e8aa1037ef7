/** An HTTP endpoint for the probes of Kubernetes: `/ready` and `/live`, 200 or 503, with the reason as text. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { Quorate } from '@quorate/core';
import { livenessOf, readinessOf } from './readiness.ts';
import type { Verdict } from './readiness.ts';

export class Health {
  #ready: () => Verdict = () => ({ ok: false, why: 'joining the group' });
  #live: () => Verdict = () => ({ ok: true, why: 'joining the group' });
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const probe = { '/ready': this.#ready, '/live': this.#live }[request.url ?? ''];
      const { ok, why } = probe?.() ?? { ok: false, why: 'ask for /ready or /live' };
      response.writeHead(probe === undefined ? 404 : ok ? 200 : 503, { 'content-type': 'text/plain' });
      response.end(`${why}\n`);
    });
  }

  /** Before `join`, which may take as long as the other voters need to come. Returns the port. */
  async listen(port: number): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(port, resolve));
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  joined(quorate: Quorate): void {
    this.#ready = () => readinessOf(quorate.status);
    this.#live = livenessOf(quorate);
  }

  /** From the moment in which the pod is told to stop. It stays live: it is not to be killed while it gives back what it holds. */
  leaving(): void {
    this.#ready = () => ({ ok: false, why: 'leaving' });
    this.#live = () => ({ ok: true, why: 'leaving' });
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
