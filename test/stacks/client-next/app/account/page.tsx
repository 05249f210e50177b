import { redirect } from 'next/navigation';
import { currentSession } from '../../examples/client-next/current-session';
import { Actions } from './actions';

export default async function AccountPage() {
  const session = await currentSession();
  if (session === undefined) redirect('/login');
  return (
    <>
      <h1>{session.email}</h1>
      <Actions />
    </>
  );
}
