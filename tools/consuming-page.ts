import { readFileSync } from 'node:fs';
import path from 'node:path';

const CONSUMERS = [
  { language: 'TypeScript, by sequence', fence: 'ts', file: 'examples/consumers/typescript/shipments.ts' },
  { language: 'Python, by event id', fence: 'python', file: 'examples/consumers/python/shipments.py' },
  {
    language: 'Java, by event id, from the headers alone',
    fence: 'java',
    file: 'examples/consumers/java/Shipments.java',
  },
] as const;

/** docs/consuming.md: how to read what the OMS publishes; its programs are those of examples/consumers, which are tested. */
export function consumingPage(head: string, root: string): string {
  const programs = CONSUMERS.map(({ language, fence, file }) => {
    const text = readFileSync(path.join(root, file), 'utf8').trimEnd();
    return `### ${language}\n\n[${file}](../${file})\n\n\`\`\`${fence}\n${text}\n\`\`\``;
  });
  return [head, INTRODUCTION, ...programs, REST].join('\n\n');
}

const INTRODUCTION = `# Consuming events

For downstream systems: how to act on every event of the OMS once. What stands on each topic: [events.md](events.md), as a
page to browse [event-catalogue.html](event-catalogue.html), for programs [asyncapi.json](asyncapi.json) (AsyncAPI 3).

## In short

1. Read from the **first record** (\`auto.offset.reset=earliest\`), in a group of your own.
2. Decode with the schema id in the value; never pin a schema. New optional fields and enum symbols come without notice.
3. **Drop repeats**, by event id or by sequence, and keep what you have seen **in the transaction of what you do**.
4. Commit the offset after that transaction, never before.

An event may come again at any time: after a crash of the publisher or of your own program, or because somebody replays a
topic for backfill. A repeat has the same event id, key, headers and bytes. Sent again on purpose, it has the header
\`oms-replay\`. The header \`oms-deployment\` says which deployment's event it is: where topics of several are mirrored
into one place, compare it.

| drop repeats by | you keep | it also tells you | use it when |
| --- | --- | --- | --- |
| **sequence** (\`sequence\`, header \`ce_sequence\`) | one number per order and topic | a gap: a number is missing | you read a topic in order |
| **event id** (\`eventId\`, header \`ce_id\`) | one id per event, as long as the topic keeps it | nothing | you spread work over workers, or read several topics |

## A consumer, in three languages

Each reads \`shipments\` and prints what it acts on. Replace the printing; keep the transaction. The tests run all three over
a topic that holds every event twice.`;

const REST = `## The state of an order, rather than its story

\`order-status\` is compacted and carries the whole order as it stands. Keep the record with the **highest version** per order;
a lower one that comes later is a repeat. Without state of your own, read it from the first record at every start.

## Several topics

Events of one order on one topic are in order; between topics nothing is. \`version\` counts all events of an order over all
topics: sort by it, or wait until every version up to the highest has come.

## Gaps, and records that have gone

\`sequence\` has no gaps. If you see one, you have missed records that the topic no longer keeps (all but \`orders\` and
\`order-status\` are kept for 30 days), or an operator has given an event up that Kafka would not take, and tells you so, or has
rebuilt a lost database, after which an order that was open for long may go on at a higher number. \`order-status\` tells the last
number on each other topic (\`sequences\`). Take the order's state from \`order-status\`, or ask the operator to replay the
topic. The first sequence you see of an order may be above 1 for the first reason.

## Errors of your own

An event you cannot process must not stop the others of your partition for long, and must not be lost: put it aside with the
order's later events (they follow it), alert, and take them up again in order.

## Permissions

Your principal needs \`Read\` and \`Describe\` on the topics you read and \`Read\` on your group. Nothing of yours is written
to topics of the OMS, and no schema is registered by a consumer.
`;
