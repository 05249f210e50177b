import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { NewSessionAnnouncer } from './new-session-announcer.js';
import { NewSessionNotifier, type NewSessionNotice } from './new-session-notifier.js';
import type { SessionRecord } from './session-record.js';
import { Session } from './session.js';

const ALICE = { id: 'alice', email: 'alice@example.com', roles: [] };
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0';
const RECORD: SessionRecord = {
  digest: 'secret digest',
  id: 'handle',
  userId: 'alice',
  roles: [],
  createdAt: 1,
  rotatedAt: 1,
  lastActivityAt: 1,
  expiresAt: 2,
  absoluteExpiresAt: 3,
  ip: '192.0.2.1',
  userAgent: FIREFOX,
  data: { secret: true },
};
const SESSION = new Session(RECORD, () => Promise.reject(new Error('not to be updated')));

describe('NewSessionAnnouncer', () => {
  let errors: jest.Spied<Logger['error']>;

  beforeEach(() => {
    errors = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  /** Announces a session to a notifier; answers what that was asked to send. */
  async function announce(notifier: Partial<NewSessionNotifier>, newDevice?: boolean): Promise<NewSessionNotice[]> {
    const sent: NewSessionNotice[] = [];
    const all = { wants: () => true, send: (notice: NewSessionNotice) => void sent.push(notice), ...notifier };
    new NewSessionAnnouncer(all).announce(ALICE, SESSION, newDevice);
    await new Promise((resolve) => setImmediate(resolve));
    return sent;
  }

  it('has a notice sent that names device and address, and nothing secret', async () => {
    const notices = await announce({}, true);
    const session = SESSION.toJSON();
    expect(notices).toEqual([{ user: ALICE, session, device: 'Firefox on Linux', ip: '192.0.2.1', newDevice: true }]);
    expect(JSON.stringify(notices)).not.toContain('secret');
    expect((await announce({}))[0]?.newDevice).toBeUndefined();
  });

  it('sends only to who wants it, and says so: anything but true is a no', async () => {
    const asked: unknown[] = [];
    const wants = (user: unknown): Promise<boolean> => Promise.resolve(asked.push(user) < 0);
    expect(await announce({ wants })).toEqual([]);
    expect(asked).toEqual([ALICE]);
    expect(await announce({ wants: () => 'yes' as unknown as boolean })).toEqual([]);
    expect(await announce({ wants: () => Promise.resolve(true) })).toHaveLength(1);
    expect(errors).not.toHaveBeenCalled();
  });

  it.each<[string, Partial<NewSessionNotifier>]>([
    [
      'throws when it is asked',
      {
        wants: () => {
          throw new Error('no mail server');
        },
      },
    ],
    ['rejects when it is to send', { send: () => Promise.reject(new Error('no mail server')) }],
  ])('logs a notifier that %s, and breaks nothing', async (_how, notifier) => {
    expect(await announce(notifier)).toEqual([]);
    expect(errors.mock.calls).toEqual([
      ['a new session of user "alice" could not be announced', expect.stringContaining('no mail server')],
    ]);
  });

  it('logs also what is no error', async () => {
    const failure: unknown = 'no mail server';
    await announce({
      wants: () => {
        throw failure;
      },
    });
    expect(errors.mock.calls).toEqual([['a new session of user "alice" could not be announced', 'no mail server']]);
  });

  it('does nothing without a notifier', () => {
    expect(() => new NewSessionAnnouncer(undefined).announce(ALICE, SESSION, true)).not.toThrow();
    expect(errors).not.toHaveBeenCalled();
  });
});
