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
