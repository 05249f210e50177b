const HEAD_END = '\r\n\r\n';

/** Whether a response has arrived in full, by its `Content-Length`. */
export function isWhole(response: string): boolean {
  const end = response.indexOf(HEAD_END);
  if (end === -1) return false;
  const length = /\r\ncontent-length: *(\d+)/i.exec(response)?.[1];
  if (length === undefined && !response.startsWith('HTTP/1.1 204')) throw new Error('a response without a length');
  return response.length >= end + HEAD_END.length + Number(length ?? 0);
}
