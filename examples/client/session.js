import { createSessionClient } from 'nestjs-session-auth/client';

const dialog = document.querySelector('dialog');

/** Asks for the password, and resolves to whether it was right. */
async function confirmPassword() {
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }));
  if (dialog.returnValue !== 'go on') return false;
  const password = dialog.querySelector('input').value;
  return session.reauthenticate({ password }).then(
    () => true,
    () => false,
  );
}

function showSignedOut() {
  document.body.dataset.user = '';
  document.querySelector('output').value = 'You are signed out.';
}

export const session = createSessionClient({
  path: '/auth',
  on: {
    login: ({ email }) => {
      document.body.dataset.user = email;
      document.querySelector('output').value = '';
    },
    logout: showSignedOut,
    sessionRequired: showSignedOut,
    expiring: () => {
      document.querySelector('output').value = 'You will be signed out soon.';
    },
    recentAuthenticationRequired: confirmPassword,
    tooManyAttempts: (retryAfter) => {
      document.querySelector('output').value = `Try again in ${retryAfter} seconds.`;
    },
  },
});

document.querySelector('#login').addEventListener('submit', async (event) => {
  event.preventDefault();
  const credentials = Object.fromEntries(new FormData(event.target));
  await session.login(credentials).catch(({ message }) => {
    document.querySelector('output').value = message;
  });
});

document.querySelector('#change').addEventListener('submit', async (event) => {
  event.preventDefault();
  const { ok } = await session.fetch('/api/settings/email', {
    method: 'POST',
    body: new URLSearchParams(new FormData(event.target)),
  });
  if (ok) document.querySelector('output').value = 'It is changed.';
});
