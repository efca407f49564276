// The image's health check: asks the role that runs in this container, with Node alone. `node deploy/health.js [readyz]`
import { readFileSync } from 'node:fs';
import { get } from 'node:http';

/** The settings of the health ports; the image gives each a value. */
const PORTS = {
  ingest: 'OMS_INGEST_PORT',
  worker: 'OMS_WORKER_PORT',
  publisher: 'OMS_PUBLISHER_PORT',
  api: 'OMS_API_HEALTH_PORT',
};
const TIMEOUT_MS = 4_000;

const [check = 'livez'] = process.argv.slice(2);
// The container's first process is the role, or an init that was given the role's command line.
const role = readFileSync('/proc/1/cmdline', 'utf8')
  .split('\0')
  .find((word) => Object.hasOwn(PORTS, word));
if (!role) {
  console.log('no role runs here, so there is nothing to ask');
  process.exit(0);
}

const url = `http://127.0.0.1:${process.env[PORTS[role]]}/${check}`;
const request = get(url, { timeout: TIMEOUT_MS }, (response) => {
  response.pipe(process.stdout);
  response.on('end', () => (process.exitCode = response.statusCode === 200 ? 0 : 1));
});
request.on('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
request.on('error', (error) => {
  console.error(`${url}: ${error.message}`);
  process.exitCode = 1;
});
