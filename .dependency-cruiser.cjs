// The import rule of the house: dependencies point down. The rooms stand in tools/rooms/rooms.json from top to bottom,
// and a file may import from its own room and from those below. docs/architecture.md shows the same list.
const rooms = require('./tools/rooms/rooms.json').map(({ room }) => room);
const outside = ['tools', 'test'];

const pointDown = rooms.map((room, i) => ({
  name: 'dependencies-point-down',
  severity: 'error',
  comment: 'a file imports from its own room and from those below it in tools/rooms/rooms.json',
  from: { path: `^${room}/` },
  to: {
    path: `^(${[...outside, ...rooms.slice(0, i)].join('|')})/`,
    // The one exception: workflows know the activities by `import type`.
    ...(room === 'workflows' ? { dependencyTypesNot: ['type-only'] } : {}),
  },
}));

module.exports = {
  forbidden: [
    ...pointDown,
    {
      name: 'domain-is-alone',
      severity: 'error',
      from: { path: '^domain/' },
      to: { path: '^schemas/' },
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
      name: 'only-resources-open-providers',
      severity: 'error',
      comment: 'everything else gets payment and carrier from resources/, and knows them by their ports',
      from: { path: `^(${rooms.join('|')})/`, pathNot: '^(providers|resources)/' },
      to: { path: '^providers/', pathNot: '^providers/[^/]+/port\\.ts$' },
    },
    {
      name: 'ports-know-no-simulator',
      severity: 'error',
      from: { path: '^providers/[^/]+/port\\.ts$' },
      to: { path: '^providers/' },
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
