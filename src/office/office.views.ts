import type { Session } from 'nestjs-session-auth';
import { deviceItem } from '../pages/devices.view.js';
import { alert, field } from '../pages/form.js';
import { html, trustedHtml, type Html } from '../pages/html.js';
import type { SessionEnd } from '../pages/last-session.js';
import type { PageContent } from '../pages/page.js';
import { endNotice } from '../pages/sign-in.views.js';
import type { Customer } from './customer.js';
import type { StaffUser } from './staff-user.js';

/** What the sign-in form of the office shows. */
export interface OfficeLoginForm {
  readonly csrfField: string;
  readonly email?: string;
  readonly problem?: string;
  readonly end?: SessionEnd;
}

export function officeLoginPage({ csrfField, email, problem, end }: OfficeLoginForm): PageContent {
  const body = html` ${endNotice(end)} ${alert(problem)}
    <form class="card" method="post" action="/office/login">
      ${trustedHtml(csrfField)}
      ${field({ name: 'email', label: 'E-mail', type: 'email', autocomplete: 'username', value: email })}
      ${field({ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password' })}
      <button class="wide">Sign in</button>
    </form>
    <p class="soft small">
      For staff. Try <code>olga@office.example.com</code> with <code>olga-demo-password</code>. Customers
      <a href="/login">sign in here</a>.
    </p>`;
  return { title: 'Staff sign in', body, narrow: true };
}

/** What the page of the office shows. */
export interface Office {
  readonly user: StaffUser;
  readonly customers: readonly Customer[];
  /** The live sessions of the user. */
  readonly sessions: readonly Session[];
  /** The session that looks at them. */
  readonly currentId: string;
  readonly now: number;
  readonly csrfField: string;
}

/** The note as it was kept or filled in. */
export interface NoteForm {
  readonly note?: string;
  readonly problem?: string;
}

export function officePage(office: Office, { note, problem }: NoteForm): PageContent {
  const { user, customers, sessions, currentId, now, csrfField } = office;
  const body = html` <section class="card">
      <div class="scroll" tabindex="0" role="region" aria-label="Customers">
        <table>
          <caption>
            Customers
          </caption>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">E-mail</th>
              <th scope="col">Account</th>
              <th scope="col">Signed in on</th>
            </tr>
          </thead>
          <tbody>
            ${customers.map(customerRow)}
          </tbody>
        </table>
      </div>
    </section>
    <div class="columns">
      <section class="card" aria-labelledby="note-heading">
        <h2 id="note-heading">Your note</h2>
        ${alert(problem && 'Nothing was kept: see below.')}
        <form method="post" action="/office/note">
          ${trustedHtml(csrfField)}
          ${field({ name: 'note', label: 'Note', autocomplete: 'off', value: note, hint: 'Kept in your session, and gone with it', problem })}
          <button>Keep</button>
        </form>
      </section>
      <section class="card" aria-labelledby="sessions">
        <h2 id="sessions">Where you’re signed in</h2>
        <p class="soft">In one place at a time: signing in elsewhere signs you out here.</p>
        <ul class="list">
          ${sessions.map((session) => deviceItem(session, { now, isCurrent: session.id === currentId }))}
        </ul>
      </section>
    </div>`;
  return { title: `Hello ${user.name}`, body };
}

function customerRow({ name, email, disabled, sessions }: Customer): Html {
  return html`<tr>
    <td>${name}</td>
    <td>${email}</td>
    <td>${disabled ? 'closed' : 'open'}</td>
    <td>${sessions === 1 ? '1 device' : `${sessions} devices`}</td>
  </tr>`;
}
