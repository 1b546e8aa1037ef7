/** Prints as JSON where a broker can be had: for a caller that cannot await, such as a test file deciding whether to skip. */
import { program } from '../program.ts';
import type { BrokerNeeds } from './availability.ts';
import { findKafka } from './kafka-source.ts';
import { findNats } from './nats-source.ts';

program(async () => {
  const [service, own] = process.argv.slice(2);
  const needs: BrokerNeeds = { own: own === 'process' ? own : own === 'own' };
  console.log(JSON.stringify(service === 'nats' ? await findNats(needs) : await findKafka(needs)));
});
