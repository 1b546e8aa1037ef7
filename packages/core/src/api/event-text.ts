/** Each event as a line of a log: how loud, and in which words. */
import type { ClocksApart } from '../paxos/clocks-apart.ts';
import { votersText } from '../paxos/voters.ts';
import { versionGapText } from '../version.ts';
import type { LogLevel } from './logger.ts';
import type { QuorateEvent } from './events.ts';
import { wordsFor } from './voter-change.ts';

export interface LogLine {
  readonly level: LogLevel;
  readonly text: string;
}

export function logLineOf(event: QuorateEvent): LogLine {
  switch (event.type) {
    case 'evenVoters':
      return warn(`${event.voters.length} voters survive no more losses than ${event.voters.length - 1}.`);
    case 'votersDiffer':
      return error(`${event.node} wants the voters ${votersText(event.theirs)}; this process wants ${votersText(event.ours)}.`);
    case 'clocksDiffer':
      return error(`${clocksApartText(event)}; no group is formed of both until they are right.`);
    case 'timingDiffers':
      return error(
        `${event.node} leads with an election timeout of ${event.theirsMs} ms, too long for one of ${event.oursMs} ms here: this voter grants it no lease. Give all voters the same timing.`,
      );
    case 'nodeNameTaken':
      return error(`A live process of the group already uses the node name ${event.by.node}.`);
    case 'versionGap':
      return error(versionGapText(event.node, event.theirs, event.ours));
    case 'levelRaised':
      return info(`The group uses version ${event.level} from here on: every process of it can.`);
    case 'seatLost':
      return warn('This voter came back without its memory; it takes part as a client until it is swapped in.');
    case 'snapshotInstalled':
      return info(`This process was far behind; it goes on from a snapshot that ${event.from} made of slot ${event.index}.`);
    case 'majorityLost': {
      const lost = event.lost.map(({ node, now }) => `${node} (now ${now})`);
      return error(
        `A majority of configuration ${event.configuration} is lost: ${list(lost)} came back without memory. Nothing is granted.`,
      );
    }
    case 'majorityRegained':
      return info('The majority of the group is not lost: a voter that was taken for lost answers, or a leader does.');
    case 'refounding':
      return warn(
        `This voter gave up its seat in the founding ${event.founding}, which lost its majority: the voters found the group anew.`,
      );
    case 'seatRegained':
      return info(`This process was swapped in: it is a voter of configuration ${event.configuration}.`);
    case 'seatGiven':
      return warn('The seat of this voter was given to another; it goes on without a vote.');
    case 'storeWentBack':
      return error(
        `The store of this voter went back: it holds ${event.found} records, and ${event.by} saw ${event.seen}. It goes on as if it had lost its memory.`,
      );
    case 'votersChanged':
      return info(`The voters are ${list(event.configuration.voters.map(({ node }) => node))} (configuration ${event.configuration.id}).`);
    case 'votersChanging': {
      const gone = event.gone.map(({ node }) => node);
      const because = `${causeText[event.cause]}${gone.length > 0 ? `; ${list(gone)} loses its seat` : ''}`;
      return info(`This leader proposes the voters ${list(event.voters.map(({ node }) => node))} (${because}).`);
    }
    case 'voterOrder':
      return info(`${wordsFor(event.order)}: ${event.standing}.`);
    case 'foundingEnded':
      return warn('An operator ended the founding of this group; this process gives up what it held in it and founds it anew.');
    case 'foundingNotKept':
      return error(foundingNotKeptText(event));
    case 'arbiterFailed':
      return error(`The broker's log of foundings could not be used: ${event.error.message}`);
    case 'foreignFounding':
      return warn(`${event.node} belongs to another founding of this group.`);
    case 'leaderChanged':
      return info(event.leader === null ? 'The group has no leader.' : `${event.leader} leads the group.`);
    case 'sessionOpened':
      return info(`A session is open, with a TTL of ${event.ttlMs} ms.`);
    case 'sessionRefused':
      return info(`No session yet: ${refusalText(event.reason)}.`);
    case 'sessionJeopardy':
      return warn(`The session was not confirmed for a while; ${Math.round(event.remainingMs)} ms are left of it.`);
    case 'sessionHealthy':
      return info('The session is confirmed again.');
    case 'sessionLost':
      return event.reason === 'closed'
        ? info('The session is closed.')
        : warn(`The session is lost (${event.reason}), and every lease with it.`);
    case 'leaseLost':
      return warn(`The lease on the ${event.kind} ${event.name} (token ${event.token}) is lost: ${event.code}.`);
    case 'releaseFailed':
      return warn(`The ${event.kind} ${event.name} (token ${event.token}) could not be released: ${event.error.message}`);
    case 'campaignFailed':
      return warn(`The campaign for ${event.name} failed${event.retryMs === null ? ' and is over' : ''}: ${event.error.message}`);
    case 'partitionGranted':
    case 'partitionRevoked':
    case 'partitionReleased':
      return { level: 'debug', text: `Partition ${event.partition} of ${event.name} (token ${event.token}): ${event.type}.` };
    case 'partitionLost':
      return warn(`Partition ${event.partition} of ${event.name} (token ${event.token}) is lost: ${event.error.code}.`);
    case 'drainOverrun':
      return error(
        `The handler of partition ${event.partition} of ${event.name} (token ${event.token}) outlived its drain: only the token protects now.`,
      );
    case 'partitionFailed':
      return warn(
        `The handler of partition ${event.partition} of ${event.name} failed (${event.failures} in a row): ${String(event.error)}`,
      );
    case 'parametersDiffer':
      return warn(`The partitions ${event.name} have other parameters than named here; these count: ${JSON.stringify(event.theirs)}.`);
    case 'partitionOfDiffers':
      return warn(`The partitions ${event.name} place keys as the first call for them says, not as a later one does.`);
    case 'connection':
      return event.status === 'connected' ? info('The transport is connected.') : warn(`The transport is ${event.status}.`);
    case 'transport':
      return { level: levelOfReport[event.report.type], text: event.report.message };
    case 'frameRefused':
      return warn(
        `${event.count} ${event.count === 1 ? 'frame' : 'frames'}${event.node === null ? '' : ` of ${event.node}`} refused (${event.code}): ${event.detail}`,
      );
    case 'overload':
      return warn(`${event.dropped} frames dropped so far: they come faster than they are taken.`);
    case 'clockJump':
      return warn(`The wall clock jumped by ${Math.round(event.byMs)} ms against the monotonic clock.`);
    case 'eventLoopBlocked':
      return warn(`The event loop was blocked for ${Math.round(event.forMs)} ms; leases are at risk.`);
    case 'closeFailed':
      return warn(event.error.message);
    case 'stopped':
      return error(`This node stopped: ${event.error.message}`);
    case 'closed':
      return event.lapsed.length === 0 ? info('Closed.') : warn(`Closed; these leases run out by themselves: ${list(event.lapsed)}.`);
    default:
      // Steps of founding and election, of interest to whoever debugs them.
      return { level: 'debug', text: event.type };
  }
}

const causeText = {
  swap: 'one came back without its memory',
  order: 'an operator asked for it',
  leaving: 'one leaves',
  autopilot: 'one was silent for too long',
} as const;

export function clocksApartText({ node, from, byMs }: ClocksApart): string {
  return `The wall clocks of ${node} and ${from} differ by ${Math.round(byMs)} ms`;
}

export function foundingNotKeptText({ founding, told }: { readonly founding: string; readonly told: string | null }): string {
  if (told !== null)
    return `${told} belongs to a living group of the founding ${founding}, which the broker's log of foundings does not name.`;
  return `The broker's log of foundings does not hold the founding ${founding} any more, which it held before.`;
}

const levelOfReport = { error: 'error', warning: 'warn', info: 'info' } as const;

export function refusalText(reason: 'closed' | 'nameTaken' | 'limit' | 'ttlTooLong'): string {
  switch (reason) {
    case 'closed':
      return 'the group is not open yet';
    case 'nameTaken':
      return 'an earlier session under this node name has not run out';
    case 'limit':
      return 'the group has as many sessions as it allows';
    case 'ttlTooLong':
      return 'the TTL is above the longest that this group grants';
  }
}

function list(names: readonly string[]): string {
  return names.join(', ');
}

function info(text: string): LogLine {
  return { level: 'info', text };
}

function warn(text: string): LogLine {
  return { level: 'warn', text };
}

function error(text: string): LogLine {
  return { level: 'error', text };
}
