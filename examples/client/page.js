import { session } from './session.js';

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
