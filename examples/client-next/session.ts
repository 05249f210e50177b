'use client';

import { createSessionClient } from 'nestjs-session-auth/client';

export const session = createSessionClient({
  path: '/auth',
  on: { logout: () => location.assign('/login'), sessionRequired: () => location.assign('/login') },
});
