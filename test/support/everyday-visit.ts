import type { Bank } from './bank.js';

/** What a customer's {@link everydayVisit} is answered. */
export const EVERYDAY_STATUSES = [401, 200, 200, 200, 200, 204, 401, 200];

/**
 * A failed login, one that is remembered, a change, the list of devices, the end of the others, a logout, what comes
 * after.
 */
export async function everydayVisit(bank: Bank): Promise<number[]> {
  const statuses: number[] = [];
  const client = bank.client();
  const wrong = { email: 'alice@example.com', password: 'wrong' };
  statuses.push((await client.post('/auth/login', wrong)).status);
  statuses.push((await client.tryLogin('alice', { rememberMe: true })).status);
  const body = { theme: 'dark' };
  statuses.push((await client.ask('PATCH', '/api/preferences', { body })).status);
  statuses.push((await client.get('/auth/sessions')).status);
  statuses.push((await client.ask('DELETE', '/auth/sessions')).status);
  statuses.push((await client.post('/auth/logout')).status, (await client.get('/api/me')).status);
  statuses.push((await bank.client().get('/health')).status);
  return statuses;
}
