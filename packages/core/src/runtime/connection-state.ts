/** How the transport stands, and what it said last of a connection that is broken. */
import type { ErrorCode } from '../errors.ts';
import type { ChannelEvent, ChannelStatus } from '../transport/transport.ts';
import type { EngineEvent } from './engine.ts';

/** With these a transport says what is wrong with its connection, as where it does not open. */
const connectionCodes: ReadonlySet<string> = new Set<ErrorCode>([
  'TRANSPORT_FAILED',
  'TRANSPORT_DENIED',
  'TRANSPORT_CLOSED',
  'TOPIC_MISSING',
]);

export class ConnectionState {
  status: ChannelStatus = 'disconnected';
  /** Null while connected, and where the transport gave no reason. */
  error: Error | null = null;
  #isOpening = true;

  readonly #onOpening: ((report: ChannelEvent) => void) | undefined;

  constructor(onOpening: ((report: ChannelEvent) => void) | undefined) {
    this.#onOpening = onOpening;
  }

  get facts(): { readonly connection: ChannelStatus; readonly connectionError: Error | null } {
    return { connection: this.status, connectionError: this.error };
  }

  /** True where the connection is back. */
  become(status: ChannelStatus, error?: Error): boolean {
    const isBack = status === 'connected' && this.status !== 'connected';
    this.#isOpening = false;
    this.status = status;
    this.error = status === 'connected' ? null : (error ?? this.error);
    return isBack;
  }

  /** Why a transport cannot carry anything is what it says of its connection meanwhile; what happens to frames is something else. */
  note(event: EngineEvent): void {
    if (event.type !== 'transport') return;
    const { report } = event;
    if (this.#isOpening) this.#onOpening?.(report);
    else if (this.status === 'disconnected' && report.type === 'error' && connectionCodes.has(report.code))
      this.error = new Error(report.message, { cause: report.cause });
  }
}
