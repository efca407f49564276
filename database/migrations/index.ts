import type { MigrationSet } from '../apply-migrations.ts';
import * as foundation from './0001-foundation.ts';
import * as expectation from './0002-expect.ts';
import * as stock from './0003-stock.ts';
import * as money from './0004-money.ts';
import * as carrier from './0005-carrier.ts';
import * as deadlines from './0006-deadlines.ts';
import * as api from './0007-api.ts';
import * as replay from './0008-replay.ts';
import * as decisions from './0009-decisions.ts';
import * as shipmentLists from './0010-shipment-lists.ts';
import * as charges from './0011-charges.ts';
import * as feedNumber from './0012-feed-number.ts';
import * as replayNotes from './0013-replay-notes.ts';

/** Every migration, by the name it is recorded under; names are never changed. */
export const MIGRATIONS: MigrationSet['migrations'] = {
  '0001-foundation': foundation,
  '0002-expect': expectation,
  '0003-stock': stock,
  '0004-money': money,
  '0005-carrier': carrier,
  '0006-deadlines': deadlines,
  '0007-api': api,
  '0008-replay': replay,
  '0009-decisions': decisions,
  '0010-shipment-lists': shipmentLists,
  '0011-charges': charges,
  '0012-feed-number': feedNumber,
  '0013-replay-notes': replayNotes,
};
