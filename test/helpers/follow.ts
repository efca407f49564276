import { waitFor } from './wait.ts';

/** A message of Server-Sent Events. */
export interface Message {
  id?: string;
  event?: string;
  data?: Record<string, unknown>;
}

/** A reader of a live stream, as a browser reads it. */
export interface Reader {
  response: Response;
  /** Those with data, so far. */
  messages: Message[];
  /** The id of the last message, with or without data. */
  lastId(): string | undefined;
  /** Resolves when there are so many; rejects when the stream has ended before. */
  until(count: number): Promise<Message[]>;
  /** Resolves when the server has ended it. */
  ended: Promise<void>;
  close(): void;
}

/** Opens a live stream and reads it from then on. */
export async function follow(url: string, lastEventId?: string): Promise<Reader> {
  const closing = new AbortController();
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
  const response = await fetch(url, { headers, signal: closing.signal });
  const messages: Message[] = [];
  let lastId: string | undefined;
  const read = async (): Promise<void> => {
    let rest = '';
    for await (const chunk of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
      const parts = (rest + chunk).split('\n\n');
      rest = parts.pop() ?? '';
      for (const message of parts.map(parse)) {
        lastId = message.id ?? lastId;
        if (message.data) messages.push(message);
      }
    }
  };
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
  const ended = (isStream ? read() : Promise.resolve()).catch((error: unknown) => {
    if (!closing.signal.aborted) throw error;
  });
  let over: Error | undefined;
  ended.then(
    () => (over = new Error(`${url} has ended, with ${messages.length} messages`)),
    (error: unknown) => (over = error as Error),
  );
  return {
    response,
    messages,
    ended,
    lastId: () => lastId,
    until: (count) =>
      waitFor(`${count} messages of ${url}`, () => {
        if (messages.length >= count) return messages;
        if (over) throw over;
        return false;
      }),
    close: () => closing.abort(),
  };
}

function parse(text: string): Message {
  const fields = text.split('\n').flatMap((line) => {
    const [, name, value] = /^(id|event|data): (.*)$/.exec(line) ?? [];
    return name && value !== undefined ? [[name, name === 'data' ? (JSON.parse(value) as unknown) : value]] : [];
  });
  return Object.fromEntries(fields) as Message;
}
