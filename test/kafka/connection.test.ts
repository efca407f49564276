import { describe, expect, it } from '@jest/globals';
import { kafkaSecurity } from '../../kafka/client/connection.ts';
import { loadConfig, shownConfig } from '../../platform/config/load.ts';

const LOGIN = { KAFKA_SASL_MECHANISM: 'scram-sha-512', KAFKA_SASL_USERNAME: 'oms', KAFKA_SASL_PASSWORD: 'hush' };
const security = (settings: Record<string, string>) => kafkaSecurity(loadConfig(settings));

describe('TLS and SASL by settings', () => {
  it('are off unless they are set', () => expect(security({})).toEqual({}));

  it('go to the client as they are set', () => {
    expect(security({ KAFKA_SSL: 'true', ...LOGIN })).toEqual({
      ssl: true,
      sasl: { mechanism: 'scram-sha-512', username: 'oms', password: 'hush' },
    });
  });

  it.each<[string, Record<string, string>, string]>([
    ['a CA without TLS', { KAFKA_SSL_CA: 'ca.pem' }, 'KAFKA_SSL is not'],
    ['a CA file that is not there', { KAFKA_SSL: 'true', KAFKA_SSL_CA: '/none.pem' }, '/none.pem: it cannot be read'],
    ['a user without a mechanism', { KAFKA_SASL_USERNAME: 'oms' }, 'KAFKA_SASL_MECHANISM is not'],
    ['a mechanism without a password', { ...LOGIN, KAFKA_SASL_PASSWORD: '' }, 'needs a username and a password'],
    [
      'a password in plain sight of the network',
      { ...LOGIN, KAFKA_SASL_MECHANISM: 'plain', KAFKA_BROKERS: '127.0.0.1:9092,kafka.example:9092' },
      'set KAFKA_SSL=true',
    ],
  ])('are refused with %s', (_, settings, reason) => {
    expect(() => security(settings)).toThrow(
      expect.objectContaining({ code: 'OMS_CONFIG_INVALID', message: expect.stringContaining(reason) }),
    );
  });

  it('never show the password', () => {
    for (const KAFKA_SASL_PASSWORD of ['hush', 'hush://hush'])
      expect(JSON.stringify(shownConfig(loadConfig({ KAFKA_SASL_PASSWORD })))).not.toContain('hush');
  });
});
