/**
 * A process that a test started ends when the test's own process does, however that went: its standard input is a pipe
 * that closes then. Without it, one that was waited for in vain would run on for ever.
 */
process.stdin.once('close', () => process.kill(process.pid, 'SIGKILL'));
process.stdin.resume();
// Waiting for that is no reason to stay.
(process.stdin as { unref?: () => void }).unref?.();
