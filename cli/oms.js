#!/usr/bin/env node
// The entry of the command line. Plain JavaScript, so that an old Node can still read it and say what is missing.
const NEEDED = 24;
const major = Number(process.versions.node.split('.')[0]);

if (major < NEEDED) {
  console.error(`oms needs Node ${NEEDED} or newer; this is ${process.versions.node} (${process.execPath}).`);
  console.error('Run `npm install` in the project and use ./oms, which takes the Node that comes with it.');
  process.exit(1);
}

// A reader that goes away (`oms topics tail | head`) is no error.
process.stdout.on('error', (error) => process.exit(error.code === 'EPIPE' ? 0 : 1));

// The Kafka client arms timers in the past, which Node mentions once; nothing follows from it.
process.removeAllListeners('warning');
process.on('warning', (warning) => {
  if (warning.name !== 'TimeoutNegativeWarning') console.error(`${warning.name}: ${warning.message}`);
});

// The first process of a container gets no signal but those it listens for: what nobody else handles ends it.
if (process.pid === 1) {
  for (const [signal, number] of Object.entries({ SIGINT: 2, SIGTERM: 15 })) {
    process.on(signal, () => process.listenerCount(signal) === 1 && process.exit(128 + number));
  }
}

// A role whose `oms up` is gone, however it went, ends in order.
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();

// Compiled modules are kept between runs: a command starts in half the time.
(await import('node:module')).enableCompileCache?.();

let main;
try {
  ({ main } = await import('./main.ts'));
} catch (error) {
  if (error?.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  console.error(`${error.message.split('\n')[0]}\nRun \`npm install\` in the project first.`);
  process.exit(1);
}
const code = await main(process.argv.slice(2));
// What is still on its way to a pipe is written first.
process.stdout.write('', () => process.exit(code));
