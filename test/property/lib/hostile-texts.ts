/** Texts made to exhaust a reader of tokens or files. None of them is a token, a list or a file. */

const DID = '{"uri":"did:a:b"}'
const TOKEN = `{"dms":{"act":"","iss":${DID},"sub":${DID},"aud":{},"cap":null,"nonce":null,"exp":0`

export const HOSTILE_TEXTS: readonly string[] = [
  '['.repeat(1_000_000),
  '{"a":'.repeat(200_000),
  '{"dms":{"chain":'.repeat(60_000),
  `${TOKEN},"chain":`.repeat(9_000),
  `{"tok":[${'{},'.repeat(300_000)}{}]}`,
  `{"tok":[${'null,'.repeat(200_000)}null]}`,
  `{"tok":[${`${TOKEN}}},`.repeat(8_000)}1]}`,
  `{"dms":{"cap":["${'\\u0041'.repeat(150_000)}"]}}`,
  `{"dms":{"cap":[${'"",'.repeat(300_000)}""]}}`,
  `{"dms":{"exp":${'9'.repeat(900_000)}}}`,
  `{"dms":{"exp":1e${'9'.repeat(900_000)}}}`,
  `{"dms":{${'"a":1,'.repeat(150_000)}"a":1}}`,
  `{"dms":{${Array.from({ length: 80_000 }, (_, index) => `"k${index}":0`).join(',')}}}`,
  `{"dms":{"act":"${'a'.repeat(900_000)}","iss":1}}`,
  `{"dms":{"act":"${'\\'.repeat(500_000)}`,
  `{"dms":{"nonce":"${'A'.repeat(900_000)}"}}`,
  `${TOKEN},"sig":"${'A'.repeat(900_000)}`,
  `${TOKEN},"sig":"${'='.repeat(900_000)}"}}`,
  `{"dms":{"act":"delegate","iss":{"uri":"did:key:${'z'.repeat(900_000)}"}}}`,
  ' '.repeat(1_000_000),
  `"${'a'.repeat(1_000_000)}`,
  `${'\t\n'.repeat(500_000)}{`
]
