/** What is said of a broken connection: what the transport says of it, and nothing that only happened meanwhile. */
import { ConnectionState } from '../../src/runtime/connection-state.ts';
import type { ChannelEvent } from '../../src/transport/transport.ts';

const broke = new Error('The connection to broker 1 broke.');

function broken(report: ChannelEvent): ConnectionState {
  const state = new ConnectionState(undefined);
  state.become('connected');
  state.become('disconnected', broke);
  state.note({ type: 'transport', report });
  return state;
}

test.each(['FRAME_TOO_LARGE', 'LISTENER_THREW', 'OF_ANOTHER_TRANSPORT'])('an error %s is no reason for it', (code) => {
  const { facts } = broken({ type: 'error', code, message: 'A frame of 5000 bytes to b was dropped.' });
  expect(facts).toEqual({ connection: 'disconnected', connectionError: broke });
});

test('a warning is no reason for it', () => {
  const { error } = broken({ type: 'warning', code: 'TRANSPORT_FAILED', message: 'Slow.' });
  expect(error).toBe(broke);
});

test.each(['TRANSPORT_FAILED', 'TRANSPORT_DENIED', 'TRANSPORT_CLOSED', 'TOPIC_MISSING'])('an error %s is the newer reason', (code) => {
  const cause = new Error('as the broker has it');
  const state = broken({ type: 'error', code, message: 'A right was taken away.', cause });
  expect(state.error).toMatchObject({ message: 'A right was taken away.', cause });
  state.become('disconnected');
  expect(state.error?.cause).toBe(cause);
  state.become('connected');
  expect(state.error).toBeNull();
});
