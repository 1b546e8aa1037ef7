/** Hostile frames on their whole way: through the intake of the engine and into a member that is in the middle of its life. */
import { isFault } from '../../packages/core/src/codec/fault.ts';
import { decodeFrame } from '../../packages/core/src/codec/frame-codec.ts';
import type { Sealer } from '../../packages/core/src/codec/seal.ts';
import { decodeSynodFrame, encodeSynodFrame } from '../../packages/core/src/codec/synod-codec.ts';
import type { Member, MemberOutput } from '../../packages/core/src/group/member.ts';
import { SynodMember, type SynodMemberOutput } from '../../packages/core/src/group/synod-member.ts';
import { FrameIntake } from '../../packages/core/src/runtime/frame-intake.ts';
import { packTurn } from '../../packages/core/src/runtime/outbox.ts';
import type { Instant } from '../../packages/core/src/time/clock.ts';
import { seededRandom } from '../../packages/core/src/time/random.ts';
import { synodSamples } from '../../packages/core/test/codec/synod-samples.ts';
import { fuzzSealer } from './codec-decoders.ts';
import { must, type Decoder, type Reading } from './decoder.ts';
import { checkPlain } from './inspection.ts';
import { hostileFrame, sealed, seedFrames } from './frame-input.ts';
import { lifeBatchBytesMax, recordLives, type Life, type LifeRole } from './lives.ts';

/** Long enough for one frame to prepare the ground for another, short enough to find most members as they were. */
const runsPerLife = 128;
/** Time goes on a little now and then; a tick stands for a heartbeat period. */
const runsPerTick = 40;
const frameBytesMax = 1_048_576;
/** An answer may be as long as the log allows, and every byte of a request may ask for some more. */
const answerBytesBesides = 4 * lifeBatchBytesMax;
const answerBytesPerByte = 64;

export function memberDecoders(): readonly Decoder[] {
  const lives = recordLives();
  return [
    memberDecoder('leader', lives('leader')),
    memberDecoder('follower', lives('follower')),
    memberDecoder('client', lives('client')),
    memberDecoder('leader', lives('leader'), fuzzSealer),
    synodMemberDecoder(),
  ];
}

function memberDecoder(role: LifeRole, life: Life, sealer?: Sealer): Decoder {
  const seeds = seedFrames(life.frames);
  const target = new Target(life, sealer);
  return {
    name: sealer ? `sealed-${role}` : role,
    reads: `frames on their way through the intake into a live ${role}${sealer ? ', under a seal' : ''}`,
    input: (random) => {
      const bytes = hostileFrame(seeds, { headerOneIn: 12 }, random);
      return sealer ? sealed(bytes, sealer, random) : bytes;
    },
    read: (bytes) => target.read(bytes),
    renew: () => target.begin(),
    runsPerLife,
  };
}

class Target {
  private member: Member | null = null;
  private at: Instant;
  private runs = 0;
  private readonly intake: FrameIntake;

  constructor(
    private readonly life: Life,
    private readonly sealer: Sealer | undefined,
  ) {
    this.at = life.lastAt;
    this.intake = new FrameIntake({ group: life.group }, sealer, () => undefined);
  }

  begin(): void {
    this.member = this.life.begin();
    this.at = this.life.lastAt;
    this.runs = 0;
  }

  read(bytes: Uint8Array): Reading {
    this.runs += 1;
    const heard = this.hear(bytes);
    if (heard === null) return 'refused';
    return () => heard.forEach((output) => this.check(output, bytes.length));
  }

  private hear(bytes: Uint8Array): readonly MemberOutput[] | null {
    const { node, incarnation, run } = this.life.self;
    const member = (this.member ??= this.life.begin());
    const outputs: MemberOutput[] = [];
    if (this.runs % runsPerTick === 0) outputs.push(member.step({ type: 'tick', at: this.pass(100) }));
    const frame = this.intake.open(bytes, { node, incarnation, run });
    if (frame === null) return null;
    outputs.push(member.step({ type: 'frame', frame, at: this.pass(1) }), member.step({ type: 'flush', at: this.at }));
    must(!Number.isNaN(member.nextDeadlineMs), 'the next deadline is no number');
    return outputs;
  }

  private pass(ms: number): Instant {
    return (this.at = { monotonicMs: this.at.monotonicMs + ms, wallMs: this.at.wallMs + ms });
  }

  /** What a member says after a hostile frame, its peers must be able to read; and it must not be many times what it heard. */
  private check({ send, persist, results, states }: MemberOutput, bytes: number): void {
    must(persist.length <= 64 + bytes, `${bytes} bytes were worth ${persist.length} records`);
    for (const told of [results, states]) if (told.length > 0) checkPlain(told, bytes);
    if (send.length === 0) return;
    const { node, incarnation, run } = this.life.self;
    const header = { group: this.life.group, founding: 'f', configuration: 1, node, incarnation, run };
    const { frames, reports } = packTurn(send, header, { frameBytesMax, sealer: this.sealer });
    must(reports.length === 0, `what was said does not fit: ${reports[0]?.message}`);
    let total = 0;
    for (const frame of frames) {
      total += frame.bytes.length;
      const heard = decodeFrame(frame.bytes, { sealer: this.sealer });
      if (isFault(heard)) throw new Error(`something was said that nobody can read: ${heard.detail}`);
    }
    must(total <= answerBytesBesides + answerBytesPerByte * bytes, `${bytes} bytes were answered with ${total}`);
  }
}

const synodVoters = ['a', 'b', 'c'];
const epoch: Instant = { monotonicMs: 1_000, wallMs: 1_700_000_000_000 };

function synodMemberDecoder(): Decoder {
  const founded = foundedSynod();
  const { founding } = founded;
  const seeds = seedFrames(
    synodVoters.flatMap((node) =>
      synodSamples.map((message) =>
        encodeSynodFrame({
          header: { group: 'g', founding, configuration: 1, node, incarnation: `${node}1`, run: 1 },
          messages: [message],
        }),
      ),
    ),
  );
  let member = founded.member;
  return {
    name: 'synod-member',
    reads: 'frames on their way into a live voter of a synod',
    input: (random) => hostileFrame(seeds, { headerOneIn: 12 }, random),
    read: (bytes) => {
      const frame = decodeSynodFrame(bytes);
      if (isFault(frame)) return 'refused';
      const { node, incarnation, run, founding: theirs } = frame.header;
      const from = { node, incarnation, run };
      const outputs = frame.messages.map((message) => member.step({ type: 'message', from, founding: theirs, message, at: epoch }));
      return () => outputs.forEach(checkSynodOutput);
    },
    renew: () => (member = foundedSynod().member),
    runsPerLife,
  };
}

function checkSynodOutput({ send, decided }: SynodMemberOutput): void {
  if (decided) JSON.parse(decided.value);
  if (send.length === 0) return;
  const header = { group: 'g', founding: 'f', configuration: 1, node: 'a', incarnation: 'a1', run: 1 };
  const heard = decodeSynodFrame(encodeSynodFrame({ header, messages: send.map(({ message }) => message) }));
  if (isFault(heard)) throw new Error(`something was said that nobody can read: ${heard.detail}`);
}

/** Three voters that have founded, of whom the first has proposed something. */
function foundedSynod(): { readonly member: SynodMember; readonly founding: string } {
  const members = synodVoters.map(
    (node, index) =>
      new SynodMember({
        self: { node, incarnation: `${node}1`, run: 1 },
        voters: synodVoters,
        periodMs: 100,
        roundMs: 200,
        random: seededRandom(index),
      }),
  );
  let at = epoch;
  for (let round = 0; round < 6; round += 1) {
    at = { monotonicMs: at.monotonicMs + 100, wallMs: at.wallMs + 100 };
    deliver(members, at);
  }
  const [member] = members;
  const founding = member?.configuration?.founding;
  if (member === undefined || founding === undefined) throw new Error('the synod was not founded');
  member.step({ type: 'propose', value: '"blue"', at });
  return { member, founding };
}

function deliver(members: readonly SynodMember[], at: Instant): void {
  let letters = members.flatMap((member, from) => member.step({ type: 'tick', at }).send.map((sending) => ({ from, sending })));
  for (let hops = 0; hops < 20 && letters.length > 0; hops += 1) {
    letters = letters.flatMap(({ from, sending: { to, message } }) => {
      const node = synodVoters[from] ?? '';
      const founding = members[from]?.configuration?.founding ?? '';
      return members.flatMap((member, index) => {
        if (index === from || (to.type === 'node' && to.node !== synodVoters[index])) return [];
        const { send } = member.step({ type: 'message', from: { node, incarnation: `${node}1`, run: 1 }, founding, message, at });
        return send.map((sending) => ({ from: index, sending }));
      });
    });
  }
}
