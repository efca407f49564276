import type { Command } from 'commander';
import { createSwitch } from './maintenance/switch.ts';

/** `oms maintenance show` */
export function createCommand(): Command {
  return createSwitch('show');
}
