/** What a client is given to reach the NATS of some URLs: neither client generation takes a user and a password out of a URL itself. */

export interface NatsLogin {
  readonly servers: string[];
  readonly user?: string;
  readonly pass?: string;
}

/** Of one cluster: the first user that is named counts for all. A URL without one is given as it is. */
export function natsLogin(urls: string | readonly string[]): NatsLogin {
  const all = [urls].flat().map((url) => new URL(url));
  const named = all.find(({ username }) => username !== '');
  const servers = all.map(({ protocol, host }) => `${protocol}//${host}`);
  if (!named) return { servers };
  return { servers, user: decodeURIComponent(named.username), pass: decodeURIComponent(named.password) };
}
