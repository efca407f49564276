import { describe, expect, it } from '@jest/globals';
import { loadConfig, shownConfig, unknownSettings } from '../../platform/config/load.ts';
import { timersOf } from '../../temporal/order-workflows.ts';

function faultsOf(environment: Record<string, string>): string[] {
  try {
    loadConfig(environment);
    return [];
  } catch (error) {
    return error instanceof Error ? error.message.split('\n') : [];
  }
}

describe('configuration', () => {
  it('has a default for every setting', () => {
    expect(loadConfig({})).toMatchObject({ KAFKA_BROKERS: ['127.0.0.1:9092'], OMS_CUSTOMER_ACTION_TIMEOUT: 30_000 });
  });

  it('reports every fault at once, each with name, value and rule', () => {
    const faulty = { OMS_KAFKA_PORT: '99999', OMS_SHUTDOWN_GRACE: 'soon', SCHEMA_REGISTRY_URL: 'nowhere' };
    expect(() => loadConfig(faulty)).toThrow(expect.objectContaining({ code: 'OMS_CONFIG_INVALID' }));
    const lines = faultsOf(faulty);
    expect(lines).toHaveLength(3);
    expect(lines).toContainEqual(expect.stringMatching(/^OMS_KAFKA_PORT is "99999": must be a whole number .*65535$/));
    expect(lines).toContainEqual(expect.stringMatching(/^OMS_SHUTDOWN_GRACE is "soon": must be a number and a unit/));
    expect(lines).toContainEqual(expect.stringMatching(/^SCHEMA_REGISTRY_URL is "nowhere": must be an http/));
  });

  it('takes the addresses of a running stack for what is not set, and the environment before them', () => {
    const config = loadConfig({ TEMPORAL_ADDRESS: 'a:1' }, { TEMPORAL_ADDRESS: 'b:2', KAFKA_BROKERS: 'c:3,d:4' });
    expect(config.TEMPORAL_ADDRESS).toBe('a:1');
    expect(config.KAFKA_BROKERS).toEqual(['c:3', 'd:4']);
  });

  it('reads tax by country and shipping by currency, and names what is wrong with one', () => {
    const config = loadConfig({ OMS_TAX_RATES: 'GB=2000, DE=1900,*=0', OMS_SHIPPING_PRICES: 'EUR=600' });
    expect(config.OMS_TAX_RATES).toEqual({ GB: 2_000, DE: 1_900, '*': 0 });
    expect(config.OMS_SHIPPING_PRICES).toEqual({ EUR: 600 });
    expect(loadConfig({}).OMS_TAX_RATES).toEqual({});
    expect(faultsOf({ OMS_TAX_RATES: 'Germany=1900' })[0]).toContain('"Germany=1900": must be a country');
    expect(faultsOf({ OMS_TAX_RATES: 'DE=19.5' })[0]).toContain('"DE=19.5": must be');
    expect(faultsOf({ OMS_TAX_RATES: 'DE=10001' })).toHaveLength(1);
    expect(faultsOf({ OMS_TAX_RATES: 'DE=1,DE=2' })[0]).toContain('DE must not be named twice');
    expect(faultsOf({ OMS_PAYMENT_MODE: 'later' })).toHaveLength(1);
  });

  it('has timers of their own for sources that need them, and names what is wrong with one', () => {
    const config = loadConfig({
      OMS_SOURCE_TIMERS: 'webshop/ship-by=1 d, webshop/reservation=2 h,pos/customer-action=5 m',
    });
    expect(timersOf(config)('webshop')).toMatchObject({ shipByMs: 86_400_000, reservationMs: 7_200_000 });
    expect(timersOf(config)('pos')).toMatchObject({ customerActionMs: 300_000, shipByMs: config.OMS_SHIP_BY });
    expect(timersOf(config)('other')).toEqual(timersOf(config)(null));
    expect(faultsOf({ OMS_SOURCE_TIMERS: 'webshop' })[0]).toContain(
      '"webshop" must be a source, a timer and a duration',
    );
    expect(faultsOf({ OMS_SOURCE_TIMERS: 'a/tea-time=1 h' })[0]).toContain('"tea-time" must be one of customer-action');
    expect(faultsOf({ OMS_SOURCE_TIMERS: 'a/ship-by=soon' })[0]).toContain(
      '"a/ship-by=soon" must be a number and a unit',
    );
  });

  it('never shows a secret, neither in force nor in a fault', () => {
    const config = loadConfig({ DATABASE_URL: 'postgres://oms:hunter2@db:5432/oms' });
    expect(JSON.stringify(shownConfig(config))).not.toContain('hunter2');
    expect(JSON.stringify(shownConfig(config))).toContain('postgres://oms:***@db');
    expect(() => loadConfig({ DATABASE_URL: 'hunter2' })).toThrow(/^DATABASE_URL is \(hidden\)/);
  });

  it('names settings that look like ours but are not', () => {
    expect(unknownSettings({ OMS_PREFX: 'x', OMS_PREFIX: 'y', HOME: '/' })).toEqual(['OMS_PREFX']);
  });
});
