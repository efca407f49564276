/** The parts of the local stack, in the order they are shown. */
export const COMPONENTS = ['kafka', 'registry', 'temporal', 'postgres'] as const;
export type ComponentName = (typeof COMPONENTS)[number];

/** TCP ports on 127.0.0.1. */
export interface Ports {
  kafka: number;
  registry: number;
  temporal: number;
  temporalUi: number;
  postgres: number;
}

/** Where the parts of a stack answer, in the form their settings take. */
export interface Endpoints {
  kafkaBrokers: string;
  schemaRegistryUrl: string;
  temporalAddress: string;
  /** Only of a Temporal that we run: an outside one does not tell. */
  temporalUiUrl?: string;
  databaseUrl: string;
}

/** A process that cannot be mistaken for another one that got its pid later. */
export interface ProcessIdentity {
  pid: number;
  /** When it started, in the operating system's own words; equal only for the same process. */
  started: string;
}

/** What is shown while the stack is brought up. */
export interface Progress {
  /** What it is about: a component, or what several need (`maven`). */
  part: string;
  state: 'running' | 'done' | 'failed';
  /** What is being done, and how far: `downloading, 12 files, 34 MB`. */
  detail: string;
}

export type OnProgress = (progress: Progress) => void;

/** How a component is run: what its spawn needs. */
export interface Command {
  file: string;
  args: string[];
  environment?: Record<string, string>;
  directory?: string;
  /** Run as this user: PostgreSQL refuses root. */
  user?: { uid: number; gid: number };
}

/** One part of the stack: how it gets onto the disk, runs, and answers. */
export interface Component {
  name: ComponentName;
  /** The ports it listens on, each with the setting that names it. */
  ports: { port: number; setting: string }[];
  /** Makes its files ready and says how to run it. Repeatable. */
  prepare(report: (detail: string) => void, signal?: AbortSignal): Promise<Command>;
  /** Asks it once, over its own protocol; resolves with the id of what it keeps. Rejects while it is not ready. */
  probe(): Promise<string>;
  stopSignal: 'SIGTERM' | 'SIGINT';
}

/** The settings that point a role, a command or a test at these endpoints. */
export function endpointVariables(endpoints: Endpoints): Record<string, string> {
  return {
    KAFKA_BROKERS: endpoints.kafkaBrokers,
    SCHEMA_REGISTRY_URL: endpoints.schemaRegistryUrl,
    TEMPORAL_ADDRESS: endpoints.temporalAddress,
    DATABASE_URL: endpoints.databaseUrl,
  };
}
