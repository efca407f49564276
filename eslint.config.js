import tseslint from 'typescript-eslint';
import builtins from 'node:module';
import rooms from './tools/rooms/rooms.json' with { type: 'json' };

/** What is outside for a workflow. */
const outside = rooms.map(({ room }) => room).filter((room) => !['workflows', 'domain'].includes(room));

const restrictedEnv = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: 'Only platform/config reads the environment; take what you need as an argument.',
};

const impatientOffsets = {
  selector: 'MemberExpression[property.name=/^fetchTopicOffsets/]',
  message: 'kafkajs gives up while a leader changes: take logEnds or offsetsSince of kafka/admin/log-ends.ts.',
};

const listedTopics = {
  selector: "MemberExpression[property.name='listTopics']",
  message: 'Kafka lists no topic that the login may not describe: take topicsThere of kafka/admin/topics-there.ts.',
};

const openedElsewhere = [
  {
    selector:
      'CallExpression[callee.name=/^(openDatabase|createRegistry|createCodec|createKafka|createPublisher|openTemporal|reachTemporal|connectTemporal|openProviders)$/]',
    message: 'Only resources/ opens this: take it, or the resources, as an argument.',
  },
  {
    selector: "CallExpression[callee.object.name=/^(Native)?Connection$/][callee.property.name='connect']",
    message: 'Only resources/ connects to Temporal: take its temporal() as an argument.',
  },
];

export default tseslint.config(
  { ignores: ['node_modules/', '.oms/', 'schemas/generated/', 'examples/', '**/*.cjs', '**/*.js'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/require-await': 'off',
      'no-restricted-syntax': ['error', restrictedEnv, impatientOffsets, listedTopics, ...openedElsewhere],
    },
  },
  {
    // Where things are opened: the one place for all, kafka/ its own clients, the local stack its own programs.
    files: ['resources/**', 'kafka/**', 'temporal/*.ts', 'local/**'],
    rules: { 'no-restricted-syntax': ['error', restrictedEnv, impatientOffsets, listedTopics] },
  },
  { files: ['platform/config/**', 'test/**', 'tools/**'], rules: { 'no-restricted-syntax': 'off' } },
  {
    files: ['kafka/admin/log-ends.ts', 'kafka/admin/topics-there.ts'],
    rules: { 'no-restricted-syntax': ['error', restrictedEnv] },
  },
  {
    // Workflow code is deterministic by rule: no I/O, no builtins, nothing of ours but domain.
    files: ['workflows/**/*.ts', 'domain/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: builtins.builtinModules.flatMap((name) => [name, `node:${name}`]),
          patterns: [
            {
              group: outside.map((room) => `**/${room}/**`),
              allowTypeImports: true,
              message: 'Workflows know the outside by `import type` only.',
            },
          ],
        },
      ],
      'no-restricted-globals': ['error', 'process', 'setInterval', 'setImmediate', 'fetch', 'performance'],
    },
  },
  {
    files: ['domain/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        restrictedEnv,
        { selector: "MemberExpression[object.name='Math'][property.name='random']", message: 'domain is pure.' },
        {
          selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
          message: 'domain is pure.',
        },
      ],
    },
  },
);
