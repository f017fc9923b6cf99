import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { mediaTypes } from '../../src/registry/media-types.ts';
import type { MadeImage } from './layer-image.ts';

/** Answers a request itself, and says so with true; otherwise it is answered as a good registry does. */
export type Script = (request: http.IncomingMessage, response: http.ServerResponse) => boolean | Promise<boolean>;

export interface ScriptedRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** All requests so far: `GET /v2/...`. */
  readonly requests: string[];
}

/** A registry with one image under every name and tag, which does what the script says before it does what is right. Gone after the test. */
export async function scriptedRegistry(context: TestContext, image: MadeImage, script: Script = () => false): Promise<ScriptedRegistry> {
  const requests: string[] = [];
  const server = http.createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    void Promise.resolve(script(request, response)).then((done) => done || answer(request, response, image));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

function answer(request: http.IncomingMessage, response: http.ServerResponse, image: MadeImage): void {
  const { url = '' } = request;
  const digest = /\/blobs\/(sha256:\w+)$/.exec(url)?.[1];
  const blob = digest === undefined ? undefined : image.blobs.get(digest);
  if (/^\/v2\/(\?.*)?$/.test(url)) response.end('{}');
  else if (/\/manifests\/[^/]+$/.test(url)) response.writeHead(
    200, { 'Content-Type': mediaTypes.ociManifest, 'Content-Length': image.manifest.length },
  ).end(image.manifest);
  else if (blob === undefined) response.writeHead(404).end('{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown to registry"}]}');
  else sendBlob(request, response, blob);
}

/** A blob, or the part of it that is asked for. */
export function sendBlob(request: http.IncomingMessage, response: http.ServerResponse, blob: Buffer, cutAfter = Infinity): void {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const range = request.headers.range === undefined ? {} : { 'Content-Range': `bytes ${start}-${blob.length - 1}/${blob.length}` };
  response.writeHead(request.headers.range === undefined ? 200 : 206, { 'Content-Length': blob.length - start, ...range });
  if (blob.length - start <= cutAfter) response.end(blob.subarray(start));
  else response.write(blob.subarray(start, start + cutAfter), () => response.socket?.destroySoon());
}

/** The layer of an image that a request is for. */
export function isLayer(request: http.IncomingMessage, image: MadeImage, index = 0): boolean {
  return request.url?.endsWith(`/blobs/${image.layers[index]}`) === true;
}
