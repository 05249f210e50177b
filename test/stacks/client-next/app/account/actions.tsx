'use client';

import { useState } from 'react';
import { session } from '../../examples/client-next/session';

export function Actions() {
  const [status, setStatus] = useState<number>();
  const send = async (): Promise<void> => {
    const response = await session.fetch('/api/transfer', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ to: 'bob', amount: 1 }),
    });
    setStatus(response.status);
  };
  return (
    <>
      <button onClick={send}>Send money</button>
      <button onClick={() => session.logout()}>Sign out</button>
      <output>{status}</output>
    </>
  );
}
