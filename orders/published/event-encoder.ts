import type { EventEncoder } from '../../database/outbox/outbox.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import { cloudEventHeaders } from '../../kafka/headers.ts';
import { topicNames } from '../../kafka/topics.ts';

export interface EventEncoderOptions {
  /** Loaded: `codec.load()` was awaited. */
  codec: Codec;
  /** OMS_PREFIX */
  prefix: string;
  /** The CloudEvents source. @default `oms` */
  source?: string;
}

/** Turns events of the outbox into Avro values with CloudEvents headers. */
export function createEventEncoder(options: EventEncoderOptions): EventEncoder {
  const names = topicNames(options.prefix);
  const source = options.source ?? 'oms';
  return {
    encode: (event, envelope) => ({
      value: options.codec.encode(names[event.topic], { ...envelope, ...event.fields }),
      headers: cloudEventHeaders({
        id: envelope.eventId,
        type: `oms.${event.type}`,
        source,
        time: envelope.occurredAt,
        subject: envelope.orderId,
        sequence: envelope.sequence,
      }),
    }),
  };
}
