/** What the command line of `oms up` says. */
export interface UpFlags {
  json?: boolean;
  demo: boolean;
  ephemeral?: boolean;
  stackOnly?: boolean;
}
