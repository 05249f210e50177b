/** What differs between the pages for customers and the pages for staff. */
export interface Site {
  /** What follows the bank's name in the frame of each page. */
  readonly badge?: string;
  /** What the path of each page begins with. */
  readonly root: '' | '/office';
  /** Where a user lands who has signed in. */
  readonly home: string;
  /** What the link to that page says. */
  readonly homeLink: string;
  /** The cookie by which a browser remembers its last session: see `LastSession`. */
  readonly lastSessionCookie: string;
  /** The links of the navigation, for a user with these roles. */
  places(roles: readonly string[]): readonly Place[];
}

/** The path and the name of a page. */
export type Place = readonly [path: string, name: string];

/** Where the {@link Site} is injected from. */
export const SITE = Symbol('site');

const PLACES: readonly Place[] = [
  ['/account', 'Account'],
  ['/devices', 'Devices'],
  ['/password', 'Password'],
  ['/outbox', 'Outbox'],
];

/** The pages for customers. */
export const BANK_SITE: Site = {
  root: '',
  home: '/account',
  homeLink: 'Go to your account',
  lastSessionCookie: '__Host-last-session',
  places: (roles) => (roles.includes('admin') ? [...PLACES, ['/admin', 'Admin']] : PLACES),
};
