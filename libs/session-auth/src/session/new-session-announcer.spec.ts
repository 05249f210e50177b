import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { digestOf, issueHandle, issueSessionToken } from '../crypto/session-token.js';
import { NewSessionAnnouncer, type SessionOrigin } from './new-session-announcer.js';
import type { NewSessionNotice, NewSessionNotifier } from './new-session-notifier.js';
import { Session } from './session.js';

const NOW = Date.UTC(2026, 0, 1);
const notAskedFor = (): never => {
  throw new Error('not asked for');
};
const ALICE = { id: 7, email: 'alice@example.com' };
const SESSION = new Session(
  {
    digest: digestOf(issueSessionToken('7')),
    id: issueHandle(),
    userId: '7',
    roles: [],
    createdAt: NOW,
    rotatedAt: NOW,
    lastActivityAt: NOW,
    expiresAt: NOW,
    absoluteExpiresAt: NOW,
    ip: '192.0.2.1',
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    data: {},
  },
  { realm: 'default', update: notAskedFor, signalOf: notAskedFor },
);
const ORIGIN = { newDevice: true, isReplacement: false };

describe('the announcement of a new session', () => {
  let sent: NewSessionNotice[];
  let asked: unknown[];
  let logged: jest.Spied<Logger['error']>;

  beforeEach(() => {
    sent = [];
    asked = [];
    logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  async function announce(changes: Partial<NewSessionNotifier>, origin: SessionOrigin = ORIGIN): Promise<void> {
    const notifier: NewSessionNotifier = {
      wants: (user) => {
        asked.push(user);
        return true;
      },
      send: (notice) => void sent.push(notice),
      ...changes,
    };
    new NewSessionAnnouncer(notifier).announce(ALICE, SESSION, origin);
    await new Promise((resolve) => setImmediate(resolve));
  }

  it('says whose it is, what it is, from where, and whether it takes the place of another', async () => {
    await announce({});
    await announce({}, { newDevice: undefined, isReplacement: true });
    expect(asked).toEqual([ALICE, ALICE]);
    const told = { user: ALICE, session: SESSION.toJSON(), device: 'Firefox on Linux', ip: '192.0.2.1' };
    expect(sent).toEqual([
      { ...told, newDevice: true, isReplacement: false },
      { ...told, newDevice: undefined, isReplacement: true },
    ]);
    expect(logged).not.toHaveBeenCalled();
  });

  it('is sent to nobody who does not want it, at once or later', async () => {
    await announce({ wants: () => false });
    await announce({ wants: () => Promise.resolve(false) });
    // only `true` counts as a yes
    await announce({ wants: () => 'no' as unknown as boolean });
    expect(sent).toEqual([]);
    expect(logged).not.toHaveBeenCalled();
  });

  it('tells the log of a failure, and nobody else', async () => {
    const throwing = (): never => {
      throw new Error('no mail server');
    };
    await announce({ wants: throwing });
    await announce({ send: throwing });
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what an application may do
    await announce({ send: () => Promise.reject('no mail server') });
    const message = 'a new session of user "7" could not be announced';
    expect(logged.mock.calls).toEqual([
      [message, expect.stringContaining('Error: no mail server\n')],
      [message, expect.stringContaining('Error: no mail server\n')],
      [message, 'no mail server'],
    ]);
    expect(logged.mock.contexts[0]).toMatchObject({ context: 'SessionNotifier' });
  });
});
