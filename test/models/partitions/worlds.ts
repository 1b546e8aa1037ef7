/** The worlds in which partitions are handed off, each small enough to be searched to its end. */
import type { Model } from '../checker/model.ts';
import { HandOff } from './hand-off.ts';

export const oneLeader = new HandOff(
  'hand-off-by-one-leader',
  'One leader, an owner that is to give its partition up and does not, keep-alives late, lost and doubled; 5 ticks, TTL 3.',
  {
    ttlTicks: 3,
    leaseTicks: 1,
    ticksMax: 5,
    rounds: 1,
    keepAlivesMax: 3,
    givesBack: false,
    tellsLate: true,
    marks: ['uncovered', 'freed', 'an answer of before is under way'],
  },
) as Model<unknown>;

export const twoLeaders = new HandOff(
  'hand-off-by-two-leaders',
  'Two leaders, the older cut off at any point, its end of the lease lost, chosen or adopted, an owner that does not give up; 4 ticks, TTL 2.',
  {
    ttlTicks: 2,
    leaseTicks: 1,
    ticksMax: 4,
    rounds: 2,
    keepAlivesMax: 2,
    givesBack: false,
    tellsLate: false,
    marks: ['uncovered', 'freed', 'freed by a second leader', 'uncovered by one leader and freed by the next'],
  },
) as Model<unknown>;

export const lateRelease = new HandOff(
  'late-release',
  'One leader, an owner that gives its partition back and gets it again, while its release comes when it likes; 4 ticks, TTL 2.',
  {
    ttlTicks: 2,
    leaseTicks: 1,
    ticksMax: 4,
    rounds: 1,
    keepAlivesMax: 4,
    givesBack: true,
    tellsLate: false,
    marks: ['uncovered', 'freed', 'owned again'],
  },
) as Model<unknown>;
