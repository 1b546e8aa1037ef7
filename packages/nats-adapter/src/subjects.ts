/** The subjects of a group: everyone's, the voters', each node's and those of lock events. */
import { encodeName, QuorateError } from '@quorate/core/adapter';
import type { Destination, PublishedEvent } from '@quorate/core/adapter';

const tokens = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;

// Node names come with frames; this many are remembered with their subjects.
const rememberedNodesMax = 4_096;

/**
 *   <prefix>.<group>.all                      <prefix>.<group>.to.<node>
 *   <prefix>.<group>.voters                   <prefix>.<group>.event.<kind>.<name>
 *
 * Names of users are encoded, so that each is exactly one token.
 */
export class Subjects {
  readonly everything: string;
  readonly all: string;
  readonly voters: string;
  readonly events: string;
  readonly #group: string;
  readonly #nodes = new Map<string, string>();

  constructor(prefix: string, group: string) {
    if (!tokens.test(prefix)) {
      const happened = `\`subjectPrefix\` is ${JSON.stringify(prefix)}, which is not a series of tokens of letters, digits, _ and -.`;
      throw new QuorateError('INVALID_OPTIONS', happened);
    }
    this.#group = `${prefix}.${encodeName(group)}`;
    this.everything = `${this.#group}.>`;
    this.all = `${this.#group}.all`;
    this.voters = `${this.#group}.voters`;
    this.events = `${this.#group}.event.>`;
  }

  of(to: Destination): string {
    return to.type === 'node' ? this.node(to.node) : this[to.type];
  }

  node(node: string): string {
    const known = this.#nodes.get(node);
    if (known !== undefined) return known;
    const subject = `${this.#group}.to.${encodeName(node)}`;
    if (this.#nodes.size >= rememberedNodesMax) this.#nodes.clear();
    this.#nodes.set(node, subject);
    return subject;
  }

  event({ kind, name }: PublishedEvent): string {
    return `${this.#group}.event.${encodeName(kind)}.${encodeName(name)}`;
  }

  /** What a subject of the group is for: `all`, `voters`, `to` or `event.<kind>`. Names in it are left out, so that there are few kinds. */
  kindOf(subject: string): string {
    const [purpose = '', kind = ''] = subject.slice(this.#group.length + 1).split('.', 2);
    return this.isEvent(subject) ? `${purpose}.${kind}` : purpose;
  }

  isEvent(subject: string): boolean {
    return subject.startsWith(`${this.#group}.event.`);
  }

  has(subject: string): boolean {
    return subject.startsWith(`${this.#group}.`);
  }
}
