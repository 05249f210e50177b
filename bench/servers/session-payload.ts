/** What a session knows, for contenders that keep whatever they are given: what this library records of a login. */
export function sessionPayload(userId: string): Record<string, unknown> {
  const now = Date.now();
  return {
    userId,
    email: `${userId}@example.com`,
    roles: ['customer'],
    createdAt: now,
    authenticatedAt: now,
    authentication: 'password',
    ip: '127.0.0.1',
    userAgent: USER_AGENT,
  };
}

export const USER_AGENT =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36';
