// The addon's class as napi will generate it (native/addon/dist/index.d.ts after a build).
export declare class Aggregator {
  /** `onMessages` gets a JSON array of CoreMessage; at most ten calls a second; the first of a quiet time comes at once. */
  constructor(onMessages: (json: string) => void);
  /** Names of the secrets to read, given the text of the secret `geminiApiKeysIds` (or undefined). */
  static secretNames(index?: string | undefined | null): Array<string>;
  /** Takes JSON of OpenOptions, loads the vault. Resolves to JSON of OpenReport; rejects when settings are invalid. */
  open(optionsJson: string): Promise<string>;
  /** Resolves to JSON of EndpointView. Never rejects for a taken port: that is kind "elsewhere" or "failed". */
  startServer(): Promise<string>;
  stopServer(): Promise<string>;
  /** JSON of Command in, JSON of Reply out. */
  command(json: string): Promise<string>;
  /** JSON of Snapshot. */
  snapshot(): string;
  localToken(): string;
  vaultWritten(ticket: number, error?: string | undefined | null): void;
  /** Stops the server, lets go of everything. Idempotent. */
  close(): Promise<void>;
}
