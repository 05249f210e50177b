import type { AuditEntry } from 'nestjs-session-auth';
import type { BankUser } from '../users/bank-user.js';
import { deviceItem, type Devices } from './devices.view.js';
import { html, trustedHtml, type Html } from './html.js';
import type { PageContent } from './page.js';

/** A customer in the overview. */
export interface CustomerRow {
  readonly user: BankUser;
  /** How many live ones they have. */
  readonly sessions: number;
}

export function adminPage(customers: readonly CustomerRow[], events: readonly AuditEntry[]): PageContent {
  const body = html` <section class="card">
      <div class="scroll" tabindex="0" role="region" aria-label="Users">
        <table>
          <caption>
            Users
          </caption>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">E-mail</th>
              <th scope="col">Roles</th>
              <th scope="col">Sessions</th>
            </tr>
          </thead>
          <tbody>
            ${customers.map(customerRow)}
          </tbody>
        </table>
      </div>
    </section>
    <section class="card">
      <div class="scroll events" tabindex="0" role="region" aria-label="Recent events">
        <table>
          <caption>
            Recent events
          </caption>
          <thead>
            <tr>
              <th scope="col">Time (UTC)</th>
              <th scope="col">Event</th>
              <th scope="col">User</th>
              <th scope="col">From</th>
              <th scope="col">Details</th>
            </tr>
          </thead>
          <tbody>
            ${events.map(eventRow)}
          </tbody>
        </table>
      </div>
      <p class="soft small">Of this node, since it was started. The audit log has them all.</p>
    </section>`;
  return { title: 'Administration', body };
}

export function customerPage(user: BankUser, devices: Devices): PageContent {
  const { sessions, next, currentId, csrfField, now } = devices;
  const path = `/admin/users/${user.id}`;
  const items = sessions.map((session) =>
    deviceItem(session, {
      now,
      isCurrent: session.id === currentId,
      end: { action: `${path}/sessions/${session.id}/end`, csrfField },
    }),
  );
  const body = html` <p class="soft">${user.email} · ${user.roles.join(', ')}</p>
    <section class="card" aria-labelledby="sessions">
      <h2 id="sessions">Sessions</h2>
      ${
        items.length === 0
          ? html`<p class="soft">None.</p>`
          : html`<ul class="list">
              ${items}
            </ul>`
      }
      ${next !== undefined && html`<p><a href="${path}?cursor=${encodeURIComponent(next)}">Show more</a></p>`}
    </section>
    <form method="post" action="${path}/end-all">
      ${trustedHtml(csrfField)} <button class="danger">Sign ${user.name} out everywhere</button>
    </form>
    <p><a href="/admin">Back to all users</a></p>`;
  return { title: user.name, body };
}

function customerRow({ user, sessions }: CustomerRow): Html {
  return html`<tr>
    <td><a href="/admin/users/${user.id}">${user.name}</a></td>
    <td>${user.email}</td>
    <td>${user.roles.join(', ')}</td>
    <td>${sessions}</td>
  </tr>`;
}

function eventRow(entry: AuditEntry): Html {
  const {
    datetime,
    event,
    level: _level,
    type: _type,
    userid,
    session: _session,
    realm: _realm,
    source_ip,
    useragent: _agent,
    ...details
  } = entry;
  const shown = Object.entries(details).filter(([, value]) => value !== undefined);
  return html`<tr>
    <td>${datetime.slice(0, 19).replace('T', ' ')}</td>
    <td><code>${event}</code></td>
    <td>${userid}</td>
    <td>${source_ip}</td>
    <td>${shown.map(([name, value]) => `${name}: ${String(value)}`).join(', ')}</td>
  </tr>`;
}
