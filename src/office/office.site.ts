import type { Site } from '../pages/site.js';

/** The pages for staff. */
export const OFFICE_SITE: Site = {
  badge: 'Back office',
  root: '/office',
  home: '/office',
  homeLink: 'Go to the back office',
  lastSessionCookie: '__Host-office-last-session',
  // all is on one page
  places: () => [],
};
