/** The token on the message path of NATS: two headers that an owner sets on what it publishes and a consumer's fence reads. */
import { readStamp, resourceHeader, tokenHeader, writeStamp } from '@quorate/core/adapter';
import type { TokenStamp } from '@quorate/core/adapter';

/** What `headers()` of `nats` 2.29 and of `@nats-io/nats-core` 3 returns, by structure. */
export interface NatsHeaders {
  keys(): string[];
  values(name: string): string[];
  set(name: string, value: string): void;
  delete(name: string): void;
}

export interface NatsHeadersHolder {
  readonly headers?: NatsHeaders | undefined;
}

/**
 * Sets the stamp of the owner and returns the same headers, for `nc.publish(subject, data, { headers: stampNats(headers(), { resource,
 * token }) })`, and likewise for a publish to JetStream. A stamp that is there already is replaced.
 *
 * @throws QuorateError `INVALID_OPTIONS` where the resource or the token is none.
 */
export function stampNats<H extends NatsHeaders>(headers: H, owned: TokenStamp): H {
  const { resource, token } = writeStamp(owned);
  for (const name of [...namesAlike(headers, resourceHeader), ...namesAlike(headers, tokenHeader)]) headers.delete(name);
  headers.set(resourceHeader, resource);
  headers.set(tokenHeader, token);
  return headers;
}

/** The stamp of a received message, or `undefined` where there is none, half of one, or two. Never throws. */
export function tokenOfNats({ headers }: NatsHeadersHolder): TokenStamp | undefined {
  return headers && readStamp(only(headers, resourceHeader), only(headers, tokenHeader));
}

/** Clients in other languages write `Quorate-Token`. A header that comes twice says nothing. */
function only(headers: NatsHeaders, name: string): string | undefined {
  const values = namesAlike(headers, name).flatMap((alike) => headers.values(alike));
  return values.length === 1 ? values[0] : undefined;
}

function namesAlike(headers: NatsHeaders, name: string): string[] {
  return headers.keys().filter((key) => key.toLowerCase() === name);
}
