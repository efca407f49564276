import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createKafka } from '../../kafka/client/client.ts';
import { kafkaConnection } from '../../kafka/client/connection.ts';
import { createPublisher } from '../../kafka/producer/publisher.ts';
import { openParts } from '../../operations/doctor/parts.ts';
import { lookAtKafka } from '../../operations/doctor/topics.ts';
import { loadConfig } from '../../platform/config/load.ts';
import { doctorResources } from '../../resources/profiles.ts';
import { silent } from '../helpers/order-world.ts';
import { startSecuredBroker } from '../helpers/secured-broker.ts';
import type { SecuredBroker } from '../helpers/secured-broker.ts';

let broker: SecuredBroker;
beforeAll(async () => {
  broker = await startSecuredBroker();
}, 300_000);
afterAll(() => broker?.stop());

const tls = () => ({ KAFKA_SSL: 'true', KAFKA_SSL_CA: broker.certificate });
const login = (mechanism = 'scram-sha-256', password = broker.user.password) => ({
  KAFKA_SASL_MECHANISM: mechanism,
  KAFKA_SASL_USERNAME: broker.user.username,
  KAFKA_SASL_PASSWORD: password,
});

/** What `oms doctor` says of Kafka with these settings: the code of the fault, or `ok`. */
async function diagnosis(KAFKA_BROKERS: string, settings: Record<string, string>): Promise<[string, string]> {
  const resources = doctorResources(loadConfig({ KAFKA_BROKERS, ...settings }), 10_000);
  try {
    const [first] = await lookAtKafka(openParts(resources, 10_000));
    return [first?.level ?? 'nothing', first?.detail ?? ''];
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return [code, message];
  } finally {
    await resources.close();
  }
}

describe('a cluster with TLS and SASL', () => {
  it('is reached with the settings it needs, by every client', async () => {
    const settings = { KAFKA_BROKERS: broker.saslSsl, ...tls(), ...login() };
    const connection = kafkaConnection(loadConfig(settings), 'test', silent);
    const admin = createKafka({ ...connection, retries: 5 }).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: 'secured', numPartitions: 1, replicationFactor: 1 }] });
    await admin.disconnect();
    const publisher = createPublisher({ connection });
    const { sent } = await publisher.publish([{ topic: 'secured', key: 'k', value: Buffer.from('v') }]);
    await publisher.close();
    expect(sent).toHaveLength(1);
  });

  it.each([
    ['TLS and a login', () => broker.saslSsl, () => ({ ...tls(), ...login() })],
    ['TLS alone', () => broker.ssl, () => tls()],
    ['a login alone', () => broker.saslPlaintext, () => login('plain')],
    ['neither', () => broker.plaintext, () => ({})],
  ])('answers the doctor where it wants %s and gets it', async (_, address, settings) => {
    expect(await diagnosis(address(), settings())).toMatchObject(['ok', expect.stringContaining('1 broker')]);
  });

  it.each([
    ['no TLS where it speaks TLS', () => broker.ssl, () => ({}), 'OMS_KAFKA_TLS_FAILED', 'set KAFKA_SSL=true'],
    ['TLS where it speaks none', () => broker.plaintext, tls, 'OMS_KAFKA_TLS_FAILED', 'set KAFKA_SSL=false'],
    [
      'an authority that did not sign its certificate',
      () => broker.ssl,
      () => ({ KAFKA_SSL: 'true' }),
      'OMS_KAFKA_TLS_FAILED',
      'set KAFKA_SSL_CA',
    ],
    ['no login where it wants one', () => broker.saslPlaintext, () => ({}), 'OMS_KAFKA_LOGIN_FAILED', 'wants SASL'],
    [
      'a wrong password',
      () => broker.saslSsl,
      () => ({ ...tls(), ...login('scram-sha-256', 'wrong') }),
      'OMS_KAFKA_LOGIN_FAILED',
      'refuses the login with scram-sha-256 as oms',
    ],
    [
      'a mechanism it does not have',
      () => broker.saslSsl,
      () => ({ ...tls(), ...login('plain') }),
      'OMS_KAFKA_LOGIN_FAILED',
      'refuses the login with plain',
    ],
    ['a login where it wants none', () => broker.plaintext, () => login('plain'), 'OMS_KAFKA_LOGIN_FAILED', 'plain'],
  ])('is told from being away when it is spoken to with %s', async (_, address, settings, code, remedy) => {
    const [found, detail] = await diagnosis(address(), settings());
    expect([found, detail]).toEqual([code, expect.stringContaining(remedy)]);
  });
});
