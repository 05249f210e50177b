import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SessionLifecycleService } from 'nestjs-session-auth';
import { AppModule } from '../../examples/streams/app.module.js';
import { Transfers } from '../../examples/streams/transfers.js';
import type { BankClient } from '../support/bank-client.js';
import { EventStream } from '../support/event-stream.js';
import { logIn, startExample, type ExampleApp } from '../support/example-app.js';
import { until } from '../support/patience.js';

/** For browsers: it has no types. */
const PAGE: string = '../../examples/streams/listen.js';

const ENDED = { status: 401, json: { code: 'session_ended', endReason: 'revoked' } };

describe('the example of streams', () => {
  let running: ExampleApp;
  let ada: BankClient;
  let transfers: Transfers;

  beforeEach(async () => {
    running = await startExample(AppModule);
    ada = running.client();
    await logIn(ada);
    transfers = running.app.get(Transfers);
  });
  afterEach(() => running.close());

  const endAll = (): Promise<number> => running.app.get(SessionLifecycleService).revokeAll('1');
  /** Until somebody has got it: handlers listen when their request has come. */
  const transfer = async (isThere: () => boolean): Promise<void> => {
    await until(() => {
      transfers.add({ to: '2', amount: 1 });
      transfers.add({ to: '1', amount: 30 });
      return isThere();
    });
  };

  it('shows transfers as they come, and ends with the session', async () => {
    const stream = await EventStream.open(running.port, '/transfers/events', ada.cookie);
    await transfer(() => stream.events.length > 0);
    expect(stream.events[0]).toEqual({ type: 'transfer', data: '{"to":"1","amount":30}' });
    await endAll();
    const last = await stream.last();
    const [shown, left]: string[][] = [[], []];
    const source = Object.assign(new EventTarget(), { close: () => left!.push('closed') });
    Object.assign(globalThis, { location: { assign: (url: string) => left!.push(url) } });
    const { listen } = (await import(PAGE)) as { listen: (from: EventTarget, show: (data: unknown) => void) => void };
    try {
      listen(source, (data) => shown!.push(JSON.stringify(data)));
      for (const { type, data } of [stream.events[0]!, last!]) source.dispatchEvent(new MessageEvent(type, { data }));
    } finally {
      // Node.js has none, and other test files of this process find out by that
      Reflect.deleteProperty(globalThis, 'location');
    }
    expect([shown, left]).toEqual([['{"to":"1","amount":30}'], ['closed', '/login?ended=revoked']]);
  });

  it('responds to a long poll with the next transfer, or when the session ends', async () => {
    let isAnswered = false;
    const answer = ada.get('/transfers/next').finally(() => (isAnswered = true));
    await transfer(() => isAnswered);
    expect((await answer).json).toEqual({ to: '1', amount: 30 });
    const next = ada.get('/transfers/next');
    await until(() => transfers.waitingFor('1') > 0);
    await endAll();
    expect(await next).toMatchObject(ENDED);
  });

  it('cuts a report that goes on', async () => {
    const stream = await EventStream.open(running.port, '/reports/all', ada.cookie);
    await until(() => stream.text.includes('page 2'));
    await endAll();
    await until(() => stream.state !== 'open');
    expect(stream.state).toBe('cut');
  });
});
