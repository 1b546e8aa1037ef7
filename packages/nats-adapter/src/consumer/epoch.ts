/** The names of durables: one for each partition and epoch, so that the order of owners can be read from a list of names. */
import { encodeName, isToken, QuorateError } from '@quorate/core/adapter';

/** An epoch begins with a grant; an owner that has to begin anew under the same grant counts restarts. */
export interface Epoch {
  readonly token: number;
  readonly restart: number;
}

export interface NamedEpoch extends Epoch {
  readonly name: string;
}

/** `<name>_<partition>_<token>`, and `_<restart>` where there was one. The name is encoded, so that no two names share a durable. */
export class EpochNames {
  readonly #prefix: string;

  constructor(
    readonly name: string,
    readonly partition: number,
  ) {
    this.#prefix = `${encodeName(name)}_${partition}_`;
  }

  of({ token, restart }: Epoch): NamedEpoch {
    return { token, restart, name: `${this.#prefix}${token}${restart === 0 ? '' : `_${restart}`}` };
  }

  /** Those of the names that are epochs of this partition, the oldest first. */
  among(names: readonly string[]): readonly NamedEpoch[] {
    const epochs = names.flatMap((name) => (name.startsWith(this.#prefix) ? (parse(name, name.slice(this.#prefix.length)) ?? []) : []));
    return epochs.sort(byAge);
  }
}

/** The older before the newer. */
function byAge(a: Epoch, b: Epoch): number {
  return a.token - b.token || a.restart - b.restart;
}

/** As `of` writes it and no other way: two names of one epoch would be two owners of one token. */
function parse(name: string, epoch: string): NamedEpoch | undefined {
  const match = /^(0|[1-9]\d{0,15})(?:_([1-9]\d{0,15}))?$/.exec(epoch);
  const [token, restart] = [Number(match?.[1]), Number(match?.[2] ?? 0)];
  return isToken(token) && isToken(restart) ? { name, token, restart } : undefined;
}

/** The newest epoch of each partition of a consumer, by partition: one look at each name, for there may be thousands. */
export function newestEpochs(consumer: string, names: readonly string[]): ReadonlyMap<number, NamedEpoch> {
  const prefix = `${encodeName(consumer)}_`;
  const newest = new Map<number, NamedEpoch>();
  for (const name of names) {
    const match = name.startsWith(prefix) ? /^(0|[1-9]\d{0,5})_(.*)$/.exec(name.slice(prefix.length)) : null;
    const epoch = parse(name, match?.[2] ?? '');
    const partition = Number(match?.[1]);
    const known = newest.get(partition);
    if (epoch && (!known || byAge(epoch, known) > 0)) newest.set(partition, epoch);
  }
  return newest;
}

/** An owner that finds a newer one has lost its lease without noticing. */
export function refuseIfStale(epochs: readonly NamedEpoch[], own: { readonly partition: number; readonly token: number }): void {
  const newer = epochs.find(({ token }) => token > own.token);
  if (newer === undefined) return;
  const happened = `The owner of partition ${own.partition} with token ${own.token} found the durable ${JSON.stringify(newer.name)}.`;
  throw new QuorateError('STALE_OWNER', happened, { details: { ...own, durable: newer.name, newerToken: newer.token } });
}
