/** In a page: `listen(new EventSource('/transfers/events'), show)`. */
export function listen(source, show) {
  source.addEventListener('transfer', ({ data }) => show(JSON.parse(data)));
  source.addEventListener('session_ended', ({ data }) => {
    source.close();
    const { endReason = 'unknown' } = JSON.parse(data);
    globalThis.location.assign(`/login?ended=${endReason}`);
  });
}
