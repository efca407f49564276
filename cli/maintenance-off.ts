import type { Command } from 'commander';
import { createSwitch } from './maintenance/switch.ts';

/** `oms maintenance off` */
export function createCommand(): Command {
  return createSwitch('off');
}
