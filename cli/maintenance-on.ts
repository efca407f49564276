import type { Command } from 'commander';
import { createSwitch } from './maintenance/switch.ts';

/** `oms maintenance on` */
export function createCommand(): Command {
  return createSwitch('on');
}
