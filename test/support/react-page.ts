import { createElement, StrictMode, type ReactElement } from 'react';
import { createRoot, type Container } from 'react-dom/client';
import { client, useSession } from '../../examples/client-react/use-session.js';

interface Page {
  readonly document: { querySelector(selector: string): Container };
  client: typeof client;
}

function Who(): ReactElement {
  const session = useSession();
  return createElement('p', null, session === undefined ? 'asking' : (session?.email ?? 'nobody'));
}

const page = globalThis as unknown as Page;
page.client = client;
// two components, and each is mounted twice: both ask, the server is asked once
createRoot(page.document.querySelector('main')).render(
  createElement(StrictMode, null, createElement(Who), createElement(Who)),
);
