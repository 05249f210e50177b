import type { NextConfig } from 'next';

/** Where the Nest application is, as this server reaches it. */
const NEST = process.env['NEST_ORIGIN'] ?? 'http://localhost:3001';

const config: NextConfig = {
  // browsers see one origin: cookies, Origin and the CSRF token are those of the Nest application
  rewrites: async () =>
    ['auth', 'api'].map((path) => ({ source: `/${path}/:rest*`, destination: `${NEST}/${path}/:rest*` })),
};

export default config;
