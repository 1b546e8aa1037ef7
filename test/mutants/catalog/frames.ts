/** Wrong loops: frames taken that mean nothing here, or lost without a word; writes whose failure is passed over. */
import { patch, simulation, unit } from '../mutant.ts';
import type { Mutant } from '../mutant.ts';

export const frames: readonly Mutant[] = [
  {
    name: 'frame-of-another-founding',
    hazard: 'A frame of an earlier founding, re-read from a retained topic, is taken (lesson: old frames re-read).',
    patches: [
      patch(
        'group/member.ts',
        '    if (founding !== configuration.founding)\n      return this.once(',
        '    if (founding !== configuration.founding)\n      this.once(',
      ),
    ],
    killers: [unit('group/frames-of-others')],
  },
  {
    name: 'frame-of-another-configuration',
    hazard: 'A frame of another configuration is taken for this one’s (rule 1).',
    patches: [
      patch(
        'group/place.ts',
        '    if (configuration > id) return isOfLog ? this.onAhead(from, message, at) : freshSeatOutput();\n',
        '    if (configuration !== id) return null;\n',
      ),
    ],
    killers: [unit('group/frames-of-others')],
  },
  {
    name: 'unsealed-frame-accepted',
    hazard: 'A frame without a seal is read in a group with secrets (lesson: forged frames).',
    patches: [
      patch(
        'codec/frame-codec.ts',
        "  if (!isSealed && sealer !== undefined) return fault('unsealed', 'The frame is not sealed, and secrets are given here.');\n",
        '',
      ),
      patch(
        'codec/frame-codec.ts',
        'if (sealer !== undefined && !sealer.verify(',
        'if (isSealed && sealer !== undefined && !sealer.verify(',
      ),
    ],
    killers: [unit('codec/seal')],
  },
  {
    name: 'seal-not-verified',
    hazard: 'Any seal will do (lesson: forged frames).',
    patches: [
      patch('codec/seal.ts', 'keys.some((key) => timingSafeEqual(macOf(key, parts), seal))', 'keys.length + parts.body.length > 0'),
    ],
    killers: [unit('codec/seal')],
  },
  {
    name: 'mailbox-without-bound',
    hazard: 'A flood of frames is kept in memory instead of dropped (promise 8; lesson: unbounded).',
    patches: [patch('runtime/mailbox.ts', 'if (this.letters.length >= this.max) {', 'if (this.letters.length > this.max * Infinity) {')],
    killers: [unit('runtime/mailbox')],
  },
  {
    name: 'mailbox-drops-silently',
    hazard: 'Frames are dropped and nobody is told (promise 8: loss is loud).',
    patches: [
      patch(
        'runtime/open-engine.ts',
        'else if (Number.isInteger(Math.log10(this.inbox.dropped))) this.tell',
        'else if (this.inbox.dropped < 0) this.tell',
      ),
    ],
    killers: [unit('runtime/open-engine')],
  },
  {
    name: 'slot-too-far-taken',
    hazard: 'A frame that names a slot far ahead makes a voter keep room for all the slots below it (promise 8; lesson: unbounded).',
    patches: [patch('paxos/log.ts', 'slot - this.chosenIndex <= slotsAheadMax;', 'slot - this.chosenIndex <= 8 * slotsAheadMax;')],
    killers: [unit('properties/hostile-members')],
  },
  {
    name: 'failed-write-passed-over',
    hazard: 'A voter whose write failed goes on as if it had been durable (rule 19; lesson: error paths never run).',
    patches: [
      patch(
        'runtime/run-writer.ts',
        '(cause: unknown) => this.listener.onFailure(cause),',
        '() => {\n        done();\n        this.listener.onIdle();\n      },',
      ),
    ],
    killers: [unit('runtime/open-engine'), simulation(40)],
  },
];
