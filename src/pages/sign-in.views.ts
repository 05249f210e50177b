import { DEMO_ACCOUNTS } from '../users/bank-users.service.js';
import { alert, field } from './form.js';
import { html, trustedHtml, type Html } from './html.js';
import type { SessionEnd } from './last-session.js';
import type { PageContent } from './page.js';

const SIGNED_OUT = 'You are signed out.';

/** What to tell somebody who finds themselves signed out. */
const END_MESSAGES: Record<SessionEnd, string> = {
  logout: SIGNED_OUT,
  replaced: SIGNED_OUT,
  expired: 'Your session has expired. Please sign in again.',
  revoked: 'You were signed out from another device, or by the bank.',
  evicted: 'You were signed out here because you signed in on more devices than your account may have at a time.',
  upstream_logout: 'You were signed out here because you signed out elsewhere.',
  limit_lowered: 'You were signed out here because your account may be signed in on fewer devices now.',
  credentials_changed: 'Your password was changed, so every other device was signed out. Sign in with the new one.',
  account_disabled: 'Your account has been closed.',
  fingerprint_mismatch:
    'Your session was used by what looked like another browser, so it was ended to protect you. Please sign in again.',
  token_reused:
    'Your session was used by somebody else as well, so it was ended to protect you. Sign in and look at your devices.',
  remember_me_theft:
    'Someone else seems to have stayed signed in as you. All your devices were signed out: sign in and change your password.',
};

/** Tells somebody who finds themselves signed out why that is. */
export function endNotice(end: SessionEnd | undefined): Html | undefined {
  return end === undefined ? undefined : html`<p class="notice" role="status">${END_MESSAGES[end]}</p>`;
}

export function homePage(isSignedIn: boolean): PageContent {
  const account = ({ email, password }: { email: string; password: string }): Html =>
    html`<tr>
      <td>${email}</td>
      <td><code>${password}</code></td>
    </tr>`;
  const body = html` <div class="columns">
    <section class="card">
      <p>
        A small bank that shows what server-side sessions do for its customers: staying signed in, seeing where that is,
        and ending it at once.
      </p>
      <p>
        ${
          isSignedIn
            ? html`<a class="button" href="/account">Go to your account</a>`
            : html`<a class="button" href="/login">Sign in</a>`
        }
      </p>
    </section>
    <section class="card">
      <h2>Who you can be</h2>
      <div class="scroll" tabindex="0" role="region" aria-label="Demo accounts">
        <table>
          <thead>
            <tr>
              <th scope="col">E-mail</th>
              <th scope="col">Password</th>
            </tr>
          </thead>
          <tbody>
            ${DEMO_ACCOUNTS.map(account)}
          </tbody>
        </table>
      </div>
    </section>
  </div>`;
  return { title: 'Welcome to Example Bank', body };
}

/** What the sign-in form shows. */
export interface LoginForm {
  readonly csrfField: string;
  readonly next: string;
  readonly email?: string;
  readonly rememberMe?: boolean;
  readonly problem?: string;
  readonly end?: SessionEnd;
}

export function loginPage({ csrfField, next, email, rememberMe = false, problem, end }: LoginForm): PageContent {
  const body = html` ${endNotice(end)} ${alert(problem)}
    <form class="card" method="post" action="/login">
      ${trustedHtml(csrfField)}<input type="hidden" name="next" value="${next}" />
      ${field({ name: 'email', label: 'E-mail', type: 'email', autocomplete: 'username', value: email })}
      ${field({ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password' })}
      <div class="field">
        <label class="check"
          ><input type="checkbox" name="rememberMe" value="yes" ${rememberMe && html` checked`} />Stay signed in on this
          device</label
        >
      </div>
      <button class="wide">Sign in</button>
    </form>
    <p class="soft small">Try <code>alice@example.com</code> with <code>alice-demo-password</code>.</p>`;
  return { title: 'Sign in', body, narrow: true };
}

export function confirmPage(form: { csrfField: string; next: string; problem?: string }): PageContent {
  const body = html` ${alert(form.problem)}
    <form class="card" method="post" action="/confirm">
      <p>It is a while since you entered your password. Enter it again to go on.</p>
      ${trustedHtml(form.csrfField)}<input type="hidden" name="next" value="${form.next}" />
      ${field({ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password' })}
      <button class="wide">Go on</button>
    </form>`;
  return { title: 'Is it you?', body, narrow: true };
}
