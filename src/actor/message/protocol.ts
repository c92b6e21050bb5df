/** Stream protocol of an inbox (identity-and-actors §10.1): negotiating it is how a message finds its actor. */
export function messageProtocol(inbox: string): string {
  return `actor/${inbox}/messages/0.0.1`
}
