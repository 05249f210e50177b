import { MemorySessionStore, type FindOutcome, type Touch } from 'nestjs-session-auth';

/** A store in memory of which a test says what happens while a session is read. */
export class SteeredStore extends MemorySessionStore {
  /** Runs before the record is read. One that throws is a store that is down. */
  before: (() => Promise<unknown> | undefined) | undefined;
  /** Runs after the record was read, before it is returned. */
  after: (() => Promise<unknown>) | undefined;

  /** How many reads there were. */
  reads = 0;

  /** Holds reads up until the function is called that it returns. */
  hold(): () => void {
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    this.before = () => gate;
    return () => {
      this.before = undefined;
      open();
    };
  }

  override async find(digest: string, touch: Touch): Promise<FindOutcome> {
    this.reads += 1;
    await this.before?.();
    const found = await super.find(digest, touch);
    await this.after?.();
    return found;
  }
}
