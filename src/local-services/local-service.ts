/** A server of this machine that was started for one run, or one that was running already. */
export interface LocalService {
  /** Where clients connect. */
  readonly url: string;

  /** Ends what was started and removes its data; does nothing to a server that was there before. */
  stop(): Promise<void>;
}

/** Told one line about anything slow or lasting, such as an installation. */
export type ProgressLog = (line: string) => void;

/** A service that someone else runs: stopping it is not ours to do. */
export function runningService(url: string): LocalService {
  return { url, stop: () => Promise.resolve() };
}
