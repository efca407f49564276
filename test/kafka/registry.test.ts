import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createRegistry } from '../../kafka/codec/registry.ts';
import type { RegistryPort } from '../../kafka/codec/registry.ts';

const schema = { type: 'record', name: 'R', fields: [{ name: 'a', type: 'string' }] } as const;
let server: Server | undefined;

/** A registry whose answers the test writes. */
async function registryThat(answers: RequestListener): Promise<RegistryPort> {
  server = createServer(answers);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return createRegistry({ url: `http://127.0.0.1:${port}/api/`, timeoutMs: 500 });
}

const json =
  (status: number, body: unknown): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' });
    response.end(JSON.stringify(body));
  };

const byPath =
  (routes: Record<string, RequestListener>): RequestListener =>
  (request, response) =>
    (routes[request.url ?? ''] ?? json(404, { error_code: 404, message: 'HTTP 404 Not Found' }))(request, response);

/** As Confluent's and Apicurio's registries say it. */
const notFound = json(404, { error_code: 40403, message: 'Schema not found' });

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve));
});

describe('registry', () => {
  it('gives the Avro type of an id', async () => {
    const registry = await registryThat(
      byPath({ '/api/schemas/ids/5': json(200, { schema: JSON.stringify(schema) }) }),
    );
    await expect(registry.schemaById(5)).resolves.toMatchObject({ kind: 'avro', type: { name: 'R' } });
  });

  it('says that a schema of another format is not Avro', async () => {
    const answer = { schemaType: 'JSON', schema: JSON.stringify({ type: 'object' }) };
    const registry = await registryThat(byPath({ '/api/schemas/ids/5': json(200, answer) }));
    await expect(registry.schemaById(5)).resolves.toMatchObject({ kind: 'other' });
  });

  it('says that a schema avsc cannot read is not usable', async () => {
    const registry = await registryThat(byPath({ '/api/schemas/ids/5': json(200, { schema: '{"type":"nonsense"}' }) }));
    await expect(registry.schemaById(5)).resolves.toMatchObject({ kind: 'other' });
  });

  it('knows an id as unknown when a registry says so', async () => {
    const registry = await registryThat(byPath({ '/api/schemas/ids/5': notFound }));
    await expect(registry.schemaById(5)).resolves.toBeUndefined();
  });

  it('does not take the 404 of something that is no registry for an answer', async () => {
    const registry = await registryThat(json(404, { error_code: 404, message: 'HTTP 404 Not Found' }));
    await expect(registry.schemaById(5)).rejects.toMatchObject({ code: 'OMS_REGISTRY_UNAVAILABLE', retryable: true });
  });

  it('does not take a page in the place of an answer for a schema', async () => {
    const registry = await registryThat((_request, response) => response.end('<html>back soon</html>'));
    await expect(registry.schemaById(5)).rejects.toMatchObject({ code: 'OMS_REGISTRY_UNAVAILABLE', retryable: true });
  });

  it('does not take an answer without a schema for one', async () => {
    const registry = await registryThat(json(200, {}));
    await expect(registry.schemaById(5)).rejects.toMatchObject({ code: 'OMS_REGISTRY_UNAVAILABLE' });
    await expect(registry.idOf('s', schema)).rejects.toMatchObject({ code: 'OMS_REGISTRY_UNAVAILABLE' });
  });

  it('puts a schema together with those it refers to', async () => {
    const line = { type: 'record', name: 'Line', namespace: 'x', fields: [{ name: 'sku', type: 'string' }] };
    const order = { type: 'record', name: 'O', namespace: 'x', fields: [{ name: 'line', type: 'x.Line' }] };
    const references = [{ name: 'x.Line', subject: 'line', version: 2 }];
    const registry = await registryThat(
      byPath({
        '/api/schemas/ids/5': json(200, { schema: JSON.stringify(order), references }),
        '/api/subjects/line/versions/2': json(200, { schema: JSON.stringify(line) }),
      }),
    );
    const found = await registry.schemaById(5);
    expect(found?.kind === 'avro' && found.type.isValid({ line: { sku: 'a' } })).toBe(true);
  });

  it('asks again when the registry fails once', async () => {
    let requests = 0;
    const answer = json(200, { schema: JSON.stringify(schema) });
    const registry = await registryThat((request, response) =>
      (++requests === 1 ? json(503, {}) : answer)(request, response),
    );
    await expect(registry.schemaById(5)).resolves.toMatchObject({ kind: 'avro' });
  });

  it.each([500, 502, 503, 401, 429])('takes status %i for a fault of the environment', async (status) => {
    const registry = await registryThat(json(status, { message: 'no' }));
    await expect(registry.schemaById(5)).rejects.toMatchObject({ code: 'OMS_REGISTRY_UNAVAILABLE', retryable: true });
    await expect(registry.idOf('s', schema)).rejects.toMatchObject({ code: 'OMS_REGISTRY_UNAVAILABLE' });
  });

  it('takes silence for a fault of the environment', async () => {
    const registry = await registryThat(() => undefined);
    await expect(registry.schemaById(5)).rejects.toMatchObject({ code: 'OMS_REGISTRY_UNAVAILABLE' });
  });

  it('gives the id of a registered schema, and nothing for one that is not', async () => {
    const registry = await registryThat(
      byPath({
        '/api/subjects/s': json(200, { id: 9 }),
        '/api/subjects/none': notFound,
        '/api/subjects': json(200, []),
      }),
    );
    await expect(registry.idOf('s', schema)).resolves.toBe(9);
    await expect(registry.idOf('none', schema)).resolves.toBeUndefined();
  });
});
