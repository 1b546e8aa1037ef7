/**
 * Members in the middle of a life: a leader, a follower and a client of one group, recorded once in the virtual world and begun
 * again as often as wanted by giving a new member the same inputs.
 */
import { encodeFrame } from '../../packages/core/src/codec/frame-codec.ts';
import type { FrameHeader, Message } from '../../packages/core/src/codec/frame.ts';
import { packedBytesMax } from '../../packages/core/src/codec/size.ts';
import { rowCodec } from '../../packages/core/src/codec/snapshot-codec.ts';
import { Member, type MemberInput, type MemberOptions } from '../../packages/core/src/group/member.ts';
import type { Operation } from '../../packages/core/src/operation.ts';
import type { Ballot } from '../../packages/core/src/paxos/ballot.ts';
import type { Instant } from '../../packages/core/src/time/clock.ts';
import { seededRandom } from '../../packages/core/src/time/random.ts';
import { samples } from '../../packages/core/test/codec/samples.ts';
import { World, worldTiming, type Process } from '../../packages/core/test/group/world.ts';

type Recorded = MemberInput | { readonly type: 'request'; readonly build: (seq: number) => Operation };

/** Who lives which life, and everything that was ever said in its group. */
export interface Life {
  readonly group: string;
  readonly self: Process;
  readonly lastAt: Instant;
  /** Frames of the group's own, and one of each type of message by each of its processes. */
  readonly frames: readonly Uint8Array[];
  begin(): Member;
}

export type LifeRole = 'leader' | 'follower' | 'client';

export const fuzzGroup = 'fuzzed';
export const lifeBatchBytesMax = 65_536;
const ttlMs = 4_000;
const heardFramesMax = 300;

class RecordedWorld extends World {
  private readonly inputs = new Map<Process, Recorded[]>();
  private readonly startedAt = new Map<Process, Instant>();

  constructor() {
    super({ seed: 3, clients: ['d'], startLater: true, sessionTtlMs: ttlMs });
    for (const node of ['a', 'b', 'c', 'd']) this.start(node);
  }

  override request(node: string, build: (seq: number) => Operation): number {
    this.note(this.process(node), { type: 'request', build });
    return super.request(node, build);
  }

  override give(process: Process, input: MemberInput): void {
    this.note(process, input);
    super.give(process, input);
  }

  beginAnew(process: Process): Member {
    const member = new Member(this.optionsOf(process));
    for (const input of this.inputs.get(process) ?? []) {
      if (input.type === 'request') {
        member.request(input.build);
        continue;
      }
      member.step(input);
      if (input.type !== 'flush') member.step({ type: 'flush', at: input.at });
    }
    return member;
  }

  private note(process: Process, input: Recorded): void {
    const known = this.inputs.get(process);
    if (known) known.push(input);
    else this.inputs.set(process, [input]);
    if (!this.startedAt.has(process)) this.startedAt.set(process, this.at(process));
  }

  private optionsOf(process: Process): MemberOptions {
    const { node, incarnation, run, id } = process;
    return {
      self: { node, incarnation, run },
      voters: this.voters,
      timing: worldTiming,
      sessionTtlMs: ttlMs,
      maxSessionTtlMs: ttlMs,
      firstFounding: true,
      reads: 'lease',
      random: seededRandom(3 * 7919 + id),
      limits: {
        batchBytesMax: () => lifeBatchBytesMax,
        sizeOfEntry: packedBytesMax,
        sizeOfTuple: packedBytesMax,
        sizeOfBatch: packedBytesMax,
        outstandingMax: 4_096,
        slotsKept: 8_192,
        storedEverySlots: Infinity,
        logSlotsMax: 32_768,
        logBytesMax: 64 * 1024 * 1024,
      },
      rowCodec,
      at: this.startedAt.get(process) ?? this.at(process),
    };
  }
}

/** A group of three voters and a client with a lock held and waited for, an election that is led, notes, and watchers of all of it. */
export function recordLives(): (role: LifeRole) => Life {
  const world = new RecordedWorld();
  const frames = listenTo(world);
  world.until('everyone has a session', () => world.leader() !== undefined && world.everyoneHasASession());
  const leader = world.leader() as Process;
  const follower = world.livingVoters.find((one) => one !== leader) as Process;
  const client = world.process('d');
  for (const process of [client, follower, leader]) {
    world.give(process, { type: 'watch', added: ['l/x', 'e/y'], removed: [], at: world.at(process) });
    world.request(process.node, (seq) => [1, seq, 'l/x', 0, 0, null]);
    world.run(200);
  }
  world.request(follower.node, (seq) => [1, seq, 'e/y', 0, 0, 'at b']);
  world.run(200);
  const token = client.results.find(([, code]) => code === 1)?.[2] ?? 0;
  world.request(client.node, (seq) => [4, seq, 'l/x', token, 'position 7']);
  world.run(1_000);
  const replica = leader.member.inspect.replica;
  if (!replica?.leading) throw new Error('the recorded leader does not lead');
  const ballot = replica.leading.ballot;
  const said = world.living.flatMap((process) => samplesBy(process, ballot));
  const all = [...frames.slice(-heardFramesMax), ...said, ...said];
  const processes = { leader, follower, client };
  return (role) => {
    const self = processes[role];
    return { group: fuzzGroup, self, lastAt: world.at(self), frames: all, begin: () => world.beginAnew(self) };
  };
}

function listenTo(world: World): Uint8Array[] {
  const frames: Uint8Array[] = [];
  const { network } = world;
  const send = network.send.bind(network);
  network.send = (sending) => {
    const { founding, configuration, from, messages } = sending.frame;
    frames.push(encodeFrame({ group: fuzzGroup, founding, configuration, ...from, messages }));
    send(sending);
  };
  return frames;
}

/** Each type of message as this process could say it now: in this founding, of this term, under its own session. */
function samplesBy(process: Process, ballot: Ballot): Uint8Array[] {
  const configuration = process.member.inspect.record?.configuration;
  const { node, incarnation, run } = process;
  const founding = configuration?.founding ?? '';
  const header: FrameHeader = { group: fuzzGroup, founding, configuration: configuration?.id ?? 0, node, incarnation, run };
  const own = { node, incarnation, run, round: ballot.round + 1 };
  const facts = { founding, session: process.member.session ?? 0 };
  return Object.values<Message>(samples).flatMap((message) =>
    [ballot, own].map((of) => encodeFrame({ ...header, messages: [adapted(message, { ...facts, ballot: of }) as Message] })),
  );
}

interface Facts {
  readonly founding: string;
  readonly session: number;
  readonly ballot: Ballot;
}

function adapted(value: unknown, facts: Facts): unknown {
  if (value === 4096) return facts.session;
  if (Array.isArray(value)) return value.map((item) => adapted(item, facts));
  if (typeof value !== 'object' || value === null) return value;
  if ('round' in value) return facts.ballot;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, key === 'founding' ? facts.founding : adapted(item, facts)]));
}
