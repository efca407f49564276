import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { createKafka } from '../../kafka/client/client.ts';
import { javaParts } from '../../local/downloads.ts';
import { createGuard } from '../../local/guard.ts';
import { freePorts } from '../../local/ports.ts';
import { silent } from './order-world.ts';
import { waitFor } from './wait.ts';

const run = promisify(execFile);
const PASSWORD = 'store-password';
const STARTUP_MS = 180_000;

/** A real broker with a listener of each kind of security, each given as `host:port`. */
export interface SecuredBroker {
  plaintext: string;
  ssl: string;
  saslPlaintext: string;
  saslSsl: string;
  /** PEM of the certificate the TLS listeners show; it is signed by itself. */
  certificate: string;
  /** Known to SCRAM-SHA-256 on both SASL listeners; PLAIN is on `saslPlaintext` only. */
  user: { username: string; password: string };
  /** What the authorizer has refused so far, a line each, as the broker logs it. */
  denials(): Promise<string[]>;
  stop(): Promise<void>;
}

export interface SecuredBrokerOptions {
  /**
   * Users known to PLAIN beside `user`, with its password. Given, the broker allows only what an ACL says, but for those who
   * come to `plaintext`: they may do all.
   */
  principals?: readonly string[];
}

export async function startSecuredBroker({ principals }: SecuredBrokerOptions = {}): Promise<SecuredBroker> {
  const dir = await mkdtemp(path.join(tmpdir(), 'oms-broker-'));
  const guard = createGuard(dir);
  const [a = 0, b = 0, c = 0, d = 0, controller = 0] = await freePorts(5);
  const at = (port: number): string => `127.0.0.1:${port}`;
  const user = { username: 'oms', password: 'right' };
  const certificate = await makeCertificate(dir);
  const config = path.join(dir, 'server.properties');
  const listeners = { PLAINTEXT: a, SSL: b, SASL_PLAINTEXT: c, SASL_SSL: d };
  const rules = principals ? AUTHORIZER : {};
  await writeFile(config, propertiesOf(dir, listeners, controller, user, principals) + linesOf(rules));
  const [logging, denialLog] = [path.join(dir, 'log4j2.properties'), path.join(dir, 'denials.log')];
  await writeFile(logging, linesOf(loggingTo(denialLog)));
  const { kafkaClassPath } = await javaParts(() => undefined);
  const scram = `SCRAM-SHA-256=[name=${user.username},password=${user.password}]`;
  const options = ['-XX:TieredStopAtLevel=1', '-Xmx256m', `-Dlog4j2.configurationFile=file:${logging}`];
  const java = [...options, '-cp', kafkaClassPath];
  const format = [
    'kafka.tools.StorageTool',
    'format',
    '-t',
    'c2VjdXJlZC1icm9rZXItMQ',
    '-c',
    config,
    '--add-scram',
    scram,
  ];
  await run('java', [...java, ...format]);
  const broker = spawn('java', [...java, 'kafka.Kafka', config], { stdio: 'ignore' });
  if (broker.pid !== undefined) guard.watch(broker.pid);
  const stop = async (): Promise<void> => {
    const ended = new Promise((resolve) => broker.once('close', resolve));
    broker.kill('SIGKILL');
    await ended;
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await waitFor('the broker to answer', () => answers(broker, at(a)), STARTUP_MS);
  } catch (error) {
    // Else it would keep the tests from ending.
    if (broker.exitCode === null) await stop();
    throw error;
  }
  const denials = async (): Promise<string[]> => (await readFile(denialLog, 'utf8')).split('\n').filter(Boolean);
  return { plaintext: at(a), ssl: at(b), saslPlaintext: at(c), saslSsl: at(d), certificate, user, denials, stop };
}

const AUTHORIZER = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'allow.everyone.if.no.acl.found': false,
  'super.users': 'User:ANONYMOUS',
};

/** The broker's own log of what it refuses, and no other. */
const loggingTo = (file: string): Record<string, string> => ({
  'rootLogger.level': 'off',
  'appender.denials.type': 'File',
  'appender.denials.name': 'denials',
  'appender.denials.fileName': file,
  'appender.denials.layout.type': 'PatternLayout',
  'appender.denials.layout.pattern': '%m%n',
  'logger.authorizer.name': 'kafka.authorizer.logger',
  'logger.authorizer.level': 'info',
  'logger.authorizer.appenderRef.denials.ref': 'denials',
});

const linesOf = (settings: Record<string, string | number | boolean>): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');

async function makeCertificate(dir: string): Promise<string> {
  const store = ['-keystore', path.join(dir, 'broker.p12'), '-storetype', 'PKCS12', '-storepass', PASSWORD];
  const who = ['-dname', 'CN=localhost', '-ext', 'san=dns:localhost,ip:127.0.0.1'];
  await run('keytool', ['-genkeypair', '-alias', 'broker', '-keyalg', 'EC', '-validity', '2', ...who, ...store]);
  const certificate = path.join(dir, 'broker.pem');
  await run('keytool', ['-exportcert', '-rfc', '-alias', 'broker', '-file', certificate, ...store]);
  return certificate;
}

function propertiesOf(
  dir: string,
  ports: Record<string, number>,
  controller: number,
  user: SecuredBroker['user'],
  principals: readonly string[] = [],
): string {
  const listeners = Object.entries(ports).map(([name, port]) => `${name}://127.0.0.1:${port}`);
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  const logins = [user.username, ...principals].map((name) => ` user_${name}="${user.password}"`).join('');
  const plain = `org.apache.kafka.common.security.plain.PlainLoginModule required${logins};`;
  return linesOf({
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: [...listeners, `CONTROLLER://127.0.0.1:${controller}`].join(','),
    'advertised.listeners': listeners.join(','),
    'listener.security.protocol.map': [...Object.keys(ports).map((n) => `${n}:${n}`), 'CONTROLLER:PLAINTEXT'].join(','),
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': path.join(dir, 'data'),
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'ssl.keystore.location': path.join(dir, 'broker.p12'),
    'ssl.keystore.type': 'PKCS12',
    'ssl.keystore.password': PASSWORD,
    'listener.name.sasl_ssl.sasl.enabled.mechanisms': 'SCRAM-SHA-256',
    'listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config': scram,
    'listener.name.sasl_plaintext.sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256',
    'listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config': scram,
    'listener.name.sasl_plaintext.plain.sasl.jaas.config': plain,
  });
}

async function answers(broker: ChildProcess, address: string): Promise<boolean> {
  if (broker.exitCode !== null) throw new Error(`the broker ended with ${broker.exitCode}`);
  const admin = createKafka({ brokers: [address], clientId: 'test', logger: silent, retries: 0 }).admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length > 0;
  } catch {
    return false;
  } finally {
    await admin.disconnect();
  }
}
