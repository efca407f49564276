import { sql } from 'kysely';
import type { Kysely } from 'kysely';

const STATEMENTS = [
  // Levels come from outside with a version of their own; stock.version counts every move. Until a level has come it is null.
  // Pieces promised to orders beyond those that are there are `shortage`: on_hand then stays at what is promised.
  `alter table stock
    add column level_version bigint check (level_version >= 0),
    add column counted_at timestamptz,
    add column shortage bigint not null default 0,
    add constraint stock_shortage_check check (shortage between 0 and reserved),
    add constraint stock_short_check check (shortage = 0 or on_hand = reserved)`,
  `create index stock_short on stock (sku, warehouse) where shortage > 0`,

  // The price list: `prices` is what is in force. Each change of prices has the next version; the history tells what a
  // version of it said.
  `create table price_list (
    singleton boolean primary key default true check (singleton),
    version bigint not null default 0,
    changed_at timestamptz not null default now()
  )`,
  `insert into price_list default values`,
  `create table price_history (
    sku text collate "C" not null,
    currency char(3) not null,
    list_version bigint not null,
    unit_price bigint not null check (unit_price >= 0),
    changed_at timestamptz not null default now(),
    primary key (sku, currency, list_version)
  )`,
  `insert into price_history (sku, currency, list_version, unit_price)
    select sku, currency, 0, unit_price from prices`,
  // The newest price each warehouse has sent; of these the one counted last is in force.
  `create table price_levels (
    sku text collate "C" not null,
    currency char(3) not null,
    warehouse text collate "C" not null,
    unit_price bigint not null check (unit_price >= 0),
    level_version bigint not null,
    counted_at timestamptz not null,
    primary key (sku, currency, warehouse)
  )`,
  // `from_*`: the level the price came with; a price set by hand keeps those of the level it stands in for.
  `alter table prices
    add column list_version bigint not null default 0,
    add column from_warehouse text collate "C",
    add column from_version bigint`,

  // False for what was split by a rule that keeps no stock: none is ever moved for it, whatever the rule is by then.
  `alter table fulfillments add column holds_stock boolean not null default true`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
