/** How a session was authenticated. `'custom'` is a method of the application, such as single sign-on. */
export type SessionAuthentication = 'password' | 'remember-me' | 'custom';
