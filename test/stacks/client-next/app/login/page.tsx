'use client';

import { session } from '../../examples/client-next/session';

export default function LoginPage() {
  const signIn = async (form: FormData): Promise<void> => {
    await session.login({ email: `${form.get('email')}`, password: `${form.get('password')}` });
    location.assign('/account');
  };
  return (
    <form action={signIn}>
      <input name="email" aria-label="E-mail" />
      <input name="password" type="password" aria-label="Password" />
      <button>Sign in</button>
    </form>
  );
}
