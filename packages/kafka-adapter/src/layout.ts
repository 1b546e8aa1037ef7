/**
 * Which partition carries what. Every reader of a Kafka partition reads all of it, so what goes to one node must not stand where
 * all nodes read: partition 0 is for all, 1 for the voters, and the others are inboxes.
 *
 * 1. Each of the first seven voters, in order of names, has an inbox of its own: partitions 2 to 8.
 * 2. All other nodes share the client inboxes after them, each by the hash of its name.
 * 3. Two or three voters write to each other's inboxes; the voters' partition then carries what clients say to all voters.
 * 4. What a node receives therefore grows with the number of clients only as far as clients share its inbox.
 */
import type { Destination } from '@quorate/core/adapter';
import { partitionByMurmur2 } from './murmur2.ts';

export const partitionOfAll = 0;
export const partitionOfVoters = 1;
const seatsStart = 2;
const seats = 7;

export const clientInboxesDefault = 16;

/** More nodes than this are looked up again instead of remembered. */
const rememberedMax = 10_000;
/**
 * Up to this many voters write to each other's inboxes instead of to the partition that they share: there a voter would read its
 * own frames again, which ends its waiting fetch just when the answers are about to come.
 */
const votersAddressedSinglyMax = 3;
/** Inboxes of one node beside the computed one; more than these are somebody's nonsense. */
const straysMax = 4;

export function partitionCount(clientInboxes: number): number {
  return seatsStart + seats + clientInboxes;
}

export interface LayoutOptions {
  readonly voters: readonly string[];
  readonly clientInboxes: number;
  /** The node that writes by this layout. */
  readonly writer: string;
}

export class Layout {
  readonly #voters: readonly string[];
  readonly #clientInboxes: number;
  /** The other voters, where this one writes to each of them. */
  readonly #peers: readonly string[] | undefined;
  readonly #inboxes = new Map<string, readonly number[]>();

  constructor({ voters, clientInboxes, writer }: LayoutOptions) {
    this.#voters = voters;
    this.#clientInboxes = clientInboxes;
    const isSingly = voters.includes(writer) && voters.length > 1 && voters.length <= votersAddressedSinglyMax;
    this.#peers = isSingly ? voters.filter((voter) => voter !== writer) : undefined;
  }

  /** What the node reads, its inbox last. */
  readBy(node: string): readonly number[] {
    const inbox = this.inboxOf(node);
    return this.#voters.includes(node) ? [partitionOfAll, partitionOfVoters, inbox] : [partitionOfAll, inbox];
  }

  inboxOf(node: string): number {
    const seat = this.#voters.indexOf(node);
    if (seat >= 0 && seat < seats) return seatsStart + seat;
    return seatsStart + seats + partitionByMurmur2(node, this.#clientInboxes);
  }

  partitionsFor(to: Destination): readonly number[] {
    if (to.type === 'all') return [partitionOfAll];
    if (to.type === 'voters')
      return this.#peers?.flatMap((peer) => this.partitionsFor({ type: 'node', node: peer })) ?? [partitionOfVoters];
    return this.#inboxes.get(to.node) ?? this.#remember(to.node, [this.inboxOf(to.node)]);
  }

  /**
   * A node says where it reads. That differs from what is computed here only where it was started with another list of voters or
   * number of inboxes; it must still be reached, to be told so.
   */
  learn(node: string, inbox: number): void {
    const known = this.partitionsFor({ type: 'node', node });
    if (known.includes(inbox) || known.length > straysMax) return;
    if (inbox < seatsStart) return;
    this.#remember(node, [...known, inbox]);
  }

  #remember(node: string, inboxes: readonly number[]): readonly number[] {
    if (this.#inboxes.size >= rememberedMax) this.#inboxes.clear();
    this.#inboxes.set(node, inboxes);
    return inboxes;
  }
}
