/** How a session came to be authenticated. `'custom'` is any way of the application's own, such as single sign-on. */
export type SessionAuthentication = 'password' | 'remember-me' | 'custom';
