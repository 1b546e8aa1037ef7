/** A worker of a hand-off run: it consumes partitions, and stamps what it publishes with the token under which it does so. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isQuorateError, join } from '@quorate/core';
import type { OwnedPartition, Quorate } from '@quorate/core';
import { notice, serveCommands } from '../../processes/child-program.ts';
import { machineTimeNs } from '../history.ts';
import { StopPoint } from '../stop-point.ts';
import type { Standing, StopOrder } from '../stop-point.ts';
import type { ChaosTiming } from '../timing.ts';
import { kafkaWorker } from './kafka-worker.ts';
import { natsWorker } from './nats-worker.ts';
import { Occupation } from './occupation.ts';
import type { Occupied } from './occupation.ts';
import { PlainTenures } from './plain-tenures.ts';
import type { Piece } from './piece.ts';
import { OwnedNow, spied } from './spied-partitions.ts';
import { TenureLog } from './tenure-log.ts';
import type { CarrierSettings, WorkerCarrier } from './worker-carrier.ts';

export interface WorkerSettings extends CarrierSettings {
  readonly node: string;
  readonly voters: readonly string[];
  readonly timing: ChaosTiming;
  /** The name of this life of the node. */
  readonly life: string;
  readonly logFile: string;
  readonly baseline: boolean;
  readonly workMs: number;
}

export type WorkerNotice =
  | { readonly type: 'event'; readonly name: string; readonly partition?: number; readonly error?: string }
  /** Taking part has ended, and not because it was told to. */
  | { readonly type: 'failed'; readonly error: string };

const lookMs = 50;
const againMs = 200;
const goodbyeMs = 6_000;

let quorate: Quorate | undefined;
let carrier: WorkerCarrier | undefined;
let ownedNow: OwnedNow | undefined;
let settings: WorkerSettings | undefined;
let isLeaving = false;
const stopPoint = new StopPoint();
const occupation = new Occupation();

function member(): Quorate {
  if (!quorate) throw new Error('this worker is in no group');
  return quorate;
}

async function consumeOwned(mine: WorkerCarrier, given: WorkerSettings): Promise<void> {
  const { life, logFile, names, count, workMs } = given;
  quorate = await joinUntilIn(given, mine);
  const log = new TenureLog(logFile);
  const now = new OwnedNow(log);
  ownedNow = now;
  setInterval(() => now.look(), lookMs);
  quorate.events$.subscribe(tell);
  const open = (owned: OwnedPartition): Promise<void> => sayOpening(mine, owned, life);
  const group = quorate;
  const source = { partitions: (name: string, options: { readonly count: number }) => spied(group.partitions(name, options), now, open) };
  const handle = async (piece: Piece, token: number): Promise<void> => {
    const owned = now.find(token);
    // A call that comes after its lease has ended is not begun.
    if (!owned?.valid) throw new Error('the partition is not owned any more');
    now.look([owned]);
    const beganNs = machineTimeNs();
    log.write({ type: 'began', at: beganNs, token, ...piece });
    const standing = { lock: owned.resource, token };
    await occupation.pass({ partition: piece.partition, ...standing });
    await stopPoint.pass(standing, workMs);
    // Whatever happens here, between the look at the lease and the publish, only the token protects.
    now.look([owned]);
    await mine.publish({ ...piece, process: life, beganNs, sentNs: machineTimeNs() }, owned);
    log.write({ type: 'done', at: machineTimeNs(), token, ...piece });
    now.look([owned]);
  };
  // The set is there before it is asked for by name.
  group.partitions(names.group, { count });
  await untilTaken(() => mine.consume({ source, handle, onEvent: tell }));
}

function tell(event: { readonly type: string; readonly partition?: number; readonly error?: unknown }): void {
  const partition = event.partition === undefined ? {} : { partition: event.partition };
  const error = event.error === undefined ? {} : { error: String(event.error) };
  void notice({ type: 'event', name: event.type, ...partition, ...error } satisfies WorkerNotice);
}

/** An owner that has said its token has shut the door behind it: what an earlier one publishes from then on is dropped. */
async function sayOpening(mine: WorkerCarrier, owned: OwnedPartition, life: string): Promise<void> {
  while (!owned.signal.aborted) {
    try {
      return await mine.publish({ partition: owned.partition, process: life, isOpening: true }, owned);
    } catch {
      await sleep(againMs);
    }
  }
}

async function consumePlainly(mine: WorkerCarrier, { life, logFile, broker, workMs }: WorkerSettings): Promise<void> {
  const log = new TenureLog(logFile);
  const tenures = new PlainTenures(log, broker === 'kafka' ? 'assigned' : 'perPiece');
  setInterval(() => tenures.look(), lookMs);
  const handle = async (piece: Piece): Promise<void> => {
    const token = tenures.begin(piece.partition);
    const beganNs = machineTimeNs();
    log.write({ type: 'began', at: beganNs, token, ...piece });
    const standing = { lock: `plain/${piece.partition}`, token };
    await occupation.pass({ partition: piece.partition, ...standing });
    await stopPoint.pass(standing, workMs);
    await mine.publish({ ...piece, process: life, beganNs, sentNs: machineTimeNs() });
    log.write({ type: 'done', at: machineTimeNs(), token, ...piece });
    tenures.end(piece.partition, token);
  };
  await untilTaken(() => mine.consumePlainly({ handle, onAssigned: (partitions) => tenures.assign(partitions) }));
}

/** One that starts into a broken world tries again: so does a pod. */
async function joinUntilIn({ names, node, voters, timing }: WorkerSettings, { transport }: WorkerCarrier): Promise<Quorate> {
  const { heartbeatMs, electionTimeoutMs, sessionTtlMs } = timing;
  for (;;) {
    try {
      return await join({
        group: names.group,
        node,
        voters,
        transport,
        session: { ttlMs: sessionTtlMs },
        timing: { heartbeatMs, electionTimeoutMs, maxSessionTtlMs: sessionTtlMs },
        firstFounding: true,
      });
    } catch (error) {
      if (!isQuorateError(error) || !error.retriable) throw error;
    }
  }
}

/** On NATS a consumer's call lasts as long as it takes part, on Kafka until it does. */
async function untilTaken(consume: () => Promise<void>): Promise<void> {
  const taking = async (): Promise<void> => {
    for (;;) {
      try {
        return await consume();
      } catch (error) {
        if (isLeaving) return;
        const isPassing = isQuorateError(error) ? error.retriable : settings?.baseline === true;
        if (!isPassing) return void notice({ type: 'failed', error: String(error) } satisfies WorkerNotice);
        await sleep(againMs);
      }
    }
  };
  void taking();
  return Promise.resolve();
}

async function leave(): Promise<void> {
  isLeaving = true;
  await quorate?.close({ timeoutMs: goodbyeMs });
  await carrier?.close();
}

const commands = {
  start: async (given: WorkerSettings): Promise<void> => {
    settings = given;
    carrier = given.broker === 'nats' ? await natsWorker(given) : await kafkaWorker(given);
    await (given.baseline ? consumePlainly(carrier, given) : consumeOwned(carrier, given));
  },
  stopAtPoint: (order: StopOrder): Promise<Standing | undefined> => stopPoint.order(order),
  /** The next piece is kept for so long, or until it is let go; resolves when there is one. */
  occupy: (longestMs: number): Promise<Occupied> => occupation.order(longestMs),
  letGo: (): Promise<void> => Promise.resolve(occupation.letGo()),
  /** Whether the lease of this token is valid still. */
  holds: (token: number): Promise<boolean> => Promise.resolve(ownedNow?.find(token)?.valid === true),
  pin: ({ partition, node }: { readonly partition: number; readonly node: string }): Promise<void> => set().pin(partition, node),
  unpin: (partition: number): Promise<void> => set().unpin(partition),
  resize: (count: number): Promise<void> => set().resize(count),
  status: (): Promise<string> => Promise.resolve(quorate?.status.text ?? 'in no group'),
};

function set() {
  if (!settings) throw new Error('this worker was not started');
  return member().partitions(settings.names.group, { count: settings.count });
}

export type WorkerCommands = typeof commands;

process.once('SIGTERM', () => {
  const end = (): void => process.exit(0);
  leave().then(end, end);
});

serveCommands(commands, leave);
