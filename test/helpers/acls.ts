import kafkajs from 'kafkajs';
import type { AclEntry } from 'kafkajs';

// Names that Node cannot see among the exports of a CommonJS module.
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

/** What Kafka's tool takes for the cluster itself. */
const CLUSTER = 'kafka-cluster';
const COMMAND = 'kafka-acls --bootstrap-server "$KAFKA_BROKERS" --add ';

/**
 * The ACLs that Kafka's own tool would create from commands as `oms setup --print-acls` prints them.
 * @throws Error at a word that is none of those it prints
 */
export function aclsOf(printed: string): AclEntry[] {
  const commands = printed.split('\n').filter((line) => line && !line.startsWith('#'));
  return commands.flatMap((command) => {
    if (!command.startsWith(COMMAND)) throw new Error(`no command that adds ACLs: ${command}`);
    return entriesOf(command.slice(COMMAND.length));
  });
}

function entriesOf(words: string): AclEntry[] {
  const operations: string[] = [];
  const entry = {
    host: '*',
    permissionType: AclPermissionTypes.ALLOW,
    resourcePatternType: ResourcePatternTypes.LITERAL,
  };
  let principal = '';
  let resource: Pick<AclEntry, 'resourceType' | 'resourceName'> | undefined;
  const take = (option: string, value: string): void => {
    if (option === '--allow-principal') principal = value;
    else if (option === '--operation') operations.push(value);
    else if (option === '--topic') resource = { resourceType: AclResourceTypes.TOPIC, resourceName: value };
    else if (option === '--group') resource = { resourceType: AclResourceTypes.GROUP, resourceName: value };
    else if (option === '--cluster') resource = { resourceType: AclResourceTypes.CLUSTER, resourceName: CLUSTER };
    else if (option === '--resource-pattern-type' && value === 'prefixed')
      entry.resourcePatternType = ResourcePatternTypes.PREFIXED;
    else throw new Error(`no option that is printed: ${option} ${value}`);
  };
  for (const [, option = '', quoted, bare] of words.matchAll(/(\S+)(?: '([^']*)'| (?!--)(\S+))?/g))
    take(option, quoted ?? bare ?? '');
  const of = resource;
  if (!of || !principal || operations.length === 0) throw new Error(`ACLs of nobody, or for nothing: ${words}`);
  return operations.map((operation) => ({ ...entry, ...of, principal, operation: operationOf(operation) }));
}

/** `DescribeConfigs` is DESCRIBE_CONFIGS to kafkajs. */
function operationOf(name: string): number {
  const found = AclOperationTypes[name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase() as 'READ'];
  if (found === undefined) throw new Error(`no operation of Kafka's: ${name}`);
  return found;
}
