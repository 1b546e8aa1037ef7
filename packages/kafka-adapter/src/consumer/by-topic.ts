/** Requests of Kafka list partitions under their topics; everything else here names both. */

export function byTopic<Given extends { readonly topic: string }, Entry>(
  given: readonly Given[],
  entryOf: (one: Given) => Entry,
): { topic: string; partitions: Entry[] }[] {
  const topics = new Map<string, Entry[]>();
  for (const one of given) {
    const entries = topics.get(one.topic);
    if (entries === undefined) topics.set(one.topic, [entryOf(one)]);
    else entries.push(entryOf(one));
  }
  return Array.from(topics, ([topic, partitions]) => ({ topic, partitions }));
}
