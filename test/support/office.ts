import type { Answer, BankClient } from './bank-client.js';

/** All cookies that the library may give a browser in the realm of the bank's customers. */
export const BANK_COOKIES = [
  '__Host-session',
  '__Host-session-csrf',
  '__Host-session-remember',
  '__Host-session-device',
];

/** All cookies that the library may give a browser in the realm of the bank's staff. */
export const OFFICE_COOKIES = BANK_COOKIES.map((name) => name.replace('session', 'office-session'));

/** The CSRF token in the form of a page. */
export async function formToken(client: BankClient, page: string): Promise<string> {
  const { text } = await client.get(page);
  return /name="csrf_token" value="([^"]+)"/.exec(text)?.[1] ?? '';
}

/** Sends a form as browsers do. */
export function sendForm(
  client: BankClient,
  action: string,
  token: string,
  fields: Record<string, string> = {},
): Promise<Answer> {
  return client.post(action, new URLSearchParams({ csrf_token: token, ...fields }).toString(), {
    csrf: false,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
}

/** Fills in the sign-in form of the back office and sends it. */
export async function tryOffice(
  client: BankClient,
  email: string,
  password: string = 'olga-demo-password',
): Promise<Answer> {
  return sendForm(client, '/office/login', await formToken(client, '/office/login'), { email, password });
}

/** Signs in to the back office by its form; fails the test when that fails. */
export async function enterOffice(client: BankClient, name = 'olga'): Promise<void> {
  const { status, headers, text } = await tryOffice(client, `${name}@office.example.com`, `${name}-demo-password`);
  if (status !== 303 || headers.location !== '/office') throw new Error(`sign-in of ${name}: ${status} ${text}`);
}

/** Whether the client is signed in to the back office, by a guarded route. */
export async function isInOffice(client: BankClient): Promise<boolean> {
  const { status } = await client.get('/office/api/customers');
  if (status !== 200 && status !== 401) throw new Error(`GET /office/api/customers answered ${status}`);
  return status === 200;
}
