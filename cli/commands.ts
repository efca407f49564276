import type { Command } from 'commander';

/** A command's module: it is loaded only when the command is run or its help is shown. */
export interface CommandModule {
  /** The command with its options, examples and action. */
  createCommand(): Command;
}

/** One command, or a group of them. */
export type CommandEntry =
  | { about: string; load: () => Promise<CommandModule> }
  | { about: string; commands: Readonly<Record<string, CommandEntry>> };

/** Every command, in the order the help lists them. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  up: { about: 'Start the local stack and all roles, and stay until Ctrl-C.', load: () => import('./up.ts') },
  down: { about: 'Stop what `oms up` started.', load: () => import('./down.ts') },
  setup: {
    about: 'Create or check topics, schemas, database and namespace; safe to repeat.',
    load: () => import('./setup.ts'),
  },
  rebuild: {
    about: 'Fill a new database from the topics and Temporal, in the place of one that was lost.',
    load: () => import('./rebuild.ts'),
  },
  doctor: {
    about: 'Look for what is wrong with everything the system stands on, and name what mends it.',
    load: () => import('./doctor.ts'),
  },
  ingest: {
    about: 'Role: order events into workflows.',
    load: () => import('./roles.ts').then(({ ingest }) => ingest),
  },
  worker: {
    about: 'Role: runs workflows and activities.',
    load: () => import('./roles.ts').then(({ worker }) => worker),
  },
  publisher: {
    about: 'Role: committed events onto their topics.',
    load: () => import('./roles.ts').then(({ publisher }) => publisher),
  },
  api: { about: 'Role: the HTTP API.', load: () => import('./roles.ts').then(({ api }) => api) },
  orders: {
    about: 'Produce and look at orders.',
    commands: {
      import: {
        about:
          "Produce the orders of a shop's CSV file; a record that is no valid order goes too, for ingest to judge.",
        load: () => import('./orders/import.ts'),
      },
      produce: {
        about: 'Check order events given as JSON lines, and produce them.',
        load: () => import('./orders/produce.ts'),
      },
      show: {
        about: 'Everything about an order: state, parts, timeline, links.',
        load: () => import('./orders/show.ts'),
      },
      ls: { about: 'The newest orders.', load: () => import('./orders/ls.ts') },
      cancel: { about: 'Ask for the cancellation of an order.', load: () => import('./orders/cancel.ts') },
      held: {
        about: 'Orders whose events the publisher holds back.',
        commands: {
          ls: {
            about: 'Events that cannot be sent as they are.',
            load: () => import('./orders/held.ts').then(({ ls }) => ls),
          },
          release: {
            about: "Give an order's held event up, so that its later ones go on.",
            load: () => import('./orders/held.ts').then(({ release }) => release),
          },
        },
      },
      stuck: {
        about: 'Orders that wait for too long, with the reason; retry, cancel or fail one.',
        load: () => import('./orders/stuck.ts'),
      },
      recover: {
        about: 'Give an order a new run whose run was terminated or lost.',
        load: () => import('./orders/recover.ts'),
      },
    },
  },
  carrier: {
    about: "A courier's tool.",
    commands: {
      update: {
        about: "Put a carrier's news about a shipment on its topic.",
        load: () => import('./carrier.ts'),
      },
    },
  },
  topics: {
    about: 'Look at topics.',
    commands: { tail: { about: 'Print records, decoded, as they come.', load: () => import('./topics.ts') } },
  },
  dlq: {
    about: 'Dead letters: records that were refused.',
    commands: {
      ls: { about: 'List dead letters, and count them by code.', load: () => import('./dlq/ls.ts') },
      show: { about: 'One dead letter with its record.', load: () => import('./dlq/show.ts') },
      retry: { about: 'Put records back on their topics.', load: () => import('./dlq/retry.ts') },
      edit: { about: 'Put a corrected record on its topic.', load: () => import('./dlq/edit.ts') },
      drop: { about: 'Give dead letters up.', load: () => import('./dlq/drop.ts') },
    },
  },
  audit: {
    about: 'Compare ledger, Temporal, outbox, topics, stock, money and providers; repair what is safe.',
    load: () => import('./audit.ts'),
  },
  replay: {
    about: 'Read any topic again, or tell events again, without doing anything twice.',
    commands: {
      plan: { about: 'Freeze a range and say what a run would do.', load: () => import('./replay/plan.ts') },
      run: { about: 'Run a plan.', load: () => import('./replay/control.ts').then(({ run }) => run) },
      status: { about: 'How far replays are.', load: () => import('./replay/status.ts').then(({ status }) => status) },
      pause: {
        about: 'Pause a replay that runs.',
        load: () => import('./replay/control.ts').then(({ pause }) => pause),
      },
      resume: {
        about: 'Go on with a replay that was paused, or whose process died.',
        load: () => import('./replay/control.ts').then(({ resume }) => resume),
      },
      abort: { about: 'End a replay for good.', load: () => import('./replay/control.ts').then(({ abort }) => abort) },
      report: {
        about: 'What was planned and done, by whom and why.',
        load: () => import('./replay/status.ts').then(({ report }) => report),
      },
    },
  },
  stock: {
    about: 'Stock and prices.',
    commands: {
      seed: { about: "Give a file's SKUs stock and prices.", load: () => import('./stock/seed.ts') },
      produce: {
        about: 'Check stock levels given as CSV, and produce them.',
        load: () => import('./stock/produce.ts'),
      },
      set: { about: 'Set a stock level, and the price.', load: () => import('./stock/set.ts') },
      show: { about: 'Stock levels and prices.', load: () => import('./stock/show.ts') },
    },
  },
  limits: {
    about: 'What customers may spend.',
    commands: {
      show: {
        about: 'What customers have spent, and their limits.',
        load: () => import('./limits.ts').then(({ show }) => show),
      },
      set: {
        about: 'Set the limit of a customer, or the default of a currency.',
        load: () => import('./limits.ts').then(({ set }) => set),
      },
    },
  },
  maintenance: {
    about: 'Hold payments: none is begun, and orders wait.',
    commands: {
      on: { about: 'Hold payments.', load: () => import('./maintenance.ts').then(({ on }) => on) },
      off: { about: 'Let payments go on.', load: () => import('./maintenance.ts').then(({ off }) => off) },
      show: { about: 'Whether payments are held.', load: () => import('./maintenance.ts').then(({ show }) => show) },
    },
  },
  config: {
    about: 'The configuration in force.',
    commands: { show: { about: 'Print every setting, secrets hidden.', load: () => import('./config.ts') } },
  },
};
