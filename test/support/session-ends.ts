import { SessionAuthService, SessionLifecycleService } from 'nestjs-session-auth';
import type { BankClient } from './bank-client.js';
import type { Bank } from './bank.js';

/** A session of alice, and the node that ends it. */
interface SessionToEnd {
  readonly node: Bank;
  readonly other: Bank;
  /** The browser that has the session. */
  readonly client: BankClient;
  readonly id: string;
}

/** The ways in which a session of alice, whose limit is three, can end. */
export const SESSION_ENDS: Readonly<Record<string, (session: SessionToEnd) => Promise<unknown>>> = {
  'a logout': ({ client }) => client.post('/auth/logout'),
  'a revocation by another device': async ({ node, id }) => {
    const other = node.client();
    await other.login('alice');
    await other.ask('DELETE', `/auth/sessions/${id}`);
  },
  'a revocation of all others': async ({ node }) => {
    const other = node.client();
    await other.login('alice');
    await other.ask('DELETE', '/auth/sessions');
  },
  'a revocation of all': ({ client }) => client.ask('DELETE', '/auth/sessions?include=current'),
  'an eviction by the limit': async ({ node }) => {
    for (let login = 0; login < 3; login += 1) await node.client().login('alice');
  },
  'a login as somebody else in its place': ({ client }) => client.login('bob'),
  'a change of credentials': ({ node }) => node.app.get(SessionAuthService).credentialsChanged('alice'),
  'an account that is disabled': ({ node }) => node.app.get(SessionAuthService).accountDisabled('alice'),
  'an end by the application': ({ node, id }) => node.app.get(SessionLifecycleService).revoke('alice', id),
  'the end of every session': ({ node }) => node.app.get(SessionLifecycleService).endEverySession(),
  'the end of all sessions before a date': ({ node, other }) => {
    node.clock.advance(1000);
    other.clock.advance(1000);
    return node.app.get(SessionLifecycleService).endSessionsBefore(new Date(node.clock.now()));
  },
  'an erasure of the user': ({ node }) => node.app.get(SessionLifecycleService).eraseUser('alice'),
  'a proof that replaces the token': ({ client }) =>
    client.post('/auth/reauthenticate', { password: 'alice-demo-password' }),
};
