/** What `natsTransport` refuses at once: arguments that are no connection, and options that are no object. */
import { natsTransport } from '../src/index.ts';
import { PlainConnection } from './plain-connection.ts';

describe('natsTransport', () => {
  test('whose connection was not awaited says what to write', () => {
    const making = () => natsTransport(Promise.resolve(new PlainConnection()) as never);
    expect(making).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
    expect(making).toThrow('The first argument is a promise: write `natsTransport(await connect(…))`.');
  });

  test.each([undefined, null, 'nats://localhost', {}])('refuses %p for its connection', (connection) => {
    const making = () => natsTransport(connection as never);
    expect(making).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
    expect(making).toThrow('it lacks `publish`, `subscribe`, `flush`, `status`, `isClosed`, `closed`.');
  });

  test.each([null, 5, 'quorate'])('refuses %p for its options', (options) => {
    const making = () => natsTransport(new PlainConnection(), options as never);
    expect(making).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
  });

  test('takes what looks like a connection', () => {
    expect(natsTransport(new PlainConnection(), {}).name).toBe('nats');
  });
});
