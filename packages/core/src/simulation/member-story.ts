/** What members say of themselves, in words for a story and as marks of rare states. */
import type { MemberEvent, MemberOutput } from '../group/member.ts';
import { resultCode } from '../lock/command.ts';
import type { Marks } from './marks.ts';

export function markOutput(marks: Marks, { events }: MemberOutput): void {
  for (const event of events) markEvent(marks, event);
}

function markEvent(marks: Marks, event: MemberEvent): void {
  switch (event.type) {
    case 'leading':
      if (event.adopted > 0) marks.reach('valueAdopted');
      if (event.beginSlot === 0) marks.reach('stopSignAdopted');
      return;
    case 'steppedDown':
      if (event.reason === 'majority silent') marks.reach('majoritySilent');
      if (event.reason === 'outbid') marks.reach('outbid');
      if (event.reason === 'handed over') marks.reach('leadershipHandedOver');
      return;
    case 'sessionJeopardy':
      return marks.reach('jeopardy');
    case 'sessionHealthy':
      return marks.reach('recovered');
    case 'sessionLost':
      if (event.reason === 'expired here') marks.reach('lostByOwnClock');
      if (event.reason === 'ended by the group') marks.reach('endedByGroup');
      return;
    case 'gaveUp':
      return marks.reach('founderGaveUp');
    case 'founded':
      if (event.record.replaces !== undefined) marks.reach('refoundedOnRequest');
      return;
    case 'votersChanging':
      if (event.cause === 'autopilot') marks.reach('replacedByAutopilot');
      if (event.cause === 'leaving') marks.reach('leaverReplaced');
      return;
    case 'majorityLost':
    case 'seatLost':
    case 'seatRegained':
    case 'snapshotInstalled':
      return marks.reach(event.type);
    default:
      return;
  }
}

export function tellOutput(node: string, { events, results }: MemberOutput): string[] {
  const lines: string[] = [];
  for (const event of events) {
    const line = tellEvent(event);
    if (line !== null) lines.push(`${node} ${line}`);
  }
  for (const [seq, code, token] of results)
    if (code === resultCode.granted) lines.push(`${node} is told of grant ${token} (request ${seq})`);
  return lines;
}

function tellEvent(event: MemberEvent): string | null {
  switch (event.type) {
    case 'canvassing':
      return `canvasses in round ${event.ballot.round}`;
    case 'leading':
      return `leads in round ${event.ballot.round}: ${event.adopted} adopted, ${event.filled} filled`;
    case 'steppedDown':
      return `steps down from round ${event.ballot.round}: ${event.reason}`;
    case 'founded':
      return `knows the founding ${event.record.configuration.founding.slice(0, 8)} to be complete`;
    case 'gaveUp':
      return 'gives its incarnation up';
    case 'majorityLost':
      return `finds the majority of configuration ${event.configuration} lost: ${event.lost.map(({ node }) => node).join()}`;
    case 'majorityRegained':
      return 'takes it back that the majority is lost';
    case 'refounding':
      return `gives its seat up, and its incarnation, so that ${event.founding.slice(0, 8)} can be founded anew`;
    case 'seatLost':
      return 'has lost its seat and stands by';
    case 'seatRegained':
      return `is given a seat in configuration ${event.configuration}`;
    case 'seatGiven':
      return `hears that its seat was given away (configuration ${event.configuration}), and goes on under a new incarnation`;
    case 'storeWentBack':
      return `finds its store at ${event.found}, which ${event.by} saw at ${event.seen}, and goes on under a new incarnation`;
    case 'votersChanging':
      return `proposes the voters ${event.voters.map(({ node }) => node).join()} as configuration ${event.configuration} (${event.cause})`;
    case 'votersChanged':
      return `knows of configuration ${event.configuration.id} (${event.configuration.voters.map(({ node }) => node).join()})`;
    case 'snapshotInstalled':
      return `goes on from the snapshot of ${event.from} up to slot ${event.index}`;
    case 'sessionOpened':
      return `opens session ${event.session}`;
    case 'sessionJeopardy':
      return `fears for session ${event.session}`;
    case 'sessionLost':
      return `loses session ${event.session}: ${event.reason}`;
    default:
      return null;
  }
}
