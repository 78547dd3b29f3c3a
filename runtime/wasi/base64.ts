/** Bytes as text in JSON: base64, with the functions that every engine has. */

export function encodeBase64(bytes: Uint8Array): string {
  // One character a byte, in pieces: an engine takes only so many arguments at once.
  let characters = '';
  for (let at = 0; at < bytes.length; at += 0x2000) {
    characters += String.fromCharCode(...bytes.subarray(at, at + 0x2000));
  }
  return btoa(characters);
}

/** The text must be what {@link encodeBase64} gives. */
export function decodeBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Whether {@link decodeBase64} can read it. Of a text of megabytes, too, on which a pattern with groups overflows the stack. */
export function isBase64(text: string): boolean {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return text.length % 4 === 0 && !/[^A-Za-z0-9+/]/.test(text.slice(0, text.length - padding));
}
