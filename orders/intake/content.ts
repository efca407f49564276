import { hash } from 'node:crypto';
import { fingerprintText } from '../../domain/fingerprint.ts';
import type { LifecycleMessage } from '../../domain/lifecycle.ts';
import type { PlacedOrder } from '../../domain/order.ts';

/** sha-256 of what makes two events the same order (domain/fingerprint.ts), by the version the ledger row names. */
export function fingerprint(order: PlacedOrder, version?: number): Buffer {
  return hash('sha256', fingerprintText(order, version), 'buffer');
}

/**
 * Content hash of a placed order: of its bytes. Equal bytes are the same event for sure, at a tenth of what the
 * fingerprint costs; whether other bytes are the same order, the fingerprint tells.
 */
export function placedHash(value: Buffer): Buffer {
  return hash('sha256', value, 'buffer');
}

/** Content hash of a lifecycle event: of who asks for what. The time and the encoding may differ between retries. */
export function lifecycleHash(source: string, message: LifecycleMessage): Buffer {
  return hash('sha256', JSON.stringify([source, message]), 'buffer');
}
