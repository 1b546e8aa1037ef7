/** The door for authors of adapters: the transport port and what an adapter needs to report its failures. */
export * from './errors.ts';
export * from './transport/transport.ts';
export * from './transport/abortable.ts';
export * from './transport/conformance.ts';
export * from './transport/frame-limit.ts';
export * from './transport/names.ts';
