/**
 * Which lock events a server refuses to this user. Nobody can ask for rights, and they may be of single names, so that each subject is
 * judged by itself:
 *
 * 1. A subject that was refused is not published on again until a server is reached anew; one that was not refused always is.
 * 2. So many subjects are remembered, the latest; one that is forgotten is tried again.
 * 3. Every event that did not leave is counted.
 */
const rememberedMax = 1_024;

export class EventRights {
  /** Subjects that this channel has published on, and whether the server refused them; the latest comes last. */
  readonly #refused = new Map<string, boolean>();
  #dropped = 0;

  /** How many events were refused, or not published for that. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether to publish an event there; where not, it is counted as dropped. */
  mayPublish(subject: string): boolean {
    const isRefused = this.#refused.get(subject) ?? false;
    this.#remember(subject, isRefused);
    if (isRefused) this.#dropped++;
    return !isRefused;
  }

  /** False where another channel on the connection published there, and not this one. */
  onRefused(subject: string): boolean {
    if (!this.#refused.has(subject)) return false;
    this.#remember(subject, true);
    this.#dropped++;
    return true;
  }

  /** Another server is reached, or this one again: rights may have changed. */
  forget(): void {
    this.#refused.clear();
  }

  #remember(subject: string, isRefused: boolean): void {
    this.#refused.delete(subject);
    this.#refused.set(subject, isRefused);
    const [oldest] = this.#refused.keys();
    if (oldest !== undefined && this.#refused.size > rememberedMax) this.#refused.delete(oldest);
  }
}
