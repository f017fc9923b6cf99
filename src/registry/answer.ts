import { unusable } from './failure.ts';
import { Foreign } from './foreign.ts';
import { shown } from './shown.ts';
import { readBody, type Answer } from './transport.ts';

/** Where an answer's Location leads. @throws DelosError registry */
export function locationOf(answer: Answer): URL {
  const { location } = answer.headers;
  if (location === undefined || !URL.canParse(location, answer.url.href)) throw unusable(answer, `status ${answer.status} without a usable Location`);
  const url = new URL(location, answer.url);
  if (url.username !== '' || url.password !== '') throw unusable(answer, 'a Location with a password in it is refused');
  if (url.protocol !== 'https:' && answer.url.protocol === 'https:') throw unusable(answer, 'a Location without TLS is refused: the registry uses TLS');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw unusable(answer, 'a Location that is no http or https URL is refused');
  return url;
}

/** What the registry says of an error (distribution specification, "Error Codes"), for people. */
export async function reasonOf(answer: Answer): Promise<string> {
  try {
    const [error] = Foreign.parse(await readBody(answer, 64 << 10), 'the answer').get('errors').list(100);
    const [code, message] = [error?.get('code').optionalString(), error?.get('message').optionalString()];
    const text = [code, message].filter((part) => part !== undefined && part !== '').join(': ');
    return text === '' ? `status ${answer.status}` : shown(text);
  } catch {
    return `status ${answer.status}`;
  }
}
