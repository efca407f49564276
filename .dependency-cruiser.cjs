// The import rule of the house (docs/architecture.md): the folders tell the way of an order, and an arrow may only
// point to a folder ABOVE its own in this list.
const order = [
  'schemas',
  'domain',
  'platform',
  'local',
  'kafka',
  'database',
  'temporal',
  'providers',
  'resources',
  'orders',
  'outbox',
  'ingest',
  'workflows',
  'workers',
  'operations',
  'api',
  'cli',
];
const below = (i) =>
  order
    .slice(i + 1)
    .concat(['tools', 'test'])
    .join('|');

module.exports = {
  forbidden: [
    ...order.map((folder, i) => ({
      name: `${folder}-imports-only-upwards`,
      severity: 'error',
      comment: 'an arrow may only point to a folder above its own',
      from: { path: `^${folder}/` },
      // The one exception: workflows know the activities by `import type`.
      to: { path: `^(${below(i)})/`, ...(folder === 'workflows' ? { dependencyTypesNot: ['type-only'] } : {}) },
    })),
    {
      name: 'domain-is-alone',
      severity: 'error',
      from: { path: '^domain/' },
      to: { path: `^(?!domain/)(schemas|platform|local|kafka|database|temporal|providers|resources|orders)/` },
    },
    {
      name: 'schemas-is-alone',
      severity: 'error',
      from: { path: '^schemas/' },
      to: { path: `^(${order.slice(1).join('|')})/` },
    },
    {
      name: 'workflows-import-values-only-from-domain',
      severity: 'error',
      from: { path: '^workflows/' },
      to: { pathNot: '^(workflows|domain)/|@temporalio/(workflow|common)', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'workers-reach-workflows-by-path-only',
      severity: 'error',
      from: { path: '^workers/' },
      to: { path: '^workflows/' },
    },
    {
      name: 'operations-know-no-command-line',
      severity: 'error',
      comment: 'an operation tells its progress by callbacks; a command shows it',
      from: { path: '^operations/' },
      to: { path: 'node_modules/(commander|cli-progress)/' },
    },
    { name: 'no-cycles', severity: 'error', from: { pathNot: '^node_modules' }, to: { circular: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(\\.oms|test/histories)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
