import { deviceName, type Session } from 'nestjs-session-auth';
import { placeOf } from '../users/place-of.js';
import { html, trustedHtml, type Html } from './html.js';
import { moment } from './moment.js';
import type { PageContent } from './page.js';

/** A page of sessions to show. */
export interface Devices {
  readonly sessions: readonly Session[];
  /** The cursor of the next page. */
  readonly next: string | undefined;
  /** The session that looks at them. */
  readonly currentId: string;
  readonly csrfField: string;
  readonly now: number;
}

export function devicesPage({ sessions, next, currentId, csrfField, now }: Devices): PageContent {
  const items = sessions.map((session) =>
    deviceItem(session, {
      now,
      isCurrent: session.id === currentId,
      end: { action: `/devices/${session.id}/end`, csrfField },
    }),
  );
  const body = html` <section class="card">
      <ul class="list">
        ${items}
      </ul>
      ${next !== undefined && html`<p><a href="/devices?cursor=${encodeURIComponent(next)}">Show more</a></p>`}
    </section>
    <form method="post" action="/devices/end-others">
      ${trustedHtml(csrfField)} <button class="danger">Sign out all other devices</button>
    </form>
    <p class="soft small">
      This also ends “stay signed in” there. If a device is not yours, change your password as well.
    </p>`;
  return { title: 'Where you’re signed in', body };
}

/** How {@link deviceItem} shows a session. */
export interface DeviceItem {
  readonly now: number;
  readonly isCurrent: boolean;
  /** The form that ends it. @default none */
  readonly end?: { readonly action: string; readonly csrfField: string };
}

/** A session in a list: what and where the device is, since when, and a button to end it. */
export function deviceItem(session: Session, { now, isCurrent, end }: DeviceItem): Html {
  const device = deviceName(session.userAgent);
  return html`<li>
    <div>
      <strong>${device}</strong>${isCurrent && html` <span class="badge">This device</span>`}<br />
      <span class="soft small"
        >From ${placeOf(session.ip)} · active ${moment(session.lastActivityAt, now)} · signed in
        ${moment(session.createdAt, now)}${session.authentication === 'remember-me' && ', by staying signed in'}</span
      >
    </div>
    ${
      end !== undefined &&
      html`<form method="post" action="${end.action}">
        ${trustedHtml(end.csrfField)}<button class="danger">
          Sign out<span class="hidden">
            ${isCurrent ? 'this device' : `${device}, active ${session.lastActivityAt.toUTCString()}`}</span
          >
        </button>
      </form>`
    }
  </li>`;
}
